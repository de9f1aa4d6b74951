"""The short forms are compared with the exact share where both are known."""

import numpy as np
import pytest
import xarray as xr

from valleys.toy.analysis import short_forms
from valleys.toy.landscapes.two_valley import TwoValley
from valleys.toy.theory import freezing

LANDSCAPE = TwoValley()
EPSILON = 0.1
NOISES = np.array([1e-4, 1e-3])


def ends(p_flat, freezing_y) -> xr.Dataset:
    values = {"p_flat": ("effective_noise", p_flat), "freezing_y": ("effective_noise", freezing_y)}
    return xr.Dataset(values, {"effective_noise": NOISES})


def test_odds_of_the_last_line_lack_the_root_of_the_flatness_ratio():
    """Both ends are limits of erf: no ridge, and a high one."""
    curves = short_forms.shares_along_y(LANDSCAPE, [1e-9, 12.0], 1e-3)
    exact = ends([0.5, 0.5], [1.0, 1.0])
    finals = short_forms.final_shares(LANDSCAPE, exact, EPSILON)
    found = short_forms.short_form_findings(curves, finals, exact)
    root = LANDSCAPE.flatness_ratio**0.5
    assert [found["short_odds_min"], found["short_odds_max"]] == pytest.approx([root] * 2, rel=1e-3)


def test_final_shares_are_those_of_the_places_that_are_given():
    exact = ends([0.9, 0.97], [1.2, 4.0])
    early, late = short_forms.final_shares(LANDSCAPE, exact, EPSILON).values()
    gain = LANDSCAPE.x1**2 - LANDSCAPE.x2**2
    opening = np.array([1.2 / 31.2, 4.0 / 34.0])
    odds = LANDSCAPE.flatness_ratio**0.5 * np.exp(gain * opening**2 / 2 / NOISES)
    np.testing.assert_allclose(early / (1 - early), odds)
    np.testing.assert_allclose(late, freezing.p_flat_transient(LANDSCAPE, NOISES, EPSILON))


def test_gaps_have_the_sign_of_what_is_missing():
    exact = ends([0.9, 0.97], [1.2, 4.0])
    finals = xr.Dataset(
        {
            short_forms.AT_CROSSING: ("effective_noise", [0.7, 0.9]),
            "Eq. 24 at Eq. 25": ("effective_noise", [0.99, 0.98]),
        }
    )
    curves = xr.Dataset(
        {short_forms.EXACT: ("y", [0.6, 0.8]), short_forms.LAST_LINE: ("y", [0.5, 0.75])}
    )
    found = short_forms.short_form_findings(curves, finals, exact)
    assert found["short_gap"] == pytest.approx(0.1)
    assert [found["frozen_early"], found["frozen_late"]] == pytest.approx([0.2, 0.09])
