"""The one way to ask for a result: from the store if it is there, else computed and kept."""

from concurrent.futures import Executor
from typing import Any

import xarray as xr

from valleys.results import store
from valleys.results.grid import Composite, Study


def compute(study: Study, spec: Any, executor: Executor | None = None) -> xr.Dataset:
    """The result of a study for a spec, or for a grid of specs.

    What is not stored is computed first, cells side by side, and kept as soon as it is there: a run
    that is stopped loses the cells under way.

    Args:
        study: module-level function of one spec.
        spec: what the study takes, or a grid of it.
        executor: where to compute, such as `valleys.results.executors.workers()` gives; in this
            process if None. A worker has one thread, which suits small matrices better than all
            threads.

    Returns:
        The dataset, with its provenance in the attributes.

    Raises:
        RuntimeError: workers died twice, or the scheduler of a cluster was lost.

    Example:
        >>> from valleys.results import compute
        >>> from valleys.toy.experiments import two_valley as studies
        >>> spec = studies.PhaseDiagramSpec([0.1], [0.1], n_runs=100, n_steps=500)
        >>> found = compute(studies.phase_diagram, spec)
        >>> compute(studies.phase_diagram, spec).identical(found)  # from disk
        True
    """
    if isinstance(spec, Composite):

        def from_cells() -> xr.Dataset:
            return spec.assemble(store.load_or_compute_all(study, spec.cells(), executor=executor))

        return store.load_or_assemble(study, spec, from_cells)
    if executor is not None:
        store.load_or_compute_all(study, [spec], executor=executor)
    return store.load_or_compute(study, spec)
