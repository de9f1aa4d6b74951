"""Results on disk, each named by what made it: the spec of a study and the code behind it."""

import ast
import dataclasses
import datetime
import hashlib
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

from valleys.book.paths import results_folder

Study = Callable[[Any], xr.Dataset]
PACKAGE = "valleys"
KEY = "result_key"


class StoreWarning(UserWarning):
    """A result could not be read or written; the message says which file, why, and what happens now."""


def load_or_compute(study: Study, spec: Any) -> xr.Dataset:
    """The dataset `study(spec)`, from the store if it is there, else computed and stored.

    Args:
        study: module-level function of one spec.
        spec: frozen dataclass of plain values (numbers, strings, tuples, such dataclasses).

    Returns:
        The dataset, with its provenance in the attributes.
    """
    path = result_path(study, spec)
    stored = _read(path, result_key(study, spec))
    return _compute_and_store(study, spec) if stored is None else stored


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
    """File of a result: `<results>/<study>/<hash of its key>.nc`."""
    digest = hashlib.sha256(result_key(study, spec).encode()).hexdigest()
    return results_folder() / study.__name__ / f"{digest[:24]}.nc"


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


def _provenance(seconds: float) -> dict[str, str | float]:
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    return {"wall_time_seconds": round(seconds, 3), "computed_at": now, "machine": machine, "python": platform.python_version()}


def _write(result: xr.Dataset, path: Path) -> None:
    """Write beside the final place, then rename: a result is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex}.partial")
    try:
        result.to_netcdf(partial, engine="h5netcdf")
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
        warnings.warn(f"{path} cannot be read ({error}); it is computed again", StoreWarning, stacklevel=3)
        return None
    if result.attrs.get(KEY) == key:
        return result
    warnings.warn(f"{path} was made by something else; it is computed again", StoreWarning, stacklevel=3)
    return None
