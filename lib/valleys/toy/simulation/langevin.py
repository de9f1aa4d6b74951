"""Simulation of the discrete Langevin equation of the two-valley model (Eqs. 13-15).

Run i of a cell starts at x = −0.01 if i is even and at x = +0.01 if i is odd, so that half the runs
begin in each valley. Every block of runs draws from a stream of its own: a result depends on the
seed, and not on the number of threads.
"""

import dataclasses
import math
import numbers
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product
from typing import Any, Protocol, TypeVar

import numpy as np
import xarray as xr

from valleys.results import machine
from valleys.toy.landscapes.two_valley import TwoValley
from valleys.toy.simulation.kernels import (
    ADVANCE,
    ALIVE,
    CROSSING_Y,
    LANES,
    LAST_CROSSING,
    NOISES,
    STATE_ROWS,
    WORDS,
    X,
    Y,
)

START_X = 0.01
Seed = int | np.random.SeedSequence
Job = TypeVar("Job")
Result = TypeVar("Result")


class Walkers(Protocol):
    """A setting of the walk that moves runs, a block of LANES at a time."""

    def start(self, block: np.random.SeedSequence, first_run: int) -> tuple[np.ndarray, np.ndarray]:
        """State of a block before its first step, and the words of its generators."""
        ...

    def advance(self, state: np.ndarray, words: np.ndarray, first_step: int, n_steps: int) -> None:
        """Move the runs of a block on by n_steps, in place."""
        ...


@dataclass(frozen=True)
class TwoValleyWalk:
    """One setting of Eqs. 13-15; noise as in `phase_diagram`."""

    landscape: TwoValley
    learning_rate: float
    noise_strength: float
    start_y: float
    noise: str

    def start(
        self, block: np.random.SeedSequence, first_run: int = 0
    ) -> tuple[np.ndarray, np.ndarray]:
        """State (STATE_ROWS, LANES) of a block before its first step, and the words of its
        generators; LANES is even, so that no block depends on its first run.
        """
        state = np.empty((STATE_ROWS, LANES))
        state[X] = np.where(np.arange(LANES) % 2, START_X, -START_X)
        state[Y] = state[CROSSING_Y] = self.start_y
        state[LAST_CROSSING] = state[ALIVE] = 1.0
        return state, generator_words(block)

    def advance(self, state: np.ndarray, words: np.ndarray, first_step: int, n_steps: int) -> None:
        """Move the runs of a block on by n_steps, in place."""
        scales = map(float, dataclasses.astuple(self.landscape))
        constants = (*scales, float(self.landscape.y_min))
        setting = constants, float(self.learning_rate), float(self.noise_strength)
        ADVANCE[self.noise](state, words, first_step, n_steps, *setting)


def phase_diagram(
    landscape: TwoValley,
    learning_rates: Sequence[float],
    noise_strengths: Sequence[float],
    n_runs: int = 2000,
    n_steps: int = 20_000,
    start_y: float = 5.0,
    noise: str = "hessian",
    seed: Seed = 0,
) -> xr.Dataset:
    """P_flat and freezing for every pair of learning rate η and noise strength σ (Figs. 5C, 5D and
    S6).

    Dims (learning_rate, noise_strength): p_flat, the fraction of runs with x > 0 at the end;
    freezing_time [steps], the last step at which x changed sign (the first step is 1; 1 if it never
    did); freezing_y, y at that step; their standard errors `…_error`; and diverged, the fraction of
    runs that left the landscape. Diverged runs count in no mean; where every run diverged, the
    means are NaN. noise is the covariance of ξ: "hessian" 2σH₊ (negative eigenvalues set to 0),
    "hessian_squared" 2σH², or "isotropic" 4σ/√(f1 f2)·1, which is the geometric mean of the two
    valleys on both sides of the ridge. Each has 1e-8·1 added. Raises ValueError for any setting out
    of range.

    Example:
        >>> from valleys.toy import TwoValley, phase_diagram
        >>> found = phase_diagram(TwoValley(), [0.02, 0.1], [0.01, 0.1], n_runs=400, n_steps=2000)
        >>> found.p_flat.dims
        ('learning_rate', 'noise_strength')
        >>> bool(found.p_flat.max() > 0.5)
        True
    """
    rates, strengths = list(learning_rates), list(noise_strengths)
    check_settings(
        landscape,
        rates,
        strengths,
        start_y=start_y,
        n_runs=n_runs,
        n_steps=n_steps,
        noise=noise,
        seed=seed,
    )
    cells = [TwoValleyWalk(landscape, *cell, start_y, noise) for cell in product(rates, strengths)]
    ends = _ends(cells, streams(seed).spawn(len(cells)), n_runs, n_steps)
    return on_map(rates, strengths, ends)


def on_map(
    learning_rates: Sequence[float],
    noise_strengths: Sequence[float],
    cells: Sequence[Mapping[str, float]],
) -> xr.Dataset:
    """Numbers of each cell over (learning_rate, noise_strength), the last of which is fastest in
    the order of the cells.
    """
    shape = len(learning_rates), len(noise_strengths)
    values = {name: np.array([cell[name] for cell in cells]).reshape(shape) for name in cells[0]}
    rates, strengths = np.array(learning_rates, float), np.array(noise_strengths, float)
    return xr.Dataset(
        {name: (("learning_rate", "noise_strength"), value) for name, value in values.items()},
        {"learning_rate": rates, "noise_strength": strengths},
    )


def map_cell(
    landscape: TwoValley,
    learning_rate: float,
    noise_strength: float,
    stream: np.random.SeedSequence,
    n_runs: int,
    n_steps: int,
    start_y: float,
    noise: str,
) -> xr.Dataset:
    """One cell of `phase_diagram` alone, without dimensions.

    Args as there; the stream is what its seed spawns at the place of the cell, learning rate by
    learning rate.
    """
    walk = TwoValleyWalk(landscape, learning_rate, noise_strength, start_y, noise)
    (summary,) = _ends([walk], [streams(stream)], n_runs, n_steps)
    return xr.Dataset(summary, {"learning_rate": learning_rate, "noise_strength": noise_strength})


def _ends(
    walks: Sequence[TwoValleyWalk],
    cells: Sequence[np.random.SeedSequence],
    n_runs: int,
    n_steps: int,
) -> list[dict[str, float]]:
    """Summary of the last state of each cell; blocks of runs of all cells share the threads."""

    def final_state(job: tuple[TwoValleyWalk, np.random.SeedSequence]) -> np.ndarray:
        walk, block = job
        state, words = walk.start(block)
        walk.advance(state, words, 1, n_steps)
        return state

    jobs = [
        (walk, block)
        for walk, stream in zip(walks, cells, strict=True)
        for block in stream.spawn(n_blocks(n_runs))
    ]
    by_cell = np.stack(in_threads(final_state, jobs)).reshape(len(walks), -1, STATE_ROWS, LANES)
    return [_summary(np.concatenate(list(blocks), axis=-1)[:, :n_runs]) for blocks in by_cell]


def flat_probability(
    landscape: TwoValley,
    learning_rate: float,
    noise_strength: float,
    n_runs: int = 1000,
    n_steps: int = 100_000,
    start_y: float = 1.0,
    record_every: int = 100,
    noise: str = "hessian",
    seed: Seed = 0,
) -> xr.Dataset:
    """P_flat and mean y as they evolve, for one learning rate and noise strength (Fig. 6B).

    Dim step (0, record_every, …, n_steps), with time = learning_rate · step: p_flat, mean_y, their
    standard errors, and diverged. Noise and divergence as in `phase_diagram`. Raises ValueError for
    any setting out of range, or if record_every does not divide n_steps.

    Example:
        >>> from valleys.toy import TwoValley, flat_probability
        >>> found = flat_probability(
        ...     TwoValley(), 0.05, 0.1, n_runs=200, n_steps=2000, record_every=1000
        ... )
        >>> found.step.values
        array([   0, 1000, 2000])
        >>> float(found.p_flat[0])
        0.5
    """
    walk = TwoValleyWalk(landscape, learning_rate, noise_strength, start_y, noise)
    history = _checked_histories(walk, n_runs, n_steps, record_every, seed)
    summaries = [_summary(record) for record in history]
    names = {
        "p_flat": "p_flat",
        "mean_y": "y",
        "diverged": "diverged",
        "p_flat_error": "p_flat_error",
        "mean_y_error": "y_error",
    }
    variables = {
        name: ("step", np.array([summary[source] for summary in summaries]))
        for name, source in names.items()
    }
    return xr.Dataset(variables, _steps(learning_rate, n_steps, record_every))


def trajectories(
    landscape: TwoValley,
    learning_rate: float,
    noise_strength: float,
    n_runs: int = 4,
    n_steps: int = 20_000,
    start_y: float = 5.0,
    record_every: int = 1,
    noise: str = "hessian",
    seed: Seed = 0,
) -> xr.Dataset:
    """Single runs: dims (run, step), with time = learning_rate · step: x, y and loss; a run stands
    still, with `alive` False, once it has diverged.

    Raises ValueError for any setting out of range, or if record_every does not divide n_steps.

    Example:
        >>> from valleys.toy import TwoValley, trajectories
        >>> runs = trajectories(TwoValley(), 0.05, 0.1, n_runs=2, n_steps=1000, record_every=500)
        >>> runs.x.shape, runs.x.dims
        ((2, 3), ('run', 'step'))
    """
    walk = TwoValleyWalk(landscape, learning_rate, noise_strength, start_y, noise)
    history = _checked_histories(walk, n_runs, n_steps, record_every, seed)
    x, y, alive = (np.ascontiguousarray(history[:, row].T) for row in (X, Y, ALIVE))
    dims = ("run", "step")
    variables = {
        "x": (dims, x),
        "y": (dims, y),
        "loss": (dims, landscape.loss(x, y)),
        "alive": (dims, alive > 0),
    }
    return xr.Dataset(
        variables, {"run": np.arange(n_runs)} | _steps(learning_rate, n_steps, record_every)
    )


def _checked_histories(
    walk: TwoValleyWalk, n_runs: int, n_steps: int, record_every: int, seed: Seed
) -> np.ndarray:
    """Recorded states of checked settings, (records, STATE_ROWS, n_runs)."""
    check_settings(
        walk.landscape,
        [walk.learning_rate],
        [walk.noise_strength],
        start_y=walk.start_y,
        n_runs=n_runs,
        n_steps=n_steps,
        record_every=record_every,
        noise=walk.noise,
        seed=seed,
    )
    return histories(walk, n_runs, n_steps, record_every, seed)


def histories(
    walk: Walkers, n_runs: int, n_steps: int, record_every: int, seed: Seed
) -> np.ndarray:
    """Recorded states, (records, rows of the state, n_runs), the first before any step."""

    def history(job: tuple[int, np.random.SeedSequence]) -> np.ndarray:
        place, block = job
        state, words = walk.start(block, LANES * place)
        records = [state.copy()]
        for past in range(0, n_steps, record_every):
            walk.advance(state, words, past + 1, record_every)
            records.append(state.copy())
        return np.stack(records)

    blocks = in_threads(history, enumerate(streams(seed).spawn(n_blocks(n_runs))))
    return np.concatenate(blocks, axis=-1)[:, :, :n_runs]


def _steps(learning_rate: float, n_steps: int, record_every: int) -> dict[str, Any]:
    """Coordinates step and time = learning_rate · step."""
    step = np.arange(0, n_steps + 1, record_every)
    return {"step": step, "time": ("step", learning_rate * step)}


def _summary(runs: np.ndarray) -> dict[str, float]:
    """Means over the runs (STATE_ROWS, n_runs) that did not diverge, with standard errors."""
    survivors = runs[:, runs[ALIVE] > 0]
    n, n_flat = survivors.shape[1], int(np.sum(survivors[X] > 0))
    summary = {
        "p_flat": n_flat / n if n else math.nan,
        "p_flat_error": fraction_error(n_flat, n),
        "diverged": 1 - n / runs.shape[1],
    }
    for name, row in (("freezing_time", LAST_CROSSING), ("freezing_y", CROSSING_Y), ("y", Y)):
        summary[name], summary[f"{name}_error"] = mean_and_error(survivors[row])
    return summary


def fraction_error(n_hits: int, n: int) -> float:
    """Standard error of a fraction: the posterior standard deviation under a flat prior, which
    stays above 0 at 0 and at n hits.
    """
    share = (n_hits + 1) / (n + 2)
    return math.sqrt(share * (1 - share) / (n + 3))


def mean_and_error(values: np.ndarray) -> tuple[float, float]:
    """Mean of independent values and its standard error; NaN without values, error NaN for a
    single one.
    """
    n = values.size
    return (
        float(values.mean()) if n else math.nan,
        float(values.std(ddof=1) / math.sqrt(n)) if n > 1 else math.nan,
    )


def streams(seed: Seed) -> np.random.SeedSequence:
    """The seed as a fresh sequence, so that spawning from it twice gives the same streams."""
    if isinstance(seed, np.random.SeedSequence):
        return np.random.SeedSequence(
            seed.entropy, spawn_key=seed.spawn_key, pool_size=seed.pool_size
        )
    return np.random.SeedSequence(seed)


def generator_words(block: np.random.SeedSequence) -> np.ndarray:
    """Fresh generator states for one block of lanes, (WORDS, LANES) uint64."""
    return block.generate_state(WORDS * LANES, np.uint64).reshape(WORDS, LANES)


def n_blocks(n_runs: int) -> int:
    """Blocks of LANES runs that hold n_runs."""
    return -(-n_runs // LANES)


def in_threads(function: Callable[[Job], Result], jobs: Iterable[Job]) -> list[Result]:
    """Results of function(job) in the order of the jobs, on as many threads as allowed.

    Numba is not asked how many: its answer starts threads of its own, and gives torch as many.
    """
    with ThreadPoolExecutor(machine.threads()) as pool:
        return list(pool.map(function, jobs))


def check_settings(
    landscape: TwoValley,
    learning_rates: Sequence[float],
    noise_strengths: Sequence[float],
    *,
    start_y: float,
    n_runs: int = 2,
    n_steps: int = 1,
    record_every: int = 1,
    noise: str = "hessian",
    seed: Seed = 0,
) -> None:
    """Refuse, in one line, what no simulation can run with (ValueError)."""
    if not isinstance(landscape, TwoValley):
        raise ValueError(
            f"landscape must be a TwoValley, such as TwoValley(); got {type(landscape).__name__}"
        )
    if noise not in NOISES:
        raise ValueError(f"unknown noise {noise!r}; choose one of {', '.join(NOISES)}")
    _check_positive("learning rate", learning_rates)
    _check_positive("noise strength", noise_strengths)
    _check_counts(n_runs, n_steps, record_every)
    if not (isinstance(seed, np.random.SeedSequence) or (_is_integer(seed) and seed >= 0)):
        raise ValueError(f"seed is {seed!r}; it must be a non-negative integer")
    if not (_is_real(start_y) and start_y > landscape.y_min):
        raise ValueError(
            f"start_y is {start_y!r}; it must be a number above {landscape.y_min:g}, "
            "where the landscape ends"
        )


def _check_positive(name: str, values: Sequence[float]) -> None:
    if len(values) == 0:
        raise ValueError(f"no {name} is given; give at least one positive number")
    if wrong := [value for value in values if not (_is_real(value) and value > 0)]:
        raise ValueError(f"{name} {wrong[0]!r} is not a positive number; give values such as 0.01")


def _check_counts(n_runs: int, n_steps: int, record_every: int) -> None:
    counts = {"n_runs": n_runs, "n_steps": n_steps, "record_every": record_every}
    for name, value in counts.items():
        if not (_is_integer(value) and value > 0):
            raise ValueError(f"{name} is {value!r}; it must be a positive integer")
    if n_runs % 2:
        raise ValueError(
            f"n_runs is {n_runs}; it must be even, because half the runs start in each valley"
        )
    if n_steps % record_every:
        raise ValueError(
            f"record_every = {record_every} does not divide n_steps = {n_steps}; "
            "choose one that does"
        )


def _is_integer(value: object) -> bool:
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def _is_real(value: object) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool) and math.isfinite(value)
