"""What walks say: means over runs with intervals, heights relative to the loss, and whether
anything happens at freezing.
"""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from valleys.nets import statistics
from valleys.nets.measures import step_lines
from valleys.nets.statistics import Estimate

STAGES = ("before", "at", "after")  # two multiples of the freezing time each, of one ratio


def with_sags(found: xr.Dataset) -> xr.Dataset:
    """The dataset of `walk_grid` with `sag` of the mean line of each window, and `relative_sag`,
    over the mean loss; also those `near_` freezing.

    The logarithm of the last is `near_log_sag`, NaN where the line does not sag.

    Besides, `bowl_cosine`, −ηκ/2 with κ the curvature along the updates, what a walk that has
    settled in a bowl has; and `sampling_cosine`, the part of the cosine that the landscape does not
    make. The sag is known where no step has a floor, too, and needs no choice of steps as the
    height does.
    """
    parts: dict = {
        "bowl_cosine": -found.learning_rate * found.curvature / 2,
        "sampling_cosine": found.cosine - found.landscape_cosine,
    }
    for prefix in ("", "near_"):
        dims = found[prefix + "profile"].dims[:-1]
        parts[prefix + "sag"] = (
            dims,
            step_lines.sag(found[prefix + "profile"].transpose(..., "fraction").values),
        )
        parts[prefix + "relative_sag"] = (
            dims,
            parts[prefix + "sag"][1] / found[prefix + "loss"].transpose(*dims).values,
        )
    sagging = found.assign(parts)
    shares = sagging.near_relative_sag
    return sagging.assign(near_log_sag=np.log(shares.where(shares > 0)))


def estimate_of(values: xr.DataArray, *, seed: int = 0) -> Estimate:
    """Mean over realizations, the only dimension, as an estimate; runs that are NaN are left
    out.
    """
    return statistics.mean(values.values[np.isfinite(values.values)], np.random.default_rng(seed))


def ratio_of(first: xr.DataArray, second: xr.DataArray, *, seed: int = 0) -> Estimate:
    """Mean over realizations of one setting over that of another, both resampled; a single run,
    as of gradient descent, stands as it is.
    """
    groups = [each.values[np.isfinite(each.values)] for each in (first, second)]
    return statistics.ratio(*groups, rng=np.random.default_rng(seed))


def at_freezing(found: xr.Dataset, name: str) -> xr.Dataset:
    """Change of a quantity of each run over equal ratios of time, before, at and after its freezing
    time.

    The six multiples of the freezing time are pairs (a, b), (c, d), (e, f) with b/a = d/c = f/e and
    c·d = 1: what drifts evenly in the logarithm of time changes alike in all three; a course that
    bends there, or jumps, does not.

    Args:
        found: what `walk_grid` or `with_sags` gives, one or more settings.
        name: of the quantity, without `near_`.

    Returns:
        `change` by stage; `bend`, the change after freezing less that before; and `contrast`, the
        change at freezing less the mean of both others, which is 0 for a bend at freezing itself
        and not for a jump. NaN where a window of a run is missing.

    Raises:
        ValueError: the multiples are not three such pairs.
    """
    multiples = found.multiple.values
    if (
        len(multiples) != 6
        or not np.allclose(multiples[1::2] / multiples[::2], multiples[1] / multiples[0])
        or not np.isclose(multiples[2] * multiples[3], 1)
    ):
        raise ValueError(
            "multiples must be three pairs of one ratio, the middle one around 1, "
            f"got {multiples.tolist()}"
        )
    values = found["near_" + name]
    change = xr.concat(
        [
            values.isel(multiple=2 * k + 1, drop=True) - values.isel(multiple=2 * k, drop=True)
            for k in range(3)
        ],
        "stage",
    )
    change = change.assign_coords(stage=list(STAGES))
    contrast = change.sel(stage="at", drop=True) - change.sel(stage=["before", "after"]).mean(
        "stage", skipna=False
    )
    bend = change.sel(stage="after", drop=True) - change.sel(stage="before", drop=True)
    return xr.Dataset({"change": change, "bend": bend, "contrast": contrast})


def until_freezing(found: xr.Dataset, name: str, *, by_time: bool = False) -> xr.DataArray:
    """Mean of a quantity over the windows after the start and before the mean freezing time of a
    setting, if it has one, by realization.

    The windows are equally spaced in the logarithm of time and count alike, so that early training
    weighs more than its steps do; `by_time` weighs each with its time instead, as the stretch that
    it stands for is in proportion to it: then every step before freezing counts alike.
    """
    frozen = found.freezing_time.mean("realization").fillna(np.inf)
    before = (found.window_time > 0) & (found.window_time < frozen)
    values = found[name].where(before)
    return values.weighted(found.window_time).mean("window") if by_time else values.mean("window")


def mean_within(values: xr.DataArray, *, seed: int = 0) -> Estimate:
    """Mean over the finite runs of all settings, (..., realization); runs are resampled within
    their setting, and a single one stands as it is.
    """
    settings = [str(name) for name in values.dims if name != "realization"]
    return statistics.stratified_mean(
        values, np.random.default_rng(seed), by=settings, runs_count_alike=True
    )


def with_hill(hills: xr.DataArray, heights: xr.DataArray, share: float) -> xr.DataArray:
    """Whether each hill exceeds a share of the height at which the walk travels there, 1 or 0;
    NaN where there is no scan.
    """
    return (hills > share * heights).astype(float).where(hills.notnull() & heights.notnull())


def walk_courses(found: xr.Dataset, names: Sequence[str], *, seed: int = 0) -> xr.Dataset:
    """Means over runs against time at each setting: each name with its `_low` and `_high`
    (batch_size, learning_rate, window), and `window_time`.

    Args:
        found: what `with_sags` gives.
        names: quantities by window; a profile keeps its fractions.
        seed: of the bootstrap over runs.
    """
    parts = [statistics.run_means(found[name], "realization", name, seed=seed) for name in names]
    frozen = found.freezing_time.mean("realization")
    return xr.merge(parts, compat="no_conflicts").assign(
        window_time=found.window_time, freezing_time=frozen
    )


def freezing_changes(found: xr.Dataset, names: Sequence[str], *, seed: int = 0) -> xr.Dataset:
    """`at_freezing` of several quantities in the mean over runs at each setting, with intervals.

    Returns:
        Each name with its `_low` and `_high` by stage, and `_bend` and `_contrast` with the same
        ends, (batch_size, learning_rate).
    """
    parts: list[xr.Dataset] = []
    for name in names:
        changes = at_freezing(found, name)
        for values, suffix in (
            (changes.change, ""),
            (changes.bend, "_bend"),
            (changes.contrast, "_contrast"),
        ):
            parts.append(statistics.run_means(values, "realization", name + suffix, seed=seed))
    return xr.merge(parts, compat="no_conflicts")


def hills_ahead(found: xr.Dataset) -> xr.DataArray:
    """Hills from each floor to the later ones of its run, each pair once; NaN elsewhere."""
    windows = np.arange(found.sizes["window"])
    ahead = xr.DataArray(windows[:, None] < windows, dims=("window", "other"))
    return found.along_hill.where(ahead)


def wall_courses(found: xr.Dataset, *, seed: int = 0) -> xr.Dataset:
    """Mean hill between the floors of different runs in each window, `wall` with `_low` and
    `_high`; runs are resampled, since pairs share them.

    Args:
        found: what `walk_grid` gives.
        seed: of the bootstrap.
    """

    def ends(matrix: np.ndarray) -> np.ndarray:
        some = np.isfinite(matrix).any(axis=0)
        wall = statistics.pair_mean(matrix[np.ix_(some, some)], np.random.default_rng(seed))
        return np.array([wall.value, wall.low, wall.high])

    walls = xr.apply_ufunc(
        ends,
        found.across_hill,
        input_core_dims=[["realization", "partner"]],
        output_core_dims=[["end"]],
        vectorize=True,
    )
    return xr.Dataset(
        {
            name: walls.isel(end=index)
            for index, name in enumerate(f"wall{end}" for end in statistics.ENDS)
        }
    )


def overtaking(found: xr.Dataset) -> xr.DataArray:
    """Time of the first window from which on the mean wall between runs is higher than the mean
    height of their steps; NaN where it never is.

    Where no step has a floor there is no height to pass, and any wall is higher.
    """
    wall, height = wall_courses(found).wall, found.height.mean("realization").fillna(0)
    return xr.apply_ufunc(
        statistics.since, found.window_time, wall > height, input_core_dims=[["window"]] * 2
    )
