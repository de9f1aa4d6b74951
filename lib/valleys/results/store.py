"""Results on disk, each named by what made it: the spec of a study and the code behind it.

A result is looked for in the folder of computed results, then among those that come with the book.
Both follow the same rule: a file whose spec or code is another one is never shown. Those that come
with the book were made on another machine, whose processor may round a logarithm or a power the
other way: there, numbers of a spec are the same if they agree in twelve digits.
"""

import contextlib
import datetime
import io
import sys
import time
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import BrokenExecutor, CancelledError, Executor, as_completed
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import xarray as xr

from valleys import config
from valleys.paths import results_folder, shipped_folder
from valleys.results import atomic, machine, naming
from valleys.results.code import PACKAGE
from valleys.results.naming import KEY, Made, Study
from valleys.results.progress import progress

KEPT = "the finished ones are kept, and the same command goes on from there"
COMPRESSED_FROM = 10_000  # bytes; smaller variables grow when they are compressed
# whose versions are noted, where they were in use
LIBRARIES = ("numpy", "scipy", "xarray", "numba", "torch")


class Cell(NamedTuple):
    """One result of many that are asked for together."""

    study: Study
    spec: Any
    made: Made


class StoreWarning(UserWarning):
    """A result could not be read or written; the message says which file, why, and what happens
    now.
    """


def load_or_compute(study: Study, spec: Any) -> xr.Dataset:
    """The dataset `study(spec)`, from the store or from what the book ships if it is there, else
    computed and stored.

    Args:
        study: module-level function of one spec.
        spec: frozen dataclass of plain values (numbers, strings, tuples, such dataclasses).

    Returns:
        The dataset, with its provenance in the attributes.
    """
    return load_or_assemble(study, spec, lambda: study(spec))


def load_or_assemble(study: Study, spec: Any, assemble: Callable[[], xr.Dataset]) -> xr.Dataset:
    """`load_or_compute` for a result that is put together from cells: where it is not there,
    `assemble()` gives what `study(spec)` would.

    Args:
        study: module-level function of one spec, which names the result.
        spec: as in `load_or_compute`.
        assemble: puts the result together; its attributes `wall_time_seconds` and `threads`, which
            cells agree on, count as its own.
    """
    made = naming.made_by(study, spec)
    stored = _stored(made)
    _note_asked(made if stored is None else Made.of(stored.attrs))
    if stored is not None:
        return stored
    return _compute_and_store(lambda _: assemble(), spec, made, results_folder())


def load_or_compute_all(
    study: Study, specs: Iterable[Any], *, executor: Executor | None = None
) -> list[xr.Dataset]:
    """`load_or_compute` for each spec in order; a stopped run keeps every finished one. Cells are
    not noted as asked for, and so not shipped.

    Args:
        study: module-level function of one spec.
        specs: the specs, one a cell of a sweep.
        executor: where to compute, such as `valleys.results.executors.workers()` gives; in this
            process if None.

    Raises:
        RuntimeError: workers died, and died again in a second attempt at what was missing; or the
            scheduler of a cluster was lost.
    """
    cells = [Cell(study, spec, naming.made_by(study, spec)) for spec in specs]
    by_key = {cell.made.key: cell for cell in cells}
    stored = {key: _stored(cell.made) for key, cell in by_key.items()}
    results = {key: result for key, result in stored.items() if result is not None}
    missing = {key: cell for key, cell in by_key.items() if key not in results}
    with progress(study.__name__, total=len(by_key), initial=len(results)) as advance:
        for key, result in _computed(missing, executor):
            results[key] = result
            advance()
    return [results[cell.made.key] for cell in cells]


def _computed(
    missing: Mapping[str, Cell], executor: Executor | None
) -> Iterator[tuple[str, xr.Dataset]]:
    """Key and result of each missing cell as it is finished, in any order; where workers died,
    what is then missing is tried once more.

    Raises:
        RuntimeError: they died again, or the scheduler of a cluster was lost.
    """
    folder, waiting = results_folder(), dict(missing)
    if executor is None:
        yield from ((key, _compute_and_store(*cell, folder)) for key, cell in missing.items())
        return
    for is_last in (False, True):
        try:
            for key, result in _from_workers(waiting.values(), folder, executor):
                del waiting[key]
                yield key, result
            return
        except (BrokenExecutor, CancelledError) as error:
            state = _loss(error, waiting, missing)
            if is_last or isinstance(error, CancelledError):
                attempt = " after a second attempt" if is_last else ""
                raise RuntimeError(f"{state}{attempt}; {KEPT}") from None
            warnings.warn(f"{state} and are tried once more", StoreWarning, stacklevel=4)


def _loss(error: Exception, waiting: Collection[str], missing: Mapping[str, Cell]) -> str:
    is_cluster = isinstance(error, CancelledError)
    worker = "a worker process died (killed, or out of memory?)"
    cause = "the scheduler was lost" if is_cluster else worker
    name = next(iter(missing.values())).study.__name__
    return f"{cause}; {len(waiting)} of {len(missing)} cells of {name} are missing"


def _from_workers(
    cells: Iterable[Cell], folder: Path, executor: Executor
) -> Iterator[tuple[str, xr.Dataset]]:
    futures = {executor.submit(compute_elsewhere, *cell, str(folder)): cell.made for cell in cells}
    try:
        for future in as_completed(futures):
            made, result = futures[future], future.result()
            # the worker sees another disk, or could not write
            if not (folder / made.name).exists():
                _keep(result, folder / made.name)
            yield made.key, result
    finally:
        for future in futures:
            future.cancel()


def compute_elsewhere(study: Study, spec: Any, made: Made, folder: str) -> xr.Dataset:
    """A cell in a worker process, which may have another environment: everything comes as an
    argument.

    Raises:
        RuntimeError: the worker has other code than the process that asks.
    """
    if naming.made_by(study, spec).key != made.key:
        raise RuntimeError(
            f"a worker on {machine.description()} has other code behind "
            f"{study.__name__}: bring both to the same version"
        )
    stored = _read(made, Path(folder))
    return _compute_and_store(study, spec, made, Path(folder)) if stored is None else stored


def result_path(study: Study, spec: Any) -> Path:
    """File of a computed result: `<study>/<hash of its key>.nc` in the folder of results.

    Example:
        >>> from valleys.results import result_path
        >>> from valleys.toy.experiments import two_valley as studies
        >>> path = result_path(studies.phase_diagram, studies.PhaseDiagramSpec([0.1], [0.1]))
        >>> path.parent.name, path.suffix
        ('phase_diagram', '.nc')
    """
    return results_folder() / naming.made_by(study, spec).name


def load(path: Path) -> xr.Dataset:
    """The dataset of a file, read at once, so that the file is not held open.

    Raises:
        Exception: of many kinds, where the file is damaged.

    Example:
        >>> from valleys.results import compute, load, result_path
        >>> from valleys.toy.experiments import two_valley as studies
        >>> spec = studies.MasterMapSpec([0.1], [0.1], n_steps=200)
        >>> found = compute(studies.master_map, spec)
        >>> load(result_path(studies.master_map, spec)).identical(found)
        True
    """
    with xr.open_dataset(io.BytesIO(path.read_bytes()), engine="h5netcdf") as opened:
        return opened.load()


def attributes(path: Path) -> dict[str, Any]:
    """The attributes of a stored result, without its variables: milliseconds where `load` may take
    a second.

    Raises:
        Exception: of many kinds, where the file is damaged.

    Example:
        >>> from valleys.results import attributes, compute, result_path
        >>> from valleys.toy.experiments import two_valley as studies
        >>> spec = studies.MasterMapSpec([0.1], [0.1], n_steps=200)
        >>> found = compute(studies.master_map, spec)
        >>> path = result_path(studies.master_map, spec)
        >>> attributes(path)["computed_at"] == found.computed_at
        True
    """
    with h5py.File(io.BytesIO(path.read_bytes())) as opened:  # which gives numbers as arrays of one
        return {
            name: value.item() if getattr(value, "size", 0) == 1 else value
            for name, value in opened.attrs.items()
            if name != "_NCProperties"
        }


def made_of(path: Path) -> Made | None:
    """What a stored result says it was made by; None if the file cannot be read or says nothing."""
    try:
        return Made.of(attributes(path))
    except Exception:  # h5py raises many kinds for a damaged file, and each means the same here
        return None


def is_sound(path: Path) -> bool:
    """Whether a file can be read and is named by its own key."""
    made = made_of(path)
    return made is not None and made.name == f"{path.parent.name}/{path.name}"


def is_current(path: Path) -> bool:
    """Whether a file is sound, and the code that made it computes what the code of today does."""
    made = made_of(path)
    return made is not None and is_sound(path) and made.is_current()


def _stored(wanted: Made) -> xr.Dataset | None:
    """The result among those computed or those shipped."""
    own, shipped = results_folder(), shipped_folder()
    stored = _read(wanted, own)
    if stored is not None or shipped is None:
        return stored
    stored = _read(wanted, shipped) if shipped != own else None
    if stored is not None:
        return stored
    twin = _twin(wanted, shipped)
    return None if twin is None else _read(twin, shipped)


def _twin(wanted: Made, folder: Path) -> Made | None:
    """A result in a folder whose spec differs from the wanted one by the rounding of another
    processor only.
    """
    others = (made_of(path) for path in sorted((folder / wanted.name).parent.glob("*.nc")))
    return next((other for other in others if other and other.rounded == wanted.rounded), None)


def _compute_and_store(study: Study, spec: Any, made: Made, folder: Path) -> xr.Dataset:
    started = time.perf_counter()
    result = study(spec).load()
    seconds = result.attrs.get("wall_time_seconds", time.perf_counter() - started)
    threads = result.attrs.get("threads", machine.threads())
    result.attrs |= _provenance(seconds) | {"threads": threads} | made.attributes
    stored = _read(made, folder) if _keep(result, folder / made.name) else None
    return result if stored is None else stored


def _keep(result: xr.Dataset, path: Path) -> bool:
    """Write a result, or warn and return False."""
    large = (name for name, each in result.variables.items() if each.nbytes >= COMPRESSED_FROM)
    encoding = {name: {"zlib": True, "shuffle": True} for name in large}
    with _without_lock_of_the_cluster():
        content = result.to_netcdf(engine="h5netcdf", encoding=encoding)
    try:
        atomic.write(path, content)
    except OSError as error:
        message = f"{path} could not be written ({error}); the result is used but not kept"
        warnings.warn(message, StoreWarning, stacklevel=4)
        return False
    return True


def _without_lock_of_the_cluster() -> contextlib.AbstractContextManager:
    """In a Dask worker xarray asks the scheduler for a lock, even for memory that is its own,
    and fails when the scheduler is busy with a lost worker.
    """
    return (
        sys.modules["dask"].config.set(scheduler="synchronous")
        if "dask" in sys.modules
        else contextlib.nullcontext()
    )


def _note_asked(made: Made) -> None:
    """Add the name of a result to the list of those asked for, where there is one."""
    if listing := config.text(config.ASKED):
        with open(listing, "a", encoding="utf-8") as names:
            names.write(f"{made.name}\n")


def _provenance(seconds: float) -> dict[str, str | float]:
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    made_on = {"machine": machine.description(), "processor": machine.processor()}
    used = tuple(name for name in LIBRARIES if name in sys.modules)
    measured = {"wall_time_seconds": round(seconds, 3), "computed_at": now}
    return measured | made_on | machine.versions((*used, PACKAGE))


def _read(made: Made, folder: Path) -> xr.Dataset | None:
    """The stored dataset, or None with a warning where the file is damaged or belongs to
    something else.
    """
    path = folder / made.name
    if not path.exists():
        return None
    try:
        result = load(path)
    except Exception as error:  # of many kinds for a damaged file, and each means the same here
        reason = f"cannot be read ({error})"
    else:
        if result.attrs.get(KEY) == made.key:
            return result
        reason = "was made by something else"
    warnings.warn(f"{path} {reason}; it counts as missing", StoreWarning, stacklevel=3)
    return None
