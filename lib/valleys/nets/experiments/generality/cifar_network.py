"""The convolutional network on CIFAR-10 of Fig. S5, one learning rate and batch size at a time."""

from dataclasses import dataclass, field

import numpy as np
import torch
import xarray as xr
from torch import nn

from valleys.nets import folders
from valleys.nets.datasets import N_CLASSES, SOURCES, data_folder, load
from valleys.nets.engine.problem import Problem, by_channel, make_problem, streams
from valleys.nets.engine.stack import Stack
from valleys.nets.engine.training import evaluate
from valleys.nets.experiments.noise_schedules.study import flatnesses
from valleys.nets.experiments.noise_schedules.ways import Orders
from valleys.nets.experiments.runs import Variables
from valleys.nets.experiments.specs import SettingSpec, check_levels
from valleys.nets.measures.solutions import similarity_matrix
from valleys.nets.measures.walls import walls
from valleys.nets.optimizers.recipe import Recipe
from valleys.nets.optimizers.training import optimize
from valleys.results.spec import require

CHANNELS, DENSE = (32, 64, 64), 128  # of Fig. S5
DESCRIPTIONS = {
    "freezing_time": "training time of the first look with training loss below L_c (Eq. 7)",
    "end_time": "training time of the first look with training loss below the last level",
    "train_loss": "training loss where the run ends",
    "flatness": "inverse geometric mean of the ten largest eigenvalues of the Hessian in the last "
    "matrix where the run ends (Eq. 6)",
    "accuracy": "fraction of all test images that is right there",
    "wall": "rise of the training loss above the higher end on the line between two ends",
    "similarity": "Jaccard similarity of the errors of two ends on all test images (Eq. 4)",
}


@dataclass(frozen=True)
class CifarNetworkSpec(SettingSpec):
    """Runs of one learning rate and batch size from one start, each to the last level of the loss.

    Attributes:
        dataset: digits, mnist or cifar10.
        jpeg: whether the images of cifar10 are the JPEG copy in `cifar10/` of the folder of data,
            one folder a class.
        start: seed of the start; `seed` is of the batch orders alone.
        n_runs: runs, which differ in batch order.
        levels: L_c, and the training loss at which a run ends.
        longest: ηt at which it ends otherwise.
        look_time: ηt between two looks at the loss.
    """

    dataset: str = "cifar10"
    jpeg: bool = False
    start: int = 0
    n_runs: int = 4
    levels: tuple[float, ...] = (0.1, 0.01)
    longest: float = 300.0
    look_time: float = 1.0

    def check(self) -> None:
        """Refuse what makes no sense for such runs."""
        super().check()
        self.require_at_least(start=0, n_runs=2)
        self.require_positive("longest", "look_time")
        check_levels(self.levels)
        require(len(self.levels) == 2, f"levels must be two, L_c and the last, got {self.levels}")
        self.require_noise()
        known = not self.jpeg or self.dataset == "cifar10"
        require(known, f"jpeg is for the images of cifar10, not for {self.dataset}")

    @property
    def work(self) -> float:
        """Samples that go through a network, about."""
        return self.batch_size / self.learning_rate + self.n_train / self.look_time

    def orders(self) -> list[Orders]:
        """Streams of batch orders."""
        own = int(np.random.SeedSequence([self.seed, self.start]).generate_state(1)[0])
        every = streams(own, self.batch_size, self.learning_rate, self.n_runs)
        return [Orders.of(each) for each in every]


def network(image_shape: tuple[int, ...]) -> nn.Sequential:
    """Three 3×3 convolutions of 32, 64 and 64 channels, each with ReLU and 2×2 max-pooling, a dense
    layer of 128 units and one for the classes; Kaiming normal weights, by what goes out of a
    convolution and by what comes into a dense layer, and biases of zero.

    Args:
        image_shape: (height, width), or (height, width, channels); both sides 8 or more.
    """
    height, width, depth = (*image_shape, 1)[:3]
    layers: list[nn.Module] = []
    for n_in, n_out in zip((depth, *CHANNELS[:-1]), CHANNELS, strict=True):
        layers += [nn.Conv2d(n_in, n_out, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    n_seen = CHANNELS[-1] * (height // 8) * (width // 8)
    layers += [nn.Flatten(), nn.Linear(n_seen, DENSE), nn.ReLU(), nn.Linear(DENSE, N_CLASSES)]
    for layer in layers:
        if isinstance(layer, nn.Conv2d | nn.Linear):
            mode = "fan_out" if isinstance(layer, nn.Conv2d) else "fan_in"
            nn.init.kaiming_normal_(layer.weight, mode=mode, nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return nn.Sequential(*layers)


def problem_of(spec: CifarNetworkSpec) -> Problem:
    """Images and start.

    Raises:
        valleys.nets.datasets.DataError: image files are missing or broken.
    """
    if spec.jpeg:
        name = f"{folders.PREFIX}{data_folder() / spec.dataset}"
        data = folders.load_named(name, spec.train_per_class, spec.test_per_class)
    else:
        data = load(spec.dataset, spec.train_per_class, spec.test_per_class)
    shape = SOURCES[spec.dataset].image_shape
    return make_problem(
        by_channel(data.train_images, shape),
        data.train_labels,
        by_channel(data.full_test_images, shape),
        data.full_test_labels,
        model=lambda: network(shape),
        seed=spec.start,
        device=spec.device,
    )


@dataclass
class Runs:
    """Runs on their way to the last level.

    Attributes:
        networks: all of them; those that have come there stand still.
        orders: of their batches.
        losses: of the training set at the last look, (R,).
        first: time of the first look below each level, (R, 2); NaN where there was none.
    """

    networks: Stack
    orders: list[Orders]
    losses: np.ndarray = field(init=False)
    first: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        """Nothing is known yet."""
        self.losses = np.full(len(self.networks), np.nan)
        self.first = np.full((len(self.networks), 2), np.nan)

    @property
    def running(self) -> np.ndarray:
        """Places of those that are finite and have not come to the last level."""
        alive = self.networks.alive.cpu().numpy()
        return np.flatnonzero(np.isnan(self.first[:, -1]) & alive)

    def advance(self, problem: Problem, spec: CifarNetworkSpec, n_steps: int) -> None:
        """Some updates of those that are on their way."""
        rows = self.running
        stack = self.networks.pick(torch.from_numpy(rows))
        orders = [self.orders[row] for row in rows]
        started = [order.left.size for order in orders]
        recipe = Recipe(spec.learning_rate, spec.batch_size)
        optimize(stack, problem.train, recipe, n_steps=n_steps, streams=orders, visits={})
        for order, left in zip(orders, started, strict=True):
            order.leave(left, len(problem.train), n_steps, spec.batch_size)
        self.networks.put(torch.from_numpy(rows), stack)

    def look(self, problem: Problem, spec: CifarNetworkSpec, time: float) -> None:
        """Write down which levels have been passed."""
        rows = self.running
        stack = self.networks.pick(torch.from_numpy(rows))
        self.losses[rows] = evaluate(stack, problem.train).loss.cpu().numpy()
        below = self.losses[rows, None] < np.array(spec.levels)
        self.first[rows] = np.where(below & np.isnan(self.first[rows]), time, self.first[rows])


def cifar_network(spec: CifarNetworkSpec) -> xr.Dataset:
    """What runs of one setting are where their loss has fallen below the last level.

    Returns:
        Dimensions run and pair. `freezing_time`, `end_time`, `train_loss`, `flatness` and
        `accuracy` over run, `wall` and `similarity` over pair; NaN where a run did not come there.
        Times are η · step.

    Raises:
        valleys.nets.datasets.DataError: image files are missing or broken.
    """
    problem = problem_of(spec)
    runs = Runs(problem.start.repeat(spec.n_runs), spec.orders())
    n_steps = max(1, round(spec.look_time / spec.learning_rate))
    for look in range(1, int(spec.longest / (n_steps * spec.learning_rate)) + 1):
        runs.advance(problem, spec, n_steps)
        runs.look(problem, spec, look * n_steps * spec.learning_rate)
        if not runs.running.size:
            break
    found = _ends(runs, problem)
    named = {name: (*values, {"long_name": DESCRIPTIONS[name]}) for name, values in found.items()}
    kind = "JPEG copy" if spec.jpeg else "as published"
    return xr.Dataset(named).assign_attrs(n_train=spec.n_train, images=kind)


def _ends(runs: Runs, problem: Problem) -> Variables:
    """What the runs that came to the last level are there, and what lies between them."""
    there = np.isfinite(runs.first[:, -1])
    chosen = np.flatnonzero(there)
    last = evaluate(runs.networks, problem.full_test)
    right = np.where(there, last.accuracy.cpu().numpy(), np.nan)
    first, second = np.triu_indices(len(there), 1)
    both = there[first] & there[second]
    alike = similarity_matrix(last.misclassified.cpu().numpy())[first, second]
    rises = walls(runs.networks, problem.train)
    return {
        "freezing_time": ("run", runs.first[:, 0]),
        "end_time": ("run", runs.first[:, 1]),
        "train_loss": ("run", runs.losses),
        "flatness": ("run", flatnesses(runs.networks, problem, chosen)),
        "accuracy": ("run", right),
        "wall": ("pair", np.where(both, rises, np.nan)),
        "similarity": ("pair", np.where(both, alike, np.nan)),
    }
