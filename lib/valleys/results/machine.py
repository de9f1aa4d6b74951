"""The machine that a result or a timing was made on, without its name, and what is
installed there.
"""

import importlib.metadata
import os
import platform
from pathlib import Path

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMBA_NUM_THREADS",
)
PROCESSORS = Path("/proc/cpuinfo")
PACKAGES = (  # that results and pages rest on
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


def system() -> str:
    """Operating system and architecture, such as `Linux x86_64`."""
    return f"{platform.system()} {platform.machine()}"


def processor() -> str:
    """Model name of the processor, from /proc/cpuinfo where there is one; of one name, those
    without AVX-512 round otherwise and say so.
    """
    lines = PROCESSORS.read_text(encoding="utf-8").splitlines() if PROCESSORS.is_file() else []
    known = {
        name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }
    name = known.get("model name") or platform.processor() or platform.machine()
    lacks = "flags" in known and "avx512f" not in known["flags"].split()
    return f"{name} without AVX-512" if lacks else name


def cores() -> int:
    """Logical cores of the machine."""
    return os.cpu_count() or 1


def granted() -> int:
    """Logical cores that this process may use: a batch system or a container may leave it fewer
    than the machine has.
    """
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else cores()


def threads() -> int:
    """Threads that a computation may use: those that the environment allows it, else one for
    each core.
    """
    allowed = [os.environ[name] for name in THREAD_VARIABLES if os.environ.get(name, "").isdigit()]
    return max(1, min([granted(), *map(int, allowed)]))


def description() -> str:
    """System and cores, such as `Linux x86_64, 2 cores`, or `1 of 2 cores` where a computation
    may not use them all.
    """
    share = "" if threads() == cores() else f"{threads()} of "
    return f"{system()}, {share}{cores()} core{'s' if cores() > 1 else ''}"


def versions(packages: tuple[str, ...] = PACKAGES) -> dict[str, str]:
    """Versions of Python and of packages."""
    return {"python": platform.python_version()} | {name: version(name) for name in packages}


def version(package: str) -> str:
    """Version of a package; `not installed` if it is missing."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
