"""Branches without noise from moments inside a window of noise: does the valley in which a run
stands change step by step, or over walls?
"""

import itertools
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import xarray as xr

from valleys.nets.datasets import check_request
from valleys.nets.engine.descents import Descent, descend
from valleys.nets.engine.networks import Networks, join
from valleys.nets.engine.plain import train
from valleys.nets.engine.problem import Problem, load_problem
from valleys.nets.engine.stack import flat
from valleys.nets.engine.training import evaluate, plan
from valleys.nets.experiments.runs import Branches, Variables
from valleys.nets.experiments.specs import MAIN_THRESHOLD, SettingSpec, check_levels
from valleys.nets.experiments.windows.effects import Losses
from valleys.nets.experiments.windows.specs import Window, look_steps, steps_of
from valleys.nets.measures.layer_hessian import flatness
from valleys.nets.measures.walls import walls_of
from valleys.nets.observers.recorder import second_layer_eigenvalues
from valleys.results.spec import check_distinct, require

DESCRIPTIONS = {
    "flatness": "inverse geometric mean of the ten largest eigenvalues of the second layer's "
    "Hessian (Eq. 6), where gradient descent from the moment passes the level",
    "accuracy": "fraction of all test images that is right there",
    "wall": "rise of the training loss above the higher end on the line between the ends of two "
    "branches",
    "distance": "Euclidean distance between them, all weights and biases",
    "loss": "training loss at the moment",
    "peak": "largest training loss between the moment and the next one",
}


@dataclass(frozen=True)
class WindowBranchesSpec(SettingSpec):
    """Runs with noise in one window of training, left at moments inside it by gradient descent.

    Attributes:
        start: seed of the start; `seed` is of the batch orders alone.
        training_set: which images; each number is a set of its own.
        batch_size: B in a window.
        windows: pairs (from, to) in units of the freezing time without noise.
        n_runs: runs of each window.
        n_links: equal parts of a window; branches leave at both ends of each.
        threshold: L_c of the freezing time.
        level: loss at which the branches are compared.
        n_looks: moments of each part at which the loss is looked at, both ends included.
        longest: ηt at which gradient descent gives up.
    """

    batch_size: int = 10
    learning_rate: float = 0.1
    start: int = 0
    training_set: int = 0
    windows: tuple[Window, ...] = ((0.0, 1.0), (1.0, 2.0))
    n_runs: int = 1
    n_links: int = 8
    threshold: float = MAIN_THRESHOLD
    level: float = 0.02
    n_looks: int = 13
    longest: float = 200.0

    def check(self) -> None:
        """Refuse what makes no sense for such branches."""
        super().check()
        self.require_noise()
        self.require_at_least(start=0, training_set=0, n_runs=1, n_links=2, n_looks=2)
        check_request(self.dataset, self.train_per_class, self.test_per_class, self.training_set)
        check_distinct("windows", self.windows)
        for window in self.windows:
            require(
                0 <= window[0] < window[1],
                f"a window is a pair (from, to) with 0 <= from < to, got {window}",
            )
        self.require_positive("longest")
        check_levels((self.threshold, self.level))

    @property
    def work(self) -> float:
        """Steps of gradient descent, about."""
        return len(self.windows) * self.n_runs * self.n_links / self.learning_rate

    def orders(self, begin: float) -> list[np.random.Generator]:
        """Streams of batch orders, named by where the window begins: the runs are those of the
        same window in `valleys.nets.experiments.windows.effects`.
        """
        opens = struct.unpack(">Q", struct.pack(">d", begin))[0]
        key = (self.start, self.training_set, self.batch_size, opens)
        return [
            np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(*key, run)))
            for run in range(self.n_runs)
        ]


def window_branches(spec: WindowBranchesSpec) -> xr.Dataset:
    """Where branches from inside each window end, and the walls between them.

    Returns:
        Dimensions window, run, moment and other (moments), link. `flatness`, `accuracy` and `loss`
        over (window, run, moment), `wall` and `distance` between two moments of a run over
        (window, run, moment, other), `peak` over (window, run, link); NaN at moments with a loss
        that is below the level. Coordinates `opens` and `closes`; `freezing_time` of gradient
        descent, η · step.

    Raises:
        ValueError: gradient descent does not come down to the level within the longest time.
    """
    problem = load_problem(
        spec.dataset,
        train_per_class=spec.train_per_class,
        test_per_class=spec.test_per_class,
        training_set=spec.training_set,
        seed=spec.start,
        device=spec.device,
    )
    twin = _descend(problem.start, problem, spec)
    require(
        bool(np.isfinite(twin.first).all()),
        f"gradient descent from start {spec.start} does not come down to the level {spec.level:g} "
        f"by the time {spec.longest:g}; raise longest, the level or learning_rate "
        f"{spec.learning_rate:g}",
    )
    frozen = int(twin.first[0, 0])
    every = [_of_window(problem, spec, window, frozen) for window in spec.windows]
    found = xr.concat(every, "window").assign(freezing_time=spec.learning_rate * frozen)
    for name, text in DESCRIPTIONS.items():
        found[name].attrs["long_name"] = text
    opens, closes = zip(*spec.windows, strict=True)
    coords = {"opens": ("window", list(opens)), "closes": ("window", list(closes))}
    kept = ("dataset", "n_train", "batch_size", "learning_rate", "threshold", "level")
    return found.assign_coords(coords).assign_attrs({name: getattr(spec, name) for name in kept})


def _descend(networks: Networks, problem: Problem, spec: WindowBranchesSpec) -> Descent:
    return descend(
        networks,
        problem.train,
        learning_rate=spec.learning_rate,
        levels=(spec.threshold, spec.level),
        piece=max(1, round(1 / spec.learning_rate)),
        longest=round(spec.longest / spec.learning_rate),
    )


def _of_window(
    problem: Problem, spec: WindowBranchesSpec, window: Window, frozen: int
) -> xr.Dataset:
    """The branches of all runs of one window."""
    begin, end = steps_of(window, frozen)
    networks, branches, rate = problem.start.copy(), Branches(), spec.learning_rate
    calm: dict[str, Any] = {
        "batch_size": spec.n_train,
        "n_steps": begin,
        "streams": (),
        "visits": {},
    }
    train(networks, problem.train, learning_rate=rate, **calm)
    runs, losses = networks.repeat(spec.n_runs), Losses(problem.train)
    moments = look_steps(end - begin, spec.n_links + 1).tolist()
    looks = [
        (first + look_steps(last - first, spec.n_looks)).tolist()
        for first, last in itertools.pairwise(moments)
    ]
    visits = plan((set(moments), branches), ({step for link in looks for step in link}, losses))
    noisy: dict[str, Any] = {
        "batch_size": spec.batch_size,
        "n_steps": end - begin,
        "visits": visits,
    }
    train(runs, problem.train, learning_rate=rate, streams=spec.orders(window[0]), **noisy)
    found = _ends(problem, spec, [branches[moment] for moment in moments])
    found["loss"] = ("run", "moment"), losses.at(moments)
    peaks = [losses.at(link).max(axis=1) for link in looks]
    found["peak"] = ("run", "link"), np.stack(peaks, axis=1)
    return xr.Dataset(found)


def _ends(problem: Problem, spec: WindowBranchesSpec, branches: list[Networks]) -> Variables:
    """Flatness and accuracy of the ends of all branches of each run, and what lies between two."""
    descent = _descend(join(branches), problem, spec)
    ends, there = descent.copies[-1], np.isfinite(descent.first[:, -1])
    shape = (len(branches), spec.n_runs)
    images = problem.train.images.double()
    curved = [flatness(second_layer_eigenvalues(ends, images, place)) for place in range(len(ends))]
    right = evaluate(ends, problem.full_test).accuracy.cpu().numpy()
    values = {"flatness": np.array(curved), "accuracy": right}
    found: Variables = {
        name: (("run", "moment"), np.where(there, each, np.nan).reshape(shape).T)
        for name, each in values.items()
    }
    between = [_between(problem, spec, ends, there, run) for run in range(spec.n_runs)]
    for name in ("wall", "distance"):
        found[name] = ("run", "moment", "other"), np.stack([each[name] for each in between])
    return found


def _between(
    problem: Problem, spec: WindowBranchesSpec, ends: Networks, there: np.ndarray, run: int
) -> dict[str, np.ndarray]:
    """Wall and distance between each two branches of a run, (n_moments, n_moments)."""
    own = np.arange(run, len(ends), spec.n_runs)
    first, second = np.triu_indices(len(own), 1)
    rows = flat(ends.parameters)[torch.from_numpy(own)]
    apart = torch.linalg.vector_norm(rows[first] - rows[second], dim=1).cpu().numpy()
    rises = walls_of(ends, np.stack([own[first], own[second]], axis=1), problem.train)
    known = there[own][first] & there[own][second]
    found = {}
    for name, values in {"wall": rises, "distance": apart}.items():
        matrix = np.full((len(own), len(own)), np.nan)
        matrix[first, second] = matrix[second, first] = np.where(known, values, np.nan)
        np.fill_diagonal(matrix, np.where(there[own], 0.0, np.nan))
        found[name] = matrix
    return found
