"""The simulation against the written-out step, known limits, and bad input."""

import dataclasses

import numba
import numpy as np
import pytest
from scipy import stats

from valleys.results import machine
from valleys.toy import TwoValley
from valleys.toy.simulation import langevin, reference
from valleys.toy.simulation.kernels import (
    ADVANCE,
    ALIVE,
    LANES,
    STATE_ROWS,
    X,
    Y,
    exponential,
    fill_normals,
    natural_log,
)
from valleys.toy.simulation.langevin import flat_probability, phase_diagram, trajectories
from valleys.toy.theory.freezing import drift_speed

LANDSCAPE = TwoValley()
SIGMAS = 4.5  # standard errors allowed; each statistical test has a fixed seed


@pytest.mark.parametrize("noise", langevin.NOISES)
@pytest.mark.parametrize(
    "landscape",
    [LANDSCAPE, TwoValley(x1=1.1, x2=0.7, x0=1.3, f0=0.8, y_b=12, y_f=17, y_d=40, L_d=3)],
)
def test_one_step_is_eq_13(noise, landscape):
    generator, (learning_rate, noise_strength) = np.random.default_rng(3), (0.03, 0.2)
    state = np.zeros((STATE_ROWS, LANES))
    state[X], state[Y], state[ALIVE] = (
        generator.normal(0, 0.6, LANES),
        generator.uniform(-1, 60, LANES),
        1,
    )
    before, words = state.copy(), langevin.generator_words(np.random.SeedSequence(5))
    first, second = np.empty(LANES), np.empty(LANES)
    fill_normals(words.copy(), first, second)
    constants = (*map(float, dataclasses.astuple(landscape)), float(landscape.y_min))
    ADVANCE[noise](state, words, 1, 1, constants, learning_rate, noise_strength)
    for lane in range(LANES):
        x, y = before[X, lane], before[Y, lane]
        factor = np.linalg.cholesky(reference.covariance(landscape, x, y, noise_strength, noise))
        kick = factor @ [first[lane], second[lane]]
        expected = np.array([x, y]) - learning_rate * (landscape.gradient(x, y) + kick)
        np.testing.assert_allclose(state[[X, Y], lane], expected, rtol=1e-10, atol=1e-12)


def test_some_hessians_have_a_negative_eigenvalue_to_clip():
    x, y = np.meshgrid(np.linspace(-1, 1, 41), np.linspace(0, 60, 61))
    smallest = np.linalg.eigvalsh(LANDSCAPE.hessian(x, y))[..., 0]
    assert smallest.min() < 0 < smallest.max()


def test_normals_are_normal_and_independent():
    words, draws = langevin.generator_words(np.random.SeedSequence(1)), np.empty((400, 2, LANES))
    for pair in draws:
        fill_normals(words, pair[0], pair[1])
    flat = draws.ravel()
    assert stats.kstest(flat, "norm").pvalue > 1e-3
    assert stats.kstest(np.abs(flat) ** 2, "chi2", args=(1,)).pvalue > 1e-3
    neighbours = [
        (draws[:, 0], draws[:, 1]),
        (draws[1:], draws[:-1]),
        (draws[..., 1:], draws[..., :-1]),
    ]
    for one, other in neighbours:
        for power in (1, 2):
            assert abs(
                np.corrcoef(one.ravel() ** power, other.ravel() ** power)[0, 1]
            ) < SIGMAS / np.sqrt(one.size)


def test_series_of_the_logarithm_and_the_exponential():
    values = np.concatenate([np.logspace(-13, 0, 200), np.linspace(1e-3, 1, 200)])
    np.testing.assert_allclose([_log(v) for v in values], np.log(values), atol=1e-14, rtol=1e-14)
    values = np.linspace(-600, 600, 401)
    np.testing.assert_allclose([_exp(v) for v in values], np.exp(values), rtol=1e-12)


@numba.njit
def _log(value):
    return natural_log(value)


@numba.njit
def _exp(value):
    return exponential(value)


def test_a_single_valley_has_the_variance_of_its_gaussian():
    """Deep in a valley the step is linear: Var x = Δ_S/(1 − ηκ/2) with curvature κ, in both
    valleys.
    """
    learning_rate, noise_strength = 0.1, 0.01
    runs = trajectories(
        LANDSCAPE,
        learning_rate,
        noise_strength,
        n_runs=4096,
        n_steps=400,
        start_y=150.0,
        record_every=400,
        seed=2,
    ).isel(step=-1)
    for sign, flatness in zip((1, -1), LANDSCAPE.flatness(float(runs.y.mean())), strict=True):
        x = runs.x.values[np.sign(runs.x.values) == sign]
        expected = learning_rate * noise_strength / (1 - learning_rate / flatness)
        assert abs(x.var(ddof=1) / expected - 1) < SIGMAS * np.sqrt(2 / x.size)


def test_mean_y_drifts_at_the_published_speed():
    runs = flat_probability(
        LANDSCAPE, 0.01, 0.01, n_runs=256, n_steps=2000, start_y=30.0, record_every=2000
    )
    start, end = runs.mean_y.values
    travelled = 20 * drift_speed(LANDSCAPE, (start + end) / 2)
    assert abs((end - start) / travelled - 1) < 0.1


@pytest.fixture(scope="module")
def four_cells():
    return phase_diagram(LANDSCAPE, [0.03, 0.045], [0.02, 0.03], n_runs=1024)


@pytest.mark.parametrize("rising", ["learning_rate", "noise_strength"])
@pytest.mark.parametrize("name", ["p_flat", "freezing_time"])
def test_p_flat_and_freezing_rise_with_learning_rate_and_with_noise(four_cells, rising, name):
    unit = four_cells.learning_rate if name == "freezing_time" else 1  # time = learning_rate · step
    value, error = four_cells[name] * unit, four_cells[f"{name}_error"] * unit
    rise, error = value.diff(rising), np.sqrt((error**2).rolling({rising: 2}).sum().dropna(rising))
    assert rise.min() > 0
    assert (rise / error).min() > 4


def test_equal_valleys_are_reached_equally_often():
    cell = phase_diagram(
        TwoValley(x1=0.65), [0.05], [0.1], n_runs=2048, n_steps=4000, seed=4
    ).squeeze()
    assert abs(float(cell.p_flat) - 0.5) < SIGMAS * float(cell.p_flat_error)


def test_last_crossing_is_the_one_seen_in_the_trajectory():
    settings = {"n_runs": 10, "n_steps": 500, "start_y": 5.0}
    cell = phase_diagram(LANDSCAPE, [0.05], [0.1], **settings, seed=9).squeeze()
    runs = trajectories(
        LANDSCAPE, 0.05, 0.1, **settings, seed=np.random.SeedSequence(9).spawn(1)[0]
    )
    flat = runs.x.values >= 0
    changed = flat[:, 1:] != flat[:, :-1]
    last = np.array([np.flatnonzero(row)[-1] + 1 if row.any() else 1 for row in changed])
    assert float(cell.freezing_time) == pytest.approx(last.mean())
    assert float(cell.freezing_time_error) == pytest.approx(last.std(ddof=1) / np.sqrt(10))
    assert float(cell.freezing_y) == pytest.approx(runs.y.values[np.arange(10), last].mean())
    assert float(cell.p_flat) == np.mean(runs.x.values[:, -1] > 0)


def test_without_noise_to_speak_of_every_run_stays_and_freezes_at_the_first_step():
    cell = phase_diagram(LANDSCAPE, [0.01], [1e-9], n_runs=128, n_steps=300).squeeze()
    assert (float(cell.p_flat), float(cell.freezing_time), float(cell.diverged)) == (0.5, 1.0, 0.0)
    assert float(cell.p_flat_error) > 0


def test_diverged_runs_belong_to_no_valley():
    cells = phase_diagram(LANDSCAPE, [0.05, 3.0], [0.05], n_runs=64, n_steps=2000)
    assert cells.diverged.values[:, 0].tolist() == [0.0, 1.0]
    assert np.isfinite(cells.p_flat.values[0, 0])
    assert np.isnan(cells.p_flat.values[1, 0])


@pytest.mark.parametrize("function", [phase_diagram, flat_probability, trajectories])
def test_results_depend_on_the_seed_and_on_no_thread(function, monkeypatch):
    one = [0.05], [0.1]
    arguments = one if function is phase_diagram else (0.05, 0.1)
    settings = {"n_runs": 200, "n_steps": 200} | (
        {} if function is phase_diagram else {"record_every": 50}
    )
    results = []
    for threads, seed in ((1, 7), (4, 7), (1, 8)):
        monkeypatch.setattr(machine, "threads", lambda threads=threads: threads)
        results.append(function(LANDSCAPE, *arguments, **settings, seed=seed))
    assert results[0].identical(results[1])
    assert not results[0].identical(results[2])


def test_a_run_is_the_same_among_few_and_many():
    few, many = (
        trajectories(LANDSCAPE, 0.05, 0.1, n_runs=n, n_steps=100, seed=1) for n in (2, 200)
    )
    np.testing.assert_array_equal(few.x, many.x[:2])


def test_the_thinnest_study_runs():
    cells = phase_diagram(LANDSCAPE, [0.05], [0.1], n_runs=2, n_steps=1).squeeze()
    assert float(cells.freezing_time) == 1
    assert 0 <= float(cells.p_flat) <= 1


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"noise": "pink"}, "pink"),
        ({"learning_rates": [0.01, 0.0]}, "learning rate"),
        ({"learning_rates": [-0.1]}, "learning rate"),
        ({"learning_rates": []}, "learning rate"),
        ({"noise_strengths": [float("nan")]}, "noise strength"),
        ({"noise_strengths": ["0.1"]}, "noise strength"),
        ({"n_runs": 3}, "even"),
        ({"n_runs": 0}, "n_runs"),
        ({"n_runs": -2}, "n_runs"),
        ({"n_runs": 2.0}, "n_runs"),
        ({"n_steps": 0}, "n_steps"),
        ({"seed": -1}, "seed"),
        ({"seed": 1.5}, "seed"),
        ({"start_y": -20.0}, "start_y"),
        ({"start_y": float("inf")}, "start_y"),
        ({"landscape": "flat"}, "TwoValley"),
    ],
)
def test_bad_settings_are_refused_in_one_line(change, word):
    good = {
        "landscape": LANDSCAPE,
        "learning_rates": [0.01],
        "noise_strengths": [0.01],
        "n_runs": 2,
        "n_steps": 1,
    }
    with pytest.raises(ValueError, match=word) as caught:
        phase_diagram(**(good | change))
    assert "\n" not in str(caught.value)


def test_records_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="divide"):
        flat_probability(LANDSCAPE, 0.01, 0.01, n_runs=2, n_steps=10, record_every=3)
