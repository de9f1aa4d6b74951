"""Freezing in rows of valleys, against places made from Eq. 25 or from a power."""

from typing import Any

import numpy as np
import pytest
import xarray as xr

from tests.findings import number
from valleys.toy import ManyValleys
from valleys.toy.analysis import row_freezing
from valleys.toy.theory import at_fixed_y, chain, freezing

NOISES = np.array([1e-4, 2e-4, 5e-4, 1e-3])
Y_B = 30.0


def part(rows: list, reach: list) -> xr.Dataset:
    """A result with o = y/(y + y_b) = reach·√Δ_S in each row, runs ending in the first valley."""
    opening = np.outer(reach, NOISES**0.5)
    share = np.zeros((len(rows), len(NOISES), len(rows[0])))
    share[..., 0] = 1
    places = ("row", "effective_noise")
    variables: dict[str, Any] = {"freezing_y": (places, Y_B * opening / (1 - opening))}
    variables["freezing_y_error"] = (places, np.full(opening.shape, 0.1))
    variables["share"] = ((*places, "valley"), share)
    variables["width"] = (("row", "valley"), rows)
    return xr.Dataset(variables, {"row": range(len(rows)), "effective_noise": NOISES})


def parts() -> list[xr.Dataset]:
    """A pair and two rows of three, with reaches that the width of the first valley makes equal."""
    pair, three = part([[0.5, 0.8]], [4.0]), part([[0.8, 0.5, 0.6], [0.4, 0.5, 0.8]], [2.5, 5.0])
    return [pair, three]


def test_the_width_that_sets_the_place_makes_curves_one():
    found = row_freezing.collapse_findings(parts(), Y_B)
    assert found["mean"] == pytest.approx(0)
    scaled = {"sharpest": [2.0, 1.25, 2.0], "second": [2.0, 1.5, 2.5], "flattest": [3.2, 2.0, 4.0]}
    for name, values in scaled.items():
        assert found[name] == pytest.approx(np.std(values, ddof=1) / np.mean(values))


def test_curves_of_all_rows_stand_side_by_side():
    stopped = row_freezing.freezing_curves(parts(), Y_B)
    assert stopped.n_valleys.values.tolist() == [2, 3, 3]
    np.testing.assert_allclose(stopped.by_mean, 2.0)
    np.testing.assert_allclose(stopped.by_sharpest[:, 0], [2.0, 1.25, 2.0])
    np.testing.assert_array_equal(stopped.freezing_y[0], parts()[0].freezing_y[0])
    assert (stopped.freezing_y_error == 0.1).all()


def test_each_form_fits_its_own_curve_better():
    by_25 = np.sqrt(NOISES * np.log(NOISES / 1e-12)) / 0.8
    by_power = 6 * NOISES**0.6
    openings = np.array([by_25, by_power])
    stopped = xr.Dataset(
        {"freezing_y": (("landscape", "effective_noise"), Y_B * openings / (1 - openings))},
        {"effective_noise": NOISES},
    )
    found = row_freezing.form_findings(stopped, Y_B)
    assert (found["landscapes"], found["form_better"]) == (2, 1)
    alone = row_freezing.form_findings(stopped.isel(landscape=[0]), Y_B)
    assert alone["width_min"] == alone["width_max"] == pytest.approx(0.8)
    assert number(alone, "form_worst") < 1e-10 < number(alone, "power_worst")
    alone = row_freezing.form_findings(stopped.isel(landscape=[1]), Y_B)
    assert alone["slope_min"] == pytest.approx(0.6)
    assert number(alone, "power_worst") < 1e-10 < number(alone, "form_worst")
    assert number(found, "slope_max") >= number(found, "slope_min")


def test_shifts_of_pairs_are_ratios_to_the_first():
    rows = {"first": [0.65, 0.8], "sharper": [0.5, 0.8], "closer": [0.65, 0.7]}
    places = 10 * NOISES[None] ** 0.5 * np.array([[1.0], [1.3], [1.0]])
    places[2] *= [0.5, 2, 0.5, 2]
    stopped = xr.Dataset(
        {"freezing_y": (("landscape", "effective_noise"), places)}, {"effective_noise": NOISES}
    )
    found = row_freezing.pair_shift_findings(rows, stopped)
    assert (found["sharper_runs"], found["closer_runs"]) == pytest.approx((1.3, 1))
    pairs = {name: ManyValleys(tuple(row)).pair(0, 1) for name, row in rows.items()}
    for name in ("sharper", "closer"):
        by_25 = [freezing.freezing_y(pairs[each], NOISES) for each in (name, "first")]
        assert found[f"{name}_formula"] == pytest.approx(np.prod(by_25[0] / by_25[1]) ** 0.25)


def test_the_place_of_the_final_share_has_that_share():
    rows = {"first": [0.65, 0.8], "sharper": [0.5, 0.8]}
    one = xr.Dataset(
        {"freezing_y": (("landscape", "effective_noise"), [[1.0], [2.0]])},
        {"effective_noise": [0.001]},
    )
    found = row_freezing.pair_shift_findings(rows, one)
    pairs = [ManyValleys(tuple(row)).pair(0, 1) for row in rows.values()]
    final = [chain.balance(pair, 0.001, row_freezing.WAY)[1, -1] for pair in pairs]
    y = np.geomspace(0.1, 60, 20_001)
    places = [
        float(np.interp(share, at_fixed_y.p_flat_exact(pair, y, 0.001), y))
        for pair, share in zip(pairs, final, strict=True)
    ]
    assert found["sharper_share"] == pytest.approx(places[1] / places[0], rel=1e-4)


def test_rows_are_compared_with_their_two_sharpest_valleys():
    rows = {"pair": [0.65, 0.8], "three": [0.8, 0.65, 0.725]}
    places = [10 * NOISES**0.5, 12 * NOISES**0.5]
    stopped = xr.Dataset(
        {"freezing_y": (("landscape", "effective_noise"), places)}, {"effective_noise": NOISES}
    )
    found = row_freezing.row_shift_findings(rows, stopped)
    assert found["three_later"] == pytest.approx(1.2)
    pairs = [ManyValleys(tuple(row)).pair(0, 1) for row in ([0.65, 0.8], [0.65, 0.725])]
    pair, sharpest = (freezing.freezing_y(each, NOISES) for each in pairs)
    assert found["three_narrow"] == pytest.approx(np.prod(sharpest / pair) ** 0.25)
