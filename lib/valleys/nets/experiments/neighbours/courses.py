"""Curvature and the scatter of gradients along training, and features where losses are equal, by
learning rate and batch size: the break-even point, and sparse features.
"""

from dataclasses import dataclass

import numpy as np
import torch
import xarray as xr

from valleys.nets.engine.networks import Networks
from valleys.nets.engine.passages import Passages
from valleys.nets.engine.problem import Problem
from valleys.nets.experiments.neighbours import leaving
from valleys.nets.experiments.neighbours.leaving import StartSpec
from valleys.nets.experiments.specs import check_levels
from valleys.nets.measures.features import active_share, features, held_rank
from valleys.nets.measures.lanczos import top_eigenpairs
from valleys.nets.measures.sample_slopes import TOLERANCE, SampleSlopes
from valleys.nets.measures.spectra import noise_spectrum
from valleys.results.spec import require

EVEN = 10  # which eigenvalue is held against the first
DESCRIPTIONS = {
    "sharpness": "largest eigenvalue of the Hessian in all weights and biases",
    "noise": "largest eigenvalue of the covariance of single samples' gradients",
    "evenness": "tenth over first eigenvalue of that covariance",
    "loss": "training loss",
    "time": "training time, η · step",
    "active": "share of active units of the last hidden layer, at the level",
    "rank": "directions that hold 99 % of the variance of its features, at the level",
}


@dataclass(frozen=True)
class CourseSpec(StartSpec):
    """Runs from one start that are looked at along their way.

    Attributes:
        training_time: ηt of the last look.
        n_looks: the start, and moments in equal ratios of time.
        earliest: ηt of the first look after the start.
        leave: loss at which gradient descent to the level begins.
    """

    n_runs: int = 2
    training_time: float = 30.0
    n_looks: int = 14
    earliest: float = 0.1
    leave: float = 0.03

    def check(self) -> None:
        """Refuse what makes no sense for such runs."""
        super().check()
        self.require_at_least(n_looks=3)
        self.require_positive("earliest")
        late = self.training_time > self.earliest
        require(late, f"training_time must be more than earliest, got {self.training_time}")
        check_levels((self.leave, self.level))

    @property
    def steps(self) -> np.ndarray:
        """Updates before each look, (n_looks,)."""
        times = np.geomspace(self.earliest, self.training_time, self.n_looks - 1)
        return np.concatenate([[0], (times / self.learning_rate).round().clip(min=1)]).astype(int)

    @property
    def work(self) -> float:
        """Looks."""
        return self.n_looks * self.n_runs


def courses(spec: CourseSpec) -> xr.Dataset:
    """What runs of one setting meet on their way, and what features they end with.

    Returns:
        Over (run, look): `sharpness`, `noise`, `evenness` and `loss`; `time` over look; `active`
        and `rank` over run, NaN for runs that do not come down to the level.
    """
    problem, passages = spec.problem, Passages((spec.leave,), keep=True)
    networks, looks = problem.start.repeat(spec.n_runs), {}

    def look(step: int, here: Networks) -> None:
        looks[step] = [_looked(here, problem, index) for index in range(spec.n_runs)]

    visits = dict.fromkeys(np.unique(spec.steps).tolist(), look)
    leaving.run(spec, networks, problem, int(spec.steps.max()), visits=visits, passages=passages)
    seen = np.array([looks[step] for step in spec.steps.tolist()])  # (look, run, what)
    names = ("sharpness", "noise", "evenness", "loss")
    found = {name: (("run", "look"), seen[..., at].T) for at, name in enumerate(names)}
    found |= _at_the_level(spec, problem, networks, passages)
    times = {"time": ("look", spec.learning_rate * spec.steps)}
    return leaving.labelled(found | times, DESCRIPTIONS, spec)


def _looked(networks: Networks, problem: Problem[Networks], index: int) -> tuple[float, ...]:
    """Sharpness, noise, its evenness and the loss of a network."""
    slopes = SampleSlopes.of(networks, problem.train, index)
    sharp = top_eigenpairs(slopes, 1, tolerance=TOLERANCE).values[0]
    noise = noise_spectrum(slopes, EVEN)
    return sharp, noise[0], noise[-1] / noise[0], slopes.loss


def _at_the_level(
    spec: CourseSpec, problem: Problem[Networks], ends: Networks, passages: Passages
) -> dict[str, tuple]:
    """Features of each run after gradient descent from where it first was low enough, or from its
    end.
    """
    low = np.flatnonzero(np.isfinite(passages.first[:, 0]))
    begun, places = ends.copy(), torch.from_numpy(low)
    begun.put(places, passages.kept(0).pick(places))
    there, came = leaving.brought_down(spec, begun, problem)
    values = features(there, problem.train.images)
    measured = {"active": active_share(values), "rank": held_rank(values)}
    return {name: ("run", np.where(came, each, np.nan)) for name, each in measured.items()}
