"""What noise in a window of training does, held against gradient descent from the same start, with
intervals over starts and runs.
"""

from collections.abc import Mapping

import numpy as np
import xarray as xr

from valleys.nets import statistics
from valleys.nets.experiments.windows.specs import Window
from valleys.nets.statistics import ENDS, Estimate
from valleys.results.estimates import Findings

# in units of the freezing time without noise
WINDOWS: Mapping[str, Window] = {
    "first": (0.0, 0.5),
    "second": (0.5, 1.0),
    "before": (0.0, 1.0),
    "across": (0.5, 1.5),
    "after": (1.0, 2.0),
    "late": (2.0, 3.0),
    "long": (1.0, 3.0),
    "whole": (0.0, 3.0),
}
SHAMS: Mapping[str, Window] = {"sham_before": (0.0, 1.0), "sham_after": (1.0, 2.0)}
HALVES = ("first", "second")
WORDS = ("high", "middle", "low")  # of the levels
DOUBLED = 1.0  # wall over loss from which a wall doubles the loss
LOGARITHMS = ("flat", "peak", "delay", "lift")  # of which factors are made


def measures(found: xr.Dataset) -> xr.Dataset:
    """What is compared, one number a run, over (start, window, run).

    Returns:
        Logarithms of factors: `flat` over the twin at each level (… level), `peak`, the loss over
        the lowest before it in the window at its highest, `delay` of the freezing time over the
        twin's, and `lift`, the loss at the end of the window over the twin's. Besides `gain`
        (accuracy on all test images less the twin's, percentage points, … level), `wall` over the
        loss (… level), `path`, the lower wall of line and band, over the loss, `early`, the wall
        after the window over the loss there, `walled` and `early_walled`, whether it doubles the
        loss, `alike` and `distance`, and `sharp`, batch sharpness over 2/η, the mean of the middle
        and the end of the window.
    """
    lowest = float(found.level[-1])
    course, wall = found.course, found.wall / found.level
    floor = course.copy(data=np.minimum.accumulate(course.values, axis=course.dims.index("look")))
    early = found.early_wall / found.early_loss
    path = np.fmin(found.path_wall, found.straight_wall)
    last = wall.isel(level=-1)
    values = {
        "flat": np.log(found.flatness / found.twin_flatness),
        "gain": 100 * (found.accuracy - found.twin_accuracy),
        "wall": wall,
        "path": path / lowest,
        "early": early,
        "walled": (last > DOUBLED).where(np.isfinite(last)),
        "early_walled": (early > DOUBLED).where(np.isfinite(early)),
        "peak": np.log((course / floor).max("look")),
        "lift": np.log(course.isel(look=-1) / found.twin_course.isel(look=-1)),
        "delay": np.log(found.freezing_time / found.twin_freezing_time),
        "alike": found.similarity,
        "distance": found.distance,
        "sharp": found.batch_sharpness.isel(moment=[1, 2]).mean("moment")
        * (found.attrs["learning_rate"] / 2),
    }
    return xr.Dataset({name: each.drop_attrs() for name, each in values.items()})


def contrasts(found: xr.Dataset, *, seed: int = 0) -> xr.Dataset:
    """Each of `measures` as its mean over starts and runs, which are resampled in that order.

    Args:
        found: a grid of `windows` over start.
        seed: of the resamples.

    Returns:
        Dimensions window and level. Every name with `NAME_low` and `NAME_high`; logarithms have
        become factors. Coordinates as in the grid.
    """
    rng, values = np.random.default_rng(seed), measures(found)
    parts = {}
    for name, each in values.items():
        over = [dim for dim in ("window", "level") if dim in each.dims]
        rows = each.transpose(*over, "start", "run").values
        flat = rows.reshape(-1, *rows.shape[-2:])
        told = [_estimate(str(name), one, rng) for one in flat]
        for end in ENDS:
            column = [getattr(one, end.lstrip("_") or "value") for one in told]
            parts[f"{name}{end}"] = (over, np.reshape(column, rows.shape[:-2]))
    kept = {name: found[name] for name in ("opens", "closes", "window_batch", "level")}
    return xr.Dataset(parts, kept, found.attrs)


def _estimate(name: str, rows: np.ndarray, rng: np.random.Generator) -> Estimate:
    """Mean of one number a run, (n_starts, n_runs)."""
    told = statistics.nested_mean(rows, rng)
    if name.endswith("walled") and told.low == told.high:  # all or none: the starts are the sample
        n_starts = int(np.isfinite(rows).any(axis=1).sum())
        return statistics.share(round(told.value * n_starts), n_starts)
    return statistics.exponential(told) if name in LOGARITHMS else told


def place(found: xr.Dataset, window: Window, *, sham: bool = False) -> int | None:
    """Where a window stands in a dataset; None where it is not there."""
    same = (found.opens == window[0]) & (found.closes == window[1])
    same &= (found.window_batch != found.attrs["batch_size"]) == sham
    places = np.flatnonzero(same)
    return int(places[0]) if places.size else None


def places(found: xr.Dataset) -> dict[str, int]:
    """Where each of `WINDOWS` and `SHAMS` stands, by its name, as far as it is there."""
    named = {name: place(found, window) for name, window in WINDOWS.items()}
    named |= {name: place(found, window, sham=True) for name, window in SHAMS.items()}
    return {name: where for name, where in named.items() if where is not None}


def windows_findings(found: xr.Dataset, *, seed: int = 0) -> Findings:
    """What noise in each window has done in one setting.

    Args:
        found: a grid of `windows` over start.
        seed: of the resamples.

    Returns:
        For every window of `WINDOWS` and `SHAMS` by its name, here NAME: `NAME_flat`, factor of the
        flatness over the twin at the lowest level, and at the three levels `NAME_flat_high`,
        `NAME_flat_middle`, `NAME_flat_low`; `NAME_wall` [loss] and `NAME_accuracy` [points] at the
        lowest; `NAME_path`, `NAME_early`, `NAME_walled`, `NAME_early_walled`, `NAME_peak`,
        `NAME_lift`, `NAME_delay`, `NAME_alike` and `NAME_sharp` as in `measures`. Besides those of
        `share_findings`, `n_starts`, `n_runs`, `n_sham_runs`, `level_high`, `level_middle`,
        `level_low`, `batch_size`, `learning_rate` and `frozen`, the mean freezing time without
        noise.
    """
    table, findings = contrasts(found, seed=seed), dict[str, Estimate | float | int | str]()
    for name, where in places(found).items():
        row = table.isel(window=where)
        findings |= {f"{name}_{kind}": _read(row, of) for kind, of in PLAIN.items()}
        findings |= {
            f"{name}_{kind}": _read(row.isel(level=-1), of) for kind, of in AT_THE_LOWEST.items()
        }
        findings |= {
            f"{name}_flat_{word}": _read(row.isel(level=level), "flat")
            for level, word in enumerate(WORDS)
        }
    findings |= share_findings(found, seed=seed)
    findings |= {f"level_{word}": float(found.level[at]) for at, word in enumerate(WORDS)}
    findings |= {"n_starts": found.sizes["start"], "n_runs": found.sizes["run"]}
    findings |= {name: found.attrs[name] for name in ("batch_size", "learning_rate")}
    return findings | {"frozen": float(found.twin_freezing_time.mean())}


PLAIN = {
    name: name
    for name in (
        "path",
        "early",
        "walled",
        "early_walled",
        "peak",
        "lift",
        "delay",
        "alike",
        "sharp",
    )
}
AT_THE_LOWEST = {"flat": "flat", "wall": "wall", "accuracy": "gain"}


def _read(row: xr.Dataset, name: str) -> Estimate:
    value, low, high = (float(row[f"{name}{end}"]) for end in ENDS)
    return Estimate(value, low, high)


def share_findings(found: xr.Dataset, *, seed: int = 0) -> Findings:
    """How much of the gain in ln F at the lowest level, of noise from the start to three freezing
    times, single windows make up.

    Returns:
        `before_share` and `after_share` (from freezing on) of that of the whole; `both_share` of
        the two together; `after_over_before`, gain in the unit of time after freezing over that in
        the one before, `late_over_before`, and `second_over_first` of its halves where they are
        there.
    """
    flat, at = measures(found).flat.isel(level=-1), places(found)
    rng = np.random.default_rng(seed)
    rows = {
        name: flat.isel(window=where).transpose("start", "run").values
        for name, where in at.items()
        if name in WINDOWS
    }
    wanted = {
        "before_share": (("before",), "whole"),
        "after_share": (("long",), "whole"),
        "both_share": (("before", "long"), "whole"),
        "after_over_before": (("after",), "before"),
        "late_over_before": (("late",), "before"),
        "second_over_first": (("second",), "first"),
    }
    return {
        name: _over([rows[part] for part in parts], rows[whole], rng)
        for name, (parts, whole) in wanted.items()
        if {*parts, whole} <= set(rows)
    }


def _over(parts: list[np.ndarray], whole: np.ndarray, rng: np.random.Generator) -> Estimate:
    """Sum of the means of parts over the mean of the whole, starts drawn for all at once."""
    value, drawn = statistics.nested_means([*parts, whole], rng)
    sizes = [len(whole)]
    return statistics.interval(
        value[:-1].sum() / value[-1], drawn[:-1].sum(axis=0) / drawn[-1], sizes
    )
