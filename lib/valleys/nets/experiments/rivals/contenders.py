"""The methods that are compared: what each does with a budget of gradient evaluations."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from valleys.nets.engine.stack import Stack
from valleys.nets.engine.training import Samples, plan
from valleys.nets.optimizers.averages import WeightAverage
from valleys.nets.optimizers.implicit import implicit
from valleys.nets.optimizers.methods import method
from valleys.nets.optimizers.noise import Anticorrelated
from valleys.nets.optimizers.recipe import Recipe
from valleys.nets.optimizers.schedule_free import schedule_free
from valleys.nets.optimizers.schedules import stairs
from valleys.nets.optimizers.training import StackVisit, optimize

REFERENCE = "sgd"  # against which the others are held
NAMES = (
    REFERENCE,
    "gd",
    "momentum",
    "nesterov",
    "adam",
    "adamw",
    "rmsprop",
    "sam",
    "sam_late",
    "swa",
    "ema",
    "schedule_free",
    "anticorrelated",
    "label_noise",
    "implicit",
)
RADIUS = 0.05  # ρ of sharpness-aware steps, that of Foret et al. 2021
LATE = 0.75  # share of the budget after which late sharpness-aware steps begin
HALF = 0.5  # share of the steps after which the plain average of weights begins
MEMORY = 0.99  # of the average that fades, a step
LABEL_NOISE = 0.1  # chance that a label is drawn anew
LENGTH = 1.0  # of a kick of anticorrelated noise, in all weights and biases
LOOKS = 3  # gradients of an implicit step
DECAY = 0.1  # of weights, of AdamW

Streams = Sequence[np.random.Generator]


@dataclass(frozen=True)
class Setting:
    """What a method is given.

    Attributes:
        learning_rate: η.
        batch_size: B; gradient descent takes all samples.
        n_train: training samples.
        n_epochs: budget of gradient evaluations, over the number of training samples.
    """

    learning_rate: float
    batch_size: int
    n_train: int
    n_epochs: int

    @property
    def budget(self) -> int:
        """Samples that go through the network forward and backward."""
        return self.n_epochs * self.n_train

    @property
    def whole(self) -> "Setting":
        """The same with all samples in a batch."""
        return replace(self, batch_size=self.n_train)

    def steps(self, looks: float = 1, share: float = 1.0) -> int:
        """Updates in a share of the budget, with so many gradients of each sample."""
        return round(share * self.budget / (looks * self.batch_size))

    def evaluations(self, n_steps: int, looks: int = 1) -> np.ndarray:
        """Gradient evaluations of each of so many updates, (n_steps,)."""
        return np.full(n_steps, looks * self.batch_size, dtype=float)


class Handed(dict[int, StackVisit]):
    """A visit to every step that first takes the network of the step into an average, and then
    shows that average in its place.
    """

    def __init__(self, average: WeightAverage, n_steps: int, first: int, look: StackVisit) -> None:
        """Before the step `first` the networks themselves are shown."""

        def visit(step: int, networks: Stack) -> None:
            if step >= first:
                average(step, networks)
            look(step, networks if average.average is None else average.average)

        super().__init__(dict.fromkeys(range(n_steps + 1), visit))


@dataclass(frozen=True)
class Contender:
    """A method that is compared.

    Attributes:
        rate: the middle one of the learning rates that are tried.
        evaluations: gradient evaluations of each of its updates.
        train: trains networks in place and gives those that it would hand out; it shows these at
            each step.
    """

    rate: float
    evaluations: Callable[[Setting], np.ndarray]
    train: Callable[[Stack, Samples, Setting, Streams, StackVisit], Stack]


def _once(setting: Setting) -> np.ndarray:
    return setting.evaluations(setting.steps())


def _of_recipe(make: Callable[[Setting], Recipe], rate: float, looks: int = 1) -> Contender:
    """A method that a recipe describes."""

    def evaluations(setting: Setting) -> np.ndarray:
        return setting.evaluations(setting.steps(looks), looks)

    def train(
        networks: Stack, samples: Samples, setting: Setting, streams: Streams, look: StackVisit
    ) -> Stack:
        n_steps = len(evaluations(setting))
        visits = plan((range(n_steps + 1), look))
        how: dict[str, Any] = {"n_steps": n_steps, "streams": streams, "visits": visits}
        optimize(networks, samples, make(setting), **how)
        return networks

    return Contender(rate, evaluations, train)


def _descent() -> Contender:
    """Gradient descent: the same with all samples."""
    plain = _of_recipe(lambda setting: Recipe(setting.learning_rate, setting.batch_size), 0.05)

    def train(
        networks: Stack, samples: Samples, setting: Setting, streams: Streams, look: StackVisit
    ) -> Stack:
        return plain.train(networks, samples, setting.whole, streams, look)

    return Contender(0.05, lambda setting: _once(setting.whole), train)


def _averaged(decay: float, begin: float) -> Contender:
    """The average of the weights of plain stochastic gradient descent."""

    def train(
        networks: Stack, samples: Samples, setting: Setting, streams: Streams, look: StackVisit
    ) -> Stack:
        average, n_steps = WeightAverage(decay), setting.steps()
        visits = Handed(average, n_steps, round(begin * n_steps), look)
        recipe = Recipe(setting.learning_rate, setting.batch_size)
        optimize(networks, samples, recipe, n_steps=n_steps, streams=streams, visits=visits)
        return networks if average.average is None else average.average

    return Contender(0.05, _once, train)


def _late_sam() -> Contender:
    """Sharpness-aware steps for the last part of the budget."""

    def evaluations(setting: Setting) -> np.ndarray:
        plain, aware = setting.steps(share=LATE), setting.steps(2, 1 - LATE)
        both = setting.evaluations(plain), setting.evaluations(aware, 2)
        return np.concatenate(both)

    def train(
        networks: Stack, samples: Samples, setting: Setting, streams: Streams, look: StackVisit
    ) -> Stack:
        n_steps, begin = len(evaluations(setting)), setting.steps(share=LATE)
        radius = stairs([0.0, RADIUS], ends=[begin])
        recipe = Recipe(setting.learning_rate, setting.batch_size, radius=radius)
        visits = plan((range(n_steps + 1), look))
        optimize(networks, samples, recipe, n_steps=n_steps, streams=streams, visits=visits)
        return networks

    return Contender(0.05, evaluations, train)


def _of_loop(loop: Callable[..., None], rate: float, looks: int = 1) -> Contender:
    """A method with a loop of its own."""

    def evaluations(setting: Setting) -> np.ndarray:
        return setting.evaluations(setting.steps(looks), looks)

    def train(
        networks: Stack, samples: Samples, setting: Setting, streams: Streams, look: StackVisit
    ) -> Stack:
        n_steps = len(evaluations(setting))
        how: Mapping[str, int] = {"batch_size": setting.batch_size, "n_steps": n_steps}
        visits = plan((range(n_steps + 1), look))
        rate = setting.learning_rate
        loop(networks, samples, learning_rate=rate, streams=streams, visits=visits, **how)
        return networks

    return Contender(rate, evaluations, train)


def _kicked(setting: Setting) -> Recipe:
    """Kicks of one length in the weights, whatever the learning rate."""
    noise = Anticorrelated(2 * (LENGTH / setting.learning_rate) ** 2)
    return Recipe(setting.learning_rate, setting.batch_size, noise=noise)


def _by(name: str, **settings: Any) -> Callable[[Setting], Recipe]:
    chosen = method(name, **settings)
    return lambda setting: Recipe(setting.learning_rate, setting.batch_size, chosen)


def contenders() -> dict[str, Contender]:
    """All methods, by name."""
    return {
        REFERENCE: _of_recipe(_by("sgd"), 0.05),
        "gd": _descent(),
        "momentum": _of_recipe(_by("sgd", momentum=0.9), 0.01),
        "nesterov": _of_recipe(_by("sgd", momentum=0.9, nesterov=True), 0.01),
        "adam": _of_recipe(_by("adam"), 0.001),
        "adamw": _of_recipe(_by("adamw", weight_decay=DECAY), 0.001),
        "rmsprop": _of_recipe(_by("rmsprop"), 0.001),
        "sam": _of_recipe(lambda s: Recipe(s.learning_rate, s.batch_size, radius=RADIUS), 0.05, 2),
        "sam_late": _late_sam(),
        "swa": _averaged(0.0, HALF),
        "ema": _averaged(MEMORY, 0.0),
        "schedule_free": _of_loop(schedule_free, 0.1),
        "anticorrelated": _of_recipe(_kicked, 0.05),
        "label_noise": _of_recipe(
            lambda s: Recipe(s.learning_rate, s.batch_size, label_noise=LABEL_NOISE), 0.05
        ),
        "implicit": _of_loop(implicit, 0.005, LOOKS),
    }
