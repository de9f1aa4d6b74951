"""How flatness grows as the loss falls: in a sweep of real runs, and along the floor of the
two-valley model (Eqs. 10 to 12).
"""

import itertools
from collections.abc import Sequence

import numpy as np
import xarray as xr

from valleys.nets import statistics
from valleys.nets.analysis.sweep import flatness_at_loss, is_single
from valleys.nets.measures.gradient_noise import batch_factor
from valleys.nets.statistics import FEWEST_RUNS, Estimate
from valleys.results.estimates import Findings

# y_b, y_f and y_d of Table S1; x₀, f₀ and L_d are 1
BIFURCATION, FLATTENING, DESCENT = 30.0, 20.0, 100.0
FLAT_VALLEY = 0.8  # x1 of Table S1


def model_floor(y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Loss on the floor of a valley of the model and its flatness f in units of the last one, at
    places y along it.

    With Table S1 the loss is e^(−y/y_d) + 1 − y²/(y + y_f)² (Eqs. 11 and 12), the flatness (y +
    y_f)²/(y + y_b)² (Eq. 10), the same in both valleys.
    """
    y = np.asarray(y, dtype=float)
    return np.exp(-y / DESCENT) + 1 - (y / (y + FLATTENING)) ** 2, (
        (y + FLATTENING) / (y + BIFURCATION)
    ) ** 2


def model_separation(y: np.ndarray) -> np.ndarray:
    """τ_x/τ_y in the flat valley of the model, at places y along its floor, with τ_x = ½ f1 (Eq.
    A7) and τ_y = L/(dL/dy)².

    This τ_y is the time in which the loss falls by a factor e as y follows its slope, as
    `separation` has it in networks; that of Eq. A8 is the time in which y grows by one.
    """
    loss, flat = model_floor(y)
    slope = -np.exp(-y / DESCENT) / DESCENT - 2 * FLATTENING * y / (y + FLATTENING) ** 3
    return FLAT_VALLEY**2 * flat / 2 * slope**2 / loss


def model_exponent(high: float, low: float) -> float:
    """Slope of ln f against −ln L along the floor of the model, between two of its losses."""
    y = np.geomspace(1e-3, 1e7, 200_000)
    loss, flat = model_floor(y)
    ends = np.interp([-high, -low], -loss, np.log(flat))
    return float((ends[1] - ends[0]) / np.log(high / low))


def model_slope(first: float, last: float) -> float:
    """Slope of ln f against −ln L along the floor of the model, between two places y."""
    loss, flat = model_floor(np.array([first, last]))
    return float(np.log(flat[1] / flat[0]) / np.log(loss[0] / loss[1]))


def at_losses(sweep: xr.Dataset, levels: tuple[float, ...]) -> xr.DataArray:
    """Flatness of each converged run where its training loss falls through each level, NaN
    elsewhere.

    Args:
        sweep: what `sweep` returns, with the flatness followed along training.
        levels: training losses.

    Returns:
        Dimensions batch_size, learning_rate, realization, level; runs that are copies of one, as in
        gradient descent, are kept once.
    """
    found = np.full((*sweep.flatness.shape[:3], len(levels)), np.nan)
    for row, column in np.ndindex(found.shape[:2]):
        cell = sweep.isel(batch_size=row, learning_rate=column)
        if np.isfinite(cell.flatness).sum("record").max() < 2:
            continue  # measured at the end only
        flat = np.array([flatness_at_loss(cell, level) for level in levels]).T
        flat = flat[:1] if is_single(cell) else flat
        found[row, column, : len(flat)] = flat
    coords = {
        "batch_size": sweep.batch_size,
        "learning_rate": sweep.learning_rate,
        "level": list(levels),
    }
    return xr.DataArray(found, coords, ("batch_size", "learning_rate", "realization", "level"))


def flattening_exponents(flat: xr.DataArray) -> xr.DataArray:
    """Slope of ln F against −ln L between each two neighbouring levels, run by run; dimension
    `level` is that of the lower loss.

    Args:
        flat: what `at_losses` returns, levels falling.
    """
    logs, levels = (xr.apply_ufunc(np.log, values) for values in (flat, flat.level))
    return logs.diff("level") / -levels.diff("level")


def mean_exponent(slopes: xr.DataArray, rng: np.random.Generator) -> Estimate:
    """Mean over all runs of the slopes between two levels, each cell of three runs or more with the
    same weight; runs are drawn within their cells.

    Args:
        slopes: of one level, what `flattening_exponents` gives.
        rng: of the resamples.
    """
    return statistics.stratified_mean(
        slopes, rng, by=("batch_size", "learning_rate"), fewest=FEWEST_RUNS
    )


def noise_exponents(
    flat: xr.DataArray, n_samples: int, rng: np.random.Generator
) -> tuple[Estimate, Estimate]:
    """Slopes of ln F at one training loss against ln η and the logarithm of the batch factor over
    cells with mini-batches, runs drawn anew within their cells.

    Equal slopes would mean that the noise, η times the batch factor, alone counts.

    Args:
        flat: of one level, what `at_losses` gives.
        n_samples: training images.
        rng: of the resamples.
    """
    noisy = [
        cell
        for cell in _cells(flat)
        if cell.batch_size < n_samples and np.isfinite(cell).sum() >= FEWEST_RUNS
    ]
    rates = [cell.learning_rate.item() for cell in noisy]
    factors = [batch_factor(cell.batch_size.item(), n_samples) for cell in noisy]
    if min(len(set(rates)), len(set(factors))) < 2 or len(noisy) <= FEWEST_RUNS:
        unknown = Estimate(np.nan, np.nan, np.nan)
        return unknown, unknown
    groups = [np.log(cell.values[np.isfinite(cell.values)]) for cell in noisy]
    means = [group.mean() for group in groups]
    slopes = np.linalg.lstsq(
        np.column_stack([np.log(rates), np.log(factors), np.ones(len(noisy))]),
        np.column_stack([means, statistics.drawn_means(groups, rng)]),
        rcond=None,
    )[0]
    sizes = [len(group) for group in groups]
    by_rate, by_factor = (statistics.interval(slope[0], slope[1:], sizes) for slope in slopes[:2])
    return by_rate, by_factor


def _cells(flat: xr.DataArray) -> list[xr.DataArray]:
    return [
        flat.isel(batch_size=i, learning_rate=j)
        for i, j in np.ndindex(flat.sizes["batch_size"], flat.sizes["learning_rate"])
    ]


def exponents(flat: xr.DataArray, *, seed: int = 0) -> list[Estimate]:
    """`mean_exponent` between each two neighbouring levels, from high losses to low ones."""
    slopes = flattening_exponents(flat).transpose("level", ...)
    return [mean_exponent(each, np.random.default_rng(seed)) for each in slopes]


def model_exponents(levels: Sequence[float]) -> list[float]:
    """`model_exponent` between each two neighbouring levels."""
    return [model_exponent(*fall) for fall in itertools.pairwise(levels)]


def exponent_courses(flat: xr.DataArray, *, seed: int = 0) -> xr.Dataset:
    """Exponents between neighbouring levels, of networks and of the model.

    Args:
        flat: what `at_losses` gives.
        seed: of the bootstrap.

    Returns:
        By level, the lower loss, with the coordinate `higher`: `value`, `low` and `high` of
        networks, and `model`.
    """
    levels, found = flat.level.values.tolist(), exponents(flat, seed=seed)
    every = {name: [getattr(one, name) for one in found] for name in ("value", "low", "high")}
    every["model"] = model_exponents(levels)
    coords = {"level": levels[1:], "higher": ("level", levels[:-1])}
    return xr.Dataset({name: ("level", values) for name, values in every.items()}, coords)


def flattening_findings(flat: xr.DataArray, n_samples: int, *, seed: int = 0) -> Findings:
    """With which power of the loss flatness grows, F ∝ L^(−s), and that of the model (Eq. 10).

    Args:
        flat: what `at_losses` gives, three levels or more.
        n_samples: training images.
        seed: of the bootstrap.

    Returns:
        s_first, s_last: s between the two highest losses, and between the two lowest.
        model_first, model_last: the same of the model.
        by_rate, by_batch: exponents of F ∝ η^a β^b at the second level, see `noise_exponents`.
        flat_runs: runs with an exponent between any two levels.
    """
    found, model = exponents(flat, seed=seed), model_exponents(flat.level.values.tolist())
    by_rate, by_batch = noise_exponents(flat.isel(level=1), n_samples, np.random.default_rng(seed))
    known = xr.apply_ufunc(np.isfinite, flattening_exponents(flat)).any("level")
    return {
        "s_first": found[0],
        "s_last": found[-1],
        "model_first": model[0],
        "model_last": model[-1],
        "by_rate": by_rate,
        "by_batch": by_batch,
        "flat_runs": int(known.sum()),
    }


def model_run_findings(first: float, last: float) -> Findings:
    """The exponent of the model along one of its runs, from one place y to another.

    Returns:
        model_run: between both.
        model_run_first, model_run_last: at each, over a hundredth of y.
    """
    here, there = (model_slope(y, 1.01 * y) for y in (first, last))
    return {"model_run": model_slope(first, last), "model_run_first": here, "model_run_last": there}
