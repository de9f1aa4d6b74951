"""Results of earlier code declared to be those of today's, once drawn parts of every file of a study have come out again to the last bit."""

import datetime
import importlib
import json
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xarray as xr

from valleys.results import grid, machine, same_code, shipping, store
from valleys.results.code import PACKAGE
from valleys.results.executors import Processes
from valleys.results.same_code import Entry
from valleys.results.verify import compare

Part = tuple[dict[str, Any], xr.Dataset]  # where it stands in the whole, and what it holds


class Refused(Exception):
    """Why a study cannot be carried, in a few words."""


@dataclass(frozen=True)
class Carried:
    """What became of one study whose files are outdated."""

    study: str
    remark: str
    is_carried: bool

    def line(self) -> str:
        """One readable line."""
        return f"{'carried' if self.is_carried else 'refused':<8} {self.study}  {self.remark}"


@dataclass(frozen=True)
class Extent:
    """How much of each file is computed again: so many cells, in so many seconds by the stored time, or the whole where a study offers no cells."""

    count: int
    limit: float


def carry(folder: Path, path: Path, extent: Extent, *, earlier: Path | None = None) -> Iterator[Carried]:
    """Compute drawn parts of outdated results again, and where all are equal keep in a file that today's code stands for the code that made them.

    Args:
        folder: the results that come with the book.
        path: the file, written whole after each study; entries that do not hold for the code of today are dropped.
        extent: of what is computed.
        earlier: a checkout of the code that made the results, to compute the same parts with; if None they are compared with the results themselves,
            which takes the processor that made them.
    """
    _drop_stale(path)
    for (study, *kinds), files in _by_study(folder).items():
        if all(store.is_current(key) for key in files.values()):
            continue
        started = time.perf_counter()
        try:
            evidence = _evidence(folder, files, extent, earlier)
        except Refused as refusal:
            yield Carried(study, f"{refusal}; its results stay outdated", False)
            continue
        made_by = json.loads(min(files.values()))["code"]  # the same in all
        entry = Entry(study, kinds, made_by, datetime.date.today().isoformat(), evidence)
        same_code.write(path, same_code.read(path) | {store.version(study, kinds): entry})
        yield Carried(study, f"{evidence}, {time.perf_counter() - started:.0f} s", True)


def carry_by_runs(folder: Path, path: Path, earlier: Path, today: Path) -> Iterator[Carried]:
    """As `carry`, where results that the chapters left at another size are compared instead: with the code that made the shipped ones, and with today's.

    Args:
        folder: the results that come with the book.
        path: the file, as in `carry`.
        earlier: results of the earlier code, computed on this machine.
        today: results of today's code, for the same specs.
    """
    _drop_stale(path)
    left = _by_study(earlier)
    for (study, *kinds), files in _by_study(folder).items():
        if all(store.is_current(key) for key in files.values()):
            continue
        try:
            made_by = _only_code(files)
            pairs = [key for key in left.get((study, *kinds), {}).values() if json.loads(key)["code"] == made_by]
            counts = [_equal_in_both(key, earlier, today) for key in pairs]
            if not counts:
                raise Refused(f"{earlier} holds no result of the code that made its files")
        except Refused as refusal:
            yield Carried(study, f"{refusal}; its results stay outdated", False)
            continue
        evidence = f"{len(counts)} small results, {sum(counts)} variables equal to the last bit to those of the earlier code, on {machine.processor()}"
        entry = Entry(study, kinds, made_by, datetime.date.today().isoformat(), evidence)
        same_code.write(path, same_code.read(path) | {store.version(study, kinds): entry})
        yield Carried(study, evidence, True)


def _equal_in_both(key: str, earlier: Path, today: Path) -> int:
    """How many variables a result of the earlier code has, all of which are equal to those of today's for the same spec."""
    made = json.loads(key)
    again = made | {"code": store.version(made["study"], made["kinds"])}
    path = store.path_of_key(json.dumps(again, sort_keys=True), today)
    if not path.exists():
        raise Refused(f"{today} lacks the result {path.name} of today's code")
    return _equal(path.name, [({}, store.load(store.path_of_key(key, earlier)))], {}, store.load(path))


def _only_code(files: dict[str, str]) -> str:
    """Digest of the code that made all files of a study."""
    made_by = {json.loads(key)["code"] for key in files.values()}
    if len(made_by) > 1:
        raise Refused("its files were made by different code")
    return made_by.pop()


def _drop_stale(path: Path) -> None:
    entries = same_code.read(path)
    current = {version: entry for version, entry in entries.items() if store.version(entry.study, entry.kinds) == version}
    if current != entries:
        same_code.write(path, current)


def _by_study(folder: Path) -> dict[tuple[str, ...], dict[str, str]]:
    """The files of a folder by study and kinds of its spec, each with its key; damaged ones stay out."""
    found: dict[tuple[str, ...], dict[str, str]] = {}
    for name in sorted(shipping.names(folder)):
        key = store.key_of(folder / name)
        if key is not None and store.path_of_key(key, folder) == folder / name:
            made = json.loads(key)
            found.setdefault((made["study"], *made["kinds"]), {})[name] = key
    return found


def _evidence(folder: Path, files: dict[str, str], extent: Extent, earlier: Path | None) -> str:
    """What of the files of a study was computed again.

    Raises:
        Refused: something differs, or cannot be compared to the last bit.
    """
    _only_code(files)
    parts = [part for name in files for part in _compared(folder / name, extent, earlier)]
    against = "the earlier code" if earlier else "the stored results"
    return f"{len(parts)} parts of {len(files)} files, {sum(parts)} variables equal to the last bit to those of {against}, on {machine.processor()}"


def _compared(path: Path, extent: Extent, earlier: Path | None) -> list[int]:
    """Number of variables in each part of a stored result that came out again."""
    stored = store.load(path)
    threads = int(stored.attrs["threads"])
    if threads > machine.threads() or (earlier is None and not (threads and stored.attrs["processor"] == machine.processor())):
        raise Refused(f"{path.name} was made with {threads} threads on {stored.attrs['processor']}, and bits may differ here")
    asked = (stored.attrs[store.KEY], float(stored.attrs["wall_time_seconds"]), extent)
    references = _computed(path, max(threads, 1), asked, earlier) if earlier else [({}, stored)]
    parts = _computed(path, max(threads, 1), asked, None)
    return [_equal(path.name, references, *part) for part in parts]


def _computed(path: Path, threads: int, asked: tuple[Any, ...], earlier: Path | None) -> list[Part]:
    with Processes(1, threads=threads) as executor:
        try:
            parts = executor.submit(parts_again, *asked, earlier and str(earlier / "lib")).result()
        except Exception as error:  # whatever the code of today raises, it does not stand for that of earlier
            raise Refused(f"{path.name} cannot be computed again ({type(error).__name__}: {error})") from None
    if not parts:
        raise Refused(f"no part of {path.name} takes less than the limit of {asked[2].limit:g} s: raise --limit")
    return parts


def _equal(name: str, references: list[Part], place: dict[str, Any], again: xr.Dataset) -> int:
    for known, reference in references:
        if known.items() <= place.items():
            rest = {dim: value for dim, value in place.items() if dim not in known}
            found = compare(reference.sel(rest).squeeze(), again.squeeze(), sampled=True, same_processor=True)
            if found.differing or not found.count:
                raise Refused(f"{name} differs in {', '.join(found.differing) or 'everything'}{f' at {place}' if place else ''}")
            return found.count
    raise Refused(f"the earlier code does not offer the cell of {name} at {place}")


def parts_again(key: str, seconds: float, extent: Extent, library: str | None) -> list[Part]:
    """Drawn parts of a result that can be computed alone, else the whole, each with where it stands; none if they take longer than the limit.

    Args:
        key: of the result.
        seconds: that it took.
        extent: of what is computed.
        library: folder of the code that made the result; if None, that of today computes.

    Raises:
        ValueError: the code there is not what made the result.
    """
    made = json.loads(key)
    if library:
        _become_earlier(library, made)
    verify, grids = (importlib.import_module(name) for name in ("valleys.results.verify", "valleys.results.grid"))  # of that library
    study, spec = verify.study_of(key), verify.spec_of(key)
    if offered := grids.parts_of(study, spec):
        chosen = cheap_cells(offered, seconds, extent, random.Random(key))
        return [(dict(place), compute().load()) for place, _, compute in chosen]
    return [({}, grids.computed(study, spec).load())] if seconds < extent.limit else []


def _become_earlier(library: str, made: dict[str, Any]) -> None:
    """Let what this process imports from now on come from there."""
    sys.path.insert(0, library)
    for name in [name for name in sys.modules if name.split(".")[0] == PACKAGE]:
        del sys.modules[name]
    module, _, study = made["study"].rpartition(".")
    if importlib.import_module("valleys.results.code").code_version((f"{module}:{study}", *made["kinds"])) != made["code"]:
        raise ValueError(f"{library} is not the code that made it")


def cheap_cells(cells: list[grid.Part], seconds: float, extent: Extent, draw: random.Random) -> list[grid.Part]:
    """Cells drawn with odds of one over what each takes, that take less than the limit together; of a result that took so many seconds."""
    work = sum(share for _, share, _ in cells) or 1.0
    chosen: list[grid.Part] = []
    for cell in sorted(cells, key=lambda cell: draw.expovariate(1.0) * (cell[1] or 1.0)):
        if len(chosen) < extent.count and seconds * sum(share for _, share, _ in [*chosen, cell]) / work < extent.limit:
            chosen.append(cell)
    return chosen
