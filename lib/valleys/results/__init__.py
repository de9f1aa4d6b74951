"""Results on disk: what names them, where they lie, how they are computed side by side, shipped and checked."""

from collections.abc import Mapping

from valleys import face

TYPE_CHECKING = False  # for readers of types, as of `typing`, whose import would take longer than all of this
if TYPE_CHECKING:
    from valleys.paths import results_folder
    from valleys.results.executors import workers
    from valleys.results.store import attributes, load, load_or_compute, load_or_compute_all, result_path

__all__ = [
    "attributes",
    "load",
    "load_or_compute",
    "load_or_compute_all",
    "result_path",
    "results_folder",
    "workers",
]
HOMES: Mapping[str, str] = {  # where each name is defined
    "attributes": "valleys.results.store",
    "load": "valleys.results.store",
    "load_or_compute": "valleys.results.store",
    "load_or_compute_all": "valleys.results.store",
    "result_path": "valleys.results.store",
    "results_folder": "valleys.paths",
    "workers": "valleys.results.executors",
}


def __getattr__(name: str) -> object:
    """What this package offers, imported when it is first asked for."""
    return face.attribute("valleys.results", HOMES, name)


def __dir__() -> list[str]:
    """What this package offers."""
    return [*__all__]
