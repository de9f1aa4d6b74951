"""Until when siblings part, how noise and walls go beside that, and whether the change of valley
slows down as Kramers' law has it, with the barrier over the noise (Eq. 21).
"""

import itertools

import numpy as np
import xarray as xr

from valleys.nets import statistics
from valleys.nets.analysis.assumptions import courses_of
from valleys.nets.statistics import Estimate
from valleys.results.estimates import Findings


def barriers_over_noise(found: xr.Dataset) -> xr.DataArray:
    """E = ΔL / D, mean barrier between runs over mean diffusion along the line between them: the
    exponent of Eqs. 18 and 21.

    In the model D = 2 Δ_S / f in a valley of flatness f, so that E is ΔL f / (2 Δ_S) there.

    Args:
        found: what `siblings` or `sibling_grid` gives.

    Returns:
        Without the dimension pair; NaN where the runs have not parted.
    """
    return found.wall.mean("pair") / found.line_noise.mean("pair")


def kept_shares(likeness: xr.DataArray) -> xr.DataArray:
    """What siblings share beyond those that part at the start, (Sim_J − S₀)/(1 − S₀), of at most
    one; NaN where it is nothing.

    Args:
        likeness: of siblings, mean over the runs, dimension branch, the first of which is the
            start.
    """
    floor = likeness.isel(branch=0, drop=True)
    kept = (likeness - floor) / (1 - floor)
    return kept.where(kept > 0)


def escape_rates(found: xr.Dataset, similarity: xr.DataArray | None = None) -> xr.DataArray:
    """Rate at which one run loses what its sibling keeps, k = ½ d ln s / dt_b of its share s,
    between each two neighbouring branch times.

    If a run changes its valley at a rate k, two siblings from t_b both keep theirs with probability
    exp(−2 ∫ k dt), from t_b to the end; likeness of mistakes beyond what siblings from the start
    have, see `kept_shares`, stands in for that probability.

    Args:
        found: what `siblings` or `sibling_grid` gives.
        similarity: of siblings, mean over the runs; that of `found` if None.

    Returns:
        Dimension branch, one shorter, with the coordinate `time`, the middle of the two; NaN where
        siblings share nothing.
    """
    likeness = found.similarity.mean("reference") if similarity is None else similarity
    times = found.branch_time.values
    logs = xr.apply_ufunc(np.log, kept_shares(likeness))
    slopes = logs.diff("branch") / xr.DataArray(2 * np.diff(times), dims="branch")
    return slopes.drop_vars("branch_time", errors="ignore").assign_coords(
        time=("branch", (times[1:] + times[:-1]) / 2)
    )


def at_middles(values: xr.DataArray, found: xr.Dataset) -> xr.DataArray:
    """A positive quantity of the branch times halfway between neighbours, as a geometric mean,
    dimension branch one shorter; NaN where one is.
    """
    logs = xr.apply_ufunc(np.log, values.drop_vars("branch_time", errors="ignore"))
    middles = (logs.isel(branch=slice(1, None)) + logs.isel(branch=slice(None, -1))) / 2
    return xr.apply_ufunc(np.exp, middles)


def kramers(found: xr.Dataset, *, seed: int = 0) -> dict[str, Estimate]:
    """How the rate goes with E, over all settings and times with a rate above zero, runs drawn anew
    with their walls within their settings.

    Args:
        found: what `sibling_grid` gives.
        seed: of the resamples.

    Returns:
        `slope` of ln k against E, −1 by Kramers' law; `power`, slope of ln k against ln E; `rank`,
        Spearman's correlation of k and E over settings and times; `rank_at_time`, the mean over the
        times of the correlation over settings, which time itself cannot make.
    """
    shape, n = (found.sizes["batch_size"], found.sizes["learning_rate"]), found.sizes["reference"]
    drawn = (
        np.random.default_rng(seed)
        .multinomial(n, np.full(n, 1 / n), size=(statistics.N_RESAMPLES, *shape))
        .astype(float)
    )
    weights = xr.DataArray(
        np.concatenate([np.ones((1, *shape, n)), drawn]),
        dims=("draw", "batch_size", "learning_rate", "reference"),
    )
    laws = _slopes_and_ranks(*_relations(found, weights))
    sizes = [n] * int(np.prod(shape))
    return {
        name: statistics.interval(values[0], values[1:], sizes) for name, values in laws.items()
    }


def _relations(found: xr.Dataset, weights: xr.DataArray) -> list[np.ndarray]:
    """E and k, (draw, settings, times) each, with each run counted as often as it was drawn, and
    each wall as often as both of its runs.

    NaN for walls of one run alone.
    """
    first, second = np.array(list(itertools.combinations(range(found.sizes["reference"]), 2))).T
    of_pairs = weights.isel(reference=first).values * weights.isel(reference=second).values
    dims = ("batch_size", "learning_rate", "branch")
    walls, noises = (
        np.einsum("blkp,dblp->dblk", found[name].transpose(*dims, "pair").values, of_pairs)
        for name in ("wall", "line_noise")
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        exponents = at_middles(xr.DataArray(walls / noises, dims=("draw", *dims)), found)
    rates = escape_rates(found, found.similarity.weighted(weights).mean("reference"))
    return [
        values.transpose("draw", *dims).values.reshape(
            weights.sizes["draw"], -1, values.sizes["branch"]
        )
        for values in (exponents, rates)
    ]


def _slopes_and_ranks(exponents: np.ndarray, rate: np.ndarray) -> dict[str, np.ndarray]:
    """What `kramers` gives in each draw, (draw,), from E and k, (draw, settings, times) each."""
    rising = np.isfinite(exponents) & np.isfinite(rate) & (rate > 0) & (exponents > 0)
    logs = [np.log(np.where(rising, values, 1)) for values in (exponents, rate)]
    slope, power = (_slopes(x, logs[1], rising) for x in (np.where(rising, exponents, 0), logs[0]))
    together = [values.reshape(len(values), -1) for values in (exponents, rate)]
    of_times = statistics.spearman_rows(exponents.swapaxes(1, 2), rate.swapaxes(1, 2))
    n_times = np.isfinite(of_times).sum(axis=1)
    with np.errstate(invalid="ignore"):
        at_time = np.nansum(of_times, axis=1) / n_times
    return {
        "slope": slope,
        "power": power,
        "rank": statistics.spearman_rows(*together),
        "rank_at_time": at_time,
    }


def _slopes(x: np.ndarray, y: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Slope of the least-squares line through the known points of each draw, (draw,), from
    (draw, settings, times) each; NaN for fewer than three.
    """
    axes, n = (1, 2), known.sum(axis=(1, 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        middles = [
            (np.where(known, values, 0).sum(axis=axes) / n)[:, None, None] for values in (x, y)
        ]
        x, y = (
            np.where(known, values - middle, 0)
            for values, middle in zip((x, y), middles, strict=True)
        )
        return np.where(
            n >= statistics.FEWEST_POINTS, (x * y).sum(axis=axes) / (x**2).sum(axis=axes), np.nan
        )


def joined_time(found: xr.Dataset, highest: float | xr.DataArray | None = None) -> xr.DataArray:
    """The first branch time from which on siblings end without a wall between them, run by run; NaN
    where they always have one.

    Args:
        found: what `siblings` or `sibling_grid` gives.
        highest: mean rise of the loss that counts as none, one for all or by setting; if None, no
            two siblings may have a rise larger than the loss at their higher end.
    """
    none = found.walled == 0 if highest is None else found.rise <= highest
    return xr.apply_ufunc(
        statistics.since, found.branch_time, none, input_core_dims=[["branch"]] * 2
    )


def over_runs(values: xr.DataArray, seed: int = 0) -> Estimate:
    """Mean over settings of means over runs that know an answer, with runs drawn anew within
    their settings.
    """
    settings = [str(name) for name in values.dims if name != "reference"]
    return statistics.stratified_mean(values, np.random.default_rng(seed), by=settings)


def last_before_freezing(found: xr.Dataset, name: str = "similarity") -> xr.DataArray:
    """Similarity, or another number, of the last siblings that part before their run freezes,
    run by run; NaN for a run that never does.
    """
    early = (found.branch_time < found.freezing_time).sum("branch")
    return found[name].isel(branch=(early - 1).clip(min=0)).where(early > 0)


def choice_findings(found: xr.Dataset, cent: xr.DataArray, *, seed: int = 0) -> Findings:
    """Until when the valley is chosen, at the lowest learning rate and at the highest [η · step].

    Args:
        found: what `sibling_grid` gives, learning rates rising.
        cent: rise of the loss that counts as a hill by the second convention, by setting.
        seed: of the bootstrap.

    Returns:
        With "low" or "high" behind each:
        joined_, cent_: the first branch time from which on siblings end without a hill, by the
            doubling of the loss and by the second convention, see `joined_time`.
        joined_share_, cent_share_: the same over the freezing time, run by run.
        frozen_: freezing time.
        walled_frozen_: share of siblings with a hill among the last that part before freezing.
        walled_end_: the same among the last of all.
        And joined_told of joined_all: runs whose last siblings have no hill by the first
        convention.
    """
    told = np.isfinite(joined_time(found))
    findings: Findings = {"joined_told": int(told.sum()), "joined_all": told.size}
    for name, place in (("low", 0), ("high", -1)):
        of_rate = _choice_at(found.isel(learning_rate=[place]), cent, seed=seed)
        findings |= {f"{key}_{name}": value for key, value in of_rate.items()}
    return findings


def _choice_at(row: xr.Dataset, cent: xr.DataArray, *, seed: int) -> Findings:
    joined, by_cent = joined_time(row), joined_time(row, cent)
    return {
        "joined": over_runs(joined, seed),
        "cent": over_runs(by_cent, seed),
        "joined_share": over_runs(joined / row.freezing_time, seed),
        "cent_share": over_runs(by_cent / row.freezing_time, seed),
        "frozen": over_runs(row.freezing_time, seed),
        "walled_frozen": over_runs(last_before_freezing(row, "walled"), seed),
        "walled_end": float(row.walled.isel(branch=-1).mean()),
    }


def likeness_findings(found: xr.Dataset, *, seed: int = 0) -> Findings:
    """How alike siblings end that part at the start, a little later and last.

    Args:
        found: what `sibling_grid` gives.
        seed: of the bootstrap.

    Returns:
        With "first", "early" and "last" behind each, for the first, second and last branch time:
        sib_: similarity of siblings.
        walled_: share of siblings with a hill that doubles the loss.
        time_: branch time [η · step].
        And sib_frozen: similarity of the last that part before their run freezes.
        sib_settings: number of settings.
    """
    findings: Findings = {
        "sib_frozen": over_runs(last_before_freezing(found), seed),
        "sib_settings": found.sizes["batch_size"] * found.sizes["learning_rate"],
    }
    for name, place in (("first", 0), ("early", 1), ("last", -1)):
        branch = found.isel(branch=place)
        findings[f"sib_{name}"] = over_runs(branch.similarity, seed)
        findings[f"walled_{name}"] = over_runs(branch.walled, seed)
        findings[f"time_{name}"] = branch.branch_time.item()
    return findings


def kramers_findings(found: xr.Dataset, *, seed: int = 0) -> Findings:
    """How the rate k of escape goes with the barrier over the noise, E (Eqs. 18 and 21).

    Args:
        found: what `sibling_grid` gives, learning rates rising.
        seed: of the bootstrap.

    Returns:
        kramers_slope, kramers_power, kramers_rank, kramers_at_time: see `kramers`.
        e_low, e_median: lowest and median of the smallest E of each setting.
        e_high: the largest E of all, to two digits.
        rates, rising: pairs of E and k, and those with a rate above zero.
        e_rising, e_other: median E of these, and of the rest.
        e_ratio: E at the highest learning rate over that at the lowest, geometric mean.
        change_ratio: the same of one minus the similarity of siblings that part after the start.
    """
    laws = kramers(found, seed=seed)
    of_branches = at_middles(barriers_over_noise(found), found)
    names = {"slope": "slope", "power": "power", "rank": "rank", "at_time": "rank_at_time"}
    findings: Findings = {f"kramers_{key}": laws[name] for key, name in names.items()}
    findings |= _exponents(of_branches, escape_rates(found))
    return findings | _between_rates(found, of_branches)


def _exponents(exponents: xr.DataArray, rates: xr.DataArray) -> Findings:
    known = np.isfinite(exponents)
    rising = known & (rates > 0)
    lowest = exponents.min("branch")
    return {
        "e_low": float(lowest.min()),
        "e_median": float(lowest.median()),
        "e_high": float(f"{exponents.max():.2g}"),
        "rates": int(known.sum()),
        "rising": int(rising.sum()),
        "e_rising": float(exponents.where(rising).median()),
        "e_other": float(exponents.where(known & ~rising).median()),
    }


def _between_rates(found: xr.Dataset, exponents: xr.DataArray) -> Findings:
    apart = np.log(exponents.isel(learning_rate=-1) / exponents.isel(learning_rate=0))
    changed = (1 - found.similarity).mean(("batch_size", "reference"))
    changing = changed.isel(branch=slice(1, None)).mean("branch")
    change_ratio = changing.isel(learning_rate=-1) / changing.isel(learning_rate=0)
    return {"e_ratio": float(np.exp(apart.mean())), "change_ratio": float(change_ratio)}


def beside_freezing(
    found: xr.Dataset, parted: xr.Dataset, stage: str, *, seed: int = 0
) -> xr.Dataset:
    """Loss, noise and walls along training in the settings of which all three are known.

    Args:
        found: what `conditions` gives, by batch_size and learning_rate.
        parted: what `siblings` gives, likewise.
        stage: the stage that counts as freezing, such as `loss 0.1`.
        seed: of the bootstrap.

    Returns:
        By batch_size and learning_rate, each a mean over runs with `_low` and `_high`:
        `train_loss` and `effective_noise`, Δ_S = ησ with 2σ the batch factor times Tr ΣH / Tr H²
        (Eqs. 15 and 17), by record; `wall`, the rise of the loss on the line between two runs, by
        branch, NaN where there is none. `record_clock` and `branch_clock` are η · step over the
        mean freezing time.
    """
    strength = found.batch_factor * found.noise_per_curvature / 2
    noisy = found.assign(effective_noise=found.learning_rate * strength)
    course = courses_of(noisy, ("train_loss", "effective_noise"), seed=seed)
    frozen = found.stage_time.sel(stage=stage, drop=True).mean("realization")
    course = course.assign(record_clock=course.time / frozen).drop_vars("time")
    walls = _walls(parted, seed).drop_vars("branch_time", errors="ignore")
    walls["branch_clock"] = parted.branch_time / parted.freezing_time.mean("reference")
    both = xr.merge([course, walls], join="inner", compat="override")
    return both.transpose("batch_size", "learning_rate", ...)


def _walls(parted: xr.Dataset, seed: int) -> xr.Dataset:
    """Mean rise between two runs with its interval, runs drawn anew, by setting and branch."""
    n, dims = parted.sizes["reference"], ("batch_size", "learning_rate", "branch")
    rises = parted.wall_rise.transpose(*dims, "pair").values
    told = np.full((3, *rises.shape[:-1]), np.nan)
    for place in np.argwhere((rises > 0).any(axis=-1)).tolist():
        between = np.zeros((n, n))
        between[np.triu_indices(n, 1)] = rises[tuple(place)]
        one = statistics.pair_mean(between + between.T, np.random.default_rng(seed))
        told[(slice(None), *place)] = one.value, one.low, one.high
    parts = zip(statistics.ENDS, told, strict=True)
    coords = {name: parted[name] for name in dims[:2]}
    return xr.Dataset({f"wall{end}": (dims, values) for end, values in parts}, coords)


def reasons_findings(beside: xr.Dataset) -> Findings:
    """How far the noise falls and the walls rise until freezing, and from there on.

    Args:
        beside: what `beside_freezing` gives.

    Returns:
        Factors, geometric means over settings:
        noise_until: effective noise at freezing over that at the first record after the start.
        noise_after: that at the last record over that at freezing.
        walls_until, walls_after: the same of the walls, between branch times.
        both_settings: number of settings.
    """
    findings: Findings = {"both_settings": len(_settings(beside))}
    for key, name, clock in (
        ("noise", "effective_noise", "record_clock"),
        ("walls", "wall", "branch_clock"),
    ):
        logs = [
            _at_ends_and_freezing(setting[name].values, setting[clock].values)
            for setting in _settings(beside)
        ]
        first, freezing, last = np.nanmean(logs, axis=0)
        findings[f"{key}_until"] = float(np.exp(freezing - first))
        findings[f"{key}_after"] = float(np.exp(last - freezing))
    return findings


def _settings(found: xr.Dataset) -> list[xr.Dataset]:
    sizes = found.sizes["batch_size"], found.sizes["learning_rate"]
    return [found.isel(batch_size=i, learning_rate=j) for i, j in np.ndindex(*sizes)]


def _at_ends_and_freezing(values: np.ndarray, clock: np.ndarray) -> list[float]:
    """Logarithm of a course at its first place after the start, at freezing and at the last."""
    known = np.isfinite(values) & (values > 0) & (clock > 0)
    if not known.any():
        return [np.nan] * 3
    logs = np.log(values[known])
    return [logs[0], float(np.interp(0, np.log(clock[known]), logs)), logs[-1]]
