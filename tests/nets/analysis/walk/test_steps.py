import numpy as np
import pytest

from tests.nets.expected import estimate
from valleys.nets.analysis.walk import steps

SCATTER = 1.96 * (0.05 / 4) ** 0.5  # of the mean of four runs whose factors are those of the grid


def holds(finding: object, value: float, half: float | None = None) -> None:
    """The value, and an interval of this half width; none if None."""
    found = estimate(finding)
    assert found.value == pytest.approx(value)
    if half is None:
        assert np.isnan(found.low)
    else:
        assert found.high - found.value == pytest.approx(half, rel=0.12)


def test_a_sag_is_the_mean_before_freezing_in_per_cent(grid, compared):
    holds(steps.line_findings(grid, compared.example)["sag_noisy"], 12, 12 * SCATTER)


def test_bouncing_is_told_of_noise_and_of_gradient_descent(grid, compared):
    found = steps.bouncing_findings(grid, compared)
    assert found["most"] == 2  # 0.8 with its interval, and 0.7 without; not 0.6 of scattered runs
    holds(found["share_noisy"], 0.6, 0.6 * SCATTER)
    holds(found["share_by_time"], 0.3 * 17 / 7, 0.3 * 17 / 7 * SCATTER)
    holds(found["share_late"], 1.2, 1.2 * SCATTER)
    holds(found["share_lowest"], 0.2, 0.2 * SCATTER)  # gradient descent has 0.1
    assert found["gd_fast"] == pytest.approx(0.7)
    assert found["gd_slow"] == pytest.approx(0.1)
    assert found["gd_cosine_fast"] == pytest.approx(-0.5)
    assert found["gd_cosine_slow"] == pytest.approx(0.9)
    assert found["gd_cosine_by_time"] == pytest.approx(-0.25 * 17 / 7)


def test_the_lowest_share_of_convex_lines_is_told_with_its_place(grid, compared):
    found = steps.convexity_findings(grid, compared.example)
    holds(found["convex"], 0.6, 0.6 * SCATTER)
    assert found["convex_most"] == 4
    assert found["convex_low"] == pytest.approx(0.1)
    assert (found["convex_b"], found["convex_eta"]) == (1000, 0.05)


def test_sampling_without_replacement_makes_its_part_of_the_cosine(grid, compared):
    found = steps.cosine_findings(grid, compared)
    holds(found["cosine"], -0.6, 0.6 * SCATTER)
    holds(found["landscape"], -0.4, 0.4 * SCATTER)
    holds(found["sampling"], -0.04, 0.04 * SCATTER)
    assert found["deviating"] == pytest.approx(0.5)  # 1 − 0.1 − 2 · 0.2
    assert found["sampling_fixed"] == pytest.approx(-0.5 * 50 / 950)


def test_the_law_of_a_bowl_is_a_ratio_of_means(grid, compared):
    found = steps.law_findings(grid, compared)
    assert estimate(found["law"]).value == pytest.approx(2)
    assert estimate(found["law"]).low < 2 < estimate(found["law"]).high
    assert estimate(found["law_by_time"]).value == pytest.approx(2 * 2 * 7 / 17)
    assert found["law_low"] == pytest.approx(-0.5)
    assert found["law_high"] == pytest.approx(2)  # gradient descent, with 40, does not count
    assert found["batches"] == 6


def test_heights_are_compared_by_learning_rate_and_by_batch_size(grid, compared):
    found = steps.height_findings(grid, compared)
    for name in ("sag", "relative_sag", "by_time"):
        assert estimate(found[f"{name}_rate"]).value == pytest.approx(20)
        assert estimate(found[f"{name}_size"]).value == pytest.approx(1.2)
    assert all(
        estimate(one).low < estimate(one).value < estimate(one).high for one in found.values()
    )


def test_time_weighs_the_windows_of_a_height(grid, compared):
    grid["relative_sag"][1, 0] *= np.array([1, 1, 1, 5, 1])  # calm and fast, before freezing
    found = steps.height_findings(grid, compared)
    assert estimate(found["relative_sag_rate"]).value == pytest.approx(20 * (1 + 2 + 15) / 6)
    assert estimate(found["by_time_rate"]).value == pytest.approx(20 * (1 + 4 + 60) / 17)
    assert estimate(found["sag_rate"]).value == pytest.approx(20)


def test_the_role_of_the_batch_size_is_told_from_slow_to_fast(grid, compared):
    every = steps.size_factors(grid, "relative_sag", compared)
    assert [one.value for one in every] == pytest.approx([5, 1.2, 1.5])
    found = steps.role_findings(grid, compared)
    assert found["roles_within"] == 2
    assert (found["roles_slow"], found["roles_fast"]) == (every[0], every[-1])
    assert estimate(found["turns_slow"]).value == pytest.approx(2)
    assert estimate(found["turns_fast"]).value == pytest.approx(1.5)
    assert estimate(found["curved_slow"]).value == pytest.approx(2)
    assert estimate(found["curved_fast"]).value == pytest.approx(0.5)


def test_what_is_kept_at_freezing_is_compared_with_just_before(grid, compared):
    found = steps.kept_findings(grid, compared.example)
    assert estimate(found["held"]).value == pytest.approx(4)
    assert estimate(found["kept"]).value == pytest.approx(8)
    assert estimate(found["fallen"]).value == pytest.approx(4)
    holds(found["bounced"], 100 * 0.12 / 0.4, 0)  # sag and cosine scatter alike
    holds(found["bounced_by_time"], 100 * 0.06 * 17 / 7 / 0.4, 0)


def test_distances_are_those_of_the_end(grid, compared):
    found = steps.distance_findings(grid, compared)
    holds(found["far"], 24, 24 * SCATTER)
    assert found["crawled"] == pytest.approx(1.2)
    assert estimate(found["far_rate"]).value == pytest.approx(20)
    assert estimate(found["far_size"]).value == pytest.approx(30)
    assert estimate(found["grown"]).value == pytest.approx(6)
