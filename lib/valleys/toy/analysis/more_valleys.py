"""What the runs in rows of valleys say: order by flatness, place in the row, the form of the
freezing point.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import xarray as xr

from valleys.toy.landscapes.many_valleys import ManyValleys
from valleys.toy.theory import chain


def pair_order(found: xr.Dataset, n_runs: int) -> xr.DataArray:
    """(P_flatter − P_sharper)/error for every pair of valleys of different width, dims (row,
    effective_noise, pair), NaN for equal widths.

    The error is that of two shares of one sample of n_runs, √((P_i + P_j − (P_i − P_j)²)/n); two
    empty valleys differ by 0.
    """
    columns = []
    for i, j in combinations(range(found.sizes["valley"]), 2):
        share, other = found.share.isel(valley=i, drop=True), found.share.isel(valley=j, drop=True)
        side = np.sign(
            found.width.isel(valley=i, drop=True) - found.width.isel(valley=j, drop=True)
        )
        error = np.sqrt(np.maximum(share + other - (share - other) ** 2, 1 / n_runs) / n_runs)
        columns.append(((share - other) * side / error).where(side != 0))
    return xr.concat(columns, dim="pair").transpose("row", "effective_noise", "pair")


def of_width(found: xr.Dataset, rank: int = -1) -> xr.Dataset:
    """Share and its error of one valley, by rank of width (−1 the flattest, 0 the sharpest),
    wherever it stands; dims (row, effective_noise).
    """
    places = xr.DataArray(np.argsort(found.width.values, axis=-1)[:, rank], dims="row")
    return found[["share", "share_error"]].isel(valley=places).drop_vars("valley", errors="ignore")


def entropy(share: xr.DataArray) -> xr.DataArray:
    """−Σ P ln P/ln n over the valleys: 1 for equal shares, 0 where all runs are in one."""
    terms = xr.where(share > 0, share * np.log(np.maximum(share, np.finfo(float).tiny)), 0.0)
    return -terms.sum("valley") / np.log(share.sizes["valley"])


def mean_width(found: xr.Dataset) -> xr.DataArray:
    """Σ P_i w_i, the mean width of the valleys in which the runs end, dims (row,
    effective_noise).
    """
    return (found.share * found.width).sum("valley")


def balance_shares(
    found: xr.Dataset, start_y: float, n_points: int = 300, highest_y: float = 60.0
) -> xr.DataArray:
    """Final shares by `chain.balance` for the rows and noises of a result, from equal shares at
    start_y; dims (row, effective_noise, valley).
    """
    y = np.geomspace(start_y, highest_y, n_points)
    landscapes = [ManyValleys(widths) for widths in found.width.values]
    values = [
        [chain.balance(each, noise, y)[:, -1] for noise in found.effective_noise.values]
        for each in landscapes
    ]
    return found.share.copy(data=values)


def fit_freezing(
    effective_noise: Sequence[float], freezing_y: Sequence[float], y_b: float
) -> dict[str, float]:
    """Two forms of o = y_freeze/(y_freeze + y_b) with two free numbers each: Eq. 25, o² = Δ_S
    ln(Δ_S/c)/w², and a power, o ∝ Δ_S^a.

    width, the w of the first, from the slope of o²/Δ_S against ln Δ_S; power, the a of the second;
    and their scatters, the root mean square of the residuals of ln y with n − 2 degrees of freedom.
    Raises ValueError for fewer than four points.
    """
    noise, y = np.asarray(effective_noise, dtype=float), np.asarray(freezing_y, dtype=float)
    if noise.size < 4:
        raise ValueError(
            f"only {noise.size} noises; give four or more to compare two forms of two numbers each"
        )
    opening = y / (y + y_b)
    slope, offset = np.polyfit(np.log(noise), opening**2 / noise, 1)
    power = np.polyfit(np.log(noise), np.log(opening), 1)
    reach = np.sqrt(np.maximum(noise * (offset + slope * np.log(noise)), np.finfo(float).tiny))
    fitted = {"form": reach, "power_law": np.exp(np.polyval(power, np.log(noise)))}
    residuals = {
        name: np.log(opening / (1 - opening)) - np.log(values / (1 - values))
        for name, values in fitted.items()
    }
    scatter = {
        f"{name}_scatter": float(np.sqrt((values**2).sum() / (noise.size - 2)))
        for name, values in residuals.items()
    }
    return {
        "width": float(slope**-0.5) if slope > 0 else np.inf,
        "power": float(power[0]),
    } | scatter


def reaches(found: xr.Dataset, y_b: float) -> xr.DataArray:
    """o(y_freeze)/√Δ_S with o = y/(y + y_b): by Eq. 25 it is √ln(Δ_S/(ε²Φ²)) over a width; dims
    (row, effective_noise).
    """
    return found.freezing_y / (found.freezing_y + y_b) / np.sqrt(found.effective_noise)


def collapse(curves: Sequence[np.ndarray]) -> float:
    """How well curves on the same points fall on one: the standard deviation between curves over
    the mean, root mean square over the points.
    """
    values = np.asarray(curves)
    return float(np.sqrt(np.mean((values.std(axis=0, ddof=1) / values.mean(axis=0)) ** 2)))


def width_rules(found: xr.Dataset) -> Mapping[str, np.ndarray]:
    """Widths that may stand for x2 in Eq. 25, shape (row, effective_noise): the sharpest, second
    flattest, flattest, and the mean at the end.
    """
    ordered = np.sort(found.width.values, axis=-1)
    repeat = found.sizes["effective_noise"]
    ranked = {"sharpest": 0, "second flattest": -2, "flattest": -1}
    return {name: np.tile(ordered[:, [rank]], repeat) for name, rank in ranked.items()} | {
        "mean at the end": mean_width(found).values
    }
