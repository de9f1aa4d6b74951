"""Runs that part at a branch point and then see their images in other orders: since when is the
choice of valley made?
"""

import itertools
from dataclasses import dataclass

import numpy as np
import torch
import xarray as xr

from valleys.nets.engine.networks import Networks, forward, interpolate, join
from valleys.nets.engine.passages import Passages
from valleys.nets.engine.plain import descend_from_branches
from valleys.nets.engine.problem import Problem
from valleys.nets.engine.training import (
    Samples,
    evaluate,
    sample_losses,
)
from valleys.nets.experiments.runs import (
    Branches,
    RunSetting,
    Variables,
    require_finite,
    train_runs,
)
from valleys.nets.experiments.specs import MAIN_THRESHOLD, SettingSpec, Trained, check_rising
from valleys.nets.measures import solutions
from valleys.nets.measures.gradient_noise import batch_factor
from valleys.results.spec import require

N_FRACTIONS = 21  # points of a line between two networks, the ends included
NEAR = 1e-4  # of a line, for slopes by central differences


@dataclass(frozen=True)
class SiblingsSpec(Trained, SettingSpec):
    """Runs of one (η, B), left at several times and continued in other orders of images.

    Attributes:
        batch_size: B.
        learning_rate: η.
        branch_times: ηt at which siblings part.
        training_time: ηt at which all end.
        relaxing_time: ηt of gradient descent that takes the noise off before walls between runs are
            measured.
        n_references: runs.
        n_siblings: further continuations from each branch point; the run itself is one more.
    """

    branch_times: tuple[float, ...] = (0.0, 5.0, 10.0, 20.0, 40.0)
    training_time: float = 100.0
    relaxing_time: float = 2.0
    n_references: int = 3
    n_siblings: int = 1

    def check(self) -> None:
        """Refuse what makes no sense for siblings."""
        super().check()
        self.require_noise()
        times, end = self.branch_times, self.training_time
        check_rising("branch_times", times, 3)
        require(times[-1] < end, f"branch_times must lie below training_time {end}, got {times}")
        self.require_positive("relaxing_time")
        self.require_at_least(n_siblings=1)
        require(
            self.n_references >= 2,
            f"n_references must be 2 or more, got {self.n_references}: "
            "walls are measured between runs",
        )

    @property
    def branch_steps(self) -> list[int]:
        """Steps at which siblings part."""
        return [round(time / self.learning_rate) for time in self.branch_times]

    @property
    def work(self) -> float:
        """Samples that go through a network, about."""
        return self.n_steps * (self.batch_size + 100)


def siblings(spec: SiblingsSpec) -> xr.Dataset:
    """What siblings have in common at their ends, and how high walls and how strong the noise are
    where they part.

    Returns:
        Dimensions reference, branch and pair (of references). Means over the pairs of a family, the
        siblings from one branch point and the run
        itself, at their ends: `similarity` on all test images; `rise` of the loss on the line
            between two; `walled`, the share of pairs with a
        hill higher than the loss at its higher end. At the branch point: `train_loss`, and between
            two runs `line_noise`, D = ½ η vᵀΣv along the
        line v (Eq. 17), mean of both ends, NaN where the runs have not parted. After
        `relaxing_time` of gradient descent from there: `wall`, the barrier of Eq. 5 between two
        runs, and `wall_rise`. `freezing_time` is η · step.
    """
    problem, branches = Problem.of(spec), Branches()
    ends, passages = _references(problem, spec, branches)
    found = _families(problem, spec, branches, ends) | _between_runs(problem, spec, branches)
    found["freezing_time"] = ("reference", spec.learning_rate * passages.first[:, 0])
    return xr.Dataset(
        found,
        coords={"branch_time": ("branch", list(spec.branch_times))},
        attrs={"dataset": spec.dataset},
    )


def _references(
    problem: Problem, spec: SiblingsSpec, branches: Branches
) -> tuple[Networks, Passages]:
    """Train the runs and fill `branches` with copies of them."""
    networks = problem.start.repeat(spec.n_references)
    passages = Passages((MAIN_THRESHOLD,))
    train_runs(networks, problem, spec, (spec.branch_steps, branches), passages=passages)
    require_finite(networks, spec)
    return networks, passages


def _families(
    problem: Problem, spec: SiblingsSpec, branches: Branches, ends: Networks
) -> Variables:
    """How alike siblings end, by reference and branch."""
    names, count = ("similarity", "rise", "walled"), spec.n_siblings
    found = np.empty((len(names), spec.n_references, len(branches)))
    for index, (step, networks) in enumerate(branches.items()):
        grown = _grow(problem, spec, networks, step)
        for reference in range(spec.n_references):
            family = join(
                [ends.one(reference), grown.pick(slice(reference * count, (reference + 1) * count))]
            )
            found[:, reference, index] = _alike(family, problem)
    return {
        name: (("reference", "branch"), values) for name, values in zip(names, found, strict=True)
    }


def _grow(problem: Problem, spec: SiblingsSpec, networks: Networks, step: int) -> Networks:
    """Siblings from one branch point of every run to the end, in orders of images that are named
    by what they are.
    """
    grown, key = networks.repeat(spec.n_siblings), (spec.batch_size, spec.n_steps, step)
    orders = [
        np.random.default_rng(np.random.SeedSequence(spec.seed, spawn_key=(*key, run)))
        for run in range(len(grown))
    ]
    rest = RunSetting(spec.seed, spec.batch_size, spec.learning_rate, spec.n_steps - step)
    train_runs(grown, problem, rest, streams=orders)
    return grown


def _alike(family: Networks, problem: Problem) -> tuple[float, float, float]:
    """Means over the pairs of a family: similarity, rise, and the share of pairs with a wall."""
    pairs = np.triu_indices(len(family), 1)
    likeness = solutions.similarity_matrix(
        evaluate(family, problem.full_test).misclassified.cpu().numpy()
    )[pairs]
    losses = _lines(family, problem)
    rises = solutions.rise(losses)
    return likeness.mean(), rises.mean(), (rises > np.maximum(losses[:, 0], losses[:, -1])).mean()


def _lines(networks: Networks, problem: Problem) -> np.ndarray:
    """Training loss on the line between each two networks, (n_pairs, N_FRACTIONS)."""
    ready = [
        solutions.Prepared.of(networks.one(index), problem.train) for index in range(len(networks))
    ]
    fractions = np.linspace(0, 1, N_FRACTIONS)
    return np.stack(
        [
            solutions.prepared_path_losses(*pair, fractions=fractions)
            for pair in itertools.combinations(ready, 2)
        ]
    )


def _between_runs(problem: Problem, spec: SiblingsSpec, branches: Branches) -> Variables:
    """Walls between runs, and the noise that has to carry a run over them."""
    losses, lines, noises = [], [], []
    diffusion = spec.learning_rate / 2 * batch_factor(spec.batch_size, spec.n_train)
    for networks in branches.values():
        losses.append(evaluate(networks, problem.train).loss.cpu().numpy())
        lines.append(_lines(_relaxed(networks, problem, spec), problem))
        noises.append(
            [
                diffusion
                * np.mean(
                    [line_variance(*ends, samples=problem.train) for ends in (pair, pair[::-1])]
                )
                for pair in _pairs(networks)
            ]
        )
    found = {
        "wall": solutions.barrier(np.array(lines)),
        "wall_rise": solutions.rise(np.array(lines)),
        "line_noise": np.array(noises),
    }
    return {"train_loss": (("branch", "reference"), np.array(losses))} | {
        name: (("branch", "pair"), values) for name, values in found.items()
    }


def _relaxed(networks: Networks, problem: Problem, spec: SiblingsSpec) -> Networks:
    """The same networks after a short gradient descent."""
    steps = round(spec.relaxing_time / spec.learning_rate)
    return descend_from_branches(
        {0: networks.copy()},
        problem.train,
        learning_rate=spec.learning_rate,
        n_steps=steps,
        visits={},
    )


def _pairs(networks: Networks) -> list[tuple[Networks, Networks]]:
    return list(itertools.combinations([networks.one(index) for index in range(len(networks))], 2))


def line_variance(first: Networks, second: Networks, samples: Samples) -> float:
    """vᵀΣv at the first of two networks along the unit vector v towards the second, in all weights
    and biases; NaN where they are equal.

    It is the variance over samples of the slope of their losses along v, by central differences in
    float64.

    Args:
        first: one network.
        second: another.
        samples: training set.
    """
    ends = [one.to(torch.float64) for one in (first, second)]
    length = (
        sum(
            ((a - b) ** 2).sum()
            for a, b in zip(*(one.weights + one.biases for one in ends), strict=True)
        )
        ** 0.5
    )
    near = interpolate(
        ends[1], ends[0], torch.tensor([NEAR, -NEAR], dtype=torch.float64, device=length.device)
    )
    _, scores = forward(near, samples.images.double())
    ahead, behind = sample_losses(scores, samples.labels)
    return float(((ahead - behind) / (2 * NEAR * length)).var(correction=0))
