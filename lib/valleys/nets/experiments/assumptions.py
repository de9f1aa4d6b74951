"""Noise, curvature and stability along training: what the two-valley model takes for granted,
measured in a network (Eqs. 13, 15 and 17).
"""

import itertools
from dataclasses import dataclass

import numpy as np
import xarray as xr

from valleys.nets.engine.networks import Networks
from valleys.nets.engine.problem import Problem, streams
from valleys.nets.engine.training import Samples, evaluate, plan, train
from valleys.nets.experiments.specs import OneSetting, Spec, check_batch_size, check_learning_rate
from valleys.nets.measures import noise_alignment
from valleys.nets.measures.gradient_noise import batch_factor, layer_noise
from valleys.nets.measures.lanczos import top_eigenpairs
from valleys.nets.measures.layer_hessian import TOP, flatness, layer_curvature
from valleys.nets.measures.whole_hessian import WholeNetwork
from valleys.nets.observers.freezing import freezing_checks
from valleys.nets.observers.stages import StageKeeper, Stages
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
class ConditionsSpec(OneSetting, Spec):
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

    batch_size: int = 50
    learning_rate: float = 0.05
    training_time: float = 100.0
    n_realizations: int = 3
    n_records: int = 12
    n_directions: int = 100
    levels: tuple[float, ...] = (1.0, 0.1)

    def check(self) -> None:
        """Refuse what makes no sense for such runs."""
        check_batch_size(self.batch_size, self.n_train)
        check_learning_rate(self.learning_rate)
        require(self.training_time > 0, f"training_time must be positive, got {self.training_time}")
        require(
            self.n_realizations >= 1, f"n_realizations must be 1 or more, got {self.n_realizations}"
        )
        require(self.n_records >= 3, f"n_records must be 3 or more, got {self.n_records}")
        apart = len(set(self.steps)) == self.n_records
        require(
            apart,
            f"{self.n_records} records do not fit the {self.n_steps} steps of "
            f"learning_rate {self.learning_rate}: lower n_records or learning_rate",
        )
        require(
            TOP <= self.n_directions < N_WEIGHTS,
            f"n_directions must lie between {TOP} and {N_WEIGHTS - 1}, got {self.n_directions}",
        )
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


def check_levels(levels: tuple[float, ...]) -> None:
    """Refuse losses that are not positive and falling."""
    falling = all(high > low for high, low in itertools.pairwise(levels))
    require(
        bool(levels) and min(levels) > 0 and falling,
        f"levels must be positive losses in falling order, got {levels}",
    )


@dataclass
class Gauge:
    """A visit that measures each network, at the records and at stages of the runs.

    Attributes:
        samples: training set.
        steps: steps of the records.
        n_directions: as in the spec.
        values: numbers by name, (n_runs, n_records).
    """

    samples: Samples
    steps: list[int]
    n_directions: int
    values: dict[str, np.ndarray]

    def __call__(self, step: int, networks: Networks) -> None:
        """Measure all networks at this record."""
        record = self.steps.index(step)
        for index in range(len(networks)):
            for name, value in measure(networks, index, self.samples, self.n_directions).items():
                if name in self.values:
                    self.values[name][index, record] = value


def measure(
    networks: Networks, index: int, samples: Samples, n_directions: int
) -> dict[str, float | np.ndarray]:
    """All of `DESCRIPTIONS` and `ALONG_DIRECTIONS` for one network; nothing where it is not
    finite, or dead: no image reaches the end.
    """
    curvature = (
        layer_curvature(networks, samples.images, index) if bool(networks.alive[index]) else None
    )
    if curvature is None or curvature.trace() == 0:
        return {}
    noise = layer_noise(curvature, samples.labels.cpu().numpy())
    leading = top_eigenpairs(curvature, n_directions, for_vectors=True)
    values, vectors = leading.values, leading.vectors
    sizes, exact = noise.variance(vectors), noise_alignment.traces(curvature, noise)
    rest = exact.size - n_directions
    found = {
        name: getattr(exact, name)
        for name in ("cosine", "isotropic_cosine", "over_isotropic", "noise_per_curvature")
    }
    found |= {
        "exponent": noise_alignment.exponent(values, sizes),
        "shared": noise_alignment.shared(
            top_eigenpairs(noise, TOP, for_vectors=True).vectors, vectors[:TOP]
        ),
    }
    found |= {
        "bulk_curvature": (exact.hessian - values.sum()) / rest,
        "bulk_noise": (exact.noise - sizes.sum()) / rest,
    }
    found |= {
        "flatness": flatness(values[:TOP]),
        "sharpness": values[0],
        "curvature": values,
        "noise": sizes,
    }
    found["train_loss"] = float(evaluate(networks.one(index), samples).loss)
    found["network_sharpness"] = top_eigenpairs(
        WholeNetwork.of(networks, samples, index), 1
    ).values[0]
    return found


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
    problem, count = Problem.of(spec), 1 if spec.full_batch else spec.n_realizations
    networks = problem.start.repeat(count)
    gauge = Gauge(
        problem.train,
        spec.steps,
        spec.n_directions,
        {name: np.full((spec.n_realizations, spec.n_records), np.nan) for name in DESCRIPTIONS},
    )
    keeper = StageKeeper(networks, problem.train, spec.levels)
    visits = plan((spec.steps, gauge), (freezing_checks(spec.n_steps), keeper))
    runs = streams(spec.seed, spec.batch_size, spec.learning_rate, count)
    train(
        networks,
        problem.train,
        learning_rate=spec.learning_rate,
        batch_size=spec.batch_size,
        n_steps=spec.n_steps,
        streams=runs,
        visits=visits,
    )
    stages = _at_stages(Stages.of(keeper, networks, spec.n_steps), problem.train, spec)
    along = {
        name: (("realization", "record"), gauge.values[name], {"long_name": text})
        for name, text in DESCRIPTIONS.items()
    }
    times = spec.learning_rate * np.array(spec.steps)
    factor = {
        "batch_factor": batch_factor(spec.batch_size, spec.n_train),
        "time": ("record", times, {"long_name": "training time, learning_rate · step"}),
    }
    coords = {
        "batch_size": spec.batch_size,
        "learning_rate": spec.learning_rate,
        "stage": stage_names(spec.levels),
    }
    return xr.Dataset(along | stages | factor, coords=coords, attrs={"dataset": spec.dataset})


def stage_names(levels: tuple[float, ...]) -> list[str]:
    """`loss 1`, `loss 0.1`, `end`."""
    return [*(f"loss {level:g}" for level in levels), "end"]


def _at_stages(stages: Stages, samples: Samples, spec: ConditionsSpec) -> dict:
    n_stages = len(stages.networks)
    times = np.full((spec.n_realizations, n_stages), np.nan)
    times[: len(stages.steps)] = spec.learning_rate * stages.steps
    scalars = {f"{name}_at": np.full(times.shape, np.nan) for name in DESCRIPTIONS}
    arrays = {
        name: np.full((*times.shape, spec.n_directions), np.nan, np.float32)
        for name in ALONG_DIRECTIONS
    }
    for run, stage in np.argwhere(np.isfinite(times)):
        for name, value in measure(stages.networks[stage], run, samples, spec.n_directions).items():
            (arrays[name] if name in arrays else scalars[f"{name}_at"])[run, stage] = value
    found = {name: (("realization", "stage"), values) for name, values in scalars.items()}
    found |= {
        name: (("realization", "stage", "direction"), values, {"long_name": ALONG_DIRECTIONS[name]})
        for name, values in arrays.items()
    }
    return found | {
        "stage_time": (
            ("realization", "stage"),
            times,
            {"long_name": "training time, learning_rate · step"},
        )
    }
