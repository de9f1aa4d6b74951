"""Specs refuse and normalise; studies return what their chapters draw."""

import dataclasses
import json

import numpy as np
import pytest

from valleys.toy import studies

PHASES = studies.PhaseDiagramSpec([0.05, 0.1], [0.05], n_runs=4, n_steps=20)
FREEZING = studies.FreezingSpec([0.05, 0.1], [1e-3, 2e-3, 3e-3], n_runs=4, duration=2.0)
EVOLUTION = studies.EvolutionSpec(noise_strengths=[0.05, 0.1], n_runs=4, n_steps=20, record_every=10)
RUNS = studies.TrajectoriesSpec(noise_strengths=[0.05], n_runs=4, n_steps=20, record_every=10)
FROZEN = studies.FrozenSpec([0.05, 0.1], [1e-3], [3.0, 4.0, 5.0], n_runs=4, duration=10, burn_in=0, n_bins=20)
MASTER_MAP = studies.MasterMapSpec([0.05, 0.1], [0.05], n_steps=20)
MASTER_HISTORY = studies.MasterHistorySpec([0.05, 0.1], [1e-3, 2e-3, 3e-3], duration=2.0, n_records=5)


@pytest.mark.parametrize(
    ("study", "spec", "sizes"),
    [
        (studies.phase_diagram, PHASES, {"learning_rate": 2, "noise_strength": 1}),
        (studies.freezing, FREEZING, {"learning_rate": 2, "effective_noise": 3}),
        (studies.evolution, EVOLUTION, {"noise_strength": 2, "step": 3}),
        (studies.trajectories, RUNS, {"noise_strength": 1, "run": 4, "step": 3}),
        (studies.frozen, FROZEN, {"learning_rate": 2, "effective_noise": 1, "y": 3, "bin": 20, "valley": 2}),
        (studies.operator, FROZEN, {"learning_rate": 2, "effective_noise": 1, "y": 3}),
        (studies.master_map, MASTER_MAP, {"learning_rate": 2, "noise_strength": 1}),
        (studies.master_histories, MASTER_HISTORY, {"learning_rate": 2, "effective_noise": 3, "time": 5}),
    ],
)
def test_a_study_returns_its_dimensions_and_repeats_itself(study, spec, sizes):
    result = study(spec)
    assert dict(result.sizes) == sizes
    assert result.identical(study(spec))
    assert all(np.isfinite(result[name]).all() for name in result if "rate" not in name)
    json.dumps(dataclasses.asdict(spec), allow_nan=False)


def test_cells_of_a_grid_have_streams_of_their_own():
    twice = studies.frozen(dataclasses.replace(FROZEN, learning_rates=(0.05, 0.05 + 1e-12)))
    assert not np.array_equal(twice.density[0], twice.density[1])


def test_equal_specs_are_equal_however_they_are_written():
    assert studies.PhaseDiagramSpec((0.05, 0.1), np.array([0.05]), n_runs=4, n_steps=20) == PHASES


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
        (RUNS, {"noise_strengths": []}, "noise strength"),
        (FROZEN, {"ys": [0.0]}, "ys"),
        (FROZEN, {"ys": []}, "ys"),
        (FROZEN, {"duration": 0.1}, "duration"),
        (FROZEN, {"effective_noises": [-1e-3]}, "noise"),
        (FROZEN, {"n_runs": 0}, "n_runs"),
        (MASTER_MAP, {"noise": "isotropic"}, "spreads y"),
        (MASTER_HISTORY, {"n_records": 1}, "n_records"),
    ],
)
def test_bad_specs_are_refused(spec, change, word):
    with pytest.raises(ValueError, match=word):
        dataclasses.replace(spec, **change)
