"""The paper's question, asked of any network: what more noise does to it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import xarray as xr
from tqdm import tqdm

from valleys.nets.engine.problem import Problem
from valleys.nets.engine.stack import Stack
from valleys.nets.engine.training import evaluate
from valleys.nets.experiments.ensemble import Ensemble, train_ensemble
from valleys.nets.experiments.specs import MAIN_THRESHOLD
from valleys.nets.measures.curvature import curvature
from valleys.nets.measures.lanczos import top_eigenpairs
from valleys.nets.measures.solutions import rise
from valleys.results.spec import check_distinct, require

N_FRACTIONS = 11  # points of a straight line between two ends


@dataclass(frozen=True)
class Settings:
    """How the networks are trained and looked at.

    Attributes:
        batch_sizes: two or more, of which the smallest has most noise.
        learning_rate: as the others, what `ask` takes.
        training_time: as in `ask`.
        n_runs: as in `ask`.
        n_records: as in `ask`.
        threshold: as in `ask`.
        seed: as in `ask`.
    """

    batch_sizes: tuple[int, ...]
    learning_rate: float
    training_time: float
    n_runs: int
    n_records: int
    threshold: float
    seed: int

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        check_distinct("batch_sizes", self.batch_sizes)
        require(len(self.batch_sizes) >= 2, "batch_sizes must hold two or more, to be compared")
        require(self.n_runs >= 2, f"n_runs must be 2 or more, to be compared, got {self.n_runs}")


def ask(
    problems: Problem | Sequence[Problem],
    *,
    batch_sizes: Sequence[int] = (),
    learning_rate: float = 0.05,
    training_time: float = 50.0,
    n_runs: int = 4,
    n_records: int = 11,
    threshold: float = MAIN_THRESHOLD,
    seed: int = 0,
    progress: bool = True,
) -> xr.Dataset:
    """Train networks with little and with much noise, and write down what the paper asks about.

    Args:
        problems: one, or one for each start and training set, over which intervals then go.
        batch_sizes: two or more; the whole training set and ten images if empty.
        learning_rate: η.
        training_time: η · step at the end.
        n_runs: runs of each batch size from each start.
        n_records: equally spaced looks at loss and flatness.
        threshold: L_c, the training loss at which a run counts as frozen.
        seed: of the batch orders.
        progress: whether a bar is shown.

    Returns:
        Dimensions start, batch_size (falling: noise grows), run, record, pair. `train_loss`,
        `test_accuracy` and `flatness` over (start, batch_size, run, record); `freezing_time` [η ·
        step] and `sharpness` (largest eigenvalue in all parameters at the end, in units of 2/η,
        above which a step of gradient descent climbs) over (start, batch_size, run); `wall` (rise
        of the training loss between two ends) over (start, batch_size, pair). NaN where a run is
        not finite or never froze.

    Raises:
        ValueError: nothing to compare, or a value out of its range.

    Example:
        >>> from valleys.nets import ask, load_problem
        >>> problem = load_problem("digits", train_per_class=10)
        >>> found = ask(problem, learning_rate=0.1, training_time=20, n_runs=2, progress=False)
        >>> found.flatness.dims
        ('start', 'batch_size', 'run', 'record')
    """
    every = [problems] if isinstance(problems, Problem) else list(problems)
    require(len(every) > 0, "problems must hold one or more")
    sizes = sorted(batch_sizes or {len(every[0].train), 10}, reverse=True)
    rest = (learning_rate, training_time, n_runs, n_records, threshold, seed)
    asked = Settings(tuple(sizes), *rest)
    bar = tqdm(total=len(every) * len(sizes), disable=not progress, desc="networks")
    with bar:
        starts = [
            xr.concat([_setting(problem, size, asked, bar) for size in sizes], "batch_size")
            for problem in every
        ]
    found = xr.concat(starts, "start").assign_coords(batch_size=list(sizes))
    return found.assign_attrs(learning_rate=asked.learning_rate, threshold=asked.threshold)


def _setting(problem: Problem, batch_size: int, asked: Settings, bar: tqdm) -> xr.Dataset:
    """All runs of one batch size from one start; gradient descent is one run."""
    single = batch_size == len(problem.train)
    runs = train_ensemble(
        problem,
        n_runs=1 if single else asked.n_runs,
        batch_size=batch_size,
        learning_rate=asked.learning_rate,
        training_time=asked.training_time,
        n_records=asked.n_records,
        flatness_every=1,
        thresholds=(asked.threshold,),
        seed=asked.seed,
    )
    bar.update()
    kept = runs.records[["train_loss", "test_accuracy", "flatness"]]
    found = kept.assign(
        freezing_time=("run", runs.freezing_time(asked.threshold)),
        sharpness=("run", _sharpness(runs, asked.learning_rate)),
    ).pad(run=(0, asked.n_runs - len(runs)))  # NaN for the copies of a single run
    n_pairs = asked.n_runs * (asked.n_runs - 1) // 2
    walls = np.full(n_pairs, np.nan) if single else _walls(runs.networks, problem)
    return found.assign(wall=("pair", walls))


def _sharpness(runs: Ensemble, learning_rate: float) -> np.ndarray:
    """Largest eigenvalue of the Hessian in all parameters over 2/η, (R,)."""
    found = np.full(len(runs), np.nan)
    for index in np.flatnonzero(runs.networks.alive.cpu().numpy()):
        bent = curvature(runs.networks, runs.problem.train, int(index))
        found[index] = top_eigenpairs(bent, 1).values[0] * learning_rate / 2
    return found


def _walls(networks: Stack, problem: Problem) -> np.ndarray:
    """Rise of the training loss on the straight line between each two ends, (n_pairs,)."""
    first, second = np.triu_indices(len(networks), 1)
    losses = [
        evaluate(_line(networks, int(one), int(two)), problem.train).loss.cpu().numpy()
        for one, two in zip(first, second, strict=True)
    ]
    return rise(np.array(losses))


def _line(networks: Stack, first: int, second: int) -> Stack:
    """Networks on the straight line from one of them to another."""
    line = networks.pick(slice(first, first + 1)).repeat(N_FRACTIONS)
    for name, part in line.parameters.items():
        ends = networks.parameters[name]
        share = torch.linspace(0, 1, N_FRACTIONS).to(part).view(-1, *[1] * (part.ndim - 1))
        part.copy_(torch.lerp(ends[first][None], ends[second][None], share))
    return line
