"""An SGD run left at many steps and continued with full-batch gradient descent (Fig. 4), at one
setting or at many.
"""

from functools import partial

import numpy as np
import xarray as xr

from valleys.nets.engine.networks import Networks
from valleys.nets.engine.passages import Passages
from valleys.nets.engine.plain import descend_from_branches
from valleys.nets.engine.problem import Problem
from valleys.nets.engine.training import evaluate, plan, record_steps
from valleys.nets.experiments.runs import Branches, Variables, require_finite, train_runs
from valleys.nets.experiments.specs import SAMPLES_OF_A_RECORD, BasinsSpec, ContinuationSpec
from valleys.nets.measures import solutions
from valleys.nets.measures.walls import walls_of
from valleys.nets.observers.recorder import DESCRIPTIONS, EIGENVALUES, Recorder, flatness_records
from valleys.results.grid import Part

WALL = {
    "long_name": "rise of the training loss above the higher end on the line to the last branch"
}


def continuation(spec: ContinuationSpec) -> xr.Dataset:
    """Reference runs of SGD, and gradient descent from each of their branches, all on one clock.

    Returns:
        Dimensions reference, branch, record, rank, threshold, component, test_image,
        full_test_image. `reference_…` belongs to the SGD run, `branch_…` to its continuations (NaN
        before they begin), `final_…` to their ends at `n_steps`.
    """
    problem = Problem.of(spec)
    branches = Branches()
    reference, passages = _reference(problem, spec, branches)
    recorder = _recorder(problem, spec, len(branches) * spec.n_references)
    ends = descend_from_branches(
        branches,
        problem.train,
        learning_rate=spec.learning_rate,
        n_steps=spec.n_steps,
        visits=plan((_steps(spec), recorder)),
    )
    found = (
        _reference_records(reference, passages)
        | _branch_records(recorder, spec)
        | _ends(ends, problem, spec)
        | _plane(reference, recorder, spec)
    )
    coords = {
        "branch_step": ("branch", spec.branch_steps),
        "step": ("record", _steps(spec)),
        "threshold": list(spec.thresholds),
    }
    return xr.Dataset(found, coords=coords, attrs={"dataset": spec.dataset})


def continuation_parts(spec: ContinuationSpec) -> list[Part]:
    """The reference runs without their continuations, and all together, each with its share of
    the work in samples that go through a network.
    """
    own = 3 * spec.n_steps * spec.batch_size + spec.n_records * SAMPLES_OF_A_RECORD
    continued = len(spec.branch_steps) * (
        3 * spec.n_steps * spec.n_train // 2 + spec.n_records * SAMPLES_OF_A_RECORD
    )
    return [
        Part({}, own, partial(_reference_alone, spec)),
        Part({}, continued, partial(continuation, spec)),
    ]


def _reference_alone(spec: ContinuationSpec) -> xr.Dataset:
    return xr.Dataset(_reference_records(*_reference(Problem.of(spec), spec, Branches())))


def _steps(spec: ContinuationSpec) -> np.ndarray:
    return record_steps(spec.n_steps, spec.n_records)


def _recorder(problem: Problem, spec: ContinuationSpec, n_networks: int) -> Recorder:
    return Recorder(
        n_networks,
        _steps(spec),
        problem.train,
        problem.test,
        flatness_records=flatness_records(spec.n_records, spec.flatness_every),
        keep_weights=True,
    )


def _reference(
    problem: Problem, spec: ContinuationSpec, branches: Branches
) -> tuple[Recorder, Passages]:
    """Train the reference runs and fill `branches` with copies of them."""
    recorder = _recorder(problem, spec, spec.n_references)
    passages = Passages(spec.thresholds)
    networks = problem.start.repeat(spec.n_references)
    train_runs(
        networks,
        problem,
        spec,
        (_steps(spec), recorder),
        (spec.branch_steps, branches),
        passages=passages,
    )
    require_finite(networks, spec)
    return recorder, passages


def _reference_records(recorder: Recorder, passages: Passages) -> Variables:
    found: Variables = {
        f"reference_{name}": (("reference", "record"), values, {"long_name": DESCRIPTIONS[name]})
        for name, values in recorder.values.items()
    }
    found["reference_eigenvalues"] = (
        ("reference", "record", "rank"),
        recorder.eigenvalues,
        EIGENVALUES,
    )
    return found | {
        "freezing_time": (
            ("reference", "threshold"),
            passages.first,
            {"long_name": "first step with training loss below L_c (Eq. 7)"},
        )
    }


def _by_reference(values: np.ndarray, spec: ContinuationSpec) -> np.ndarray:
    """(branch · reference, …) as (reference, branch, …)."""
    return np.swapaxes(
        values.reshape(len(spec.branch_steps), spec.n_references, *values.shape[1:]), 0, 1
    )


def _branch_records(recorder: Recorder, spec: ContinuationSpec) -> Variables:
    dims, last = ("reference", "branch", "record"), recorder.eigenvalues[:, -1]
    found = {
        f"branch_{name}": (dims, _by_reference(values, spec), {"long_name": DESCRIPTIONS[name]})
        for name, values in recorder.values.items()
    }
    return found | {
        "final_eigenvalues": (
            ("reference", "branch", "rank"),
            _by_reference(last, spec),
            EIGENVALUES,
        )
    }


def _ends(ends: Networks, problem: Problem, spec: ContinuationSpec) -> Variables:
    """Errors of the continuations at their common end, and how alike they are."""
    dims, found = ("reference", "branch"), {}
    for name, samples, image in (
        ("", problem.test, "test_image"),
        ("_full", problem.full_test, "full_test_image"),
    ):
        end = evaluate(ends, samples)
        wrong = _by_reference(end.misclassified.cpu().numpy(), spec)
        found[f"final_test_loss{name}"] = (dims, _by_reference(end.loss.cpu().numpy(), spec))
        found[f"final_test_accuracy{name}"] = (
            dims,
            _by_reference(end.accuracy.cpu().numpy(), spec),
        )
        found[f"misclassified{name}"] = ((*dims, image), wrong)
        found[f"similarity{name}"] = (
            (*dims, "other"),
            np.stack([solutions.similarity_matrix(one) for one in wrong]),
        )
    return found | {"wall_to_last": (dims, _walls_to_last(ends, problem, spec), WALL)}


def _walls_to_last(ends: Networks, problem: Problem, spec: ContinuationSpec) -> np.ndarray:
    """Between each end and that of the last branch of its run, (reference, branch)."""
    every, n = np.arange(len(ends)), spec.n_references
    pairs = np.stack([every, every[-n:][every % n]], axis=1)
    return _by_reference(walls_of(ends, pairs, problem.train), spec)


def _plane(reference: Recorder, branches: Recorder, spec: ContinuationSpec) -> Variables:
    """Positions on two principal components per reference run, fitted on its continuations; NaN
    before a continuation begins.
    """
    every = _by_reference(branches.weights.reshape(*branches.weights.shape[:2], -1), spec)
    own = reference.weights.reshape(*reference.weights.shape[:2], -1)
    planes = [_plane_of_one(run, continued) for run, continued in zip(own, every, strict=True)]
    names = ("reference_position", "branch_position", "explained")
    dims = (
        ("reference", "record", "component"),
        ("reference", "branch", "record", "component"),
        ("reference", "component"),
    )
    return {
        name: (dim, np.stack(values))
        for name, dim, values in zip(names, dims, zip(*planes, strict=True), strict=True)
    }


def _plane_of_one(
    run: np.ndarray, continued: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    begun = ~np.isnan(continued[..., 0])
    projection = solutions.project([run, continued[begun]], fit_on=[continued[begun]])
    positions = np.full((*continued.shape[:2], 2), np.nan)
    positions[begun] = projection.scores[1]
    return projection.scores[0], positions, projection.explained


def basins(spec: BasinsSpec) -> xr.Dataset:
    """How alike each continuation of a run is to the last one, and when the run froze by its loss.

    Returns:
        Dimensions reference, branch, threshold. `similarity_to_last` on the small test set and
        `similarity_to_last_full` on all test images; `wall_to_last`, `final_train_loss` and
        `final_flatness`; `branch_time` and `freezing_time` are η · step, NaN where a loss was never
        reached.
    """
    continued = continuation(spec.continuation)
    found = {
        name.replace("similarity", "similarity_to_last"): continued[name].isel(other=-1)
        for name in ("similarity", "similarity_full")
    }
    found |= {
        "branch_time": spec.learning_rate * continued.branch_step,
        "freezing_time": spec.learning_rate * continued.freezing_time,
    }
    found |= {
        "wall_to_last": continued.wall_to_last,
        "final_train_loss": continued.branch_train_loss.isel(record=-1),
        "final_flatness": continued.branch_flatness.isel(record=-1),
    }
    return xr.Dataset(found).drop_vars(["branch_step", "step"]).assign_attrs(continued.attrs)


PARTS = {continuation: continuation_parts}
