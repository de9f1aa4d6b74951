"""Studies that tests run in processes of their own: small cells that note each computation in a
log file.
"""

import os
import sys
import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import xarray as xr

from valleys.results import executors, store
from valleys.results.grid import Part


@dataclass(frozen=True)
class Spec:
    """A cell: its seed, how long it takes, how large it is, and where its first computation
    kills the process, if anywhere.
    """

    seed: int = 0
    seconds: float = 0.0
    length: int = 10
    deadly: str = ""
    log: str = ""


def cell(spec: Spec) -> xr.Dataset:
    """Numbers drawn with the seed of the cell."""
    time.sleep(spec.seconds)
    if spec.deadly and not Path(spec.deadly).exists():
        Path(spec.deadly).write_text(str(os.getpid()))
        os.kill(os.getpid(), 9)
    if spec.log:
        with open(spec.log, "a") as log:
            log.write(f"{spec.seed} {os.getpid()} {os.environ.get('OMP_NUM_THREADS')}\n")
    return xr.Dataset(
        {"value": ("step", np.random.default_rng(spec.seed).normal(size=spec.length))},
        attrs={"seed": spec.seed},
    )


def grid(spec: Spec) -> xr.Dataset:
    """Two cells in one result."""
    return xr.concat([part.compute() for part in grid_parts(spec)], xr.Variable("column", [0, 1]))


def grid_parts(spec: Spec) -> list[Part]:
    """The cells of `grid`, each to be computed alone."""
    return [
        Part({"column": column}, 1.0, partial(cell, replace(spec, seed=spec.seed + column)))
        for column in (0, 1)
    ]


PARTS = {grid: grid_parts}


def always_deadly(spec: Spec) -> xr.Dataset:
    """A cell that no process survives, if its seed is 3."""
    if spec.seed == 3:
        os.kill(os.getpid(), 9)
    return cell(spec)


def specs(count: int, **settings) -> list[Spec]:
    """Cells that differ in their seeds."""
    return [Spec(seed=seed, **settings) for seed in range(count)]


def main(count: str, seconds: str, length: str, log: str, n_workers: str) -> None:
    """A sweep as a program: `python -m tests.results.sweeping COUNT SECONDS LENGTH LOG WORKERS`;
    without workers for 0.
    """
    from tests.results import sweeping  # as a module with a name, which workers can import

    cells = sweeping.specs(int(count), seconds=float(seconds), length=int(length), log=log)
    if int(n_workers) == 0:
        store.load_or_compute_all(sweeping.cell, cells)
        return
    with executors.Processes(int(n_workers)) as executor:
        store.load_or_compute_all(sweeping.cell, cells, executor=executor)


if __name__ == "__main__":
    main(*sys.argv[1:])
