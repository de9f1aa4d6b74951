"""The network experiments of the book: each study is a function of one spec that returns a
dataset.
"""

from valleys.nets.analysis.assumptions import (
    courses_of,
    outcomes,
    separation,
    separation_course,
    separation_means,
    where_reached,
)
from valleys.nets.analysis.continuation import (
    clocks,
    flatness_at_equal_loss,
)
from valleys.nets.analysis.endpoints import walls
from valleys.nets.analysis.flattening import (
    at_losses,
    model_floor,
)
from valleys.nets.analysis.selection import best_of_runs
from valleys.nets.analysis.siblings import (
    at_middles,
    barriers_over_noise,
    escape_rates,
    joined_time,
    kramers,
    last_before_freezing,
    over_runs,
)
from valleys.nets.analysis.sweep import (
    courses,
    noise_effect,
)
from valleys.nets.analysis.walk.courses import (
    freezing_changes,
    walk_courses,
    wall_courses,
    with_sags,
)
from valleys.nets.experiments.assumptions import ConditionsSpec, conditions
from valleys.nets.experiments.continuation import basins, continuation
from valleys.nets.experiments.endpoints import endpoints, restart
from valleys.nets.experiments.fluctuations import FluctuationsSpec, fluctuations, variance_exponents
from valleys.nets.experiments.rescaling import RescalingSpec, rescaling
from valleys.nets.experiments.siblings import SiblingsSpec, siblings
from valleys.nets.experiments.specs import (
    BasinsSpec,
    ContinuationSpec,
    EndpointsSpec,
    RestartSpec,
    SweepGrid,
    SweepSpec,
    restarts,
)
from valleys.nets.experiments.sweep import Plane, sweep
from valleys.nets.experiments.timescales import TimescalesSpec, timescales
from valleys.nets.experiments.walk import WalkSpec, walk

__all__ = [
    "BasinsSpec",
    "ConditionsSpec",
    "ContinuationSpec",
    "EndpointsSpec",
    "FluctuationsSpec",
    "Plane",
    "RescalingSpec",
    "RestartSpec",
    "SiblingsSpec",
    "SweepGrid",
    "SweepSpec",
    "TimescalesSpec",
    "WalkSpec",
    "at_losses",
    "at_middles",
    "barriers_over_noise",
    "basins",
    "best_of_runs",
    "clocks",
    "conditions",
    "continuation",
    "courses",
    "courses_of",
    "endpoints",
    "escape_rates",
    "flatness_at_equal_loss",
    "fluctuations",
    "freezing_changes",
    "joined_time",
    "kramers",
    "last_before_freezing",
    "model_floor",
    "noise_effect",
    "outcomes",
    "over_runs",
    "rescaling",
    "restart",
    "restarts",
    "separation",
    "separation_course",
    "separation_means",
    "siblings",
    "sweep",
    "timescales",
    "variance_exponents",
    "walk",
    "walk_courses",
    "wall_courses",
    "walls",
    "where_reached",
    "with_sags",
]
