"""Measure how fast the book computes, and print a table: `python tools/bench.py --help`.

Each benchmark is a function of the number of repeats that returns rows, and runs in a fresh process
of its own, so that none changes the memory or the caches that the next one finds. What is compared
is measured in turns, and compared within each turn, so that a busy moment of the machine strikes
both.
"""

import itertools
import os
import platform
import resource
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

import click
import numba
import numpy as np
import peers
import torch
from threadpoolctl import threadpool_limits
from torch import nn

from valleys.errors import BookError
from valleys.nets import datasets
from valleys.nets.engine import compiled
from valleys.nets.engine import reference as plain_nets
from valleys.nets.engine.kernels import blas, memory
from valleys.nets.engine.modules import Modules
from valleys.nets.engine.networks import initialize
from valleys.nets.engine.plain import train
from valleys.nets.engine.problem import Problem
from valleys.nets.engine.training import Samples
from valleys.nets.experiments import sweep
from valleys.nets.experiments.specs import SweepGrid, SweepSpec
from valleys.nets.measures.curvature import as_modules
from valleys.nets.observers.recorder import second_layer_eigenvalues
from valleys.nets.optimizers.recipe import Recipe
from valleys.nets.optimizers.training import optimize
from valleys.results import compute, executors, machine
from valleys.toy import TwoValley
from valleys.toy.experiments import two_valley as studies
from valleys.toy.simulation import langevin, reference

PUBLISHED = tuple(np.geomspace(0.01, 0.1, 10).tolist())
SWEPT_RATES, SWEPT_SIZES = (
    (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1),
    (10, 20, 50, 100, 200, 500, 1000),
)
NUMPY_RUNS, NUMPY_STEPS = 8000, 100  # side by side; with fewer or many more, NumPy is slower


@dataclass(frozen=True)
class Row:
    """One quantity, measured once a repeat."""

    quantity: str
    unit: str
    values: tuple[float, ...]

    def line(self) -> str:
        """The row of the table: median, lowest and highest of the repeats."""
        numbers = (statistics.median(self.values), min(self.values), max(self.values))
        texts = (f"{each:,.3g}" if each < 1000 else f"{each:,.0f}" for each in numbers)
        return f"| {self.quantity} | {' | '.join(texts)} | {self.unit} |"


def two_valley(repeats: int) -> list[Row]:
    """Steps per second of the two-valley simulation: compiled, on all threads and on one,
    against plain NumPy.
    """
    kernel_rate(n_steps=10)  # compiles, or loads what was compiled
    turns = [(kernel_rate(), kernel_rate(n_threads=1), numpy_rate()) for _ in range(repeats)]
    every, single, plainly = (np.array(rates) for rates in zip(*turns, strict=True))
    return [
        Row(f"compiled kernel, {machine.threads()} threads", "million steps/s", tuple(every / 1e6)),
        Row("compiled kernel, 1 thread", "million steps/s", tuple(single / 1e6)),
        Row("plain NumPy, 1 process", "million steps/s", tuple(plainly / 1e6)),
        Row("kernel on all threads : NumPy", "times", tuple(every / plainly)),
        Row("kernel on 1 thread : NumPy", "times", tuple(single / plainly)),
    ]


def kernel_rate(
    *, n_runs: int = 2000, n_steps: int = 20_000, n_threads: int | None = None
) -> float:
    """Steps per second of four cells of the phase diagram through the compiled kernel."""
    cells = (0.02, 0.05), (0.02, 0.05)
    with mock.patch.dict(os.environ, OMP_NUM_THREADS=str(n_threads or machine.threads())):
        seconds = timed(langevin.phase_diagram, TwoValley(), *cells, n_runs=n_runs, n_steps=n_steps)
    return 4 * n_runs * n_steps / seconds


def numpy_rate(*, n_runs: int = NUMPY_RUNS, n_steps: int = NUMPY_STEPS) -> float:
    """Steps per second of the same equation in plain NumPy, all runs in one array."""
    landscape, generator = TwoValley(), np.random.default_rng(0)
    x = np.where(np.arange(n_runs) % 2, langevin.START_X, -langevin.START_X)
    y = np.full(n_runs, 5.0)
    started = time.perf_counter()
    for _ in range(n_steps):
        x, y = reference.step(landscape, x, y, 0.05, 0.05, "hessian", generator)
    return n_runs * n_steps / (time.perf_counter() - started)


def published_map(repeats: int) -> list[Row]:
    """Seconds and peak memory of Figs. 5C and 5D: 100 cells of 2,000 runs of 20,000 steps, 4
    billion steps in all.
    """
    kernel_rate(n_steps=10)
    before, seconds = peak_megabytes(), []
    for seed in range(repeats):
        started = time.perf_counter()
        studies.phase_diagram(studies.PhaseDiagramSpec(PUBLISHED, PUBLISHED, seed=seed))
        seconds.append(time.perf_counter() - started)
    return [
        Row("map of Figs. 5C and 5D", "s", tuple(seconds)),
        Row("peak memory of its process", "MB", (peak_megabytes(),)),
        Row("of it, Python and imports before the map", "MB", (before,)),
    ]


def exact_map(repeats: int) -> list[Row]:
    """Seconds of the same map from the master equation."""
    studies.master_map(studies.MasterMapSpec((0.1,), (0.1,), n_steps=10))
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        studies.master_map(studies.MasterMapSpec(PUBLISHED, PUBLISHED))
        seconds.append(time.perf_counter() - started)
    return [Row("the same map from the master equation", "s", tuple(seconds))]


def network_cell(repeats: int) -> list[Row]:
    """Seconds and peak memory of one cell of Fig. 2 with everything that is recorded."""
    name = network_data()
    spec = SweepSpec(name, n_realizations=20, n_records=101, flatness_every=1)
    seconds = tuple(timed(sweep.sweep, spec) for _ in range(repeats))
    cell = f"cell B = 50, η = 0.05 on {name}: 20 runs, 2,000 steps, 101 records"
    return [Row(cell, "s", seconds), Row("peak memory of its process", "MB", (peak_megabytes(),))]


def network_sweep(repeats: int) -> list[Row]:
    """Minutes of all 49 cells of Figs. 2 and 3 on all cores, one process each, from a few steps
    at each batch size and a few records.
    """
    torch.set_num_threads(1)
    name, cores = network_data(), machine.cores()
    with threadpool_limits(1):
        minutes = tuple(sweep_seconds(name, seed) / 60 / cores for seed in range(repeats))
    what = f"all 49 cells on {name}, 20 runs each, on {cores} cores, from their pieces"
    return [Row(what, "min", minutes)]


def network_grid(repeats: int) -> list[Row]:
    """Minutes of the same 49 cells in one go, on all cores, with the freezing looked for at every
    step, and the peak memory of a process; for `--only`, it takes most of an hour.
    """
    name, minutes = network_data(), []
    every = {"n_realizations": 20, "n_records": 101, "flatness_every": 1, "follow_all": True}
    axes = {"batch_size": SWEPT_SIZES, "learning_rate": SWEPT_RATES}
    for seed in range(repeats):
        grid = SweepGrid.of(SweepSpec, axes, dataset=name, seed=seed, **every)
        with (
            TemporaryDirectory() as folder,
            mock.patch.dict(os.environ, VALLEYS_RESULTS=folder, VALLEYS_SHIPPED=folder),
            executors.workers() as executor,
        ):
            minutes.append(timed(compute, sweep.sweep, grid, executor) / 60)
    what = f"all 49 cells on {name}, 20 runs each, on {machine.cores()} cores, in one go"
    peak = peak_megabytes(resource.RUSAGE_CHILDREN)
    return [Row(what, "min", tuple(minutes)), Row("peak memory of a worker", "MB", (peak,))]


def sweep_seconds(name: str, seed: int, *, n_records: int = 101, some: int = 6) -> float:
    """Seconds of one thread for the published grid: its steps, and its records with curvature
    and all test images.
    """
    spec = SweepSpec(
        name,
        n_realizations=20,
        n_records=some,
        flatness_every=1,
        training_time=0.05 * (some - 1),
        seed=seed,
    )
    sweep.sweep(spec)  # loads the data
    record = (timed(sweep.sweep, spec) - timed(Problem.of, spec)) / some
    steps = sum(100 / rate for rate in SWEPT_RATES)
    training = sum(steps * step_seconds(name, size, seed) for size in SWEPT_SIZES)
    # gradient descent is computed once
    curvature = record * n_records * len(SWEPT_RATES) * (len(SWEPT_SIZES) - 1 + 1 / 20)
    return training + curvature


def step_seconds(name: str, batch_size: int, seed: int, *, n_steps: int = 40) -> float:
    """Seconds of one training step of all runs of a cell; full-batch gradient descent has one."""
    spec = SweepSpec(name, batch_size=batch_size, seed=seed)
    setting, count = Problem.of(spec), 1 if spec.full_batch else 20
    streams = [np.random.default_rng((seed, run)) for run in range(count)]
    settings = {"learning_rate": 0.05, "batch_size": batch_size, "streams": streams, "visits": {}}
    networks = setting.start.repeat(count)
    train(networks, setting.train, n_steps=2, **settings)
    return timed(train, networks, setting.train, n_steps=n_steps, **settings) / n_steps


def network_pieces(repeats: int) -> list[Row]:
    """Training steps and eigenvalues on one thread, against ordinary PyTorch."""
    torch.set_num_threads(1)
    name = network_data()
    with threadpool_limits(1):
        network_turn(name, 0, n_steps=1)  # compiles
        turns = np.array([network_turn(name, seed) for seed in range(repeats)])
    own, plainly, top, plain_top = turns.T
    return [
        Row(f"step of 20 networks, B = 50, on {name}, 1 thread", "ms", tuple(own)),
        Row("plain PyTorch, 20 times one network", "ms", tuple(plainly)),
        Row("plain PyTorch : our step", "times", tuple(plainly / own)),
        Row("ten eigenvalues of a checkpoint, 1 thread", "ms", tuple(top)),
        Row("autograd products and ARPACK", "ms", tuple(plain_top)),
        Row("autograd : our eigenvalues", "times", tuple(plain_top / top)),
    ]


def network_turn(
    name: str, seed: int, *, n_networks: int = 20, n_steps: int = 200
) -> tuple[float, float, float, float]:
    """Milliseconds of a step of the engine and of plain PyTorch, for 20 networks each, and of
    the eigenvalues of one trained network, by both.
    """
    setting = Problem.of(SweepSpec(name))
    settings: dict[str, Any] = {"learning_rate": 0.05, "batch_size": 50}
    networks = setting.start.repeat(n_networks)
    streams = [np.random.default_rng((seed, run)) for run in range(n_networks)]
    options = settings | {"n_steps": n_steps, "streams": streams, "visits": {}}
    own = timed(train, networks, setting.train, **options)
    images = setting.train.images.double()
    top = statistics.median(
        timed(second_layer_eigenvalues, networks, images, index) for index in range(n_networks)
    )
    plainly, plain_top = plain_turn(name, seed, settings | {"n_steps": n_steps})
    return 1000 * own / n_steps, 1000 * n_networks * plainly / n_steps, 1000 * top, 1000 * plain_top


def plain_turn(name: str, seed: int, settings: dict[str, Any]) -> tuple[float, float]:
    """Seconds of plain PyTorch for the training of one network and for its eigenvalues."""
    data = datasets.load(name)
    module = plain_nets.as_module(initialize(data.train_images.shape[1], 0))
    pixels = Samples.of(data.train_images, data.train_labels)
    stream = np.random.default_rng((seed, 0))
    training = timed(plain_nets.train, module, pixels, **settings, stream=stream)
    exact = Samples.of(data.train_images.astype(float), data.train_labels, dtype=torch.float64)
    module = module.double()
    return training, timed(plain_nets.top_eigenvalues, module, exact, module[2].weight)


def network_step(repeats: int) -> list[Row]:
    """A step of 20 networks on one thread, by our compiled loop and as others write it."""
    torch.set_num_threads(1)
    rows: list[Row] = []
    with threadpool_limits(1):
        for size, n_steps in ((10, 200), (50, 60), (200, 20)):
            rows += step_rows(size, n_steps, repeats)
    return rows


def step_rows(batch_size: int, n_steps: int, repeats: int, n_networks: int = 20) -> list[Row]:
    """Milliseconds a step of each way, and the ratios within each turn."""
    asked = n_networks, batch_size, n_steps
    one = peers.one_after_another(peers.layers(), peers.SIZES[:1], *asked)
    ways = {
        "our loop": own_steps(*asked),
        "its layers as a torch module": own_steps(*asked, module=nn.Sequential),
        "any other torch module": own_steps(*asked, module=Opaque),
        "JAX, vmap + scan + jit": peers.by_jax(*asked),
        "torch.func, vmap + grad": peers.by_vmap(*asked),
        "plain PyTorch, one after another": one,
    }
    for way in ways.values():
        way()
    turns = np.array([[timed(way) for way in ways.values()] for _ in range(repeats)]).T
    times = dict(zip(ways, 1000 * turns / n_steps, strict=True))
    own, label = times["our loop"], f"step of {n_networks} networks, B = {batch_size}"
    rows = [Row(f"{label}: {name}", "ms", tuple(each)) for name, each in times.items()]
    for name, each in list(times.items())[1:]:
        rows.append(Row(f"{label}: {name} : our loop", "times", tuple(each / own)))
    return rows


class Opaque(nn.Sequential):
    """Layers in a class of one's own that does more than these, for all that is known."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """Scores, by a detour that changes nothing."""
        return super().forward(input) + 0


def own_steps(
    n_networks: int,
    batch_size: int,
    n_steps: int,
    *,
    module: Callable[..., nn.Module] | None = None,
) -> Callable[[], None]:
    """Training of the published network, on random images, by our loop, or as torch module."""
    images, labels = peers.drawn_samples()
    samples, start = Samples.of(images, labels), initialize(images.shape[1], 0)
    settings: dict[str, Any] = {"n_steps": n_steps, "visits": {}}

    def run() -> None:
        streams = [np.random.default_rng(run) for run in range(n_networks)]
        if module:
            stack = as_modules(start).repeat(n_networks)
            stack = replace(stack, module=module(*stack.module.children()))
            optimize(stack, samples, Recipe(0.01, batch_size), streams=streams, **settings)
            return
        networks = start.repeat(n_networks)
        options = settings | {"learning_rate": 0.01, "batch_size": batch_size}
        compiled.train(networks, samples, streams=streams, **options)

    return run


def network_profile(repeats: int) -> list[Row]:
    """Where the time of a step goes: its products of matrices alone, and how near they come to the
    fastest product of this core.
    """
    torch.set_num_threads(1)
    rows: list[Row] = []
    with threadpool_limits(1):
        for size, n_steps in ((10, 200), (50, 60), (200, 20)):
            rows += profile_rows(size, n_steps, repeats)
    return rows


def profile_rows(batch_size: int, n_steps: int, repeats: int, n_networks: int = 20) -> list[Row]:
    """Shares of one step, each measured in turn with the whole."""
    step = own_steps(n_networks, batch_size, n_steps)
    alone = step_products(n_networks, batch_size, n_steps)
    square = np.ones((1000, 1000), np.float32)
    ways = (step, alone, lambda: square @ square)
    for way in ways:
        way()
    whole, products, large = np.array([[timed(way) for way in ways] for _ in range(repeats)]).T
    weights = sum(n_in * n_out for n_in, n_out in itertools.pairwise(peers.SIZES))
    # two products a weight, and a third one behind the first layer
    total = 2 * (3 * weights - peers.SIZES[0] * peers.SIZES[1]) * batch_size * n_networks * n_steps
    label = f"step of {n_networks} networks, B = {batch_size}"
    return [
        Row(f"{label}: share of the products of matrices", "%", tuple(100 * products / whole)),
        Row(f"{label}: speed of its products", "GFLOP/s", tuple(total / products / 1e9)),
        Row("product of two 1000 × 1000 matrices", "GFLOP/s", tuple(2.0 / large)),
    ]


def step_products(n_networks: int, batch_size: int, n_steps: int) -> Callable[[], None]:
    """The products of matrices of a step, in memory as the loop has it, and nothing else."""
    filled = memory.in_vectors if blas.product_way() == blas.OWN else np.asarray
    first, *others = (weight.numpy() for weight in initialize(peers.SIZES[0], 0).weights)
    every = [np.repeat(weight, n_networks, axis=0) for weight in (first, *others)]
    weights = (filled(every[0]), *every[1:])
    batch = filled(np.ones((batch_size, peers.SIZES[0]), np.float32))
    values = tuple(np.ones((batch_size, size), np.float32) for size in peers.SIZES[1:])
    slopes = tuple(np.ones_like(value) for value in values)
    where = blas.address("float32"), blas.product_way()
    return lambda: products_alone(*where, weights, (batch, values, slopes), n_steps)


@numba.njit
def products_alone(where, way, weights, room, n_steps):
    """The products of matrices of so many steps of `valleys.nets.engine.compiled`."""
    batch, values, slopes = room
    little = batch.dtype.type(1e-9)  # of nothing, the BLAS would do nothing
    for network in range(len(weights[0])):
        for _ in range(n_steps):
            for layer in range(len(weights)):
                given = batch if layer == 0 else values[layer - 1]
                blas.receive(where, way, given, weights[layer][network], values[layer])
            for layer in range(len(weights) - 1, 0, -1):
                matrix = weights[layer][network]
                blas.carry_back(where, way, slopes[layer], matrix, slopes[layer - 1])
            for layer in range(len(weights)):
                given = batch if layer == 0 else values[layer - 1]
                blas.move(where, way, given, slopes[layer], little, weights[layer][network])


def network_convolutions(repeats: int) -> list[Row]:
    """A step of ten convolutional networks of Fig. S5 on one thread, against plain PyTorch."""
    torch.set_num_threads(1)
    asked, shape = (10, 50, 4), (3, 32, 32)
    samples = Samples.of(*peers.drawn_samples(shape))
    stack = Modules.of(peers.convolutional(), asked[0])

    def own() -> None:
        streams = [np.random.default_rng(run) for run in range(len(stack))]
        optimize(stack, samples, Recipe(0.01, 50), n_steps=asked[2], streams=streams, visits={})

    theirs = peers.one_after_another(peers.convolutional(), shape, *asked)
    timed(own), timed(theirs)  # the first call of each waits for memory
    turns = np.array([(timed(own), timed(theirs)) for _ in range(repeats)]).T * 1000 / asked[2]
    label = "step of 10 convolutional networks, B = 50"
    return [
        Row(f"{label}: ours", "ms", tuple(turns[0])),
        Row(f"{label}: plain PyTorch, channels last", "ms", tuple(turns[1])),
        Row(f"{label}: plain PyTorch : ours", "times", tuple(turns[1] / turns[0])),
    ]


def network_data() -> str:
    """MNIST where its files are, else digits, which need no download."""
    return "mnist" if (datasets.data_folder() / "MNIST" / "raw").is_dir() else "digits"


def timed(function: Callable[..., object], *arguments: object, **options: object) -> float:
    """Seconds that a call takes."""
    started = time.perf_counter()
    function(*arguments, **options)
    return time.perf_counter() - started


def peak_megabytes(whose: int = resource.RUSAGE_SELF) -> float:
    """Most memory that this process, or one that it has ended, has held so far [10⁶ bytes]; the
    system counts in bytes on macOS, in KiB elsewhere.
    """
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(whose).ru_maxrss * unit / 1e6


BENCHMARKS: dict[str, Callable[[int], list[Row]]] = {
    "two_valley": two_valley,
    "published_map": published_map,
    "exact_map": exact_map,
    "network_pieces": network_pieces,
    "network_step": network_step,
    "network_profile": network_profile,
    "network_convolutions": network_convolutions,
    "network_cell": network_cell,
    "network_sweep": network_sweep,
    "network_grid": network_grid,
}
LONG = ("network_grid",)  # measured where it is asked for
ONLY = f"Run only this benchmark, of {', '.join(BENCHMARKS)}; may be given several times."


def chosen(names: tuple[str, ...]) -> dict[str, Callable[[int], list[Row]]]:
    """The benchmarks of these names, all but the long ones if there are none.

    Raises:
        BookError: a name is unknown.
    """
    if unknown := [name for name in names if name not in BENCHMARKS]:
        raise BookError(
            f"no benchmark is named '{unknown[0]}'; the benchmarks are {', '.join(BENCHMARKS)}"
        )
    usual = [name for name in BENCHMARKS if name not in LONG]
    return {name: BENCHMARKS[name] for name in names or usual}


def table(rows: list[Row]) -> str:
    """The rows as a Markdown table."""
    head = "| quantity | median | lowest | highest | unit |", "|---|---:|---:|---:|---|"
    return "\n".join([*head, *(row.line() for row in rows)])


def described_machine() -> str:
    """Processor, cores, system and versions, without names of hosts or folders."""
    versions = (
        f"Python {platform.python_version()}, numba {numba.__version__}, NumPy {np.__version__}"
    )
    return f"{machine.processor()}, {machine.cores()} cores, {machine.system()}; {versions}"


@click.command(context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.option("--only", multiple=True, metavar="NAME", help=ONLY)
@click.option("--repeats", type=click.IntRange(1), default=5, help="Measurements of each quantity.")
def main(only: tuple[str, ...], repeats: int) -> None:
    """Measure, and print a table with the median and the range of the repeats."""
    rows: list[Row] = []
    for measure in chosen(only).values():
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
            rows += process.submit(measure, repeats).result()
    click.echo(f"{described_machine()}; {repeats} repeats\n\n{table(rows)}")


if __name__ == "__main__":
    try:
        main()
    except BookError as error:
        sys.exit(f"bench: {error}")
