"""Specs refuse and normalise; studies return what their chapters draw."""

import dataclasses
import json

import numpy as np
import pytest
import xarray as xr

from valleys.toy import TwoValley
from valleys.toy.experiments import two_valley as studies
from valleys.toy.simulation.langevin import fraction_error
from valleys.toy.theory import at_fixed_y, freezing

PHASES = studies.PhaseDiagramSpec((0.05, 0.1), (0.05,), n_runs=4, n_steps=20)
FREEZING = studies.FreezingSpec((0.05, 0.1), (1e-3, 2e-3, 3e-3), n_runs=4, duration=2.0)
EVOLUTION = studies.EvolutionSpec(
    noise_strengths=(0.05, 0.1), n_runs=4, n_steps=20, record_every=10
)
RUNS = studies.TrajectoriesSpec(noise_strengths=(0.05,), n_runs=4, n_steps=20, record_every=10)
CONTRAST = studies.ContrastSpec((1.0, 1.5), n_runs=4, n_steps=20)
RESPONSE = studies.ResponseSpec(
    (0.01, 0.02), (2.0, 3.0, 4.0), 0.05, n_runs=8, duration=20.0, burn_in=0.0
)
FROZEN = studies.FrozenSpec(
    (0.05, 0.1), (1e-3,), (3.0, 4.0, 5.0), n_runs=4, duration=10, burn_in=0, n_bins=20
)
MASTER_MAP = studies.MasterMapSpec((0.05, 0.1), (0.05,), n_steps=20)
MASTER_HISTORY = studies.MasterHistorySpec(
    (0.05, 0.1), (1e-3, 2e-3, 3e-3), duration=2.0, n_records=5
)


@pytest.mark.parametrize(
    ("study", "spec", "sizes"),
    [
        (studies.phase_diagram, PHASES, {"learning_rate": 2, "noise_strength": 1}),
        (studies.freezing, FREEZING, {"learning_rate": 2, "effective_noise": 3}),
        (studies.evolution, EVOLUTION, {"noise_strength": 2, "step": 3}),
        (studies.trajectories, RUNS, {"noise_strength": 1, "run": 4, "step": 3}),
        (
            studies.frozen,
            FROZEN,
            {"learning_rate": 2, "effective_noise": 1, "y": 3, "bin": 20, "valley": 2},
        ),
        (studies.contrast, CONTRAST, {"flatness_ratio": 2}),
        (studies.contrast_exact, CONTRAST, {"flatness_ratio": 2}),
        (studies.response, RESPONSE, {"force": 2, "valley": 2, "y": 3}),
        (studies.operator, FROZEN, {"learning_rate": 2, "effective_noise": 1, "y": 3}),
        (studies.master_map, MASTER_MAP, {"learning_rate": 2, "noise_strength": 1}),
        (
            studies.master_histories,
            MASTER_HISTORY,
            {"learning_rate": 2, "effective_noise": 3, "time": 5},
        ),
    ],
)
def test_a_study_returns_its_dimensions_and_repeats_itself(study, spec, sizes):
    result = study(spec)
    assert dict(result.sizes) == sizes
    assert result.identical(study(spec))
    assert all(np.isfinite(result[name]).all() for name in result if "rate" not in name)
    json.dumps(dataclasses.asdict(spec), allow_nan=False)


def test_contrast_varies_the_flatness_ratio_alone():
    for ratio in (1.0, 1.21, 1.6):
        landscape = studies.with_contrast(TwoValley(), ratio)
        assert landscape.flatness_ratio == pytest.approx(ratio)
        assert dataclasses.replace(landscape, x1=0.8) == TwoValley()
    half, more = studies.contrast(
        studies.ContrastSpec((1.0, 1.5), n_runs=1024, n_steps=60_000, seed=1)
    ).p_flat
    assert abs(float(half) - 0.5) < 4.5 * fraction_error(512, 1024)
    assert float(more) > 0.9


@pytest.mark.slow
def test_the_master_equation_ends_where_the_runs_of_any_contrast_end():
    spec = studies.ContrastSpec((1.0, 1.2, 1.4), n_runs=8192, n_steps=45_000, seed=3)
    runs, solved = studies.contrast(spec), studies.contrast_exact(spec)
    assert float((abs(runs.p_flat - solved.p_flat) / runs.p_flat_error).max()) < 3.5
    path = np.linspace(1.0, float(runs.y.min()), 200)
    exact = [
        freezing.p_flat_balance(studies.with_contrast(TwoValley(), ratio), 1e-3, path)[-1]
        for ratio in spec.flatness_ratios
    ]
    gaps = (exact - runs.p_flat)[1:]  # what the limit of small steps leaves
    assert float(gaps.mean()) > 3 * float(runs.p_flat_error[1:].mean()) / np.sqrt(2)


@pytest.mark.parametrize("noise", ["hessian", pytest.param("isotropic", marks=pytest.mark.slow)])
def test_response_study_finds_the_temperature_of_each_valley(noise):
    spec = studies.ResponseSpec(
        (0.01, 0.02), (1.0, 3.0), 0.01, n_runs=1024, duration=150.0, noise=noise, seed=2
    )
    found = studies.response(spec)
    flatness = np.array(TwoValley().flatness(found.y.values))[::-1]
    temperature = np.array(
        at_fixed_y.noise_diffusion(TwoValley(), found.y.values, spec.effective_noise, noise)
    )[::-1] / (1 - spec.learning_rate / flatness)
    pulls = (
        found.valley_temperature - xr.DataArray(temperature, dims=("valley", "y"))
    ) / found.valley_temperature_error
    assert float(abs(pulls).max()) < 4.5
    variance, slope = at_fixed_y.fluctuation_and_response(
        TwoValley(), found.y.values, spec.effective_noise, noise
    )
    assert (
        float((abs(found.temperature - found.operator_temperature) / found.temperature_error).max())
        < 4.5
    )
    step = 0.02  # what the finite step and the finite force may change
    assert (
        float(
            ((abs(found.susceptibility - slope) - step * slope) / found.susceptibility_error).max()
        )
        < 4.5
    )
    np.testing.assert_allclose(found.operator_temperature[0], variance / slope, rtol=3.5 * step)


def test_cells_of_a_grid_have_streams_of_their_own():
    twice = studies.frozen(dataclasses.replace(FROZEN, learning_rates=(0.05, 0.05 + 1e-12)))
    assert not np.array_equal(twice.density[0], twice.density[1])


def test_equal_specs_are_equal_however_they_are_written():
    lists = {"learning_rates": [0.05, 0.1], "noise_strengths": np.array([0.05])}
    assert dataclasses.replace(PHASES, **lists) == PHASES


@pytest.mark.parametrize(
    ("spec", "change", "word"),
    [
        (PHASES, {"n_runs": 5}, "even"),
        (PHASES, {"learning_rates": 0.1}, "list"),
        (PHASES, {"learning_rates": ["fast"]}, "list"),
        (PHASES, {"noise": "pink"}, "pink"),
        (FREEZING, {"duration": 0.01}, "duration"),
        (FREEZING, {"duration": float("nan")}, "duration"),
        (EVOLUTION, {"record_every": 3}, "divide"),
        (RUNS, {"noise_strengths": []}, "noise_strengths"),
        (FROZEN, {"ys": [0.0]}, "ys"),
        (FROZEN, {"ys": []}, "ys"),
        (FROZEN, {"duration": 0.1}, "duration"),
        (FROZEN, {"effective_noises": [-1e-3]}, "noise"),
        (FROZEN, {"n_runs": 0}, "n_runs"),
        (MASTER_MAP, {"noise": "isotropic"}, "spreads y"),
        (MASTER_HISTORY, {"n_records": 1}, "n_records"),
        (CONTRAST, {"flatness_ratios": [0.9]}, "flatness_ratios"),
        (CONTRAST, {"flatness_ratios": []}, "flatness_ratios"),
        (CONTRAST, {"noise_strength": 0.0}, "noise strength"),
        (RESPONSE, {"forces": []}, "forces"),
        (RESPONSE, {"forces": [-0.01]}, "forces"),
        (RESPONSE, {"ys": [-1.0]}, "ys"),
    ],
)
def test_bad_specs_are_refused(spec, change, word):
    with pytest.raises(ValueError, match=word):
        dataclasses.replace(spec, **change)
