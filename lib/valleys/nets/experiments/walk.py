"""A walk with SGD: the loss between consecutive steps of training runs, and between valley
floors far apart (Xing et al., arXiv 1802.08770).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
import xarray as xr

from valleys.nets.engine.networks import SECOND_LAYER, Networks, join
from valleys.nets.engine.passages import Passages
from valleys.nets.engine.problem import Problem
from valleys.nets.engine.training import Samples
from valleys.nets.experiments.runs import Variables, train_runs
from valleys.nets.experiments.specs import MAIN_THRESHOLD, RunsSpec, check_records
from valleys.nets.measures import step_lines
from valleys.nets.measures.floor_scans import Floors, hill
from valleys.results.spec import require

# of the training time, when the second window begins; the first is the start itself
EARLIEST = 1 / 200
DESCRIPTIONS = {
    "floor_share": "share of steps with an interior minimum on the grid of the line",
    "slope_share": "share of steps whose loss falls at the start of the line and rises at its end",
    "convex_share": "share of steps with a convex line",
    "height": "mean loss of both ends above the lowest on the line, over steps with a floor",
    "relative_height": "height over the mean loss of both ends, over steps with a floor",
    "loss": "mean training loss of the steps",
    "floor_loss": "lowest training loss on any line of the window",
    "hill_within": "hill on the line from the floor of the first step of the window to that of its "
    "last",
    "cosine": "mean cosine of successive updates",
    "landscape_cosine": "part of the cosine that the full gradient makes",
    "step_length": "mean Euclidean length of an update, all weights and biases",
    "curvature": "mean of uᵀHu / |u|² over the updates u",
    "distance": "Euclidean distance from initialization, all weights and biases",
    "distance_second": "the same of the second layer's matrix",
}

SCANS = {
    "along": "loss from the floor of each window to the last floor of the run",
    "along_hill": "hill between two floors of a run",
    "across": "mean loss from the floor of a run to those of the others",
    "across_hill": "hill between the floors of two runs",
}


@dataclass(frozen=True)
class WalkSpec(RunsSpec):
    """Training runs that share (η, B), looked at step by step in windows.

    Attributes:
        batch_size: B; equal to the training set it is full-batch gradient descent.
        learning_rate: η.
        training_time: ηt at the end.
        n_realizations: runs.
        n_windows: windows at common times: the start, then equal ratios, because training slows
            down as it goes on.
        steps_per_window: consecutive updates in a window.
        n_fractions: points of a line, both ends and the middle included.
        threshold: L_c of the freezing time.
        multiples: more windows, of each run at these multiples of its own freezing time.
    """

    n_windows: int = 8
    steps_per_window: int = 20
    n_fractions: int = 21
    threshold: float = MAIN_THRESHOLD
    multiples: tuple[float, ...] = ()

    def check(self) -> None:
        """Refuse what makes no sense for a walk."""
        super().check()
        check_records(2, self.learning_rate, self.training_time)
        self.require_at_least(n_windows=2)
        n_steps = self.n_steps
        self.require_between(
            "steps_per_window", 2, n_steps, f"2 and the {n_steps} steps of the training"
        )
        require(
            self.n_fractions >= 5 and self.n_fractions % 2 == 1,
            "n_fractions must be odd and 5 or more (both ends and the middle), got "
            f"{self.n_fractions}",
        )
        require(self.threshold > 0, f"threshold must be a positive loss, got {self.threshold}")
        require(
            all(each > 0 for each in self.multiples),
            f"multiples must be positive, got {self.multiples}",
        )
        require(
            len(set(self.window_steps.tolist())) == self.n_windows,
            f"n_windows {self.n_windows} do not fit into {n_steps} steps: ask "
            "for fewer, or for a smaller learning_rate",
        )

    @property
    def work(self) -> float:
        """Steps of a network."""
        return self.n_steps * self.n_realizations

    @property
    def window_times(self) -> np.ndarray:
        """ηt at which the common windows begin or, for the last, end, (n_windows,)."""
        return np.concatenate(
            [
                [0.0],
                np.geomspace(EARLIEST * self.training_time, self.training_time, self.n_windows - 1),
            ]
        )

    @property
    def window_steps(self) -> np.ndarray:
        """First steps of the common windows, int64, (n_windows,)."""
        return np.minimum(
            (self.window_times / self.learning_rate).round(), self.n_steps - self.steps_per_window
        ).astype(np.int64)


def walk(spec: WalkSpec) -> xr.Dataset:
    """Lines between consecutive steps of each run, in windows at common times and around its own
    freezing time; gradient descent has one run.

    The runs are those of a sweep. They are trained twice: first to find when each freezes, then to
    look at it from nearby.

    Returns:
        Dimensions realization, window (common times), multiple (of the freezing time), fraction,
        other (windows again), partner (runs again). What `DESCRIPTIONS` names, by window, and by
        multiple with `near_` before it; `profile` is the mean loss along the lines of a window;
        `window_time`, where a window begins, and `freezing_time` are η · step; `along` and `across`
        are scans between floors, `_hill` their hills. NaN where a run is not finite, or has not
        enough steps after it froze. Gradient descent fills the first realization, and the others
        are NaN.
    """
    problem, count = Problem.of(spec), spec.n_distinct
    passages = Passages((spec.threshold,))
    train_runs(problem.start.repeat(count), problem, spec, passages=passages)
    common = np.tile(spec.window_steps, (count, 1))
    near = _near_steps(passages.first[:, 0], spec)
    watcher = Watcher(spec, problem, np.concatenate([common, near], axis=1))
    train_runs(problem.start.repeat(count), problem, spec, (watcher.steps, watcher))
    found = _split(watcher, spec) | _scans(watcher, spec) | _times(passages, spec)
    missing = (0, spec.n_realizations - count)
    return xr.Dataset(found, coords=_coordinates(spec), attrs={"dataset": spec.dataset}).pad(
        realization=missing, partner=missing
    )


def _near_steps(frozen: np.ndarray, spec: WalkSpec) -> np.ndarray:
    """First steps of the windows whose middle lies at the multiples of each run's freezing step,
    (R, n_multiples); −1 where they do not fit.
    """
    first = np.nan_to_num(
        frozen[:, None] * np.array(spec.multiples) - spec.steps_per_window / 2, nan=-1.0
    ).round()
    return np.where(
        (first >= 0) & (first <= spec.n_steps - spec.steps_per_window), first, -1
    ).astype(np.int64)


@dataclass
class Watcher:
    """A visit that keeps the networks of each run while one of its windows lasts, and measures the
    lines between them when it closes.

    Attributes:
        spec: of the walk.
        setting: its data and start.
        first: step at which each window of each run begins, −1 for none, (R, n_windows).
        values: what was found, by name, (R, n_windows).
        profiles: mean loss along the lines, (R, n_windows, n_fractions).
        floors: the network at the lowest point of each window's lines, R lists of n_windows; None
            where there is none.
        train: the training set in float64.
    """

    spec: WalkSpec
    problem: Problem
    first: np.ndarray
    values: dict[str, np.ndarray] = field(init=False)
    profiles: np.ndarray = field(init=False)
    floors: list[list[Networks | None]] = field(init=False)
    train: Samples = field(init=False)

    def __post_init__(self) -> None:
        """Nothing is known yet."""
        self.values = {name: np.full(self.first.shape, np.nan) for name in DESCRIPTIONS}
        self.profiles = np.full((*self.first.shape, self.spec.n_fractions), np.nan)
        self.floors = [[None] * self.first.shape[1] for _ in self.first]
        self.train = Samples(self.problem.train.images.double(), self.problem.train.labels)
        self._kept: dict[tuple[int, int], list[Networks]] = {}

    @property
    def steps(self) -> Sequence[int]:
        """Every step that lies in a window of some run."""
        begun = np.unique(self.first[self.first >= 0])
        return np.unique(begun[:, None] + np.arange(self.spec.steps_per_window + 1)).tolist()

    def __call__(self, step: int, networks: Networks) -> None:
        """Keep the networks whose window is open; measure those whose window closes."""
        since = np.where(self.first >= 0, step - self.first, -1)
        for run, window in np.argwhere((since >= 0) & (since <= self.spec.steps_per_window)):
            self._kept.setdefault((run, window), []).append(networks.one(run).copy())
        for run, window in np.argwhere(since == self.spec.steps_per_window):
            stack = join(self._kept.pop((run, window))).to(torch.float64)
            if bool(stack.alive.all()):
                self._measure(run, window, stack)

    def _measure(self, run: int, window: int, stack: Networks) -> None:
        found = step_lines.lines_between(stack, self.train, self.spec.n_fractions)
        self.profiles[run, window] = found.losses.mean(axis=0)
        for name, value in (
            _of_lines(found)
            | _of_updates(found, stack, self.spec.learning_rate)
            | self._distances(stack)
        ).items():
            self.values[name][run, window] = value
        place = np.unravel_index(found.losses.argmin(), found.losses.shape)
        self.floors[run][window] = step_lines.point_on_line(
            stack, int(place[0]), place[1] / (self.spec.n_fractions - 1)
        )
        self.values["hill_within"][run, window] = self._hill_within(found.losses, stack)

    def _hill_within(self, losses: np.ndarray, stack: Networks) -> float:
        ends = [
            step_lines.point_on_line(
                stack, line, losses[line].argmin() / (self.spec.n_fractions - 1)
            )
            for line in (0, len(losses) - 1)
        ]
        return float(
            hill(step_lines.lines_between(join(ends), self.train, self.spec.n_fractions).losses[0])
        )

    def _distances(self, stack: Networks) -> dict[str, float]:
        here, start = stack.one(0), self.problem.start
        second = (here.weights[SECOND_LAYER] - start.weights[SECOND_LAYER].double()).norm()
        apart = step_lines.weights_of(here) - step_lines.weights_of(start)
        return {"distance": float(np.linalg.norm(apart)), "distance_second": float(second)}


def _of_lines(found: step_lines.Lines) -> dict[str, float]:
    """Means over the lines of one window; a height is known only where a step has a floor."""
    ends, high = (found.losses[:, 0] + found.losses[:, -1]) / 2, step_lines.height(found.losses)
    some = np.isfinite(high)
    return {
        "floor_share": step_lines.has_floor(found.losses).mean(),
        "slope_share": step_lines.crosses_floor(found.start_slopes, found.end_slopes).mean(),
        "convex_share": step_lines.is_convex(found.losses).mean(),
        "height": high[some].mean() if some.any() else np.nan,
        "relative_height": (high / ends)[some].mean() if some.any() else np.nan,
        "loss": ends.mean(),
        "floor_loss": found.losses.min(),
    }


def _of_updates(found: step_lines.Lines, stack: Networks, learning_rate: float) -> dict[str, float]:
    updates = np.diff(step_lines.weights_of(stack), axis=0)
    lengths = np.linalg.norm(updates, axis=1)
    return {
        "cosine": step_lines.successive_cosines(updates).mean(),
        "landscape_cosine": step_lines.landscape_cosines(
            updates, found.end_slopes, learning_rate
        ).mean(),
        "step_length": lengths.mean(),
        "curvature": ((found.end_slopes - found.start_slopes) / lengths**2).mean(),
    }


def _split(watcher: Watcher, spec: WalkSpec) -> Variables:
    """Common windows under their names, those around freezing with `near_` before them."""
    parts: Variables = {}
    for prefix, dimension, chosen in (
        ("", "window", slice(None, spec.n_windows)),
        ("near_", "multiple", slice(spec.n_windows, None)),
    ):
        for name, values in watcher.values.items():
            parts[prefix + name] = (
                ("realization", dimension),
                values[:, chosen],
                {"long_name": DESCRIPTIONS[name]},
            )
        parts[prefix + "profile"] = (
            ("realization", dimension, "fraction"),
            watcher.profiles[:, chosen],
        )
    return parts


def _scans(watcher: Watcher, spec: WalkSpec) -> Variables:
    """Straight lines between the floors of the common windows, of each run by itself and of
    different runs.
    """
    floors = Floors.of(
        [row[: spec.n_windows] for row in watcher.floors], watcher.train, spec.n_fractions
    )
    along, across = floors.along(), floors.across()
    window, partner = ("realization", "window"), ("realization", "partner", "window")
    scans = {
        "along": ((*window, "fraction"), along[:, :, -1]),
        "along_hill": ((*window, "other"), hill(along)),
        "across": ((*window, "fraction"), _mean_of_others(across)),
        "across_hill": (partner, hill(across)),
    }
    return {
        name: (dims, values, {"long_name": SCANS[name]}) for name, (dims, values) in scans.items()
    }


def _mean_of_others(across: np.ndarray) -> np.ndarray:
    known = np.isfinite(across)
    with np.errstate(invalid="ignore"):
        return np.where(known, across, 0).sum(axis=1) / known.sum(axis=1)


def _times(passages: Passages, spec: WalkSpec) -> Variables:
    begun = {"long_name": "training time at which the window begins, η · step"}
    frozen = {"long_name": "training time of the first step with training loss below L_c (Eq. 7)"}
    return {
        "window_time": ("window", spec.learning_rate * spec.window_steps, begun),
        "freezing_time": ("realization", spec.learning_rate * passages.first[:, 0], frozen),
    }


def _coordinates(spec: WalkSpec) -> dict[str, Any]:
    own = {
        "batch_size": spec.batch_size,
        "learning_rate": spec.learning_rate,
        "multiple": list(spec.multiples),
    }
    return own | {"fraction": np.linspace(0, 1, spec.n_fractions)}
