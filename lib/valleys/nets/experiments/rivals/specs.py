"""What a comparison of methods can be asked for."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from valleys.nets.datasets import check_request
from valleys.nets.experiments.rivals.contenders import NAMES, REFERENCE, Setting, contenders
from valleys.nets.experiments.specs import MAIN_THRESHOLD, Spec, check_batch_size, check_levels
from valleys.results.grid import Grid
from valleys.results.spec import require

HELD_OUT = 1  # the training set that chooses learning rates, and never trains
SEARCHED = 1000  # starts of the search are those from this number on, and of no other run


@dataclass(frozen=True)
class MethodSpec(Spec):
    """Runs from one start by one method.

    Attributes:
        start: seed of the start; `seed` is of the batch orders alone.
        rival: one of `contenders.NAMES`, the method.
        factor: learning rate, over the middle one that is tried with this method.
        batch_size: B, of all but gradient descent.
        n_epochs: budget of gradient evaluations, over the number of training samples.
        n_runs: runs, which differ in batch order only.
    """

    start: int = 0
    rival: str = REFERENCE
    factor: float = 1.0
    batch_size: int = 50
    n_epochs: int = 60
    n_runs: int = 5

    def check(self) -> None:
        """Refuse what makes no sense for any such runs."""
        known = ", ".join(NAMES)
        require(self.rival in NAMES, f"rival must be one of {known}, got {self.rival!r}")
        self.require_positive("factor")
        self.require_at_least(start=0, n_epochs=4, n_runs=2)
        check_batch_size(self.batch_size, self.n_train)
        require(
            self.n_train % self.batch_size == 0,
            f"batch_size must divide the {self.n_train} training samples, so that every step "
            f"costs as much, got {self.batch_size}",
        )
        check_request(self.dataset, self.train_per_class, self.test_per_class, HELD_OUT)

    @property
    def learning_rate(self) -> float:
        """η."""
        return self.factor * contenders()[self.rival].rate

    @property
    def setting(self) -> Setting:
        """What the method is given."""
        return Setting(self.learning_rate, self.batch_size, self.n_train, self.n_epochs)

    @property
    def work(self) -> float:
        """Gradient evaluations."""
        return self.n_epochs * self.n_runs

    def orders(self) -> list[np.random.Generator]:
        """Streams of batch orders: the same for all methods and learning rates."""
        return [
            np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(self.start, run)))
            for run in range(self.n_runs)
        ]


@dataclass(frozen=True)
class SearchSpec(MethodSpec):
    """Runs that help to choose a learning rate; their starts are those of no other runs."""

    @property
    def seed_of_start(self) -> int:
        """Of the network from which they begin."""
        return SEARCHED + self.start


@dataclass(frozen=True)
class RivalSpec(MethodSpec):
    """Runs that are compared, and then a common tail of little noise.

    Attributes:
        reference_factor: learning rate of the reference, as `factor`.
        threshold: L_c.
        levels: training losses at which runs are compared, falling, below the threshold.
        tail_batch_size: of the tail, which is plain stochastic gradient descent.
        tail_rate: its learning rate.
        longest_tail: ηt after which the tail ends, whatever the loss.
        n_bands: runs of which the wall is looked at on a path of low loss, too.
    """

    reference_factor: float = 1.0
    threshold: float = MAIN_THRESHOLD
    levels: tuple[float, ...] = (0.05, 0.02, 0.005)
    tail_batch_size: int = 200
    tail_rate: float = 0.05
    longest_tail: float = 200.0
    n_bands: int = 1

    def check(self) -> None:
        """Refuse what makes no sense for the comparison."""
        super().check()
        self.require_positive("reference_factor", "tail_rate", "longest_tail")
        self.require_at_least(n_bands=0)
        check_batch_size(self.tail_batch_size, self.n_train)
        check_levels((self.threshold, *self.levels))

    @property
    def of_reference(self) -> "RivalSpec":
        """The same runs by the reference method."""
        return dataclasses.replace(self, rival=REFERENCE, factor=self.reference_factor)


@dataclass(frozen=True)
class SearchGrid(Grid[SearchSpec]):
    """Every method at every learning rate, with the seconds that each cell took."""

    def assemble(self, found: Sequence[xr.Dataset]) -> xr.Dataset:
        """Over rival, factor and start as a grid is, and `seconds`."""
        whole = super().assemble(found)
        shape = [len(values) for _, values in self.axes]
        took = [each.attrs.get("wall_time_seconds", np.nan) for each in found]
        names = [name for name, _ in self.axes]
        return whole.assign(seconds=(names, np.reshape(took, shape)))


@dataclass(frozen=True)
class RivalGrid(Grid[RivalSpec]):
    """Every method at a learning rate of its own.

    Attributes:
        factors: pairs of a method and its learning rate, as `RivalSpec.factor`.
    """

    factors: tuple[tuple[str, float], ...] = ()

    def check(self) -> None:
        """Refuse a method of which the learning rate is not told."""
        known = dict(self.factors)
        missing = [name for name in (*self.along("rival"), REFERENCE) if name not in known]
        require(not missing, f"factors must tell the learning rate of {', '.join(missing)}")

    def cell_at(self, **place: Any) -> RivalSpec:
        """The spec of one cell."""
        known = dict(self.factors)
        rates = {"factor": known[str(place["rival"])], "reference_factor": known[REFERENCE]}
        return dataclasses.replace(self.cell, **place, **rates)
