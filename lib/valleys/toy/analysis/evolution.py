"""What runs that move along y say: where their shares level off, what flows meanwhile, and how they
travel, in a packet that never comes to rest (Eqs. A13 and A14).
"""

import numpy as np
import xarray as xr
from scipy.integrate import solve_ivp

from valleys.results.estimates import Estimate, Findings
from valleys.toy.landscapes.two_valley import TwoValley
from valleys.toy.simulation.langevin import fraction_error
from valleys.toy.statistics import in_errors, measured
from valleys.toy.theory import along_y, at_fixed_y

SPIKE = 5  # relaxation times of x: what they last over, the start of runs next to the ridge decides
EARLY_Y = 4.0  # below, runs of the strongest noise follow the balance
N_BINS = 24  # of the histogram of y about its mean
WIDEST = 4.0  # reach of the histogram, in standard deviations of the last record
HISTOGRAMS = (1, 4, -1)  # records whose histogram is drawn


def evolution_findings(
    landscape: TwoValley,
    moving: xr.Dataset,
    exact: xr.Dataset,
    learning_rate: float,
) -> Findings:
    """Where the share of the flat valley ends, against the master equation and against Eq. 22.

    Args:
        landscape: of the runs.
        moving: of `evolution`, over (noise_strength, step), the noise rising.
        exact: of `master_histories`, over (effective_noise, time), of the same noises.
        learning_rate: of the runs.

    Returns:
        end_weak and end_strong: shares at the end with the weakest and the strongest noise; end_y
        and end_theory, mean y there and the share by Eq. 22, with the strongest; end_stray, the
        largest distance from the master equation at the end in standard errors.
    """
    end = moving.isel(step=-1)
    weak, strong = end.isel(noise_strength=0), end.isel(noise_strength=-1)
    strays = in_errors(end.p_flat, exact.isel(time=-1).p_flat.values, end.p_flat_error)
    noise = learning_rate * strong.noise_strength
    return {
        "end_weak": measured(weak),
        "end_strong": measured(strong),
        "end_theory": float(at_fixed_y.p_flat_kramers(landscape, strong.mean_y, noise)),
        "end_y": float(strong.mean_y),
        "end_stray": float(np.abs(strays).max()),
    }


def flux_findings(exact: xr.Dataset, slowest_x: float) -> Findings:
    """How much of the flow into the flat valley is not returned, while hops go on.

    The net flow is (to flat − to sharp)/to flat; the first `SPIKE` relaxation times do not count.

    Args:
        exact: of `master_histories`, over (effective_noise, time), the noise rising.
        slowest_x: longest relaxation time along x [learning rate times steps].

    Returns:
        start_spike, the time that does not count; net_early, the largest net flow of the strongest
        noise below y = `EARLY_Y`; open_weak and open_strong, mean y up to which the net flow is
        less than one half, with the weakest and the strongest noise.
    """
    net = (exact.to_flat - exact.to_sharp) / exact.to_flat
    settled = exact.time > SPIKE * slowest_x
    strongest = net.where(settled).isel(effective_noise=-1)
    early = exact.mean_y.isel(effective_noise=-1) < EARLY_Y
    open_until = exact.mean_y.where(net < 0.5).where(settled).max("time")
    return {
        "start_spike": SPIKE * slowest_x,
        "net_early": float(strongest.where(early).max()),
        "open_weak": float(open_until[0]),
        "open_strong": float(open_until[-1]),
    }


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


def packet_histograms(runs: xr.Dataset) -> xr.Dataset:
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
