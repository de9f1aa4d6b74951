"""What the conditions of real runs say about the model's assumptions: one number per run, means
with 95 % intervals over runs.
"""

from collections.abc import Mapping

import numpy as np
import xarray as xr

from valleys.nets import statistics
from valleys.nets.measures import noise_alignment
from valleys.nets.statistics import Estimate
from valleys.results.estimates import Findings

EDGE = 2.0  # of ηλ: beyond it gradient descent in a parabola grows (Cohen et al. 2021)
FAST = 10.0  # a direction is fast if it relaxes this many times within the time of the drift
FEWEST_IN_POOL = 2  # runs of a setting: gradient descent has one, and no noise to be pooled
FEWEST_RECORDS = 3  # for a slope
PERIODS = ("early", "freezing", "end")  # short names of stages
LEADING = 10  # directions that are outliers of the spectrum, as many as there are classes
MEASURED = {  # quantities at a stage, by their short names
    "p": "exponent",
    "p_tail": "tail",
    "cos": "cosine",
    "shared": "shared",
    "over": "over_isotropic",
}
Stages = Mapping[str, str]  # such as `loss 0.1`, by the short names of a chapter
Example = Mapping[str, float]  # a setting: its batch_size and learning_rate


def known_runs(values: xr.DataArray) -> np.ndarray:
    """The values of runs that have one, (n,)."""
    return values.dropna("realization").values


def pooled(values: xr.DataArray, rng: np.random.Generator) -> Estimate:
    """Mean over settings of the means over their runs, which are resampled within each setting;
    settings of a single run are left out.

    Args:
        values: one number a run, dimensions batch_size, learning_rate, realization.
        rng: of the resamples.
    """
    return statistics.stratified_mean(
        values, rng, by=("batch_size", "learning_rate"), fewest=FEWEST_IN_POOL
    )


def courses_of(found: xr.Dataset, names: tuple[str, ...], *, seed: int = 0) -> xr.Dataset:
    """Means over runs at each record, with the ends of their intervals as `name_low` and
    `name_high`, NaN where there are fewer than three runs.

    Args:
        found: what `conditions_sweep` returns.
        names: of quantities by realization and record.
        seed: of the bootstrap.
    """
    parts = {}
    for name in names:
        values = (
            found[name].transpose("batch_size", "learning_rate", "realization", "record").values
        )
        every = np.full((3, *values.shape[:2], values.shape[-1]), np.nan)
        for i, j in np.ndindex(values.shape[:2]):
            runs = values[i, j][np.isfinite(values[i, j]).any(axis=1)]
            if len(runs):
                every[:, i, j] = statistics.means(runs, np.random.default_rng([seed, i, j]))
        for end, one in zip(statistics.ENDS, every, strict=True):
            parts[f"{name}{end}"] = (("batch_size", "learning_rate", "record"), one)
    return xr.Dataset(parts, found[["batch_size", "learning_rate"]].coords).assign(time=found.time)


def prefactor_slope(found: xr.Dataset, below: float) -> xr.DataArray:
    """Slope of ln (Tr ΣH / Tr H²) against ln loss along each run, over records with a loss below a
    level: 0 if the noise strength σ is constant (Eq. 15).

    Args:
        found: what `conditions_sweep` returns.
        below: the level.
    """
    strength, loss = (
        np.log(found.noise_per_curvature),
        np.log(found.train_loss.where(found.train_loss < below)),
    )
    return xr.apply_ufunc(
        _slope, loss, strength, input_core_dims=[["record"], ["record"]], vectorize=True
    )


def _slope(x: np.ndarray, y: np.ndarray) -> float:
    known = np.isfinite(x) & np.isfinite(y)
    return float(np.polyfit(x[known], y[known], 1)[0]) if known.sum() >= FEWEST_RECORDS else np.nan


def tail_exponents(found: xr.Dataset, leading: int) -> xr.DataArray:
    """p of noise ∝ curvatureᵖ along the directions after the leading ones, by batch_size,
    learning_rate, realization and stage.

    Args:
        found: what `conditions_sweep` returns.
        leading: how many directions to leave out.
    """
    kept = found[["curvature", "noise"]].astype(float).isel(direction=slice(leading, None))
    return xr.apply_ufunc(
        noise_alignment.exponent,
        kept.curvature,
        kept.noise,
        input_core_dims=[["direction"], ["direction"]],
        vectorize=True,
    )


def stability(found: xr.Dataset, stage: str) -> xr.Dataset:
    """How the sharpness of the whole network compares with 2/η in each run.

    Args:
        found: what `conditions_sweep` returns.
        stage: the stage that counts as freezing, such as `loss 0.1`.

    Returns:
        By batch_size, learning_rate, realization: `highest` ηλ at any record after the start,
            `at_freezing`, `at_end`; `until`, the time of the
        last record with ηλ above 2, 0 if there is none; `share`, that time over the freezing time.
    """
    scaled = found.learning_rate * found.network_sharpness
    later, known = scaled.where(found.time > 0), scaled.notnull().any("record")
    until = found.time.where(later > EDGE).max("record").fillna(0).where(known)
    freezing = found.stage_time.sel(stage=stage, drop=True)
    at = {
        name: found.learning_rate * found.network_sharpness_at.sel(stage=which, drop=True)
        for name, which in (("at_freezing", stage), ("at_end", "end"))
    }
    return xr.Dataset(
        {"highest": later.max("record"), "until": until, "share": until / freezing} | at
    ).transpose("batch_size", "learning_rate", ...)


def separation_course(found: xr.Dataset) -> xr.Dataset:
    """Relaxation in the second layer's leading directions over drift of the loss, between
    successive records of each setting.

    Returns:
        By batch_size, learning_rate and interval: `time`, geometric middle; `ratio`, F · |Δ ln L| /
            Δt with F the flatness, which is the geometric
        mean of 1/λ over ten directions, and L the loss; both are geometric means over runs.
    """
    course = xr.Dataset(
        {
            "loss": np.log(found.train_loss).mean("realization"),
            "flat": np.log(found.flatness).mean("realization"),
            "time": found.time,
        }
    )
    # from the first record after the start on
    first, second = course.isel(record=slice(1, -1)), course.isel(record=slice(2, None))
    rate = np.abs(second.loss - first.loss) / (second.time - first.time)
    ratio, time = np.exp((first.flat + second.flat) / 2) * rate, np.sqrt(first.time * second.time)
    return (
        xr.Dataset({"ratio": ratio, "time": time})
        .transpose("batch_size", "learning_rate", ...)
        .rename(record="interval")
    )


def separation(followed: xr.Dataset) -> xr.Dataset:
    """Fast and slow times of each run at each stage, in units of learning_rate · step.

    Args:
        followed: what `timescales` returns.

    Returns:
        By realization and stage: `layer_time` and `network_time`, geometric mean of 1/λ over ten
            directions (Eq. A7); `drift_time`, in which the
        loss falls by e, and `shape_time`, in which the flatness changes by e; `layer_ratio` and
        `network_ratio` to the drift time (in the
        model: `flattening.model_separation`); `n_fast`, how many of the directions relax ten times
            or more within the drift time.
    """
    window = followed.attrs["window_time"]
    trained = followed.sel(draw="reshuffled", drop=True)
    drift = window / np.abs(np.log(trained.later_loss / trained.train_loss))
    shape = window / np.abs(np.log(trained.later_flatness / trained.flatness))
    network = np.exp(
        -np.log(followed.network_curvature.isel(network_direction=slice(10))).mean(
            "network_direction"
        )
    )
    found = {
        "layer_time": followed.flatness,
        "network_time": network,
        "drift_time": drift,
        "shape_time": shape,
    }
    found |= {"layer_ratio": followed.flatness / drift, "network_ratio": network / drift}
    return xr.Dataset(
        found
        | {"n_fast": (followed.curvature * drift > FAST).sum("direction").where(drift.notnull())}
    )


def held_to_parabola(
    followed: xr.Dataset, name: str, stage: str, draw: str, rng: np.random.Generator
) -> Estimate:
    """Measured over expected `relaxation` or `scatter`, geometric mean over directions, mean over
    runs.

    Args:
        followed: what `timescales` returns.
        name: `relaxation`, `scatter`, or the same with `network_` before it.
        stage: of the runs.
        draw: `reshuffled` or `independent`.
        rng: of the resamples.
    """
    chosen = followed.sel(stage=stage, draw=draw)
    prefix = "network_" if name.startswith("network_") else ""
    ratio = chosen[name] / chosen[f"{prefix}expected_{name.removeprefix('network_')}"]
    known = ratio.where(np.isfinite(ratio) & (ratio > 0))
    each = xr.apply_ufunc(np.log, known).mean(f"{prefix}direction")
    return statistics.mean(np.exp(known_runs(each)), rng)


def shrinkage(followed: xr.Dataset, stage: str, rng: np.random.Generator) -> Estimate:
    """Scatter under independent batches over scatter under reshuffled ones, geometric mean over
    the directions beyond ten, mean over runs.
    """
    chosen = followed.sel(stage=stage).isel(direction=slice(10, None))
    each = np.log(
        chosen.scatter.sel(draw="independent") / chosen.scatter.sel(draw="reshuffled")
    ).mean("direction")
    return statistics.mean(np.exp(known_runs(each)), rng)


def outcomes(found: xr.Dataset, stage: str, *, seed: int = 0) -> xr.Dataset:
    """How the runs of each setting freeze and end, and whether they were stable on the way, by
    batch_size and learning_rate.

    Args:
        found: what `conditions_sweep` returns.
        stage: the stage that counts as freezing, such as `loss 0.1`.
        seed: of the bootstrap.

    Returns:
        `freezing_time`, η · step, and `flatness` at the end, means over runs with `_low` and
        `_high`, NaN where there are fewer than three; `highest`, the highest ηλ of any run at any
        record after the start.
    """
    parts = {"highest": stability(found, stage).highest.max("realization")}
    at = {
        "freezing_time": found.stage_time.sel(stage=stage, drop=True),
        "flatness": found.flatness_at.sel(stage="end", drop=True),
    }
    for name, values in at.items():
        every = np.full((3, *parts["highest"].shape), np.nan)
        for i, j in np.ndindex(every.shape[1:]):
            one = statistics.mean(
                known_runs(values.isel(batch_size=i, learning_rate=j)),
                np.random.default_rng([seed, i, j]),
            )
            every[:, i, j] = one.value, one.low, one.high
        parts |= {
            f"{name}{end}": (("batch_size", "learning_rate"), one)
            for end, one in zip(statistics.ENDS, every, strict=True)
        }
    return xr.Dataset(parts)


def separation_means(followed: xr.Dataset, *, seed: int = 0) -> xr.Dataset:
    """`separation` as means over runs by stage, each with `_low` and `_high`, and the mean
    `stage_time`.

    Args:
        followed: what `timescales` returns.
        seed: of the bootstrap.
    """
    parts = {}
    for name, values in (
        dict(separation(followed).data_vars) | {"stage_time": followed.stage_time}
    ).items():
        every = statistics.means(
            values.transpose("realization", "stage").values, np.random.default_rng(seed)
        )
        parts |= {
            f"{name}{end}": ("stage", one) for end, one in zip(statistics.ENDS, every, strict=True)
        }
    return xr.Dataset(parts, followed[["stage", "learning_rate", "batch_size"]].coords)


def where_reached(found: xr.Dataset, stage: str) -> xr.Dataset:
    """The runs that came to a stage; everything about the others is NaN.

    Args:
        found: what `conditions_sweep` returns.
        stage: such as `loss 0.1`.
    """
    came = found.stage_time.sel(stage=stage, drop=True).notnull()
    return found.assign(
        {
            name: values.where(came)
            for name, values in found.data_vars.items()
            if "realization" in values.dims
        }
    )


def over_settings(fitted: xr.Dataset, name: str, stage: str, *, seed: int = 0) -> Estimate:
    """`pooled` mean of a quantity at a stage."""
    return pooled(fitted[f"{name}_at"].sel(stage=stage), np.random.default_rng(seed))


def noise_findings(
    fitted: xr.Dataset, stages: Stages, example: Example, *, seed: int = 0
) -> Findings:
    """Does the noise follow the curvature, Σ ∝ H, as Eq. 15 has it?

    Args:
        fitted: what `where_reached` gives, by batch_size and learning_rate.
        stages: of the runs, by short names, the last of which is "end".
        example: batch size and learning rate of the setting whose bulk is looked at.
        seed: of the bootstrap.

    Returns:
        With the short name of the stage behind each, over settings with mini-batches:
        p_, p_tail_: exponent of noise ∝ curvatureᵖ along the leading directions, and without
            the first ten of them.
        cos_, isotropic_: cosine between the matrices, and what isotropic noise would have.
        shared_: share of the ten leading directions of the noise within those of the Hessian.
        over_: Tr ΣH over that of isotropic noise of the same strength.
        And bulk: mean noise beyond the leading directions over what Σ ∝ H gives them, at the
            end, in the example.
    """
    known = fitted.assign(tail_at=tail_exponents(fitted, LEADING))
    findings: Findings = {}
    for name, stage in stages.items():
        for key, quantity in MEASURED.items():
            findings[f"{key}_{name}"] = over_settings(known, quantity, stage, seed=seed)
        isotropic = over_settings(known, "isotropic_cosine", stage, seed=seed)
        findings[f"isotropic_{name}"] = isotropic.value
    shown = fitted.sel(example).sel(stage=stages["end"])
    bulk = shown.bulk_noise_at / shown.bulk_curvature_at / shown.noise_per_curvature_at
    findings["bulk"] = statistics.mean(bulk.values, np.random.default_rng(seed))
    return findings


def strength_findings(
    fitted: xr.Dataset, stages: Stages, level: float, *, seed: int = 0
) -> Findings:
    """Does the noise keep its strength, Tr ΣH / Tr H², twice σ over the batch factor (Eq. 15)?

    Args:
        fitted: what `where_reached` gives, by batch_size and learning_rate.
        stages: of the runs by the short names "early", "freezing" and "end".
        level: of the loss below which the strength is compared with it.
        seed: of the bootstrap.

    Returns:
        strength_early, strength_freezing, strength_end: geometric mean over settings with
            mini-batches of those over their runs.
        fall_before, fall: factor by which it falls until freezing, and from there to the end,
            likewise.
        slope: power of the loss with which it falls below the level.
    """
    strength = xr.apply_ufunc(np.log, fitted.noise_per_curvature_at)
    at = {name: strength.sel(stage=stage) for name, stage in stages.items()}
    early, freezing, end = (at[name] for name in PERIODS)
    logs = {f"strength_{name}": value for name, value in at.items()}
    logs |= {"fall_before": early - freezing, "fall": freezing - end}
    findings: Findings = {
        name: statistics.exponential(pooled(value, np.random.default_rng(seed)))
        for name, value in logs.items()
    }
    findings["slope"] = pooled(prefactor_slope(fitted, level), np.random.default_rng(seed))
    return findings


def stability_findings(
    fitted: xr.Dataset, stage: str, example: Example, *, seed: int = 0
) -> Findings:
    """Are the steps stable, ηλ below 2 for the largest curvature of the whole network?

    Args:
        fitted: what `where_reached` gives, by batch_size and learning_rate.
        stage: the stage that counts as freezing.
        example: batch size and learning rate of one setting.
        seed: of the bootstrap.

    Returns:
        edge_highest, edge_at_freezing, edge_share: of the example, see `stability`.
        all_settings, unfit: settings with a run that came to the stage, and those without.
        beyond: settings with a run beyond the edge at some record after the start.
        latest: the highest ηλ of any run at the end.
        calm: the largest learning rate without a run beyond, NaN if there is none.
        calm_highest: the highest ηλ there.
    """
    stable = stability(fitted, stage)
    edge, highest = stable.sel(example).dropna("realization"), stable.highest.max("realization")
    findings: Findings = {}
    for name in ("highest", "at_freezing", "share"):
        findings[f"edge_{name}"] = statistics.mean(edge[name].values, np.random.default_rng(seed))
    calm, safe = calmest(highest)
    return findings | {
        "all_settings": int(highest.notnull().sum()),
        "unfit": int(highest.isnull().sum()),
        "beyond": int((highest > EDGE).sum()),
        "latest": float(stable.at_end.max()),
        "calm": calm if safe else np.nan,
        "calm_highest": float(highest.sel(learning_rate=calm).max()),
    }


def calmest(highest: xr.DataArray) -> tuple[float, bool]:
    """The largest learning rate at which ηλ stays below the edge at all batch sizes.

    Beside it whether there is one; if not, it is the first of all.

    Args:
        highest: ηλ of the runs of each setting, by batch_size and learning_rate.
    """
    safe = (highest < EDGE).all("batch_size")
    place = int(np.argmax(highest.learning_rate.values * safe.values))
    return highest.learning_rate.values[place].item(), bool(safe.any())


def outcome_findings(fitted: xr.Dataset, stage: str, *, seed: int = 0) -> Findings:
    """What noise and what large steps do to the freezing time [η · step] and to the flatness.

    Args:
        fitted: what `where_reached` gives, by batch_size and learning_rate; the last batch size is
            gradient descent.
        stage: the stage that counts as freezing.
        seed: of the bootstrap.

    Returns:
        With "freezing_time" or "flatness" for NAME:
        calm_NAME: the first batch size over gradient descent, at the learning rate of `calmest`;
            the flatness is that of the end.
        gd_NAME_first, gd_NAME_last: of gradient descent at the first learning rate where it comes
            to the stage, and at the last, `gd_NAME_rate`.
        And calm_flatness_freezing: as calm_flatness, at the stage.
    """
    highest = stability(fitted, stage).highest.max("realization")
    calm, _ = calmest(highest)
    at_stage, at_end = fitted.sel(stage=stage, drop=True), fitted.sel(stage="end", drop=True)
    same_loss = _over_descent(at_stage.flatness_at, calm, seed=seed)
    findings: Findings = {"calm_flatness_freezing": same_loss}
    for name, values in (("freezing_time", at_stage.stage_time), ("flatness", at_end.flatness_at)):
        descent = values.isel(batch_size=-1).mean("realization").dropna("learning_rate")
        findings[f"calm_{name}"] = _over_descent(values, calm, seed=seed)
        findings |= {f"gd_{name}_first": float(descent[0]), f"gd_{name}_last": float(descent[-1])}
        findings[f"gd_{name}_rate"] = descent.learning_rate[-1].item()
    return findings


def _over_descent(values: xr.DataArray, learning_rate: float, *, seed: int) -> Estimate:
    at_rate = values.sel(learning_rate=learning_rate)
    over = at_rate.isel(batch_size=0) / at_rate.isel(batch_size=-1).mean("realization")
    return statistics.mean(known_runs(over), np.random.default_rng(seed))
