import numpy as np
import pytest
import torch
import xarray as xr

from tests.nets.expected import second_layer
from tests.nets.networks import small, trained
from valleys.nets.engine import reference
from valleys.nets.engine.networks import forward
from valleys.nets.experiments import rescaling
from valleys.nets.experiments.rescaling import RescalingSpec
from valleys.nets.measures import layer_hessian

SMALL = {
    "batch_sizes": (100, 1000),
    "learning_rate": 0.2,
    "training_time": 100.0,
    "n_realizations": 2,
    "n_records": 5,
    "factors": (0.5, 1.0, 2.0),
}


@pytest.fixture
def network(blobs):
    return trained(small().to(torch.float64), blobs, 60)


@pytest.fixture(scope="module")
def found():
    return rescaling.rescaling(RescalingSpec(**SMALL))


def test_rescaling_keeps_every_score(network, blobs):
    other = rescaling.with_factors(network, (1.7, 0.4, 1 / (1.7 * 0.4)))
    assert not np.allclose(other.weights[1], network.weights[1])
    np.testing.assert_allclose(
        forward(other, blobs.images)[1], forward(network, blobs.images)[1], atol=1e-12
    )


def test_factors_that_change_the_function_are_refused(network):
    for factors in ((1, 2, 1), (-1, -1, 1)):
        with pytest.raises(ValueError, match="product of one"):
            rescaling.with_factors(network, factors)


def test_the_layers_flatness_goes_with_the_square_by_an_independent_hessian(network, blobs):
    flat = []
    for factor in (1.0, 3.0):
        module = reference.as_module(rescaling.with_factors(network, (1, factor, 1 / factor)))
        flat.append(
            layer_hessian.flatness(
                reference.top_eigenvalues(module, blobs, second_layer(module), count=5)
            )
        )
    assert flat[1] / flat[0] == pytest.approx(9, rel=1e-6)


def test_balanced_layers_have_one_norm_and_the_same_product(network):
    before, after = rescaling.norms(network)[0], rescaling.norms(rescaling.balanced(network))[0]
    np.testing.assert_allclose(after, after[0])
    assert after.prod() == pytest.approx(before.prod())


def test_gradient_flow_conserves_the_surplus_and_a_step_adds_the_square_of_the_learning_rate(
    network, blobs
):
    moved = {}
    for rate in (1e-3, 1e-4):
        now = trained(network.copy(), blobs, 1, learning_rate=rate, batch_size=30)
        moved[rate] = (rescaling.surplus(now) - rescaling.surplus(network))[0]
    np.testing.assert_allclose(moved[1e-3] / moved[1e-4], 100, rtol=1e-3)
    change = (rescaling.norms(now) ** 2 - rescaling.norms(network) ** 2)[0]
    assert abs(moved[1e-4]).max() < 1e-2 * abs(change).max()


@pytest.mark.slow
def test_the_study_rescales_what_it_trained(found):
    layer = found.rescaled.sel(measure="layer")
    np.testing.assert_allclose(
        layer.isel(batch_size=0) / layer.isel(batch_size=0).sel(factor=1.0), [0.25, 1, 4], rtol=1e-4
    )
    whole = found.rescaled.sel(measure="whole").isel(batch_size=0)
    assert float(whole.sel(factor=2.0) / whole.sel(factor=1.0)) < 4
    assert np.isnan(found.flatness.sel(batch_size=1000).isel(realization=1)).all()
    np.testing.assert_allclose(
        found.rescaled.sel(factor=1.0),
        found.flatness.sel(scaling="as trained").isel(realization=0),
        rtol=1e-6,
    )
    balanced = found.flatness.sel(measure="layer", scaling="balanced") / found.flatness.sel(
        measure="layer", scaling="as trained"
    )
    norms = found.norms.isel(record=-1)
    np.testing.assert_allclose(
        balanced, norms.prod("layer", skipna=False) ** (2 / 3) / norms.isel(layer=1) ** 2, rtol=1e-4
    )


@pytest.mark.slow
def test_noise_moves_what_gradient_flow_conserves(found):
    moved = rescaling.moved_share(found).isel(joint=0)
    assert float(moved.sel(batch_size=100).mean()) > float(
        moved.sel(batch_size=1000).isel(realization=0)
    )
    assert moved.dims == ("batch_size", "realization")


def test_order_is_one_for_any_rising_relation_and_needs_three():
    rng = np.random.default_rng(0)
    first = rng.standard_normal((3, 4))
    found = rescaling.solution_rank_correlation(first, np.exp(first), rng)
    assert (found.value, found.low, found.high) == (
        pytest.approx(1),
        pytest.approx(1),
        pytest.approx(1),
    )
    assert rescaling.solution_rank_correlation(first, -first, rng).value == pytest.approx(-1)
    assert np.isnan(rescaling.solution_rank_correlation(first[:1, :2], first[:1, :2], rng).value)


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"factors": (1.0,)}, "factors"),
        ({"factors": (0.0, 1.0)}, "factors"),
        ({"n_realizations": 0}, "n_realizations"),
        ({"batch_sizes": (2000,)}, "batch_size"),
    ],
)
def test_what_makes_no_sense_is_refused(wrong, word):
    with pytest.raises(ValueError, match=word):
        RescalingSpec(**SMALL | wrong)


def test_the_moved_share_is_of_what_the_upper_layer_gains():
    norms = xr.DataArray(
        [[[[3.0, 2.0], [3.0, 4.0]]]], dims=("batch_size", "realization", "record", "layer")
    )
    made = xr.Dataset(
        {
            "norms": norms,
            "surplus": (("batch_size", "realization", "record", "joint"), [[[[5.0], [2.0]]]]),
        }
    )
    assert rescaling.moved_share(made).item() == pytest.approx(3 / 12)
