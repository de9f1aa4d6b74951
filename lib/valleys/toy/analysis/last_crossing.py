"""Do runs of one noise that freeze later end in the flat valley more often?

Stated on 2026-11-29, before a number was seen. Within a noise: the rank-biserial correlation of the
time of the last crossing and a flat end lies above 0, which is what no relation gives. Between
noises: the mean time and the final share rise together.
"""

import numpy as np
import xarray as xr

from valleys.results.estimates import Estimate, Findings
from valleys.toy.simulation.langevin import fraction_error
from valleys.toy.statistics import in_errors

RARE = 1e-4  # probability of a stretch of time below which nothing is said of who crosses in it


def curves(exact: xr.Dataset) -> xr.Dataset:
    """P(flat | last crossing at t) between the records, NaN where hardly any run crosses for the
    last time.

    Args:
        exact: of `last_crossings_exact`, over effective_noise and time.

    Returns:
        `p_flat` over (effective_noise, time).
    """
    flat = exact.frozen_flat.diff("time")
    both = flat + exact.frozen_sharp.diff("time")
    times = np.sqrt(exact.time.values[1:] * exact.time.values[:-1])
    return xr.Dataset({"p_flat": (flat / both).where(both > RARE)}).assign_coords(time=times)


def by_time(runs: xr.Dataset, exact: xr.Dataset, n_parts: int = 10) -> xr.Dataset:
    """Share of flat ends among runs that cross late or early, in parts that are equally likely.

    Args:
        runs: of `last_crossings` at one learning rate, over effective_noise and run.
        exact: of `last_crossings_exact` at the same settings.
        n_parts: of the runs of each noise, in the order of their last crossings.

    Returns:
        Over (effective_noise, part): `p_flat` of the runs with its `p_flat_error`; `exact`, the
        same without sampling; `time`, of the middle of each part. NaN for a part without runs.
    """
    cells = [
        _parts_of(runs.sel(effective_noise=noise), exact.sel(effective_noise=noise), n_parts)
        for noise in exact.effective_noise.values
    ]
    return xr.concat(cells, dim=exact.effective_noise)


def _parts_of(runs: xr.Dataset, exact: xr.Dataset, n_parts: int) -> xr.Dataset:
    frozen = exact.frozen_flat + exact.frozen_sharp
    quantiles = np.linspace(0, 1, 2 * n_parts + 1)
    places = np.interp(quantiles, frozen, exact.time)
    edges, flat = places[::2], np.interp(places[::2], exact.time, exact.frozen_flat)
    times = runs.last_crossing * exact.learning_rate
    part = np.searchsorted(edges[1:-1], times.values, side="left")
    chosen = [runs.flat.values[part == place] for place in range(n_parts)]
    found = {
        "p_flat": [each.mean() if each.size else np.nan for each in chosen],
        "p_flat_error": [fraction_error(int(each.sum()), each.size) for each in chosen],
        "exact": np.diff(flat) * n_parts,
        "time": places[1::2],
    }
    return xr.Dataset({name: ("part", values) for name, values in found.items()})


def exact_order(exact: xr.Dataset) -> xr.DataArray:
    """Rank-biserial correlation of the last crossing and a flat end: the probability that a run
    that ends flat crosses later than one that ends sharp, less that of the reverse.

    Args:
        exact: of `last_crossings_exact`, with the dimension time.
    """
    flat, sharp = (
        exact[name] / exact[name].isel(time=-1) for name in ("frozen_flat", "frozen_sharp")
    )
    earlier = (sharp + sharp.shift(time=1, fill_value=0)) / 2
    return 2 * (earlier * (flat - flat.shift(time=1, fill_value=0))).sum("time") - 1


def order(times: np.ndarray, flat: np.ndarray) -> Estimate:
    """The same of runs, with its standard error (DeLong, DeLong and Clarke-Pearson 1988).

    Args:
        times: of the last crossings, (n,).
        flat: whether each run ends flat, (n,).
    """
    from scipy.stats import rankdata  # takes a second to load, and few want it

    chosen = flat > 0
    sides, ranks = (times[chosen], times[~chosen]), rankdata(times)
    # share of the other side that each run comes after
    later = [
        (ranks[mask] - rankdata(mine)) / len(other)
        for mask, mine, other in zip((chosen, ~chosen), sides, sides[::-1], strict=True)
    ]
    error = np.sqrt(sum(each.var(ddof=1) / len(each) for each in later))
    return Estimate.with_error(2 * later[0].mean() - 1, 2 * error)


def last_crossing_findings(runs: xr.Dataset, exact: xr.Dataset) -> Findings:
    """Whether late freezing and flat ends go together, within a noise and between noises.

    Args:
        runs: of `last_crossings` at one learning rate, over effective_noise, rising, and run.
        exact: of `last_crossings_exact` at the same settings.

    Returns:
        noises, falling: how many noises, and in how many the relation within is negative, exactly.
        within, within_runs: `exact_order` and `order` at the noise in the middle, `noise`.
        early, late: exact shares of the first and of the last tenth to freeze, at that noise.
        pull: the largest distance of a tenth of the runs from its exact share, in standard errors.
        share_low, share_high, time_low, time_high: final shares and mean times of the last
            crossing, exactly, at the weakest and at the strongest noise.
    """
    each, parts = exact_order(exact), by_time(runs, exact)
    place = {"effective_noise": exact.sizes["effective_noise"] // 2}
    shown, tenths = runs.isel(place), parts.exact.isel(place)
    pulls = in_errors(parts.p_flat, parts.exact, parts.p_flat_error)
    return {
        "noises": each.size,
        "falling": int((each < 0).sum()),
        "noise": float(shown.effective_noise),
        "within": float(each.isel(place)),
        "within_runs": order(shown.last_crossing.values, shown.flat.values),
        "early": float(tenths[0]),
        "late": float(tenths[-1]),
        "pull": float(np.abs(pulls).max()),
        **_between(exact),
    }


def _between(exact: xr.Dataset) -> Findings:
    frozen = exact.frozen_flat + exact.frozen_sharp
    middle = np.sqrt(exact.time * exact.time.shift(time=1, fill_value=exact.time.values[0]))
    means = (middle * (frozen - frozen.shift(time=1, fill_value=0))).sum("time")
    shares = exact.frozen_flat.isel(time=-1)
    return {
        "share_low": float(shares[0]),
        "share_high": float(shares[-1]),
        "time_low": float(means[0]),
        "time_high": float(means[-1]),
    }
