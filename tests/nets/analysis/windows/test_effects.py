import numpy as np
import pytest
import xarray as xr

from tests.findings import estimate, number
from valleys.nets.analysis.windows import effects as analysis

LEVELS = [0.03, 0.02, 0.014]
FACTOR = {"before": 0.4, "after": 0.2, "whole": 0.5, "long": 0.3}  # gains in ln F


def found(n_starts=5, n_runs=4, *, spread=0.0, seed=0) -> xr.Dataset:
    """Each window of four, and a sham, flattens by a known factor, whatever the start; walls are
    twice the loss but for the window after freezing, in which the loss once is five times what it
    was.
    """
    rng = np.random.default_rng(seed)
    gains = np.array([*FACTOR.values(), 0.0])
    shape = (n_starts, 5, n_runs)
    twin = np.exp(rng.standard_normal((n_starts, 3)))
    flat = (
        twin[:, None, None]
        * np.exp(gains[:, None] + spread * rng.standard_normal(shape))[..., None]
    )
    flat[:, 2:4, :, :2] = np.nan  # passed inside the window
    flat[:, 4, 1:] = np.nan  # runs that the sham does not have
    course = np.tile([0.1, 0.08, 0.05], (*shape, 1))
    course[:, 1, :, 1] = 0.5
    wall = np.where(np.arange(5) == 1, 0.0, 2.0)[:, None, None] * LEVELS
    single = np.where(np.isfinite(flat[..., -1]), 1.0, np.nan)
    run = ("start", "window", "run")
    values = {
        "flatness": ((*run, "level"), flat),
        "accuracy": ((*run, "level"), 0.9 * np.ones_like(flat)),
        "wall": ((*run, "level"), wall * np.ones((*shape, 1)) * single[..., None]),
        "path_wall": (run, 0.5 * LEVELS[-1] * single),
        "straight_wall": (run, 2 * LEVELS[-1] * single),
        "early_wall": (run, 0.1 * single),
        "early_loss": (run, 0.2 * single),
        "course": ((*run, "look"), course * single[..., None]),
        "twin_course": (("start", "window", "look"), course[:, :, 0] / 2),
        "freezing_time": (run, 20.0 * single),
        "similarity": (run, 0.7 * single),
        "distance": (run, single),
        "batch_sharpness": ((*run, "moment"), np.array([1.0, 20.0, 40.0]) * single[..., None]),
        "twin_flatness": (("start", "level"), twin),
        "twin_accuracy": (("start", "level"), 0.88 * np.ones((n_starts, 3))),
        "twin_freezing_time": ("start", np.full(n_starts, 10.0)),
    }
    edges = [analysis.WINDOWS[name] for name in FACTOR] + [analysis.SHAMS["sham_before"]]
    coords = {
        "opens": ("window", [edge[0] for edge in edges]),
        "closes": ("window", [edge[1] for edge in edges]),
        "window_batch": ("window", [10, 10, 10, 10, 500]),
        "level": LEVELS,
    }
    return xr.Dataset(values, coords, {"batch_size": 10, "learning_rate": 0.05})


def test_every_window_is_found_by_what_it_is():
    expected = {"before": 0, "after": 1, "whole": 2, "long": 3, "sham_before": 4}
    assert analysis.places(found()) == expected
    assert analysis.place(found(), (0.0, 1.0)) == 0
    assert analysis.place(found(), (0.0, 1.0), sham=True) == 4
    assert analysis.place(found(), (0.0, 0.5)) is None


def test_findings_are_the_known_ones():
    told = analysis.windows_findings(found())
    for name, gain in FACTOR.items():
        assert estimate(told, f"{name}_flat").value == pytest.approx(np.exp(gain))
        assert estimate(told, f"{name}_flat").low == pytest.approx(np.exp(gain))
    assert estimate(told, "sham_before_flat").value == pytest.approx(1)
    assert np.isnan(estimate(told, "whole_flat_high").value)
    expected = {"wall": 2, "path": 0.5, "early": 0.5, "walled": 1, "early_walled": 0, "lift": 2}
    expected |= {"accuracy": 2, "delay": 2, "alike": 0.7, "sharp": 0.75, "peak": 1}
    for name, value in expected.items():
        assert estimate(told, f"before_{name}").value == pytest.approx(value)
    assert estimate(told, "after_wall").value == 0
    assert estimate(told, "after_walled").value == 0
    assert estimate(told, "after_peak").value == pytest.approx(0.5 / 0.1)
    assert number(told, "frozen") == 10
    assert (told["n_starts"], told["n_runs"], told["batch_size"]) == (5, 4, 10)
    assert number(told, "level_low") == 0.014


def test_where_all_runs_are_behind_a_wall_the_starts_are_the_sample():
    told = estimate(analysis.windows_findings(found()), "before_walled")
    assert told.high == 1
    assert 0.5 < told.low < 0.6  # Wilson's interval of five in five


def test_shares_of_the_whole():
    told = analysis.share_findings(found())
    expected = {
        "before_share": 0.8,
        "after_share": 0.6,
        "both_share": 1.4,
        "after_over_before": 0.5,
    }
    assert {name: estimate(told, name).value for name in told} == pytest.approx(expected)


@pytest.mark.slow
def test_an_interval_of_a_share_covers_it():
    covered = 0
    for seed in range(40):
        told = analysis.share_findings(found(6, 8, spread=0.3, seed=seed), seed=seed)
        covered += estimate(told, "before_share").low < 0.8 < estimate(told, "before_share").high
    assert covered >= 35


def test_a_factor_between_levels_is_held_against_the_twin_of_its_level():
    table = analysis.contrasts(found())
    np.testing.assert_allclose(table.flat[0], np.exp(FACTOR["before"]))
    np.testing.assert_allclose(table.wall[0], 2)
    assert table.flat.dims == ("window", "level")
