"""Stored results that get the key of today's code.

At once where today's code provably computes the same under another name, else once drawn parts have
come out again to the last bit.
"""

import dataclasses
import datetime
import importlib
import io
import random
import sys
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import xarray as xr

from valleys.results import atomic, machine, naming, shipping, store, verify
from valleys.results.code import PACKAGE, studies
from valleys.results.executors import Processes
from valleys.results.grid import Part
from valleys.results.naming import Made, Place
from valleys.results.verify import Again

REKEYED = "rekeyed"  # attribute: the day, and how it is known that today's code gives the same
Files = dict[Path, Made]


class Refused(Exception):
    """Why the results of a study cannot be given another key, in a few words."""


@dataclass(frozen=True)
class Outcome:
    """What became of the outdated files of one study."""

    study: str
    state: str  # renamed, without computing; recomputed, in parts; or refused
    remark: str

    def line(self) -> str:
        """One readable line."""
        return f"{self.state:<10} {self.study}  {self.remark}"


@dataclass(frozen=True)
class Extent:
    """How much of each file is computed again: so many cells, in so many seconds by the stored
    time, or the whole where a study offers no cells.
    """

    count: int = 1
    limit: float = 180.0


@dataclass(frozen=True)
class Evidence:
    """Where it is looked up what the code behind the stored results gives.

    Attributes:
        extent: of what is computed again and compared with the stored values, which takes the
            processor that made them.
        earlier: a checkout of the code that made the results, to compute the same parts with; None
            to compare with the stored values.
        runs: two folders of results at another size, of the code that made the stored ones and of
            today's, for the same specs: these are compared instead, and nothing is computed.
        names: names of studies today, by the names that they had.
    """

    extent: Extent = field(default_factory=Extent)
    earlier: Path | None = None
    runs: tuple[Path, Path] | None = None
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Asked:
    """What is computed again of a stored result.

    Attributes:
        spec: the fields of its spec.
        seconds: that the whole took.
        threads: to compute with.
        extent: of what is computed.
        draw: seed of the draw of parts.
    """

    spec: dict[str, Any]
    seconds: float
    threads: int
    extent: Extent
    draw: str


def rekey(folder: Path, evidence: Evidence) -> Generator[Outcome]:
    """Give outdated results the key of today's code where it gives the same; files are rewritten
    one by one, and a stopped run goes on from there.
    """
    for (study, *_), files in _outdated(folder).items():
        try:
            yield _rekeyed(study, files, folder, evidence)
        except Refused as refusal:
            yield Outcome(study, "refused", f"{refusal}; its results stay outdated")


def _rekeyed(study: str, files: Files, folder: Path, evidence: Evidence) -> Outcome:
    place, is_same = _place_today(next(iter(files.values())), evidence.names)
    same = f"the same code as {place.study} today"
    remark = same if is_same else _proof(files, place, evidence)
    for path, made in files.items():
        _rewrite(path, folder, made, place, remark)
    state = "renamed" if is_same else "recomputed"
    return Outcome(study, state, f"{remark}; {len(files)} files")


def _outdated(folder: Path) -> dict[tuple[str, str, str], Files]:
    """Sound files that are not current, by study, kind of spec and the code that made them."""
    found: dict[tuple[str, str, str], Files] = {}
    for name in sorted(shipping.names(folder)):
        made = store.made_of(folder / name)
        if made is not None and made.name == name and not made.is_current():
            found.setdefault(_code_of(made), {})[folder / name] = made
    return found


def _place_today(made: Made, names: Mapping[str, str]) -> tuple[Place, bool]:
    """Where the code is today, and whether it is provably that which made the results."""
    own = studies(name=names.get(made.study, made.study))
    here = [place for study in own or studies() if (place := _with_study(made, study).place())]
    same = [place for place in here if place.version() == made.code]
    chosen = same or (here if own else [])
    if not chosen:
        raise Refused("there is no such study any more")
    if len(chosen) > 1:
        raise Refused(f"there are {len(chosen)} studies that it may be today")
    return chosen[0], bool(same)


def _with_study(made: Made, study: str) -> Made:
    module, _, name = study.partition(":")
    return dataclasses.replace(made, study=name, module=module)


def _rewrite(path: Path, folder: Path, made: Made, place: Place, remark: str) -> None:
    """A file under its new key: its data stay, byte by byte."""
    today = naming.made_by(place.function(), place.spec(made.spec))
    note = {REKEYED: f"{datetime.date.today().isoformat()}: {remark}"}
    atomic.write(folder / today.name, with_attributes(path.read_bytes(), today.attributes | note))
    if folder / today.name != path:
        path.unlink()


def with_attributes(content: bytes, attributes: Mapping[str, str]) -> bytes:
    """A netCDF4 file in which these attributes are set and nothing else is touched."""
    buffer = io.BytesIO(content)
    with h5py.File(buffer, "r+") as opened:
        for name, value in attributes.items():
            opened.attrs[name] = value
    return buffer.getvalue()


def _proof(files: Files, place: Place, evidence: Evidence) -> str:
    """How it is known that the study at a place gives what made these files.

    Raises:
        Refused: something differs, or cannot be compared to the last bit.
    """
    if evidence.runs:
        return _proof_by_runs(files, place, *evidence.runs)
    counts = [
        count for path, made in files.items() for count in _compared(path, made, place, evidence)
    ]
    against = "the earlier code" if evidence.earlier else "the stored results"
    return (
        f"{len(counts)} parts, {sum(counts)} variables equal to the last bit to those of "
        f"{against}, on {machine.processor()}"
    )


def _proof_by_runs(files: Files, place: Place, earlier: Path, today: Path) -> str:
    """The same from results that the chapters left at another size."""
    known = next(iter(files.values()))
    every = (store.made_of(earlier / name) for name in sorted(shipping.names(earlier)))
    pairs = [made for made in every if made and _code_of(made) == _code_of(known)]
    if not pairs:
        raise Refused(f"{earlier} holds no result of the code that made its files")
    counts = [_equal_in_both(made, place, earlier, today) for made in pairs]
    return (
        f"{len(counts)} small results, {sum(counts)} variables equal to the last bit to those of "
        f"the earlier code, on {machine.processor()}"
    )


def _code_of(made: Made) -> tuple[str, str, str]:
    return made.study, made.kind, made.code


def _equal_in_both(made: Made, place: Place, earlier: Path, today: Path) -> int:
    """How many variables a result of the earlier code has, all of which are equal to those of
    today's for the same spec.
    """
    again = naming.made_by(place.function(), place.spec(made.spec))
    if not (today / again.name).exists():
        raise Refused(f"{today} lacks the result {again.name} of today's code")
    then, now = store.load(earlier / made.name), store.load(today / again.name)
    return _equal(again.name, [({}, then)], {}, now)


def _compared(path: Path, made: Made, place: Place, evidence: Evidence) -> list[int]:
    """Number of variables in each part of a stored result that came out again."""
    stored = store.load(path)
    threads, seconds = int(stored.attrs["threads"]), float(stored.attrs["wall_time_seconds"])
    is_same = bool(threads) and verify.is_same_processor(stored)
    if threads > machine.threads() or not (evidence.earlier or is_same):
        raise Refused(
            f"{path.name} was made with {threads} threads on "
            f"{stored.attrs['processor']}, and bits may differ here"
        )
    asked = Asked(made.spec, seconds, max(threads, 1), evidence.extent, made.key)
    references = [({}, stored)]
    if evidence.earlier:
        library = evidence.earlier / "lib"
        references = _computed(path.name, asked, _place_then(made, library), library)
    parts = _computed(path.name, asked, place)
    return [_equal(path.name, references, *part) for part in parts]


def _place_then(made: Made, library: Path) -> Place:
    """Where the code that made a result is in a copy of the package."""
    place = made.place(library)
    if place is None or place.version(library) != made.code:
        raise Refused(f"{library} is not the code that made it")
    return place


def _computed(name: str, asked: Asked, place: Place, library: Path | None = None) -> list[Again]:
    with Processes(1, threads=asked.threads) as executor:
        try:
            parts = executor.submit(parts_again, asked, place, library).result()
        except Exception as error:  # whatever the code raises, it does not stand for another one
            reason = f"({type(error).__name__}: {error})"
            raise Refused(f"{name} cannot be computed again {reason}") from None
    if not parts:
        limit = f"the limit of {asked.extent.limit:g} s: raise --limit"
        raise Refused(f"no part of {name} takes less than {limit}")
    return parts


def _equal(name: str, references: list[Again], place: dict[str, Any], again: xr.Dataset) -> int:
    """How many variables a part has, all of which are equal to those of a reference."""
    for known, reference in references:
        if known.items() <= place.items():
            rest = {dim: value for dim, value in place.items() if dim not in known}
            here = reference.sel(rest).squeeze()
            found = verify.compare(here, again.squeeze(), sampled=True, same_processor=True)
            if found.differing or not found.count:
                what = ", ".join(found.differing) or "everything"
                raise Refused(f"{name} differs in {what}{f' at {place}' if place else ''}")
            return found.count
    raise Refused(f"the earlier code does not offer the cell of {name} at {place}")


def parts_again(asked: Asked, place: Place, library: Path | None) -> list[Again]:
    """Drawn parts of a result that can be computed alone, else the whole, each with where it
    stands; none if they take longer than the limit.

    Args:
        asked: of which result, and how much of it.
        place: the study, and the class of its spec.
        library: folder of the code to compute with; that of this process if None.
    """
    if library:
        _become(library)
    grids = importlib.import_module("valleys.results.grid")  # of that library
    study, spec, extent = place.function(), place.spec(asked.spec), asked.extent
    if offered := grids.parts_of(study, spec):
        chosen = cheap_parts(offered, asked.seconds, extent, random.Random(asked.draw))
        return [(dict(where), compute().load()) for where, _, compute in chosen]
    is_short = asked.seconds < extent.limit
    return [({}, grids.computed(study, spec).load())] if is_short else []


def _become(library: Path) -> None:
    """Let what this process imports from now on come from there."""
    sys.path.insert(0, str(library))
    for name in [name for name in sys.modules if name.split(".")[0] == PACKAGE]:
        del sys.modules[name]


def cheap_parts(
    parts: list[Part], seconds: float, extent: Extent, draw: random.Random
) -> list[Part]:
    """Parts drawn with odds of one over what each takes, that take less than the limit together;
    of a result that took so many seconds.
    """
    shuffled = sorted(parts, key=lambda part: draw.expovariate(1.0) * (part.work or 1.0))
    return verify.affordable(shuffled, seconds, extent.limit, extent.count)
