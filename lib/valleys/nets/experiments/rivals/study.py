"""Methods of training at equal gradient evaluations: what each costs, where it ends, how flat."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
import xarray as xr

from valleys.nets.engine.networks import Networks
from valleys.nets.engine.passages import Passages, Watch
from valleys.nets.engine.plain import train
from valleys.nets.engine.problem import Problem, load_problem, make_problem
from valleys.nets.engine.stack import Stack
from valleys.nets.engine.training import evaluate
from valleys.nets.experiments.noise_schedules.study import flatnesses
from valleys.nets.experiments.rivals.contenders import contenders
from valleys.nets.experiments.rivals.specs import HELD_OUT, MethodSpec, RivalSpec, SearchSpec
from valleys.nets.folders import load_named
from valleys.nets.measures.elastic_band import elastic_band
from valleys.nets.measures.solutions import rise
from valleys.nets.measures.walls import walls_of
from valleys.nets.optimizers.training import StackVisit

TAIL_PIECE = 2.5  # of training time after which the tail looks whether all losses are low enough
BAND: dict[str, Any] = {"n_steps": 150, "learning_rate": 0.02}  # of the elastic band
DESCRIPTIONS = {
    "freezing_evaluations": "gradient evaluations, over the number of training samples, before the "
    "first step with training loss below L_c (Eq. 7)",
    "freezing_time": "training time of that step, sum of the learning rates",
    "end_loss": "mean cross-entropy on the training set when the budget is spent",
    "end_accuracy": "fraction of all test images that is right there",
    "end_flatness": "inverse geometric mean of the ten largest eigenvalues of the second layer's "
    "Hessian (Eq. 6) there",
    "level_evaluations": "gradient evaluations, over the number of training samples, before the "
    "loss first fell below a level, the tail included",
    "level_accuracy": "fraction of all test images that is right there",
    "level_flatness": "flatness there",
    "wall": "rise of the training loss above the higher end on the line from there to where a run "
    "of the reference with another batch order falls below the level",
    "band_wall": "the same on a path of low loss (elastic band), at the lowest level",
}


def rival_search(spec: SearchSpec) -> xr.Dataset:
    """What a method comes to at one learning rate, on images that neither train nor test.

    Returns:
        Over run: `held_accuracy`, the fraction of the held-out images that is right when the budget
        is spent, and `end_loss`, the training loss there; NaN where a run is not finite.
    """
    problem = _searched(spec)
    ends = _trained(spec, problem, lambda step, networks: None)
    accuracy, loss = evaluate(ends, problem.full_test).accuracy, evaluate(ends, problem.train).loss
    found = {"held_accuracy": accuracy, "end_loss": torch.where(ends.alive, loss, torch.nan)}
    return xr.Dataset({name: ("run", each.cpu().numpy()) for name, each in found.items()})


def rivals(spec: RivalSpec) -> xr.Dataset:
    """What a method makes of runs from one start.

    Returns:
        Dimensions run and level. Over run: `freezing_evaluations`, `freezing_time` (NaN for runs
        that do not freeze within the budget), `end_loss`, `end_accuracy` and `end_flatness` when it
        is spent, `band_wall`; over (run, level): `level_evaluations`, `level_accuracy`,
        `level_flatness` and `wall`, NaN for runs that do not come there. `learning_rate`.
    """
    problem = _problem(spec)
    way, other = _way(spec, problem), _reference(spec.of_reference)
    found = _ends(way, problem) | _levels(way, problem) | _walls(spec, way, other, problem)
    for name, text in DESCRIPTIONS.items():
        found[name][2]["long_name"] = text
    kept = ("dataset", "n_train", "batch_size", "n_epochs", "threshold")
    attributes = {name: getattr(spec, name) for name in kept}
    coords = {"level": list(spec.levels)}
    return xr.Dataset(found, coords, attributes).assign(learning_rate=spec.learning_rate)


@dataclass(frozen=True)
class Way:
    """Runs of one method, to the end of the budget and then through the tail.

    Attributes:
        ends: the networks when the budget is spent, R.
        first: gradient evaluations, over the number of training samples, at which the loss was
            first below L_c and each level, (R, 1 + K); NaN where it never was.
        within: whether that was within the budget.
        times: training time there, (R, 1 + K); NaN outside the budget.
        copies: of each run in turn one for each of these, as it was there, R · (1 + K).
    """

    ends: Stack
    first: np.ndarray
    within: np.ndarray
    times: np.ndarray
    copies: Stack

    def at(self, place: int) -> Stack:
        """All runs as they were when they passed L_c, 0, or a level, from 1 on."""
        return self.copies.pick(slice(place, None, self.first.shape[1]))


def _trained(spec: MethodSpec, problem: Problem, look: StackVisit) -> Stack:
    """All runs of a method when its budget is spent."""
    networks = problem.start.repeat(spec.n_runs)
    method = contenders()[spec.rival]
    return method.train(networks, problem.train, spec.setting, spec.orders(), look)


def _way(spec: RivalSpec, problem: Problem) -> Way:
    """Runs of a method, with what they pass."""
    passages = Passages((spec.threshold, *spec.levels), keep=True)
    ends = _trained(spec, problem, Watch(passages, problem.train)).copy()
    spent = np.concatenate([[0], contenders()[spec.rival].evaluations(spec.setting).cumsum()])
    steps, within = passages.first, np.isfinite(passages.first)
    first = np.where(within, spent[np.where(within, steps, 0).astype(int)], np.nan)
    tail_first, copies = _tail(spec, problem, ends, first, passages.copies)
    times = spec.learning_rate * steps
    return Way(ends, tail_first / spec.n_train, within, times, copies)


def _tail(
    spec: RivalSpec, problem: Problem, ends: Stack, first: np.ndarray, copies: Stack
) -> tuple[np.ndarray, Stack]:
    """Little noise until all losses have fallen below all levels: gradient evaluations of the first
    passages, and copies there.
    """
    networks: Any = ends.copy()
    size = spec.tail_batch_size
    n_steps = max(1, round(TAIL_PIECE / spec.tail_rate))
    orders = [order.spawn(2)[1] for order in spec.orders()]
    for piece in range(int(np.ceil(spec.longest_tail / TAIL_PIECE))):
        if np.isfinite(first).all():
            break
        passages = Passages((spec.threshold, *spec.levels), keep=True)
        how: dict[str, Any] = {
            "learning_rate": spec.tail_rate,
            "batch_size": size,
            "n_steps": n_steps,
        }
        train(networks, problem.train, **how, streams=orders, visits={}, passages=passages)
        begun = spec.setting.budget + piece * n_steps * size
        new = np.isnan(first) & np.isfinite(passages.first)
        first = np.where(new, begun + size * passages.first, first)
        places = torch.from_numpy(np.flatnonzero(new))
        copies.put(places, passages.copies.pick(places))
    return first, copies


@lru_cache(maxsize=1)  # the methods of one start follow each other
def _reference(spec: RivalSpec) -> Way:
    """The runs against which all methods of a start are held."""
    return _way(spec, _problem(spec))


@lru_cache(maxsize=1)
def _loaded(
    dataset: str, train_per_class: int, test_per_class: int, start: int, device: str
) -> Problem[Networks]:
    return load_problem(
        dataset,
        train_per_class=train_per_class,
        test_per_class=test_per_class,
        seed=start,
        device=device,
    )


def _problem(spec: RivalSpec) -> Problem[Networks]:
    sizes = spec.train_per_class, spec.test_per_class
    return _loaded(spec.dataset, *sizes, spec.start, spec.device)


@lru_cache(maxsize=1)
def _held(
    dataset: str, train_per_class: int, test_per_class: int, start: int, device: str
) -> Problem[Networks]:
    """The training set, with another one in place of the test images."""
    sets = [
        load_named(dataset, train_per_class, test_per_class, number) for number in (0, HELD_OUT)
    ]
    images = [part for each in sets for part in (each.train_images, each.train_labels)]
    return make_problem(*images, seed=start, device=device)


def _searched(spec: SearchSpec) -> Problem[Networks]:
    sizes = spec.train_per_class, spec.test_per_class
    return _held(spec.dataset, *sizes, spec.seed_of_start, spec.device)


Found = dict[str, tuple]


def _ends(way: Way, problem: Problem) -> Found:
    """Runs when the budget is spent, and when they froze."""
    frozen = way.within[:, 0]
    values = {
        "freezing_evaluations": np.where(frozen, way.first[:, 0], np.nan),
        "freezing_time": np.where(frozen, way.times[:, 0], np.nan),
        "end_loss": evaluate(way.ends, problem.train).loss.cpu().numpy(),
        "end_accuracy": evaluate(way.ends, problem.full_test).accuracy.cpu().numpy(),
        "end_flatness": flatnesses(way.ends, problem, np.flatnonzero(way.ends.alive.cpu())),
    }
    return {name: (("run",), each.astype(float), {}) for name, each in values.items()}


def _levels(way: Way, problem: Problem) -> Found:
    """Runs where their losses fell below each level."""
    came, shape = np.isfinite(way.first), way.first.shape
    chosen = came.ravel() & (np.arange(came.size) % shape[1] > 0)
    flat = flatnesses(way.copies, problem, np.flatnonzero(chosen)).reshape(shape)
    right = evaluate(way.copies, problem.full_test).accuracy.cpu().numpy().reshape(shape)
    values = {"evaluations": way.first, "flatness": flat, "accuracy": right}
    return {
        f"level_{name}": (("run", "level"), np.where(came, each, np.nan)[:, 1:], {})
        for name, each in values.items()
    }


def _walls(spec: RivalSpec, way: Way, other: Way, problem: Problem) -> Found:
    """What lies between each run and the next one of the reference, at each level."""
    own = np.arange(spec.n_runs)
    pairs = np.stack([own, spec.n_runs + np.roll(own, -1)], axis=1)
    came = np.isfinite(way.first) & np.roll(np.isfinite(other.first), -1, axis=0)
    both = [_joined(way.at(place), other.at(place)) for place in range(1, came.shape[1])]
    walls = np.stack([walls_of(each, pairs, problem.train) for each in both], axis=1)
    chosen = np.flatnonzero(came[:, -1])[: spec.n_bands]
    bands = np.full(spec.n_runs, np.nan)
    bands[chosen] = [_band(both[-1], pairs[run], problem) for run in chosen]
    walls = np.where(came[:, 1:], walls, np.nan)
    return {"wall": (("run", "level"), walls, {}), "band_wall": (("run",), bands, {})}


def _band(networks: Stack, pair: np.ndarray, problem: Problem) -> float:
    """Rise on a path of low loss between two of some networks; no more than on the line."""
    first, second = (networks.pick(slice(place, place + 1)) for place in pair.tolist())
    band = elastic_band(first, second, problem.train, **BAND)
    return float(min(rise(band.losses), rise(band.straight)))


def _joined(first: Stack, second: Stack) -> Stack:
    """The networks of both, in one stack."""
    both, count = first.repeat(2), len(first)
    both.put(torch.arange(count), first)
    both.put(torch.arange(count, 2 * count), second)
    return both
