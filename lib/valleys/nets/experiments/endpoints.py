"""One run for each learning rate and batch size, and the landscape between their end points
(Figs. 1 and S1).
"""

import itertools
from dataclasses import replace
from functools import partial

import numpy as np
import xarray as xr

from valleys.nets.engine.networks import SECOND_LAYER, Networks
from valleys.nets.engine.problem import Problem
from valleys.nets.engine.training import evaluate, record_steps
from valleys.nets.experiments.runs import RunSetting, Variables, train_runs
from valleys.nets.experiments.specs import EndpointsSpec, RestartSpec
from valleys.nets.measures import solutions
from valleys.nets.measures.lanczos import top_eigenpairs
from valleys.nets.measures.layer_hessian import TOP, full_spectrum, layer_curvature
from valleys.results.grid import Part

EXTREMES = ("most similar", "least similar")

Run = list[Networks]  # copies at each record
Runs = dict[tuple[float, int], Run]  # by learning rate and batch size


def endpoints(spec: EndpointsSpec) -> xr.Dataset:
    """One run per (η, B), the similarity of those that converged, the loss on the straight lines
    between them, and their curvatures (Figs. 1 and S1).

    Returns:
        Dimensions solution and other (the runs that end at 100 % training accuracy), record,
        fraction, pair (most and least similar), component, spectrum_batch_size and rank (NaN where
        the run did not converge); the attribute `n_runs` counts all runs of the grid.

    Raises:
        ValueError: fewer than three runs converged, or none of those whose spectrum was asked for.
    """
    problem = Problem.of(spec)
    grid = _grid(problem, spec)
    solved = _converged(grid, problem)
    runs, ends = list(solved.values()), [run[-1] for run in solved.values()]
    found = (
        _spectra(grid, problem, spec)
        | _shares(ends, problem)
        | _progress(runs, problem)
        | _likeness(ends, problem)
        | _trajectories(runs)
    )
    found |= _walls(runs, found["similarity"][1], found["similarity_full"][1], problem, spec)
    coords = {
        "learning_rate": ("solution", [pair[0] for pair in solved]),
        "batch_size": ("solution", [pair[1] for pair in solved]),
    }
    coords |= {
        "time": ("record", np.linspace(0, spec.training_time, spec.n_records)),
        "fraction": np.linspace(0, 1, spec.n_fractions),
    }
    coords |= {"pair": list(EXTREMES), "spectrum_batch_size": list(spec.spectrum_batch_sizes)}
    return xr.Dataset(found, coords=coords, attrs={"dataset": spec.dataset, "n_runs": len(grid)})


def _run(problem: Problem, spec: EndpointsSpec, learning_rate: float, batch_size: int) -> Run:
    """One run, copied at each record; fewer copies where it diverged."""
    setting = RunSetting(
        spec.seed, batch_size, learning_rate, round(spec.training_time / learning_rate)
    )
    kept: Run = []
    visit = (
        record_steps(setting.n_steps, spec.n_records),
        lambda _, networks: kept.append(networks.copy()),
    )
    train_runs(problem.start.copy(), problem, setting, visit)
    return kept


def _grid(problem: Problem, spec: EndpointsSpec) -> Runs:
    """The run of each pair (η, B)."""
    return {pair: _run(problem, spec, *pair) for pair in _pairs(spec)}


def _pairs(spec: EndpointsSpec | RestartSpec) -> list[tuple[float, int]]:
    return list(itertools.product(spec.learning_rates, spec.batch_sizes))


def _converged(grid: Runs, problem: Problem) -> Runs:
    found = {pair: run for pair, run in grid.items() if _is_solution(run, problem)}
    if len(found) < 3:
        raise ValueError(
            f"only {len(found)} of {len(grid)} runs reached 100 % training accuracy, and a "
            "comparison needs 3: "
            "choose smaller learning_rates, larger batch_sizes or a longer training_time"
        )
    return found


def _is_solution(run: Run, problem: Problem) -> bool:
    return evaluate(run[-1], problem.train).accuracy.item() == 1


def _progress(runs: list[Run], problem: Problem) -> Variables:
    """Loss and accuracy on the training set at each record."""
    seen = [[evaluate(network, problem.train) for network in run] for run in runs]
    loss, accuracy = (
        [[getattr(one, name).item() for one in run] for run in seen]
        for name in ("loss", "accuracy")
    )
    return {
        "train_loss": (("solution", "record"), loss),
        "train_accuracy": (("solution", "record"), accuracy),
    }


def _likeness(ends: list[Networks], problem: Problem) -> Variables:
    """Errors of the end points and the Jaccard similarity between them, on the small and on the
    full test set.
    """
    found: Variables = {}
    for suffix, samples, image in (
        ("", problem.test, "test_image"),
        ("_full", problem.full_test, "full_test_image"),
    ):
        wrong = np.concatenate([evaluate(end, samples).misclassified.cpu().numpy() for end in ends])
        found[f"misclassified{suffix}"] = (("solution", image), wrong)
        found[f"similarity{suffix}"] = (("solution", "other"), solutions.similarity_matrix(wrong))
    return found


def _trajectories(runs: list[Run]) -> Variables:
    """Second-layer weights of every run on their two principal components."""
    weights = [
        np.stack([network.weights[SECOND_LAYER].mT.cpu().numpy().ravel() for network in run])
        for run in runs
    ]
    projection = solutions.project(weights)
    return {
        "position": (("solution", "record", "component"), np.stack(projection.scores)),
        "explained": ("component", projection.explained),
    }


def _walls(
    runs: list[Run],
    similarity: np.ndarray,
    similarity_full: np.ndarray,
    problem: Problem,
    spec: EndpointsSpec,
) -> Variables:
    """Barrier (Eq. 5) and rise on the line between each two runs at each record, zero on the
    diagonal; the losses themselves for two pairs.

    These are the most and the least similar pair; all test images decide between equals on the
    small set.
    """
    first, second = np.triu_indices(len(runs), 1)
    losses = _path_losses(runs, first, second, problem, spec)
    order = np.lexsort((similarity_full[first, second], similarity[first, second]))
    chosen, kept = order[[-1, 0]], ("solution", "other", "record")
    found = {"path_loss": (("pair", "record", "fraction"), losses[chosen])}
    found |= {"pair_member": (("pair", "end"), np.stack([first[chosen], second[chosen]], axis=1))}
    for name, heights in (("barrier", solutions.barrier(losses)), ("rise", solutions.rise(losses))):
        matrix = np.zeros((len(runs), len(runs), spec.n_records), losses.dtype)
        matrix[first, second] = matrix[second, first] = heights
        found[name] = (kept, matrix)
    return found


def _path_losses(
    runs: list[Run], first: np.ndarray, second: np.ndarray, problem: Problem, spec: EndpointsSpec
) -> np.ndarray:
    """Loss between the members of each pair, (n_pairs, n_records, n_fractions)."""
    fractions = np.linspace(0, 1, spec.n_fractions)
    found = np.empty((len(first), spec.n_records, spec.n_fractions), np.float32)
    for record, networks in enumerate(zip(*runs, strict=True)):
        ready = [solutions.Prepared.of(network, problem.train) for network in networks]
        for pair, (i, j) in enumerate(zip(first, second, strict=True)):
            found[pair, record] = solutions.prepared_path_losses(ready[i], ready[j], fractions)
    return found


def _shares(ends: list[Networks], problem: Problem) -> Variables:
    """The ten largest eigenvalues of each solution's Hessian in the second layer, and the sum of
    all.
    """
    layers = [layer_curvature(end, problem.train.images) for end in ends]
    largest = np.stack([top_eigenpairs(layer, TOP).values for layer in layers])
    return {
        "top_eigenvalue": (("solution", "top"), largest),
        "trace": ("solution", [layer.trace() for layer in layers]),
    }


def _spectra(grid: Runs, problem: Problem, spec: EndpointsSpec) -> Variables:
    """Full Hessian spectrum of the second layer at the end points of one learning rate, one a
    batch size.
    """
    size = problem.start.weights[SECOND_LAYER].numel()
    spectra = np.full((len(spec.spectrum_batch_sizes), size), np.nan)
    for index, batch_size in enumerate(spec.spectrum_batch_sizes):
        pair = (spec.spectrum_learning_rate, batch_size)
        run = grid[pair] if pair in grid else _run(problem, spec, *pair)
        if _is_solution(run, problem):
            spectra[index] = full_spectrum(layer_curvature(run[-1], problem.train.images))
    if spectra.size and np.isnan(spectra).all():
        raise ValueError(
            f"no run at spectrum_learning_rate {spec.spectrum_learning_rate} reached 100 % "
            "training accuracy: "
            "choose a smaller one, larger spectrum_batch_sizes or a longer training_time"
        )
    return {"eigenvalue": (("spectrum_batch_size", "rank"), spectra)}


def endpoints_parts(spec: EndpointsSpec) -> list[Part]:
    """Each spectrum; and at last the ends of all runs without what lies between."""
    spectra = enumerate(spec.spectrum_batch_sizes)
    each = [
        Part({"spectrum_batch_size": batch_size}, 1, partial(_spectrum_alone, spec, index))
        for index, batch_size in spectra
    ]
    return [*each, Part({}, len(each), partial(_ends_alone, spec))]


def _spectrum_alone(spec: EndpointsSpec, index: int) -> xr.Dataset:
    one = replace(spec, spectrum_batch_sizes=spec.spectrum_batch_sizes[index : index + 1])
    return xr.Dataset(_spectra({}, Problem.of(one), one))


def _ends_alone(spec: EndpointsSpec) -> xr.Dataset:
    problem = Problem.of(spec)
    runs = list(_converged(_grid(problem, spec), problem).values())
    ends = [run[-1] for run in runs]
    return xr.Dataset(
        _shares(ends, problem)
        | _progress(runs, problem)
        | _likeness(ends, problem)
        | _trajectories(runs)
    )


def restart(spec: RestartSpec) -> xr.Dataset:
    """Similarity and barrier between the ends of every two runs of a grid.

    Returns:
        Dimensions run and other: `similarity`, `similarity_full` and `barrier`, NaN where a run did
            not converge.
    """
    found, pairs = endpoints(spec.endpoints), _pairs(spec)
    rates, sizes = found.learning_rate.values.tolist(), found.batch_size.values.tolist()
    places = [pairs.index(pair) for pair in zip(rates, sizes, strict=True)]
    parts: Variables = {}
    for name, values in (
        ("similarity", found.similarity),
        ("similarity_full", found.similarity_full),
        ("barrier", found.barrier.isel(record=-1)),
    ):
        every = np.full((len(pairs), len(pairs)), np.nan)
        every[np.ix_(places, places)] = values
        parts[name] = (("run", "other"), every)
    coords = {
        "learning_rate": ("run", [pair[0] for pair in pairs]),
        "batch_size": ("run", [pair[1] for pair in pairs]),
    }
    return xr.Dataset(parts, coords, found.attrs)


PARTS = {endpoints: endpoints_parts}
