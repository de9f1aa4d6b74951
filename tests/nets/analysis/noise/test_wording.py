"""Words follow the interval of a factor."""

import numpy as np
import pytest

from valleys.nets.analysis.noise.wording import by_side
from valleys.nets.statistics import Estimate


@pytest.mark.parametrize(
    ("ends", "said"),
    [
        ((1.1, 1.3), "more"),
        ((0.9, 1.3), "alike"),
        ((0.7, 0.9), "less"),
        ((np.nan, np.nan), "alike"),
    ],
)
def test_words_follow_the_side_of_the_interval(ends, said):
    assert by_side(Estimate(1.0, *ends), "more", "alike", "less") == said
