"""Every part that a study offers, computed alone, is what stands in its place in the whole, to
the last bit.
"""

import inspect
from typing import Any

import numpy as np
import pytest

from valleys.nets.experiments import (
    assumptions,
    continuation,
    endpoints,
    own_network,
    rescaling,
    siblings,
    sweep,
    walk,
)
from valleys.nets.experiments.assumptions import ConditionsSpec
from valleys.nets.experiments.own_network import OwnNetworkSpec
from valleys.nets.experiments.rescaling import RescalingSpec
from valleys.nets.experiments.siblings import SiblingsSpec
from valleys.nets.experiments.specs import (
    BasinsSpec,
    ContinuationSpec,
    EndpointsSpec,
    SweepGrid,
    SweepSpec,
    restarts,
)
from valleys.nets.experiments.walk import WalkSpec
from valleys.results import naming, verify
from valleys.results.grid import Grid, computed, parts_of
from valleys.toy.experiments import (
    continuous,
    last_crossing,
    more_valleys,
    two_valley,
    uneven,
)

DATA: dict[str, Any] = {
    "dataset": "digits",
    "train_per_class": 20,
    "training_time": 20.0,
    "seed": 3,
}
LONGER: dict[str, Any] = DATA | {"training_time": 40.0}
TWO = {"batch_size": (20, 50), "learning_rate": (0.1, 0.2)}
RUNS: dict[str, Any] = LONGER | {
    "batch_sizes": (20, 100),
    "learning_rates": (0.1, 0.2),
    "n_fractions": 5,
}
FEW = {"n_realizations": 2, "n_records": 3}
WALK = {"n_windows": 5, "steps_per_window": 4, "n_fractions": 5, "multiples": (1.0,)}
TOY = {
    "phase_diagram": two_valley.PhaseDiagramSpec([0.05, 0.1], [0.03, 0.1], n_runs=70, n_steps=20),
    "freezing": two_valley.FreezingSpec([0.05, 0.1], [1e-3, 2e-3], n_runs=70, duration=2.0, seed=3),
    "evolution": two_valley.EvolutionSpec(
        noise_strengths=[0.05, 0.1], n_runs=4, n_steps=20, record_every=10
    ),
    "trajectories": two_valley.TrajectoriesSpec(
        noise_strengths=[0.02, 0.05], n_runs=4, n_steps=20, record_every=10
    ),
    "frozen": two_valley.FrozenSpec(
        [0.05, 0.1], [1e-3], [3.0, 4.0], n_runs=4, duration=10, burn_in=1, n_bins=20
    ),
    "operator": two_valley.FrozenSpec([0.05, 0.1], [1e-3], [3.0], n_runs=4, duration=10),
    "master_map": two_valley.MasterMapSpec([0.05, 0.1], [0.03], n_steps=200),
    "master_histories": two_valley.MasterHistorySpec(
        [0.05, 0.1], [1e-3], duration=20.0, n_records=10
    ),
    "contrast": two_valley.ContrastSpec([1.5, 3.0], n_runs=70, n_steps=50),
    "contrast_exact": two_valley.ContrastSpec([1.5, 3.0], n_runs=70, n_steps=50),
    "last_crossings": two_valley.FreezingSpec(
        [0.05, 0.1], [1e-3, 2e-3], n_runs=70, duration=2.0, seed=3
    ),
    "last_crossings_exact": two_valley.MasterHistorySpec(
        [0.05, 0.1], [1e-3], duration=20.0, n_records=10
    ),
    "occupation": more_valleys.OccupationSpec(
        [[0.65, 0.8, 0.7], [0.7, 0.65, 0.8]], [1e-3, 2e-3], n_runs=6, duration=5.0
    ),
    "powers": more_valleys.PowersSpec(
        [0.0, 1.0], [1e-3], learning_rates=[0.05, 0.02], n_runs=4, duration=5.0
    ),
    "fixed_powers": more_valleys.FixedPowersSpec(
        [-1.0, 1.0], [2.0, 3.0], n_runs=4, duration=20.0, burn_in=5.0
    ),
    "uneven": uneven.UnevenSpec((0.0, 0.5), n_runs=4, duration=1.0),
    "rules": continuous.RulesSpec((0.04, 0.08), n_runs=4, duration=0.2),
}
NETS = {
    "sweep": SweepGrid.of(
        SweepSpec, TWO, followed_learning_rate=0.2, flatness_every=1, **FEW, **DATA
    ),
    "walk": Grid.of(WalkSpec, TWO, n_realizations=2, **WALK, **LONGER),
    "conditions": Grid.of(ConditionsSpec, TWO, n_directions=10, levels=(2.0,), **FEW, **LONGER),
    "siblings": Grid.of(SiblingsSpec, TWO, branch_times=(0.0, 5.0, 10.0), n_references=2, **DATA),
    "basins": Grid.of(BasinsSpec, TWO, branch_time=5.0, last_time=10.0, **DATA),
    "restart": restarts(2, **RUNS),
    "endpoints": EndpointsSpec(
        spectrum_batch_sizes=(20, 200), spectrum_learning_rate=0.2, n_records=3, **RUNS
    ),
    "rescaling": RescalingSpec(batch_sizes=(20, 50), learning_rate=0.2, n_realizations=1, **LONGER),
    "own_network": OwnNetworkSpec(
        "digits",
        10,
        channels=(3,),
        batch_sizes=(50, 100),
        training_time=1.0,
        n_starts=2,
        n_runs=2,
        n_records=2,
    ),
    "continuation": ContinuationSpec(
        "digits", 20, branch_every=50, last_branch=100, n_steps=200, n_records=3
    ),
}
TOY_STUDIES = [
    study
    for room in (two_valley, more_valleys, continuous, last_crossing, uneven)
    for study in room.PARTS
]
OFFERED = {study.__name__: study for study in TOY_STUDIES}
STUDIES = {name: (OFFERED[name], spec) for name, spec in TOY.items()} | {
    study.__name__: (study, NETS[study.__name__])
    for study in (
        assumptions.conditions,
        continuation.basins,
        continuation.continuation,
        endpoints.endpoints,
        endpoints.restart,
        own_network.own_network,
        rescaling.rescaling,
        siblings.siblings,
        sweep.sweep,
        walk.walk,
    )
}
SLOW = {"walk", "conditions", "siblings", "restart", "endpoints"}


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else []) for name in STUDIES],
)
def test_each_part_alone_is_what_stands_in_its_place(name):
    study, spec = STUDIES[name]
    whole, parts = computed(study, spec), parts_of(study, spec)
    assert len({tuple(part.place.items()) for part in parts if part.place}) == np.prod(
        [whole.sizes[dim] for dim in parts[0].place] or [0]
    )
    for part in parts:
        assert part.work > 0
        here, alone = whole.sel(part.place).squeeze(), part.compute().squeeze()
        found = verify.compare(here, alone, sampled=True, same_processor=True)
        assert not found.differing, f"{', '.join(found.differing)} at {dict(part.place)}"
        assert found.count
        if isinstance(spec, Grid):
            assert set(alone.data_vars) == set(whole.data_vars)


def test_every_study_that_offers_parts_is_among_them():
    homes = {inspect.getmodule(study) for study, _ in STUDIES.values()}
    offered = {study for home in homes for study in getattr(home, "PARTS", {})}
    assert offered <= {study for study, _ in STUDIES.values()}
    assert set(OFFERED) == set(TOY)


@pytest.mark.parametrize("name", STUDIES)
def test_a_key_gives_back_its_study_and_its_spec(name):
    assert naming.made_by(*STUDIES[name]).again() == STUDIES[name]


def test_a_wrong_value_is_noticed():
    study, spec = STUDIES["evolution"]
    whole, part = study(spec), parts_of(study, spec)[1]
    whole["p_flat"][1, -1] -= 0.9
    for same_processor in (True, False):
        found = verify.compare(
            whole.sel(part.place), part.compute(), sampled=True, same_processor=same_processor
        )
        assert found.differing == ["p_flat"]
