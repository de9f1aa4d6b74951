"""Results of one study, computed side by side and kept one by one."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from types import ModuleType
from typing import Any

import xarray as xr


def several(study: Callable[[Any], xr.Dataset], specs: Sequence[Any], store: ModuleType, *, executor: Executor | None = None) -> list[xr.Dataset]:
    """`study(spec)` for each spec, by workers: one thread each suits small matrices better than all threads of one process.

    Args:
        study: module-level function of one spec.
        specs: one a result.
        store: what has `load_or_compute_all` and `load_or_compute`, such as `valleys.results.store`.
        executor: where to compute; in this process if None.
    """
    store.load_or_compute_all(study, specs, executor=executor)
    return [store.load_or_compute(study, spec) for spec in specs]  # asked for by name, so that the book ships it
