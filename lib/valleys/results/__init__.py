"""Results: the one way to ask for them, what names them, where they lie, and how they are
computed, shipped and checked.
"""

from valleys import face

# for readers of types, as of `typing`, whose import would take longer than all of this
TYPE_CHECKING = False
if TYPE_CHECKING:
    from valleys.paths import results_folder
    from valleys.results.computing import compute
    from valleys.results.estimates import Estimate
    from valleys.results.executors import workers
    from valleys.results.grid import Grid
    from valleys.results.store import attributes, load, result_path

__all__ = [
    "Estimate",
    "Grid",
    "attributes",
    "compute",
    "load",
    "result_path",
    "results_folder",
    "workers",
]
HOMES = {  # where each name is defined
    "Estimate": "valleys.results.estimates",
    "Grid": "valleys.results.grid",
    "attributes": "valleys.results.store",
    "compute": "valleys.results.computing",
    "load": "valleys.results.store",
    "result_path": "valleys.results.store",
    "results_folder": "valleys.paths",
    "workers": "valleys.results.executors",
}

__getattr__, __dir__ = face.offering("valleys.results", HOMES)
