import numpy as np
import pytest
import torch
from torch import nn

from tests.nets.engine.test_modules import convolutional, stack_of
from valleys.nets.engine.modules import Modules
from valleys.nets.engine.networks import initialize, join
from valleys.nets.engine.training import Samples
from valleys.nets.measures.curvature import (
    batch_sharpness,
    closest,
    curvature,
    last_matrix,
    top_directions,
)
from valleys.nets.measures.lanczos import top_eigenpairs
from valleys.nets.measures.layer_hessian import layer_curvature


@pytest.fixture
def networks():
    """Three fully connected networks, float64."""
    every = [initialize(5, seed, hidden=(7, 6), n_classes=3) for seed in range(3)]
    return join(every).to(torch.float64)


def dense(operator):
    return np.stack([operator.product(unit) for unit in np.eye(operator.size)])


def test_a_layer_is_bent_as_the_closed_form_says(blobs, networks):
    closed = layer_curvature(networks, blobs.images, 1)
    own = top_directions(networks, blobs, 5, ["2.weight"])[0][1]
    np.testing.assert_allclose(own, top_eigenpairs(closed, 5).values, rtol=1e-8)


def test_the_matrix_is_that_of_torch(blobs):
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(5, 3), nn.Tanh(), nn.Linear(3, 3)).double()
    own = dense(curvature(Modules.of(module), blobs, parameters=["0.weight", "2.bias"]))

    def loss(weight, bias):
        hidden = torch.tanh(blobs.images @ weight.T + module[0].bias)
        return nn.functional.cross_entropy(hidden @ module[2].weight.T + bias, blobs.labels)

    point = (module[0].weight.detach(), module[2].bias.detach())
    blocks = torch.autograd.functional.hessian(loss, point)
    sizes = [part.numel() for part in point]
    rows = [
        torch.cat([block.reshape(size, other) for block, other in zip(row, sizes, strict=True)], 1)
        for row, size in zip(blocks, sizes, strict=True)
    ]
    np.testing.assert_allclose(own, torch.cat(rows), atol=1e-12)


def test_leading_directions_of_each_network_are_eigenvectors(blobs, networks):
    values, vectors = top_directions(networks, blobs, 3)
    for index in range(3):
        matrix = dense(curvature(networks, blobs, index))
        expected = np.linalg.eigvalsh((matrix + matrix.T) / 2)[::-1][:3]
        np.testing.assert_allclose(values[index], expected, rtol=1e-8)
        found = vectors[index].numpy()
        np.testing.assert_allclose(found @ matrix, values[index][:, None] * found, atol=1e-6)


def test_batch_sharpness_is_its_definition(blobs, networks):
    found = batch_sharpness(networks, blobs, 8, np.random.default_rng(0), n_batches=3)
    stream, bent, squared = np.random.default_rng(0), 0.0, 0.0
    for _ in range(3):
        batch = blobs.pick(torch.from_numpy(stream.permutation(30)[:8]))
        slopes = networks.gradients(batch.images, batch.labels)
        slope = np.concatenate([part[1].flatten().numpy() for part in slopes.values()])
        matrix = dense(curvature(networks, batch, 1))
        bent, squared = bent + slope @ matrix @ slope, squared + slope @ slope
    assert found[1].item() == pytest.approx(bent / squared, rel=1e-9)


def test_a_convolutional_network_is_bent_too():
    rng = np.random.default_rng(7)
    pictures = Samples.of(rng.normal(size=(24, 1, 8, 8)), np.arange(24) % 3)
    bent = curvature(stack_of([convolutional(0)]), pictures, parameters=["0.weight"])
    matrix = dense(bent)
    np.testing.assert_allclose(matrix, matrix.T, atol=1e-12)
    assert bent.size == 36


def test_a_parameter_that_is_not_there_is_refused(blobs, networks):
    with pytest.raises(ValueError, match=r"the names are 0\.weight, 0\.bias"):
        curvature(networks, blobs, parameters=["1.weight"])


def test_the_last_matrix_of_a_module_has_a_closed_form():
    rng = np.random.default_rng(7)
    pictures = Samples.of(rng.normal(size=(24, 1, 8, 8)), np.arange(24) % 3)
    stack = stack_of([convolutional(0), convolutional(1)])
    name = last_matrix(stack)
    assert name == "3.weight"
    fast, slow = (make(stack, pictures, 1, [name]) for make in (closest, curvature))
    assert type(fast) is not type(slow)
    values = [top_eigenpairs(operator, 5).values for operator in (fast, slow)]
    np.testing.assert_allclose(*values, rtol=1e-7)


def test_a_linear_layer_that_does_not_make_the_scores_is_differentiated():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(5, 3), nn.Tanh()).double()
    points = Samples.of(np.ones((4, 5)), np.arange(4) % 3)
    found = closest(Modules.of(module), points, 0, ["0.weight"])
    assert type(found) is type(curvature(Modules.of(module), points, 0, ["0.weight"]))


def test_a_model_without_a_matrix_is_told_so():
    stack = Modules.of(nn.Sequential(nn.Conv2d(1, 3, 8), nn.Flatten()))
    with pytest.raises(ValueError, match="has no matrix"):
        last_matrix(stack)


@pytest.mark.parametrize("scale", [1.0, 30.0, 300.0])
def test_products_keep_their_digits_where_a_network_is_sure(scale):
    rng = np.random.default_rng(0)
    images = torch.from_numpy(rng.standard_normal((12, 8)))
    networks = initialize(8, 0, hidden=(), n_classes=3).to(torch.float64)
    networks.weights[0].mul_(scale)
    labels = networks.scores(images)[0].argmax(dim=0)
    by_hand = layer_curvature(networks, images, 0, 0)
    own = curvature(networks, Samples(images, labels), 0, ["0.weight"])
    direction = rng.standard_normal((8, 3))
    found = own.product(direction.T.ravel()).reshape(3, 8).T.ravel()
    expected = by_hand.product(direction.ravel())
    assert np.abs(expected).max() > 0
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12 * np.abs(expected).max())
