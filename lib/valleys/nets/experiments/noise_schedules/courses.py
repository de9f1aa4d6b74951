"""Learning rate and batch size of each step, by the name of a schedule and what all schedules have
alike.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import root_scalar

from valleys.nets.measures.gradient_noise import batch_factor
from valleys.nets.optimizers import schedules
from valleys.nets.optimizers.recipe import Recipe
from valleys.nets.optimizers.schedules import Piece, Schedule

BUDGETS = ("time", "samples")  # what all schedules have alike
N_PIECES = 30  # of a course of noise over the whole run
LOWEST, HIGHEST = 0.1, 1.9  # noise of a line, over its mean
LAST = 0.1  # of the learning rate, at the end of a fall
MOST_NOISE = 1e3  # over that of the constant schedule, where a scale is looked for

Pieces = list[tuple[float, float]]  # where each ends in time, noise there over the constant one


@dataclass(frozen=True)
class Reference:
    """The constant schedule, against which all others are held.

    Attributes:
        batch_size: B.
        learning_rate: η, the highest of every schedule.
        training_time: ηt at the end.
        calm_batch_size: of the schedules that are quiet for a while.
        strong_batch_size: of the schedule with more noise throughout.
        n_train: training samples.
        freezing_time: ηt at which it freezes, mean over runs from this start.
    """

    batch_size: int
    learning_rate: float
    training_time: float
    calm_batch_size: int
    strong_batch_size: int
    n_train: int
    freezing_time: float

    @property
    def n_steps(self) -> int:
        """Updates."""
        return round(self.training_time / self.learning_rate)

    @property
    def n_samples(self) -> int:
        """Samples seen, one after the other."""
        return self.n_steps * self.batch_size

    def size(self, noise: float) -> int:
        """The batch size with so many times the noise of the constant schedule, from the factor
        (1/B)(N − B)/(N − 1) before Σ.
        """
        factor = noise * batch_factor(self.batch_size, self.n_train)
        exact = self.n_train / (1 + factor * (self.n_train - 1))
        return int(np.clip(round(exact), 1, self.n_train))

    def noise(self, size: int) -> float:
        """Noise of a batch size over that of the constant schedule."""
        factors = [batch_factor(each, self.n_train) for each in (size, self.batch_size)]
        return factors[0] / factors[1]

    @property
    def calm(self) -> float:
        """Noise of the calm batch size."""
        return self.noise(self.calm_batch_size)


@dataclass(frozen=True)
class Stretch:
    """Some steps at one learning rate and one batch size.

    Attributes:
        n_steps: updates.
        learning_rate: η.
        batch_size: B.
    """

    n_steps: int
    learning_rate: float
    batch_size: int


def course(name: str, budget: str, reference: Reference) -> list[Stretch]:
    """The course of a schedule that goes by a clock.

    At equal `time` every schedule ends at the same ηt; courses of batch size have the noise of the
    constant schedule on average over it, so that the dose is the same. At equal `samples` every
    schedule sees as many; courses of batch size have the batch size of the constant schedule on
    average, so that steps and ηt are the same as well. Courses of the learning rate have its
    learning rate as their highest.

    Args:
        name: one of `names(budget)`, but for `RULES`.
        budget: `time` or `samples`.
        reference: the constant schedule.

    Returns:
        Stretches, in order; a change that is gradual is cut into about `N_PIECES`.
    """
    if name in RATES:
        return _of_rates(name, budget, reference)
    rate, n_steps = reference.learning_rate, reference.n_steps
    if name == "strong":
        size = reference.strong_batch_size
        return [
            Stretch(reference.n_samples // size if budget == "samples" else n_steps, rate, size)
        ]
    pieces = NOISES[name](reference)
    if budget == "samples":
        pieces = _rescaled(pieces, reference)
    return stretches(Recipe(rate, _sizes(pieces, reference)), n_steps)


def rest(name: str, budget: str, reference: Reference, frozen_at: int) -> Stretch:
    """What follows the update at which a schedule with a rule has found a run frozen: what is left
    of the budget.

    Args:
        name: one of `RULES`.
        budget: `time` or `samples`.
        reference: the constant schedule, which the run has followed so far.
        frozen_at: how many updates it has made.
    """
    rate, size = RULES[name](reference)
    samples = (reference.n_steps - frozen_at) * reference.batch_size / size
    time = (reference.n_steps - frozen_at) * reference.learning_rate / rate
    return Stretch(round(samples if budget == "samples" else time), rate, size)


def stretches(recipe: Recipe, n_steps: int) -> list[Stretch]:
    """A recipe's learning rates and batch sizes as stretches; where the learning rate changes at
    each step, a stretch has the mean of some steps.
    """
    rates, sizes = recipe.learning_rates(n_steps), recipe.batch_sizes(n_steps)
    kept = np.append(np.diff(sizes) == 0, False)  # whether the next step has the same batch size
    equal = np.append(np.diff(rates) == 0, False)
    longest = max(1, n_steps // N_PIECES)
    found, start = [], 0
    while start < n_steps:
        alike, moving = (int(np.argmin((kept & how)[start:])) for how in (equal, ~equal))
        length = alike + 1 if alike else max(1, min(moving, longest))
        rate = float(rates[start] if alike else rates[start : start + length].mean())
        found.append(Stretch(length, rate, int(sizes[start])))
        start += length
    return found


def names(budget: str) -> tuple[str, ...]:
    """The schedules of a budget, the constant one first; those that need more samples than others
    have are left out of equal samples.
    """
    every = (*NOISES, "strong", *RATES, *RULES)
    return tuple(name for name in every if budget == "time" or name not in NOT_BY_SAMPLES)


def _of_rates(name: str, budget: str, reference: Reference) -> list[Stretch]:
    """A course of the learning rate, on a clock of steps or of training time."""
    end, freezing = reference.training_time, reference.freezing_time
    unit = "time"
    if budget == "samples":
        end, unit = float(reference.n_steps), "step"
        freezing = freezing / reference.learning_rate
    peak = reference.learning_rate
    rates = RATES[name](peak, LAST * peak, end, freezing, unit)
    recipe = Recipe(rates, reference.batch_size)
    by_time = recipe.n_steps(reference.training_time)
    return stretches(recipe, reference.n_steps if budget == "samples" else by_time)


def _sizes(pieces: Pieces, reference: Reference) -> Schedule:
    """Batch sizes with this noise."""
    sizes = [float(reference.size(noise)) for _, noise in pieces]
    return schedules.stairs(sizes, ends=[end for end, _ in pieces[:-1]], unit="time")


def _rescaled(pieces: Pieces, reference: Reference) -> Pieces:
    """The same course, its noise times a factor with which the mean batch size is that of the
    constant schedule; what is constant stays.
    """
    ends = np.array([0.0, *(end for end, _ in pieces)])
    spans, noises = np.diff(ends), np.array([noise for _, noise in pieces])
    moved = noises != 1

    def excess(scale: float) -> float:
        factors = scale * noises[moved] * batch_factor(reference.batch_size, reference.n_train)
        sizes = reference.n_train / (1 + factors * (reference.n_train - 1))
        return float(np.average(sizes, weights=spans[moved])) - reference.batch_size

    scale = root_scalar(excess, bracket=(1 / MOST_NOISE, MOST_NOISE)).root if moved.any() else 1.0
    scaled = np.where(moved, scale * noises, noises).tolist()
    return list(zip(ends[1:].tolist(), scaled, strict=True))


def _line(first: float, last: float, end: float, n_pieces: int) -> Pieces:
    """Noise that changes in a straight line from time 0 to an end, in pieces."""
    shares = (np.arange(n_pieces) + 0.5) / n_pieces
    noises = first + (last - first) * shares
    ends = np.linspace(0, end, n_pieces + 1)[1:]
    return list(zip(ends.tolist(), noises.tolist(), strict=True))


def _whole(first: float, last: float) -> Callable[[Reference], Pieces]:
    return lambda reference: _line(first, last, reference.training_time, N_PIECES)


def _search(first: float, last: float) -> Callable[[Reference], Pieces]:
    """A line until the constant schedule freezes, then its noise."""
    return lambda reference: [
        *_line(first, last, reference.freezing_time, N_PIECES // 2),
        (reference.training_time, 1.0),
    ]


def _early(reference: Reference) -> Pieces:
    """All the noise until the constant schedule freezes."""
    end, freezing = reference.training_time, reference.freezing_time
    loud = (end - reference.calm * (end - freezing)) / freezing
    return [(freezing, loud), (end, reference.calm)]


def _late(reference: Reference) -> Pieces:
    """All the noise from when on the constant schedule is frozen."""
    end, freezing = reference.training_time, reference.freezing_time
    loud = (end - reference.calm * freezing) / (end - freezing)
    return [(freezing, reference.calm), (end, loud)]


NOISES: dict[str, Callable[[Reference], Pieces]] = {  # courses of the batch size
    "constant": lambda reference: [(reference.training_time, 1.0)],
    "rising": _whole(LOWEST, HIGHEST),
    "falling": _whole(HIGHEST, LOWEST),
    "search_rising": _search(LOWEST, HIGHEST),
    "search_falling": _search(HIGHEST, LOWEST),
    "early": _early,
    "late": _late,
    "calm": lambda reference: [(reference.training_time, reference.calm)],
}
NOT_BY_SAMPLES = ("early", "late", "calm")  # a large batch uses the samples up at once


def _decay(share: float) -> Callable[..., Schedule]:
    """A plateau to a share of the freezing time, then a fall within half of it."""

    def fall(peak: float, last: float, end: float, freezing: float, unit: str) -> Schedule:
        begins = share * freezing
        hold = Piece(begins, "hold", peak, peak)
        return Schedule((hold, Piece(begins + freezing / 2, "line", peak, last)), unit)

    return fall


# courses of the learning rate: from the highest, the last, the end, the freezing time, the unit
RATES: dict[str, Callable[[float, float, float, float, str], Schedule]] = {
    "cosine": lambda peak, last, end, _, unit: schedules.cosine(peak, last, until=end, unit=unit),
    "step": lambda peak, last, end, _, unit: schedules.stairs(
        [peak, last], ends=[end / 2], unit=unit
    ),
    "warm_up": lambda peak, last, _, freezing, unit: schedules.warm_up(
        last, peak, until=freezing / 2, unit=unit
    ),
    "decay_before": _decay(0.5),
    "decay_at": _decay(1.0),
    "decay_after": _decay(1.5),
    "restarts": lambda peak, last, end, _, unit: schedules.restarts(
        peak, last, ends=[end / 3, 2 * end / 3, end], unit=unit
    ),
}
RULES: dict[str, Callable[[Reference], tuple[float, int]]] = {  # what follows freezing
    "aware_rate": lambda reference: (LAST * reference.learning_rate, reference.batch_size),
    "aware_size": lambda reference: (reference.learning_rate, reference.calm_batch_size),
}
