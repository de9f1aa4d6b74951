"""What runs that move along y say: where their shares level off, and what flows meanwhile."""

import numpy as np
import xarray as xr

from valleys.results.estimates import Findings
from valleys.toy.landscapes.two_valley import TwoValley
from valleys.toy.statistics import in_errors, measured
from valleys.toy.theory import at_fixed_y

SPIKE = 5  # relaxation times of x: what they last over, the start of runs next to the ridge decides
EARLY_Y = 4.0  # below, runs of the strongest noise follow the balance


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
