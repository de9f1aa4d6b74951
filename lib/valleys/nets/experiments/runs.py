"""How the runs of all studies are trained: those of one (η, B) differ in batch order only."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from valleys.nets.engine.networks import Networks
from valleys.nets.engine.passages import Passages
from valleys.nets.engine.plain import train
from valleys.nets.engine.problem import Problem, streams
from valleys.nets.engine.training import Visit, plan

Variables = dict[str, tuple[Any, ...]]  # of a dataset: dimensions, values, attributes
TRAINING_TIME = {"long_name": "training time, learning_rate · step"}


class Setting(Protocol):
    """What the runs of one (η, B) share, such as a spec."""

    @property
    def seed(self) -> int:
        """Of the batch orders."""
        ...

    @property
    def batch_size(self) -> int:
        """B."""
        ...

    @property
    def learning_rate(self) -> float:
        """η."""
        ...

    @property
    def n_steps(self) -> int:
        """Number of updates."""
        ...


class RunSetting(NamedTuple):
    """A setting that is not all of a spec, such as one of its grid."""

    seed: int
    batch_size: int
    learning_rate: float
    n_steps: int


def orders(setting: Setting, count: int) -> Sequence[np.random.Generator]:
    """The streams of batch orders of the first runs of a setting."""
    return streams(setting.seed, setting.batch_size, setting.learning_rate, count)


def train_runs(
    networks: Networks,
    problem: Problem,
    setting: Setting,
    *visits: tuple[Iterable[int], Visit],
    passages: Passages | None = None,
    streams: Sequence[np.random.Generator] | None = None,
) -> None:
    """Stochastic gradient descent in place, each network a run of its own.

    Args:
        networks: the runs as they begin, R networks.
        problem: whose training set they see.
        setting: what they share.
        visits: steps, and what is done there, as `plan` takes them.
        passages: what is to be found of the training loss, if anything.
        streams: of batch orders, R; those of `orders` if None.
    """
    train(
        networks,
        problem.train,
        learning_rate=setting.learning_rate,
        batch_size=setting.batch_size,
        n_steps=setting.n_steps,
        streams=orders(setting, len(networks)) if streams is None else streams,
        visits=plan(*visits),
        passages=passages,
    )


def require_finite(networks: Networks, setting: Setting) -> None:
    """Refuse runs of which one is not finite.

    Raises:
        ValueError: one is not.
    """
    if not networks.alive.all():
        raise ValueError(
            f"a run diverged at learning_rate {setting.learning_rate} and batch_size "
            f"{setting.batch_size}; choose a smaller learning rate"
        )


class Branches(dict[int, Networks]):
    """A visit that keeps copies of all networks, by the step at which they are left."""

    def __call__(self, step: int, networks: Networks) -> None:
        """Copy the networks of this step."""
        self[step] = networks.copy()
