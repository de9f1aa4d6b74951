"""What runs that freeze say: their final share, and the place where they stop.

`course` is what `master_histories` has for runs that move along y, over (effective_noise, time);
`exact` is its last time.
"""

import numpy as np
import xarray as xr

from valleys.results.estimates import Estimate, Findings
from valleys.toy.landscapes.two_valley import TwoValley
from valleys.toy.statistics import in_errors, measured
from valleys.toy.theory import at_fixed_y, freezing

SMALL_STEP = 0.05  # learning rates up to this are extrapolated to zero
FAR_Y = 60.0  # where no run hops any more
N_NOISES = 12  # of the curves of theory
RACE = np.geomspace(0.25, 2.5, 25)  # places of the race, in units of the freezing point


def paradox_findings(
    landscape: TwoValley,
    held: xr.Dataset,
    free: xr.Dataset,
    exact: xr.Dataset,
    start_y: float,
) -> Findings:
    """More noise: a smaller share of the flat valley at fixed y, a larger one where runs freeze.

    Args:
        landscape: of the runs.
        held: of `frozen`, over effective_noise, which rises.
        free: of `freezing`, over effective_noise, which rises.
        exact: end of the master equation for the same noises as free.
        start_y: where the runs that move begin.

    Returns:
        held_low, held_high, free_low, free_high: shares at the weakest and the strongest noise;
        rise, the slope of the free shares per decade of noise, a weighted straight line; pull, the
        largest distance of the free shares from the master equation in standard errors;
        balance_gap, that of the balance of hops (Eq. A26) from it [1].
    """
    balance = _balance_at(landscape, exact, start_y)
    pulls = in_errors(free.p_flat, exact.p_flat, free.p_flat_error)
    return {
        "held_low": measured(held.isel(effective_noise=0)),
        "held_high": measured(held.isel(effective_noise=-1)),
        "free_low": measured(free.isel(effective_noise=0)),
        "free_high": measured(free.isel(effective_noise=-1)),
        "rise": _rise(free),
        "balance_gap": float(np.abs(balance - exact.p_flat).max()),
        "pull": float(abs(pulls).max()),
    }


def _rise(free: xr.Dataset) -> Estimate:
    decades = np.log10(free.effective_noise)
    weights = 1 / free.p_flat_error
    slope, covariance = np.polyfit(decades, free.p_flat, 1, w=weights, cov="unscaled")
    return Estimate.with_error(slope[0], covariance[0, 0] ** 0.5)


def noise_axis(exact: xr.Dataset) -> np.ndarray:
    """Effective noises of the curves of theory, over the range of a result, (N_NOISES,)."""
    noises = exact.effective_noise.values
    return np.geomspace(noises.min(), noises.max(), N_NOISES)


def _balance_at(landscape: TwoValley, exact: xr.Dataset, start_y: float) -> np.ndarray:
    """Final shares by Eq. A26 with exact rates at the noises of a result, from a curve."""
    path = np.geomspace(start_y, FAR_Y, 500)
    noise = noise_axis(exact)
    curve = [freezing.p_flat_balance(landscape, each, path)[-1] for each in noise]
    return np.interp(np.log(exact.effective_noise.values), np.log(noise), curve)


def balance_level(
    landscape: TwoValley,
    exact_steps: xr.Dataset,
    start_y: float,
    rates: str = "exact",
) -> float:
    """Final share by Eq. A26, which has no step, along the way that all the runs have made.

    Args:
        landscape: of the runs.
        exact_steps: end of the master equation, over learning_rate, at one effective noise, which
            is its scalar coordinate.
        start_y: where the runs begin.
        rates: exact, or kramers for those of Eq. 21.
    """
    way = np.geomspace(start_y, float(exact_steps.mean_y.min()), 500)
    noise = float(exact_steps.effective_noise)
    return float(freezing.p_flat_balance(landscape, noise, way, rates=rates)[-1])


def step_findings(smaller: xr.Dataset, exact_steps: xr.Dataset, level: float) -> Findings:
    """The final share against the size of the step, and its limit for small steps.

    The limit is the constant of a polynomial in √η up to `SMALL_STEP`, of degree 3 where there are
    points enough; its distance from that of one degree less stands for its error.

    Args:
        smaller: of `freezing`, over learning_rate.
        exact_steps: end of the master equation for the same learning rates.
        level: of `balance_level`.

    Returns:
        limit_steps; level as given; largest, the share at the largest learning rate, which is
        largest_rate; lowest, the smallest share; step_pull, the largest distance of the simulation
        from the master equation in standard errors.
    """
    largest = exact_steps.sel(learning_rate=exact_steps.learning_rate.max())
    pulls = in_errors(smaller.p_flat, exact_steps.p_flat, smaller.p_flat_error)
    return {
        "limit_steps": _small_step_limit(exact_steps),
        "level": level,
        "largest": float(largest.p_flat),
        "largest_rate": float(largest.learning_rate),
        "lowest": float(exact_steps.p_flat.min()),
        "step_pull": float(abs(pulls).max()),
    }


def _small_step_limit(exact_steps: xr.Dataset) -> Estimate:
    small = exact_steps.where(exact_steps.learning_rate <= SMALL_STEP, drop=True)
    root = np.sqrt(small.learning_rate)
    most = min(3, small.sizes["learning_rate"] - 1)
    limit, coarser = (np.polyfit(root, small.p_flat, degree)[-1] for degree in (most, most - 1))
    return Estimate.with_error(limit, abs(limit - coarser))


def epsilons(landscape: TwoValley, exact: xr.Dataset) -> xr.Dataset:
    """The ε that makes each formula of the paper agree with the master equation.

    Args:
        landscape: of the runs.
        exact: end of the master equation over effective_noise.

    Returns:
        Over effective_noise: fitted, from the final share by Eq. 26; by_place, from the mean place
        of the last hop by Eq. 25; same_share, the y at which the quasi-steady share is the final
        one; by_criterion, from that y by Eq. A30; race, exact k⁻ there over the speed of the odds.
    """
    noise = exact.effective_noise
    same_share = freezing.y_of_share(landscape, noise, exact.p_flat)
    found = {
        "fitted": freezing.epsilon_of(landscape, noise, exact.p_flat),
        "by_place": freezing.epsilon_of_freezing_y(landscape, noise, exact.freezing_y),
        "same_share": same_share,
        "by_criterion": freezing.epsilon_of_criterion(landscape, noise, same_share),
        "race": freezing.race(landscape, noise, same_share),
    }
    values = {name: ("effective_noise", np.asarray(each)) for name, each in found.items()}
    return xr.Dataset(values, {"effective_noise": noise.values})


def race_courses(landscape: TwoValley, exact: xr.Dataset) -> xr.Dataset:
    """The race along y: how fast walkers leave the sharp valley, and how fast the odds change.

    Args:
        landscape: of the runs.
        exact: end of the master equation over effective_noise.

    Returns:
        Over (effective_noise, place), place being y in units of the freezing point: y; rate, exact
        k⁻; speed, −d ln(k⁺/k⁻)/dt; ratio, the first over the second. Over effective_noise:
        freezing_y, where the quasi-steady share is the final one, and freezing_rate, k⁻ there.
    """
    noises = exact.effective_noise.values
    frozen_y = freezing.y_of_share(landscape, noises, exact.p_flat.values)
    y, column = frozen_y[:, None] * RACE, noises[:, None]
    ratio = freezing.race(landscape, column, y)
    rate = 1 / at_fixed_y.escape_times_exact(landscape, y, column)[1]
    courses = {"y": y, "rate": rate, "speed": rate / ratio, "ratio": ratio}
    ends = {
        "freezing_y": frozen_y,
        "freezing_rate": 1 / at_fixed_y.escape_times_exact(landscape, frozen_y, noises)[1],
    }
    values = {name: (("effective_noise", "place"), each) for name, each in courses.items()}
    values |= {name: ("effective_noise", each) for name, each in ends.items()}
    return xr.Dataset(values, {"effective_noise": noises, "place": RACE})


def typical_epsilon(landscape: TwoValley, exact: xr.Dataset) -> float:
    """Geometric mean over the noises of the ε with which Eq. 26 gives the final share."""
    fitted = freezing.epsilon_of(landscape, exact.effective_noise, exact.p_flat)
    return float(np.exp(np.log(fitted).mean()))


def freezing_places(landscape: TwoValley, exact: xr.Dataset, epsilon: float) -> xr.Dataset:
    """Where runs should freeze, over effective_noise, by Eq. 25 and by the final share.

    Args:
        landscape: of the runs.
        exact: end of the master equation over effective_noise, which rises.
        epsilon: of the paper; `typical_epsilon` is the other one.
    """
    noise = noise_axis(exact)
    both = {f"{epsilon:g}": epsilon}
    typical = typical_epsilon(landscape, exact)
    both[f"{typical:.1f}"] = typical
    shares = np.interp(np.log(noise), np.log(exact.effective_noise.values), exact.p_flat)
    shown = {
        f"Eq. 25, ε = {name}": freezing.freezing_y(landscape, noise, value)
        for name, value in both.items()
    }
    shown["place of the race"] = freezing.y_of_share(landscape, noise, shares)
    curves = {name: ("effective_noise", place) for name, place in shown.items()}
    return xr.Dataset(curves, {"effective_noise": noise})


def freezing_findings(landscape: TwoValley, exact: xr.Dataset, epsilon: float) -> Findings:
    """What the freezing point of the paper, Eqs. 25, 26 and A30, gets right, and with which ε.

    Args:
        landscape: of the runs.
        exact: end of the master equation over effective_noise, which rises.
        epsilon: of the paper.

    Returns:
        epsilon as given; fitted, `typical_epsilon`; the smallest and the largest, `_min` and
        `_max`, of fitted, by_place, by_criterion and race, see `epsilons`; slope and theory_slope,
        `_min` and `_max`: d ln y/d ln Δ_S of the last hop and of Eq. 25; overshoot, the most that
        Eq. 26 lies above the master equation; later, y of equal share over y of the last hop, mean;
        prefactor √(2ΔL/(π f2)) and dropped, k⁺/(k⁺ + k⁻), which Eq. A31 leaves out, at the middle
        noise; fitted_factor and noise_factor, largest over smallest fitted ε and √Δ_S.
    """
    found = epsilons(landscape, exact)
    over = freezing.p_flat_transient(landscape, exact.effective_noise.values, epsilon)
    noises = exact.effective_noise.values
    return (
        _extremes(found)
        | _slopes(landscape, exact, epsilon)
        | _at_middle(landscape, found)
        | {
            "epsilon": epsilon,
            "fitted": typical_epsilon(landscape, exact),
            "overshoot": float((over - exact.p_flat).max()),
            "later": float((found.same_share.values / exact.freezing_y).mean()),
            "fitted_factor": float(found.fitted.max() / found.fitted.min()),
            "noise_factor": float((noises.max() / noises.min()) ** 0.5),
        }
    )


def _extremes(found: xr.Dataset) -> Findings:
    names = ("fitted", "by_place", "by_criterion", "race")
    lowest: Findings = {f"{name}_min": float(found[name].min()) for name in names}
    return lowest | {f"{name}_max": float(found[name].max()) for name in names}


def _slopes(landscape: TwoValley, exact: xr.Dataset, epsilon: float) -> Findings:
    noise = noise_axis(exact)
    formula = freezing.freezing_y(landscape, noise, epsilon)
    slopes = np.diff(np.log(exact.freezing_y)) / np.diff(np.log(exact.effective_noise))
    theory = np.diff(np.log(formula)) / np.diff(np.log(noise))
    return {
        "slope_min": float(slopes.min()),
        "slope_max": float(slopes.max()),
        "theory_slope_min": float(theory.min()),
        "theory_slope_max": float(theory.max()),
    }


def _at_middle(landscape: TwoValley, found: xr.Dataset) -> Findings:
    middle = found.isel(effective_noise=found.sizes["effective_noise"] // 2)
    y = float(middle.same_share)
    flat_rate, sharp_rate = at_fixed_y.rates_kramers(landscape, y, float(middle.effective_noise))
    prefactor = (2 * landscape.barrier(y) / (np.pi * landscape.flatness(y)[1])) ** 0.5
    return {
        "prefactor": float(prefactor),
        "dropped": float(flat_rate / (flat_rate + sharp_rate)),
    }


def at_freezing(course: xr.Dataset) -> xr.Dataset:
    """How far runs are when their mean y is the mean place of the last hop, over effective_noise.

    Args:
        course: of `master_histories`, over (effective_noise, time).

    Returns:
        past, the share of runs that hop no more; reached, the flat share over the final one;
        within, y at 99 % of the final share over the place; width, y at which nine tenths of the
        runs hop no more over y at which one tenth does [1].
    """
    rows = [
        _at_freezing(course.isel(effective_noise=i)) for i in range(course.sizes["effective_noise"])
    ]
    names = ("past", "reached", "within", "width")
    columns = zip(names, np.array(rows).T, strict=True)
    values = {name: ("effective_noise", column) for name, column in columns}
    return xr.Dataset(values, {"effective_noise": course.effective_noise.values})


def _at_freezing(run: xr.Dataset) -> list[float]:
    end = run.isel(time=-1)
    past, share = (
        np.interp(end.freezing_y, run.mean_y, run[name]) for name in ("frozen", "p_flat")
    )
    first, last = np.interp([0.1, 0.9], run.frozen, run.mean_y)
    within = np.interp(0.99 * end.p_flat, run.p_flat, run.mean_y) / end.freezing_y
    return [float(past), float(share / end.p_flat), float(within), float(last / first)]


def course_findings(course: xr.Dataset) -> Findings:
    """Means over the noises of past, reached, within and width, see `at_freezing`."""
    return {str(name): float(each.values.mean()) for name, each in at_freezing(course).items()}


def limit_findings(
    landscape: TwoValley,
    final: xr.DataArray,
    limit: xr.DataArray,
    epsilon: float,
    typical: float,
) -> Findings:
    """Where the noise is too strong for Eq. 25 to have a freezing point.

    Args:
        landscape: the default one.
        final: shares by Eq. 26 over (flatness_ratio, effective_noise), as in the paper's Fig. 6C.
        limit: effective noise at which Eq. 25 diverges, over flatness_ratio, which rises.
        epsilon: of the paper.
        typical: ε fitted to the final share.

    Returns:
        limit and limit_fitted, the effective noise at which Eq. 25 diverges with each ε; limit_map,
        that of the largest flatness ratio; beyond, the share of the noises of the map that lie
        above it; threshold, (εΦ)² with the fitted ε, below which Eq. 25 is 0.
    """
    limits = [freezing.freezing_limit(landscape, each) for each in (epsilon, typical)]
    return {
        "limit": limits[0],
        "limit_fitted": limits[1],
        "limit_map": float(limit[-1]),
        "beyond": float((final.effective_noise > limit[-1]).mean()),
        "threshold": float((typical * freezing.freezing_constant(landscape)) ** 2),
    }


def difference_findings(
    landscape: TwoValley,
    exact: xr.Dataset,
    exact_steps: xr.Dataset,
    corners: xr.DataArray,
    *,
    y: float,
    start_y: float,
    epsilon: float,
) -> Findings:
    """What each approximation of the paper changes in a share of the flat valley.

    Args:
        landscape: of the runs.
        exact: end of the master equation over effective_noise.
        exact_steps: the same over learning_rate, at one effective noise, its scalar coordinate.
        corners: p_flat of `master_map` over two learning rates and two noise strengths.
        y: where shares at fixed y are compared.
        start_y: where the runs of exact_steps begin.
        epsilon: of the paper.

    Returns:
        At fixed y, minus the exact share: d_flow, Eq. 16 as printed, and d_rates, Eq. 22;
        d_equilibrium, Eq. A28 minus Boltzmann; of final shares: d_final, Eq. A26 with the rates of
        Eq. 21 minus that with exact ones; d_factor, Eq. 26 with ε minus 2ε; d_step, no step minus
        the largest step; d_corner, the small step with strong noise minus the large step with weak
        noise; d_epsilon, Eq. 26 minus the master equation, mean.
    """
    noise = float(exact_steps.effective_noise)
    level = balance_level(landscape, exact_steps, start_y)
    largest = exact_steps.sel(learning_rate=exact_steps.learning_rate.max())
    over = freezing.p_flat_transient(landscape, exact.effective_noise.values, epsilon)
    by_factor = [
        freezing.p_flat_transient(landscape, noise, each) for each in (epsilon, 2 * epsilon)
    ]
    return _differences_at(landscape, y, noise) | {
        "d_final": balance_level(landscape, exact_steps, start_y, "kramers") - level,
        "d_factor": float(by_factor[0] - by_factor[1]),
        "d_step": float(level - largest.p_flat),
        "d_corner": float(corners[0, 1] - corners[1, 0]),
        "d_epsilon": float((over - exact.p_flat).mean()),
    }


def _differences_at(landscape: TwoValley, y: float, noise: float) -> Findings:
    exact = at_fixed_y.p_flat_exact(landscape, y, noise)
    equilibrium = at_fixed_y.p_flat_equilibrium(landscape)
    return {
        "d_flow": float(at_fixed_y.p_flat_printed(landscape, y, noise) - exact),
        "d_rates": float(at_fixed_y.p_flat_kramers(landscape, y, noise) - exact),
        "d_equilibrium": float(equilibrium - at_fixed_y.p_flat_boltzmann(landscape)),
    }
