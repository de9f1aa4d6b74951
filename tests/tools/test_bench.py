"""The benchmark script forms its table and refuses what it does not know; how fast anything is
stands in no test.
"""

import importlib.util
import platform
import sys

import pytest

from valleys.errors import BookError
from valleys.paths import book_root


@pytest.fixture(scope="module")
def bench():
    sys.path.insert(0, str(book_root() / "tools"))  # where a script finds its neighbours
    spec = importlib.util.spec_from_file_location("bench", book_root() / "tools" / "bench.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["bench"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    yield module
    del sys.modules["bench"]
    sys.path.remove(str(book_root() / "tools"))


def test_table_has_median_and_range_of_each_quantity(bench):
    rows = [
        bench.Row("kernel", "million steps/s", (230.0, 250.0, 220.4)),
        bench.Row("ratio", "times", (1234.5,)),
    ]
    assert bench.table(rows).splitlines()[2:] == [
        "| kernel | 230 | 220 | 250 | million steps/s |",
        "| ratio | 1,234 | 1,234 | 1,234 | times |",
    ]


def test_ratio_is_formed_within_each_turn(bench, monkeypatch):
    kernel, plain = iter([0.0, 8e6, 4e6, 12e6, 6e6]), iter([2e6, 4e6])
    monkeypatch.setattr(bench, "kernel_rate", lambda **options: next(kernel))
    monkeypatch.setattr(bench, "numpy_rate", lambda: next(plain))
    rows = {row.quantity: row.values for row in bench.two_valley(2)}
    assert rows["kernel on all threads : NumPy"] == (4.0, 3.0)
    assert rows["kernel on 1 thread : NumPy"] == (2.0, 1.5)
    assert rows["plain NumPy, 1 process"] == (2.0, 4.0)


def test_benchmarks_measure_something_positive(bench):
    assert bench.kernel_rate(n_runs=2, n_steps=2) > 0
    assert bench.numpy_rate(n_runs=2, n_steps=2) > 0
    assert bench.peak_megabytes() > 1


def test_time_of_the_sweep_is_that_of_its_steps_and_records(bench, monkeypatch):
    monkeypatch.setattr(bench, "step_seconds", lambda name, size, seed: size * 1e-3)
    monkeypatch.setattr(
        bench, "timed", lambda function, *_: 7.0 if function is bench.sweep.sweep else 1.0
    )
    monkeypatch.setattr(bench.sweep, "sweep", lambda spec: None)
    # all steps at one batch size; one second a record and cell, one run of gradient descent
    steps, records = 188_000 * 1.88, 1.0 * 101 * 7 * 6.05
    assert bench.sweep_seconds("digits", 0) == pytest.approx(steps + records)


def test_the_sweep_in_one_go_is_the_published_one(bench, monkeypatch):
    asked = []
    monkeypatch.setattr(bench, "compute", lambda study, grid, executor: asked.append(grid))
    whole, peak = bench.network_grid(2)
    cells = asked[0].cells()
    assert len(cells) == 49
    assert {(cell.n_realizations, cell.n_records, cell.flatness_every) for cell in cells} == {
        (20, 101, 1)
    }
    assert [grid.cell.seed for grid in asked] == [0, 1]
    assert len(whole.values) == 2
    assert peak.unit == "MB"


def test_what_takes_most_of_an_hour_is_measured_where_it_is_asked_for(bench):
    assert "network_grid" not in bench.chosen(())
    assert [*bench.chosen(("network_grid",))] == ["network_grid"]


def test_every_way_of_a_step_runs(bench):
    for way in (
        bench.own_steps(2, 10, 2),
        bench.own_steps(2, 10, 2, module=bench.nn.Sequential),
        bench.own_steps(2, 10, 2, module=bench.Opaque),
        bench.peers.by_vmap(2, 10, 2),
        bench.peers.one_after_another(bench.peers.layers(), bench.peers.SIZES[:1], 2, 10, 2),
    ):
        assert bench.timed(way) > 0


def test_ways_see_the_same_sizes_of_batches(bench):
    found = bench.peers.orders(3, 300, 7)
    assert found.shape == (7, 3, 300)
    assert len(set(found[:3, 0].ravel())) == 900


def test_a_peer_that_is_not_installed_is_named(bench, monkeypatch):
    monkeypatch.setitem(sys.modules, "jax", None)
    with pytest.raises(BookError, match=r"pip install '\.\[bench\]'"):
        bench.peers.by_jax(1, 10, 1)


def test_a_step_of_training_takes_time(bench):
    assert bench.step_seconds("digits", 500, 0, n_steps=1) > 0


def test_unknown_name_is_refused_with_the_known_ones(bench):
    with pytest.raises(
        BookError, match="no benchmark is named 'speed'; the benchmarks are two_valley"
    ) as refused:
        bench.chosen(("two_valley", "speed"))
    assert "\n" not in str(refused.value)


def test_machine_is_told_without_host_and_folder(bench):
    text = bench.described_machine()
    assert "cores" in text
    assert str(book_root()) not in text
    assert not platform.node() or platform.node() not in text
