"""How runs forget their noise, and whether they settle faster than their valley changes."""

import itertools
from collections.abc import Sequence

import numpy as np
import xarray as xr

from valleys.nets import statistics
from valleys.nets.analysis.assumptions import (
    Stages,
    held_to_parabola,
    known_runs,
    separation,
    shrinkage,
)
from valleys.nets.analysis.flattening import model_separation
from valleys.results.estimates import Findings

DRAWS = ("reshuffled", "independent")  # of the batches that copies of a run see
HELD = ("network_relaxation", "network_scatter", "relaxation", "scatter")
STEEPEST = 5  # directions whose memory is averaged
TIMES = ("layer_ratio", "network_ratio", "drift_time", "shape_time", "n_fast")
MODEL_PLACES = np.geomspace(1e-3, 1e5, 4000)  # y along the floor of a valley of the model


def parabola_findings(followed: xr.Dataset, stages: Stages, *, seed: int = 0) -> Findings:
    """Memory and scatter of copies over those of a walker in a parabola (Eqs. 13, 14 and 16).

    Args:
        followed: what `timescales` returns.
        stages: of the runs, by short names.
        seed: of the bootstrap.

    Returns:
        held_DRAW_WHAT_STAGE: of reshuffled or independent batches, relaxation or scatter, with
            `network_` before it along directions of the whole network; see `held_to_parabola`.
    """
    findings: Findings = {}
    for (name, stage), draw, what in itertools.product(stages.items(), DRAWS, HELD):
        held = held_to_parabola(followed, what, stage, draw, np.random.default_rng(seed))
        findings[f"held_{draw}_{what}_{name}"] = held
    return findings


def memory_findings(followed: Sequence[xr.Dataset], stages: Stages, *, seed: int = 0) -> Findings:
    """How long copies remember their noise, and what reshuffled batches do to their scatter.

    Args:
        followed: what `timescales` returns, of several settings; all numbers but shrink_slow are
            of the first.
        stages: of the runs by the short names "early", "freezing" and "end".
        seed: of the bootstrap.

    Returns:
        shrink_freezing, shrink_end: scatter of independent over that of reshuffled batches.
        shrink_slow: that of the last setting at the end.
        memory_reshuffled, memory_independent: steps along the five steepest directions of the
            whole network, at the end.
        span_reshuffled, span_independent: memory along its last direction over that of the first.
        copied_edge: ηλ along its steepest direction, early.
    """
    main, last = followed[0], followed[-1]
    findings: Findings = {
        "shrink_freezing": shrinkage(main, stages["freezing"], np.random.default_rng(seed)),
        "shrink_end": shrinkage(main, stages["end"], np.random.default_rng(seed)),
        "shrink_slow": shrinkage(last, stages["end"], np.random.default_rng(seed)),
    }
    for draw in DRAWS:
        memory = main.network_relaxation.sel(stage=stages["end"], draw=draw)
        steepest = memory.isel(network_direction=slice(STEEPEST)).mean("network_direction")
        span = memory.isel(network_direction=-1) / memory.isel(network_direction=0)
        findings[f"memory_{draw}"] = statistics.mean(steepest.values, np.random.default_rng(seed))
        findings[f"span_{draw}"] = float(span.mean())
    bent = main.network_curvature.sel(stage=stages["early"]).isel(network_direction=0).mean()
    return findings | {"copied_edge": float(main.learning_rate * bent)}


def separation_findings(followed: xr.Dataset, stages: Stages, *, seed: int = 0) -> Findings:
    """Is τ_x far below τ_y (Eqs. A7 and A8), with τ_y the time in which the loss falls by e?

    Args:
        followed: what `timescales` returns.
        stages: of the runs, by short names, the last of which is "end".
        seed: of the bootstrap.

    Returns:
        With the short name of the stage behind each, times in η · step, see `separation`:
        layer_ratio_, network_ratio_: τ_x/τ_y in the second layer and in the whole network.
        drift_time_, shape_time_: times in which the loss falls by e and the flatness changes by e.
        n_fast_: directions of the layer that relax ten times or more in the time of the drift.
        And model_ratio: the largest τ_x/τ_y on the floor of the model.
        less_layer, less_network: the ratios at the end over that of the model.
        slowest: 1/λ of the flattest direction of the layer at the end.
    """
    times, end = separation(followed), stages["end"]
    findings: Findings = {}
    for (name, stage), part in itertools.product(stages.items(), TIMES):
        known = known_runs(times[part].sel(stage=stage))
        findings[f"{part}_{name}"] = statistics.mean(known, np.random.default_rng(seed))
    model_ratio = model_separation(MODEL_PLACES).max().item()
    later = times.sel(stage=end).mean("realization") / model_ratio
    flattest = followed.curvature.sel(stage=end).isel(direction=-1).mean()
    return findings | {
        "model_ratio": model_ratio,
        "less_layer": float(later.layer_ratio),
        "less_network": float(later.network_ratio),
        "slowest": float(1 / flattest),
    }
