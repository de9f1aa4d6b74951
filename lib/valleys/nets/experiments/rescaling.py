"""Layers rescaled against each other: the same function, other weights, another flatness."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import torch
import xarray as xr

from valleys.nets import statistics
from valleys.nets.engine.networks import Networks
from valleys.nets.engine.problem import Problem
from valleys.nets.engine.training import evaluate, record_steps
from valleys.nets.experiments.runs import RunSetting, Variables, train_runs
from valleys.nets.experiments.specs import Spec, Trained, check_batch_size, check_training
from valleys.nets.measures.lanczos import top_eigenpairs
from valleys.nets.measures.layer_hessian import TOP, flatness
from valleys.nets.measures.whole_hessian import WholeNetwork
from valleys.nets.observers.recorder import second_layer_eigenvalues
from valleys.nets.statistics import Estimate
from valleys.results.grid import Part
from valleys.results.spec import check_distinct, require


@dataclass(frozen=True)
class RescalingSpec(Trained, Spec):
    """Solutions of one learning rate at several batch sizes, rescaled.

    Attributes:
        batch_sizes: values of B.
        learning_rate: η.
        training_time: ηt at the end.
        n_realizations: runs of each batch size; gradient descent has one.
        n_records: equally spaced records of the norms of the layers.
        factors: values of a by which the second layer is multiplied, and the third divided, in the
            first run of each batch size.
    """

    batch_sizes: tuple[int, ...] = (20, 100, 500)
    learning_rate: float = 0.1
    training_time: float = 100.0
    n_realizations: int = 2
    n_records: int = 11
    factors: tuple[float, ...] = (0.5, 1.0, 2.0)

    def check(self) -> None:
        """Refuse what makes no sense for solutions that are rescaled."""
        check_distinct("batch_sizes", self.batch_sizes)
        for batch_size in self.batch_sizes:
            check_batch_size(batch_size, self.n_train)
        check_training(self.learning_rate, self.training_time, self.n_records)
        self.require_at_least(n_realizations=1)
        require(
            len(self.factors) >= 2 and min(self.factors) > 0,
            f"factors must be 2 positive numbers or more, got {self.factors}",
        )


def with_factors(networks: Networks, factors: Iterable[float]) -> Networks:
    """Layers multiplied by factors whose product is one, biases by the factors so far: ReLU is
    homogeneous, so that every score stays as it was.

    Args:
        networks: R networks.
        factors: one a layer.

    Raises:
        ValueError: the factors are not positive, or their product is not one.
    """
    each = np.array(list(factors), dtype=float)
    require(
        bool((each > 0).all()) and abs(each.prod() - 1) < 1e-9,
        f"factors must be positive with a product of one, got {each.tolist()}",
    )
    weights = tuple(weight * factor for weight, factor in zip(networks.weights, each, strict=True))
    return Networks(
        weights,
        tuple(bias * factor for bias, factor in zip(networks.biases, each.cumprod(), strict=True)),
    )


def norms(networks: Networks) -> np.ndarray:
    """Frobenius norm of each layer's matrix, (R, n_layers)."""
    return (
        torch.stack(
            [torch.linalg.matrix_norm(weight.double()) for weight in networks.weights], dim=1
        )
        .cpu()
        .numpy()
    )


def surplus(networks: Networks) -> np.ndarray:
    """|W_k|² + |b_k|² − |W_{k+1}|² at each joint of two layers, (R, n_layers − 1): what gradient
    flow conserves.

    Scores stay as they are when a layer and its bias grow and the next matrix shrinks, so that the
    loss has no slope that way (Du et al. 2018).
    """
    weights = norms(networks) ** 2
    biases = (
        torch.stack([(bias.double() ** 2).sum(dim=(1, 2)) for bias in networks.biases], dim=1)
        .cpu()
        .numpy()
    )
    return weights[:, :-1] + biases[:, :-1] - weights[:, 1:]


def balanced(networks: Networks) -> Networks:
    """One network with its layers rescaled to equal norms."""
    sizes = norms(networks)[0]
    return with_factors(networks, np.exp(np.log(sizes).mean()) / sizes)


def rescaling(spec: RescalingSpec) -> xr.Dataset:
    """Flatness of solutions as they are, with layers of equal norm, and with the second layer
    multiplied by several factors.

    Returns:
        Dimensions batch_size, realization, record, layer, joint, scaling, measure, factor.
        `flatness` by measure ("layer", the second alone, and "whole") and by scaling ("as trained"
        and "balanced"); `rescaled` by measure and factor, of the first run of each batch size;
        `norms` of the layers and `surplus`, what gradient flow conserves at each joint of two
        layers, at each record. Gradient descent fills one realization; the others are NaN, as is a
        run that did not converge.
    """
    problem, steps = Problem.of(spec), record_steps(spec.n_steps, spec.n_records)
    rows = [_of_batch_size(problem, spec, batch_size, steps) for batch_size in spec.batch_sizes]
    coords = {
        "batch_size": list(spec.batch_sizes),
        "time": ("record", np.linspace(0, spec.training_time, spec.n_records)),
        "factor": list(spec.factors),
    }
    coords |= {"measure": ["layer", "whole"], "scaling": ["as trained", "balanced"]}
    return (
        xr.concat(rows, "batch_size")
        .assign_coords(coords)
        .assign_attrs(dataset=spec.dataset, learning_rate=spec.learning_rate)
    )


def rescaling_parts(spec: RescalingSpec) -> list[Part]:
    """Each batch size."""
    return [
        Part({"batch_size": batch_size}, 1, partial(_batch_size_alone, spec, batch_size))
        for batch_size in spec.batch_sizes
    ]


def _batch_size_alone(spec: RescalingSpec, batch_size: int) -> xr.Dataset:
    return _of_batch_size(
        Problem.of(spec), spec, batch_size, record_steps(spec.n_steps, spec.n_records)
    )


PARTS = {rescaling: rescaling_parts}


def _of_batch_size(
    problem: Problem, spec: RescalingSpec, batch_size: int, steps: np.ndarray
) -> xr.Dataset:
    networks = problem.start.repeat(1 if batch_size == spec.n_train else spec.n_realizations)
    course = Course()
    setting = RunSetting(spec.seed, batch_size, spec.learning_rate, spec.n_steps)
    train_runs(networks, problem, setting, (steps, course))
    return xr.Dataset(
        {
            **_flatnesses(networks, problem, spec),
            "norms": _padded(course.norms, "layer", spec),
            "surplus": _padded(course.surplus, "joint", spec),
        }
    )


@dataclass
class Course:
    """A visit that keeps the norms of the layers and what gradient flow conserves.

    Attributes:
        norms: (R, n_layers) a record.
        surplus: (R, n_layers − 1) a record.
    """

    norms: list[np.ndarray] = field(default_factory=list)
    surplus: list[np.ndarray] = field(default_factory=list)

    def __call__(self, step: int, networks: Networks) -> None:
        """Measure the networks of this record."""
        self.norms.append(norms(networks))
        self.surplus.append(surplus(networks))


def _padded(course: list[np.ndarray], last: str, spec: RescalingSpec) -> tuple:
    """A course by realization and record; NaN for runs that are not computed."""
    values = np.stack(course, axis=1)
    padded = np.full((spec.n_realizations, *values.shape[1:]), np.nan)
    padded[: len(values)] = values
    return ("realization", "record", last), padded


def _flatnesses(networks: Networks, problem: Problem, spec: RescalingSpec) -> Variables:
    """Flatness of each run that converged, and of the first with its second layer multiplied."""
    flat = np.full((spec.n_realizations, 2, 2), np.nan)
    rescaled = np.full((2, len(spec.factors)), np.nan)
    solved = (evaluate(networks, problem.train).accuracy == 1).cpu().numpy()
    for index in np.flatnonzero(solved):
        own = networks.one(int(index)).to(torch.float64)
        flat[index] = _by_network((own, balanced(own)), problem)
    if solved[0]:
        first = networks.one(0).to(torch.float64)
        multiplied = (with_factors(first, (1, factor, 1 / factor)) for factor in spec.factors)
        rescaled = _by_network(multiplied, problem)
    return {
        "flatness": (("realization", "measure", "scaling"), flat),
        "rescaled": (("measure", "factor"), rescaled),
    }


def _by_network(networks: Iterable[Networks], problem: Problem) -> np.ndarray:
    """Both flatnesses of some single networks, (2, n_networks)."""
    return np.stack([both_flatnesses(one, problem) for one in networks], axis=1)


def both_flatnesses(network: Networks, problem: Problem) -> np.ndarray:
    """Flatness from the second layer's Hessian and from that of the whole network, (2,)."""
    whole = top_eigenpairs(WholeNetwork.of(network, problem.train), TOP).values
    return np.array(
        [flatness(second_layer_eigenvalues(network, problem.train.images, 0)), flatness(whole)]
    )


def moved_share(found: xr.Dataset) -> xr.DataArray:
    """How far each `surplus`, which gradient flow conserves, moves along training, as a share of
    what the squared norm of the layer above it gains.

    Args:
        found: what `rescaling` gives.

    Returns:
        Dimensions batch_size, realization, joint.
    """
    squares = found.norms.isel(layer=slice(1, None)).rename(layer="joint") ** 2
    moved, gained = (
        values.isel(record=-1) - values.isel(record=0) for values in (found.surplus, squares)
    )
    return abs(moved) / abs(gained)


def solution_rank_correlation(
    first: np.ndarray, second: np.ndarray, rng: np.random.Generator
) -> Estimate:
    """Spearman's rank correlation of two numbers over solutions, (cells, runs) each, runs drawn
    anew within their cells; NaN for fewer than three.

    Args:
        first: one number of each solution, NaN where there is none.
        second: another.
        rng: of the resamples.
    """
    return statistics.rank_correlation(first, second, rng, strata=np.arange(len(first))[:, None])
