"""Training runs on a problem of one's own, with what the paper measures on them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import xarray as xr

from valleys.nets.engine.networks import SECOND_LAYER, Networks
from valleys.nets.engine.problem import Problem
from valleys.nets.engine.training import evaluate, record_steps
from valleys.nets.experiments.runs import Schedule, Variables, train_runs
from valleys.nets.experiments.specs import (
    MAIN_THRESHOLD,
    THRESHOLDS,
    check_batch_size,
    check_flatness_every,
    check_thresholds,
    check_training,
)
from valleys.nets.measures.layer_hessian import TOP
from valleys.nets.measures.solutions import similarity_matrix
from valleys.nets.observers.freezing import FreezingClock, freezing_checks
from valleys.nets.observers.recorder import DESCRIPTIONS, EIGENVALUES, Recorder, flatness_records
from valleys.results.spec import require


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

    networks: Networks
    records: xr.Dataset
    problem: Problem

    def __len__(self) -> int:
        """Number of runs."""
        return len(self.networks)

    @property
    def flatness(self) -> np.ndarray:
        """Flatness of each run at its end, in the second layer's matrix, (R,) (Eq. 6)."""
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


def train_ensemble(
    problem: Problem,
    *,
    n_runs: int = 4,
    batch_size: int = 50,
    learning_rate: float = 0.05,
    training_time: float = 100.0,
    n_records: int = 21,
    flatness_every: int = 0,
    thresholds: Sequence[float] = THRESHOLDS,
    seed: int = 0,
) -> Ensemble:
    """Plain stochastic gradient descent (Eqs. 2 and 3), many runs at once from one start.

    With the seed of the problem and the same settings these are the runs of `sweep`.

    Args:
        problem: from `load_problem` or `make_problem`.
        n_runs: R.
        batch_size: B; equal to the training set it is gradient descent, and all runs are one.
        learning_rate: η.
        training_time: η · step at the end.
        n_records: equally spaced records, the first at step 0.
        flatness_every: the flatness is measured at every so many records and at the last; 0 for the
            last only.
        thresholds: values of L_c for the freezing time.
        seed: of the batch orders.

    Raises:
        ValueError: a value out of its range, or a second matrix with fewer than ten entries.

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
    _check(problem, n_runs, batch_size, flatness_every, thresholds, seed)
    check_training(learning_rate, training_time, n_records)
    setting = Schedule(
        seed, int(batch_size), float(learning_rate), round(training_time / learning_rate)
    )
    networks, steps = problem.start.repeat(n_runs), record_steps(setting.n_steps, n_records)
    flat = flatness_records(n_records, flatness_every)
    recorder = Recorder(n_runs, steps, problem.train, problem.test, problem.full_test, flat)
    clock = FreezingClock(problem.train, tuple(thresholds))
    checks = freezing_checks(setting.n_steps)
    train_runs(networks, problem, setting, (steps, recorder), (checks, clock))
    records = _records(recorder, clock) | _ends(networks, problem)
    time = np.linspace(0, training_time, n_records)
    coords = {"time": ("record", time), "step": ("record", steps), "threshold": list(thresholds)}
    attributes = {"learning_rate": setting.learning_rate, "batch_size": setting.batch_size}
    return Ensemble(networks, xr.Dataset(records, coords, attributes), problem)


def _check(
    problem: Problem,
    n_runs: int,
    batch_size: int,
    flatness_every: int,
    thresholds: Sequence[float],
    seed: int,
) -> None:
    """Refuse, before any work, what cannot be trained or measured."""
    require(isinstance(problem, Problem), "problem must come from load_problem or make_problem")
    check_batch_size(batch_size, len(problem.train))
    require(n_runs >= 1, f"n_runs must be 1 or more, got {n_runs}")
    check_flatness_every(flatness_every)
    check_thresholds(thresholds)
    require(seed >= 0, f"seed must be 0 or more, got {seed}")
    size = problem.start.weights[SECOND_LAYER][0].numel()
    require(
        size >= TOP,
        f"the flatness takes {TOP} eigenvalues, and the second matrix has {size} "
        "entries; widen hidden",
    )


def _records(recorder: Recorder, clock: FreezingClock) -> Variables:
    """What was measured along the way."""
    courses = {
        name: (("run", "record"), values, {"long_name": DESCRIPTIONS[name]})
        for name, values in recorder.values.items()
    }
    freezing = {"long_name": "first step with training loss below L_c (Eq. 7)", "units": "steps"}
    return courses | {
        "eigenvalues": (("run", "record", "rank"), recorder.eigenvalues, EIGENVALUES),
        "freezing_time": (("run", "threshold"), clock.steps, freezing),
    }


def _ends(networks: Networks, problem: Problem) -> Variables:
    """How the runs end."""
    train_end, test_end = (evaluate(networks, samples) for samples in (problem.train, problem.test))
    return {
        "misclassified": (("run", "test_image"), test_end.misclassified.cpu().numpy()),
        "converged": ("run", torch.eq(train_end.accuracy, 1).cpu().numpy()),
        "diverged": ("run", ~networks.alive.cpu().numpy()),
    }
