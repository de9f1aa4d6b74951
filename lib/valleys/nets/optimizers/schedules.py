"""Courses of learning rate and batch size over a training, as plain data."""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from valleys.results.spec import require, settle

SHAPES = ("hold", "line", "cosine")
UNITS = ("step", "time")
ROUNDING = 1e-9  # of sums of learning rates, relative to a time


@dataclass(frozen=True)
class Piece:
    """Part of a schedule.

    Attributes:
        until: where it ends, in the schedule's unit, counted from the start of training.
        shape: `hold` keeps `first`; `line` and `cosine` go from `first` to `last`.
        first: value at its beginning.
        last: value at its end.
    """

    until: float
    shape: str
    first: float
    last: float

    def __post_init__(self) -> None:
        """Settle the types, then refuse what makes no sense.

        Raises:
            ValueError: an unknown shape, or values below 0.
        """
        kinds = {"until": float, "shape": str, "first": float, "last": float}
        for name, kind in kinds.items():
            if name != "until" or self.until != math.inf:
                object.__setattr__(self, name, settle(name, kind, getattr(self, name)))
        known = ", ".join(SHAPES)
        require(self.shape in SHAPES, f"shape must be one of {known}, got {self.shape!r}")
        require(self.until > 0, f"until must be more than 0, got {self.until}")
        positive = min(self.first, self.last) >= 0
        require(positive, f"a schedule never falls below 0, got {self.first} to {self.last}")
        ends = math.isfinite(self.until) or self.shape == "hold"
        require(ends, f"a {self.shape} must end, and this one is to last for ever")

    def value(self, progress: float) -> float:
        """The value at a share of the way through, 0 to 1."""
        if self.shape == "hold":
            return self.first
        weight = progress if self.shape == "line" else (1 - math.cos(math.pi * progress)) / 2
        return (1 - weight) * self.first + weight * self.last


@dataclass(frozen=True)
class Schedule:
    """A value that depends on how far training has come: pieces, one after the other.

    After the last piece its last value goes on.

    Attributes:
        pieces: in order of where they end.
        unit: `step` counts updates; `time` is the paper's η · step, added up where η varies.

    Example:
        >>> from valleys.nets.optimizers.schedules import cosine, warm_up
        >>> cosine(0.1, 0.02, until=4).values(5).round(3).tolist()
        [0.1, 0.088, 0.06, 0.032, 0.02]
        >>> warm_up(0.01, 0.05, until=2).values(4).round(3).tolist()
        [0.01, 0.03, 0.05, 0.05]
    """

    pieces: tuple[Piece, ...]
    unit: str = "step"

    def __post_init__(self) -> None:
        """Refuse what makes no sense.

        Raises:
            ValueError: no piece, pieces out of order, or an unknown unit.
        """
        object.__setattr__(self, "pieces", tuple(self.pieces))
        require(len(self.pieces) > 0, "a schedule must hold one piece or more")
        require(self.unit in UNITS, f"unit must be step or time, got {self.unit!r}")
        ends = [piece.until for piece in self.pieces]
        rising = all(early < late for early, late in itertools.pairwise(ends))
        require(rising, f"pieces must end one after the other, got {ends}")

    @property
    def lowest(self) -> float:
        """The smallest value it takes."""
        return min(min(piece.first, piece.last) for piece in self.pieces)

    @property
    def highest(self) -> float:
        """The largest value it takes."""
        return max(max(piece.first, piece.last) for piece in self.pieces)

    def at(self, position: float) -> float:
        """The value at a position from the start, in the schedule's unit."""
        start = 0.0
        for piece in self.pieces:
            if position < piece.until * (1 - ROUNDING):
                return piece.value((position - start) / (piece.until - start))
            start = piece.until
        last = self.pieces[-1]
        return last.value(1.0)

    def values(self, n_steps: int, rates: np.ndarray | None = None) -> np.ndarray:
        """The value of each update, (n_steps,).

        Args:
            n_steps: number of updates.
            rates: learning rate of each update, (n_steps,), by which a schedule in time of
                something else advances; None where the schedule is the learning rate itself.
        """
        if self.unit == "step":
            return np.array([self.at(step) for step in range(n_steps)])
        found, time = np.empty(n_steps), 0.0
        for step in range(n_steps):
            found[step] = self.at(time)
            time += found[step] if rates is None else rates[step]
        return found


def constant(value: float) -> Schedule:
    """One value throughout."""
    return Schedule((Piece(math.inf, "hold", value, value),))


def line(first: float, last: float, *, until: float, unit: str = "step") -> Schedule:
    """A straight line, then its last value."""
    return Schedule((Piece(until, "line", first, last),), unit)


def cosine(first: float, last: float, *, until: float, unit: str = "step") -> Schedule:
    """Half a period of a cosine (Loshchilov and Hutter 2017), then its last value."""
    return Schedule((Piece(until, "cosine", first, last),), unit)


def stairs(values: Sequence[float], *, ends: Sequence[float], unit: str = "step") -> Schedule:
    """One value after the other.

    Args:
        values: n of them.
        ends: where all but the last value end, n − 1.
        unit: `step` or `time`.
    """
    fits = len(values) == len(ends) + 1
    require(fits, f"{len(values)} values have {len(values) - 1} ends between, got {len(ends)}")
    pairs = zip([*ends, math.inf], values, strict=True)
    return Schedule(tuple(Piece(end, "hold", value, value) for end, value in pairs), unit)


def warm_up(first: float, peak: float, *, until: float, unit: str = "step") -> Schedule:
    """A straight rise, then the peak."""
    hold = Piece(math.inf, "hold", peak, peak)
    return Schedule((Piece(until, "line", first, peak), hold), unit)


def warmup_stable_decay(
    first: float, peak: float, last: float, *, ends: Sequence[float], unit: str = "step"
) -> Schedule:
    """A straight rise, a plateau, a straight fall (Hu et al. 2024).

    Args:
        first: value at the beginning.
        peak: value of the plateau.
        last: value at the end.
        ends: where rise, plateau and fall end.
        unit: `step` or `time`.
    """
    require(len(ends) == 3, f"ends must name the end of rise, plateau and fall, got {ends}")
    rows = (("line", first, peak), ("hold", peak, peak), ("line", peak, last))
    pieces = tuple(Piece(end, *row) for end, row in zip(ends, rows, strict=True))
    return Schedule(pieces, unit)


def restarts(first: float, last: float, *, ends: Sequence[float], unit: str = "step") -> Schedule:
    """Cosines that begin anew at each end but the last (Loshchilov and Hutter 2017)."""
    return Schedule(tuple(Piece(end, "cosine", first, last) for end in ends), unit)


def window(
    outside: float, inside: float, *, start: float, end: float, unit: str = "step"
) -> Schedule:
    """One value from `start` to `end`, another before and after."""
    if start == 0:
        return stairs([inside, outside], ends=[end], unit=unit)
    return stairs([outside, inside, outside], ends=[start, end], unit=unit)


KINDS = {
    "constant": constant,
    "line": line,
    "cosine": cosine,
    "stairs": stairs,
    "warm_up": warm_up,
    "warmup_stable_decay": warmup_stable_decay,
    "restarts": restarts,
    "window": window,
}


def schedule(course: "float | Schedule | Mapping[str, Any]") -> Schedule:
    """A schedule from plain data: a number, or a mapping with the `kind` and its arguments.

    Raises:
        ValueError: no such kind, or arguments that do not fit it.

    Example:
        >>> from valleys.nets.optimizers.schedules import schedule
        >>> schedule(0.1).values(2).tolist()
        [0.1, 0.1]
        >>> noisy = {"kind": "window", "outside": 1000, "inside": 10, "start": 1, "end": 3}
        >>> schedule(noisy).values(4).tolist()
        [1000.0, 10.0, 10.0, 1000.0]
    """
    if isinstance(course, Schedule):
        return course
    if not isinstance(course, Mapping):
        return constant(settle("a schedule", float, course))
    arguments = dict(course)
    kind = arguments.pop("kind", None)
    require(kind in KINDS, f"kind of a schedule must be one of {', '.join(KINDS)}, got {kind!r}")
    try:
        return KINDS[kind](**arguments)
    except TypeError as error:
        raise ValueError(f"a schedule of kind {kind} cannot be made: {error}") from None
