"""How far a run fluctuates along the principal directions of its own path, and how flat the loss
is there (Feng and Tu 2021).
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
import xarray as xr

from valleys.nets.engine.networks import SECOND_LAYER, Networks
from valleys.nets.engine.problem import Problem
from valleys.nets.engine.training import Samples, evaluate
from valleys.nets.experiments.runs import Variables, orders, require_finite, train_runs
from valleys.nets.experiments.specs import SettingSpec, check_rising
from valleys.nets.measures.gradient_noise import LayerNoise, batch_factor, layer_noise
from valleys.nets.measures.layer_hessian import LayerCurvature, layer_curvature
from valleys.nets.theory.fluctuation_theory import exponent, stationary_variance, window_variance
from valleys.results.spec import require

# each image once an epoch, as everywhere in this book; each batch drawn anew
REDRAWN = "redrawn"
SAMPLINGS = ("epochs", REDRAWN)
MEASURED = (  # along each component, in this order
    "variance",
    "trend",
    "width",
    "curvature",
    "noise",
    "surrogate_variance",
    "surrogate_curvature",
)
# a valley is as wide as the stretch over which its loss stays below e times that of its middle
E_FOLD = float(np.e)
LONGEST = 2.0**8  # how far a side of a valley is looked for, in units of the first guess
N_HALVINGS = 8
MOSTLY_DRIFT = 0.5  # of a component's variance that a straight line in time explains


@dataclass(frozen=True)
class FluctuationsSpec(SettingSpec):
    """Runs of one (η, B), watched at every step in windows of training.

    Attributes:
        batch_size: B.
        learning_rate: η.
        window_times: ηt at which windows begin.
        n_window: steps of a window.
        n_components: principal directions that are measured in each.
        n_realizations: runs of each kind of sampling.
    """

    learning_rate: float = 0.1
    window_times: tuple[float, ...] = (10.0, 80.0)
    n_window: int = 200
    n_components: int = 30
    n_realizations: int = 3

    def check(self) -> None:
        """Refuse what makes no sense for fluctuations."""
        super().check()
        self.require_noise()
        times, n_window = self.window_times, self.n_window
        check_rising("window_times", times)
        steps = self.window_steps
        require(
            all(later - first >= n_window for first, later in itertools.pairwise(steps)),
            f"window_times must lie n_window = {n_window} steps apart or more, got {times}",
        )
        last = n_window - 1
        self.require_between("n_components", 3, last, f"3 and n_window − 1 = {last}")
        self.require_at_least(n_realizations=1)

    @property
    def window_steps(self) -> list[int]:
        """Steps at which windows begin."""
        return [round(time / self.learning_rate) for time in self.window_times]

    @property
    def n_steps(self) -> int:
        """The last step that is looked at."""
        return self.window_steps[-1] + self.n_window - 1


class Redrawn(np.random.Generator):
    """A stream of batch orders in which an image may come twice: what `train` takes for an order
    of all images is n independent draws.
    """

    def __init__(self, stream: np.random.Generator) -> None:
        """Draw from this stream."""
        super().__init__(stream.bit_generator)

    def permutation(self, n_samples: int) -> np.ndarray:
        """n independent images out of n, int64, (n_samples,)."""
        return self.integers(n_samples, size=n_samples)


@dataclass
class Window:
    """A visit that keeps the second layer at every step of a window, and the mean network.

    Attributes:
        first: step at which it begins.
        matrices: second layers, flat, one (R, n_in · n_out) a step.
        total: sum of all networks so far.
    """

    first: int
    matrices: list[np.ndarray] = field(default_factory=list)
    total: Networks | None = None

    def __call__(self, step: int, networks: Networks) -> None:
        """Write one step down."""
        matrices = networks.weights[SECOND_LAYER].mT.double().cpu().numpy()
        self.matrices.append(matrices.reshape(len(networks), -1))
        doubled = networks.to(torch.float64)
        self.total = doubled.copy() if self.total is None else _sum(self.total, doubled)

    @property
    def middle(self) -> Networks:
        """The mean network of each run.

        Raises:
            ValueError: no step was written down.
        """
        if self.total is None:
            raise ValueError("a window without a step has no middle")
        count = len(self.matrices)
        return Networks(
            tuple(weight / count for weight in self.total.weights),
            tuple(bias / count for bias in self.total.biases),
        )


def _sum(first: Networks, second: Networks) -> Networks:
    return Networks(
        tuple(a + b for a, b in zip(first.weights, second.weights, strict=True)),
        tuple(a + b for a, b in zip(first.biases, second.biases, strict=True)),
    )


def fluctuations(spec: FluctuationsSpec) -> xr.Dataset:
    """Variance, flatness, curvature and noise along the principal directions of each window.

    Returns:
        Dimensions sampling, window, realization, component. `variance` of the position along a
        component; `trend`, the share of it that a straight line in time explains; `width`, the
        stretch along it over which the loss of the mean network grows by a factor e (Feng and Tu's
        flatness), NaN where no end was found; `curvature`, vᵀHv; `noise`, vᵀΣv of a mini-batch.
        `surrogate_variance` and `surrogate_curvature` belong to the components of a walk in a
        quadratic valley with the same Hessian and noise. `train_loss` is that of the mean network.
    """
    problem = Problem.of(spec)
    parts = [_watched(problem, spec, sampling) for sampling in SAMPLINGS]
    dims = ("sampling", "window", "realization")
    numbers, losses = (np.stack(each) for each in zip(*parts, strict=True))
    found: Variables = {
        name: ((*dims, "component"), numbers[..., index, :]) for index, name in enumerate(MEASURED)
    }
    found["train_loss"] = (dims, losses)
    coords = {"sampling": list(SAMPLINGS), "window_time": ("window", list(spec.window_times))}
    attributes = {"learning_rate": spec.learning_rate, "n_window": spec.n_window}
    return xr.Dataset(found, coords, {"dataset": spec.dataset} | attributes)


def _watched(
    problem: Problem, spec: FluctuationsSpec, sampling: str
) -> tuple[np.ndarray, np.ndarray]:
    """What one kind of sampling gives: (window, realization, quantity, component), and the loss,
    (window, realization).
    """
    windows = [Window(step) for step in spec.window_steps]
    visits = [(range(window.first, window.first + spec.n_window), window) for window in windows]
    streams = orders(spec, spec.n_realizations)
    if sampling == REDRAWN:
        streams = [Redrawn(stream) for stream in streams]
    networks = problem.start.repeat(spec.n_realizations)
    train_runs(networks, problem, spec, *visits, streams=streams)
    require_finite(networks, spec)
    samples = Samples(problem.train.images.double(), problem.train.labels)
    measured = [
        [_measured(window, index, samples, spec) for index in range(spec.n_realizations)]
        for window in windows
    ]
    losses = [evaluate(window.middle, samples).loss.cpu().numpy() for window in windows]
    return np.array(measured), np.stack(losses)


def _measured(window: Window, index: int, samples: Samples, spec: FluctuationsSpec) -> np.ndarray:
    """Variance, trend, width, curvature and noise of one run's components in a window, and both
    of its surrogate's, (7, n_components).
    """
    path, middle = np.stack([matrices[index] for matrices in window.matrices]), window.middle
    components, variances, trends = principal(path, spec.n_components)
    layer = layer_curvature(middle, samples.images, index)
    noise = layer_noise(layer, samples.labels.cpu().numpy())
    factor = batch_factor(spec.batch_size, spec.n_train)
    rng = np.random.default_rng([spec.seed, window.first, index])
    surrogate = surrogate_path(layer, noise, factor, spec, rng)
    directions, spread, _ = principal(surrogate, spec.n_components)
    return np.stack(
        [
            variances,
            trends,
            valley_widths(middle.one(index), samples, components, layer),
            _curvatures(layer, components),
            factor * noise.variance(components),
            spread,
            _curvatures(layer, directions),
        ]
    )


def _curvatures(layer: LayerCurvature, directions: np.ndarray) -> np.ndarray:
    """vᵀHv along directions, one a row, (k,)."""
    return np.array([direction @ layer.product(direction) for direction in directions])


def surrogate_path(
    layer: LayerCurvature,
    noise: LayerNoise,
    factor: float,
    spec: FluctuationsSpec,
    rng: np.random.Generator,
) -> np.ndarray:
    """Positions in a quadratic valley with this Hessian and Gaussian noise of this covariance,
    neither changing, (n_window, n_in · n_out).

    The walk θ ← θ − η (Hθ + ξ) starts at the bottom one window before it is watched.

    Args:
        layer: H.
        noise: Σ of single samples.
        factor: what makes it that of a mini-batch.
        spec: learning rate and length of the window.
        rng: of the noise.
    """
    place, path, mean = np.zeros(noise.mean_gradient.size), [], noise.mean_gradient
    for _ in range(2 * spec.n_window):
        weights = rng.standard_normal(len(noise.inputs))
        kick = (noise.inputs.T @ (noise.slopes * weights[:, None])).ravel() - weights.sum() * mean
        place = place - spec.learning_rate * (
            layer.product(place) + (factor / len(weights)) ** 0.5 * kick
        )
        path.append(place)
    return np.stack(path[spec.n_window :])


def principal(path: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Principal directions of a path, one a row, (count, d), the variance along each, (count,), and
    the share of it that is a steady drift.

    Args:
        path: positions, (n_steps, d).
        count: how many.
    """
    centred = path - path.mean(axis=0)
    scores, sizes, rows = np.linalg.svd(centred, full_matrices=False)
    time = np.arange(len(path)) - (len(path) - 1) / 2
    return (
        rows[:count],
        sizes[:count] ** 2 / len(path),
        (time @ scores[:, :count]) ** 2 / (time @ time),
    )


def valley_widths(
    network: Networks, samples: Samples, directions: np.ndarray, layer: LayerCurvature
) -> np.ndarray:
    """Width of the loss profile along each direction in the second layer, where it has grown by a
    factor e on either side, (k,).

    Args:
        network: the middle of the valley, one network in float64.
        samples: training set.
        directions: flat unit vectors, (k, n_in · n_out).
        layer: curvature there, which gives the first guess.

    Returns:
        NaN where the loss has not grown so far within 256 times the first guess on a side.
    """
    loss = _profile_losses(network, samples, layer, np.zeros((1, directions.shape[1])))[0]
    both = np.concatenate([directions, -directions])
    bent = _curvatures(layer, directions)
    guess = np.sqrt(2 * (E_FOLD - 1) * loss / np.maximum(np.tile(bent, 2), 1e-3 * bent.max()))
    ends = _first_crossing(
        lambda lengths: (
            _profile_losses(network, samples, layer, lengths[:, None] * both) >= E_FOLD * loss
        ),
        guess,
    )
    return ends.reshape(2, -1).sum(axis=0)


def _profile_losses(
    network: Networks, samples: Samples, layer: LayerCurvature, shifts: np.ndarray
) -> np.ndarray:
    """Training loss at shifts of the second layer, (k,), from flat shifts (k, n_in · n_out);
    what comes before that layer is done once, in float32.
    """
    matrices = (
        torch.from_numpy(shifts.reshape(len(shifts), *layer.layer_shape)).mT
        + network.weights[SECOND_LAYER]
    )
    later = [weight.expand(len(shifts), -1, -1) for weight in network.weights[SECOND_LAYER + 1 :]]
    biases = tuple(bias.expand(len(shifts), -1, -1) for bias in network.biases[SECOND_LAYER:])
    inputs = Samples(torch.from_numpy(layer.inputs).float(), samples.labels)
    return (
        evaluate(Networks((matrices, *later), biases).to(torch.float32), inputs)
        .loss.double()
        .numpy()
    )


def _first_crossing(above: Callable[[np.ndarray], np.ndarray], guess: np.ndarray) -> np.ndarray:
    """Lengths at which `above` turns true, by doubling from a quarter of a guess and halving the
    last stretch; NaN where it never does.
    """
    low, high = np.zeros_like(guess), guess / 4
    for _ in range(int(np.log2(LONGEST)) + 2):
        short = ~above(high)
        if not short.any():
            break
        low, high = np.where(short, high, low), np.where(short, 2 * high, high)
    found = above(high)
    for _ in range(N_HALVINGS):
        middle = (low + high) / 2
        beyond = above(middle)
        low, high = np.where(beyond, low, middle), np.where(beyond, middle, high)
    return np.where(found, (low + high) / 2, np.nan)


def variance_exponents(found: xr.Dataset) -> xr.Dataset:
    """ψ of σ² ∝ F^(−ψ) over the components of each window that are no drift: measured, and as
    linear theory has it.

    Args:
        found: what `fluctuations` gives.

    Returns:
        Dimensions sampling, window, realization: `measured`; `steady`, with the variances of the
            steady state for the measured Σ and λ; `window`,
        with those within a window; `surrogate`, of the components of a walk in a quadratic valley,
        where F ∝ λ^(−1/2); `bent`, measured against λ^(−1/2) instead of F. `drifting` counts the
        components of which a straight line in time explains more than half.
    """
    kept = (found.trend <= MOSTLY_DRIFT) & (found.curvature > 0)
    known = {name: found[name].where(kept) for name in ("variance", "width", "curvature", "noise")}
    local = (found.learning_rate, known["curvature"], known["noise"])
    flat = {
        "surrogate": found.surrogate_curvature.where(found.surrogate_curvature > 0) ** -0.5,
        "bent": known["curvature"] ** -0.5,
    }
    spread = {
        "measured": known["variance"],
        "bent": known["variance"],
        "steady": stationary_variance(*local),
        "surrogate": found.surrogate_variance,
    }
    spread["window"] = xr.apply_ufunc(
        lambda *one: window_variance(found.learning_rate, *one, n_steps=found.n_window), *local[1:]
    )
    axes = {"input_core_dims": [["component"]] * 2, "vectorize": True}
    parts = {
        name: xr.apply_ufunc(exponent, flat.get(name, known["width"]), one, **axes)
        for name, one in spread.items()
    }
    return xr.Dataset(parts | {"drifting": (found.trend > MOSTLY_DRIFT).sum("component")})
