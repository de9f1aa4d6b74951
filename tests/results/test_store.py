"""The result store: computed once, named by what made it, robust against damaged files."""

import os
import platform
import threading
import warnings
from dataclasses import dataclass

import numpy as np
import pytest
import xarray as xr

from valleys.results import naming, store


@dataclass(frozen=True)
class Spec:
    length: int = 3
    seed: int = 0
    rate: float = 0.1


calls: list[Spec] = []


def noise(spec: Spec) -> xr.Dataset:
    """A study that notes each of its calls."""
    calls.append(spec)
    values = np.random.default_rng(spec.seed).normal(size=spec.length)
    return xr.Dataset(
        {"value": ("step", values), "positive": ("step", values > 0)}, attrs={"seed": spec.seed}
    )


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("VALLEYS_RESULTS", str(tmp_path / "cache"))
    monkeypatch.setenv("VALLEYS_SHIPPED", str(tmp_path / "shipped"))
    calls.clear()
    return tmp_path / "cache"


@pytest.fixture
def shipped(monkeypatch, tmp_path):
    """File of a result that is shipped and not cached."""
    with monkeypatch.context() as patch:
        patch.setenv("VALLEYS_RESULTS", str(tmp_path / "shipped"))
        store.load_or_compute(noise, Spec())
        path = store.result_path(noise, Spec())
    calls.clear()
    return path


def test_second_call_loads_the_same_values():
    first, second = store.load_or_compute(noise, Spec()), store.load_or_compute(noise, Spec())
    assert len(calls) == 1
    xr.testing.assert_identical(first, second)
    assert first.positive.dtype == bool
    assert first.attrs["wall_time_seconds"] >= 0


@pytest.mark.parametrize(
    ("rate", "is_shipped"), [(np.nextafter(0.1, 1.0), True), (0.1 * (1 + 1e-9), False)]
)
def test_shipped_result_is_found_where_a_processor_rounds_the_spec_otherwise(
    shipped, rate, is_shipped
):
    found = store.load_or_compute(noise, Spec(rate=float(rate)))
    assert found.sizes["step"] == 3
    assert (calls == []) == is_shipped


def test_result_that_was_found_under_a_rounded_spec_is_asked_for_by_its_own_name(
    shipped, tmp_path, monkeypatch
):
    monkeypatch.setenv("VALLEYS_ASKED", str(tmp_path / "asked"))
    store.load_or_compute(noise, Spec(rate=float(np.nextafter(0.1, 1.0))))
    assert (tmp_path / "asked").read_text().split() == [f"noise/{shipped.name}"]


def test_another_spec_is_another_result():
    assert (
        store.load_or_compute(noise, Spec(seed=1)).value[0]
        != store.load_or_compute(noise, Spec(seed=2)).value[0]
    )
    assert len(calls) == 2


@pytest.mark.parametrize(
    "damage", [b"", b"not a result", None], ids=["empty", "foreign", "truncated"]
)
def test_damaged_file_is_computed_again_with_a_warning(damage):
    good = store.load_or_compute(noise, Spec())
    path = store.result_path(noise, Spec())
    path.write_bytes(path.read_bytes()[:2000] if damage is None else damage)
    with pytest.warns(store.StoreWarning, match="counts as missing"):
        again = store.load_or_compute(noise, Spec())
    np.testing.assert_array_equal(again.value, good.value)
    assert len(calls) == 2


def test_file_of_another_spec_under_this_name_is_not_loaded():
    store.load_or_compute(noise, Spec(seed=1))
    store.result_path(noise, Spec(seed=1)).rename(store.result_path(noise, Spec(seed=2)))
    with pytest.warns(store.StoreWarning, match="made by something else"):
        result = store.load_or_compute(noise, Spec(seed=2))
    assert result.attrs["seed"] == 2


def test_result_is_used_when_it_cannot_be_kept(folder):
    folder.mkdir()
    (folder / "noise").write_text("a file where a folder should be")
    with pytest.warns(store.StoreWarning, match="not kept"):
        assert store.load_or_compute(noise, Spec()).sizes["step"] == 3


def test_failed_write_leaves_no_partial_file(folder, monkeypatch):
    def full(descriptor):
        raise OSError("No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.warns(store.StoreWarning, match="No space left"):
        store.load_or_compute(noise, Spec())
    assert [path for path in folder.rglob("*") if path.is_file()] == []


def test_sweep_keeps_what_was_finished_before_it_failed():
    def sweep(specs):
        return store.load_or_compute_all(noise, specs)

    specs = [Spec(seed=1), Spec(seed=2), Spec(length=-1), Spec(seed=3)]
    with pytest.raises(ValueError, match="negative"):
        sweep(specs)
    calls.clear()
    assert [result.attrs["seed"] for result in sweep([Spec(seed=seed) for seed in (1, 2, 3)])] == [
        1,
        2,
        3,
    ]
    assert calls == [Spec(seed=3)]


def test_threads_on_one_store_agree():
    results: list[xr.Dataset] = []
    threads = [
        threading.Thread(
            target=lambda: results.append(store.load_or_compute(noise, Spec(length=1000)))
        )
        for _ in range(4)
    ]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert len(results) == 4
    assert all(np.array_equal(result.value, results[0].value) for result in results)


def test_study_of_a_notebook_is_refused():
    with pytest.raises(ValueError, match="function of a module"):
        store.load_or_compute(lambda spec: noise(spec), Spec())


def test_shipped_result_is_loaded_and_not_copied(shipped, folder):
    assert store.load_or_compute(noise, Spec()).attrs["seed"] == 0
    assert calls == []
    assert shipped.exists()
    assert not folder.exists()


def test_cached_result_goes_before_a_shipped_one(shipped):
    cached = store.result_path(noise, Spec())
    cached.parent.mkdir(parents=True)
    with xr.open_dataset(shipped) as opened:
        opened.load().assign_attrs(seed=42).to_netcdf(cached, engine="h5netcdf")
    assert store.load_or_compute(noise, Spec()).attrs["seed"] == 42
    assert calls == []


def test_result_shipped_by_other_code_is_not_loaded(shipped, monkeypatch):
    monkeypatch.setattr(naming, "code_version", lambda roots, library=None: "edited")
    store.load_or_compute(noise, Spec())
    assert calls == [Spec()]


def test_shipped_file_under_the_name_of_other_code_is_not_loaded(shipped, monkeypatch):
    monkeypatch.setattr(naming, "code_version", lambda roots, library=None: "edited")
    shipped.rename(shipped.with_name(store.result_path(noise, Spec()).name))
    with pytest.warns(store.StoreWarning, match="made by something else"):
        store.load_or_compute(noise, Spec())
    assert calls == [Spec()]


def test_damaged_shipped_file_is_left_alone_and_warned_of_once(shipped):
    shipped.write_bytes(b"not a result")
    with pytest.warns(store.StoreWarning, match="counts as missing"):
        store.load_or_compute(noise, Spec())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        store.load_or_compute(noise, Spec())
    assert calls == [Spec()]
    assert shipped.read_bytes() == b"not a result"


def test_damaged_cached_file_gives_way_to_a_shipped_one(shipped):
    cached = store.result_path(noise, Spec())
    cached.parent.mkdir(parents=True)
    cached.write_bytes(b"")
    with pytest.warns(store.StoreWarning, match="counts as missing"):
        store.load_or_compute(noise, Spec())
    assert calls == []


def test_large_variables_are_compressed_without_loss():
    result = store.load_or_compute(noise, Spec(length=10_000))
    path = store.result_path(noise, Spec(length=10_000))
    assert path.stat().st_size < result.nbytes
    np.testing.assert_array_equal(result.value, np.random.default_rng(0).normal(size=10_000))
    assert result.value.dtype == np.float64


def test_provenance_tells_version_and_machine_without_its_name():
    attributes = store.load_or_compute(noise, Spec()).attrs
    assert {
        "valleys",
        "machine",
        "processor",
        "python",
        "wall_time_seconds",
        "computed_at",
        "result_key",
    } <= set(attributes)
    assert not platform.node() or all(
        platform.node() not in str(value) for value in attributes.values()
    )


def test_attributes_are_those_of_the_loaded_result(tmp_path):
    told = {"text": "a b", "whole": 3, "real": 0.25, "several": np.array([1.0, 2.0])}
    xr.Dataset({"value": ("x", [1.0])}, attrs=told).to_netcdf(
        tmp_path / "one.nc", engine="h5netcdf"
    )
    found, loaded = store.attributes(tmp_path / "one.nc"), store.load(tmp_path / "one.nc").attrs
    assert set(found) == set(loaded) == set(told)
    for name in told:
        np.testing.assert_array_equal(found[name], loaded[name])
    assert type(found["whole"]) is int


def test_asked_results_are_listed_whether_computed_cached_or_shipped(
    shipped, tmp_path, monkeypatch
):
    monkeypatch.setenv("VALLEYS_ASKED", str(tmp_path / "asked"))
    for seed in (0, 1, 1):
        store.load_or_compute(noise, Spec(seed=seed))
    names = [f"noise/{store.result_path(noise, Spec(seed=seed)).name}" for seed in (0, 1, 1)]
    assert (tmp_path / "asked").read_text().split() == names


def test_assembled_result_is_kept_under_the_study_and_counts_time_and_threads_of_its_cells(
    tmp_path,
):
    def assemble() -> xr.Dataset:
        cells = store.load_or_compute_all(noise, [Spec(seed=1), Spec(seed=2)])
        return cells[0].assign_attrs(wall_time_seconds=12.5, threads=7)

    first = store.load_or_assemble(noise, Spec(seed=3), assemble)
    assert (first.attrs["wall_time_seconds"], first.attrs["threads"]) == (12.5, 7)
    again = store.load_or_assemble(noise, Spec(seed=3), lambda: pytest.fail("it is stored"))
    assert again.identical(first)
    assert again.attrs["result_key"] == naming.made_by(noise, Spec(seed=3)).key
