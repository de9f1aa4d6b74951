"""One run with noise of any shape, which follows the network, to the last of several levels of
its training loss.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from valleys.nets.engine.networks import Networks
from valleys.nets.engine.passages import Passages
from valleys.nets.engine.plain import train
from valleys.nets.engine.stack import unflat
from valleys.nets.engine.training import Samples, Visit
from valleys.nets.measures.sample_slopes import SampleSlopes
from valleys.nets.optimizers.following_noise import (
    BatchesHere,
    Following,
    Independent,
    KeptBatches,
    LocalNoise,
)

# training loss, batch sharpness, Tr Σ and Tr ΣH of the noise
Record = tuple[float, float, float, float]
QUIET = 0.0, 0.0
LOST = 10  # times the loss at the start: from there on a run is given up


@dataclass(frozen=True)
class Phase:
    """A part of training with one kind of noise.

    Attributes:
        noise: its kind; None for gradient descent alone.
        batches: mini-batches that the run takes, in place of all samples and noise beside them.
        kept: mini-batches whose noise stays what it is where the phase begins.
    """

    noise: Following | None = None
    batches: BatchesHere | None = None
    kept: BatchesHere | None = None

    @classmethod
    def on(cls, batches: BatchesHere) -> "Phase":
        """On mini-batches."""
        return cls(batches, batches)

    def begun(self, here: SampleSlopes) -> "Phase":
        """The same phase where it begins."""
        return Phase(KeptBatches(self.kept, here)) if self.kept else self


@dataclass
class Course:
    """A run under way, and what is known of it.

    Attributes:
        network: where it is, one network.
        learning_rate: η.
        levels: of the training loss, falling.
        batch_size: B of the batch sharpness.
        step: updates so far.
        times: η · step of the first step with a loss below each level, NaN before.
        passed: the network at that step, None before.
        records: what every look found.
    """

    network: Networks
    learning_rate: float
    levels: Sequence[float]
    batch_size: int
    step: int = 0
    times: list[float] = field(init=False)
    passed: list[Networks | None] = field(init=False)
    records: list[Record] = field(default_factory=list)

    def __post_init__(self) -> None:
        """No level is passed."""
        self.times = [float("nan")] * len(self.levels)
        self.passed = [None] * len(self.levels)

    @property
    def frozen(self) -> bool:
        """Whether the first level is passed."""
        return self.passed[0] is not None

    @property
    def goes_on(self) -> bool:
        """Whether there is a level to pass, and the run has not been thrown out of everything."""
        losses = [record[0] for record in self.records]
        lost = bool(losses) and not losses[-1] <= LOST * losses[0]
        return self.passed[-1] is None and not lost

    def note(self, passages: Passages) -> None:
        """Write down the levels that were passed since the last look."""
        for level, step in enumerate(passages.first[0]):
            if self.passed[level] is None and np.isfinite(step):
                self.times[level] = self.learning_rate * (self.step + int(step))
                self.passed[level] = passages.kept(level)

    def back_to_freezing(self) -> int:
        """Go back to the step at which the run froze; that step."""
        at = self.passed[0]
        if at is not None:
            self.network = at.copy()
        return round(self.times[0] / self.learning_rate)


def follow(
    network: Networks,
    samples: Samples,
    *,
    learning_rate: float,
    batch_size: int,
    look_every: int,
    n_looks: int,
    levels: Sequence[float],
    phases: tuple[Phase, Phase],
    streams: tuple[np.random.Generator, ...],
) -> Course:
    """Train one network in place, with one kind of noise until its loss is below the first level
    and another afterwards.

    Where the two are one the run goes on as if there were no phases; else the second begins at the
    very step at which the loss is first below.

    Args:
        network: where it starts.
        samples: training set.
        learning_rate: η.
        batch_size: B of the batch sharpness that is looked at.
        look_every: steps between two looks at the noise; a level may be passed at any step.
        n_looks: after so many the run is given up, as it is where its loss is `LOST` times as high
            as at its start.
        levels: of the training loss, falling; the run ends at the last.
        phases: the kinds of noise before and after.
        streams: of the noise or the batches, and of what is measured.
    """
    course, phase = Course(network, learning_rate, tuple(levels), batch_size), phases[0]
    changes, count = phases[1] is not phases[0] and len(levels) > 1, 0
    while course.goes_on and count < n_looks:
        watched = course.levels[:1] if changes else course.levels
        local = _look(course, samples, phase, streams[1])
        passages = _advance(course, samples, (phase, local, look_every, watched), streams[0])
        course.note(passages)
        course.step += look_every
        count += 1
        if changes and course.frozen:
            course.step = course.back_to_freezing()
            phase = phases[1].begun(SampleSlopes.of(course.network, samples))
            changes = False
    return course


def _look(
    course: Course, samples: Samples, phase: Phase, probes: np.random.Generator
) -> LocalNoise | None:
    """The noise of the phase where the run is, and a record of it."""
    here = SampleSlopes.of(course.network, samples)
    local = phase.noise.at(here, probes) if phase.noise else None
    power, lift = (local.power, local.lift) if local else QUIET
    sharpness = here.batch_sharpness(probes, course.batch_size)
    course.records.append((here.loss, sharpness, power, lift))
    return local


def _advance(
    course: Course,
    samples: Samples,
    how: tuple[Phase, LocalNoise | None, int, Sequence[float]],
    stream: np.random.Generator,
) -> Passages:
    """So many steps, and which levels were passed in them."""
    phase, local, n_steps, levels = how
    passages, batches, order = Passages(levels, keep=True), phase.batches, stream
    kick = None if batches or local is None else _kicks(local, course, stream)
    if batches and batches.replacement:
        order = Independent(stream.bit_generator)
    train(
        course.network,
        samples,
        learning_rate=course.learning_rate,
        batch_size=batches.batch_size if batches else len(samples),
        n_steps=n_steps,
        streams=[order] if batches else [],
        visits=dict.fromkeys(range(1, n_steps + 1), kick) if kick else {},
        passages=passages,
    )
    return passages


def _kicks(local: LocalNoise, course: Course, stream: np.random.Generator) -> Visit:
    """A visit that adds the noise of the update just made."""

    def kick(step: int, networks: Networks) -> None:
        parameters = networks.parameters
        noise = unflat(local.draw(stream).unsqueeze(0), parameters)
        for name, part in parameters.items():
            part.sub_(noise[name], alpha=course.learning_rate)

    return kick
