"""What runs at fixed y say: weights of the valleys, effective potential, and temperature.

Where a dataset is said to lie at one y and effective noise, both are its scalar coordinates.
"""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from valleys.results.estimates import Estimate, Findings
from valleys.toy.landscapes.two_valley import TwoValley
from valleys.toy.statistics import in_errors, mean_with_error, measured
from valleys.toy.theory import at_fixed_y, freezing

FORMULAS = {  # of the weight of the flat valley
    "kramers": at_fixed_y.p_flat_kramers,
    "ito": at_fixed_y.p_flat_exact,
    "printed": at_fixed_y.p_flat_printed,
}
POTENTIALS = {"Eq. 19": "printed", "Itô": "ito"}  # names of lines, and the calculus of each
SMALL_STEP = 0.01  # learning rates up to this are extrapolated to zero
SHOWN_DENSITY = 0.02  # of its largest value: below, the logarithm of a sampled density is noise
PARTS = ("sharp", "flat", "both")  # a valley, or the whole of both
REACH = 2.1  # of a section, in places of the bottoms: at 2 it is as high as the ridge
N_PLACES = 400  # of a section, an even number, so that none is on the ridge


def clock_findings(landscape: TwoValley) -> Findings:
    """Whether x relaxes faster than y moves, anywhere along the way (Eqs. A7 and A8).

    Returns:
        tau_x, the longest relaxation time in either valley, which is that for y → ∞; tau_y, the
        shortest time in which y moves by one; tau_ratio, the first over the second.
    """
    y = np.linspace(0, 500, 5001)
    times = freezing.relaxation_times(landscape, np.append(y, 1e9))
    slowest_x = float(max(time.max() for time in times))
    fastest_y = float(freezing.drift_time(landscape, y).min())
    return {"tau_x": slowest_x, "tau_y": fastest_y, "tau_ratio": slowest_x / fastest_y}


def weight_findings(
    landscape: TwoValley,
    samples: xr.Dataset,
    operator: xr.Dataset,
    *,
    moderate_rate: float,
) -> Findings:
    """The weight of the flat valley against the size of the step, and its limit for small steps.

    The limit is the constant of a polynomial of degree 4 in √η through the operator's weights up
    to `SMALL_STEP`; its distance from that of degree 3 stands for its error.

    Args:
        landscape: of the runs.
        samples: of `frozen`, over learning_rate, at one y and effective noise.
        operator: of `operator`, over learning_rates that include those of the samples.
        moderate_rate: a learning rate, for which the nearest one of the samples is taken.

    Returns:
        level_kramers, level_ito, level_printed: the weights by Eq. 22, by Itô's calculus and by
        Eq. 16 as printed; limit; pull, the largest distance of a sample from the operator in
        standard errors; smallest and moderate, sampled weights with their smallest_rate and
        moderate_rate; over and back, escapes counted at the smallest rate out of the sharp and out
        of the flat valley.
    """
    moderate = samples.sel(learning_rate=moderate_rate, method="nearest")
    smallest = samples.sel(learning_rate=samples.learning_rate.min())
    expected = operator.p_flat.sel(learning_rate=samples.learning_rate)
    over, back = smallest.n_escapes.values
    return _levels(landscape, samples) | {
        "limit": _small_step_limit(operator),
        "pull": float(abs(in_errors(samples.p_flat, expected, samples.p_flat_error)).max()),
        "smallest": measured(smallest),
        "smallest_rate": smallest.learning_rate.item(),
        "moderate": measured(moderate),
        "moderate_rate": moderate.learning_rate.item(),
        "over": over.item(),
        "back": back.item(),
    }


def _levels(landscape: TwoValley, samples: xr.Dataset) -> Findings:
    place = float(samples.y), float(samples.effective_noise)
    return {f"level_{key}": float(formula(landscape, *place)) for key, formula in FORMULAS.items()}


def _small_step_limit(operator: xr.Dataset) -> Estimate:
    small = operator.where(operator.learning_rate <= SMALL_STEP, drop=True)
    root = np.sqrt(small.learning_rate)
    limit, coarser = (np.polyfit(root, small.p_flat, degree)[-1] for degree in (4, 3))
    return Estimate.with_error(limit, abs(limit - coarser))


def potential_section(landscape: TwoValley, y: float) -> xr.Dataset:
    """loss, effective (Eq. 19) and correction, their difference, over x at one y, from rim to
    rim.
    """
    section = xr.Dataset(coords={"x": _across(landscape, y), "y": y})
    section["loss"] = ("x", landscape.loss(section.x, y))
    section["effective"] = ("x", at_fixed_y.effective_loss(landscape, section.x, y))
    section["correction"] = ("x", at_fixed_y.sgd_correction(landscape, section.x, y))
    return section


def _across(landscape: TwoValley, y: float) -> np.ndarray:
    flat, sharp = landscape.valley_positions(y)
    return np.linspace(REACH * float(sharp), REACH * float(flat), N_PLACES)


def potentials_by_noise(
    landscape: TwoValley, y: float, effective_noises: Sequence[float]
) -> xr.Dataset:
    """What stronger noise makes of two equal wells at one y, for small steps.

    Returns:
        potential, −T ln P(x|y) of Itô's density, over (effective_noise, x), and loss over x, each
        counted from its value at the flat bottom.
    """
    flat, _ = landscape.valley_positions(y)
    x = _across(landscape, y)
    rows = []
    for noise in effective_noises:
        density, lowest = (
            at_fixed_y.conditional_density(landscape, place, y, noise, "ito") for place in (x, flat)
        )
        temperature = at_fixed_y.effective_temperature(landscape, y, noise)
        rows.append(-temperature * np.log(density / lowest))
    return xr.Dataset(
        {
            "potential": (("effective_noise", "x"), np.array(rows)),
            "loss": ("x", landscape.loss(x, y) - landscape.loss(flat, y)),
        },
        {"effective_noise": list(effective_noises), "x": x, "y": y},
    )


def sampled_potential(landscape: TwoValley, samples: xr.Dataset) -> xr.Dataset:
    """−T ln P(x|y) of the sampled density at the smallest learning rate, and of both densities.

    Args:
        landscape: of the runs.
        samples: of `frozen`, over learning_rate and bin, at one y and effective noise.

    Returns:
        potential, potential_error, and a line for each of `POTENTIALS`, over bin, with x; bins with
        less than `SHOWN_DENSITY` of the highest density are left out.
    """
    place = float(samples.y), float(samples.effective_noise)
    finest = samples.sel(learning_rate=samples.learning_rate.min()).set_coords("x")
    finest = finest.where(finest.density > SHOWN_DENSITY * finest.density.max(), drop=True)
    temperature = at_fixed_y.effective_temperature(landscape, *place)
    error = temperature * finest.density_error / finest.density
    potential = -temperature * np.log(finest.density)
    sampled = finest.assign(potential=potential, potential_error=error)
    for name, calculus in POTENTIALS.items():
        density = at_fixed_y.conditional_density(landscape, finest.x, *place, calculus)
        sampled[name] = ("bin", -temperature * np.log(density))
    return sampled


def potential_findings(landscape: TwoValley, sampled: xr.Dataset, late_y: float) -> Findings:
    """How noise deepens the flat valley and raises the sharp one (Eq. 19).

    Args:
        landscape: of the runs.
        sampled: of `sampled_potential`.
        late_y: where the correction of the loss is read.

    Returns:
        deepening and raising: the correction at the bottoms of the flat valley, with its sign
        turned, and of the sharp one, at late_y; temperature √(D⁺D⁻), and step, the T ln γ by which
        Itô's potential jumps on the ridge; depth, potential at the sharp bottom minus that at the
        flat one, sampled, and depth_printed and depth_ito by the two densities.
    """
    y, noise = float(sampled.y), float(sampled.effective_noise)
    bottoms = landscape.valley_positions(late_y)
    flat, sharp = at_fixed_y.sgd_correction(landscape, bottoms, late_y)
    temperature = at_fixed_y.effective_temperature(landscape, y, noise)
    return _depths(landscape, sampled) | {
        "deepening": float(-flat),
        "raising": float(sharp),
        "step": float(temperature * np.log(landscape.flatness_ratio)),
        "temperature": float(temperature),
    }


def _depths(landscape: TwoValley, sampled: xr.Dataset) -> Findings:
    """Sharp minus flat bottom, each in the bin that is nearest to it."""
    bottoms = landscape.valley_positions(float(sampled.y))
    places = [int(np.abs(sampled.x - bottom).argmin("bin")) for bottom in bottoms]
    flat, sharp = (sampled.isel(bin=place) for place in places)
    error = np.hypot(float(flat.potential_error), float(sharp.potential_error))
    return {
        "depth": Estimate.with_error(sharp.potential - flat.potential, error),
        "depth_printed": float(sharp["Eq. 19"] - flat["Eq. 19"]),
        "depth_ito": float(sharp["Itô"] - flat["Itô"]),
    }


def own_temperatures(
    landscape: TwoValley,
    pushed: xr.Dataset,
    effective_noise: float,
    learning_rate: float,
) -> xr.DataArray:
    """D/(1 − η/f) of each valley, its diffusion with the step that is not small; (valley, y)."""
    diffusion = np.array(at_fixed_y.diffusion(landscape, pushed.y, effective_noise))[::-1]
    own = diffusion / (1 - learning_rate / _flatness(landscape, pushed))
    return xr.DataArray(own, dims=("valley", "y"), coords={"valley": pushed.valley})


def _flatness(landscape: TwoValley, pushed: xr.Dataset) -> np.ndarray:
    return np.array(landscape.flatness(pushed.y))[::-1]  # sharp first, as in the dataset


def relative_temperatures(
    landscape: TwoValley,
    pushed: xr.Dataset,
    effective_noise: float,
) -> xr.Dataset:
    """Temperatures at the hardest push, over T_eff = √(D⁺D⁻), of each valley and of both.

    Args:
        landscape: of the runs.
        pushed: of `response`, over (force, valley, y).
        effective_noise: of the runs.

    Returns:
        relative and relative_error over (part, y), parts sharp, flat and both [1].
    """
    hardest = pushed.sel(force=pushed.force.max())
    unit = _unit(landscape, pushed, effective_noise)
    ratios = {
        f"relative{end}": _by_part(
            hardest[f"temperature{end}"], hardest[f"valley_temperature{end}"], unit
        )
        for end in ("", "_error")
    }
    return xr.Dataset(ratios).drop_vars("force")


def expected_temperatures(
    landscape: TwoValley,
    pushed: xr.Dataset,
    effective_noise: float,
    learning_rate: float,
) -> xr.Dataset:
    """What theory has for `relative_temperatures`: `theory` over (part, y) [1]."""
    hardest = pushed.sel(force=pushed.force.max())
    own = own_temperatures(landscape, pushed, effective_noise, learning_rate)
    unit = _unit(landscape, pushed, effective_noise)
    theory = _by_part(hardest.operator_temperature, own, unit)
    return xr.Dataset({"theory": theory.drop_vars("force")})


def _unit(landscape: TwoValley, pushed: xr.Dataset, effective_noise: float) -> xr.DataArray:
    temperature = at_fixed_y.effective_temperature(landscape, pushed.y, effective_noise)
    return xr.DataArray(temperature, dims="y")


def _by_part(both: xr.DataArray, valleys: xr.DataArray, unit: xr.DataArray) -> xr.DataArray:
    together = both.expand_dims(valley=["both"])
    return (xr.concat([valleys, together], "valley") / unit).rename(valley="part")


def response_findings(
    landscape: TwoValley,
    pushed: xr.Dataset,
    effective_noise: float,
    learning_rate: float,
) -> Findings:
    """Fluctuation over response: whether one temperature fits each valley, and both together.

    Args:
        landscape: of the runs.
        pushed: of `response`, over (force, valley, y), two forces.
        effective_noise: of the runs.
        learning_rate: of the runs.

    Returns:
        warm_sharp, warm_flat, warm_both: temperatures over T_eff, means over y; warm_theory, that
        of both by the transition operator; warm_first and warm_last, that of both for small steps,
        at the first and the last y; hotter, sharp over flat; linear, the largest difference of the
        susceptibilities at both forces, in standard errors; own_step, the largest η/f.
    """
    relative = relative_temperatures(landscape, pushed, effective_noise)
    expected = expected_temperatures(landscape, pushed, effective_noise, learning_rate)
    mean, error = mean_with_error(relative.relative, relative.relative_error, "y")
    small_step = _small_step_temperatures(landscape, pushed, effective_noise)
    means = xr.Dataset({"mean": mean, "mean_error": error})
    warm = {f"warm_{part}": measured(means.sel(part=part), "mean") for part in PARTS}
    return warm | {
        "warm_theory": float(expected.theory.sel(part="both").mean()),
        "warm_first": float(small_step[0]),
        "warm_last": float(small_step[-1]),
        "hotter": _hotter(mean, error),
        "linear": float(_nonlinearity(pushed).max()),
        "own_step": float((learning_rate / _flatness(landscape, pushed)).max()),
    }


def _small_step_temperatures(
    landscape: TwoValley,
    pushed: xr.Dataset,
    effective_noise: float,
) -> xr.DataArray:
    place = pushed.y.values, effective_noise
    fluctuation, response = at_fixed_y.fluctuation_and_response(landscape, *place)
    temperature = xr.DataArray(fluctuation / response, dims="y")
    return temperature / _unit(landscape, pushed, effective_noise)


def _hotter(mean: xr.DataArray, error: xr.DataArray) -> Estimate:
    ratio = mean.sel(part="sharp") / mean.sel(part="flat")
    relative = (error / mean).sel(part=["sharp", "flat"])
    return Estimate.with_error(ratio, ratio * np.sqrt((relative**2).sum()))


def _nonlinearity(pushed: xr.Dataset) -> xr.DataArray:
    gap = np.abs(pushed.susceptibility.diff("force").squeeze())
    return gap / np.sqrt((pushed.susceptibility_error**2).sum("force"))


def along_findings(landscape: TwoValley, along: xr.Dataset, operator: xr.Dataset) -> Findings:
    """How the weight of the flat valley grows with y, against the formulas.

    Args:
        landscape: of the runs.
        along: of `frozen`, over y, at one learning rate and effective noise.
        operator: of `operator`, at the same places.

    Returns:
        gap_kramers, gap_ito, gap_printed: the largest distance of a sample from each formula, with
        the error of that sample; along_pull, the largest distance from the operator in standard
        errors; printed_low, the weight by Eq. 16 as printed at the lowest y; boltzmann, the
        √γ/(1 + √γ) of equilibrium.
    """
    noise = float(along.effective_noise)
    pulls = in_errors(along.p_flat, operator.p_flat, along.p_flat_error)
    lowest = float(along.y.min())
    gaps: Findings = {f"gap_{key}": _gap(landscape, along, key) for key in FORMULAS}
    return gaps | {
        "along_pull": float(abs(pulls).max()),
        "printed_low": float(at_fixed_y.p_flat_printed(landscape, lowest, noise)),
        "boltzmann": float(at_fixed_y.p_flat_boltzmann(landscape)),
    }


def _gap(landscape: TwoValley, along: xr.Dataset, key: str) -> Estimate:
    weights = FORMULAS[key](landscape, along.y, float(along.effective_noise))
    gap = np.abs(weights - along.p_flat)
    return Estimate.with_error(gap.max(), along.p_flat_error[int(gap.argmax("y"))])
