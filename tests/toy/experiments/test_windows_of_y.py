"""Windows of y, small: what must be the same whatever the size."""

import numpy as np
import pytest

from valleys.toy import TwoValley
from valleys.toy.experiments.windows_of_y import WindowsOfYSpec, way_between, windows_of_y
from valleys.toy.theory.freezing import race

LANDSCAPE = TwoValley()


@pytest.fixture(scope="module")
def found():
    # where hops just end, steps of 0.1 raise the share by a quarter, and steps of 0.02 by nothing
    spec = WindowsOfYSpec((1.0, 8.0), effective_noise=1e-3, learning_rate=0.02, n_runs=600)
    return windows_of_y(spec)


@pytest.mark.slow
def test_nothing_is_bought_after_freezing_and_nearly_all_before_it(found):
    curved = found.by_rates.sel(noise="hessian")
    assert float(curved.sel(window="after")) == pytest.approx(0.5, abs=0.02)
    assert float(curved.sel(window="across")) > 0.9
    assert (found.by_rates.sel(noise="isotropic") < 0.56).all()


@pytest.mark.slow
def test_rates_agree_with_small_steps_and_roughly_with_runs(found):
    curved = found.sel(noise="hessian")
    np.testing.assert_allclose(curved.small_steps, curved.by_rates, atol=4e-3)
    gap = np.abs(curved.p_flat - curved.by_rates)
    assert (gap < 0.04 + 4 * curved.p_flat_error).all()


@pytest.mark.slow
def test_shares_from_two_starts_differ_by_what_is_kept(found):
    for noise in ("hessian", "isotropic"):
        row = found.sel(noise=noise)
        gap = row.late_from_flat[0] - row.late_from_half[0]
        start = found.by_rates.sel(noise="hessian", window="throughout")
        assert float(gap) == pytest.approx(float(row.kept.sel(window="after") * (start - 0.5)))


def test_the_freezing_point_is_where_the_race_is_even():
    spec = WindowsOfYSpec(effective_noise=1e-3)
    assert race(LANDSCAPE, 1e-3, spec.freezing_y) == pytest.approx(1, rel=1e-6)
    way = spec.way("across")
    assert way.y[-1] / spec.freezing_y == pytest.approx(1.4, rel=0.01)


def test_a_way_between_two_places_ends_there():
    way = way_between(LANDSCAPE, 2.0, 9.0)
    assert way.y[0] == pytest.approx(2.0, abs=1e-3)
    assert way.y[-1] == pytest.approx(9.0, abs=0.1)


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"effective_noise": 1e-8}, "effective noise"),
        ({"late_factors": (0.0,)}, "late_factors"),
        ({"start_y": 8.0}, "start_y"),
        ({"n_runs": 3}, "even"),
    ],
)
def test_what_makes_no_sense_is_refused(settings, word):
    with pytest.raises(ValueError, match=word):
        WindowsOfYSpec(**settings)
