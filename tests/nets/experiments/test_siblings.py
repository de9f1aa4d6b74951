import numpy as np
import pytest
import torch
import xarray as xr

from valleys.nets.analysis.siblings import (
    barriers_over_noise,
    escape_rates,
    joined_time,
    kramers,
    last_before_freezing,
)
from valleys.nets.engine import reference
from valleys.nets.engine.networks import initialize, interpolate
from valleys.nets.engine.problem import Problem
from valleys.nets.experiments import siblings
from valleys.nets.experiments.siblings import SiblingsSpec

SMALL = {
    "batch_size": 100,
    "learning_rate": 0.2,
    "branch_times": (0.0, 10.0, 50.0),
    "training_time": 60.0,
    "n_references": 2,
}


@pytest.fixture(scope="module")
def found():
    return siblings.siblings(SiblingsSpec(**SMALL))


def test_noise_along_a_line_is_the_variance_of_autograd_slopes(blobs):
    first, second = (
        initialize(5, seed, hidden=(8, 6), n_classes=3).to(torch.float64) for seed in (0, 1)
    )
    module, target = reference.as_module(first), reference.as_module(second)
    line = torch.cat(
        [(b - a).reshape(-1) for a, b in zip(module.parameters(), target.parameters(), strict=True)]
    ).detach()
    slopes = []
    for image, label in zip(blobs.images, blobs.labels, strict=True):
        loss = torch.nn.functional.cross_entropy(module(image[None]), label[None])
        gradient = torch.cat(
            [part.reshape(-1) for part in torch.autograd.grad(loss, list(module.parameters()))]
        )
        slopes.append(float(gradient @ line / line.norm()))
    assert siblings.line_variance(first, second, blobs) == pytest.approx(np.var(slopes), rel=1e-4)


def test_noise_along_no_line_is_unknown(blobs):
    same = initialize(5, 0, hidden=(8, 6), n_classes=3).to(torch.float64)
    assert np.isnan(siblings.line_variance(same, same, blobs))


def test_siblings_that_part_later_end_more_alike_and_nothing_stands_between_runs_at_the_start(
    found,
):
    assert float(found.similarity.isel(branch=-1).mean()) > float(
        found.similarity.isel(branch=0).mean()
    )
    assert found.wall.isel(branch=0).values == pytest.approx(0, abs=1e-5)
    assert np.isnan(found.line_noise.isel(branch=0)).all()
    assert (found.line_noise.isel(branch=-1) > 0).all()
    assert found.sizes == {"reference": 2, "branch": 3, "pair": 1}


def test_a_run_is_the_same_in_company_and_again(found):
    again = siblings.siblings(SiblingsSpec(**SMALL))
    xr.testing.assert_identical(found, again)


def test_a_line_between_networks_begins_and_ends_at_them(digits):
    pair = [initialize(digits.images.shape[1], seed) for seed in (0, 1)]
    setting = Problem(digits, digits, digits, pair[0])
    losses = siblings._lines(siblings.join(pair), setting)
    middle = interpolate(*pair, fractions=torch.tensor([0.5]))
    assert losses[0, 10] == pytest.approx(float(siblings.evaluate(middle, digits).loss), rel=1e-4)
    assert losses[0, -1] == pytest.approx(float(siblings.evaluate(pair[0], digits).loss), rel=1e-4)


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"batch_size": 1000}, "no noise"),
        ({"branch_times": (0.0, 5.0)}, "branch_times"),
        ({"branch_times": (5.0, 0.0, 7.0)}, "branch_times"),
        ({"training_time": 50.0}, "training_time"),
        ({"n_references": 1}, "n_references"),
        ({"n_siblings": 0}, "n_siblings"),
        ({"relaxing_time": 0.0}, "relaxing_time"),
    ],
)
def test_what_makes_no_sense_is_refused(wrong, word):
    with pytest.raises(ValueError, match=word):
        SiblingsSpec(**SMALL | wrong)


def _made(rate, exponent, times=(0.0, 1.0, 2.0, 4.0, 8.0, 16.0)):
    """Siblings whose likeness is lost at a rate(E), with E(setting, time) given; two settings by
    two, three runs that differ a little.
    """
    times = np.array(times)
    middles = (times[1:] + times[:-1]) / 2
    logs = np.zeros((2, 2, 6))
    for where in np.ndindex(2, 2):
        steps = 2 * rate(exponent(*where, middles)) * np.diff(times)
        logs[where][:-1] = -steps[::-1].cumsum()[::-1]
    kept = np.exp(logs)[..., None] * np.array([0.999, 1.0, 1.001])
    kept[:, :, 0] = 0  # siblings from the start share what any two runs do
    likeness = 0.6 + 0.4 * kept
    walls = np.stack(
        [
            [np.broadcast_to(exponent(i, j, times)[:, None], (6, 3)) for j in range(2)]
            for i in range(2)
        ]
    )
    dims = ("batch_size", "learning_rate", "branch")
    parts = {
        "similarity": ((*dims, "reference"), likeness),
        "wall": ((*dims, "pair"), walls),
        "line_noise": ((*dims, "pair"), np.ones_like(walls)),
    }
    return xr.Dataset(
        parts, {"branch_time": ("branch", times), "batch_size": [1, 2], "learning_rate": [0.1, 0.2]}
    )


def test_kramers_law_is_found_where_it_holds():
    made = _made(lambda e: np.exp(-e), lambda i, j, t: 1 + 0.25 * t + 0.5 * i + j)
    law = kramers(made)
    assert law["slope"].value == pytest.approx(-1, abs=0.1)
    assert law["rank"].value < -0.95
    assert law["rank_at_time"].value == pytest.approx(-1)


def test_a_rate_that_goes_with_time_alone_has_no_order_at_equal_time():
    made = _made(lambda e: np.full_like(e, 0.01), lambda i, j, t: 1 + t + 0.5 * i + j)
    made["similarity"] = 0.6 + 0.4 * (1 - 1 / (1 + made.branch_time)) * xr.ones_like(
        made.similarity
    )
    law = kramers(made)
    assert law["rank"].value < -0.8
    assert not law["rank_at_time"].value < -0.5


def test_the_rate_is_that_of_an_exponential_decay():
    made = _made(lambda e: np.full_like(e, 0.02), lambda i, j, t: 1 + t)
    assert np.isnan(escape_rates(made).isel(branch=0)).all()
    np.testing.assert_allclose(escape_rates(made).isel(branch=slice(1, None)), 0.02, rtol=1e-6)
    np.testing.assert_allclose(barriers_over_noise(made)[0, 0], 1 + made.branch_time)


def test_joined_and_frozen_branches_are_read_off_run_by_run():
    walled = np.array([[1, 0, 1, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 1.0]])
    parts = {
        "walled": (("reference", "branch"), walled),
        "similarity": (("reference", "branch"), np.arange(15.0).reshape(3, 5)),
    }
    parts["freezing_time"] = ("reference", [2.5, np.nan, 99.0])
    parts["rise"] = (("reference", "branch"), [[0.3, 0.2, 0.1, 0.0, 0.0]] * 3)
    made = xr.Dataset(parts, {"branch_time": ("branch", [0.0, 1, 2, 3, 4])})
    np.testing.assert_array_equal(joined_time(made), [3, 0, np.nan])
    np.testing.assert_array_equal(joined_time(made, 0.1), [2, 2, 2])
    np.testing.assert_array_equal(
        joined_time(made, xr.DataArray([0.1, 0.2, 0.0], dims="reference")), [2, 1, 3]
    )
    np.testing.assert_array_equal(last_before_freezing(made), [2, np.nan, 14])
    np.testing.assert_array_equal(last_before_freezing(made, "walled"), [1, np.nan, 1])
