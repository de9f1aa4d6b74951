"""How fast a network forgets a kick, direction by direction, and how fast its valley changes
meanwhile (Eqs. 16, A7 and A8).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from valleys.nets.engine.networks import SECOND_LAYER, Networks, descend
from valleys.nets.engine.passages import Passages
from valleys.nets.engine.problem import Problem
from valleys.nets.engine.training import Samples, batches, evaluate
from valleys.nets.experiments.assumptions import N_WEIGHTS
from valleys.nets.experiments.runs import TRAINING_TIME, train_runs
from valleys.nets.experiments.specs import RunsSpec, check_levels
from valleys.nets.measures.gradient_noise import layer_noise
from valleys.nets.measures.lanczos import SymmetricOperator, top_eigenpairs
from valleys.nets.measures.layer_hessian import TOP, flatness, layer_curvature
from valleys.nets.measures.whole_hessian import WholeNetwork
from valleys.nets.observers.checkpoints import Checkpoints, stage_names
from valleys.nets.theory.parabola import (
    DRAWS,
    RESHUFFLED,
    covariance,
    forgetting,
    late_scatter,
    noise_covariance,
    steps_to_forget,
)
from valleys.results.spec import require

WINDOWS = 1  # spawn key that keeps the windows' streams apart from those of training


@dataclass(frozen=True)
class TimescalesSpec(RunsSpec):
    """Runs of one (η, B), each stopped at several stages, copied, and followed for a while with
    other mini-batches in each copy.

    Attributes:
        batch_size: B.
        learning_rate: η.
        training_time: ηt at the end.
        n_realizations: runs that differ in batch order.
        n_replicas: copies of each run at each stage.
        window_time: ηt for which the copies are followed.
        n_directions: leading eigenvectors of the second layer's Hessian, taken when the copies
            part, along which they are followed.
        n_network_directions: the same of the Hessian in all weights and biases.
        levels: losses in falling order; the stages are where a run first falls below them, and its
            end.
    """

    n_realizations: int = 3
    n_replicas: int = 16
    window_time: float = 5.0
    n_directions: int = 100
    n_network_directions: int = 10
    levels: tuple[float, ...] = (1.0, 0.1)

    def check(self) -> None:
        """Refuse what makes no sense for such runs."""
        super().check()
        self.require_noise()
        require(
            self.n_replicas >= 2,
            f"n_replicas must be 2 or more, for a mean to be taken off, got {self.n_replicas}",
        )
        require(
            self.n_window >= 10,
            f"window_time {self.window_time} is {self.n_window} steps of "
            f"learning_rate {self.learning_rate}; it must be 10 or more",
        )
        for name in ("n_directions", "n_network_directions"):
            self.require_between(name, 1, N_WEIGHTS - 1)
        check_levels(self.levels)

    @property
    def n_window(self) -> int:
        """Number of updates in a window."""
        return round(self.window_time / self.learning_rate)


@dataclass(frozen=True)
class Frame:
    """Directions along which the copies of each run are followed.

    Attributes:
        vectors: unit vectors, (n_runs, k, n).
        curvature: of the loss along them, (n_runs, k).
        noise: variance of the single samples' gradients along them, (n_runs, k).
        flat: the coordinates of networks in which the vectors are given, (R, n).
    """

    vectors: np.ndarray
    curvature: np.ndarray
    noise: np.ndarray
    flat: Callable[[Networks], Tensor]

    def places(self, copies: Networks) -> np.ndarray:
        """Where the copies are, (n_runs, n_copies, k)."""
        n_runs, _, size = self.vectors.shape
        return self.flat(copies).double().cpu().numpy().reshape(
            n_runs, -1, size
        ) @ self.vectors.swapaxes(1, 2)


def timescales(spec: TimescalesSpec) -> xr.Dataset:
    """How the copies of a run scatter and forget, by stage of the run, by how batches are drawn,
    and by direction.

    Mini-batches are `reshuffled`, as in training: a new order of all samples each epoch, cut into
    batches; or `independent`, each drawn with replacement, so that the noise of a step knows
    nothing of the steps before, as in Eq. 14.

    Returns:
        Dimensions realization, stage, draw, direction (leading ones of the second layer's Hessian)
        and network_direction (of the Hessian in all weights and biases). `relaxation` in steps
        (`parabola.steps_to_forget`); `scatter`, variance over copies, mean over the second half of
        the window; `curvature`; `expected_relaxation` and `expected_scatter`, what the same batches
        do in a parabola of this curvature; the same as `network_relaxation` and so on. `train_loss`
        and `flatness` when the copies part, `later_loss`, mean over copies, and `later_flatness`,
        of the first copy, at the end of the window; `stage_time`, η · step. NaN where a run never
        came to a stage, or is dead.
    """
    problem = Problem.of(spec)
    stages, found = _checkpoints(problem, spec), _empty(spec)
    for stage, networks in enumerate(stages.networks):
        came = np.isfinite(stages.steps[:, stage])
        living = [
            run for run in np.flatnonzero(came).tolist() if _has_curvature(networks, problem, run)
        ]
        if living:
            runs = networks.pick(torch.tensor(living))
            for name, values in _windows(runs, problem.train, spec, stage).items():
                found[name][1][living, stage] = values
    times = (("realization", "stage"), spec.learning_rate * stages.steps, TRAINING_TIME)
    coords = {
        "stage": stage_names(spec.levels),
        "draw": list(DRAWS),
        "batch_size": spec.batch_size,
        "learning_rate": spec.learning_rate,
    }
    attributes = {"dataset": spec.dataset, "window_time": spec.window_time}
    return xr.Dataset(found | {"stage_time": times}, coords, attributes)


def _has_curvature(networks: Networks, problem: Problem, run: int) -> bool:
    """Whether the loss of a run has curvature: a dead network has no valley."""
    return layer_curvature(networks, problem.train.images, run).trace() > 0


def _checkpoints(problem: Problem, spec: TimescalesSpec) -> Checkpoints:
    networks = problem.start.repeat(spec.n_realizations)
    passages = Passages(spec.levels, keep=True)
    train_runs(networks, problem, spec, passages=passages)
    return Checkpoints.of(passages, networks, spec.n_steps)


def _empty(spec: TimescalesSpec) -> dict[str, tuple[tuple[str, ...], np.ndarray]]:
    """Every variable with its dimensions and nothing known yet."""
    sizes = {
        "realization": spec.n_realizations,
        "stage": len(spec.levels) + 1,
        "draw": len(DRAWS),
        "direction": spec.n_directions,
        "network_direction": spec.n_network_directions,
    }
    every: dict[str, tuple[str, ...]] = {"train_loss": (), "flatness": ()}
    every |= {"later_loss": ("draw",), "later_flatness": ("draw",)}
    for prefix in ("", "network_"):
        along = f"{prefix}direction"
        every[f"{prefix}curvature"] = (along,)
        for name in ("relaxation", "expected_relaxation", "scatter", "expected_scatter"):
            every[f"{prefix}{name}"] = ("draw", along)
    dims = {name: ("realization", "stage", *rest) for name, rest in every.items()}
    return {
        name: (each, np.full([sizes[dim] for dim in each], np.nan)) for name, each in dims.items()
    }


def _windows(
    networks: Networks, samples: Samples, spec: TimescalesSpec, stage: int
) -> dict[str, np.ndarray]:
    """Everything about the copies of several runs at one stage, (n_runs, …)."""
    frames = {
        "": _layer_frame(networks, samples, spec.n_directions),
        "network_": _network_frame(networks, samples, spec.n_network_directions),
    }
    every = [_follow(networks, samples, frames, spec, stage, draw) for draw in DRAWS]
    found = {name: np.stack([one[name] for one in every], axis=1) for name in every[0]}
    for prefix, frame in frames.items():
        found[f"{prefix}curvature"] = frame.curvature
        found |= {
            f"{prefix}{name}": values
            for name, values in _expected(frame, len(samples), spec).items()
        }
    flat_now = [_flatness(networks, samples, index) for index in range(len(networks))]
    return found | {
        "train_loss": evaluate(networks, samples).loss.cpu().numpy(),
        "flatness": np.array(flat_now),
    }


def _expected(frame: Frame, n_samples: int, spec: TimescalesSpec) -> dict[str, np.ndarray]:
    """What the same steps would do in a parabola of each direction's curvature, (n_runs,
    n_draws, k).
    """
    n_runs, count = frame.curvature.shape
    found = {
        name: np.empty((n_runs, len(DRAWS), count))
        for name in ("expected_relaxation", "expected_scatter")
    }
    for index, draw in enumerate(DRAWS):
        noise = noise_covariance(draw, n_samples, spec.batch_size, spec.n_window)
        for (run, direction), curvature in np.ndenumerate(frame.curvature):
            grown = covariance(curvature, spec.learning_rate, noise)
            scatter = frame.noise[run, direction] * late_scatter(grown)
            found["expected_relaxation"][run, index, direction] = forgetting(grown)
            found["expected_scatter"][run, index, direction] = scatter
    return found


def _leading(matrices: Sequence[SymmetricOperator], count: int) -> tuple[np.ndarray, np.ndarray]:
    """Leading eigenvalues and eigenvectors of each matrix, (n_runs, k) and (n_runs, k, n)."""
    pairs = [top_eigenpairs(matrix, count, for_vectors=True) for matrix in matrices]
    return np.stack([each.values for each in pairs]), np.stack([each.vectors for each in pairs])


def _layer_frame(networks: Networks, samples: Samples, count: int) -> Frame:
    layers = [layer_curvature(networks, samples.images, index) for index in range(len(networks))]
    values, vectors = _leading(layers, count)
    labels = samples.labels.cpu().numpy()
    noise = np.stack(
        [
            layer_noise(layer, labels).variance(rows)
            for layer, rows in zip(layers, vectors, strict=True)
        ]
    )
    return Frame(vectors, values, noise, lambda copies: copies.weights[SECOND_LAYER].mT.flatten(1))


def _network_frame(networks: Networks, samples: Samples, count: int) -> Frame:
    matrices = [WholeNetwork.of(networks, samples, index) for index in range(len(networks))]
    values, vectors = _leading(matrices, count)
    noise = np.stack(
        [matrix.noise.variance(rows) for matrix, rows in zip(matrices, vectors, strict=True)]
    )
    return Frame(vectors, values, noise, Networks.flat)


def _flatness(networks: Networks, samples: Samples, index: int) -> float:
    return flatness(top_eigenpairs(layer_curvature(networks, samples.images, index), TOP).values)


def _follow(
    networks: Networks,
    samples: Samples,
    frames: dict[str, Frame],
    spec: TimescalesSpec,
    stage: int,
    draw: str,
) -> dict[str, np.ndarray]:
    """What one way to draw batches makes of the copies, (n_runs, …)."""
    copies = networks.repeat(spec.n_replicas)
    orders = _orders(spec, len(samples), len(copies), stage, draw)
    courses = _courses(copies, samples, frames, orders, spec)
    firsts = range(0, len(copies), spec.n_replicas)
    losses = evaluate(copies, samples).loss.cpu().numpy()
    found = {
        "later_loss": losses.reshape(len(networks), -1).mean(axis=1),
        "later_flatness": np.array([_flatness(copies, samples, first) for first in firsts]),
    }
    for prefix, course in courses.items():
        apart = course - course.mean(axis=2, keepdims=True)
        squares = (apart[len(apart) // 2 :] ** 2).mean(axis=0).sum(axis=1)
        found[f"{prefix}relaxation"] = steps_to_forget(correlations(apart))
        found[f"{prefix}scatter"] = squares / (spec.n_replicas - 1)
    return found


def _courses(
    copies: Networks,
    samples: Samples,
    frames: dict[str, Frame],
    orders: Iterator[Tensor],
    spec: TimescalesSpec,
) -> dict[str, np.ndarray]:
    """Places of the copies in each frame while they train, (n_steps + 1, n_runs, n_copies, k)."""
    places = {prefix: [frame.places(copies)] for prefix, frame in frames.items()}
    for _ in range(spec.n_window):
        chosen = next(orders)
        descend(copies, samples.images[chosen], samples.labels[chosen], spec.learning_rate)
        for prefix, frame in frames.items():
            places[prefix].append(frame.places(copies))
    return {prefix: np.stack(each) for prefix, each in places.items()}


def _orders(
    spec: TimescalesSpec, n_samples: int, n_copies: int, stage: int, draw: str
) -> Iterator[Tensor]:
    """Sample indices of each step, (n_copies, B)."""
    key = (WINDOWS, stage, DRAWS.index(draw))
    generators = [
        np.random.default_rng(np.random.SeedSequence(spec.seed, spawn_key=(*key, copy)))
        for copy in range(n_copies)
    ]
    return (
        batches(n_samples, spec.batch_size, generators)
        if draw == RESHUFFLED
        else independent(n_samples, spec.batch_size, generators)
    )


def independent(
    n_samples: int, batch_size: int, generators: Sequence[np.random.Generator]
) -> Iterator[Tensor]:
    """Endless sample indices, (R, batch_size), each drawn with replacement, whatever was drawn
    before.
    """
    while True:
        yield torch.from_numpy(
            np.stack([generator.integers(n_samples, size=batch_size) for generator in generators])
        )


def correlations(apart: np.ndarray) -> np.ndarray:
    """r(k) = Σ δ(t) δ(t+k) / Σ δ(t)² over copies and steps, for each lag from 1 to half the window,
    (n_lags, …, n_directions).

    Args:
        apart: deviations from the mean over copies, (n_steps + 1, …, n_copies, n_directions).
    """
    longest = (len(apart) - 1) // 2
    pairs = ((apart[:-lag], apart[lag:]) for lag in range(1, longest + 1))
    with np.errstate(invalid="ignore"):
        return np.stack(
            [
                (first * second).sum(axis=(0, -2)) / (first**2).sum(axis=(0, -2))
                for first, second in pairs
            ]
        )
