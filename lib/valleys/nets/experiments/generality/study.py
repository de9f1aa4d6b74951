"""Noise against no noise for one network, from one start: what the paper claims of its own network,
asked of another one.
"""

from dataclasses import dataclass

import numpy as np
import torch
import xarray as xr

from valleys.nets.engine.networks import SECOND_LAYER
from valleys.nets.engine.problem import Problem, streams
from valleys.nets.engine.stack import Stack
from valleys.nets.engine.training import evaluate
from valleys.nets.experiments.generality.variants import DEPTH, Variant, problem_of, variant
from valleys.nets.experiments.noise_schedules.courses import Stretch
from valleys.nets.experiments.noise_schedules.ways import Orders, Way
from valleys.nets.experiments.runs import Variables
from valleys.nets.experiments.specs import SettingSpec, check_batch_size, check_levels
from valleys.nets.measures.curvature import batch_sharpness, closest
from valleys.nets.measures.lanczos import top_eigenpairs
from valleys.nets.measures.layer_hessian import TOP, flatness
from valleys.nets.measures.solutions import similarity_matrix
from valleys.nets.measures.walls import walls_of
from valleys.results.spec import require

PIECE = 2.0  # of training time, after which it is looked whether all runs are low enough
DESCRIPTIONS = {
    "passage": "training time at which the training loss first fell below the level (Eq. 7)",
    "flatness": "inverse geometric mean of the ten largest eigenvalues of the Hessian there, in "
    "the second matrix, or the only one (Eq. 6)",
    "accuracy": "fraction of all test images that is right there",
    "wall": "rise of the training loss above the higher end on the line from there to where the "
    "twin passes the level",
    "pair_wall": "the same between two runs",
    "similarity": "Jaccard similarity to the twin's errors on all test images there (Eq. 4)",
    "pair_similarity": "the same between two runs",
    "sharpness": "curvature of a mini-batch's loss along its own gradient there, over 2/η",
    "start_sharpness": "the same at the start, with all images",
}
SHARPNESS_BATCHES = 20
MATRIX = 3  # dimensions of a stack of matrices


@dataclass(frozen=True)
class GeneralitySpec(SettingSpec):
    """Runs of one network from one start, with mini-batches, and their twin, gradient descent.

    Attributes:
        batch_size: B of the runs; their twin takes all training images.
        variant: what is changed of the base network, as `variants.variant` takes it.
        start: seed of the start; `seed` is of the batch orders alone.
        width: of the hidden layers of the base network.
        n_runs: runs.
        levels: training losses in falling order at which runs are compared; the first is L_c.
        longest: ηt after which nobody waits for a level any more.
    """

    batch_size: int = 10
    learning_rate: float = 0.05
    variant: str = "base"
    start: int = 0
    width: int = 50
    n_runs: int = 4
    levels: tuple[float, ...] = (0.1, 0.03)
    longest: float = 150.0

    def check(self) -> None:
        """Refuse what makes no sense for such a comparison."""
        super().check()
        self.require_at_least(start=0, n_runs=2, width=4)
        self.require_positive("longest")
        check_levels(self.levels)
        n_train = self.chosen.n_train
        check_batch_size(self.batch_size, n_train)
        require(
            self.batch_size < n_train,
            f"batch_size must be below the {n_train} training samples of {self.variant}: "
            "gradient descent has no noise",
        )

    @property
    def chosen(self) -> Variant:
        """The network and its images."""
        base = Variant(self.dataset, self.train_per_class, (self.width,) * DEPTH)
        return variant(self.variant, base)

    @property
    def work(self) -> float:
        """Products of a step of gradient descent, about."""
        sizes = (400, *self.chosen.hidden, 10)
        return self.chosen.n_train * float(np.dot(sizes[:-1], sizes[1:])) / self.learning_rate

    def orders(self, count: int) -> list[Orders]:
        """Streams of batch orders: others for each start, the same for all networks."""
        own = int(np.random.SeedSequence([self.seed, self.start]).generate_state(1)[0])
        return [
            Orders.of(each) for each in streams(own, self.batch_size, self.learning_rate, count)
        ]


def generality(spec: GeneralitySpec) -> xr.Dataset:
    """How runs with noise differ from their twin without, where their losses are equal.

    Returns:
        Dimensions run, pair, level. `passage` [η · step], `flatness`, `accuracy`, `wall` and
        `similarity` over (run, level), `pair_wall` and `pair_similarity` over (pair, level),
        `sharpness` over run, at the first level; `twin_passage`, `twin_flatness`, `twin_accuracy`
        and `twin_sharpness` over level, `start_sharpness`. NaN where a loss did not come so low.
    """
    problem = problem_of(spec.chosen, spec.start, device=spec.device)
    twin = _descended(problem, spec, spec.chosen.n_train, 1)
    runs = _descended(problem, spec, spec.batch_size, spec.n_runs)
    found: Variables = {
        name: (("run", "level"), values) for name, values in _at_levels(runs, problem).items()
    }
    found |= {
        f"twin_{name}": ("level", values[0]) for name, values in _at_levels(twin, problem).items()
    }
    found |= _between(twin, runs, problem) | _steepness(problem, spec, twin, runs)
    for name, text in DESCRIPTIONS.items():
        found |= {
            whole: (*values[:2], {"long_name": text})
            for whole, values in found.items()
            if whole.removeprefix("twin_") == name
        }
    attributes = {"learning_rate": spec.learning_rate, "batch_size": spec.batch_size}
    return xr.Dataset(found, {"level": list(spec.levels)}, attributes)


def _descended(problem: Problem, spec: GeneralitySpec, batch_size: int, count: int) -> Way:
    """Runs from the start until all have fallen below the lowest level, or nobody waits."""
    way = Way.begin(problem.start.repeat(count), problem.train, spec.levels)
    orders, piece = spec.orders(count), max(1, round(PIECE / spec.learning_rate))
    stretch = Stretch(piece, spec.learning_rate, batch_size)
    for _ in range(int(np.ceil(spec.longest / (piece * spec.learning_rate)))):
        if np.isfinite(way.first).all() or not way.networks.alive.any():
            break
        way.advance(stretch, orders)
    return way


def _at_levels(way: Way, problem: Problem) -> dict[str, np.ndarray]:
    """What runs are where their losses first fall below each level, (R, K)."""
    times = way.time(way.first)
    came = np.isfinite(times)
    right = evaluate(way.copies, problem.full_test).accuracy.cpu().numpy()
    flat = np.full(times.size, np.nan)
    for place in np.flatnonzero(came):
        flat[place] = _flatness(way.copies, problem, int(place))
    found = {"flatness": flat, "accuracy": right}
    return {"passage": times} | {
        name: np.where(came, each.reshape(times.shape), np.nan) for name, each in found.items()
    }


def _flatness(networks: Stack, problem: Problem, index: int) -> float:
    """Of one network in its second matrix, or the only one; NaN where rounding hides it."""
    matrices = [name for name, part in networks.parameters.items() if part.ndim == MATRIX]
    bent = closest(networks, problem.train, index, [matrices[: SECOND_LAYER + 1][-1]])
    try:
        return flatness(top_eigenpairs(bent, TOP).values)
    except ArithmeticError:
        return float("nan")


def _between(twin: Way, runs: Way, problem: Problem) -> Variables:
    """Walls and likeness between runs and their twin, and between two runs, at each level."""
    count, n_levels = len(runs.first), len(runs.levels)
    first, second = np.triu_indices(count + 1, 1)
    walls, alike = np.full((2, len(first), n_levels), np.nan)
    for level in range(n_levels):
        there = np.isfinite(np.append(twin.first[:, level], runs.first[:, level]))
        both = np.flatnonzero(there[first] & there[second])
        stack = _together(twin, runs, level)
        pairs = np.stack([first[both], second[both]], axis=1)
        walls[both, level] = walls_of(stack, pairs, problem.train)
        wrong = evaluate(stack, problem.full_test).misclassified.cpu().numpy()
        alike[both, level] = similarity_matrix(wrong)[first[both], second[both]]
    with_twin, found = first == 0, {"wall": walls, "similarity": alike}
    own = {name: (("run", "level"), each[with_twin]) for name, each in found.items()}
    return own | {
        f"pair_{name}": (("pair", "level"), each[~with_twin]) for name, each in found.items()
    }


def _together(twin: Way, runs: Way, level: int) -> Stack:
    """The twin and all runs, as they were at a level."""
    n_levels, count = len(runs.levels), len(runs.first)
    stack = twin.networks.repeat(count + 1)
    stack.put(torch.tensor([0]), twin.copies.pick(torch.tensor([level])))
    places = torch.arange(count) * n_levels + level
    stack.put(torch.arange(1, count + 1), runs.copies.pick(places))
    return stack


def _steepness(problem: Problem, spec: GeneralitySpec, twin: Way, runs: Way) -> Variables:
    """Curvature along the gradient of a step over 2/η: of the start, of the twin at each level, of
    runs at the first level.
    """
    n_train, shape = spec.chosen.n_train, runs.first.shape
    frozen = runs.copies.pick(slice(0, None, shape[1]))
    noisy = _sharpness(frozen, problem, spec, spec.batch_size)
    calm = _sharpness(twin.copies, problem, spec, n_train)
    start = _sharpness(problem.start, problem, spec, n_train)
    return {
        "start_sharpness": ((), start[0]),
        "twin_sharpness": ("level", np.where(np.isfinite(twin.first[0]), calm, np.nan)),
        "sharpness": ("run", np.where(np.isfinite(runs.first[:, 0]), noisy, np.nan)),
    }


def _sharpness(
    networks: Stack, problem: Problem, spec: GeneralitySpec, batch_size: int
) -> np.ndarray:
    """Batch sharpness over 2/η, (R,); of all images there is one batch."""
    n_batches = 1 if batch_size == len(problem.train) else SHARPNESS_BATCHES
    stream = np.random.default_rng([spec.seed, spec.start])
    found = batch_sharpness(networks, problem.train, batch_size, stream, n_batches)
    return found.numpy() * spec.learning_rate / 2
