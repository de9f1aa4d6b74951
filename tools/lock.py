"""Write `requirements.lock` and `environment.yml` from `pyproject.toml`: `make lock` (needs a
network).

The lock holds exact versions with hashes for Linux and macOS and every supported Python.
torch stands on a line of its own without a hash, and what only its CUDA build needs is left to it,
so that a CPU build and a CUDA build both satisfy the file.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXTRAS = ("nets", "book", "cluster", "dev")  # all that is installed; peers of benchmarks are not
BROUGHT_BY_TORCH = re.compile(r"(torch|triton|nvidia-.*|cuda-.*)==")
LOCK_HEADER = (
    "# Made by `make lock` from pyproject.toml: exact versions of every extra but bench. torch "
    "carries no hash, see tools/install.py.\n"
)
CONDA_HEADER = (
    "# Made by `make lock`: the versions of requirements.lock for conda users (`conda env create "
    "-f environment.yml`).\n"
)
CONDA_BODY = """name: valleys
channels: [conda-forge]
dependencies:
  - python=3.11
  - pip
  - pip:
"""


def resolve() -> str:
    """All requirements with hashes and environment markers, as uv prints them."""
    compile_all = "uv pip compile pyproject.toml --universal --generate-hashes"
    extras = [f"--extra={name}" for name in EXTRAS]
    options = "--python-version 3.11 --fork-strategy fewest --no-header --no-annotate --quiet"
    command = [sys.executable, "-m", *compile_all.split(), *extras, *options.split()]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def without_torch(resolved: str) -> str:
    """The requirements less torch and its CUDA companions; each entry is a line with indented
    hashes below it.
    """
    entries = re.split(r"\n(?=\S)", resolved.strip())
    return "\n".join(entry for entry in entries if not BROUGHT_BY_TORCH.match(entry)) + "\n"


def torch_line() -> str:
    """The pin of torch in pyproject.toml."""
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (pin,) = re.findall(r'"(torch==[\d.]+)"', project)
    return pin


def conda_environment(lock: str) -> str:
    """`environment.yml` with every locked version; conda gives Python, pip gives the packages."""
    lines = (line for line in lock.splitlines() if re.match(r"[A-Za-z0-9]", line))
    pins = [line.removesuffix("\\").strip() for line in lines]
    return CONDA_HEADER + CONDA_BODY + "".join(f'      - "{pin}"\n' for pin in [*pins, "-e ."])


def main() -> None:
    """Write both files."""
    lock = LOCK_HEADER + torch_line() + "\n" + without_torch(resolve())
    (ROOT / "requirements.lock").write_text(lock, encoding="utf-8")
    (ROOT / "environment.yml").write_text(conda_environment(lock), encoding="utf-8")


if __name__ == "__main__":
    main()
