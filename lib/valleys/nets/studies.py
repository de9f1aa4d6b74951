"""The network experiments of the paper: each study is a function of one spec that returns a dataset."""

from valleys.nets.cells import grid, plane, sweep, sweep_plane, train_cell
from valleys.nets.continuation import continuation
from valleys.nets.endpoints import endpoints
from valleys.nets.selection import ahead, best_of_runs
from valleys.nets.specs import CellSpec, ContinuationSpec, EndpointsSpec, SweepSpec
from valleys.nets.summary import (
    accuracy_gain,
    agreement,
    courses,
    estimate,
    flatness_at_equal_loss,
    flatness_at_loss,
    milestones,
    noise_effect,
    noisiest_batch_size,
    of_solutions,
    rising_steps,
    settled,
    summarize,
    variance_explained,
)

__all__ = [
    "CellSpec",
    "ContinuationSpec",
    "EndpointsSpec",
    "SweepSpec",
    "accuracy_gain",
    "agreement",
    "ahead",
    "best_of_runs",
    "continuation",
    "courses",
    "endpoints",
    "estimate",
    "flatness_at_equal_loss",
    "flatness_at_loss",
    "grid",
    "milestones",
    "noise_effect",
    "noisiest_batch_size",
    "of_solutions",
    "plane",
    "rising_steps",
    "settled",
    "summarize",
    "sweep",
    "sweep_plane",
    "train_cell",
    "variance_explained",
]
