"""Results on disk, each named by what made it: the spec of a study and the code behind it.

A result is looked for in the folder of computed results, then among those that come with the book. Both follow the same rule: a file whose spec or
code is another one is never shown.
"""

import ast
import dataclasses
import datetime
import hashlib
import importlib.metadata
import importlib.util
import io
import json
import os
import platform
import sys
import time
import tokenize
import uuid
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from functools import cache
from pathlib import Path
from typing import Any

import xarray as xr
from tqdm import tqdm

from valleys.book import machine
from valleys.book.paths import results_folder, shipped_folder

Study = Callable[[Any], xr.Dataset]
PACKAGE = "valleys"
KEY = "result_key"
ASKED_VARIABLE = "VALLEYS_ASKED"  # may name a file, to which the name of every result that is asked for is added
COMPRESSED_FROM = 10_000  # bytes; smaller variables grow when they are compressed


class StoreWarning(UserWarning):
    """A result could not be read or written; the message says which file, why, and what happens now."""


def load_or_compute(study: Study, spec: Any) -> xr.Dataset:
    """The dataset `study(spec)`, from the store or from what the book ships if it is there, else computed and stored.

    Args:
        study: module-level function of one spec.
        spec: frozen dataclass of plain values (numbers, strings, tuples, such dataclasses).

    Returns:
        The dataset, with its provenance in the attributes.
    """
    key = result_key(study, spec)
    _note_asked(key)
    for folder in dict.fromkeys((results_folder(), shipped_folder())):
        stored = _read(path_of_key(key, folder), key)
        if stored is not None:
            return stored
    return _compute_and_store(study, spec)


def load_or_compute_all(study: Study, specs: Iterable[Any], *, executor: Executor | None = None) -> list[xr.Dataset]:
    """`load_or_compute` for each spec in order; a stopped run keeps every finished one.

    Args:
        study: module-level function of one spec.
        specs: the specs, one a cell of a sweep.
        executor: where to compute; in this process if None.
    """
    specs = list(specs)
    mapped = map(load_or_compute, [study] * len(specs), specs) if executor is None else executor.map(load_or_compute, [study] * len(specs), specs)
    return list(tqdm(mapped, total=len(specs), desc=study.__name__, unit="cell", disable=None))


def result_key(study: Study, spec: Any) -> str:
    """JSON text of what makes a result: study, code version and spec.

    Raises:
        ValueError: the study lives in a notebook or inside another function.
    """
    if study.__module__ == "__main__" or "<" in study.__qualname__:
        raise ValueError(f"the study {study.__qualname__} must be a function of a module, so that its code can be hashed")
    made_by = {"study": f"{study.__module__}.{study.__qualname__}", "code": code_version(study.__module__), "spec": dataclasses.asdict(spec)}
    return json.dumps(made_by, sort_keys=True, allow_nan=False)


def result_path(study: Study, spec: Any) -> Path:
    """File of a computed result; see `path_of_key`."""
    return path_of_key(result_key(study, spec), results_folder())


def path_of_key(key: str, folder: Path) -> Path:
    """File of a result in a folder of results: `<folder>/<study>/<hash of its key>.nc`."""
    digest = hashlib.sha256(key.encode()).hexdigest()
    return folder / json.loads(key)["study"].rpartition(".")[2] / f"{digest[:24]}.nc"


def key_of(path: Path) -> str | None:
    """The key that a stored result carries; None if the file cannot be read or carries none."""
    try:
        with xr.open_dataset(path, engine="h5netcdf") as opened:
            return opened.attrs.get(KEY)
    except Exception:  # h5py raises many kinds for a damaged file, and each means the same here
        return None


def is_current(key: str) -> bool:
    """Whether the code that made a result is the code of today."""
    made_by = json.loads(key)
    return made_by["code"] == code_version(made_by["study"].rpartition(".")[0])


@cache
def code_version(module_name: str) -> str:
    """Hash of a module and of every module of this package that it imports, less comments, docstrings and blank lines."""
    digest = hashlib.sha256()
    for name, source in sorted(_sources_behind(module_name).items()):
        digest.update(f"{name}\n{_bare_code(source)}\n".encode())
    return digest.hexdigest()[:16]


def _sources_behind(module_name: str) -> dict[str, str]:
    found: dict[str, str] = {}
    waiting = [module_name]
    while waiting:
        name = waiting.pop()
        origin = _source_file(name)
        if name in found or origin is None:
            continue
        found[name] = origin.read_text(encoding="utf-8")
        waiting += [imported for imported in _imports(found[name]) if imported.split(".")[0] == PACKAGE]
    return found


def _source_file(module_name: str) -> Path | None:
    loaded = sys.modules.get(module_name)
    if loaded is not None and getattr(loaded, "__file__", None):
        return Path(loaded.__file__)
    try:
        found = importlib.util.find_spec(module_name)
    except ModuleNotFoundError:  # `from package.module import name`: the name is no module
        return None
    return Path(found.origin) if found and found.origin else None


def _imports(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _bare_code(source: str) -> str:
    """The source without comments, docstrings and blank lines, the same for every Python version."""
    lines = source.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            lines[token.start[0] - 1] = lines[token.start[0] - 1][: token.start[1]]
    for first, last in _docstring_lines(source):
        lines[first - 1 : last] = [""] * (last - first + 1)
    return "\n".join(line.rstrip() for line in lines if line.strip())


def _docstring_lines(source: str) -> Iterator[tuple[int, int]]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            yield node.body[0].lineno, node.body[0].end_lineno or node.body[0].lineno


def _compute_and_store(study: Study, spec: Any) -> xr.Dataset:
    started = time.perf_counter()
    result = study(spec).load()
    result.attrs |= _provenance(time.perf_counter() - started) | {KEY: result_key(study, spec)}
    path = result_path(study, spec)
    try:
        _write(result, path)
    except OSError as error:
        warnings.warn(f"{path} could not be written ({error}); the result is used but not kept", StoreWarning, stacklevel=3)
        return result
    stored = _read(path, result_key(study, spec))
    return result if stored is None else stored


def _note_asked(key: str) -> None:
    """Add the name of a result to the list of those asked for, where there is one."""
    if listing := os.environ.get(ASKED_VARIABLE):
        with open(listing, "a", encoding="utf-8") as names:
            names.write(f"{path_of_key(key, Path())}\n")


def _provenance(seconds: float) -> dict[str, str | float]:
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    made_on = {"machine": machine.description(), "processor": machine.processor(), "python": platform.python_version()}
    return {"wall_time_seconds": round(seconds, 3), "computed_at": now} | made_on | {PACKAGE: _package_version()}


def _package_version() -> str:
    try:
        return importlib.metadata.version(PACKAGE)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _write(result: xr.Dataset, path: Path) -> None:
    """Write beside the final place, then rename: a result is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex}.partial")
    try:
        large = [name for name, variable in result.variables.items() if variable.nbytes >= COMPRESSED_FROM]
        result.to_netcdf(partial, engine="h5netcdf", encoding={name: {"zlib": True, "shuffle": True} for name in large})
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def _read(path: Path, key: str) -> xr.Dataset | None:
    """The stored dataset, or None with a warning where the file is damaged or belongs to something else."""
    if not path.exists():
        return None
    try:
        with xr.open_dataset(path, engine="h5netcdf") as opened:
            result = opened.load()
    except Exception as error:  # h5py raises many kinds for a damaged file, and each means the same here
        warnings.warn(f"{path} cannot be read ({error}); it counts as missing", StoreWarning, stacklevel=3)
        return None
    if result.attrs.get(KEY) == key:
        return result
    warnings.warn(f"{path} was made by something else; it counts as missing", StoreWarning, stacklevel=3)
    return None
