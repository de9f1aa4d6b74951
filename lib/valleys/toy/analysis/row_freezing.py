"""Where runs in rows of valleys freeze: the form of the curve, and which width sets it."""

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from valleys.results.estimates import Findings
from valleys.toy.analysis.more_valleys import collapse, fit_freezing, reaches, width_rules
from valleys.toy.landscapes.many_valleys import ManyValleys
from valleys.toy.landscapes.two_valley import TwoValley
from valleys.toy.theory import chain, freezing

WAY = np.geomspace(0.2, 60.0, 300)  # along y, from where runs begin to where none hops


def scaled_reaches(parts: Sequence[xr.Dataset], y_b: float) -> dict[str, np.ndarray]:
    """`reaches` times each width of `width_rules`, (landscape, effective_noise).

    Args:
        parts: of `occupation` for the same noises, rows of one number of valleys each.
        y_b: of the landscapes, where valleys are half open.
    """
    rules = [width_rules(found) for found in parts]
    far = [reaches(found, y_b).values for found in parts]
    pairs = list(zip(rules, far, strict=True))
    return {name: np.concatenate([rule[name] * each for rule, each in pairs]) for name in rules[0]}


def freezing_curves(parts: Sequence[xr.Dataset], y_b: float) -> xr.Dataset:
    """freezing_y with its error, and by_sharpest and by_mean of `scaled_reaches`, over (landscape,
    effective_noise); n_valleys over landscape. Arguments as there.
    """
    names = ["freezing_y", "freezing_y_error"]
    rows = [found[names].rename(row="landscape").drop_vars("landscape") for found in parts]
    scaled, dims = scaled_reaches(parts, y_b), ("landscape", "effective_noise")
    return xr.concat(rows, dim="landscape").assign(
        n_valleys=("landscape", [found.sizes["valley"] for found in parts for _ in found.row]),
        by_sharpest=(dims, scaled["sharpest"]),
        by_mean=(dims, scaled["mean at the end"]),
    )


def collapse_findings(parts: Sequence[xr.Dataset], y_b: float) -> Findings:
    """Scatter of the curves of all landscapes when Eq. 25 takes this or that width for x2.

    Args:
        parts: as for `scaled_reaches`.
        y_b: of the landscapes.

    Returns:
        sharpest, second, flattest, mean: `collapse` with the width of the sharpest, the second
        flattest and the flattest valley, and with the mean width at the end [1].
    """
    spreads = {rule: collapse(curves) for rule, curves in scaled_reaches(parts, y_b).items()}
    return {
        "sharpest": spreads["sharpest"],
        "second": spreads["second flattest"],
        "flattest": spreads["flattest"],
        "mean": spreads["mean at the end"],
    }


def form_findings(stopped: xr.Dataset, y_b: float) -> Findings:
    """Whether the form of Eq. 25 or a power law fits the freezing points better.

    Args:
        stopped: freezing_y over (landscape, effective_noise).
        y_b: of the landscapes.

    Returns:
        form_worst and power_worst, the largest scatter of ln y about each form, see
        `fit_freezing`; landscapes, how many there are, and form_better, in how many Eq. 25 scatters
        less; slope_min, slope_max: powers of the second form; width_min, width_max: those of the
        first.
    """
    noises = stopped.effective_noise.values
    fits = [fit_freezing(noises, row.values, y_b) for row in stopped.freezing_y]
    names = ("form_scatter", "power_law_scatter", "power", "width")
    form, power_law, slope, width = (np.array([fit[name] for fit in fits]) for name in names)
    return {
        "form_worst": float(form.max()),
        "power_worst": float(power_law.max()),
        "landscapes": len(fits),
        "form_better": int((form < power_law).sum()),
        "slope_min": float(slope.min()),
        "slope_max": float(slope.max()),
        "width_min": float(width.min()),
        "width_max": float(width.max()),
    }


def pair_shift_findings(rows: Mapping[str, Sequence[float]], stopped: xr.Dataset) -> Findings:
    """How much later runs freeze when one valley of a pair is changed: Eq. 25 and runs.

    Each is y over that of the first pair, geometric mean over the noises.

    Args:
        rows: widths of pairs, the first one that of comparison, the others by name.
        stopped: freezing_y over (landscape, effective_noise), a landscape for each of the pairs.

    Returns:
        With the name in front: formula, Eq. 25; runs; share, the y of the quasi-steady share that
        equals the final one by the balance of hops.
    """
    noises = stopped.effective_noise.values
    pairs = [_sharpest_pair(row) for row in rows.values()]
    shifts = {
        "formula": _shift([freezing.freezing_y(pair, noises) for pair in pairs]),
        "runs": _shift(stopped.freezing_y.values),
        "share": _shift([_y_of_final_share(pair, noises) for pair in pairs]),
    }
    return {
        f"{name}_{label}": float(values[place])
        for label, values in shifts.items()
        for place, name in enumerate(list(rows)[1:])
    }


def _shift(places: Sequence[np.ndarray]) -> np.ndarray:
    """Geometric means over the noises of each curve over the first."""
    values = np.array(places)
    return np.exp(np.log(values[1:] / values[0]).mean(axis=-1))


def _sharpest_pair(row: Sequence[float]) -> TwoValley:
    return ManyValleys(tuple(sorted(row))).pair(0, 1)


def _y_of_final_share(pair: TwoValley, noises: np.ndarray) -> np.ndarray:
    final = [chain.balance(pair, noise, WAY)[1, -1] for noise in noises]
    return freezing.y_of_share(pair, noises, final)


def row_shift_findings(rows: Mapping[str, Sequence[float]], stopped: xr.Dataset) -> Findings:
    """How much later runs freeze in rows of more valleys, and Eq. 25 for their sharpest two.

    Args:
        rows: widths, first those of the pair of comparison, then longer rows by name.
        stopped: freezing_y over (landscape, effective_noise), a landscape for each of the rows.

    Returns:
        With the name in front: later, the runs, and narrow, Eq. 25 for the two sharpest valleys,
        each over that of the pair, geometric mean over the noises.
    """
    noises = stopped.effective_noise.values
    later = _shift(stopped.freezing_y.values)
    narrow = _shift([freezing.freezing_y(_sharpest_pair(row), noises) for row in rows.values()])
    names = list(rows)[1:]
    runs: Findings = {f"{name}_later": float(each) for name, each in zip(names, later, strict=True)}
    return runs | {f"{name}_narrow": float(each) for name, each in zip(names, narrow, strict=True)}
