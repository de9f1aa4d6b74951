"""What is installed beside the book, by name."""

import importlib.metadata
import platform

TOLD = (
    "valleys",
    "numpy",
    "scipy",
    "xarray",
    "torch",
    "torchvision",
    "numba",
    "scikit-learn",
    "matplotlib",
    "papermill",
    "jupyter-book",
    "sphinx",
)


def installed(names: tuple[str, ...] = TOLD) -> dict[str, str]:
    """Versions of Python and of the packages that results and pages rest on; `not installed` for
    one that is missing.
    """
    return {"python": platform.python_version()} | {name: _version(name) for name in names}


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
