"""Notebooks one after another in one kernel, so that what they share is imported once: `python -m
tests.site.executing WORK FOLDER`.

`valleys run` gives each notebook a kernel of its own; that each chapter runs there is seen in
`tests/test_smoke.py`.
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import papermill
import yaml
from jupyter_client.manager import AsyncKernelManager
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, papermill_engines

from valleys.paths import book_root

N_KERNELS = 2
FRESH = "get_ipython().run_line_magic('reset', '-f'); get_ipython().execution_count = 1"


class FreshClient(PapermillNotebookClient):
    """Begins each notebook without the names of the one before."""

    def papermill_execute_cells(self) -> None:
        """As of papermill, in an empty namespace."""
        self.kc.execute(FRESH, silent=True)
        super().papermill_execute_cells()


class OneKernel(NBClientEngine):
    """An engine of papermill whose kernel lives as long as this process."""

    kernel = AsyncKernelManager(kernel_name="python3")

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **_: object) -> Any:
        """As of papermill, in the one kernel."""
        return FreshClient(
            nb_man, km=cls.kernel, kernel_name=kernel_name, startup_timeout=120, timeout=None
        ).execute()


def execute_all(
    work: Mapping[str, Mapping[str, Any]], folder: Path, environment: Mapping[str, str]
) -> None:
    """Run notebooks, each with its values, in a few processes of one kernel each.

    Args:
        work: values of the parameters by notebook, such as chapters/04_toy_model.ipynb; those that
            take long come first.
        folder: for the executed copies.
        environment: variables for the notebooks.

    Raises:
        AssertionError: a notebook failed; what its process said.
    """
    folder.mkdir(parents=True)
    shares = [
        {name: dict(work[name]) for name in list(work)[first::N_KERNELS]}
        for first in range(N_KERNELS)
    ]
    command = [sys.executable, "-m", "tests.site.executing"]
    pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    running = [
        subprocess.Popen(
            [*command, yaml.safe_dump(share), str(folder)],
            cwd=book_root(),
            env=os.environ | environment,
            **pipes,
        )
        for share in shares
    ]
    said = [process.communicate()[1] for process in running]
    assert [process.returncode for process in running] == [0] * N_KERNELS, "\n".join(said)


def main(work: str, folder: str) -> None:
    """Run the notebooks of a share of the work."""
    papermill_engines.register("one kernel", OneKernel)
    for name, values in yaml.safe_load(work).items():
        executed = Path(folder) / Path(name).name
        papermill.execute_notebook(
            name,
            str(executed),
            values,
            engine_name="one kernel",
            kernel_name="python3",
            progress_bar=False,
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
