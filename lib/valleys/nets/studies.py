"""The network experiments of the paper: each study is a function of one spec that returns a dataset."""

from valleys.nets.branches import agreement, basin_times, clock_agreement, clock_lag, clocks, flatness_at_equal_loss, later_share, milestones
from valleys.nets.cells import grid, plane, sweep, sweep_plane, train_cell
from valleys.nets.conditions import ConditionsGridSpec, ConditionsSpec, conditions, conditions_grid, conditions_sweep
from valleys.nets.conditions_summary import (
    courses_of,
    held_to_parabola,
    pooled,
    prefactor_slope,
    separation,
    separation_course,
    shrinkage,
    stability,
)
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
from valleys.nets.timescales import TimescalesSpec, timescales
from valleys.nets.walls import walls

__all__ = [
    "BasinsSpec",
    "CellSpec",
    "ConditionsGridSpec",
    "ConditionsSpec",
    "ContinuationSpec",
    "EndpointsSpec",
    "RestartsSpec",
    "SweepSpec",
    "TimescalesSpec",
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
    "conditions",
    "conditions_grid",
    "conditions_sweep",
    "continuation",
    "courses",
    "courses_of",
    "endpoints",
    "estimate",
    "flatness_at_equal_loss",
    "flatness_at_loss",
    "grid",
    "held_to_parabola",
    "later_share",
    "milestones",
    "noise_effect",
    "noisiest_batch_size",
    "of_solutions",
    "plane",
    "pooled",
    "prefactor_slope",
    "rank_correlation",
    "restart_grid",
    "restarts",
    "rising_steps",
    "separation",
    "separation_course",
    "settled",
    "shrinkage",
    "stability",
    "summarize",
    "sweep",
    "sweep_plane",
    "timescales",
    "train_cell",
    "variance_explained",
    "walls",
]
