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
    """One run per (η, B), the similarity of those that converged, and the loss on the straight lines between them (Fig. 1).

    Returns:
        Dimensions solution and other (the runs that end at 100 % training accuracy), record, fraction, pair (most and least similar),
        component, rank; the attribute `n_runs` counts all runs.

    Raises:
        ValueError: fewer than three runs converged.
    """
    setting = Setting.of(spec)
    runs = _converged_runs(setting, spec)
    ends, pairs = [run[-1] for run in runs.values()], list(runs)
    found = _likeness(ends, setting) | _barriers(ends, setting, spec) | _trajectories(list(runs.values()))
    found |= _paths(list(runs.values()), found["similarity"][1], found["similarity_full"][1], setting, spec) | _spectra(ends, pairs, setting, spec)
    coords = {"learning_rate": ("solution", [pair[0] for pair in pairs]), "batch_size": ("solution", [pair[1] for pair in pairs])}
    coords |= {"time": ("record", np.linspace(0, spec.training_time, spec.n_records)), "fraction": np.linspace(0, 1, spec.n_fractions)}
    return xr.Dataset(found, coords=coords, attrs={"dataset": spec.dataset, "n_runs": len(spec.learning_rates) * len(spec.batch_sizes)})


Runs = dict[tuple[float, int], list[Networks]]  # copies at each record, by (learning_rate, batch_size)


def _converged_runs(setting: Setting, spec: EndpointsSpec) -> Runs:
    pairs = itertools.product(spec.learning_rates, spec.batch_sizes)
    runs = {pair: _snapshots(setting, spec, *pair) for pair in pairs}
    converged = {pair: run for pair, run in runs.items() if evaluate(run[-1], setting.train).accuracy.item() == 1}
    if len(converged) < 3:
        raise ValueError(
            f"only {len(converged)} of {len(runs)} runs reached 100 % training accuracy, and a comparison needs 3: "
            "choose smaller learning_rates, larger batch_sizes or a longer training_time"
        )
    return converged


def _snapshots(setting: Setting, spec: EndpointsSpec, learning_rate: float, batch_size: int) -> list[Networks]:
    """One run, copied at each record; fewer copies where it diverged."""
    n_steps, kept = round(spec.training_time / learning_rate), []
    visits = plan((record_steps(n_steps, spec.n_records), lambda _, networks: kept.append(networks.copy())))
    order = streams(spec.seed, batch_size, learning_rate, 1)
    train(setting.start.copy(), setting.train, learning_rate=learning_rate, batch_size=batch_size, n_steps=n_steps, streams=order, visits=visits)
    return kept


def _likeness(ends: list[Networks], setting: Setting) -> dict:
    """Errors of the end points and the Jaccard similarity between them, on the small and on the full test set."""
    found: dict = {"train_loss": ("solution", [evaluate(end, setting.train).loss.item() for end in ends])}
    for suffix, samples, image in (("", setting.test, "test_image"), ("_full", setting.full_test, "full_test_image")):
        wrong = np.concatenate([evaluate(end, samples).misclassified.cpu().numpy() for end in ends])
        found[f"misclassified{suffix}"] = (("solution", image), wrong)
        found[f"similarity{suffix}"] = (("solution", "other"), solutions.similarity_matrix(wrong))
    return found


def _barriers(ends: list[Networks], setting: Setting, spec: EndpointsSpec) -> dict:
    """Barrier on the straight line between each two end points (Eq. 5); zero on the diagonal."""
    fractions, barriers = np.linspace(0, 1, spec.n_fractions), np.zeros((len(ends), len(ends)))
    for i, j in itertools.combinations(range(len(ends)), 2):
        barriers[i, j] = barriers[j, i] = solutions.barrier(solutions.path_losses(ends[i], ends[j], setting.train, fractions))
    return {"barrier": (("solution", "other"), barriers)}


def _trajectories(runs: list[list[Networks]]) -> dict:
    """Second-layer weights of every run on their two principal components."""
    weights = [np.stack([network.weights[SECOND_LAYER].mT.cpu().numpy().ravel() for network in run]) for run in runs]
    projection = solutions.project(weights)
    return {"position": (("solution", "record", "component"), np.stack(projection.scores)), "explained": ("component", projection.explained)}


def _paths(runs: list[list[Networks]], similarity: np.ndarray, similarity_full: np.ndarray, setting: Setting, spec: EndpointsSpec) -> dict:
    """Loss between the runs of the most and of the least similar pair, at each record; all test images decide between equals on the small set."""
    first, second = np.triu_indices(len(runs), 1)
    order, fractions = np.lexsort((similarity_full[first, second], similarity[first, second])), np.linspace(0, 1, spec.n_fractions)
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
