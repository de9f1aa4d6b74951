"""The network experiments of the paper: each study is a function of one spec that returns a dataset."""

from valleys.nets.branches import agreement, basin_times, clock_agreement, clock_lag, clocks, flatness_at_equal_loss, later_share, milestones
from valleys.nets.cells import grid, plane, sweep, sweep_plane, train_cell
from valleys.nets.continuation import basin_grid, basins, continuation
from valleys.nets.endpoints import endpoints, restart_grid, restarts
from valleys.nets.escape import (
    at_middles,
    barriers_over_noise,
    escape_rates,
    joined_time,
    kramers,
    last_before_freezing,
    over_runs,
)
from valleys.nets.flattening import at_losses, flattening_exponents, mean_exponent, model_exponent, model_floor, noise_exponents
from valleys.nets.rescaling import RescalingSpec, order, rescaling, unkept
from valleys.nets.selection import ahead, best_of_runs
from valleys.nets.siblings import SiblingGridSpec, SiblingsSpec, families, sibling_grid, siblings
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
from valleys.nets.variance import FluctuationsSpec, fluctuations, variance_exponents
from valleys.nets.walls import walls

__all__ = [
    "BasinsSpec",
    "CellSpec",
    "ContinuationSpec",
    "EndpointsSpec",
    "FluctuationsSpec",
    "RescalingSpec",
    "RestartsSpec",
    "SiblingGridSpec",
    "SiblingsSpec",
    "SweepSpec",
    "accuracy_gain",
    "agreement",
    "ahead",
    "at_losses",
    "at_middles",
    "barriers_over_noise",
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
    "escape_rates",
    "estimate",
    "families",
    "flatness_at_equal_loss",
    "flatness_at_loss",
    "flattening_exponents",
    "fluctuations",
    "grid",
    "joined_time",
    "kramers",
    "last_before_freezing",
    "later_share",
    "mean_exponent",
    "milestones",
    "model_exponent",
    "model_floor",
    "noise_effect",
    "noise_exponents",
    "noisiest_batch_size",
    "of_solutions",
    "order",
    "over_runs",
    "plane",
    "rank_correlation",
    "rescaling",
    "restart_grid",
    "restarts",
    "rising_steps",
    "settled",
    "sibling_grid",
    "siblings",
    "summarize",
    "sweep",
    "sweep_plane",
    "train_cell",
    "unkept",
    "variance_explained",
    "variance_exponents",
    "walls",
]
