import numpy as np
import pytest
import xarray as xr

from valleys.nets.analysis import starts as analysis

OVER = ("start", "training_set", "setting", "run")
LOSSES = np.geomspace(2.0, 0.005, 12)


def found(n_starts=4, n_sets=3, n_runs=5, *, spread=0.0, seed=0):
    """Flatness is 1/loss for gradient descent and three times that with noise, times a factor of
    each start.
    """
    rng = np.random.default_rng(seed)
    shape = (n_starts, n_sets, 2, n_runs)
    own = np.exp(spread * rng.standard_normal(n_starts))[:, None, None, None, None]
    flat = own * np.array([1, 3])[:, None, None] / LOSSES * np.ones((*shape, 1))
    flat[:, :, 0, 1:] = np.nan
    single = np.where(np.isnan(flat[..., 0]), np.nan, 1.0)
    losses = LOSSES * single[..., None]
    level = np.array([0.8, 0.82])[:, None]
    frozen = np.array([5.0, 10.0])[:, None]
    pairs = (n_starts, n_sets, 2, n_runs * (n_runs - 1) // 2)
    return xr.Dataset(
        {
            "train_loss": ((*OVER, "record"), losses),
            "flatness": ((*OVER, "record"), flat),
            "full_accuracy": (OVER, level * single),
            "freezing_time": (OVER, frozen * single),
            "similarity": ((*OVER[:3], "pair"), np.full(pairs, 0.7)),
            "wall": ((*OVER[:3], "pair"), np.full(pairs, 0.05)),
        },
        {"batch_size": ("setting", [100, 10]), "learning_rate": ("setting", [0.1, 0.1])},
        {"n_train": 100, "threshold": 0.1},
    )


def test_contrasts_are_the_known_ones():
    told = analysis.contrasts(found(spread=1.0))
    expected = {"flatness": 3, "flatness_0": 3, "flatness_2": 3, "delay": 2, "gain": 2}
    expected |= {"similarity": 0.7, "wall": 0.5}
    assert {name: float(told[name][0]) for name in expected} == pytest.approx(expected)
    assert float(told.flatness_low[0]) == pytest.approx(3)  # each start is held against itself


@pytest.mark.slow
def test_the_wide_interval_covers_what_starts_do():
    """Noise flattens by e to the normal: over starts an interval covers its mean as often as it
    says, over the runs of one start it hardly ever does.
    """
    covered = {"wide": 0, "narrow": 0}
    for seed in range(40):
        rng, data = np.random.default_rng(seed), found(n_starts=10, n_runs=4)
        gain = np.exp(rng.standard_normal((10, 1, 1, 1)) + 0.2 * rng.standard_normal((10, 3, 4, 1)))
        data.flatness[:, :, 1] = data.flatness[:, :, 1] * gain
        for name, part in (("wide", data), ("narrow", data.isel(start=[0], training_set=[0]))):
            told = analysis.contrasts(part, seed=seed)
            covered[name] += bool(told.flatness_low[0] < 3 < told.flatness_high[0])
    assert covered["wide"] >= 32
    assert covered["narrow"] <= 15


@pytest.mark.parametrize("parts", [(1.0, 0.5, 0.25), (0.0, 1.0, 1.0), (0.1, 0.1, 1.0)])
def test_variance_is_shared_out_as_it_was_put_in(parts):
    rng, sizes = np.random.default_rng(0), (400, 4, 4)
    scales = np.sqrt(parts)
    values = scales[0] * rng.standard_normal((sizes[0], 1, 1))
    values = values + scales[1] * rng.standard_normal((*sizes[:2], 1))
    values = values + scales[2] * rng.standard_normal(sizes)
    told = analysis.variance_shares(values)
    assert told.sum() == pytest.approx(1)
    np.testing.assert_allclose(told, np.array(parts) / sum(parts), atol=0.07)
    single = analysis.variance_shares(values[:, :1])
    expected = [parts[0] + parts[1], 0, parts[2]]
    np.testing.assert_allclose(single, np.array(expected) / sum(parts), atol=0.07)


def test_findings_of_the_setting_at_its_end_and_of_the_one_on_its_way():
    data = found()
    late = data.assign(freezing_time=3 * data.freezing_time)
    both = xr.concat([data, late.assign_coords(learning_rate=late.learning_rate / 2)], "setting")
    end, way = ({"batch_size": 10, "learning_rate": rate} for rate in (0.1, 0.05))
    told = analysis.starts_findings(both.isel(setting=[1, 3, 0, 2]), end, way)
    assert (told["n_starts"], told["n_sets"], told["n_runs"]) == (4, 3, 5)
    assert told["flat"].value == pytest.approx(3)
    assert told["flat_narrow"].value == pytest.approx(3)
    assert told["flat_narrow"].low == pytest.approx(3)  # all runs alike
    assert told["way_delay"].value == pytest.approx(2)
    assert told["wall"].value == pytest.approx(0.5)
    assert "wall_narrow" not in told
    assert told["calm_scatter"] == pytest.approx(1)


def test_scatter_is_of_the_setting_that_is_asked_for():
    data = found(n_starts=400, n_sets=1, spread=0.7)
    told = analysis.scatter_findings(data, {"batch_size": 10, "learning_rate": 0.1})
    assert told["calm_scatter"] == pytest.approx(np.exp(0.7), rel=0.1)
    assert told["flat_start"] == pytest.approx(1)


def test_each_setting_comes_once_and_after_its_gradient_descent():
    cells = [(20, 0.05), (10, 0.02), (20, 0.05)]
    noisy = [{"batch_size": size, "learning_rate": rate} for size, rate in cells]
    expected = ((100, 0.05), (100, 0.02), (20, 0.05), (10, 0.02))
    assert analysis.with_descent(noisy, 100) == expected


def test_contrasts_of_each_start_and_training_set():
    told = analysis.by_start(found(spread=1.0), "flatness")
    assert told.dims == ("setting", "start", "training_set")
    np.testing.assert_allclose(told, np.log(3))
