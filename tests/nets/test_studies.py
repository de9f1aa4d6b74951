import dataclasses
from typing import Any

import numpy as np
import pytest
import xarray as xr

from valleys.nets.analysis.endpoints import walls
from valleys.nets.experiments import continuation, endpoints, runs, sweep
from valleys.nets.experiments.specs import (
    ContinuationSpec,
    EndpointsSpec,
    SweepGrid,
    SweepSpec,
    restarts,
)
from valleys.nets.experiments.sweep import Plane
from valleys.nets.measures import solutions
from valleys.results.grid import computed

SHORT = {"training_time": 20.0, "n_records": 5}


@pytest.fixture(scope="module")
def cell():
    return sweep.sweep(
        SweepSpec(
            learning_rate=0.1,
            batch_size=50,
            n_realizations=3,
            flatness_every=2,
            keep_weights=True,
            **SHORT,
        )
    )


@pytest.fixture(scope="module")
def continued():
    return continuation.continuation(
        ContinuationSpec(
            learning_rate=0.1,
            batch_size=20,
            branch_every=50,
            last_branch=150,
            n_steps=300,
            n_references=2,
            n_records=7,
            flatness_every=4,
        )
    )


def test_a_cell_holds_what_it_promises(cell):
    images = {"other": 3, "test_image": 200, "full_test_image": 797, "byte": 100}
    assert (
        dict(cell.sizes)
        == {"realization": 3, "record": 5, "rank": 10, "threshold": 4, "n_in": 50, "n_out": 50}
        | images
    )
    assert cell.step.values.tolist() == [0, 50, 100, 150, 200]
    np.testing.assert_allclose(cell.time, 0.1 * cell.step)
    assert np.isfinite(cell.train_loss).all()
    assert np.isfinite(cell.flatness[0]).values.tolist() == [True, False, True, False, True]
    np.testing.assert_allclose(
        cell.flatness, np.exp(-np.log(cell.eigenvalues).mean("rank", skipna=False))
    )
    np.testing.assert_allclose(
        cell.weight_norm, np.linalg.norm(cell.weights, axis=(2, 3)), rtol=1e-5
    )


def test_the_runs_of_a_cell_start_alike_and_end_apart(cell):
    assert (cell.weights[:, 0] == cell.weights[0, 0]).all()
    assert not np.allclose(cell.weights[0, -1], cell.weights[1, -1], atol=1e-3)


def test_errors_and_accuracy_tell_the_same_story(cell):
    np.testing.assert_allclose(
        1 - cell.misclassified.mean("test_image"), cell.test_accuracy[:, -1], atol=1e-6
    )
    np.testing.assert_allclose(
        1 - cell.misclassified_full.mean("full_test_image"), cell.full_test_accuracy, atol=1e-6
    )
    np.testing.assert_allclose(
        1 - cell.misclassified_along.mean("test_image"), cell.test_accuracy, atol=1e-6
    )
    along = np.unpackbits(cell.misclassified_full_along.values, axis=-1, count=797)
    np.testing.assert_allclose(1 - along.mean(axis=-1), cell.full_accuracy, atol=1e-6)
    np.testing.assert_array_equal(along[:, -1], cell.misclassified_full)
    np.testing.assert_array_equal(cell.misclassified_along[:, -1], cell.misclassified)
    np.testing.assert_array_equal(cell.converged, cell.train_accuracy[:, -1] == 1)


def test_distances_and_cosines_are_those_of_the_final_matrices(cell):
    ends, start = (cell.weights[:, place].values.reshape(3, -1).astype(float) for place in (-1, 0))
    np.testing.assert_allclose(
        cell.weight_distance, np.linalg.norm(ends[:, None] - ends, axis=-1), rtol=1e-4, atol=1e-6
    )
    ways = (ends - start) / np.linalg.norm(ends - start, axis=1, keepdims=True)
    np.testing.assert_allclose(cell.weight_cosine, ways @ ways.T, rtol=1e-4)


def test_freezing_comes_later_for_a_lower_threshold(cell):
    found = cell.freezing_time.sel(threshold=[0.2, 0.1]).values
    assert (found[:, 0] < found[:, 1]).all()
    before = cell.train_loss.values[0][cell.step.values < found[0, 0]]
    assert (before >= 0.2).all()


def test_the_same_spec_gives_the_same_dataset_and_another_seed_another():
    spec = SweepSpec(learning_rate=0.1, n_realizations=2, **SHORT)
    assert sweep.sweep(spec).identical(sweep.sweep(spec))
    other = sweep.sweep(dataclasses.replace(spec, seed=1))
    assert not np.allclose(other.train_loss, sweep.sweep(spec).train_loss, rtol=1e-3)


def test_realizations_do_not_depend_on_how_many_there_are(cell):
    fewer = sweep.sweep(SweepSpec(learning_rate=0.1, batch_size=50, n_realizations=2, **SHORT))
    np.testing.assert_allclose(fewer.train_loss, cell.train_loss[:2], rtol=1e-4)


def test_gradient_descent_is_computed_once_and_serves_every_realization(monkeypatch):
    trained = []
    original = runs.train
    monkeypatch.setattr(
        runs,
        "train",
        lambda networks, *rest, **options: (
            trained.append(len(networks)),
            original(networks, *rest, **options),
        ),
    )
    found = sweep.sweep(SweepSpec(batch_size=1000, learning_rate=0.2, n_realizations=3, **SHORT))
    assert trained == [1]
    assert found.sizes["realization"] == 3
    assert (found.train_loss == found.train_loss[0]).all()
    assert (solutions.similarity_matrix(found.misclassified_full.values) == 1).all()


def test_runs_that_diverge_are_marked_and_their_records_unknown():
    found = sweep.sweep(
        SweepSpec(
            learning_rate=1e5, training_time=1e7, batch_size=50, n_realizations=2, n_records=5
        )
    )
    assert found.diverged.all()
    assert not found.converged.any()
    assert np.isnan(found.train_loss[:, 1:]).all()
    assert np.isfinite(found.train_loss[:, 0]).all()
    assert np.isnan(found.full_test_accuracy).all()
    assert np.isnan(found.flatness).all()
    assert np.isnan(found.freezing_time).all()


def test_a_sweep_is_its_cells_whatever_their_order():
    values = {
        "n_realizations": 2,
        "training_time": 10.0,
        "n_records": 3,
        "followed_learning_rate": 0.1,
        "flatness_every": 1,
    }
    grid = SweepGrid.of(
        SweepSpec,
        {"batch_size": (1000, 50), "learning_rate": (0.1, 0.2)},
        weights_at=((50, 0.2),),
        **values,
    )
    found = computed(sweep.sweep, grid)
    assert found.train_loss.dims == ("batch_size", "learning_rate", "realization", "record")
    assert "weights" not in found
    turned = computed(
        sweep.sweep,
        SweepGrid.of(SweepSpec, {"batch_size": (50, 1000), "learning_rate": (0.2, 0.1)}, **values),
    )
    same = turned.sel(batch_size=found.batch_size, learning_rate=found.learning_rate)
    np.testing.assert_array_equal(same.train_loss, found.train_loss)
    alone = sweep.sweep(grid.cell_at(batch_size=50, learning_rate=0.1))
    np.testing.assert_array_equal(
        found.train_loss.sel(batch_size=50, learning_rate=0.1), alone.train_loss
    )
    np.testing.assert_array_equal(
        found.flatness.sel(batch_size=50, learning_rate=0.1), alone.flatness
    )


def test_cells_share_one_plane():
    pairs, values = (
        ((200, 0.1), (50, 0.2)),
        {"n_realizations": 3, "training_time": 10.0, "n_records": 3},
    )
    grid = SweepGrid.of(
        SweepSpec,
        {"batch_size": (50, 200), "learning_rate": (0.1, 0.2)},
        weights_at=pairs,
        **values,
    )
    plane = Plane(grid.cells_with_weights())
    assert plane.cells() == [
        grid.cell_at(batch_size=size, learning_rate=rate) for size, rate in pairs
    ]
    found = computed(sweep.sweep, plane)
    assert found.position.dims == ("cell", "realization", "record", "component")
    # one start for all
    assert np.ptp(found.position.isel(record=0).values.reshape(-1, 2), axis=0).max() < 1e-5
    assert list(zip(found.batch_size.values, found.learning_rate.values, strict=True)) == list(
        pairs
    )
    distances = np.linalg.norm(found.position.isel(record=-1, cell=0).diff("realization"), axis=-1)
    assert distances.min() > 0


@pytest.fixture(scope="module")
def between():
    values = {
        "training_time": 100.0,
        "n_records": 5,
        "n_fractions": 5,
        "spectrum_batch_sizes": (200, 1000),
        "spectrum_learning_rate": 0.4,
    }
    return endpoints.endpoints(
        EndpointsSpec(batch_sizes=(50, 200), learning_rates=(0.1, 0.4), **values)
    )


@pytest.mark.slow
def test_end_points_and_what_lies_between_them(between):
    assert between.similarity.shape == (4, 4)
    assert (np.diag(between.similarity) == 1).all()
    assert between.barrier.shape == (4, 4, 5)
    assert (
        between.barrier == between.barrier.transpose("other", "solution", "record").values
    ).all()
    pairs = np.triu_indices(4, 1)
    most, least = (
        between.similarity.values[tuple(members)] for members in between.pair_member.values
    )
    assert most == between.similarity.values[pairs].max()
    assert least == between.similarity.values[pairs].min()
    np.testing.assert_array_equal(between.learning_rate, [0.1, 0.1, 0.4, 0.4])
    assert np.ptp(between.position.values[:, 0], axis=0).max() < 1e-5  # one initialization
    assert between.train_accuracy.values[:, -1].tolist() == [1, 1, 1, 1]


@pytest.mark.slow
def test_barriers_at_every_record_are_those_of_the_paths_at_every_record(between):
    for row, (i, j) in enumerate(between.pair_member.values):
        path = between.path_loss.values[row]
        np.testing.assert_allclose(between.barrier[i, j], solutions.barrier(path), atol=1e-6)
        np.testing.assert_allclose(
            path[:, [-1, 0]], between.train_loss[[i, j]].T, rtol=1e-3, atol=1e-5
        )
    ends = between.train_loss.values
    slopes = np.abs(ends[:, None] - ends) / 2
    np.testing.assert_allclose(between.rise, between.barrier.values - slopes, atol=1e-5)


@pytest.mark.slow
def test_spectra_agree_with_the_largest_eigenvalues_and_the_trace_of_the_grid(between):
    in_grid = between.isel(solution=3)  # η = 0.4, B = 200
    values = between.eigenvalue.sel(spectrum_batch_size=200).values
    np.testing.assert_allclose(in_grid.top_eigenvalue, values[:10], rtol=1e-4)
    assert in_grid["trace"].item() == pytest.approx(values.sum(), rel=1e-9)
    # the full batch is no part of the grid
    assert np.isfinite(between.eigenvalue).all("rank").values.tolist() == [True, True]


FEW_IMAGES = EndpointsSpec(
    batch_sizes=(20, 50, 100),
    learning_rates=(0.4,),
    train_per_class=20,
    training_time=40.0,
    n_records=3,
    n_fractions=3,
)


def test_a_run_that_does_not_converge_has_no_spectrum():
    found = endpoints.endpoints(
        dataclasses.replace(FEW_IMAGES, spectrum_batch_sizes=(1, 200), spectrum_learning_rate=0.4)
    )
    assert np.isfinite(found.eigenvalue).all("rank").values.tolist() == [False, True]


def test_no_spectrum_at_all_is_an_error_with_a_way_out():
    with pytest.raises(
        ValueError,
        match=r"no run at spectrum_learning_rate 10.0 reached 100 % "
        r"training accuracy: choose a smaller one",
    ):
        endpoints.endpoints(
            dataclasses.replace(FEW_IMAGES, spectrum_batch_sizes=(50,), spectrum_learning_rate=10.0)
        )
    assert endpoints.endpoints(FEW_IMAGES).eigenvalue.size == 0


def made_up(rises, losses, accuracies):
    """What `walls` reads of end points, from rises (S, S, n), losses (S, n) and accuracies (S,
    n).
    """
    pair, run = ("solution", "other", "record"), ("solution", "record")
    parts = {
        "rise": (pair, rises),
        "barrier": (pair, rises + 1),
        "train_loss": (run, losses),
        "train_accuracy": (run, accuracies),
    }
    return xr.Dataset(parts, coords={"time": ("record", [0.0, 10.0, 20.0, 30.0])})


def test_walls_are_where_the_loss_doubles_and_stand_since_they_last_rose():
    rises = np.zeros((3, 3, 4))
    for (i, j), heights in {
        (0, 1): (0, 0, 5, 4),
        (0, 2): (0, 3, 0, 4),
        (1, 2): (0, 1, 1, 1.5),
    }.items():
        rises[i, j] = rises[j, i] = heights
    found = walls(
        made_up(
            rises, np.full((3, 4), 2.0), np.array([[0, 0, 1, 1], [1, 0, 0, 1], [0, 1, 1, 1.0]])
        ),
        np.random.default_rng(0),
    )
    assert found.walled.values.tolist() == [
        [False, True, True],
        [True, False, False],
        [True, False, False],
    ]
    assert found.since.sel(measure="rise").values[0, 1:].tolist() == [20, 30]
    assert np.isnan(found.since.sel(measure="rise").values[1, 2])
    assert found.standing.sel(measure="rise").values.tolist() == [0, 0, 0.5, 1]
    assert found.height.sel(measure="rise").values.tolist() == [0, 1.5, 2.5, 4]
    assert found.height.sel(measure="barrier").values.tolist() == [1, 2.5, 3.5, 5]
    assert found.fitted.values.tolist() == [20, 30, 10]


def test_without_walls_there_is_no_time_at_which_they_rise():
    found = walls(
        made_up(np.zeros((3, 3, 4)), np.ones((3, 4)), np.ones((3, 4))), np.random.default_rng(0)
    )
    assert not found.walled.any()
    assert np.isnan(found.since).all()
    assert np.isnan(found.standing).all()


def test_runs_that_do_not_converge_are_no_solutions():
    found = endpoints.endpoints(
        EndpointsSpec(
            batch_sizes=(50, 100, 200),
            learning_rates=(0.2, 10.0),
            training_time=100.0,
            n_records=3,
            n_fractions=3,
        )
    )
    assert found.learning_rate.values.tolist() == [0.2, 0.2, 0.2]
    assert found.n_runs == 6


def test_too_few_solutions_are_an_error_with_a_way_out():
    with pytest.raises(
        ValueError,
        match=r"only 0 of 3 runs reached 100 % training "
        r"accuracy.*smaller learning_rates",
    ):
        endpoints.endpoints(
            EndpointsSpec(
                batch_sizes=(20, 50, 100), learning_rates=(1e6,), training_time=1e8, n_records=5
            )
        )


def test_a_continuation_begins_on_its_reference_run(continued):
    assert continued.branch_train_loss.dims == ("reference", "branch", "record")
    assert continued.branch_step.values.tolist() == [0, 50, 100, 150]
    for branch, step in enumerate(continued.branch_step.values):
        begun = continued.step.values >= step
        assert (np.isfinite(continued.branch_train_loss[:, branch]) == begun).all()
        first = np.argmax(begun)
        np.testing.assert_allclose(
            continued.branch_train_loss[:, branch, first],
            continued.reference_train_loss[:, first],
            rtol=1e-4,
        )
        np.testing.assert_allclose(
            continued.branch_position[:, branch, first],
            continued.reference_position[:, first],
            atol=1e-3,
        )


def test_flatness_of_continuations_is_measured_where_it_was_asked_for(continued):
    assert np.isfinite(continued.branch_flatness[0, 0]).values.tolist() == [
        True,
        False,
        False,
        False,
        True,
        False,
        True,
    ]
    assert np.isfinite(continued.reference_flatness[1]).values.tolist() == [
        True,
        False,
        False,
        False,
        True,
        False,
        True,
    ]


def test_the_flatness_of_a_continuation_is_that_of_its_eigenvalues(continued):
    ends = continued.assign(final_flatness=continued.branch_flatness[..., -1])
    for who in ("reference", "final"):
        np.testing.assert_allclose(
            ends[f"{who}_flatness"],
            np.exp(-np.log(ends[f"{who}_eigenvalues"]).mean("rank", skipna=False)),
        )


def test_continuations_end_where_their_records_end(continued):
    np.testing.assert_allclose(
        continued.final_test_loss, continued.branch_test_loss[..., -1], rtol=1e-4
    )
    assert (continued.branch_train_loss[..., -1] < continued.reference_train_loss[:, 0]).all()
    assert (continued.similarity.values[:, range(4), range(4)] == 1).all()
    assert np.allclose(continued.wall_to_last[:, -1], 0, atol=1e-6)
    assert continued.wall_to_last[1, 0] > continued.wall_to_last[1, 2]
    first = solutions.similarity_matrix(continued.misclassified_full.values[1])
    np.testing.assert_allclose(continued.similarity_full[1], first)


def test_the_branch_at_step_zero_is_the_same_gradient_descent_for_every_reference(continued):
    np.testing.assert_allclose(
        continued.branch_train_loss[0, 0], continued.branch_train_loss[1, 0], rtol=1e-3
    )
    assert not np.allclose(
        continued.branch_train_loss[0, 2, -1], continued.branch_train_loss[1, 2, -1], rtol=1e-3
    )


def test_a_reference_run_that_diverges_is_an_error():
    with pytest.raises(ValueError, match="run diverged at learning_rate"):
        continuation.continuation(
            ContinuationSpec(
                learning_rate=1e6, branch_every=50, last_branch=100, n_steps=200, n_records=5
            )
        )


@pytest.mark.slow
def test_restarts_are_the_end_points_of_the_next_seeds_in_the_places_of_their_runs():
    grid: dict[str, Any] = {
        "batch_sizes": (20, 100, 500),
        "learning_rates": (0.1, 0.2),
        "training_time": 60.0,
        "n_fractions": 5,
        "seed": 3,
    }
    found = computed(endpoints.restart, restarts(2, **grid))
    assert found.restart.values.tolist() == [4, 5]
    assert found.sizes == {"restart": 2, "run": 6, "other": 6}
    for index, seed in enumerate((4, 5)):
        alone = endpoints.endpoints(EndpointsSpec(**{**grid, "seed": seed, "n_records": 2}))
        converged = np.isfinite(np.diagonal(found.barrier.values[index]))
        assert converged.sum() == alone.sizes["solution"]
        assert found.learning_rate.values[converged].tolist() == alone.learning_rate.values.tolist()
        assert found.batch_size.values[converged].tolist() == alone.batch_size.values.tolist()
        chosen = np.ix_(converged, converged)
        np.testing.assert_array_equal(
            found.similarity_full.values[index][chosen], alone.similarity_full
        )
        np.testing.assert_array_equal(found.barrier.values[index][chosen], alone.barrier[..., -1])
        assert np.isnan(found.barrier.values[index][~converged]).all()
