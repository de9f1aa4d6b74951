"""Noise, curvature and stability along training: what the two-valley model takes for granted,
measured in a network (Eqs. 13, 15 and 17).
"""

from dataclasses import dataclass, field

import numpy as np
import xarray as xr

from valleys.nets.engine.networks import Networks
from valleys.nets.engine.passages import Passages
from valleys.nets.engine.problem import Problem
from valleys.nets.engine.training import Samples, evaluate
from valleys.nets.experiments.runs import TRAINING_TIME, Variables, train_runs
from valleys.nets.experiments.specs import RunsSpec, check_levels
from valleys.nets.measures import noise_alignment
from valleys.nets.measures.gradient_noise import batch_factor, layer_noise
from valleys.nets.measures.lanczos import Eigenpairs, top_eigenpairs
from valleys.nets.measures.layer_hessian import TOP, LayerCurvature, flatness, layer_curvature
from valleys.nets.measures.whole_hessian import WholeNetwork
from valleys.nets.observers.checkpoints import Checkpoints, stage_names
from valleys.results.spec import require

FIRST_TIME = 1 / 200  # of the training time: the first record after the start
N_WEIGHTS = 2500  # of the second layer
DESCRIPTIONS = {
    "train_loss": "mean cross-entropy on the training set",
    "cosine": "Tr ΣH / √(Tr Σ² · Tr H²); one if Σ ∝ H",
    "isotropic_cosine": "the same for isotropic noise, Tr H / √(d · Tr H²)",
    "over_isotropic": "Tr ΣH over Tr Σ · Tr H / d, its value for isotropic noise of the same "
    "strength",
    "noise_per_curvature": "Tr ΣH / Tr H² with the covariance Σ of single gradients; times the "
    "batch factor it is 2σ (Eq. 15)",
    "exponent": "slope of ln vᵀΣv against ln λ over the leading eigenvectors v of H",
    "shared": "mean squared projection of the ten leading eigenvectors of Σ into those of H",
    "flatness": "inverse geometric mean of the ten largest eigenvalues of H (Eq. 6)",
    "bulk_curvature": "mean curvature of the directions beyond the leading ones",
    "bulk_noise": "mean noise variance of these directions",
    "sharpness": "largest eigenvalue of the Hessian in the second layer",
    "network_sharpness": "largest eigenvalue of the Hessian in all weights and biases",
}
ALONG_DIRECTIONS = {
    "curvature": "leading eigenvalues λ of H",
    "noise": "vᵀΣv along their eigenvectors v",
}


@dataclass(frozen=True)
class ConditionsSpec(RunsSpec):
    """Runs of one (η, B), looked at as the model sees them.

    Attributes:
        batch_size: B; equal to the training set it is full-batch gradient descent, of which one run
            is computed.
        learning_rate: η.
        training_time: ηt at the end.
        n_realizations: runs that differ in batch order.
        n_records: moments of measurement: the start, then equally spaced in the logarithm of ηt
            from 1/200 of the training time on.
        n_directions: leading eigenvectors of the Hessian along which the noise is measured.
        levels: losses in falling order; the noise along each direction is kept where a run first
            falls below them, and at the end.
    """

    n_realizations: int = 3
    n_records: int = 12
    n_directions: int = 100
    levels: tuple[float, ...] = (1.0, 0.1)

    def check(self) -> None:
        """Refuse what makes no sense for such runs."""
        super().check()
        self.require_at_least(n_records=3)
        require(
            len(set(self.steps)) == self.n_records,
            f"{self.n_records} records do not fit the {self.n_steps} steps of "
            f"learning_rate {self.learning_rate}: lower n_records or learning_rate",
        )
        self.require_between("n_directions", TOP, N_WEIGHTS - 1)
        check_levels(self.levels)

    @property
    def times(self) -> np.ndarray:
        """ηt of the records, (n_records,)."""
        return np.concatenate(
            [[0.0], self.training_time * np.geomspace(FIRST_TIME, 1, self.n_records - 1)]
        )

    @property
    def steps(self) -> list[int]:
        """Steps nearest to the times of the records."""
        return [round(time / self.learning_rate) for time in self.times]

    @property
    def work(self) -> float:
        """Steps."""
        return self.n_steps


@dataclass
class Gauge:
    """A visit that measures each network, at the records and at stages of the runs.

    Attributes:
        samples: training set.
        spec: of the runs.
        values: numbers by name, (n_runs, n_records).
    """

    samples: Samples
    spec: ConditionsSpec
    values: dict[str, np.ndarray] = field(init=False)

    def __post_init__(self) -> None:
        """Nothing is known yet."""
        shape = (self.spec.n_realizations, self.spec.n_records)
        self.values = {name: np.full(shape, np.nan) for name in DESCRIPTIONS}

    def __call__(self, step: int, networks: Networks) -> None:
        """Measure all networks at this record."""
        record, n_directions = self.spec.steps.index(step), self.spec.n_directions
        for index in range(len(networks)):
            measured = measure(networks, index, self.samples, n_directions)
            for name in self.values.keys() & measured.keys():
                self.values[name][index, record] = measured[name]


def measure(
    networks: Networks, index: int, samples: Samples, n_directions: int
) -> dict[str, float | np.ndarray]:
    """All of `DESCRIPTIONS` and `ALONG_DIRECTIONS` for one network; nothing where it is not
    finite, or dead: no image reaches the end.
    """
    if not networks.alive[index]:
        return {}
    curvature = layer_curvature(networks, samples.images, index)
    if curvature.trace() == 0:
        return {}
    leading = top_eigenpairs(curvature, n_directions, for_vectors=True)
    sharpest = top_eigenpairs(WholeNetwork.of(networks, samples, index), 1).values[0]
    return _noise_against(curvature, leading, samples) | {
        "train_loss": float(evaluate(networks.one(index), samples).loss),
        "flatness": flatness(leading.values[:TOP]),
        "sharpness": leading.values[0],
        "network_sharpness": sharpest,
        "curvature": leading.values,
    }


def _noise_against(
    curvature: LayerCurvature, leading: Eigenpairs, samples: Samples
) -> dict[str, float | np.ndarray]:
    """How the noise of a network lies in the curvature of its second layer."""
    noise = layer_noise(curvature, samples.labels.cpu().numpy())
    exact, sizes = noise_alignment.traces(curvature, noise), noise.variance(leading.vectors)
    noisiest = top_eigenpairs(noise, TOP, for_vectors=True).vectors
    rest = exact.size - len(sizes)
    return {
        "cosine": exact.cosine,
        "isotropic_cosine": exact.isotropic_cosine,
        "over_isotropic": exact.over_isotropic,
        "noise_per_curvature": exact.noise_per_curvature,
        "exponent": noise_alignment.exponent(leading.values, sizes),
        "shared": noise_alignment.shared(noisiest, leading.vectors[:TOP]),
        "bulk_curvature": (exact.hessian - leading.values.sum()) / rest,
        "bulk_noise": (exact.noise - sizes.sum()) / rest,
        "noise": sizes,
    }


def conditions(spec: ConditionsSpec) -> xr.Dataset:
    """Noise against curvature, and curvature against the step, along runs of one (η, B).

    Returns:
        Dimensions realization, record, stage (where the loss first falls below each level, and the
        end) and direction. The numbers of `DESCRIPTIONS` by record, and as `name_at` by stage;
        `time` by record and `stage_time` by stage, both η · step; `curvature` and `noise`
        (realization, stage, direction). `batch_factor` takes the covariance Σ of single gradients
        to that of a mini-batch. NaN where a run is not finite or dead, did not come there, or is a
        copy of the one run of gradient descent.
    """
    problem = Problem.of(spec)
    networks = problem.start.repeat(spec.n_distinct)
    gauge = Gauge(problem.train, spec)
    passages = Passages(spec.levels, keep=True)
    train_runs(networks, problem, spec, (spec.steps, gauge), passages=passages)
    at_stages = _at_stages(Checkpoints.of(passages, networks, spec.n_steps), problem.train, spec)
    along = {
        name: (("realization", "record"), gauge.values[name], {"long_name": text})
        for name, text in DESCRIPTIONS.items()
    }
    more = {
        "batch_factor": batch_factor(spec.batch_size, spec.n_train),
        "time": ("record", spec.learning_rate * np.array(spec.steps), TRAINING_TIME),
    }
    coords = {
        "batch_size": spec.batch_size,
        "learning_rate": spec.learning_rate,
        "stage": stage_names(spec.levels),
    }
    return xr.Dataset(along | at_stages | more, coords, {"dataset": spec.dataset})


def _at_stages(stages: Checkpoints, samples: Samples, spec: ConditionsSpec) -> Variables:
    times = np.full((spec.n_realizations, len(stages.networks)), np.nan)
    times[: len(stages.steps)] = spec.learning_rate * stages.steps
    scalars = {f"{name}_at": np.full(times.shape, np.nan) for name in DESCRIPTIONS}
    arrays = {
        name: np.full((*times.shape, spec.n_directions), np.nan, np.float32)
        for name in ALONG_DIRECTIONS
    }
    for run, stage in np.argwhere(np.isfinite(times)).tolist():
        for name, value in measure(stages.networks[stage], run, samples, spec.n_directions).items():
            (arrays[name] if name in arrays else scalars[f"{name}_at"])[run, stage] = value
    dims = ("realization", "stage")
    along = {
        name: ((*dims, "direction"), values, {"long_name": ALONG_DIRECTIONS[name]})
        for name, values in arrays.items()
    }
    return {
        **{name: (dims, values) for name, values in scalars.items()},
        **along,
        "stage_time": (dims, times, TRAINING_TIME),
    }
