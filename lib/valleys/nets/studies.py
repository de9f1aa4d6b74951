"""The network experiments of the book: each study is a function of one spec that returns a dataset."""

from valleys.nets.bounces import at_freezing, estimate_of, over_runs, ratio_of, until_freezing, with_hill, with_sags
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
from valleys.nets.walk import WalkSpec, walk
from valleys.nets.walks import WalksSpec, walk_grid, walks
from valleys.nets.walls import walls

__all__ = [
    "BasinsSpec",
    "CellSpec",
    "ContinuationSpec",
    "EndpointsSpec",
    "RestartsSpec",
    "SweepSpec",
    "WalkSpec",
    "WalksSpec",
    "accuracy_gain",
    "agreement",
    "ahead",
    "at_freezing",
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
    "estimate_of",
    "flatness_at_equal_loss",
    "flatness_at_loss",
    "grid",
    "later_share",
    "milestones",
    "noise_effect",
    "noisiest_batch_size",
    "of_solutions",
    "over_runs",
    "plane",
    "rank_correlation",
    "ratio_of",
    "restart_grid",
    "restarts",
    "rising_steps",
    "settled",
    "summarize",
    "sweep",
    "sweep_plane",
    "train_cell",
    "until_freezing",
    "variance_explained",
    "walk",
    "walk_grid",
    "walks",
    "walls",
    "with_hill",
    "with_sags",
]
