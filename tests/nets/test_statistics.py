import numpy as np
import pytest
from scipy.stats import spearmanr

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
    held = np.mean([found.low <= 0 <= found.high for found in (statistics.mean(values, rng) for values in draws)])
    assert 0.88 <= held <= 0.99


def test_a_mean_of_nothing_is_unknown(rng):
    assert np.isnan(statistics.mean(np.array([]), rng).value)
    assert np.isnan(statistics.pair_mean(np.ones((1, 1)), rng).low)


def test_the_interval_of_a_share_is_that_of_scipy_and_stays_open_at_the_ends():
    from scipy.stats import binomtest

    for count in (0, 1, 13, 20):
        found, expected = statistics.share(count, 20), binomtest(count, 20).proportion_ci(method="wilson")
        assert (found.value, found.low, found.high) == (count / 20, pytest.approx(expected.low, abs=1e-12), pytest.approx(expected.high, abs=1e-12))
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
    first, second = np.random.default_rng(3).normal(6, 1, size=200), np.random.default_rng(4).normal(3, 0.5, size=100)
    found = statistics.ratio(first, second, rng)
    relative = ((first.std() / first.mean()) ** 2 / 200 + (second.std() / second.mean()) ** 2 / 100) ** 0.5
    assert found.value == pytest.approx(first.mean() / second.mean())
    assert (found.high - found.low) / (2 * 1.96) == pytest.approx(found.value * relative, rel=0.1)
    copies = statistics.ratio(first, np.full(20, 2.0), rng)  # a deterministic reference adds nothing
    assert copies.high - copies.low == pytest.approx(2 * 1.96 * first.std() / 200**0.5 / 2, rel=0.1)
    assert np.isnan(statistics.ratio(first, second[:0], rng).value)


def test_the_middle_of_draws_holds_95_per_cent_of_them():
    found = statistics.middle(np.linspace(0, 1, 10001))
    assert (found.value, found.low, found.high) == (pytest.approx(0.5), pytest.approx(0.025), pytest.approx(0.975))


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
    from scipy.stats import linregress

    x = np.random.default_rng(3).standard_normal(60)
    y = 1 + 0.5 * x + np.random.default_rng(4).standard_normal(60)
    found, expected = statistics.fit_points(x, y, rng), linregress(x, y)
    assert found.slope == found.slope_estimate.value == pytest.approx(expected.slope)
    half = (found.slope_estimate.high - found.slope_estimate.low) / 2
    assert half == pytest.approx(1.96 * expected.stderr, rel=0.3)
    assert found.r_squared.value == pytest.approx(expected.rvalue**2)
    assert found.r_squared.low < expected.rvalue**2 < found.r_squared.high


def test_a_fit_over_pairs_uses_each_pair_once(rng):
    from scipy.stats import linregress

    x, y = (np.random.default_rng(seed).random((8, 8)) for seed in (5, 6))
    x, y = x + x.T, y + y.T
    pairs = np.triu_indices(8, 1)
    assert statistics.fit_pairs(x, y, rng).r_squared.value == pytest.approx(linregress(x[pairs], y[pairs]).rvalue ** 2)


def test_r_squared_without_a_member_is_that_of_scipy_on_the_others():
    from scipy.stats import linregress

    rng = np.random.default_rng(12)
    x, y = (part + part.T for part in rng.random((2, 6, 6)))
    found = statistics.r_squared_without(x, y)
    for left in range(6):
        others = np.delete(np.arange(6), left)
        pairs = np.ix_(others, others)
        upper = np.triu_indices(5, 1)
        assert found[left] == pytest.approx(linregress(x[pairs][upper], y[pairs][upper]).rvalue ** 2)


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
