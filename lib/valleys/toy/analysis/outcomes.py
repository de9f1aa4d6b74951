"""Where runs end and when they freeze: maps of learning rate and noise, and their controls."""

from collections.abc import Mapping

import numpy as np
import xarray as xr

from valleys.results.estimates import Estimate, Findings
from valleys.toy.exact.transition_operator import stationary_density
from valleys.toy.experiments.two_valley import with_contrast
from valleys.toy.landscapes.two_valley import TwoValley
from valleys.toy.statistics import in_errors, mean_with_error, measured
from valleys.toy.theory import at_fixed_y, freezing

CORNER = {"learning_rate": -1, "noise_strength": -1}  # the noisiest cell of a map
FIRST_CELL = {"learning_rate": 0, "noise_strength": 0}  # the quietest
EQ_26 = "Eq. 26, ε = 0.1"  # the line of that formula
LATE = 0.9  # share of a run's steps after which a last change of side says that it still hops


def crossing_findings(runs: xr.Dataset) -> Findings:
    """How often runs change side, x = 0, on average over the runs.

    Args:
        runs: of `trajectories`: x over (noise_strength, run, step), the noise strengths from weak
            to strong.

    Returns:
        crossings_weak and crossings_strong, changes of side per run in the records [1].
    """
    crossings = (np.sign(runs.x).diff("step") != 0).sum("step").mean("run")
    return {"crossings_weak": float(crossings[0]), "crossings_strong": float(crossings[-1])}


def map_findings(cells: xr.Dataset) -> Findings:
    """What the map of the paper's Fig. 5C and D says: its ends, its maximum, and its steps up.

    Args:
        cells: of `phase_diagram`: p_flat and time_to_freeze with errors over (learning_rate,
            noise_strength), both rising.

    Returns:
        p_low, p_high, p_best, small_step, calm: shares of flat endings in the quietest cell, the
        noisiest, the highest, that of the smallest learning rate with the strongest noise, and in
        the third of the cells with the weakest effective noise. time_low and time_high [learning
        rate times steps]; steps, rising_share, rising_time: how many steps from a cell to its
        neighbour with the larger learning rate or noise there are, and how many of them raise share
        and time.
    """
    low, high = cells.isel(FIRST_CELL), cells.isel(CORNER)
    return {
        "p_low": low.p_flat.item(),
        "p_high": measured(high),
        "p_best": measured(cells.isel(cells.p_flat.argmax(...))),
        "time_low": measured(low, "time_to_freeze"),
        "time_high": measured(high, "time_to_freeze"),
        "small_step": measured(cells.isel(learning_rate=0, noise_strength=-1)),
        "calm": _calm(cells),
        "steps": sum(step.size for step in _steps(cells.p_flat)),
        "rising_share": _n_rising(cells.p_flat),
        "rising_time": _n_rising(cells.time_to_freeze),
    }


def _calm(cells: xr.Dataset) -> Estimate:
    third = np.sort(cells.effective_noise.values.ravel())[cells.p_flat.size // 3]
    calm = cells.where(cells.effective_noise <= third)
    return Estimate.with_error(*mean_with_error(calm.p_flat, calm.p_flat_error))


def _steps(values: xr.DataArray) -> list[xr.DataArray]:
    return [values.diff(along) for along in ("learning_rate", "noise_strength")]


def _n_rising(values: xr.DataArray) -> int:
    return sum(int((step > 0).sum()) for step in _steps(values))


def rise(cells: xr.Dataset, name: str, along: str) -> float:
    """Mean over the upper half of a map minus that over the lower half, in standard errors [1].

    Args:
        cells: a map over `along` and another axis, with `name` and `name_error`.
        name: p_flat or time_to_freeze.
        along: learning_rate or noise_strength.
    """
    half = cells.sizes[along] // 2
    parts = [cells.isel({along: slice(None, half)}), cells.isel({along: slice(-half, None)})]
    means = [mean_with_error(part[name], part[f"{name}_error"]) for part in parts]
    (lower, lower_error), (upper, upper_error) = means
    return float((upper - lower) / np.hypot(lower_error, upper_error))


def feature_findings(
    landscape: TwoValley, cells: xr.Dataset, start_y: float, n_steps: int
) -> Findings:
    """The four features of the paper's Fig. 5A in one cell of the map, the smallest learning rate
    with the strongest noise.

    Args:
        landscape: of the runs.
        cells: of `phase_diagram`, learning rate and noise strength rising.
        start_y: where the runs begin.
        n_steps: of the runs.

    Returns:
        start_y as given; end_y, where these runs end; apart_start and apart_end, how far the two
        bottoms lie apart there; wider, flatness at the end over that at the start, and fall, by
        how much the loss on the floor falls; settled, the time of the last crossing as a share of
        all time.
    """
    cell = cells.isel(learning_rate=0, noise_strength=-1)
    ends = np.array([start_y, float(cell.y)])
    flat, sharp = landscape.valley_positions(ends)
    flatness, floor = landscape.flatness(ends)[0], landscape.loss(flat, ends)
    time, duration = measured(cell, "time_to_freeze"), float(cell.learning_rate) * n_steps
    return {
        "start_y": start_y,
        "end_y": float(ends[1]),
        "apart_start": float(flat[0] - sharp[0]),
        "apart_end": float(flat[1] - sharp[1]),
        "wider": float(flatness[1] / flatness[0]),
        "fall": float(floor[0] - floor[1]),
        "settled": Estimate.with_error(time.value / duration, (time.error or 0) / duration),
    }


def deviations(cells: xr.Dataset, exact: xr.Dataset, n_runs: int) -> xr.Dataset:
    """Simulation minus master equation in standard errors, NaN where next to no run hops.

    Args:
        cells: of `phase_diagram`.
        exact: of `master_map` on the same grid.
        n_runs: runs per cell.

    Returns:
        p_flat and time_to_freeze over (learning_rate, noise_strength) [1].
    """
    error = np.sqrt(exact.p_flat * (1 - exact.p_flat) / n_runs)
    time_error = exact.time_to_freeze_spread / np.sqrt(n_runs)
    found = {
        "p_flat": in_errors(cells.p_flat, exact.p_flat, error),
        "time_to_freeze": in_errors(cells.time_to_freeze, exact.time_to_freeze, time_error),
    }
    return xr.Dataset(found).where(_hops(exact))


def _hops(exact: xr.Dataset) -> xr.DataArray:
    return exact.freezing_time > 1.5  # a run without a hop counts with its first step


def exact_findings(cells: xr.Dataset, exact: xr.Dataset, n_runs: int) -> Findings:
    """How the map compares with the master equation of the step, which draws no random number.

    Args:
        cells: of `phase_diagram`.
        exact: of `master_map` on the same grid, which has equal steps of both axes on a logarithmic
            scale.
        n_runs: runs per cell.

    Returns:
        exact_cells, how many cells hop, and exact_within, in how many of them the shares agree
        within three standard errors; exact_square and exact_time_square, mean squares of the
        deviations in standard errors; exact_gap, the largest one of the share; product_spread, the
        largest difference of exact shares with equal η·σ; exact_mass, |Σ probability − 1|.
    """
    strays, hops = deviations(cells, exact, n_runs), _hops(exact)
    side = exact.p_flat.values[:, ::-1]
    products = range(1 - side.shape[0], side.shape[1])
    return {
        "exact_within": int(((np.abs(strays.p_flat) <= 3) & hops).sum()),
        "exact_cells": int(hops.sum()),
        "exact_square": float((strays.p_flat**2).mean()),
        "exact_time_square": float((strays.time_to_freeze**2).mean()),
        "exact_gap": float(np.abs(cells.p_flat - exact.p_flat).where(hops).max()),
        "product_spread": float(max(np.ptp(np.diagonal(side, shift)) for shift in products)),
        "exact_mass": float(np.abs(exact.mass - 1).max()),
    }


def still_hopping(cells: xr.Dataset, n_steps: int) -> xr.DataArray:
    """Where the last change of side comes, on average, in the last tenth of the runs."""
    return cells.freezing_time > LATE * n_steps


def squared_findings(
    landscape: TwoValley,
    cells: xr.Dataset,
    others: Mapping[str, tuple[xr.Dataset, int]],
    *,
    n_steps: int,
    start_y: float,
) -> Findings:
    """What the map of noise 2σH² says, and whether runs that still hop end as at rest.

    Args:
        landscape: of the runs.
        cells: of `phase_diagram` with the noise `hessian_squared`, over (learning_rate,
            noise_strength).
        others: results of one setting each, with the steps of their runs, which are compared with
            the noisiest corner.
        n_steps: of the runs of the map [steps].
        start_y: where they begin.

    Returns:
        first, top, corner: shares of flat endings in the quietest cell, the highest and the
        noisiest, and one under the name of each of the others; last, and `name_last`: time of the
        last change of side over the length of the run; flat and sharp, the curvatures 2/f at the
        start; and of the cells that still hop `hopping`, their number, `pull`, their largest
        distance from the share at rest in standard errors, and `steady`, the share at rest in the
        last of them.
    """
    corner = cells.isel(CORNER)
    flat, sharp = landscape.flatness(start_y)
    findings = {
        "first": cells.isel(FIRST_CELL).p_flat.item(),
        "top": measured(cells.isel(cells.p_flat.argmax(...))),
        "corner": measured(corner),
        "last": float(corner.freezing_time / n_steps),
        "flat": 2 / float(flat),
        "sharp": 2 / float(sharp),
    }
    for name, (cell, length) in others.items():
        findings |= {name: measured(cell), f"{name}_last": float(cell.freezing_time / length)}
    return findings | _at_rest(landscape, cells, still_hopping(cells, n_steps))


def equal_noise_findings(
    landscape: TwoValley, cells: xr.Dataset, exact: xr.Dataset, *, n_steps: int, start_y: float
) -> Findings:
    """Whether noise 2σH² ends as 2σH does with equal noise in the flat valley at the start, σ times
    its curvature 2/f there.

    Stated on 2026-11-30, before a number was seen: the two behave in the same way if the shares
    differ by less than 0.05 on average, a tenth of the way from one half to one.

    Args:
        landscape: of the runs.
        cells: of `phase_diagram` with the noise `hessian_squared`.
        exact: of `master_map`, the same learning rates with the noise `hessian`.
        n_steps: of the runs.
        start_y: where they begin.

    Returns:
        equal: mean difference of the shares, over the cells that are done hopping and whose noise
        lies on the other map; equal_most, the largest, and equal_cells, how many there are.
    """
    stronger = 2 / float(landscape.flatness(start_y)[0])
    first = exact.p_flat.assign_coords(noise_strength=np.log(exact.noise_strength / stronger))
    there = first.interp(noise_strength=np.log(cells.noise_strength.values))
    there = there.assign_coords(noise_strength=cells.noise_strength)
    apart = (cells.p_flat - there).where(~still_hopping(cells, n_steps))
    mean, error = mean_with_error(apart, cells.p_flat_error.where(apart.notnull()))
    return {
        "equal": Estimate.with_error(mean, error),
        "equal_most": float(apart.isel(abs(apart).fillna(0).argmax(...))),
        "equal_cells": int(apart.count()),
    }


def _at_rest(landscape: TwoValley, cells: xr.Dataset, hopping: xr.DataArray) -> Findings:
    """Hopping cells against the stationary density of the step at the y where they end."""
    places = np.argwhere(hopping.values)
    crossed = [cells.isel(learning_rate=row, noise_strength=column) for row, column in places]
    steady = [_share_at_rest(landscape, cell) for cell in crossed]
    shares = np.array([cell.p_flat.item() for cell in crossed])
    errors = np.array([cell.p_flat_error.item() for cell in crossed])
    pulls = np.abs(in_errors(shares, np.array(steady), errors))
    return {"steady": steady[-1], "pull": float(pulls.max()), "hopping": len(crossed)}


def _share_at_rest(landscape: TwoValley, cell: xr.Dataset) -> float:
    setting = float(cell.learning_rate), float(cell.noise_strength), float(cell.y)
    return stationary_density(landscape, *setting, "hessian_squared").p_flat.item()


def control_means(control: xr.Dataset) -> xr.Dataset:
    """p_flat and its error over (noise, learning_rate), averaged over the effective noise."""
    mean, error = mean_with_error(control.p_flat, control.p_flat_error, "effective_noise")
    return xr.Dataset({"p_flat": mean, "p_flat_error": error})


def control_findings(landscape: TwoValley, control: xr.Dataset) -> Findings:
    """What the same noise everywhere does at a small and a large step, against equilibrium.

    Args:
        landscape: of the runs.
        control: of `freezing`, over (noise, learning_rate, effective_noise), noise hessian and
            isotropic, rates rising.

    Returns:
        even_small, even_large: shares of flat endings with isotropic noise at the smallest and the
        largest learning rate, over all effective noises; uneven_small, with Hessian noise;
        boltzmann, √γ/(1 + √γ), and a28, the γ/(1 + γ) of Eq. A28; step_share, learning rate times
        curvature of the sharp valley at y = 1 and the largest learning rate [1].
    """
    means = control_means(control).sortby("learning_rate")
    small, large = means.isel(learning_rate=0), means.isel(learning_rate=-1)
    return {
        "boltzmann": float(at_fixed_y.p_flat_boltzmann(landscape)),
        "a28": float(at_fixed_y.p_flat_equilibrium(landscape)),
        "even_small": measured(small.sel(noise="isotropic")),
        "even_large": measured(large.sel(noise="isotropic")),
        "uneven_small": measured(small.sel(noise="hessian")),
        "step_share": float(large.learning_rate * 2 / landscape.flatness(1.0)[1]),
    }


def contrast_formula(
    landscape: TwoValley, ratios: np.ndarray, effective_noise: float
) -> xr.DataArray:
    """Final p_flat by Eq. 26 over any flatness ratios, a smooth curve where these are many."""
    shares = [
        float(freezing.p_flat_transient(with_contrast(landscape, float(ratio)), effective_noise))
        for ratio in ratios
    ]
    return xr.DataArray(shares, {"flatness_ratio": ratios}, name=EQ_26)


def contrast_predictions(
    landscape: TwoValley,
    runs: xr.Dataset,
    stepwise: xr.Dataset,
    effective_noise: float,
    start_y: float,
) -> xr.Dataset:
    """Final p_flat over flatness_ratio by the master equation, the balance of Eq. A26, and Eq. 26.

    Args:
        landscape: whose flat valley is changed.
        runs: of `contrast`, which tell how far y goes.
        stepwise: of `contrast_exact`.
        effective_noise: learning rate times noise strength of the runs.
        start_y: where they begin.
    """
    ratios = runs.flatness_ratio.values
    landscapes = [with_contrast(landscape, float(ratio)) for ratio in ratios]
    path = np.linspace(start_y, float(runs.y.min()), 150)
    balance = [freezing.p_flat_balance(one, effective_noise, path)[-1] for one in landscapes]
    formula = contrast_formula(landscape, ratios, effective_noise)
    predictions = {
        "master equation": stepwise.p_flat.values,
        "balance, small-step rates": balance,
        EQ_26: formula.values,
    }
    curves = {name: ("flatness_ratio", shares) for name, shares in predictions.items()}
    return xr.Dataset(curves, {"flatness_ratio": ratios})


def contrast_findings(runs: xr.Dataset, predictions: xr.Dataset) -> Findings:
    """How the share of flat endings rises with the flatness ratio, and how far predictions are off.

    Args:
        runs: of `contrast`, p_flat with its error over flatness_ratio, which rises from 1.
        predictions: of `contrast_predictions`.

    Returns:
        equal and most: shares at the smallest and the largest ratio, which is `ratio`; step and
        limit: master equation, and balance of hops, minus simulation, means over all γ > 1; gap,
        the mean of the second minus the first; formula, the most that Eq. 26 lies above the
        simulation.
    """
    uneven = runs.flatness_ratio > 1
    off = predictions - runs.p_flat
    step, limit = off["master equation"], off["balance, small-step rates"]
    errors = runs.p_flat_error.where(uneven)
    return {
        "equal": measured(runs.isel(flatness_ratio=0)),
        "most": measured(runs.isel(flatness_ratio=-1)),
        "ratio": runs.flatness_ratio[-1].item(),
        "step": Estimate.with_error(*mean_with_error(step.where(uneven), errors)),
        "limit": Estimate.with_error(*mean_with_error(limit.where(uneven), errors)),
        "gap": float((limit - step).where(uneven).mean()),
        "formula": float(off[EQ_26].max()),
    }
