"""The paper's criterion of freezing with escape rates that were counted (Eq. A32)."""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from valleys.results.estimates import Estimate, Findings
from valleys.toy.landscapes.two_valley import TwoValley
from valleys.toy.theory import criterion, freezing

N_DRAWS = 2000  # of rates within their errors
N_PLACES = 40  # of the curves of theory


def counted_places(
    landscape: TwoValley, hops: Sequence[xr.Dataset], epsilon: float, *, seed: int = 0
) -> xr.Dataset:
    """The y at which the counted k⁻ falls to εΦ/Δ_S, over effective_noise.

    Between two y the logarithm of the rate is taken as straight in z², as it is on a high ridge.

    Args:
        landscape: of the runs.
        hops: of `frozen`, one for each effective noise, over (valley, y), y rising.
        epsilon: of the paper.
        seed: of the draws.

    Returns:
        level, εΦ/Δ_S; y, with y_error and draws (draw), from rates drawn within their errors;
        exact, kramers and asymptotic, the same place by theory; eq_25.
    """
    rng = np.random.default_rng(seed)
    noises = np.array([float(each.effective_noise) for each in hops])
    draws = np.array([_drawn_places(landscape, each, epsilon, rng) for each in hops])
    theories = {
        name: criterion.freezing_y_by_rate(landscape, noises, epsilon, name)
        for name in criterion.RATES
    }
    values = {
        "level": criterion.frozen_rate(landscape, noises, epsilon),
        "y": draws[:, 0],
        "y_error": draws[:, 1:].std(axis=1),
        "eq_25": freezing.freezing_y(landscape, noises, epsilon),
    } | theories
    over_noise = {name: ("effective_noise", value) for name, value in values.items()}
    found = xr.Dataset(over_noise, {"effective_noise": noises})
    return found.assign(draws=(("effective_noise", "draw"), draws[:, 1:]))


def _drawn_places(
    landscape: TwoValley, hops: xr.Dataset, epsilon: float, rng: np.random.Generator
) -> np.ndarray:
    """The place by the rates as they are, and by N_DRAWS of rates within their errors."""
    out = hops.sel(valley="sharp")
    out = out.isel(y=np.flatnonzero(out.escape_rate > 0))  # where runs are few, none may escape
    relative = (out.escape_rate_error / out.escape_rate).values
    shifts = rng.standard_normal((N_DRAWS, relative.size)) * relative
    rates = np.log(out.escape_rate.values) + np.concatenate([0 * shifts[:1], shifts])
    noise = float(hops.effective_noise)
    level = np.log(criterion.frozen_rate(landscape, noise, epsilon))
    heights = (landscape.valley_positions(out.y.values)[1]) ** 2 / (2 * noise)  # z²
    squares = [_crossing(heights, each - level) for each in rates]
    return criterion.place_of_height(landscape, noise, np.sqrt(squares))


def _crossing(places: np.ndarray, excess: np.ndarray) -> float:
    """Where a falling excess passes zero, by the straight line through the two places around it, or
    through the last two.
    """
    below = np.flatnonzero(excess < 0)
    after = max(int(below[0]), 1) if below.size else excess.size - 1
    left, right = after - 1, after
    share = excess[left] / (excess[left] - excess[right])
    return float(places[left] + share * (places[right] - places[left]))


def rate_curves(landscape: TwoValley, hops: Sequence[xr.Dataset]) -> list[xr.Dataset]:
    """k⁻ over y for each noise, exact and by Eq. A25."""
    found = []
    for each in hops:
        y = np.linspace(float(each.y.min()), float(each.y.max()), N_PLACES)
        noise = float(each.effective_noise)
        rates = {
            label: ("y", [criterion.RATES[name](landscape, place, noise) for place in y])
            for name, label in (("exact", "exact, small steps"), ("asymptotic", "Eq. A25"))
        }
        found.append(xr.Dataset(rates, {"y": y, "effective_noise": noise}))
    return found


def criterion_findings(landscape: TwoValley, places: xr.Dataset) -> Findings:
    """Does the freezing point of Eq. A32 rise with the noise, and where does it lie?

    Args:
        landscape: of the runs.
        places: of `counted_places`, the noise rising.

    Returns:
        y_low and y_high, the place at the weakest and the strongest noise; growth, d ln y/d ln Δ_S,
        a straight line, and growth_exact, that of exact rates; off_exact, off_asymptotic and
        off_25, the counted place over each of theory less one, the mean, with the error of the
        counts; race_min and race_max, exact k⁻ there over the speed of the odds.
    """
    race = freezing.race(landscape, places.effective_noise.values, places.exact.values)
    drawn = _growth(places.effective_noise.values, places.draws.values)
    means = {
        f"off_{name.removeprefix('eq_')}": _off(places, name)
        for name in ("exact", "asymptotic", "eq_25")
    }
    return means | {
        "y_low": Estimate.with_error(places.y[0], places.y_error[0]),
        "y_high": Estimate.with_error(places.y[-1], places.y_error[-1]),
        "growth": Estimate.with_error(
            _growth(places.effective_noise.values, places.y.values[:, None])[0], drawn.std()
        ),
        "growth_exact": float(
            _growth(places.effective_noise.values, places.exact.values[:, None])[0]
        ),
        "race_min": float(race.min()),
        "race_max": float(race.max()),
    }


def _off(places: xr.Dataset, name: str) -> Estimate:
    """Counted places over those of one theory less one, mean over the noises."""
    value, drawn = (
        (each / places[name]).mean("effective_noise") - 1 for each in (places.y, places.draws)
    )
    return Estimate.with_error(value, drawn.std())


def _growth(noises: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Slopes of ln y in ln Δ_S, one for each column of (noise, draw)."""
    return np.polyfit(np.log(noises), np.log(places), 1)[0]
