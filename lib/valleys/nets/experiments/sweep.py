"""Training runs that differ in batch order only, and grids of them (Figs. 2 and 3)."""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from functools import partial
from types import ModuleType

import numpy as np
import xarray as xr

from valleys.nets.engine.networks import SECOND_LAYER, Networks
from valleys.nets.engine.problem import Setting, streams
from valleys.nets.engine.training import evaluate, plan, record_steps, train
from valleys.nets.experiments.specs import CellSpec, SweepSpec
from valleys.nets.measures import solutions
from valleys.nets.measures.layer_hessian import flatness, whole_network_eigenvalues
from valleys.nets.observers.freezing import FreezingClock, freezing_checks
from valleys.nets.observers.recorder import DESCRIPTIONS, EIGENVALUES, Recorder
from valleys.results.grid import combine, made_of

ALONG = ("weights", "misclassified_along", "misclassified_full_along")  # large, and read cell by cell only
SAMPLES_OF_A_RECORD = 20_000  # about what all test images and the curvature of a record cost, in samples


def train_cell(spec: CellSpec) -> xr.Dataset:
    """Runs of one (η, B); gradient descent is computed once and serves every realization.

    Returns:
        Dimensions realization, other (the same runs again), record, rank, threshold, test_image, full_test_image, byte.
        Steps count iterations; `time` is η · step.
        Runs that are not finite at the end are marked `diverged` and have NaN records; `converged` means 100 % training accuracy.

    Example:
        >>> from valleys.nets import CellSpec, train_cell
        >>> spec = CellSpec(train_per_class=10, batch_size=10, learning_rate=0.1, training_time=20, n_realizations=2)
        >>> found = train_cell(spec)
        >>> found.flatness.dims, found.freezing_time.dims
        (('realization', 'record'), ('realization', 'threshold'))
    """
    setting = Setting.of(spec)
    count = 1 if spec.full_batch else spec.n_realizations
    networks, steps = setting.start.repeat(count), record_steps(spec.n_steps, spec.n_records)
    recorder = Recorder(count, steps, setting.train, setting.test, setting.full_test, _flatness_records(spec), spec.keep_weights)
    clock = FreezingClock(setting.train, spec.thresholds)
    visits = plan((steps, recorder), (freezing_checks(spec.n_steps), clock))
    runs = streams(spec.seed, spec.batch_size, spec.learning_rate, count)
    train(networks, setting.train, learning_rate=spec.learning_rate, batch_size=spec.batch_size, n_steps=spec.n_steps, streams=runs, visits=visits)
    found = _records(recorder, steps, spec) | _freezing(clock) | _ends(networks, setting) | _apart(networks, setting) | _whole_network(networks, setting, spec)
    result = xr.Dataset(found, coords=_coordinates(spec), attrs={"dataset": spec.dataset})
    return result.isel(realization=[0] * spec.n_realizations, other=[0] * spec.n_realizations) if spec.full_batch else result


def _flatness_records(spec: CellSpec) -> set[int]:
    every = range(0, spec.n_records, spec.flatness_every) if spec.flatness_every else ()
    return {*every, spec.n_records - 1}


def _coordinates(spec: CellSpec) -> dict:
    time = xr.DataArray(np.linspace(0, spec.training_time, spec.n_records), dims="record", attrs={"long_name": "training time, learning_rate · step"})
    return {"batch_size": spec.batch_size, "learning_rate": spec.learning_rate, "time": time, "threshold": list(spec.thresholds)}


def _records(recorder: Recorder, steps: np.ndarray, spec: CellSpec) -> dict:
    over_time = {name: (("realization", "record"), values, {"long_name": DESCRIPTIONS[name]}) for name, values in recorder.values.items()}
    kept = {"weights": (("realization", "record", "n_in", "n_out"), recorder.weights)} if spec.keep_weights else {}
    bent = (("realization", "record", "rank"), recorder.eigenvalues, EIGENVALUES)
    wrong = {
        "misclassified_along": (("realization", "record", "test_image"), recorder.wrong),
        "misclassified_full_along": (("realization", "record", "byte"), recorder.wrong_full, {"long_name": "which of all test images are wrong, packed"}),
    }
    return over_time | kept | wrong | {"eigenvalues": bent, "step": ("record", steps)}


def _freezing(clock: FreezingClock) -> dict:
    return {"freezing_time": (("realization", "threshold"), clock.steps, {"long_name": "first step with training loss below L_c (Eq. 7)", "units": "steps"})}


def _ends(networks: Networks, setting: Setting) -> dict:
    """Each run's end: its errors on both test sets, and whether it converged or diverged."""
    train_end, test_end, full_end = (evaluate(networks, samples) for samples in (setting.train, setting.test, setting.full_test))
    return {
        "misclassified": (("realization", "test_image"), test_end.misclassified.cpu().numpy()),
        "misclassified_full": (("realization", "full_test_image"), full_end.misclassified.cpu().numpy()),
        "full_test_accuracy": ("realization", full_end.accuracy.cpu().numpy(), {"long_name": "fraction of all test images that is right"}),
        "converged": ("realization", (train_end.accuracy == 1).cpu().numpy()),
        "diverged": ("realization", ~networks.alive.cpu().numpy()),
    }


def _apart(networks: Networks, setting: Setting) -> dict:
    """How far apart the runs end in the second layer's matrix, and how alike their ways there are."""
    matrices = networks.weights[SECOND_LAYER].double().flatten(1).cpu().numpy()
    start = setting.start.weights[SECOND_LAYER].double().flatten(1).cpu().numpy()
    dims = ("realization", "other")
    return {
        "weight_distance": (dims, solutions.distance_matrix(matrices), {"long_name": "Euclidean distance of final second-layer matrices"}),
        "weight_cosine": (dims, solutions.cosine_matrix(matrices - start), {"long_name": "cosine between displacements of the second-layer matrix"}),
    }


def _whole_network(networks: Networks, setting: Setting, spec: CellSpec) -> dict:
    values = np.full(len(networks), np.nan)
    for index in range(min(spec.n_whole_network, len(networks))):
        if bool(networks.alive[index]):
            values[index] = flatness(whole_network_eigenvalues(networks, setting.train.images, setting.train.labels, index).eigenvalues)
    return {"whole_network_flatness": ("realization", values, {"long_name": "flatness from the Hessian in all weights and biases"})}


def sweep(spec: SweepSpec, store: ModuleType, *, executor: Executor | None = None) -> xr.Dataset:
    """`grid(spec)`, each cell and the whole kept by the store as soon as it is there.

    Args:
        spec: the grid.
        store: what has `load_or_compute_all` and `load_or_assemble`, such as `valleys.results.store`.
        executor: where to compute; in this process if None.
    """
    return store.load_or_assemble(grid, spec, lambda: _combine(spec, store.load_or_compute_all(train_cell, spec.cells(), executor=executor)))


def grid(spec: SweepSpec) -> xr.Dataset:
    """All cells of a grid, one after another (Figs. 2 and 3).

    Returns:
        Dimensions batch_size, learning_rate, realization, record and those of a cell, without the weights and the error sets along the way.
    """
    return _combine(spec, [train_cell(cell) for cell in spec.cells()])


def _combine(spec: SweepSpec, cells: list[xr.Dataset]) -> xr.Dataset:
    return combine([cell.drop_vars(ALONG, errors="ignore") for cell in cells], spec.batch_sizes, spec.learning_rates)


def grid_cells(spec: SweepSpec) -> Iterator[tuple[dict[str, float], int, Callable[[], xr.Dataset]]]:
    """Where each cell of the grid stands, its share of the work in samples that go through a network, and how to compute it alone."""
    for cell in spec.cells():
        samples = 3 * cell.n_steps * cell.batch_size + cell.n_records * SAMPLES_OF_A_RECORD
        yield {"batch_size": cell.batch_size, "learning_rate": cell.learning_rate}, samples, partial(_cell_of_grid, cell)


def _cell_of_grid(spec: CellSpec) -> xr.Dataset:
    return train_cell(spec).drop_vars(ALONG, errors="ignore")


def sweep_plane(spec: SweepSpec, store: ModuleType, *, executor: Executor | None = None) -> xr.Dataset:
    """`plane(spec)`, from cells kept by the store; arguments as in `sweep`."""
    return store.load_or_assemble(plane, spec, lambda: _plane_of(store.load_or_compute_all(train_cell, spec.cells_with_weights(), executor=executor)))


def plane(spec: SweepSpec) -> xr.Dataset:
    """Trajectories of the cells `weights_at` on the principal components that they share (Figs. 2B, C).

    Returns:
        `position` (cell, realization, record, component) and `explained` (component).
    """
    return _plane_of([train_cell(cell) for cell in spec.cells_with_weights()])


def _plane_of(cells: list[xr.Dataset]) -> xr.Dataset:
    runs = [run.reshape(run.shape[0], -1) for cell in cells for run in cell.weights.values]
    projection = solutions.project(runs)
    shape = (len(cells), len(runs) // len(cells), -1, 2)
    found = {
        "position": (("cell", "realization", "record", "component"), np.reshape(projection.scores, shape)),
        "explained": ("component", projection.explained),
    }
    coords = {name: ("cell", [float(cell[name]) for cell in cells]) for name in ("batch_size", "learning_rate")}
    return xr.Dataset(found, coords, attrs=made_of(cells))
