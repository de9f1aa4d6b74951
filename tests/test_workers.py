"""Networks do not depend on where and beside how many others they are trained."""

import os
import subprocess
import sys

import pytest

from valleys.nets.experiments import sweep
from valleys.nets.experiments.specs import SweepGrid, SweepSpec
from valleys.results import executors, machine
from valleys.results.computing import compute

AXES = {"batch_size": (20, 1000), "learning_rate": (0.1,)}
SPEC = SweepGrid.of(SweepSpec, AXES, training_time=10.0, n_realizations=2, n_records=3)


@pytest.mark.slow
def test_sweep_in_two_processes_gives_the_bits_of_a_sweep_in_one(tmp_path, monkeypatch):
    """In one worker, not in this process, whose linear algebra may use more threads and so round
    otherwise.
    """
    monkeypatch.setenv("VALLEYS_SHIPPED", str(tmp_path / "shipped"))
    found = {}
    for folder, count in (("serial", 1), ("parallel", 2)):
        monkeypatch.setenv("VALLEYS_RESULTS", str(tmp_path / folder))
        with executors.Processes(count) as executor:
            assert executor.submit(os.getpid).result() != os.getpid()
            found[folder] = compute(sweep.sweep, SPEC, executor)
    assert found["parallel"].equals(found["serial"])
    names = [
        sorted(path.name for path in (tmp_path / folder).rglob("*.nc"))
        for folder in ("serial", "parallel")
    ]
    assert names[0] == names[1]
    assert len(names[0]) == 3  # two cells, and the whole


SCRIPT = """
import os
import sys

import torch  # a script loads it before its workers learn how many threads they have

from valleys.results import executors


def threads():
    return torch.get_num_threads()


if __name__ == "__main__":
    with executors.Processes(2, threads=int(sys.argv[1])) as executor:
        print(executor.submit(threads).result())
"""


SIMULATION = """
import torch

from valleys.toy import TwoValley
from valleys.toy.simulation.langevin import phase_diagram

phase_diagram(TwoValley(), [0.05], [0.1], n_runs=200, n_steps=10)
print(torch.get_num_threads())
"""


def output(*command: str, **variables: str) -> str:
    """What a process prints that finds these of the variables for threads and no others."""
    rest = {name: text for name, text in os.environ.items() if name not in machine.THREAD_VARIABLES}
    environment = rest | variables
    options = {"capture_output": True, "text": True, "timeout": 120, "check": True}
    return subprocess.run([sys.executable, *command], env=environment, **options).stdout


def test_a_simulation_leaves_torch_the_threads_that_it_was_given():
    """Where one is asked for, a second one spins between the products of small networks, and makes
    them many times as slow on a busy machine.
    """
    assert output("-c", SIMULATION, OMP_NUM_THREADS="1") == "1\n"


@pytest.mark.parametrize("count", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_workers_of_a_script_that_has_loaded_torch_keep_to_their_threads(count, tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    assert output(str(tmp_path / "script.py"), str(count)) == f"{count}\n"
