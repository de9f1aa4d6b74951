"""The dimension of the attractor of small networks, from the whole spectrum of the Hessian."""

from dataclasses import dataclass

import numpy as np
import torch
import xarray as xr

from valleys.nets.engine.networks import Networks
from valleys.nets.engine.problem import Problem, load_problem
from valleys.nets.engine.training import evaluate
from valleys.nets.experiments.neighbours import leaving
from valleys.nets.experiments.neighbours.leaving import StartSpec
from valleys.nets.measures.spectra import sharpness_dimension, stretches, whole_spectrum
from valleys.results.spec import require

DESCRIPTIONS = {
    "dimension": "sharpness dimension over the number of weights and biases",
    "accuracy": "fraction of all test images that is right at the end",
    "loss": "training loss at the end",
}


@dataclass(frozen=True)
class AttractorSpec(StartSpec):
    """Runs of small networks from one start.

    Attributes:
        hidden: widths of the hidden layers.
        training_time: ηt at the end.
        n_looks: moments in the last quarter of it over which stretches are averaged, each on a
            batch of its own.
    """

    n_runs: int = 2
    hidden: tuple[int, ...] = (12, 12)
    training_time: float = 40.0
    n_looks: int = 2

    def check(self) -> None:
        """Refuse what makes no sense for such runs."""
        super().check()
        self.require_positive("training_time")
        self.require_at_least(n_looks=1)
        fits = len(self.hidden) == 2 and min(self.hidden) >= 2
        require(fits, f"hidden must be two widths of 2 or more, got {self.hidden}")

    @property
    def problem(self) -> Problem[Networks]:
        """The training set and the start."""
        sizes = {"train_per_class": self.train_per_class, "test_per_class": self.test_per_class}
        how = {"hidden": self.hidden, "seed": self.start, "device": self.device}
        return load_problem(self.dataset, **sizes, **how)

    @property
    def steps(self) -> np.ndarray:
        """Updates before each look, (n_looks,)."""
        last = self.training_time / self.learning_rate
        return np.linspace(0.75 * last, last, self.n_looks + 1)[1:].round().astype(int)


def attractors(spec: AttractorSpec) -> xr.Dataset:
    """The sharpness dimension of runs of one setting, and what they are worth on new images.

    Returns:
        Over run: `dimension`, `accuracy` and `loss`.
    """
    problem, seen = spec.problem, []
    networks, stream = problem.start.repeat(spec.n_runs), spec.orders(0, count=1)[0]

    def look(step: int, here: Networks) -> None:
        chosen = stream.permutation(spec.n_train)[: spec.batch_size]
        batch = problem.train.pick(torch.from_numpy(chosen))
        spectra = [whole_spectrum(here, batch, index) for index in range(spec.n_runs)]
        seen.append(stretches(np.array(spectra), spec.learning_rate))

    visits = dict.fromkeys(np.unique(spec.steps).tolist(), look)
    leaving.run(spec, networks, problem, int(spec.steps[-1]), visits=visits)
    means = np.mean(seen, axis=0)  # (run, n)
    found = {
        "dimension": np.array([sharpness_dimension(row) for row in means]) / means.shape[1],
        "accuracy": evaluate(networks, problem.full_test).accuracy.cpu().numpy(),
        "loss": evaluate(networks, problem.train).loss.cpu().numpy(),
    }
    variables = {name: ("run", each) for name, each in found.items()}
    return leaving.labelled(variables, DESCRIPTIONS, spec).assign_attrs(n_weights=means.shape[1])
