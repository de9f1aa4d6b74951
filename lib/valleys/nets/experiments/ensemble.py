"""Training runs on a problem of one's own, with what the paper measures on them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import xarray as xr

from valleys.nets.engine import plain
from valleys.nets.engine.networks import SECOND_LAYER, Networks
from valleys.nets.engine.passages import Passages
from valleys.nets.engine.problem import Problem, streams
from valleys.nets.engine.stack import Stack
from valleys.nets.engine.training import evaluate, record_steps
from valleys.nets.experiments.runs import Variables
from valleys.nets.experiments.specs import (
    MAIN_THRESHOLD,
    THRESHOLDS,
    check_batch_size,
    check_flatness_every,
    check_thresholds,
    check_training,
)
from valleys.nets.measures.curvature import last_matrix
from valleys.nets.measures.layer_hessian import TOP
from valleys.nets.measures.solutions import similarity_matrix
from valleys.nets.observers.course import Course
from valleys.nets.observers.recorder import flatness_records
from valleys.nets.optimizers.recipe import Recipe
from valleys.nets.optimizers.schedules import schedule
from valleys.nets.optimizers.training import StackVisit, optimize
from valleys.results.spec import require, settled

DESCRIPTIONS = {
    "train_loss": "mean cross-entropy on the training set",
    "train_accuracy": "fraction of the training set that is right",
    "test_loss": "mean cross-entropy on the small test set",
    "test_accuracy": "fraction of the small test set that is right",
    "flatness": "inverse geometric mean of the ten largest eigenvalues of the Hessian (Eq. 6)",
    "weight_norm": "Euclidean norm of the parameters in which the flatness is taken",
}
EIGENVALUES = {"long_name": "ten largest eigenvalues of the Hessian"}
FREEZING = {
    "long_name": "first step with training loss below L_c, looked at every step (Eq. 7)",
    "units": "steps",
}


@dataclass(frozen=True)
class Ensemble:
    """Runs that share problem, batch size and learning rate, and differ in batch order only.

    Attributes:
        networks: the runs at their end, R networks.
        records: what was measured; dims run, record, rank, threshold, test_image. Loss, accuracy,
            `flatness` and `weight_norm` over (run, record), NaN where not asked for or not finite;
            `freezing_time` [steps] over (run, threshold), NaN where the loss never fell that low;
            `misclassified` (run, test_image), and `converged` and `diverged` (run) at the end.
        problem: what they were trained on.

    Example:
        >>> from valleys.nets import load_problem, train_ensemble
        >>> problem = load_problem("digits", train_per_class=10)
        >>> runs = train_ensemble(
        ...     problem, n_runs=2, batch_size=10, learning_rate=0.1, training_time=20
        ... )
        >>> runs.flatness.shape, runs.similarity.shape
        ((2,), (2, 2))
    """

    networks: Stack
    records: xr.Dataset
    problem: Problem

    def __len__(self) -> int:
        """Number of runs."""
        return len(self.networks)

    @property
    def flatness(self) -> np.ndarray:
        """Flatness of each run at its end, (R,) (Eq. 6)."""
        return self.records.flatness.values[:, -1]

    @property
    def similarity(self) -> np.ndarray:
        """Sim_J of every pair of runs at their end, on the small test set, (R, R) (Eq. 4)."""
        return similarity_matrix(self.records.misclassified.values)

    def freezing_time(self, threshold: float = MAIN_THRESHOLD) -> np.ndarray:
        """Time η · step at which the training loss of each run first fell below L_c, (R,) (Eq. 7).

        Args:
            threshold: L_c, one of those that were watched.

        Raises:
            ValueError: that one was not watched.
        """
        watched = self.records.threshold.values.tolist()
        require(
            threshold in watched,
            f"threshold must be one of {watched}, which were watched, got {threshold}",
        )
        steps = self.records.freezing_time.sel(threshold=threshold)
        return self.records.attrs["learning_rate"] * steps.values


@settled
def train_ensemble(
    problem: Problem,
    *,
    n_runs: int = 4,
    batch_size: int = 50,
    learning_rate: float = 0.05,
    recipe: Recipe | None = None,
    training_time: float = 100.0,
    n_records: int = 21,
    flatness_every: int = 0,
    parameters: Sequence[str] = (),
    thresholds: Sequence[float] = THRESHOLDS,
    seed: int = 0,
) -> Ensemble:
    """Stochastic gradient descent (Eqs. 2 and 3), or any other recipe, many runs at once from one
    start.

    Args:
        problem: from `load_problem` or `make_problem`.
        n_runs: R.
        batch_size: B; equal to the training set it is gradient descent, and all runs are one.
        learning_rate: η.
        recipe: schedules, method and noise, in place of the two.
        training_time: η · step at the end.
        n_records: equally spaced records, the first at step 0.
        flatness_every: the flatness is measured at every so many records and at the last; 0 for the
            last only.
        parameters: names of those in which the Hessian is taken, as in `networks.parameters`; if
            empty, the second matrix of a fully connected network, and the last of any other model.
        thresholds: values of L_c for the freezing time.
        seed: of the batch orders.

    Raises:
        ValueError: a value out of its range, or parameters with fewer than ten entries.

    Example:
        >>> from valleys.nets import load_problem, train_ensemble
        >>> problem = load_problem("digits", train_per_class=10)
        >>> runs = train_ensemble(
        ...     problem, n_runs=2, batch_size=10, learning_rate=0.1, training_time=20
        ... )
        >>> bool((runs.flatness > 0).all())
        True
        >>> bool((runs.freezing_time(0.2) < 20).all())
        True
        >>> runs.records.train_loss.dims
        ('run', 'record')
    """
    recipe = _plain(learning_rate, batch_size) if recipe is None else recipe
    _check(problem, n_runs, recipe, flatness_every, thresholds, seed)
    check_training(schedule(recipe.learning_rate).highest, training_time, n_records)
    n_steps = recipe.n_steps(training_time)
    networks, steps = problem.start.repeat(n_runs), record_steps(n_steps, n_records)
    measured = _measured(problem.start, parameters)
    course = Course(n_runs, steps, problem, measured, flatness_records(n_records, flatness_every))
    size, rate = int(recipe.batch_sizes(1)[0]), float(recipe.learning_rates(1)[0])
    how = {"n_steps": n_steps, "streams": streams(seed, size, rate, n_runs)}
    visits = dict.fromkeys(steps.tolist(), course)
    freezing = _train(networks, problem, recipe, thresholds, visits=visits, **how)
    records = _records(course, freezing) | _ends(networks, problem)
    time = np.concatenate([[0.0], recipe.learning_rates(n_steps).cumsum()])[steps]
    coords = {"time": ("record", time), "step": ("record", steps), "threshold": list(thresholds)}
    attributes = {"batch_size": size, "learning_rate": rate}
    return Ensemble(networks, xr.Dataset(records, coords, attributes), problem)


def _plain(learning_rate: float, batch_size: int) -> Recipe:
    """Stochastic gradient descent at one learning rate and one batch size."""
    require(learning_rate > 0, f"learning_rate must be above 0, got {learning_rate}")
    return Recipe(learning_rate, batch_size)


def _train(
    networks: Stack,
    problem: Problem,
    recipe: Recipe,
    thresholds: Sequence[float],
    *,
    n_steps: int,
    visits: Mapping[int, StackVisit],
    streams: Sequence[np.random.Generator],
) -> np.ndarray:
    """The fastest way that a recipe can go; the first step below each L_c, looked at every step,
    (R, len(thresholds)).
    """
    how: dict[str, Any] = {"n_steps": n_steps, "streams": streams}
    passages = Passages(tuple(thresholds))
    if recipe.plain and isinstance(networks, Networks):
        how["learning_rate"] = float(recipe.learning_rates(1)[0])
        how["batch_size"] = int(recipe.batch_sizes(1)[0])
        plain.train(networks, problem.train, **how, visits=visits, passages=passages)
    else:
        optimize(networks, problem.train, recipe, **how, visits=visits, passages=passages)
    return passages.first


def _check(
    problem: Problem,
    n_runs: int,
    recipe: Recipe,
    flatness_every: int,
    thresholds: Sequence[float],
    seed: int,
) -> None:
    """Refuse, before any work, what cannot be trained or measured."""
    sizes = schedule(recipe.batch_size)
    for size in (sizes.lowest, sizes.highest):
        check_batch_size(round(size), len(problem.train))
    require(n_runs >= 1, f"n_runs must be 1 or more, got {n_runs}")
    check_flatness_every(flatness_every)
    check_thresholds(thresholds)
    require(seed >= 0, f"seed must be 0 or more, got {seed}")


def _measured(start: Stack, parameters: Sequence[str]) -> Sequence[str]:
    """Names of the parameters in which the Hessian is taken."""
    own = f"{2 * SECOND_LAYER}.weight" if isinstance(start, Networks) else last_matrix(start)
    chosen, names = list(parameters) or [own], list(start.parameters)
    unknown = [name for name in chosen if name not in names]
    require(not unknown, f"no parameter is named {unknown}; the names are {', '.join(names)}")
    size = sum(start.parameters[name][0].numel() for name in chosen)
    require(
        size >= TOP,
        f"the flatness takes {TOP} eigenvalues, and {', '.join(chosen)} has {size} entries; widen "
        "hidden, or name other parameters",
    )
    return chosen


def _records(course: Course, freezing: np.ndarray) -> Variables:
    """What was measured along the way."""
    courses = {
        name: (("run", "record"), values, {"long_name": DESCRIPTIONS[name]})
        for name, values in course.values.items()
    }
    return courses | {
        "eigenvalues": (("run", "record", "rank"), course.eigenvalues, EIGENVALUES),
        "freezing_time": (("run", "threshold"), freezing, FREEZING),
    }


def _ends(networks: Stack, problem: Problem) -> Variables:
    """How the runs end."""
    train_end, test_end = (evaluate(networks, samples) for samples in (problem.train, problem.test))
    return {
        "misclassified": (("run", "test_image"), test_end.misclassified.cpu().numpy()),
        "converged": ("run", torch.eq(train_end.accuracy, 1).cpu().numpy()),
        "diverged": ("run", ~networks.alive.cpu().numpy()),
    }
