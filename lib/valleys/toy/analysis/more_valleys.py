"""What the runs in rows of valleys say: order by flatness, place in the row, the form of the
freezing point.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations, permutations

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from valleys.results.estimates import Estimate, Findings
from valleys.toy.experiments.more_valleys import in_order
from valleys.toy.landscapes.many_valleys import ManyValleys
from valleys.toy.statistics import mean_with_error, measured
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


def fit_freezing(effective_noise: ArrayLike, freezing_y: ArrayLike, y_b: float) -> dict[str, float]:
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


def collapse(curves: Sequence[np.ndarray] | np.ndarray) -> float:
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


def order_findings(
    parts: Mapping[str, Sequence[xr.Dataset]],
    n_runs: int,
    noise: float,
) -> Findings:
    """Whether the flatter of two valleys of a row holds more runs, and what its place counts.

    Args:
        parts: of `occupation` with `expected` of `balance_shares`, for each label of a start: a
            result of shorter rows and one of longer rows, three of them, the flattest valley at the
            edge, inside, and next to the sharpest.
        n_runs: of each row and noise.
        noise: at which shares are told; the nearest one is taken.

    Returns:
        With the label at the end: pairs, and right and wrong, those in which the flatter valley
        holds more and in which it holds less by more than two standard errors; worst, the largest
        of these distances; missed, |share − expected|, mean; outside, inside, flattest: shares of
        the flattest valley in the three longer rows; next, that of the second flattest in the last.
    """
    findings: Findings = {}
    for label, each in parts.items():
        told = _pair_findings(each, n_runs) | _place_findings(each[1], noise)
        findings |= {f"{name}_{label}": value for name, value in told.items()}
    return findings


def _pair_findings(parts: Sequence[xr.Dataset], n_runs: int) -> Findings:
    pulls = np.concatenate([pair_order(found, n_runs).values.ravel() for found in parts])
    missed = [np.abs(found.share - found.expected).values.ravel() for found in parts]
    return {
        "pairs": pulls.size,
        "right": int((pulls > 0).sum()),
        "wrong": int((pulls < -2).sum()),
        "worst": float(-np.nanmin(pulls)),
        "missed": float(np.concatenate(missed).mean()),
    }


def _place_findings(found: xr.Dataset, noise: float) -> Findings:
    place = {"effective_noise": noise, "method": "nearest"}
    flattest, second = (of_width(found, rank).sel(**place) for rank in (-1, -2))
    shares = {"outside": flattest, "inside": flattest, "flattest": flattest, "next": second}
    rows = (0, 1, 2, 2)
    chosen = zip(shares.items(), rows, strict=True)
    return {name: measured(each.isel(row=row), "share") for (name, each), row in chosen}


def wrong_order_findings(
    widths: Sequence[float],
    noise: float,
    starts: Mapping[str, float],
) -> Findings:
    """In how many orders of a row the balance of hops sets some flatter valley behind a sharper.

    Args:
        widths: of the valleys, rising.
        noise: effective noise.
        starts: y at which the runs begin, by label.

    Returns:
        orders, how many there are, mirror images counted once, and orders_label for each start.
    """
    ranks = range(1, len(widths) + 1)
    orders = [order for order in permutations(ranks) if order[0] < order[-1]]
    rows = in_order(widths, orders)
    dims = ("row", "effective_noise", "valley")
    empty = {"share": (dims, np.zeros((len(rows), 1, len(widths)))), "width": (dims[::2], rows)}
    blank = xr.Dataset(empty, {"effective_noise": [noise]})
    findings: Findings = {"orders": len(orders)}
    for label, start_y in starts.items():
        foreseen = blank.assign(share=balance_shares(blank, start_y, 150))
        wrong = (pair_order(foreseen, 10**6) < 0).any("pair")
        findings[f"orders_{label}"] = int(wrong.sum())
    return findings


def of_flattest(found: xr.Dataset) -> xr.Dataset:
    """share, share_error and expected of the flattest valley over (row, effective_noise), with
    n_valleys and the `order` (row), see `orders`, of a result with `expected` of `balance_shares`.
    """
    flattest = of_width(found)
    flattest["order"] = ("row", orders(found.width.values))
    flattest["expected"] = of_width(found.assign(share=found.expected)).share
    flattest["n_valleys"] = found.sizes["valley"]
    return flattest


def orders(widths: np.ndarray) -> list[str]:
    """The valleys along each row (row, valley) by rank of width, 1 the sharpest: `1-3-2`."""
    ranks = np.argsort(np.argsort(widths, axis=-1), axis=-1) + 1
    return ["-".join(map(str, row)) for row in ranks.tolist()]


def noise_findings(flattest: Mapping[str, xr.Dataset]) -> Findings:
    """How the share of the flattest valley, mean over the rows, grows with noise.

    Args:
        flattest: of `of_flattest`, by label; the noise rises.

    Returns:
        With the label in front: weak and strong, the share at the weakest and the strongest noise,
        and rise, their difference.
    """
    findings: Findings = {}
    for label, found in flattest.items():
        mean, error = mean_with_error(found.share, found.share_error, "row")
        shares, errors = mean.values[[0, -1]], error.values[[0, -1]]
        weak, strong = (Estimate.with_error(*each) for each in zip(shares, errors, strict=True))
        rise = Estimate.with_error(shares[1] - shares[0], np.hypot(*errors))
        ends = {"weak": weak, "strong": strong, "rise": rise}
        findings |= {f"{label}_{name}": value for name, value in ends.items()}
    return findings


def spread_findings(found: xr.Dataset, y: float) -> Findings:
    """How evenly runs are spread over the valleys, when they stop and when they are held.

    Args:
        found: of `occupation`; the noise rises.
        y: where runs are held.

    Returns:
        entropy_weak and entropy_strong, `entropy` at the weakest and the strongest noise, mean over
        the rows; held_weak and held_strong, the largest share of the first row at rest at y.
    """
    spread = entropy(found.share).mean("row")
    landscape = ManyValleys(tuple(found.width.values[0].tolist()))
    noises = found.effective_noise.values[[0, -1]].tolist()
    weak, strong = (float(chain.shares(landscape, y, noise).max()) for noise in noises)
    return {
        "entropy_weak": float(spread[0]),
        "entropy_strong": float(spread[-1]),
        "held_weak": weak,
        "held_strong": strong,
    }
