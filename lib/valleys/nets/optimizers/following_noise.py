"""Noise on the gradient whose strength follows that of mini-batches where the network is.

Each kind is a spec; `at` makes of it the noise at one place, which is drawn until the place is
looked at anew.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from valleys.nets.measures.gradient_noise import batch_factor
from valleys.nets.measures.sample_slopes import SampleSlopes
from valleys.results.spec import require

Stream = np.random.Generator
MATCHES = ("power", "lift")


@dataclass(frozen=True)
class LocalNoise:
    """Noise as it is at one place.

    Attributes:
        power: mean squared length of the noise on the gradient, Tr Σ.
        lift: Tr ΣH, with the Hessian H of the place.
        draw: one draw of it, flat, (n,).
    """

    power: float
    lift: float
    draw: Callable[[Stream], Tensor]


class Following(Protocol):
    """A kind of noise that follows the network."""

    def at(self, here: SampleSlopes, probes: Stream) -> LocalNoise:
        """The noise at a place.

        Args:
            here: the network on its training set.
            probes: of what is measured by random directions.
        """
        ...


@dataclass(frozen=True)
class BatchesHere:
    """The noise of mini-batches themselves: g_B − ḡ at the place that is looked at.

    Attributes:
        batch_size: B.
        replacement: whether the samples of a batch are drawn independently; if not, each batch
            holds a sample once.
        n_probes: random directions of which the mean gives Tr ΣH.
    """

    batch_size: int
    replacement: bool = True
    n_probes: int = 4

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        for name in ("batch_size", "n_probes"):
            require(getattr(self, name) >= 1, f"{name} must be 1 or more")

    def at(self, here: SampleSlopes, probes: Stream) -> LocalNoise:
        """Batches of this place, with the curvature here."""
        return self.of(here, here, probes)

    def of(self, then: SampleSlopes, here: SampleSlopes, probes: Stream) -> LocalNoise:
        """Batches of one place with the curvature of another."""
        factor, mean = self.factor(then.n_samples), then.mean_gradient()

        def draw(stream: Stream) -> Tensor:
            size, n = self.batch_size, then.n_samples
            chosen = stream.choice(n, size, replace=self.replacement)
            batch = then.pick(torch.from_numpy(chosen))
            return batch.mean_gradient() - mean

        lift = here.lift(probes, self.n_probes, then)
        return LocalNoise(factor * then.noise_trace(), factor * lift, draw)

    def factor(self, n_samples: int) -> float:
        """What the covariance of the samples' gradients is multiplied with."""
        return 1 / self.batch_size if self.replacement else batch_factor(self.batch_size, n_samples)


@dataclass(frozen=True)
class IsotropicLike:
    """Gaussian noise of one variance in all weights and biases.

    Attributes:
        batches: whose strength it follows.
        match: what is equal: `power`, Tr Σ, or `lift`, Tr ΣH.
        factor: by which that is multiplied.
    """

    batches: BatchesHere
    match: str = "power"
    factor: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        known = " or ".join(MATCHES)
        require(self.match in MATCHES, f"match must be {known}, got {self.match!r}")
        require(self.factor > 0, f"factor must be above 0, got {self.factor}")

    def at(self, here: SampleSlopes, probes: Stream) -> LocalNoise:
        """Noise of this place's strength; of equal lift none where mini-batches have none, or
        where there is no curvature.
        """
        factor = self.factor * self.batches.factor(here.n_samples)
        per_power = here.trace() / here.size
        if self.match == "power":
            power = factor * here.noise_trace()
        else:
            lift = factor * here.lift(probes, self.batches.n_probes)
            power = max(0.0, lift) / per_power if per_power > 0 else 0.0
        scale = (power / here.size) ** 0.5

        def draw(stream: Stream) -> Tensor:
            return scale * normals(here.size, stream).to(here.probabilities)

        return LocalNoise(power, power * per_power, draw)


@dataclass
class AlongTop:
    """Gaussian noise along the leading eigenvectors of the whole Hessian, of variance ∝ λᵖ and the
    power of mini-batches.

    Attributes:
        batches: whose power it follows.
        exponent: p; 0 shares the power equally between the directions.
        n_directions: how many eigenvectors carry noise.
        renew_every: looks after which the eigenvectors are computed anew; the power follows at
            every look.
    """

    batches: BatchesHere
    exponent: float = 1.0
    n_directions: int = 10
    renew_every: int = 1

    def __post_init__(self) -> None:
        """Refuse what makes no sense; nothing is known yet."""
        require(self.n_directions >= 1, f"n_directions must be 1 or more, got {self.n_directions}")
        require(self.renew_every >= 1, f"renew_every must be 1 or more, got {self.renew_every}")
        self._n_looks, self._pairs = 0, (torch.empty(0), torch.empty(0))

    def at(self, here: SampleSlopes, probes: Stream) -> LocalNoise:
        """Noise along the eigenvectors of this place, or of one not long ago."""
        if self._n_looks % self.renew_every == 0:
            self._pairs = here.top(self.n_directions)
        self._n_looks += 1
        values, vectors = self._pairs
        weights = values.clamp_min(0) ** self.exponent
        power = self.batches.factor(here.n_samples) * here.noise_trace()
        variances = power * weights / weights.sum()

        def draw(stream: Stream) -> Tensor:
            sizes = variances.sqrt() * normals(self.n_directions, stream).to(variances)
            return sizes @ vectors

        return LocalNoise(power, float(variances @ values), draw)


@dataclass(frozen=True, eq=False)
class KeptBatches:
    """The noise of mini-batches as it was at one place, g_B − ḡ there, so that it does not fade
    with the loss.

    Attributes:
        batches: what kind of batches.
        then: the place.
    """

    batches: BatchesHere
    then: SampleSlopes

    def at(self, here: SampleSlopes, probes: Stream) -> LocalNoise:
        """The same noise everywhere; its lift changes with the curvature."""
        return self.batches.of(self.then, here, probes)


class Independent(np.random.Generator):
    """A stream of batch order that draws each sample independently where a new order of all is
    asked for.
    """

    def permutation(self, x: int, axis: int = 0) -> np.ndarray:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Indices below x, drawn with replacement, (x,)."""
        return self.integers(x, size=x)


def normals(count: int, stream: Stream) -> Tensor:
    """Standard normal numbers in single precision, (count,)."""
    return torch.from_numpy(stream.standard_normal(count, dtype=np.float32))
