"""Where moving runs are, both coordinates at once: a packet that travels along y for ever, and
across the valleys the density of its y (Eqs. A13 and A14).
"""

import numpy as np
import xarray as xr
from scipy.integrate import solve_ivp

from valleys.results.estimates import Estimate, Findings
from valleys.toy.landscapes.two_valley import TwoValley
from valleys.toy.simulation.langevin import fraction_error
from valleys.toy.theory import along_y, at_fixed_y

N_BINS = 24  # of the histogram of y about its mean
WIDEST = 4.0  # reach of the histogram, in standard deviations of the last record
HISTOGRAMS = (1, 4, -1)  # records whose histogram is drawn


def packet(landscape: TwoValley, runs: xr.Dataset, effective_noise: float) -> xr.Dataset:
    """The packet of runs over time.

    Args:
        landscape: of the runs.
        runs: of `trajectories` at one noise strength: x, y over (run, step), and time.
        effective_noise: of the runs.

    Returns:
        Over time: mean_y and width, mean and standard deviation of y; drift_y, from the same start
        with the speed −⟨∂y L⟩ of Eq. A13; p_flat and p_flat_error.
    """
    n_flat = (runs.x > 0).sum("run").values
    n_runs = runs.sizes["run"]
    values = {
        "mean_y": runs.y.mean("run").values,
        "width": runs.y.std("run", ddof=1).values,
        "drift_y": _drift(landscape, float(runs.y[:, 0].mean()), runs.time.values, effective_noise),
        "p_flat": n_flat / n_runs,
        "p_flat_error": [fraction_error(int(n), n_runs) for n in n_flat],
    }
    over_time = {name: ("time", each) for name, each in values.items()}
    return xr.Dataset(over_time, {"time": runs.time.values})


def _drift(
    landscape: TwoValley, start_y: float, times: np.ndarray, effective_noise: float
) -> np.ndarray:
    solved = solve_ivp(
        lambda _, y: -along_y.averages(landscape, y, effective_noise)[0],
        (times[0], times[-1]),
        [start_y],
        t_eval=times,
        rtol=1e-6,
    )
    return solved.y[0]


def histograms(runs: xr.Dataset) -> xr.Dataset:
    """Density of y − ⟨y⟩ over (time, offset), at a few records of runs as in `packet`."""
    chosen = runs.isel(step=list(HISTOGRAMS))
    offsets = (chosen.y - chosen.y.mean("run")).transpose("step", "run").values
    reach = WIDEST * offsets[-1].std()
    edges = np.linspace(-reach, reach, N_BINS + 1)
    density = [np.histogram(each, edges, density=True)[0] for each in offsets]
    return xr.Dataset(
        {"density": (("time", "offset"), density)},
        {"time": chosen.time.values, "offset": (edges[1:] + edges[:-1]) / 2},
    )


def packet_findings(
    landscape: TwoValley, travelled: xr.Dataset, effective_noise: float
) -> Findings:
    """Does y come to rest, and has x the density of its y?

    Args:
        landscape: of the runs.
        travelled: of `packet`.
        effective_noise: of the runs.

    Returns:
        y_end and width_end, mean and standard deviation of y at the end; y_half, the mean at half
        the time; travelled, its way since, in widths; off_drift, the most that the mean is off
        drift_y, in per cent of it; growth, d ln P/dy of Eq. A13 without flux at y_end, and
        growth_far, its limit y/(2Δ_S); early and late, flat shares at the first record after the
        start and at the end, and early_steady and late_steady, those of a steady state of their y.
    """
    half = travelled.sel(time=travelled.time[-1] / 2, method="nearest")
    first, end = travelled.isel(time=1), travelled.isel(time=-1)
    off = (travelled.mean_y / travelled.drift_y - 1).values
    return {
        "y_half": float(half.mean_y),
        "y_end": float(end.mean_y),
        "width_end": float(end.width),
        "travelled": float((end.mean_y - half.mean_y) / end.width),
        "off_drift": float(100 * np.abs(off).max()),
        "growth": float(along_y.marginal_slope(landscape, end.mean_y.values, effective_noise)),
        "growth_far": float(end.mean_y) / (2 * effective_noise),
    } | {
        name: value
        for when, record in (("early", first), ("late", end))
        for name, value in _shares(landscape, record, effective_noise, when).items()
    }


def _shares(landscape: TwoValley, record: xr.Dataset, noise: float, when: str) -> Findings:
    steady = at_fixed_y.p_flat_exact(landscape, record.mean_y.values, noise)
    return {
        when: Estimate.with_error(record.p_flat, record.p_flat_error),
        f"{when}_steady": float(steady),
    }
