import numpy as np
import pytest
import xarray as xr

from tests.nets.expected import linregress, spearmanr
from valleys.nets import statistics


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_the_interval_of_a_mean_is_that_of_the_normal_law(rng):
    values = np.random.default_rng(7).normal(3, 2, size=400)
    found = statistics.mean(values, rng)
    half = 1.96 * values.std() / 20
    assert found.value == pytest.approx(values.mean())
    assert found.low == pytest.approx(values.mean() - half, abs=0.15 * half)
    assert found.high == pytest.approx(values.mean() + half, abs=0.15 * half)


def test_the_interval_of_a_mean_holds_the_truth_as_often_as_it_says(rng):
    draws = np.random.default_rng(8).normal(0, 1, size=(200, 40))
    held = np.mean(
        [
            found.low <= 0 <= found.high
            for found in (statistics.mean(values, rng) for values in draws)
        ]
    )
    assert 0.88 <= held <= 0.99


def test_a_mean_of_nothing_is_unknown(rng):
    assert np.isnan(statistics.mean(np.array([]), rng).value)
    assert np.isnan(statistics.pair_mean(np.ones((1, 1)), rng).low)


def test_the_interval_of_a_share_is_that_of_scipy_and_stays_open_at_the_ends():
    from scipy.stats import binomtest

    for count in (0, 1, 13, 20):
        found, expected = (
            statistics.share(count, 20),
            binomtest(count, 20).proportion_ci(method="wilson"),
        )
        assert (found.value, found.low, found.high) == (
            count / 20,
            pytest.approx(expected.low, abs=1e-12),
            pytest.approx(expected.high, abs=1e-12),
        )
    assert statistics.share(20, 20).low < 0.9
    assert np.isnan(statistics.share(0, 0).value)


def test_means_of_columns_leave_out_what_is_unknown(rng):
    values = np.random.default_rng(2).normal(0, 1, size=(100, 3))
    values[:50, 1], values[:, 2] = np.nan, np.nan
    value, low, high = statistics.means(values, rng)
    assert value[:2] == pytest.approx([values[:, 0].mean(), values[50:, 1].mean()])
    spread = [values[:, 0].std() / 100**0.5, values[50:, 1].std() / 50**0.5]
    assert (high - low)[:2] / (2 * 1.96) == pytest.approx(spread, rel=0.1)
    assert np.isnan([value[2], low[2], high[2]]).all()


def test_the_interval_of_a_ratio_is_that_of_error_propagation(rng):
    first, second = (
        np.random.default_rng(3).normal(6, 1, size=200),
        np.random.default_rng(4).normal(3, 0.5, size=100),
    )
    found = statistics.ratio(first, second, rng)
    relative = (
        (first.std() / first.mean()) ** 2 / 200 + (second.std() / second.mean()) ** 2 / 100
    ) ** 0.5
    assert found.value == pytest.approx(first.mean() / second.mean())
    assert (found.high - found.low) / (2 * 1.96) == pytest.approx(found.value * relative, rel=0.1)
    # a deterministic reference adds nothing
    copies = statistics.ratio(first, np.full(20, 2.0), rng)
    assert copies.high - copies.low == pytest.approx(2 * 1.96 * first.std() / 200**0.5 / 2, rel=0.1)
    assert np.isnan(statistics.ratio(first, second[:0], rng).value)


def test_the_middle_of_draws_holds_95_per_cent_of_them():
    found = statistics.middle(np.linspace(0, 1, 10001))
    assert (found.value, found.low, found.high) == (
        pytest.approx(0.5),
        pytest.approx(0.025),
        pytest.approx(0.975),
    )


def test_a_value_without_an_interval_says_so():
    assert f"{statistics.Estimate(0.5, np.nan, np.nan):.2f}" == "0.50 (no interval)"


def test_a_pair_mean_counts_each_pair_once(rng):
    matrix = np.array([[1, 0.2, 0.4], [0.2, 1, 0.9], [0.4, 0.9, 1]])
    assert statistics.pair_mean(matrix, rng).value == pytest.approx(0.5)


def test_a_pair_mean_counts_only_the_pairs_it_is_told_to(rng):
    matrix = np.array([[0, 1, 4, 7], [1, 0, 3, 8], [4, 3, 0, 9], [7, 8, 9, 0]], float)
    found = statistics.pair_mean(matrix, rng, matrix < 5)
    assert found.value == pytest.approx(8 / 3)
    assert 1 <= found.low < found.value < found.high <= 4
    assert np.isnan(statistics.pair_mean(matrix, rng, matrix < 0).value)
    everything = statistics.pair_mean(matrix, np.random.default_rng(1), matrix < 100)
    assert everything == statistics.pair_mean(matrix, np.random.default_rng(1))


def test_pairs_that_share_a_member_widen_the_interval(rng):
    quality = np.random.default_rng(9).standard_normal(20)
    matrix = quality[:, None] + quality
    pairs = matrix[np.triu_indices(20, 1)]
    naive, honest = statistics.mean(pairs, rng), statistics.pair_mean(matrix, rng)
    spread = 2 * quality.std() / 20**0.5  # the standard error of the mean of q_i + q_j
    assert (honest.high - honest.low) / (2 * 1.96) == pytest.approx(spread, rel=0.2)
    assert honest.high - honest.low > 2 * (naive.high - naive.low)


def test_a_line_is_found_and_its_r_squared_is_one(rng):
    x = np.linspace(0, 1, 12)
    found = statistics.fit_points(x, 2 - 3 * x, rng)
    assert (found.slope, found.intercept) == (pytest.approx(-3), pytest.approx(2))
    assert found.r_squared.low == pytest.approx(1)


def test_a_noisy_line_is_that_of_scipy(rng):
    x = np.random.default_rng(3).standard_normal(60)
    y = 1 + 0.5 * x + np.random.default_rng(4).standard_normal(60)
    found, expected = statistics.fit_points(x, y, rng), linregress(x, y)
    assert found.slope == found.slope_estimate.value == pytest.approx(expected.slope)
    half = (found.slope_estimate.high - found.slope_estimate.low) / 2
    assert half == pytest.approx(1.96 * expected.stderr, rel=0.3)
    assert found.r_squared.value == pytest.approx(expected.rvalue**2)
    assert found.r_squared.low < expected.rvalue**2 < found.r_squared.high


def test_a_fit_over_pairs_uses_each_pair_once(rng):
    x, y = (np.random.default_rng(seed).random((8, 8)) for seed in (5, 6))
    x, y = x + x.T, y + y.T
    pairs = np.triu_indices(8, 1)
    assert statistics.fit_pairs(x, y, rng).r_squared.value == pytest.approx(
        linregress(x[pairs], y[pairs]).rvalue ** 2
    )


def test_r_squared_without_a_member_is_that_of_scipy_on_the_others():
    rng = np.random.default_rng(12)
    x, y = (part + part.T for part in rng.random((2, 6, 6)))
    found = statistics.r_squared_without(x, y)
    for left in range(6):
        others = np.delete(np.arange(6), left)
        pairs = np.ix_(others, others)
        upper = np.triu_indices(5, 1)
        assert found[left] == pytest.approx(
            linregress(x[pairs][upper], y[pairs][upper]).rvalue ** 2
        )


def test_rows_have_the_means_and_intervals_that_each_has_alone():
    values = np.random.default_rng(3).normal(size=(4, 5, 8))
    values[0, 0, :3], values[1], values[2, 0, 1:] = np.nan, np.nan, np.nan
    found = statistics.row_means(values, seed=3)
    for place in np.ndindex(4, 5):
        row = values[place]
        alone = statistics.mean(row[np.isfinite(row)], np.random.default_rng(3))
        np.testing.assert_allclose(found[place], [alone.value, alone.low, alone.high], rtol=1e-12)


def test_rank_correlation_is_that_of_scipy_with_ties(rng):
    for _ in range(20):
        x, y = rng.integers(0, 5, 12).astype(float), rng.normal(size=12)
        assert statistics.spearman(x, y) == pytest.approx(spearmanr(x, y).statistic, rel=1e-14)
    assert np.isnan(statistics.spearman(np.ones(4), np.arange(4.0)))


def test_two_runs_give_no_interval_whatever_is_made_of_them(rng):
    pair, one = np.array([1.0, 2.0]), np.array([3.0])
    matrix = np.array([[0.0, 5.0], [5.0, 0.0]])
    stratified = statistics.stratified_mean(
        xr.DataArray([pair], dims=("setting", "run")), rng, by=["setting"]
    )
    nested = statistics.nested_mean(pair.reshape(2, 1, 1), rng)
    for found in (
        statistics.mean(pair, rng),
        statistics.ratio(pair, one, rng),
        statistics.pair_mean(matrix, rng),
        stratified,
        nested,
    ):
        assert np.isfinite(found.value)
        assert np.isnan([found.low, found.high]).all()
    assert np.isnan(statistics.means(pair[:, None], rng)[1]).all()
    assert np.isfinite(statistics.mean(np.array([1.0, 2.0, 4.0]), rng).low)
    assert np.isfinite(statistics.ratio(pair, pair + 3, rng).low)  # four runs in all
    assert np.isnan(statistics.ratio(one, one, rng).low)


def test_pairs_of_two_members_alone_have_no_interval(rng):
    matrix = np.arange(16.0).reshape(4, 4) + np.arange(16.0).reshape(4, 4).T
    only = np.zeros((4, 4), bool)
    only[0, 3] = True
    assert np.isnan(statistics.pair_mean(matrix, rng, only).low)


def test_a_mean_over_strata_counts_each_once_or_each_run(rng):
    values = xr.DataArray(
        [[1.0, 2.0, 3.0, 4.0], [10.0, 12.0, np.nan, np.nan]], dims=("setting", "run")
    )
    assert statistics.stratified_mean(values, rng, by=["setting"]).value == pytest.approx(
        (2.5 + 11) / 2
    )
    assert statistics.stratified_mean(
        values, rng, by=["setting"], runs_count_alike=True
    ).value == pytest.approx(32 / 6)
    assert statistics.stratified_mean(values, rng, by=["setting"], fewest=3).value == pytest.approx(
        2.5
    )
    assert np.isnan(statistics.stratified_mean(values, rng, by=["setting"], fewest=5).value)
    assert statistics.stratified_mean(values, rng, by=[]).value == pytest.approx(32 / 6)


def test_the_interval_of_a_mean_over_strata_is_that_of_the_normal_law(rng):
    spread = np.array([[1.0], [3.0]])
    values = xr.DataArray(
        np.random.default_rng(1).normal(50 * spread, spread, size=(2, 100)), dims=("setting", "run")
    )
    for alike in (False, True):  # as many runs in both, so that it is all the same
        found = statistics.stratified_mean(values, rng, by=["setting"], runs_count_alike=alike)
        # how far the strata are apart does not widen it
        error = (values.var("run") / 100).sum().item() ** 0.5 / 2
        assert (found.high - found.low) / (2 * 1.96) == pytest.approx(error, rel=0.1)


def test_a_paired_ratio_draws_both_numbers_of_a_run_together(rng):
    size = np.random.default_rng(5).lognormal(0, 1, 50)
    assert statistics.ratio(3 * size, size, rng, paired=True).low == pytest.approx(3)
    assert statistics.ratio(3 * size, size, rng).low < 2.5


def test_since_is_the_first_time_from_which_on_it_holds_for_good():
    holds = [[1, 0, 1, 1], [1, 1, 1, 1], [1, 1, 1, 0], [0, 0, 0, 1]]
    np.testing.assert_array_equal(
        statistics.since(np.array([2.0, 3.0, 5.0, 7.0]), np.array(holds)), [5, 2, np.nan, 7]
    )
    np.testing.assert_array_equal(
        statistics.since(np.arange(16.0).reshape(4, 4), np.array(holds)), [2, 4, np.nan, 15]
    )


def test_rank_correlations_of_rows_are_those_of_each(rng):
    x, y = rng.integers(0, 4, (30, 7)).astype(float), rng.normal(size=(30, 7))
    x[3], y[4] = 2.0, 1.0
    found = statistics.spearman_rows(x, y)
    np.testing.assert_allclose(
        found,
        [statistics.spearman(*pair) for pair in zip(x, y, strict=True)],
        rtol=1e-12,
        atol=1e-12,
    )
    assert np.isnan(found[[3, 4]]).all()
    assert np.isnan(statistics.spearman_rows(x[:, :2], y[:, :2])).all()
    x[0, 2], y[1, 3], y[2, :5] = np.nan, np.inf, np.nan
    some = statistics.spearman_rows(x.reshape(5, 6, 7), y.reshape(5, 6, 7)).ravel()
    for row, unknown in ((0, 2), (1, 3)):
        assert some[row] == pytest.approx(
            statistics.spearman(np.delete(x[row], unknown), np.delete(y[row], unknown))
        )
    assert np.isnan(some[2])  # two pairs are left


def test_the_interval_of_a_rank_correlation_is_that_of_scipy(rng):
    from scipy.stats import bootstrap

    x = np.random.default_rng(1).normal(size=60)
    y = x + np.random.default_rng(2).normal(size=60)
    found = statistics.rank_correlation(x, np.where(np.arange(60) == 7, np.nan, y), rng)
    known = np.delete(np.stack([x, y]), 7, axis=1)
    expected = bootstrap(
        tuple(known),
        lambda a, b: spearmanr(a, b).statistic,
        paired=True,
        vectorized=False,
        method="percentile",
        n_resamples=2000,
        rng=3,
    )
    assert found.value == pytest.approx(spearmanr(*known).statistic)
    assert (found.low, found.high) == pytest.approx(tuple(expected.confidence_interval), abs=0.03)


def test_pairs_are_drawn_within_their_strata(rng):
    """Two strata that are points apart, each with one value: nothing is left to chance, whatever
    is drawn.
    """
    x = np.array([[0.0, 0.0, 0.0], [1.0, 1.0, 1.0], [2.0, 2.0, 2.0]])
    found = statistics.rank_correlation(x, x**2, rng, strata=np.arange(3)[:, None])
    assert (found.value, found.low, found.high) == (
        pytest.approx(1),
        pytest.approx(1),
        pytest.approx(1),
    )
    single = statistics.rank_correlation(x[:, :1], x[:, :1], rng, strata=np.arange(3)[:, None])
    assert single.value == pytest.approx(1)
    assert np.isnan(single.low)  # each stands alone in its stratum


def test_ranks_of_means_vary_with_the_runs_of_each_group(rng):
    first = np.array([[0.0, 1.0, 2.0], [10.0, 11.0, 12.0], [20.0, 21.0, 22.0]])
    found = statistics.rank_correlation_of_means(first, -first, rng)
    assert (found.value, found.low, found.high) == (
        pytest.approx(-1),
        pytest.approx(-1),
        pytest.approx(-1),
    )
    near = statistics.rank_correlation_of_means(first / 10, first, rng)
    assert near.low == pytest.approx(1)  # both numbers of a run are drawn together
    assert np.isnan(statistics.rank_correlation_of_means(first[:2], first[:2], rng).value)
    assert np.isnan(statistics.rank_correlation_of_means(first[:0], first[:0], rng).value)


def nested(rng, spreads, shape=(6, 4, 5)):
    """Runs within training sets within starts, with a spread of each."""
    levels = [rng.normal(0, spread, shape[: depth + 1]) for depth, spread in enumerate(spreads)]
    return levels[0][:, None, None] + levels[1][:, :, None] + levels[2]


def test_the_spread_of_nested_resamples_is_that_of_a_balanced_nested_mean(rng):
    """V_S/S + V_T/(S T) + V_R/(S T R), the variance of means of means when every level is drawn
    with replacement.
    """
    for spreads in ((1.0, 2.0, 3.0), (3.0, 1.0, 0.1), (0.0, 0.0, 1.0)):
        values = nested(np.random.default_rng(4), spreads)
        value, drawn = statistics.nested_means([values], rng)
        starts, sets = values.mean(axis=(1, 2)), values.mean(axis=2)
        expected = starts.var() / 6 + sets.var(axis=1).mean() / 24 + values.var(axis=2).mean() / 120
        assert value[0] == pytest.approx(values.mean())
        assert drawn[0].var() == pytest.approx(expected, rel=0.12)
        found = statistics.nested_mean(values, rng)
        assert found.value == pytest.approx(values.mean())
        assert (found.high - found.low) / (2 * 1.96) == pytest.approx(expected**0.5, rel=0.1)


def test_levels_of_one_member_are_as_if_they_were_not_there():
    values = np.random.default_rng(5).normal(size=12)
    flat = statistics.mean(values, np.random.default_rng(0))
    for shape in ((1, 1, 12), (12, 1, 1), (1, 12, 1)):
        found = statistics.nested_mean(values.reshape(shape), np.random.default_rng(1))
        assert found.value == pytest.approx(flat.value)
        assert (found.low, found.high) == pytest.approx((flat.low, flat.high), abs=0.1)
    assert np.isfinite(
        statistics.nested_mean(values.reshape(6, 1, 2), np.random.default_rng(1)).low
    )
    # two starts
    assert np.isnan(statistics.nested_mean(values.reshape(2, 1, 6), np.random.default_rng(1)).low)


def test_what_is_unknown_leaves_means_of_what_is_known(rng):
    values = np.array(
        [
            [[1.0, 3.0], [5.0, np.nan]],
            [[np.nan, np.nan], [9.0, 11.0]],
            [[np.nan, np.nan], [np.nan, np.nan]],
        ]
    )
    found = statistics.nested_mean(values, rng)
    assert found.value == pytest.approx(((2 + 5) / 2 + 10) / 2)
    assert np.isnan(found.low)  # of three starts, two are known
    values[2, 1, 0] = 4.0
    assert np.isfinite(statistics.nested_mean(values, rng).low)
    values[2] = np.nan
    assert np.isnan(statistics.nested_mean(values[2:], rng).value)


@pytest.mark.parametrize("spreads", [(1.0, 0.5, 0.5), (0.2, 1.0, 1.0)])
def test_a_nested_interval_holds_the_truth_as_often_as_it_says_or_more(spreads):
    rng, draw = np.random.default_rng(0), np.random.default_rng(1)
    found = [statistics.nested_mean(nested(draw, spreads, (10, 3, 4)), rng) for _ in range(150)]
    assert np.mean([one.low <= 0 <= one.high for one in found]) >= 0.86


def test_a_nested_difference_takes_off_what_both_settings_share(rng):
    draw = np.random.default_rng(6)
    shared = nested(draw, (5.0, 2.0, 0.0), (8, 3, 1))
    first, second = (
        shared + 1 + draw.normal(0, 0.1, (8, 3, 4)),
        shared + draw.normal(0, 0.1, (8, 3, 6)),
    )
    found = statistics.nested_difference(first, second, rng)
    assert found.low < 1 < found.high
    assert found.high - found.low < 0.2
    assert statistics.nested_mean(first, rng).high - statistics.nested_mean(first, rng).low > 3


def test_settings_on_other_starts_are_no_pair(rng):
    with pytest.raises(ValueError, match="same levels"):
        statistics.nested_difference(np.ones((3, 2, 4)), np.ones((4, 2, 4)), rng)


def test_rank_correlations_within_groups_hold_the_truth_as_often_as_they_say(rng, monkeypatch):
    """Normal pairs: Spearman's correlation is 6/π asin(ρ/2), in groups of twenty a little less."""
    monkeypatch.setattr(statistics, "N_RESAMPLES", 200)
    makes, held = np.random.default_rng(12), 0
    truth = 6 / np.pi * np.arcsin(0.5 / 2)
    for _ in range(60):
        groups = makes.multivariate_normal([0, 0], [[1, -0.6], [-0.6, 1]], size=30)
        runs = makes.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], size=(30, 20)) / 20
        both = np.moveaxis(groups[:, None] + runs, -1, 0)
        found = statistics.grouped_rank_correlation(*both, rng=rng)
        held += found.low <= truth <= found.high
    assert held >= 52


def test_groups_that_know_nothing_are_left_out(rng):
    first = np.array([[1.0, 2, 3], [np.nan] * 3, [3, 2, 1]])
    assert statistics.grouped_rank_correlation(first, first, rng).value == pytest.approx(1)
    assert np.isnan(statistics.grouped_rank_correlation(first * np.nan, first, rng).value)


def test_a_map_is_judged_by_its_rows_and_columns(rng):
    """What all cells of a row share must widen the interval: cells are not independent."""
    shape, held, narrow = (7, 6), 0, 0
    truth = 6 / np.pi * np.arcsin(0.5 / 2)  # of normal values with a correlation of one half
    for _ in range(100):
        rows = rng.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], size=(shape[0], 1))
        cells = rng.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], size=shape)
        first, second = np.moveaxis(3 * rows + cells, -1, 0)
        found = statistics.lattice_rank_correlation(first, second)
        held += found.low <= truth <= found.high
        alone = statistics.rank_correlation(first, second, rng)
        narrow += alone.low <= truth <= alone.high
    assert held >= 85
    assert narrow < held - 15


def test_a_map_with_holes_is_ranked_over_the_cells_that_are_known(rng):
    first = rng.normal(size=(5, 4))
    first[0], first[2, 1] = np.nan, np.nan
    found = statistics.lattice_rank_correlation(first, first**3)
    assert found.value == pytest.approx(1)
    assert found.low > 0.99
    assert np.isnan(statistics.lattice_rank_correlation(first[:3], first[:3] ** 3).low)


def members(rng: np.random.Generator, n: int, rho: float) -> tuple[np.ndarray, np.ndarray]:
    """Two tables of pairs, sums of a number of each member; over pairs they are normal with rho."""
    each = rng.multivariate_normal([0, 0], [[1, rho], [rho, 1]], size=n).T
    first, second = (values[:, None] + values for values in each)
    return first, second


def test_the_jackknife_over_members_holds_the_truth_as_often_as_it_says():
    makes, truth, held = np.random.default_rng(21), 6 / np.pi * np.arcsin(0.3), 0
    for _ in range(100):
        found = statistics.pair_rank_correlation(*members(makes, 16, 0.6))
        held += found.low <= truth <= found.high
    assert 88 <= held <= 100
    pairs = members(makes, 12, 0.6)
    upper = np.triu_indices(12, 1)
    expected = spearmanr(pairs[0][upper], pairs[1][upper])[0]
    assert statistics.pair_rank_correlation(*pairs).value == pytest.approx(expected)


def test_the_jackknife_of_a_mean_is_its_standard_error():
    """Small correlations are their own Fisher's z, so those of a mean of n numbers can be known."""
    values = np.random.default_rng(22).normal(0, 1e-3, size=30)
    without = np.array([np.delete(values, index).mean() for index in range(30)])
    found = statistics.jackknifed(values.mean(), without)
    half = 2.045 * values.std(ddof=1) / 30**0.5  # Student's t for 29
    assert (found.high - found.low) / 2 == pytest.approx(half, rel=1e-3)
    assert np.isnan(statistics.jackknifed(0.5, np.array([0.4, np.nan, 0.5])).low)
    assert np.isnan(statistics.jackknifed(0.5, np.array([0.4, 0.5])).low)


def test_the_interval_of_a_share_of_variance_holds_the_truth_as_often_as_it_says(rng):
    makes, held = np.random.default_rng(23), 0
    for _ in range(150):
        x, y = makes.multivariate_normal([0, 0], [[1, -0.7], [-0.7, 1]], size=40).T
        found = statistics.fit_points(x, y, rng).r_squared
        held += found.low <= 0.49 <= found.high
    assert 0.9 <= held / 150 <= 0.99


def test_tables_without_a_relation_are_as_far_from_it_as_shuffled_ones(rng, monkeypatch):
    monkeypatch.setattr(statistics, "N_RESAMPLES", 99)
    makes = np.random.default_rng(24)
    none = [statistics.mantel(*members(makes, 12, 0.0), rng=rng) for _ in range(150)]
    assert np.mean(none) == pytest.approx(0.5, abs=4 * 0.29 / 150**0.5)
    assert np.mean(np.array(none) <= 0.1) == pytest.approx(0.1, abs=4 * (0.09 / 150) ** 0.5)
    first, _ = members(makes, 12, 0.0)
    assert statistics.mantel(first, -(first**3), rng) == pytest.approx(1 / 100)
    assert np.isnan(statistics.mantel(first, np.ones_like(first), rng))
