"""Where runs end by their last crossing: against `evolve`, two steps by hand, and simulation."""

import numpy as np
import pytest
from scipy.stats import norm

from valleys.toy import TwoValley
from valleys.toy.exact.last_crossing import last_crossings
from valleys.toy.exact.master_equation import evolve
from valleys.toy.simulation.reference import covariance

LANDSCAPE = TwoValley()


@pytest.mark.parametrize("setting", [(0.1, 0.03), (0.05, 0.1)])
def test_both_sides_together_are_what_is_frozen_and_end_at_the_final_shares(setting):
    whole = evolve(LANDSCAPE, *setting, n_steps=2000, start_y=2.0)
    found = last_crossings(LANDSCAPE, *setting, n_steps=2000, start_y=2.0)
    np.testing.assert_allclose(found.frozen_flat + found.frozen_sharp, whole.frozen, atol=1e-9)
    assert found.frozen_flat[-1] == pytest.approx(float(whole.p_flat[-1]), abs=1e-9)
    assert (found.frozen_flat.diff("step") > -1e-7).all()
    assert (found.frozen_sharp.diff("step") > -1e-7).all()


def test_of_two_steps_the_second_stays_with_the_probability_of_its_gaussian():
    rate, strength, y = 0.05, 0.03, 5.0
    found = last_crossings(LANDSCAPE, rate, strength, n_steps=2, start_y=y)
    rng = np.random.default_rng(0)
    start = np.where(np.arange(2_000_000) % 2, 0.01, -0.01)

    def moved(x):
        kick = rate * np.sqrt(covariance(LANDSCAPE, x, y, strength)[..., 0, 0])
        return x - rate * LANDSCAPE.gradient(x, y)[..., 0], kick

    mean, kick = moved(start)
    first = mean + kick * rng.standard_normal(start.size)
    mean, kick = moved(first)
    for name, side in (("frozen_flat", first > 0), ("frozen_sharp", first < 0)):
        stays = norm.cdf(np.abs(mean) / kick * np.sign(mean) * np.sign(first))
        assert found[name][0] == pytest.approx((stays * side).mean(), abs=2e-3)
