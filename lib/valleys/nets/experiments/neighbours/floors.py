"""Frozen networks that go on with more or less noise: the drift along a floor, sparse features,
and what a decay of the learning rate does.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from valleys.nets.engine.networks import Networks, join
from valleys.nets.engine.plain import train
from valleys.nets.engine.problem import Problem
from valleys.nets.engine.training import evaluate
from valleys.nets.experiments.neighbours import leaving
from valleys.nets.experiments.neighbours.leaving import StartSpec
from valleys.nets.experiments.noise_schedules.study import flatnesses
from valleys.nets.experiments.specs import check_batch_size, check_levels
from valleys.nets.measures.features import active_share, features
from valleys.nets.measures.lanczos import top_eigenpairs
from valleys.nets.measures.sample_slopes import TOLERANCE, SampleSlopes
from valleys.nets.measures.walls import walls_of
from valleys.nets.optimizers.recipe import Recipe
from valleys.nets.optimizers.schedules import Piece, Schedule
from valleys.nets.optimizers.training import optimize
from valleys.results.spec import check_distinct, require

LAST = 0.2  # share of a stretch over which a short decay falls
LOWEST = 0.01  # to which it falls, over the learning rate
HARVEST = 1000  # part of the study to which the batch orders of short decays belong
DESCRIPTIONS = {
    "flatness": "inverse geometric mean of the ten largest eigenvalues of the second layer's "
    "Hessian (Eq. 6), at the level",
    "sharpness": "largest eigenvalue of the Hessian in all weights and biases, at the level",
    "active": "share of active units of the last hidden layer, at the level",
    "wall": "rise of the training loss above the higher end on the line to where gradient descent "
    "from the same network passes the level",
    "harvest": "training loss after a stretch that ends in a short decay of the learning rate, "
    "over that without",
}
CALM = ("flatness", "sharpness", "active")  # what is known of gradient descent, too
DESCRIPTIONS |= {f"calm_{name}": f"after gradient descent: {DESCRIPTIONS[name]}" for name in CALM}


@dataclass(frozen=True)
class FloorSpec(StartSpec):
    """Runs from one start that are frozen, and go on in one stretch by other settings.

    Attributes:
        leave: loss at which a run is left, below the threshold.
        rates: learning rates of the stretch, each with the smallest batch.
        sizes: batch sizes of the stretch, each at the largest rate.
        stretch: its ηt.
    """

    leave: float = 0.05
    rates: tuple[float, ...] = (0.01, 0.02, 0.05)
    sizes: tuple[int, ...] = (10, 20, 50)
    stretch: float = 10.0

    def check(self) -> None:
        """Refuse what makes no sense for such runs."""
        super().check()
        self.require_noise()
        self.require_positive("stretch")
        check_levels((self.threshold, self.leave, self.level))
        for name in ("rates", "sizes"):
            check_distinct(name, getattr(self, name))
        require(min(self.rates) > 0, f"rates must be positive, got {self.rates}")
        for size in self.sizes:
            check_batch_size(size, self.n_train)

    @property
    def settings(self) -> list[tuple[float, int]]:
        """Learning rates and batch sizes of the stretch, the strongest noise first."""
        most, small = max(self.rates), min(self.sizes)
        slower = [(rate, small) for rate in sorted(self.rates, reverse=True) if rate < most]
        return [*((most, size) for size in sorted(self.sizes)), *slower]

    @property
    def work(self) -> float:
        """Networks that are brought down."""
        return self.n_runs * (1 + len(self.settings))


def floors(spec: FloorSpec) -> xr.Dataset:
    """What a stretch of noise does to frozen networks, against gradient descent from the same.

    Returns:
        Over (setting, run): `flatness`, `sharpness`, `active` and `wall` at the level; over run the
        same but for the wall of gradient descent at the lowest rate, as `calm_flatness` and so on,
        and `harvest`. NaN for networks that do not come down to the level.
    """
    problem = spec.problem
    begun = leaving.passed(spec, problem, spec.leave).kept(0)
    every = [*spec.settings, (min(spec.rates), spec.n_train)]
    ends = [_gone_on(spec, problem, begun, place, each) for place, each in enumerate(every)]
    values = _measured(spec, problem, join(ends))
    split = {name: each.reshape(len(every), spec.n_runs) for name, each in values.items()}
    found: dict[str, tuple] = {
        name: (("setting", "run"), each[:-1]) for name, each in split.items()
    }
    found |= {f"calm_{name}": ("run", split[name][-1]) for name in CALM}
    found["harvest"] = ("run", _harvest(spec, problem, begun))
    whole = leaving.labelled(found, DESCRIPTIONS, spec).assign_attrs(level=spec.level)
    rates, sizes = zip(*spec.settings, strict=True)
    return whole.assign_coords(rate=("setting", list(rates)), size=("setting", list(sizes)))


def _gone_on(
    spec: FloorSpec,
    problem: Problem[Networks],
    begun: Networks,
    place: int,
    setting: tuple[float, int],
) -> Networks:
    """All runs after the stretch by a learning rate and a batch size."""
    networks, (rate, size) = begun.copy(), setting
    how: dict[str, Any] = {"learning_rate": rate, "batch_size": size, "visits": {}}
    n_steps = max(1, round(spec.stretch / rate))
    train(networks, problem.train, **how, n_steps=n_steps, streams=spec.orders(place))
    return networks


def _measured(spec: FloorSpec, problem: Problem[Networks], ends: Networks) -> dict[str, np.ndarray]:
    """All networks at the level; those of gradient descent are the last, n_runs."""
    there, came = leaving.brought_down(spec, ends, problem)
    known, count = np.flatnonzero(came), len(ends)
    sharp = np.full(count, np.nan)
    for index in known:
        slopes = SampleSlopes.of(there, problem.train, int(index))
        sharp[index] = top_eigenpairs(slopes, 1, tolerance=TOLERANCE).values[0]
    calm = count - spec.n_runs + np.arange(count) % spec.n_runs
    walls = walls_of(there, np.stack([np.arange(count), calm], axis=1), problem.train)
    values = {
        "flatness": flatnesses(there, problem, known),
        "sharpness": sharp,
        "active": active_share(features(there, problem.train.images)),
        "wall": np.where(came[calm], walls, np.nan),
    }
    return {name: np.where(came, each, np.nan) for name, each in values.items()}


def _harvest(spec: FloorSpec, problem: Problem[Networks], begun: Networks) -> np.ndarray:
    """Loss of each run after a stretch with a short decay over that after one without, (n_runs,);
    both see the same batches.
    """
    rate, n_steps = spec.learning_rate, max(5, round(spec.stretch / spec.learning_rate))
    plateau = Piece((1 - LAST) * n_steps, "hold", rate, rate)
    fall = Piece(n_steps, "line", rate, LOWEST * rate)
    losses = []
    for course in (Schedule((plateau, fall)), rate):
        networks = begun.copy()
        how: dict[str, Any] = {"n_steps": n_steps, "streams": spec.orders(HARVEST), "visits": {}}
        optimize(networks, problem.train, Recipe(course, spec.batch_size), **how)
        losses.append(evaluate(networks, problem.train).loss.cpu().numpy())
    return losses[0] / losses[1]
