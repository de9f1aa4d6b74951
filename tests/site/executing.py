"""Notebooks one after another in one kernel, so that what they share is imported once: `python -m
tests.site.executing`, which is told each on a line of JSON.

`valleys run` gives each notebook a kernel of its own; that chapters run there is seen in
`tests/test_smoke.py`.
"""

import json
import os
import subprocess
import sys
import traceback
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import papermill
from jupyter_client.manager import AsyncKernelManager
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, papermill_engines

from valleys.paths import book_root

N_KERNELS = 2
FRESH = """
get_ipython().run_line_magic("reset", "-f")
get_ipython().execution_count = 1
__import__("os").environ.update({environment})
"""


class FreshClient(PapermillNotebookClient):
    """Begins each notebook without the names of the one before, and with its own variables."""

    environment: Mapping[str, str] = {}

    def papermill_execute_cells(self) -> None:
        """As of papermill, in an empty namespace."""
        fresh = FRESH.format(environment=repr(dict(FreshClient.environment)))
        self.kc.execute(fresh, silent=True)
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


class Kernel:
    """A process with one kernel, which executes the notebooks that it is given."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Start it, with these variables over those of this process."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.site.executing"],
            cwd=book_root(),
            env=os.environ | environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def execute(
        self,
        notebook: str,
        values: Mapping[str, Any],
        executed: Path,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Run a notebook of the book, with values of its parameters and variables of its own.

        Raises:
            AssertionError: it failed; what was said.
        """
        task = [notebook, dict(values), str(executed), dict(environment or {})]
        print(json.dumps(task), file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        assert answer, f"the process that executes notebooks died at {notebook}"
        failure = json.loads(answer)
        assert failure is None, failure


@contextmanager
def kernel(environment: Mapping[str, str]) -> Iterator[Kernel]:
    """A kernel that ends with the block."""
    one = Kernel(environment)
    try:
        yield one
    finally:
        one.process.stdin.close()
        one.process.wait(timeout=60)


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
        AssertionError: a notebook failed; what was said.
    """
    folder.mkdir(parents=True)

    def execute(share: list[str]) -> None:
        with kernel(environment) as one:
            for name in share:
                one.execute(name, work[name], folder / Path(name).name)

    with ThreadPoolExecutor(N_KERNELS) as pool:
        list(pool.map(execute, [list(work)[first::N_KERNELS] for first in range(N_KERNELS)]))


def _execute(name: str, values: dict[str, Any], executed: str, environment: dict[str, str]) -> None:
    FreshClient.environment = environment
    papermill.execute_notebook(
        name,
        executed,
        values,
        engine_name="one kernel",
        kernel_name="python3",
        progress_bar=False,
    )


def main() -> None:
    """Execute what is asked for, a notebook a line, and answer each with null or what failed."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # kernels write there
    papermill_engines.register("one kernel", OneKernel)
    for line in sys.stdin:
        failure = None
        try:
            _execute(*json.loads(line))
        except Exception:
            failure = traceback.format_exc()
        print(json.dumps(failure), file=answers, flush=True)


if __name__ == "__main__":
    main()
