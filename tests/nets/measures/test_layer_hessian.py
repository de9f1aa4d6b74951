import dataclasses

import numpy as np
import pytest
import torch
from scipy.sparse.linalg import eigsh

from tests.nets.expected import hessian, second_layer
from tests.nets.networks import small
from tests.nets.networks import trained as after_training
from valleys.nets.engine import reference
from valleys.nets.engine.networks import Networks, initialize
from valleys.nets.measures import layer_hessian
from valleys.nets.measures.lanczos import top_eigenpairs
from valleys.nets.measures.whole_hessian import WholeNetwork


@pytest.fixture(params=[0, 1500], ids=["at the start", "after training"])
def networks(request, blobs):
    """Two small networks in float64; trained ones have a softmax close to 0 and 1."""
    start = small(2).to(torch.float64)
    start.weights[0][1] *= 1.1
    return after_training(start, blobs, request.param, learning_rate=0.2)


@pytest.fixture(scope="module")
def trained(digits):
    return after_training(initialize(64, 0), digits, 800, batch_size=50)


def _loss_of_second_layer(networks, blobs, index):
    weights, biases = [w[index].T for w in networks.weights], [b[index].T for b in networks.biases]

    def loss(matrix):
        hidden = torch.relu(blobs.images @ weights[0] + biases[0])
        scores = torch.relu(hidden @ matrix + biases[1]) @ weights[2] + biases[2]
        return torch.nn.functional.cross_entropy(scores, blobs.labels)

    return loss, weights[1]


def _autograd_hessian(networks, blobs, index):
    loss, matrix = _loss_of_second_layer(networks, blobs, index)
    return hessian(loss, matrix).reshape(matrix.numel(), -1).numpy()


@pytest.mark.parametrize("index", [0, 1])
def test_the_hessian_is_that_of_autograd(networks, blobs, index):
    expected = _autograd_hessian(networks, blobs, index)
    assert np.abs(expected).max() > 0
    found = layer_hessian.layer_curvature(networks, blobs.images, index)
    np.testing.assert_allclose(
        found.dense(), expected, atol=1e-10 * np.abs(expected).max(), rtol=1e-8
    )
    direction = np.random.default_rng(0).standard_normal(48)
    np.testing.assert_allclose(
        found.product(direction),
        expected @ direction,
        atol=1e-10 * np.abs(expected).max(),
        rtol=1e-8,
    )


def test_top_eigenvalues_are_those_of_the_dense_autograd_hessian(networks, blobs):
    expected = np.linalg.eigvalsh(_autograd_hessian(networks, blobs, 0))[::-1][:10]
    found = top_eigenpairs(layer_hessian.layer_curvature(networks, blobs.images), layer_hessian.TOP)
    np.testing.assert_allclose(found.values, expected, rtol=1e-5)
    assert (found.residuals <= 1e-4 * found.values).all()


@pytest.mark.slow
def test_top_eigenvalues_of_a_trained_network_are_those_of_its_full_spectrum(trained, digits):
    layer = layer_hessian.layer_curvature(trained, digits.images)
    found, everything = top_eigenpairs(layer, layer_hessian.TOP), layer_hessian.full_spectrum(layer)
    assert layer.layer_shape == (50, 50)
    assert layer.shape == (2500, 2500)
    np.testing.assert_allclose(found.values, everything[:10], rtol=1e-5)
    assert everything[-1] > -1e-9 * everything[0]  # a Gauss-Newton form has no negative eigenvalue
    assert everything.sum() == pytest.approx(np.trace(layer.dense()))
    assert found.n_products < 100


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_the_trace_is_that_of_the_matrix_itself(trained, networks, blobs, digits, layer):
    untrained = layer_hessian.layer_curvature(networks, blobs.images, 1, layer)
    assert untrained.trace() == pytest.approx(np.trace(untrained.dense()), rel=1e-10)
    if layer:  # the first layer's matrix is large
        converged = layer_hessian.layer_curvature(trained, digits.images, layer=layer)
        assert converged.trace() == pytest.approx(np.trace(converged.dense()), rel=1e-9)


@pytest.mark.slow
def test_eigenvalues_are_the_curvature_of_the_loss_along_their_vectors(trained, digits):
    layer = layer_hessian.layer_curvature(trained, digits.images)
    values, vectors = eigsh(layer.dense(), 1, v0=np.ones(layer.shape[0]))
    loss, matrix = _loss_of_second_layer(
        trained.to(torch.float64), dataclasses.replace(digits, images=digits.images.double()), 0
    )
    step = 1e-4 * torch.from_numpy(vectors[:, -1].reshape(50, 50))
    second_difference = (loss(matrix + step) - 2 * loss(matrix) + loss(matrix - step)).item() / 1e-8
    assert second_difference == pytest.approx(values[-1], rel=1e-3)


def test_the_same_question_has_the_same_answer_to_the_last_digit(trained, digits):
    first, second = (
        top_eigenpairs(layer_hessian.layer_curvature(trained, digits.images), layer_hessian.TOP)
        for _ in range(2)
    )
    np.testing.assert_array_equal(first.values, second.values)


def test_the_whole_network_hessian_is_that_of_autograd(blobs, networks):
    shapes = [part[0].shape for part in networks.weights + networks.biases]
    sizes = [shape.numel() for shape in shapes]
    point = torch.cat([part[0].reshape(-1) for part in networks.weights + networks.biases])

    def loss(theta):
        w1, w2, w3, b1, b2, b3 = (
            part.reshape(shape).T for part, shape in zip(theta.split(sizes), shapes, strict=True)
        )
        scores = torch.relu(torch.relu(blobs.images @ w1 + b1) @ w2 + b2) @ w3 + b3
        return torch.nn.functional.cross_entropy(scores, blobs.labels)

    expected = torch.linalg.eigvalsh(hessian(loss, point)).numpy()[::-1][:10]
    found = top_eigenpairs(WholeNetwork.of(networks, blobs), 10)
    np.testing.assert_allclose(found.values, expected, rtol=1e-5)


@pytest.mark.parametrize("layer", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_an_output_layer_of_zeros_gives_each_eigenvalue_nine_times(digits, layer):
    """Softmax is uniform then, so that the last layer's Hessian is the same for each of nine
    directions in the scores.
    """
    network = initialize(64, 0)
    network.weights[2].zero_()
    bent = layer_hessian.layer_curvature(network, digits.images, layer=layer)
    expected = layer_hessian.full_spectrum(bent)[:10]
    found = top_eigenpairs(bent, layer_hessian.TOP)
    np.testing.assert_allclose(found.values, expected, rtol=1e-5, atol=1e-12)
    np.testing.assert_allclose(
        top_eigenpairs(bent, 10, for_vectors=True).values, expected, rtol=1e-7, atol=1e-12
    )
    assert (found.residuals <= 1e-5 * found.values[0]).all()


def test_a_network_that_is_not_finite_has_no_curvature_and_says_so(digits):
    broken = initialize(64, 0)
    broken.weights[1][0, 0, 0] = float("nan")
    with pytest.raises(ArithmeticError, match="not finite"):
        top_eigenpairs(layer_hessian.layer_curvature(broken, digits.images), layer_hessian.TOP)


def test_flatness_is_the_inverse_geometric_mean():
    assert layer_hessian.flatness(np.array([1.0, 2.0, 4.0])) == pytest.approx(0.5)
    # no underflow of the product
    assert layer_hessian.flatness(np.array([1e-200, 1e-200])) == pytest.approx(1e200)
    assert layer_hessian.flatness(np.array([1.0, 0.0])) == np.inf
    assert np.isnan(layer_hessian.flatness(np.array([1.0, np.nan])))
    assert np.isnan(layer_hessian.flatness(np.array([np.inf, 1.0])))


def test_rescaling_layers_against_each_other_changes_flatness_and_not_the_network(trained, digits):
    a = 3.0
    weights, biases = list(trained.weights), list(trained.biases)
    rescaled = Networks(
        (weights[0], weights[1] * a, weights[2] / a), (biases[0], biases[1] * a, biases[2])
    )
    before, after = (
        layer_hessian.flatness(
            top_eigenpairs(
                layer_hessian.layer_curvature(n, digits.images), layer_hessian.TOP
            ).values
        )
        for n in (trained, rescaled)
    )
    assert after / before == pytest.approx(a**2, rel=1e-4)


def test_a_network_whose_units_are_all_off_has_no_curvature(digits):
    off = initialize(64, 0)
    off.biases[0].fill_(-1e3)
    found = top_eigenpairs(layer_hessian.layer_curvature(off, digits.images), layer_hessian.TOP)
    assert not found.values.any()
    assert layer_hessian.flatness(found.values) == np.inf


def test_the_plain_way_finds_the_same_eigenvalues(trained, digits):
    precise = trained.to(torch.float64)
    module = reference.as_module(precise)
    expected = reference.top_eigenvalues(
        module, dataclasses.replace(digits, images=digits.images.double()), second_layer(module)
    )
    np.testing.assert_allclose(
        top_eigenpairs(
            layer_hessian.layer_curvature(trained, digits.images), layer_hessian.TOP
        ).values,
        expected,
        rtol=1e-5,
    )
