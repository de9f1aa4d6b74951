"""How networks are trained, as one spec."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from valleys.nets.optimizers.methods import Method
from valleys.nets.optimizers.noise import Noise
from valleys.nets.optimizers.schedules import Schedule, schedule
from valleys.results.spec import require

Course = float | Schedule | Mapping[str, Any]
PLAIN = Method()
MOST_STEPS = 10_000_000


@dataclass(frozen=True)
class Recipe:
    """A method with its schedules and its noise; plain stochastic gradient descent if nothing is
    said.

    Attributes:
        learning_rate: η, a number, a schedule, or its plain data.
        batch_size: B, likewise.
        method: of `torch.optim`.
        replacement: whether batches are drawn independently instead of by reshuffling.
        label_noise: chance that a label of a batch is drawn anew among all classes (Blanc et al.
            2020).
        radius: ρ of sharpness-aware minimization, a number, a schedule, or its plain data; 0 for
            none.
        noise: added to the gradient, or None.
        quiet_below: a network whose training loss has fallen below this goes on with all samples,
            and without `noise`; 0 for never.

    Example:
        >>> from valleys.nets import Recipe, method
        >>> recipe = Recipe(0.01, 50, method("adam"))
        >>> recipe.learning_rates(3).tolist()
        [0.01, 0.01, 0.01]
    """

    learning_rate: Course
    batch_size: Course
    method: Method = PLAIN
    replacement: bool = False
    label_noise: float = 0.0
    radius: Course = 0.0
    noise: Noise | None = None
    quiet_below: float = 0.0

    def __post_init__(self) -> None:
        """Make schedules of all courses, then refuse what makes no sense.

        Raises:
            ValueError: a value outside its range.
        """
        for name in ("learning_rate", "batch_size", "radius"):
            object.__setattr__(self, name, schedule(getattr(self, name)))
        for name in ("learning_rate", "batch_size"):
            lowest = getattr(self, name).lowest
            require(lowest > 0, f"{name} must stay above 0, and falls to {lowest:g}")
        known = isinstance(self.method, Method)
        require(known, f"method must be one of valleys.nets.method, got {self.method!r}")
        chance = 0 <= self.label_noise <= 1
        require(chance, f"label_noise must lie between 0 and 1, got {self.label_noise}")
        require(self.quiet_below >= 0, f"quiet_below must be 0 or more, got {self.quiet_below}")

    @property
    def plain(self) -> bool:
        """Whether it is stochastic gradient descent at one learning rate and one batch size."""
        constant = all(
            len(schedule(course).pieces) == 1 and schedule(course).pieces[0].shape == "hold"
            for course in (self.learning_rate, self.batch_size)
        )
        noisy = self.replacement or self.label_noise or self.noise or self.quiet_below
        return constant and self.method.plain and not noisy and schedule(self.radius).highest == 0

    def n_steps(self, training_time: float) -> int:
        """Number of updates after which the learning rates add up to a training time.

        Raises:
            ValueError: they do not within ten million updates.
        """
        course = schedule(self.learning_rate)
        if len(course.pieces) == 1 and course.pieces[0].shape == "hold":
            return round(training_time / course.lowest)
        steps, time = 0, 0.0
        while time < training_time * (1 - 1e-12):
            require(steps < MOST_STEPS, f"the learning rates never add up to {training_time:g}")
            time += course.at(steps if course.unit == "step" else time)
            steps += 1
        return steps

    def learning_rates(self, n_steps: int) -> np.ndarray:
        """η of each update, (n_steps,)."""
        return schedule(self.learning_rate).values(n_steps)

    def batch_sizes(self, n_steps: int) -> np.ndarray:
        """B of each update, (n_steps,), rounded to whole samples."""
        sizes = schedule(self.batch_size).values(n_steps, self.learning_rates(n_steps))
        return sizes.round().astype(int).clip(min=1)

    def radii(self, n_steps: int) -> np.ndarray:
        """ρ of each update, (n_steps,)."""
        return schedule(self.radius).values(n_steps, self.learning_rates(n_steps))
