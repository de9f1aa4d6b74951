"""The study of the uneven ridge returns what its chapter draws, and refuses what it cannot do."""

import pytest

from valleys.toy.experiments.uneven import UnevenSpec, uneven

SPEC = UnevenSpec((0.0, 0.6), n_runs=6, duration=2.0)


def test_the_study_repeats_itself():
    found = uneven(SPEC)
    assert dict(found.sizes) == {"ripple": 2}
    assert found.identical(uneven(SPEC))


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"ripples": (1.0,)}, "ripple"),
        ({"wave_number": 0.0}, "wave_number"),
        ({"n_runs": 0}, "runs"),
        ({"duration": 0.01}, "duration"),
        ({"effective_noise": -1.0}, "noise"),
    ],
)
def test_bad_specs_are_refused(change, word):
    with pytest.raises(ValueError, match=word):
        UnevenSpec(**{"ripples": (0.0,), **change})
