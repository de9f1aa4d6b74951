"""The network of Fig. S5 up to ηt = 1000, where published runs end, past a loss of 0.01."""

from dataclasses import dataclass, field

import numpy as np
import torch
import xarray as xr

from valleys.nets.engine.problem import Problem
from valleys.nets.engine.stack import Stack
from valleys.nets.engine.training import evaluate
from valleys.nets.experiments.generality.cifar_network import CifarNetworkSpec, Runs, problem_of
from valleys.nets.experiments.noise_schedules.study import flatnesses
from valleys.nets.experiments.runs import Variables
from valleys.nets.measures.solutions import similarity_matrix
from valleys.nets.measures.walls import walls_of
from valleys.results.spec import require

MOMENTS = ("early", "late", "end")  # first looks below the two levels, and ηt where runs end
DESCRIPTIONS = {
    "time": "training time of the moment",
    "train_loss": "training loss at the moment",
    "flatness": "inverse geometric mean of the ten largest eigenvalues of the Hessian in the last "
    "matrix (Eq. 6)",
    "accuracy": "fraction of all test images that is right",
    "own_wall": "rise of the training loss above the higher end on the line from a run at its "
    "first moment to the same run",
    "own_similarity": "Jaccard similarity of the errors of a run and of itself at its first moment "
    "on all test images (Eq. 4)",
    "wall": "rise of the training loss above the higher end on the line between two runs",
    "similarity": "Jaccard similarity of the errors of two runs on all test images (Eq. 4)",
}


@dataclass(frozen=True)
class CifarLongSpec(CifarNetworkSpec):
    """Runs of one learning rate and batch size from one start, which go on below the last level.

    They are the runs of a `CifarNetworkSpec` of the same setting, start and seed.

    Attributes:
        levels: training losses, of which each gives a moment: the first look below it.
        longest: ηt at which every run ends.
        look_time: ηt between two looks at the loss.
    """

    levels: tuple[float, ...] = (0.01, 0.001)
    longest: float = 1000.0
    look_time: float = 2.0

    def check(self) -> None:
        """Refuse what makes no sense for such runs."""
        super().check()
        seen = f"longest must be look_time or more, got {self.longest:g} and {self.look_time:g}"
        require(self.longest >= self.look_time, seen)


@dataclass
class LongRuns(Runs):
    """Runs that go on to the end.

    Attributes:
        moments: what each network was at the first look below each level; its start before.
    """

    moments: list[Stack] = field(init=False)

    def __post_init__(self) -> None:
        """No level has been passed."""
        super().__post_init__()
        self.moments = [self.networks.copy() for _ in self.first.T]

    @property
    def running(self) -> np.ndarray:
        """Places of those that are finite."""
        return np.flatnonzero(self.networks.alive.cpu().numpy())

    def look(self, problem: Problem, spec: CifarNetworkSpec, time: float) -> None:
        """Write down which levels have been passed, and by which networks."""
        known = np.isfinite(self.first)
        super().look(problem, spec, time)
        for moment, new in zip(self.moments, (np.isfinite(self.first) & ~known).T, strict=True):
            rows = torch.from_numpy(np.flatnonzero(new))
            if len(rows):
                moment.put(rows, self.networks.pick(rows))


def cifar_long(spec: CifarLongSpec) -> xr.Dataset:
    """What runs of one setting are at three moments, and how far they still go between them.

    Returns:
        Dimensions moment (`MOMENTS`), run and pair. `time`, `train_loss`, `flatness`, `accuracy`,
        `own_wall` and `own_similarity` over moment and run, `wall` and `similarity` over moment
        and pair; NaN where a run did not come there. Times are η · step.

    Raises:
        valleys.nets.datasets.DataError: image files are missing or broken.
    """
    problem = problem_of(spec)
    runs = LongRuns(problem.start.repeat(spec.n_runs), spec.orders())
    n_steps = max(1, round(spec.look_time / spec.learning_rate))
    n_looks = int(spec.longest / (n_steps * spec.learning_rate))
    for look in range(1, n_looks + 1):
        runs.advance(problem, spec, n_steps)
        runs.look(problem, spec, look * n_steps * spec.learning_rate)
        if not runs.running.size:
            break
    found = _told(runs, problem, n_looks * n_steps * spec.learning_rate)
    named = {name: (*values, {"long_name": DESCRIPTIONS[name]}) for name, values in found.items()}
    kind = "JPEG copy" if spec.jpeg else "as published"
    moments = {"moment": list(MOMENTS)}
    return xr.Dataset(named, moments).assign_attrs(n_train=spec.n_train, images=kind)


def _told(runs: LongRuns, problem: Problem, end: float) -> Variables:
    """The networks of all moments, and what lies between them."""
    ended = np.where(runs.networks.alive.cpu().numpy(), end, np.nan)
    times = np.vstack([runs.first.T, ended])
    every = problem.start.repeat(times.size)
    for place, stack in enumerate([*runs.moments, runs.networks]):
        every.put(torch.arange(len(stack)) + place * len(stack), stack)
    there, tested = np.isfinite(times), evaluate(every, problem.full_test)
    alone = {
        "time": times.ravel(),
        "train_loss": evaluate(every, problem.train).loss.cpu().numpy(),
        "accuracy": tested.accuracy.cpu().numpy(),
        "flatness": flatnesses(every, problem, np.flatnonzero(there)),
    }
    found: Variables = {
        name: (("moment", "run"), np.where(there, values.reshape(there.shape), np.nan))
        for name, values in alone.items()
    }
    return found | _compared(every, problem, there, tested.misclassified.cpu().numpy())


def _compared(every: Stack, problem: Problem, there: np.ndarray, wrong: np.ndarray) -> Variables:
    """Walls and similarity of each network to itself at its first moment, and to the others."""
    places, alike = np.arange(there.size).reshape(there.shape), similarity_matrix(wrong)
    first, second = np.triu_indices(there.shape[1], 1)
    to_itself = np.stack([places, np.broadcast_to(places[0], there.shape)], axis=-1)
    to_others = np.stack([places[:, first], places[:, second]], axis=-1)
    found: Variables = {}
    for prefix, dim, pairs in (("own_", "run", to_itself), ("", "pair", to_others)):
        known = there.ravel()[pairs].all(axis=-1)
        rises = walls_of(every, pairs.reshape(-1, 2), problem.train).reshape(known.shape)
        similar = alike[pairs[..., 0], pairs[..., 1]]
        found[f"{prefix}wall"] = (("moment", dim), np.where(known, rises, np.nan))
        found[f"{prefix}similarity"] = (("moment", dim), np.where(known, similar, np.nan))
    return found
