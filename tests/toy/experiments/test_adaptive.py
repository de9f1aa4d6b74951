import dataclasses

import numpy as np
import pytest

from tests.findings import estimate, number
from valleys.toy import TwoValley
from valleys.toy.analysis.noise.adaptive import adaptive_findings, half_memory
from valleys.toy.exact.transition_operator import stationary_density
from valleys.toy.experiments.adaptive import AdaptiveSpec, adaptive

SPEC = AdaptiveSpec(exponents=(1.0, 3.0), memories=(1.0, 10.0, 300.0), n_runs=64, n_steps=2000)


@pytest.fixture(scope="module")
def found():
    return adaptive(SPEC)


def test_theory_and_operator_agree_and_the_plain_walk_prefers_flatness_more(found):
    np.testing.assert_allclose(found.operator, found.theory, atol=0.01)
    assert (found.plain > found.operator).all()
    assert (found.remembered > found.operator).all()


def test_the_plain_operator_stands_over_the_same_ridge(found):
    landscape = TwoValley()
    curve = 2 / float(landscape.flatness(10.0)[1])
    rate = SPEC.plain_rate(3.0)
    assert float(landscape.barrier(10.0)) / (rate * curve) == pytest.approx(3.0)
    share = float(stationary_density(landscape, rate, 1.0, 10.0).p_flat)
    assert float(found.plain[1]) == pytest.approx(np.log(share / (1 - share)))


def test_a_study_is_the_same_twice(found):
    assert found.identical(adaptive(SPEC))


def test_findings_of_a_known_course(found):
    known = found.assign(
        at_once=1.0, always=3.0, walk=("memory", [0.5, 1.0, 3.0]), operator=found.theory + 0.5
    )
    told = adaptive_findings(known, TwoValley())
    assert number(told, "gap") == pytest.approx(0.5)
    assert number(told, "half_memory") == pytest.approx(np.sqrt(10 * 300))
    assert estimate(told, "short_over").value == pytest.approx(1.0)
    assert estimate(told, "usual_over").value == pytest.approx(3.0)
    assert (told["short_memory"], told["usual_memory"]) == (10.0, 300.0)
    slope = float(found.theory[1] - found.theory[0]) / 2
    assert number(told, "power") == pytest.approx(1 + slope)


def test_no_half_way_where_walkers_never_pass(found):
    flat = found.assign(at_once=1.0, always=3.0, walk=("memory", [1.0, 1.0, 1.0]))
    assert np.isnan(half_memory(flat))


@pytest.mark.parametrize(
    "wrong",
    [
        {"memories": (0.5,)},
        {"exponents": (1.0,)},
        {"exponents": (-1.0, 1.0)},
        {"exponent": 0.0},
        {"n_steps": 1000},
        {"n_runs": 1},
    ],
)
def test_what_makes_no_sense_is_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        dataclasses.replace(SPEC, **wrong)
