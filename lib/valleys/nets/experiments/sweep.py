"""Training runs that differ in batch order only, and the plane that they share (Figs. 2 and 3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from valleys.nets.engine.networks import SECOND_LAYER, Networks
from valleys.nets.engine.passages import Passages
from valleys.nets.engine.problem import Problem
from valleys.nets.engine.training import evaluate, record_steps
from valleys.nets.experiments.runs import TRAINING_TIME, Variables, train_runs
from valleys.nets.experiments.specs import SweepSpec
from valleys.nets.measures import solutions
from valleys.nets.measures.lanczos import top_eigenpairs
from valleys.nets.measures.layer_hessian import TOP, flatness
from valleys.nets.measures.whole_hessian import WholeNetwork
from valleys.nets.observers.recorder import DESCRIPTIONS, EIGENVALUES, Recorder, flatness_records
from valleys.results.grid import Composite, made_of


def sweep(spec: SweepSpec) -> xr.Dataset:
    """Runs of one (η, B); gradient descent is computed once and serves every realization.

    Returns:
        Dimensions realization, other (the same runs again), record, rank, threshold, test_image,
        full_test_image, byte. Steps count iterations; `time` is η · step. Runs that are not finite
        at the end are marked `diverged` and have NaN records; `converged` means 100 % training
        accuracy.

    Example:
        >>> from valleys.nets import SweepSpec, sweep
        >>> spec = SweepSpec(train_per_class=10, batch_size=10, learning_rate=0.1, training_time=20, n_realizations=2)
        >>> found = sweep(spec)
        >>> found.flatness.dims, found.freezing_time.dims
        (('realization', 'record'), ('realization', 'threshold'))
    """  # noqa: E501
    problem, steps = Problem.of(spec), record_steps(spec.n_steps, spec.n_records)
    networks = problem.start.repeat(spec.n_distinct)
    recorder = Recorder(
        len(networks),
        steps,
        problem.train,
        problem.test,
        problem.full_test,
        flatness_records(spec.n_records, spec.flatness_every),
        spec.keep_weights,
    )
    passages = Passages(spec.thresholds, returns=spec.steps_between_looks)
    train_runs(networks, problem, spec, (steps, recorder), passages=passages)
    found = (
        _records(recorder, steps, spec)
        | _freezing(passages)
        | _ends(networks, problem)
        | _apart(networks, problem)
        | _network_flatness(networks, problem, spec)
    )
    result = xr.Dataset(found, coords=_coordinates(spec), attrs={"dataset": spec.dataset})
    same = [0] * spec.n_realizations
    return result.isel(realization=same, other=same) if spec.full_batch else result


def _coordinates(spec: SweepSpec) -> dict[str, Any]:
    times = np.linspace(0, spec.training_time, spec.n_records)
    return {
        "batch_size": spec.batch_size,
        "learning_rate": spec.learning_rate,
        "time": ("record", times, TRAINING_TIME),
        "threshold": list(spec.thresholds),
    }


def _records(recorder: Recorder, steps: np.ndarray, spec: SweepSpec) -> Variables:
    over_time = {
        name: (("realization", "record"), values, {"long_name": DESCRIPTIONS[name]})
        for name, values in recorder.values.items()
    }
    kept = (
        {"weights": (("realization", "record", "n_in", "n_out"), recorder.weights)}
        if spec.keep_weights
        else {}
    )
    bent = (("realization", "record", "rank"), recorder.eigenvalues, EIGENVALUES)
    wrong = {
        "misclassified_along": (("realization", "record", "test_image"), recorder.wrong),
        "misclassified_full_along": (
            ("realization", "record", "byte"),
            recorder.wrong_full,
            {"long_name": "which of all test images are wrong, packed"},
        ),
    }
    return over_time | kept | wrong | {"eigenvalues": bent, "step": ("record", steps)}


def _freezing(passages: Passages) -> Variables:
    dims = ("realization", "threshold")
    first = "first step with training loss below L_c, looked at every step (Eq. 7)"
    last = "last step at which the training loss came back above L_c"
    return {
        "freezing_time": (dims, passages.first, {"long_name": first, "units": "steps"}),
        "last_return": (dims, passages.last_return, {"long_name": last, "units": "steps"}),
    }


def _ends(networks: Networks, problem: Problem) -> Variables:
    """Each run's end: its errors on both test sets, and whether it converged or diverged."""
    train_end, test_end, full_end = (
        evaluate(networks, samples) for samples in (problem.train, problem.test, problem.full_test)
    )
    return {
        "misclassified": (("realization", "test_image"), test_end.misclassified.cpu().numpy()),
        "misclassified_full": (
            ("realization", "full_test_image"),
            full_end.misclassified.cpu().numpy(),
        ),
        "full_test_accuracy": (
            "realization",
            full_end.accuracy.cpu().numpy(),
            {"long_name": "fraction of all test images that is right"},
        ),
        "converged": ("realization", (train_end.accuracy == 1).cpu().numpy()),
        "diverged": ("realization", ~networks.alive.cpu().numpy()),
    }


def _apart(networks: Networks, problem: Problem) -> Variables:
    """How far apart the runs end in the second layer's matrix, and how alike their ways there
    are.
    """
    matrices = networks.weights[SECOND_LAYER].double().flatten(1).cpu().numpy()
    start = problem.start.weights[SECOND_LAYER].double().flatten(1).cpu().numpy()
    dims = ("realization", "other")
    return {
        "weight_distance": (
            dims,
            solutions.distance_matrix(matrices),
            {"long_name": "Euclidean distance of final second-layer matrices"},
        ),
        "weight_cosine": (
            dims,
            solutions.cosine_matrix(matrices - start),
            {"long_name": "cosine between displacements of the second-layer matrix"},
        ),
    }


def _network_flatness(networks: Networks, problem: Problem, spec: SweepSpec) -> Variables:
    values = np.full(len(networks), np.nan)
    for index in range(min(spec.n_whole_network, len(networks))):
        if bool(networks.alive[index]):
            values[index] = flatness(
                top_eigenpairs(WholeNetwork.of(networks, problem.train, index), TOP).values
            )
    return {
        "whole_network_flatness": (
            "realization",
            values,
            {"long_name": "flatness from the Hessian in all weights and biases"},
        )
    }


@dataclass(frozen=True)
class Plane(Composite[SweepSpec]):
    """Trajectories of several cells on the principal components that they share (Figs. 2B, C).

    Attributes:
        members: the cells, which keep their weights.
    """

    members: tuple[SweepSpec, ...]

    def cells(self) -> list[SweepSpec]:
        """The spec of each cell."""
        return list(self.members)

    def assemble(self, found: Sequence[xr.Dataset]) -> xr.Dataset:
        """`position` (cell, realization, record, component) and `explained` (component)."""
        runs = [run.reshape(run.shape[0], -1) for cell in found for run in cell.weights.values]
        projection = solutions.project(runs)
        shape = (len(found), len(runs) // len(found), -1, 2)
        parts = {
            "position": (
                ("cell", "realization", "record", "component"),
                np.reshape(projection.scores, shape),
            ),
            "explained": ("component", projection.explained),
        }
        coords = {
            name: ("cell", [float(cell[name]) for cell in found])
            for name in ("batch_size", "learning_rate")
        }
        return xr.Dataset(parts, coords, attrs=made_of(found))
