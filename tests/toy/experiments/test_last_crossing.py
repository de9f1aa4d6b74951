import numpy as np

from valleys.toy.analysis import last_crossing as analysis
from valleys.toy.experiments import last_crossing
from valleys.toy.experiments.two_valley import FreezingSpec, MasterHistorySpec, freezing

NOISES = [2e-4, 1e-3]


def test_runs_one_by_one_scatter_around_the_master_equation():
    runs = last_crossing.last_crossings(FreezingSpec([0.05], NOISES, 1000, 400.0, 0.5, seed=1))
    exact = last_crossing.last_crossings_exact(MasterHistorySpec([0.05], NOISES, 400.0, 0.5))
    rows = [found.squeeze("learning_rate") for found in (runs, exact)]
    parts = analysis.by_time(*rows, n_parts=5)
    pulls = (parts.p_flat - parts.exact) / parts.p_flat_error
    assert float((pulls**2).mean()) < 2.5
    assert np.abs(pulls).max() < 4


def test_their_means_are_those_of_the_study_that_keeps_no_runs():
    spec = FreezingSpec([0.05], NOISES, 1000, 400.0, 0.5, seed=1)
    runs, means = last_crossing.last_crossings(spec), freezing(spec)
    errors = np.hypot(means.freezing_time_error, runs.last_crossing.std("run") / 1000**0.5)
    assert (np.abs(runs.last_crossing.mean("run") - means.freezing_time) < 4 * errors).all()
    assert (np.abs(runs.flat.mean("run") - means.p_flat) < 6 * means.p_flat_error).all()
    assert runs.flat.isin([0, 1]).all()
