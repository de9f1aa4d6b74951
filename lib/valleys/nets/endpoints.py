"""One run for each learning rate and batch size, and the landscape between their end points (Fig. 1)."""

import itertools

import numpy as np
import xarray as xr

from valleys.nets import solutions
from valleys.nets.curvature import full_spectrum, layer_curvature
from valleys.nets.ensemble import evaluate, plan, record_steps, train
from valleys.nets.networks import SECOND_LAYER, Networks
from valleys.nets.setting import Setting, streams
from valleys.nets.specs import EndpointsSpec

EXTREMES = ("most similar", "least similar")


def endpoints(spec: EndpointsSpec) -> xr.Dataset:
    """One run per (η, B), their similarity, and the loss on the straight lines between them (Fig. 1).

    Returns:
        Dimensions solution and other (the same runs), record, fraction, pair (most and least similar), component, eigenvalue.
    """
    setting = Setting.of(spec)
    pairs = list(itertools.product(spec.learning_rates, spec.batch_sizes))
    runs = [_snapshots(setting, spec, learning_rate, batch_size) for learning_rate, batch_size in pairs]
    ends = [run[-1] for run in runs]
    found = _likeness(ends, setting) | _barriers(ends, setting, spec) | _trajectories(runs)
    found |= _paths(runs, found["similarity"][1], setting, spec) | _spectra(ends, pairs, setting, spec)
    time = np.linspace(0, spec.training_time, spec.n_records)
    coords = {"learning_rate": ("solution", [pair[0] for pair in pairs]), "batch_size": ("solution", [pair[1] for pair in pairs])}
    return xr.Dataset(found, coords=coords | {"time": ("record", time), "fraction": np.linspace(0, 1, spec.n_fractions)}, attrs={"dataset": spec.dataset})


def _snapshots(setting: Setting, spec: EndpointsSpec, learning_rate: float, batch_size: int) -> list[Networks]:
    """One run, copied at each record."""
    n_steps, kept = round(spec.training_time / learning_rate), []
    steps = record_steps(n_steps, spec.n_records)
    visits = plan((steps, lambda _, networks: kept.append(networks.copy())))
    runs = streams(spec.seed, batch_size, learning_rate, 1)
    train(setting.start.copy(), setting.train, learning_rate=learning_rate, batch_size=batch_size, n_steps=n_steps, streams=runs, visits=visits)
    if len(kept) < len(steps):
        raise ValueError(f"the run with learning_rate {learning_rate} and batch_size {batch_size} diverged; choose a smaller learning rate")
    return kept


def _likeness(ends: list[Networks], setting: Setting) -> dict:
    """Errors of the end points and the Jaccard similarity between them, on the small and on the full test set."""
    train_ends = [evaluate(end, setting.train) for end in ends]
    found = {"train_loss": ("solution", [end.loss.item() for end in train_ends]), "converged": ("solution", [end.accuracy.item() == 1 for end in train_ends])}
    for name, samples in (("similarity", setting.test), ("similarity_full", setting.full_test)):
        wrong = np.concatenate([evaluate(end, samples).misclassified.cpu().numpy() for end in ends])
        found[name] = (("solution", "other"), solutions.similarity_matrix(wrong))
        found[name.replace("similarity", "n_errors")] = ("solution", wrong.sum(axis=1))
    return found


def _barriers(ends: list[Networks], setting: Setting, spec: EndpointsSpec) -> dict:
    """Barrier on the straight line between each two end points (Eq. 5); zero on the diagonal."""
    fractions, barriers = np.linspace(0, 1, spec.n_fractions), np.zeros((len(ends), len(ends)))
    for i, j in itertools.combinations(range(len(ends)), 2):
        barriers[i, j] = barriers[j, i] = solutions.barrier(solutions.path_losses(ends[i], ends[j], setting.train, fractions))
    return {"barrier": (("solution", "other"), barriers)}


def _trajectories(runs: list[list[Networks]]) -> dict:
    """Second-layer weights of every run on their two principal components."""
    weights = [np.stack([network.weights[SECOND_LAYER].cpu().numpy().ravel() for network in run]) for run in runs]
    projection = solutions.project(weights)
    return {"position": (("solution", "record", "component"), np.stack(projection.scores)), "explained": ("component", projection.explained)}


def _paths(runs: list[list[Networks]], similarity: np.ndarray, setting: Setting, spec: EndpointsSpec) -> dict:
    """Loss between the runs of the most and of the least similar pair, at each record."""
    first, second = np.triu_indices(len(runs), 1)
    order, fractions = np.argsort(similarity[first, second], kind="stable"), np.linspace(0, 1, spec.n_fractions)
    chosen = [(first[order[-1]], second[order[-1]]), (first[order[0]], second[order[0]])]
    losses = [[solutions.path_losses(a, b, setting.train, fractions) for a, b in zip(runs[i], runs[j], strict=True)] for i, j in chosen]
    return {"path_loss": (("pair", "record", "fraction"), losses), "pair": list(EXTREMES), "pair_member": (("pair", "end"), np.array(chosen))}


def _spectra(ends: list[Networks], pairs: list[tuple[float, int]], setting: Setting, spec: EndpointsSpec) -> dict:
    """Full Hessian spectrum of the second layer at the end points of one learning rate; NaN for the others."""
    spectra = np.full((len(ends), ends[0].weights[SECOND_LAYER][0].numel()), np.nan)
    for index, (learning_rate, _) in enumerate(pairs):
        if learning_rate == spec.spectrum_learning_rate:
            spectra[index] = full_spectrum(layer_curvature(ends[index], setting.train.images))
    return {"eigenvalue": (("solution", "rank"), spectra)}
