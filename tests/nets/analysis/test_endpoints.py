"""What the solutions of a grid of runs say, on hand-made ones whose answers are known."""

import numpy as np
import pytest
import xarray as xr

from tests.nets.expected import estimate, linregress
from valleys.nets.analysis import endpoints

SOLUTIONS, PAIRS = 7, 21


def symmetric(values, n: int = SOLUTIONS) -> np.ndarray:
    """A symmetric matrix with the given values at its pairs i < j, and ones at each with itself."""
    matrix = np.eye(n)
    matrix[np.triu_indices(n, 1)] = values
    return np.maximum(matrix, matrix.T)


@pytest.fixture
def found() -> xr.Dataset:
    """Seven solutions of falling noise: pair k has Sim_J = k / 20 and a barrier of 2 - k / 20.

    They leave the origin along a line and end at 6, 5, …, 0, the noisiest farthest out.
    """
    likeness = np.arange(PAIRS) / 20
    ends = np.stack([np.arange(SOLUTIONS)[::-1], np.zeros(SOLUTIONS)], axis=-1)
    wrong = np.arange(20) < np.array([2, 2, 4, 4, 4, 6, 6])[:, None]
    heights = symmetric(2 - likeness)
    scrambled = np.random.default_rng(3).permutation(likeness)
    runs = ("solution", "other")
    parts = {
        "train_loss": (("solution", "record"), [[1.0, 0.01 * (k + 1)] for k in range(SOLUTIONS)]),
        "position": (("solution", "record", "component"), np.stack([0 * ends, ends], axis=1)),
        "explained": ("component", [0.5, 0.25]),
        "misclassified": (("solution", "test_image"), wrong[:, :10]),
        "misclassified_full": (("solution", "full_test_image"), wrong | (np.arange(20) >= 10)),
        "similarity": (runs, symmetric(likeness)),
        "similarity_full": (runs, symmetric(scrambled)),
        "barrier": ((*runs, "record"), np.stack([0 * heights, heights], axis=-1)),
        "path_loss": (
            ("pair", "record", "fraction"),
            [[[9.0, 9.0, 9.0], [1.0, 3.0, 1.0]], [[9.0, 9.0, 9.0], [1.0, 2.0, 4.0]]],
        ),
        "pair_member": (("pair", "end"), [[5, 6], [0, 1]]),
    }
    sizes = ("solution", [10, 20, 30, 40, 50, 60, 70])
    coords = {"learning_rate": ("solution", [0.1] * SOLUTIONS), "batch_size": sizes}
    return xr.Dataset(parts, coords, {"dataset": "made", "n_runs": 9})


def test_solutions_are_halved_by_the_strength_of_their_noise(found):
    shuffled = found.isel(solution=[3, 0, 6, 1, 5, 2, 4])
    halves = endpoints.quiet_and_noisy(shuffled)
    sizes = {name: shuffled.batch_size.values[chosen].tolist() for name, chosen in halves.items()}
    assert sizes == {"quiet": [70, 60, 50, 40], "noisy": [40, 30, 20, 10]}


def test_a_grid_says_how_many_of_its_runs_became_solutions(found):
    counted = endpoints.solution_findings(found)
    assert (counted["runs"], counted["solutions"]) == (9, 7)
    assert (counted["n_small"], counted["n_full"]) == (10, 20)
    assert counted["loss"] == pytest.approx(0.07)


def test_reach_is_from_the_start_and_spread_from_the_middle_of_each_half(found):
    found.position[:, :, 1] = 4.0  # start and end are moved alike
    found.position[:4, 1, 0] *= 10  # noisy ends at 60, 50, 40, 30
    told = endpoints.trajectory_findings(found, np.random.default_rng(0))
    assert told["explained"] == 0.75
    assert estimate(told["reach"]).value == pytest.approx((60 + 50 + 40 + 30 + 2 + 1) / 7)
    assert estimate(told["spread_noisy"]).value == pytest.approx((15 + 5 + 5 + 15) / 4)
    assert estimate(told["spread_quiet"]).value == pytest.approx((21.75 + 6.25 + 7.25 + 8.25) / 4)
    assert estimate(told["spread_noisy"]).low == pytest.approx(5)
    assert estimate(told["spread_noisy"]).high == pytest.approx(15)


def test_mistakes_are_counted_and_compared_within_each_half(found):
    told = endpoints.similarity_findings(found, np.random.default_rng(0))
    assert estimate(told["errors_small"]).value == pytest.approx(4)
    assert estimate(told["errors_full"]).value == pytest.approx(4 + 10)
    assert told["one_image"] == pytest.approx(1 / 4)
    assert (told["small_min"], told["small_max"]) == (0, 1)
    full = found.similarity_full.values
    within = [full[i, j] for i in range(4) for j in range(i + 1, 4)]
    assert estimate(told["alike_noisy"]).value == pytest.approx(np.mean(within))
    assert (
        estimate(told["alike_noisy"]).low
        < estimate(told["alike_noisy"]).value
        < estimate(told["alike_noisy"]).high
    )


def test_barriers_are_read_off_the_lines_and_off_the_pairs_near_a_published_similarity(found):
    told = endpoints.path_findings(found, {"like": 0.96, "unlike": 0.14})
    assert (told["barrier_most"], told["barrier_least"]) == (3 - 1, 4 - 2.5)
    assert (told["most"], told["least"]) == (1, 0)
    assert told["near"] == 2
    assert told["like"] == pytest.approx((0.95 + 1) / 2)
    near = told["like_barrier"]
    assert (estimate(near).low, estimate(near).value, estimate(near).high) == pytest.approx(
        (1, 1.025, 1.05)
    )
    assert told["unlike"] == pytest.approx((0.15 + 0.1) / 2)
    assert estimate(told["unlike_barrier"]).high == pytest.approx(1.9)


@pytest.fixture
def standing() -> xr.Dataset:
    """Walls between three of four solutions, from 4, 6, 8 by the rise, 2 earlier by the barrier."""
    walled = np.zeros((4, 4), bool)
    walled[:3, :3] = ~np.eye(3, dtype=bool)
    by_rise = np.full((4, 4), np.nan)
    for pair, time in {(0, 1): 4.0, (0, 2): 6.0, (1, 2): 8.0}.items():
        by_rise[pair] = by_rise[pair[::-1]] = time
    runs = ("solution", "other")
    parts = {
        "walled": (runs, walled),
        "since": (("measure", *runs), [by_rise - 2, by_rise]),
        "fitted": ("solution", [5.0, 7.0, 9.0, 11.0]),
    }
    return xr.Dataset(parts, {"measure": ["barrier", "rise"], "time": ("record", [0.0, 2.0, 4.0])})


def test_walls_are_timed_over_the_pairs_that_have_one(standing):
    told = endpoints.wall_findings(standing, np.random.default_rng(0))
    assert (told["walls"], told["pairs"], told["step"]) == (3, 6, 2)
    assert estimate(told["since"]).value == pytest.approx(6)
    assert estimate(told["since_barrier"]).value == pytest.approx(4)
    assert estimate(told["fitted"]).value == pytest.approx(8)
    assert told["order"] == "before"
    late = standing.assign(fitted=standing.fitted - 4)
    assert endpoints.wall_findings(late, np.random.default_rng(0))["order"] == "after"


def test_a_line_tells_all_of_a_barrier_that_it_made_and_little_of_a_scrambled_one(found):
    fits = endpoints.barrier_fits(found, np.random.default_rng(0))
    told = endpoints.barrier_findings(found, fits, 0.64, np.random.default_rng(1))
    assert (estimate(told["r2_small"]).value, estimate(told["slope_small"]).value) == pytest.approx(
        (1, -1)
    )
    assert (told["without_low_small"], told["without_high_small"]) == pytest.approx((1, 1))
    assert estimate(told["naive"]).low == pytest.approx(1)
    assert (told["sign_small"], told["published_small"]) == ("yes", "no")
    pairs = np.triu_indices(SOLUTIONS, 1)
    line = linregress(found.similarity_full.values[pairs], 2 - np.arange(PAIRS) / 20)
    assert estimate(told["r2_full"]).value == pytest.approx(line.rvalue**2)
    assert estimate(told["slope_full"]).value == pytest.approx(line.slope)
    assert told["sign_full"] == "no"
    again = endpoints.barrier_findings(found, fits, line.rvalue**2, np.random.default_rng(1))
    assert again["published_full"] == "yes"
    assert told["highest"] == pytest.approx((2 + 1.95) / 31.5)


def test_one_solution_is_left_out_in_turn(found):
    fits = endpoints.barrier_fits(found, np.random.default_rng(0))
    told = endpoints.barrier_findings(found, fits, 0.64, np.random.default_rng(1))
    x, y = found.similarity_full.values, found.barrier.values[..., -1]
    left = [np.delete(np.arange(SOLUTIONS), k) for k in range(SOLUTIONS)]
    shares = [_r_squared(x[np.ix_(kept, kept)], y[np.ix_(kept, kept)]) for kept in left]
    assert told["without_low_full"] == pytest.approx(min(shares))
    assert told["without_high_full"] == pytest.approx(max(shares))


def _r_squared(x: np.ndarray, y: np.ndarray) -> float:
    pairs = np.triu_indices(len(x), 1)
    return linregress(x[pairs], y[pairs]).rvalue ** 2


def test_lines_from_other_starts_are_counted_where_they_fall_and_are_as_strong(found):
    likeness = symmetric(np.arange(15) / 15, 6)
    unlike = likeness.copy()
    unlike[5], unlike[:, 5] = np.nan, np.nan  # a run that did not converge
    rough = likeness + symmetric(np.random.default_rng(4).normal(0, 0.5, 15), 6)
    runs = ("restart", "run", "other")
    parts = {
        "similarity": (runs, [unlike, likeness, likeness]),
        "similarity_full": (runs, [likeness, likeness, likeness]),
        "barrier": (runs, [2 - unlike, 1 + likeness, 3 - rough]),
    }
    parts["similarity_full"][1][0] = unlike
    lines = endpoints.restart_fits(xr.Dataset(parts))
    assert lines.slope.values[:, :2].ravel() == pytest.approx([-1, 1, -1, 1])
    third = _r_squared(likeness, 3 - rough)
    told = endpoints.restart_findings(lines, third + 0.01, np.random.default_rng(0))
    assert estimate(told["again_small"]).value == pytest.approx((1 + 1 + third) / 3)
    assert (told["again_low_small"], told["again_high_small"]) == pytest.approx((third, 1))
    assert (told["again_falling_small"], told["again_above_small"]) == (2, 1)
    weaker = endpoints.restart_findings(lines, third - 0.01, np.random.default_rng(0))
    assert weaker["again_above_full"] == 2


def test_the_largest_eigenvalues_have_a_share_of_the_trace_and_most_are_level(found):
    eigenvalues = [[10, 1, 0.005, 0], [np.nan] * 4, [100, 0.5, 0.05, 0.05]]
    shares = np.array([0.6567, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95])
    spectra = found.assign(
        eigenvalue=(("spectrum_batch_size", "rank"), eigenvalues),
        top_eigenvalue=(("solution", "top"), np.outer(4 * shares, [0.75, 0.25])),
        trace=("solution", np.full(SOLUTIONS, 4.0)),
    )
    told = endpoints.spectrum_findings(spectra, np.random.default_rng(0))
    assert (told["spectra"], told["asked"]) == (2, 3)
    assert (told["flat"], told["sharpest"]) == (4 / 8, 100)
    assert told["top"] == pytest.approx(0.65)
    assert estimate(told["top_mean"]).value == pytest.approx(shares.mean())
    assert estimate(told["top_quiet"]).value == pytest.approx((0.8 + 0.85 + 0.9 + 0.95) / 4)
    assert estimate(told["top_noisy"]).value == pytest.approx((0.6567 + 0.7 + 0.75 + 0.8) / 4)


def test_barriers_are_ordered_by_similarity_here_and_from_other_starts(found):
    likeness, heights = found.similarity.values, np.exp(-5 * found.similarity.values)
    found = found.assign(barrier=(found.barrier.dims, np.stack([heights, heights], axis=-1)))
    runs = ("restart", "run", "other")
    flipped = likeness.copy()
    flipped[-1, -1] = np.nan  # a run that did not converge
    again = xr.Dataset(
        {
            "similarity": (runs, np.stack([flipped, 1 - likeness])),
            "similarity_full": (runs, np.stack([likeness, likeness])),
            "barrier": (runs, np.stack([heights, heights])),
        }
    )
    again.similarity[1].values[np.diag_indices(SOLUTIONS)] = 1
    lines = endpoints.restart_fits(again)
    told = endpoints.rank_findings(found, again, lines, 0.64, np.random.default_rng(0))
    assert told["rank_printed"] == pytest.approx(-0.8)
    # an exponential is no line, but it has an order, and its logarithm is a line
    assert estimate(told["rank_small"]).value == pytest.approx(-1)
    assert estimate(told["log_r2_small"]).value == pytest.approx(1)
    assert told["mantel_small"] == pytest.approx(0, abs=0.01)
    assert (told["rank_falling_small"], told["rank_above_small"]) == (1, 1)
    assert (told["rank_low_small"], told["rank_high_small"]) == pytest.approx((-1, 1))
    assert estimate(told["log_again_full"]).value == pytest.approx(1)
    loose = estimate(told["rank_full"])
    assert loose.low < loose.value < loose.high
