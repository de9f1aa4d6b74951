"""The results that come with the book are those that its code makes: every file is named by what made it, and cells drawn at random come out again.

A cell is simulated alone with the stream that it has in its study. Where the processor is of the kind that made the file, simulated values must be equal
to the last bit; elsewhere the compiler may round otherwise, and those with an error must agree within it. What is computed without sampling must agree
up to rounding.
"""

import dataclasses
import json
import random
import typing
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import xarray as xr

from valleys.paths import book_root
from valleys.results import machine, naming, shipping, store, verify
from valleys.results.naming import Made
from valleys.results.verify import Cell, compare
from valleys.toy import studies
from valleys.toy.exact import master_equation, transition_operator
from valleys.toy.simulation import fixed_y, langevin

FOLDER = book_root() / "results" / "paper"
NAMES = sorted(shipping.names(FOLDER))
MOST_SECONDS = 3.0  # to simulate cells of one file again, by the time that the file took
MOST_CELLS = 1  # of each file
DRAW = 20260110  # seed of the draw of cells


def phase_diagram_cells(spec: studies.PhaseDiagramSpec) -> Iterator[Cell]:
    runs = {"n_runs": spec.n_runs, "n_steps": spec.n_steps, "start_y": spec.start_y, "noise": spec.noise}
    for index, (rate, strength) in enumerate(product(spec.learning_rates, spec.noise_strengths)):
        place = {"learning_rate": rate, "noise_strength": strength}
        yield place, spec.n_runs * spec.n_steps, partial(map_cell, spec.landscape, rate, strength, index, np.random.SeedSequence(spec.seed), **runs)


def freezing_cells(spec: studies.FreezingSpec) -> Iterator[Cell]:
    for rate, stream in zip(spec.learning_rates, np.random.SeedSequence(spec.seed).spawn(len(spec.learning_rates)), strict=True):
        runs = {"n_runs": spec.n_runs, "n_steps": round(spec.duration / rate), "start_y": spec.start_y, "noise": spec.noise}
        for index, noise in enumerate(spec.effective_noises):
            place = {"learning_rate": rate, "effective_noise": noise}
            yield place, spec.n_runs * runs["n_steps"], partial(map_cell, spec.landscape, rate, noise / rate, index, stream, **runs)


def map_cell(landscape, learning_rate, noise_strength, index: int, stream: np.random.SeedSequence, **runs) -> xr.Dataset:
    """The cell of that index in a map: as if all cells before it had been given their streams."""
    later = np.random.SeedSequence(stream.entropy, spawn_key=stream.spawn_key, n_children_spawned=index)
    with mock.patch.object(langevin, "streams", lambda seed: seed):
        return langevin.phase_diagram(landscape, [learning_rate], [noise_strength], seed=later, **runs).squeeze(drop=True)


def evolution_cells(spec: studies.EvolutionSpec | studies.TrajectoriesSpec, simulate: Callable = langevin.flat_probability) -> Iterator[Cell]:
    runs = {name: getattr(spec, name) for name in ("n_runs", "n_steps", "start_y", "record_every", "noise")}
    for strength, stream in zip(spec.noise_strengths, np.random.SeedSequence(spec.seed).spawn(len(spec.noise_strengths)), strict=True):
        cell = partial(simulate, spec.landscape, spec.learning_rate, strength, seed=stream, **runs)
        yield {"noise_strength": strength}, spec.n_runs * spec.n_steps, cell


def trajectories_cells(spec: studies.TrajectoriesSpec) -> Iterator[Cell]:
    yield from evolution_cells(spec, langevin.trajectories)


def frozen_cells(spec: studies.FrozenSpec) -> Iterator[Cell]:
    size = {"n_runs": spec.n_runs, "n_bins": spec.n_bins, "noise": spec.noise}
    for (rate, noise, y), stream in grid_with_streams(spec):
        steps = {"n_steps": round(spec.duration / rate), "burn_in": round(spec.burn_in / rate)}
        cell = partial(fixed_y.frozen_y, spec.landscape, rate, noise / rate, y, seed=stream, **steps, **size)
        yield {"learning_rate": rate, "effective_noise": noise, "y": y}, spec.n_runs * sum(steps.values()), cell


def operator_cells(spec: studies.FrozenSpec) -> Iterator[Cell]:
    for (rate, noise, y), _ in grid_with_streams(spec):
        cell = partial(operator_cell, spec.landscape, rate, noise / rate, y, spec.noise)
        yield {"learning_rate": rate, "effective_noise": noise, "y": y}, 0, cell


def operator_cell(*setting: typing.Any) -> xr.Dataset:
    return transition_operator.stationary_density(*setting)[["p_flat"]]


def master_map_cells(spec: studies.MasterMapSpec) -> Iterator[Cell]:
    for rate, strength in product(spec.learning_rates, spec.noise_strengths):
        cell = dataclasses.replace(spec, learning_rates=(rate,), noise_strengths=(strength,))
        yield {"learning_rate": rate, "noise_strength": strength}, 0, partial(squeezed, studies.master_map, cell)


def squeezed(study: Callable, spec: typing.Any) -> xr.Dataset:
    return study(spec).squeeze(drop=True)


def master_histories_cells(spec: studies.MasterHistorySpec) -> Iterator[Cell]:
    for rate, noise in product(spec.learning_rates, spec.effective_noises):
        yield {"learning_rate": rate, "effective_noise": noise}, 0, partial(history_cell, spec, rate, noise)


def history_cell(spec: studies.MasterHistorySpec, rate: float, noise: float) -> xr.Dataset:
    times = np.geomspace(max(spec.learning_rates), spec.duration, spec.n_records)
    run = master_equation.evolve(spec.landscape, rate, noise / rate, round(spec.duration / rate), spec.start_y, spec.noise)
    return run[["p_flat", "mean_y", "frozen"]].swap_dims(step="time").interp(time=times, kwargs={"fill_value": "extrapolate"})


def grid_with_streams(spec: studies.FrozenSpec) -> Iterator[tuple[tuple[float, float, float], np.random.SeedSequence]]:
    points = list(product(spec.learning_rates, spec.effective_noises, spec.ys))
    yield from zip(points, np.random.SeedSequence(spec.seed).spawn(len(points)), strict=True)


WITHOUT_SAMPLING = ("operator", "master_map", "master_histories")
CELLS = {name.removesuffix("_cells"): cells for name, cells in list(globals().items()) if name.endswith("_cells")}


def assert_cells_come_out_again(study: str, stored: xr.Dataset, chosen: list[Cell], *, same_processor: bool = True) -> None:
    for place, _, compute in chosen:
        found = compare(stored.sel(place).squeeze(), compute(), sampled=study not in WITHOUT_SAMPLING, same_processor=same_processor)
        assert not found.differing, f"{', '.join(found.differing)} at {place}, drawn with seed {DRAW}"


SMALL = {
    "phase_diagram": studies.PhaseDiagramSpec([0.05, 0.1], [0.03, 0.1], n_runs=70, n_steps=20),
    "freezing": studies.FreezingSpec([0.05, 0.1], [1e-3, 2e-3], n_runs=70, duration=2.0, seed=3),
    "evolution": studies.EvolutionSpec(noise_strengths=[0.05, 0.1], n_runs=4, n_steps=20, record_every=10),
    "trajectories": studies.TrajectoriesSpec(noise_strengths=[0.02, 0.05], n_runs=4, n_steps=20, record_every=10),
    "frozen": studies.FrozenSpec([0.05, 0.1], [1e-3], [3.0, 4.0], n_runs=4, duration=10, burn_in=1, n_bins=20),
    "operator": studies.FrozenSpec([0.05, 0.1], [1e-3], [3.0], n_runs=4, duration=10),
    "master_map": studies.MasterMapSpec([0.05, 0.1], [0.03], n_steps=200),
    "master_histories": studies.MasterHistorySpec([0.05, 0.1], [1e-3], duration=20.0, n_records=10),
}


@pytest.mark.parametrize("study", CELLS)
def test_each_cell_alone_is_the_cell_of_its_study(study):
    stored = getattr(studies, study)(SMALL[study])
    cells = list(CELLS[study](SMALL[study]))
    assert len(cells) == np.prod([stored.sizes[dim] for dim in cells[0][0]])
    assert_cells_come_out_again(study, stored, cells)


def test_a_key_gives_back_its_spec():
    for name, spec in SMALL.items():
        assert naming.made_by(getattr(studies, name), spec).spec_again() == spec


@pytest.mark.parametrize("same_processor", [True, False])
def test_a_wrong_value_is_noticed(same_processor):
    stored = studies.evolution(SMALL["evolution"])
    stored["p_flat"][1, -1] -= 0.9
    with pytest.raises(AssertionError, match="p_flat at"):
        assert_cells_come_out_again("evolution", stored, list(CELLS["evolution"](SMALL["evolution"])), same_processor=same_processor)


shipped = pytest.mark.parametrize("name", NAMES)
QUICK = random.Random(DRAW).sample([name for name in NAMES if Path(name).parent.name in CELLS], 1)
simulated = pytest.mark.parametrize("name", [pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow) for name in NAMES])


@shipped
def test_shipped_file_is_current_and_named_by_its_key(name):
    made = store.made_of(FOLDER / name)
    assert made is not None, "the file cannot be read"
    assert made.name == name
    assert made.is_current(), "the code has changed since: run `python -m valleys rekey`, or `make results` where it changed values"
    assert made.spec == json.loads(json.dumps(dataclasses.asdict(made.spec_again())))


@simulated
def test_cells_of_a_shipped_file_come_out_again(name):
    study = Path(name).parent.name
    if study not in CELLS:
        pytest.skip(f"no cell of {study} can be computed again within {MOST_SECONDS} s and without data: `python -m valleys verify` does it")
    stored = store.load(FOLDER / name)
    cells, seconds = list(CELLS[study](Made.of(stored.attrs).spec_again())), stored.attrs["wall_time_seconds"]
    chosen = verify.drawn_cells(cells, seconds, MOST_SECONDS, f"{DRAW} {name}", MOST_CELLS)
    if not chosen:
        pytest.skip(f"every cell of it takes more than {MOST_SECONDS} s")
    assert_cells_come_out_again(study, stored, chosen, same_processor=stored.attrs["processor"] == machine.processor())
