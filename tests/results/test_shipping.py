"""What a shipment keeps, adds and removes, and that a failure costs nothing finished."""

from dataclasses import dataclass

import numpy as np
import pytest
import xarray as xr

from tests.commands import refused
from valleys.errors import BookError
from valleys.results import naming, shipping, store


@dataclass(frozen=True)
class Spec:
    seed: int = 0


def drawn(spec: Spec) -> xr.Dataset:
    return xr.Dataset({"value": ("step", np.random.default_rng(spec.seed).normal(size=3))})


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    for variable in ("VALLEYS_RESULTS", "VALLEYS_SHIPPED"):
        monkeypatch.setenv(variable, str(tmp_path / "paper"))
    return tmp_path / "paper"


def asked(*seeds: int) -> set[str]:
    """Ask for results, as a chapter does, and return their names."""
    for seed in seeds:
        store.load_or_compute(drawn, Spec(seed))
    return {f"drawn/{store.result_path(drawn, Spec(seed)).name}" for seed in seeds}


def test_folder_holds_afterwards_what_was_asked_for(folder):
    old = asked(0, 1)
    done = shipping.ship(folder, folder, lambda: asked(1, 2))
    assert shipping.names(folder) == asked(1, 2)
    assert (done.kept, done.added, done.unasked, done.outdated) == (
        asked(1),
        asked(2),
        old - asked(1),
        set(),
    )
    assert done.size == sum(path.stat().st_size for path in folder.rglob("*.nc"))
    assert done.lines().endswith(f"1 kept, 1 added, 1 removed; {done.size / 1e6:.2f} MB in all")
    assert f"added: {asked(2).pop()}" in done.lines()


def test_outdated_damaged_and_misnamed_files_go_before_anything_runs(folder, monkeypatch):
    asked(0, 1)
    monkeypatch.setattr(naming, "code_version", lambda roots, library=None: "edited")
    current = asked(2)
    store.result_path(drawn, Spec(2)).with_name("misnamed.nc").write_bytes(
        store.result_path(drawn, Spec(2)).read_bytes()
    )
    (folder / "drawn" / "damaged.nc").write_bytes(b"not a result")
    seen = []
    done = shipping.ship(folder, folder, lambda: seen.append(shipping.names(folder)) or asked(2))
    assert seen == [current]
    assert len(done.outdated) == 4


def test_chapter_that_fails_costs_no_finished_file(folder):
    old = asked(0)

    def failing() -> set[str]:
        asked(1)
        raise BookError("1 of 2 chapters failed")

    with pytest.raises(
        BookError,
        match=r"1 of 2 chapters failed; what was computed is kept in .*, "
        r"0 outdated",
    ):
        shipping.ship(folder, folder, failing)
    assert shipping.names(folder) == old | asked(1)


def test_result_that_could_not_be_written_is_told(folder):
    old = asked(0)
    with pytest.raises(BookError, match="1 results could not be written"):
        shipping.ship(folder, folder, lambda: {"drawn/absent.nc"})
    assert shipping.names(folder) == old


def test_what_was_computed_elsewhere_is_copied_and_cells_are_not(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("VALLEYS_RESULTS", str(tmp_path / "cache"))
    monkeypatch.setenv("VALLEYS_ASKED", str(tmp_path / "asked"))

    def chapter() -> set[str]:
        store.load_or_assemble(
            drawn, Spec(7), lambda: store.load_or_compute_all(drawn, [Spec(1), Spec(2)])[0]
        )
        return set((tmp_path / "asked").read_text(encoding="utf-8").split())

    done = shipping.ship(folder, tmp_path / "cache", chapter)
    (name,) = shipping.names(folder)
    assert done.added == {name}
    assert (folder / name).read_bytes() == store.result_path(drawn, Spec(7)).read_bytes()
    assert len(shipping.names(tmp_path / "cache")) == 3


def test_nothing_is_left_of_an_empty_study(folder):
    asked(0)
    shipping.ship(folder, folder, lambda: set())
    assert list(folder.iterdir()) == []


def test_command_refuses_an_unknown_chapter_before_it_touches_a_file(folder):
    (folder / "drawn").mkdir(parents=True)
    (folder / "drawn" / "damaged.nc").write_bytes(b"not a result")
    assert "01_landscape" in refused("ship", "--only", "08_nothing")
    assert shipping.names(folder) == {"drawn/damaged.nc"}
