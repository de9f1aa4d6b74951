"""Walks at each (η, B) of a grid."""

import dataclasses
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from types import ModuleType

import xarray as xr

from valleys.nets.experiments.specs import MAIN_THRESHOLD, Spec, check_distinct
from valleys.nets.experiments.walk import WalkSpec, walk
from valleys.results.grid import combine


@dataclass(frozen=True)
class WalksSpec(Spec):
    """A grid of walks.

    Attributes:
        batch_sizes: values of B.
        learning_rates: values of η.
        training_time: as in a walk.
        n_realizations: as in a walk.
        n_windows: as in a walk.
        steps_per_window: as in a walk.
        n_fractions: as in a walk.
        threshold: as in a walk.
        multiples: as in a walk.
    """

    batch_sizes: tuple[int, ...] = (20, 200, 1000)
    learning_rates: tuple[float, ...] = (0.02, 0.2)
    training_time: float = 100.0
    n_realizations: int = 4
    n_windows: int = 8
    steps_per_window: int = 20
    n_fractions: int = 21
    threshold: float = MAIN_THRESHOLD
    multiples: tuple[float, ...] = ()

    def check(self) -> None:
        """Refuse what makes no sense for a grid, in any of its walks."""
        check_distinct("batch_sizes", self.batch_sizes)
        check_distinct("learning_rates", self.learning_rates)
        self.cells()

    def cells(self) -> list[WalkSpec]:
        """Every walk, batch size by batch size."""
        grid = ("batch_sizes", "learning_rates")
        shared = {entry.name: getattr(self, entry.name) for entry in dataclasses.fields(self) if entry.name not in grid}
        return [WalkSpec(**shared, batch_size=size, learning_rate=rate) for size in self.batch_sizes for rate in self.learning_rates]


def walks(spec: WalksSpec, store: ModuleType, *, executor: Executor | None = None) -> xr.Dataset:
    """`walk_grid(spec)`, each walk and the whole kept by the store as soon as it is there.

    Args:
        spec: the grid.
        store: what has `load_or_compute_all` and `load_or_assemble`, such as `valleys.results.store`.
        executor: where to compute; in this process if None.
    """
    return store.load_or_assemble(walk_grid, spec, lambda: _combine(spec, store.load_or_compute_all(walk, spec.cells(), executor=executor)))


def walk_grid(spec: WalksSpec) -> xr.Dataset:
    """All walks of a grid.

    Returns:
        Dimensions batch_size, learning_rate and those of a walk; `time` and `freezing_time` are η · step. Gradient descent fills the first
        realization, and the others are NaN.
    """
    return _combine(spec, [walk(cell) for cell in spec.cells()])


def walk_grid_cells(spec: WalksSpec) -> Iterator[tuple[dict[str, float], int, Callable[[], xr.Dataset]]]:
    """Where each walk of the grid stands, its share of the work in steps of a network, and how to compute it alone."""
    for cell in spec.cells():
        yield {"batch_size": cell.batch_size, "learning_rate": cell.learning_rate}, cell.n_steps * cell.n_realizations, partial(_alone, cell)


def _alone(spec: WalkSpec) -> xr.Dataset:
    return _reduced(walk(spec), spec)


def _combine(spec: WalksSpec, found: list[xr.Dataset]) -> xr.Dataset:
    return combine([_reduced(*pair) for pair in zip(found, spec.cells(), strict=True)], spec.batch_sizes, spec.learning_rates)


def _reduced(found: xr.Dataset, spec: WalkSpec) -> xr.Dataset:
    """A walk with as many realizations as all others, its times of windows as a variable, and freezing in training time."""
    frozen = (spec.learning_rate * found.freezing_step).assign_attrs(long_name="training time of the first step with training loss below L_c (Eq. 7)")
    times = found.time.astype(float).rename("window_time")
    whole = found.drop_vars(["freezing_step", "time"]).assign(freezing_time=frozen, window_time=times.drop_vars("time"))
    missing = {name: (0, spec.n_realizations - whole.sizes[name]) for name in ("realization", "partner")}
    return whole.pad(missing).assign_attrs(found.attrs)
