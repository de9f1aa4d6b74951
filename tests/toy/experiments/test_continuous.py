"""The study of the two rules returns what its chapter draws, and refuses what it cannot do."""

import numpy as np
import pytest

from valleys.toy.experiments.continuous import KICK, RulesSpec, rules
from valleys.toy.theory.at_fixed_y import diffusion

SPEC = RulesSpec((0.04, 0.08), n_runs=8, duration=0.5)


def test_the_study_repeats_itself_and_its_steps_resolve_the_blur():
    found = rules(SPEC)
    assert dict(found.sizes) == {"rule": 2, "width": 2}
    assert found.identical(rules(SPEC))
    _, sharp = diffusion(SPEC.landscape, SPEC.y, SPEC.effective_noise)
    kicks = (2 * float(sharp) * found.time_step) ** 0.5 / found.width
    np.testing.assert_allclose(kicks, KICK)
    assert (found.stationary.sel(rule="ito") > found.stationary.sel(rule="end_point")).all()


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"widths": (0.0,)}, "width"),
        ({"n_runs": 1}, "n_runs"),
        ({"duration": 0.0}, "duration"),
        ({"effective_noise": -1.0}, "noise"),
        ({"y": -1.0}, "y must not"),
    ],
)
def test_bad_specs_are_refused(change, word):
    with pytest.raises(ValueError, match=word):
        RulesSpec(**{"widths": (0.04,), **change})
