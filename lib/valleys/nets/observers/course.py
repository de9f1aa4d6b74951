"""What is written down about networks of any kind while they train."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from valleys.nets.engine.problem import Problem
from valleys.nets.engine.stack import Stack
from valleys.nets.engine.training import evaluate
from valleys.nets.measures.curvature import closest
from valleys.nets.measures.lanczos import top_eigenpairs
from valleys.nets.measures.layer_hessian import TOP, flatness

NAMES = ("train_loss", "train_accuracy", "test_loss", "test_accuracy", "flatness", "weight_norm")


@dataclass
class Course:
    """A visit that keeps loss, accuracy and, if asked, curvature of R networks.

    Attributes:
        n_networks: R.
        steps: steps of the records, (n_records,).
        problem: the sets on which loss and accuracy are taken.
        parameters: names of those in which curvature and norm are taken.
        flatness_records: records at which the flatness is measured.
        values: what was measured, by name, (R, n_records); NaN where not asked for or not finite.
        eigenvalues: the ten largest of the Hessian, (R, n_records, 10).
    """

    n_networks: int
    steps: np.ndarray
    problem: Problem
    parameters: Sequence[str]
    flatness_records: Collection[int] = ()
    values: dict[str, np.ndarray] = field(init=False)
    eigenvalues: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        """Nothing is known yet."""
        shape = (self.n_networks, len(self.steps))
        self.values = {name: np.full(shape, np.nan) for name in NAMES}
        self.eigenvalues = np.full((*shape, TOP), np.nan)

    def __call__(self, step: int, networks: Stack) -> None:
        """Write down the record of this step."""
        record, alive = int(np.flatnonzero(self.steps == step)[0]), networks.alive.cpu().numpy()
        for kind, samples in (("train", self.problem.train), ("test", self.problem.test)):
            found = evaluate(networks, samples)
            self.values[f"{kind}_loss"][alive, record] = found.loss.cpu().numpy()[alive]
            self.values[f"{kind}_accuracy"][alive, record] = found.accuracy.cpu().numpy()[alive]
        self.values["weight_norm"][alive, record] = self._norms(networks)[alive]
        if record in self.flatness_records:
            for index in np.flatnonzero(alive):
                self._bend(int(index), record, networks)

    def _norms(self, networks: Stack) -> np.ndarray:
        parts = [networks.parameters[name].flatten(1) for name in self.parameters]
        return torch.linalg.vector_norm(torch.cat(parts, dim=1), dim=1).cpu().numpy()

    def _bend(self, index: int, record: int, networks: Stack) -> None:
        """Curvature of one network; it stays NaN where rounding hides it."""
        operator = closest(networks, self.problem.train, index, self.parameters)
        try:
            values = top_eigenpairs(operator, TOP).values
        except ArithmeticError:
            return
        self.eigenvalues[index, record] = values
        self.values["flatness"][index, record] = flatness(values)
