"""The network experiments of the paper: each study is a function of one spec that returns a dataset."""

from valleys.nets.branches import agreement, basin_times, clock_agreement, clock_lag, clocks, flatness_at_equal_loss, later_share, milestones
from valleys.nets.cells import grid, plane, sweep, sweep_plane, train_cell
from valleys.nets.continuation import basin_grid, basins, continuation
from valleys.nets.endpoints import endpoints, restart_grid, restarts
from valleys.nets.selection import ahead, best_of_runs
from valleys.nets.specs import BasinsSpec, CellSpec, ContinuationSpec, EndpointsSpec, RestartsSpec, SweepSpec
from valleys.nets.summary import (
    accuracy_gain,
    courses,
    estimate,
    flatness_at_loss,
    noise_effect,
    noisiest_batch_size,
    of_solutions,
    rank_correlation,
    rising_steps,
    settled,
    summarize,
    variance_explained,
)
from valleys.nets.walls import walls

__all__ = [
    "BasinsSpec",
    "CellSpec",
    "ContinuationSpec",
    "EndpointsSpec",
    "RestartsSpec",
    "SweepSpec",
    "accuracy_gain",
    "agreement",
    "ahead",
    "basin_grid",
    "basin_times",
    "basins",
    "best_of_runs",
    "clock_agreement",
    "clock_lag",
    "clocks",
    "continuation",
    "courses",
    "endpoints",
    "estimate",
    "flatness_at_equal_loss",
    "flatness_at_loss",
    "grid",
    "later_share",
    "milestones",
    "noise_effect",
    "noisiest_batch_size",
    "of_solutions",
    "plane",
    "rank_correlation",
    "restart_grid",
    "restarts",
    "rising_steps",
    "settled",
    "summarize",
    "sweep",
    "sweep_plane",
    "train_cell",
    "variance_explained",
    "walls",
]
