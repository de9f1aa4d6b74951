"""Stored results computed again: the same processor and number of threads must give the same
bits, another processor the same within stated errors.
"""

import math
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from valleys.results import machine, shipping, store
from valleys.results.executors import Processes
from valleys.results.grid import Part, computed, parts_of
from valleys.results.naming import Made

Again = tuple[dict[str, Any], xr.Dataset]  # where it stands in the stored result, and what it holds
CLOCK = "seconds"  # variable of how long a cell took
RELATIVE, ABSOLUTE = 1e-6, 1e-12  # tolerance of what is computed without random numbers


@dataclass(frozen=True)
class Recomputed:
    """What became of one stored result."""

    name: str
    state: str  # equal, agrees, differs, outdated, damaged or skipped
    remark: str

    @property
    def is_bad(self) -> bool:
        """Whether the stored result must not be relied on."""
        return self.state in ("differs", "outdated", "damaged")

    def line(self) -> str:
        """One readable line."""
        return f"{self.state:<8} {self.name}  {self.remark}"


def verify(folder: Path, *, count: int, seed: int, limit: float) -> Iterator[Recomputed]:
    """Compute results of a folder, drawn at random, again; each in a process of its own, with as
    many threads as it was made with.

    Args:
        folder: folder of results.
        count: how many to compute again; those that are damaged, outdated or take too long come on
            top.
        seed: of the draw.
        limit: seconds that one may take, by its stored time. Of a longer one a cell is computed,
            where its study offers them.
    """
    draw, done = random.Random(seed), 0
    names = sorted(shipping.names(folder))
    for name in draw.sample(names, len(names)):
        if done >= count:
            return
        verdict = verify_one(folder, name, draw=draw.random(), limit=limit)
        done += verdict.state in ("equal", "agrees", "differs")
        yield verdict


def verify_one(folder: Path, name: str, *, draw: float, limit: float) -> Recomputed:
    """Compute one result again, or one part of it, and compare."""
    try:
        stored = store.load(folder / name)
        made = Made.of(stored.attrs)
    except Exception as error:  # of many kinds for a damaged file, and each means the same here
        return Recomputed(name, "damaged", f"it cannot be read ({error})")
    if made.name != name:
        return Recomputed(name, "damaged", "its name does not follow from its contents")
    if not made.is_current():
        remark = "the code behind it has changed since: run `make results`"
        return Recomputed(name, "outdated", remark)
    return _verified(made, stored, draw=draw, limit=limit)


def _verified(made: Made, stored: xr.Dataset, *, draw: float, limit: float) -> Recomputed:
    """What becomes of a sound result once it, or a part of it, is computed again."""
    threads, seconds = int(stored.attrs["threads"]), float(stored.attrs["wall_time_seconds"])
    started = time.perf_counter()
    with Processes(1, threads=max(1, min(threads, machine.threads()))) as executor:
        again = executor.submit(compute_again, made, seconds, limit, draw).result()
    if again is None:
        remark = f"it took {seconds:.0f} s, and the limit is {limit:g} s"
        return Recomputed(made.name, "skipped", remark)
    place, part = again
    compared = compare(
        stored.sel(place).squeeze(),
        part.squeeze(),
        sampled=made.is_sampled,
        same_processor=is_same_processor(stored) and 1 <= threads <= machine.threads(),
    )
    where = f"at {place}, " if place else ""
    return _verdict(made.name, compared, f"{where}{time.perf_counter() - started:.1f} s")


def is_same_processor(stored: xr.Dataset) -> bool:
    """Whether a stored result was made by a processor of the kind of this one."""
    return stored.attrs["processor"] == machine.processor()


def _verdict(name: str, compared: "Comparison", remark: str) -> Recomputed:
    if compared.differing:
        return Recomputed(name, "differs", f"in {', '.join(compared.differing)}; {remark}")
    if compared.exact:
        return Recomputed(name, "equal", f"{compared.count} variables to the last bit, {remark}")
    left_out = f", {compared.left_out} cannot be compared on another processor"
    within = f"{compared.count} variables within tolerance{left_out if compared.left_out else ''}"
    return Recomputed(name, "agrees" if compared.count else "skipped", f"{within}, {remark}")


def compute_again(made: Made, seconds: float, limit: float, draw: float) -> Again | None:
    """The whole result, or else a part drawn at random, that takes less than the limit; None if
    there is none.
    """
    study, spec = made.again()
    if seconds <= limit:
        return {}, computed(study, spec).load()
    chosen = drawn_parts(parts_of(study, spec), seconds, limit, draw)
    return (dict(chosen[0].place), chosen[0].compute().load()) if chosen else None


def drawn_parts(
    parts: Sequence[Part], seconds: float, limit: float, draw: float | str, most: int = 1
) -> list[Part]:
    """Parts at random that can be computed together within the limit, of a result that took so
    many seconds.
    """
    return affordable(random.Random(draw).sample(parts, len(parts)), seconds, limit, most)


def affordable(parts: Sequence[Part], seconds: float, limit: float, most: int) -> list[Part]:
    """The first parts, passing over those that would take too long, that take less than the limit
    together; of a result that took so many seconds.
    """
    whole = math.fsum(part.work for part in parts) or 1.0
    chosen: list[Part] = []
    for part in parts:
        together = math.fsum(each.work for each in [*chosen, part])
        if len(chosen) < most and seconds * together / whole < limit:
            chosen.append(part)
    return chosen


@dataclass(frozen=True)
class Comparison:
    """What a comparison found: variables that differ, how many were compared and left out, and
    whether bits had to be equal.
    """

    differing: list[str]
    count: int
    left_out: int
    exact: bool


def compare(
    stored: xr.Dataset, again: xr.Dataset, *, sampled: bool, same_processor: bool
) -> Comparison:
    """Compare each variable of `again` with the stored one of its name.

    Args:
        stored: the result, or the part of it that `again` holds.
        again: what was computed again.
        sampled: whether random numbers are drawn. If not, values must agree within 1e-6 of their
            size.
        same_processor: whether sampled values must be equal to the last bit. If not, the compiler
            may round otherwise, and those with an error must agree within the sum of both errors;
            the others cannot be compared.
    """
    verdicts = {
        name: _agrees(stored, again, name, sampled, same_processor)
        for name in map(str, again.data_vars)
    }
    differing = [name for name, verdict in verdicts.items() if verdict is False]
    compared = [name for name, verdict in verdicts.items() if verdict is not None]
    return Comparison(
        differing, len(compared), len(verdicts) - len(compared), sampled and same_processor
    )


def _agrees(
    stored: xr.Dataset, again: xr.Dataset, name: str, sampled: bool, same_processor: bool
) -> bool | None:
    """Whether a variable agrees; None if it cannot be compared, as what a clock told cannot."""
    if name == CLOCK:
        return None
    if name not in stored or stored[name].shape != again[name].shape:
        return False
    one, other = stored[name].values, again[name].values
    is_float = np.issubdtype(one.dtype, np.floating)
    if sampled and same_processor:
        return np.array_equal(one, other, equal_nan=is_float)
    if not sampled and is_float:
        return np.allclose(other, one, RELATIVE, ABSOLUTE, equal_nan=True)
    if not sampled:
        return np.array_equal(one, other)
    if f"{name}_error" not in again:
        return None
    error = stored[f"{name}_error"].values + again[f"{name}_error"].values
    return not (abs(one - other) > error).any() and np.array_equal(np.isnan(one), np.isnan(other))
