"""Averages of weights along a training: visits that follow it, and change nothing in it."""

from dataclasses import dataclass, field

from valleys.nets.engine.stack import Stack
from valleys.results.spec import require


@dataclass
class WeightAverage:
    """A visit that averages the weights it sees: all alike (SWA, Izmailov et al. 2018), or with a
    memory that fades (EMA).

    Buffers, such as running means, are those of the last visit.

    Attributes:
        decay: weight of the average so far in an exponential one; 0 for the plain mean.
        average: the averaged networks; None before the first visit.
        n_seen: visits so far.
    """

    decay: float = 0.0
    average: Stack | None = None
    n_seen: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        """Refuse a decay that would never forget or grow."""
        require(0 <= self.decay < 1, f"decay must be 0 or more and below 1, got {self.decay}")

    def __call__(self, step: int, networks: Stack) -> None:
        """Take the weights of this step in."""
        self.n_seen += 1
        if self.average is None:
            self.average = networks.copy()
            return
        share = 1 - self.decay if self.decay else 1 / self.n_seen
        theirs = networks.parameters
        for name, part in self.average.parameters.items():
            part.lerp_(theirs[name], share)
