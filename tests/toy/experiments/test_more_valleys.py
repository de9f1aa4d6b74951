"""The studies of rows of valleys and of other noise, and what is read off them, against made-up
results with known answers.
"""

import dataclasses

import numpy as np
import pytest
import xarray as xr

from valleys.toy import ManyValleys
from valleys.toy.analysis import more_valleys
from valleys.toy.experiments import more_valleys as studies
from valleys.toy.simulation import rows
from valleys.toy.theory import chain

SMALL = {"n_runs": 30, "duration": 5.0}
ROWS = ((0.65, 0.725, 0.8), (0.8, 0.65, 0.725))


def made(share: list, width: list, noises: list) -> xr.Dataset:
    """A result of `occupation` with given shares (row, effective_noise, valley)."""
    variables = {
        "share": (("row", "effective_noise", "valley"), share),
        "width": (("row", "valley"), width),
    }
    return xr.Dataset(
        variables
        | {"share_error": (("row", "effective_noise", "valley"), np.full(np.shape(share), 0.01))},
        {"effective_noise": noises},
    )


def test_occupation_is_a_grid_of_walks_with_streams_of_their_own():
    spec = studies.OccupationSpec(ROWS, (0.0005, 0.001), **SMALL)
    found = studies.occupation(spec)
    assert dict(found.sizes) == {"row": 2, "effective_noise": 2, "valley": 3}
    np.testing.assert_array_equal(found.width, ROWS)
    last = rows.occupation(
        spec.walk(ROWS[1], 0.001), 30, 500, np.random.SeedSequence(0).spawn(4)[3]
    )
    np.testing.assert_array_equal(found.share[1, 1], last.share)
    assert float(found.freezing_y[1, 1]) == float(last.freezing_y)


def test_powers_and_fixed_powers_have_the_flat_valley_as_p_flat():
    moving = studies.powers(studies.PowersSpec((0.0, 2.0), (0.001,), (0.02, 0.05), **SMALL))
    assert moving.p_flat.dims == ("learning_rate", "effective_noise", "power")
    held = studies.fixed_powers(
        studies.FixedPowersSpec((-2.0, 2.0), (3.0,), (0.02,), n_runs=200, duration=150, burn_in=50)
    )
    assert held.p_flat.dims == ("learning_rate", "y", "power")
    assert held.p_flat[0, 0, 0] < 0.5 - 4 * held.p_flat_error[0, 0, 0]
    assert held.p_flat[0, 0, 1] > 0.5 + 4 * held.p_flat_error[0, 0, 1]
    assert studies.row_runs(studies.RowRunsSpec(ROWS[0], n_runs=6, n_steps=100)).x.shape == (6, 3)


ROW_SPEC = studies.OccupationSpec(ROWS, (0.001,))
MOVING = studies.PowersSpec((1.0,), (0.001,))
HELD = studies.FixedPowersSpec((1.0,), (1.0,))


@pytest.mark.parametrize(
    ("spec", "change", "complaint"),
    [
        (ROW_SPEC, {"rows": [[0.7, 0.8], [0.6, 0.7, 0.8]]}, "same length"),
        (ROW_SPEC, {"rows": []}, "same length"),
        (ROW_SPEC, {"effective_noises": []}, "empty"),
        (ROW_SPEC, {"n_runs": 100}, "multiple of 3"),
        (ROW_SPEC, {"duration": 0.01}, "10 steps"),
        (MOVING, {"powers": [-1.0]}, "must not be negative"),
        (MOVING, {"powers": "ab"}, "list of numbers"),
        (MOVING, {"duration": 0.01}, "10 steps"),
        (HELD, {"ys": [0.0]}, "y > 0"),
        (HELD, {"burn_in": 900.0}, "burn_in"),
    ],
)
def test_bad_specs_are_refused(spec, change, complaint):
    with pytest.raises(ValueError, match=complaint):
        dataclasses.replace(spec, **change)


def test_an_order_without_each_rank_is_refused():
    with pytest.raises(ValueError, match="each of the numbers 1 to 2"):
        studies.in_order([0.6, 0.7], [[1, 1]])


def test_orders_are_ranks_from_left_to_right():
    assert studies.in_order([0.6, 0.7, 0.8], [[3, 1, 2]]) == [(0.8, 0.6, 0.7)]


def test_pairs_count_the_flatter_valley_as_right():
    found = made(
        [[[0.1, 0.3, 0.6]], [[0.2, 0.6, 0.2]]], [[0.6, 0.7, 0.8], [0.7, 0.7, 0.6]], [0.001]
    )
    pulls = more_valleys.pair_order(found, 100)
    assert (pulls[0] > 0).all()
    assert np.isnan(pulls[1, 0, 0])  # equal widths
    assert pulls[1, 0, 2] > 0
    assert np.isclose(pulls[0, 0, 0], 0.2 / np.sqrt((0.4 - 0.04) / 100))
    draws = np.random.default_rng(0).multinomial(100, [0.1, 0.3, 0.6], 20_000) / 100
    assert abs((draws[:, 1] - draws[:, 0]).std() * float(pulls[0, 0, 0]) / 0.2 - 1) < 0.03


def test_share_of_a_rank_entropy_and_mean_width():
    found = made(
        [[[0.1, 0.3, 0.6]], [[0.5, 0.5, 0.0]]], [[0.6, 0.7, 0.8], [0.8, 0.6, 0.7]], [0.001]
    )
    assert more_valleys.of_width(found).share.values.ravel().tolist() == [0.6, 0.5]
    assert more_valleys.of_width(found, 0).share.values.ravel().tolist() == [0.1, 0.5]
    np.testing.assert_allclose(more_valleys.entropy(found.share)[1], np.log(2) / np.log(3))
    np.testing.assert_allclose(more_valleys.mean_width(found)[:, 0], [0.75, 0.7])
    assert list(more_valleys.width_rules(found)) == [
        "sharpest",
        "second flattest",
        "flattest",
        "mean at the end",
    ]


def test_balance_of_a_result_is_that_of_its_rows():
    found = made([[[0.2, 0.3, 0.5]]], [[0.8, 0.65, 0.725]], [0.001])
    expected = more_valleys.balance_shares(found, 1.0)
    np.testing.assert_array_equal(
        expected[0, 0],
        chain.balance(ManyValleys((0.8, 0.65, 0.725)), 0.001, np.geomspace(1, 60, 300))[:, -1],
    )


def test_freezing_fit_knows_its_own_forms():
    noise = np.geomspace(3e-5, 3e-3, 6)
    reach = np.sqrt(noise * np.log(noise / 1e-12)) / 0.8
    exact = more_valleys.fit_freezing(noise, 30 * reach / (1 - reach), 30.0)
    assert np.isclose(exact["width"], 0.8)
    assert exact["form_scatter"] < 1e-10 < 1e-3 < exact["power_law_scatter"]
    straight = more_valleys.fit_freezing(noise, 30 * (6 * noise**0.6) / (1 - 6 * noise**0.6), 30.0)
    assert np.isclose(straight["power"], 0.6)
    assert straight["power_law_scatter"] < 1e-10 < 1e-3 < straight["form_scatter"]
    with pytest.raises(ValueError, match="four or more"):
        more_valleys.fit_freezing(noise[:3], noise[:3], 30.0)


def test_collapse_is_zero_for_equal_curves_and_the_spread_otherwise():
    assert more_valleys.collapse([np.array([1.0, 2.0])] * 3) == 0
    assert np.isclose(
        more_valleys.collapse([np.array([0.9, 1.8]), np.array([1.1, 2.2])]),
        np.std([0.9, 1.1], ddof=1),
    )
