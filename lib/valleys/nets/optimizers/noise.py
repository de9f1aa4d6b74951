"""Noise on the gradient other than that of mini-batches.

Each kind is a spec; `start` makes of it what is added to the gradients before each update, with R
streams of random numbers of its own.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from valleys.nets.engine.stack import Stack, flat, unflat
from valleys.nets.engine.training import Samples
from valleys.nets.measures.curvature import top_directions
from valleys.results.spec import require

Streams = Sequence[np.random.Generator]
# adds its noise to the gradients of each network: (step, stack, gradients)
Disturbance = Callable[[int, Stack, dict[str, Tensor]], dict[str, Tensor]]


def _check_power(power: float) -> None:
    require(power >= 0, f"power must be 0 or more, got {power}")


@dataclass(frozen=True)
class Isotropic:
    """Independent Gaussian noise of one variance in all directions.

    Attributes:
        power: mean squared length of the noise on the gradient, Tr Σ.
    """

    power: float

    def __post_init__(self) -> None:
        """Refuse a negative power."""
        _check_power(self.power)

    def start(self, samples: Samples, streams: Streams) -> Disturbance:
        """Noise drawn anew at each step."""

        def disturb(step: int, stack: Stack, gradients: dict[str, Tensor]) -> dict[str, Tensor]:
            rows = flat(gradients)
            scale = (self.power / rows.shape[1]) ** 0.5
            return unflat(rows + scale * normals(rows, streams), gradients)

        return disturb


@dataclass(frozen=True)
class Anticorrelated:
    """Isotropic noise of which each step takes back what the last one added, ξ₊ − ξ (Orvieto et
    al. 2022).

    Attributes:
        power: mean squared length of the noise on the gradient; half of it is each ξ's.
    """

    power: float

    def __post_init__(self) -> None:
        """Refuse a negative power."""
        _check_power(self.power)

    def start(self, samples: Samples, streams: Streams) -> Disturbance:
        """Noise that remembers the last step; before the first there was none."""
        last: list[Tensor] = []

        def disturb(step: int, stack: Stack, gradients: dict[str, Tensor]) -> dict[str, Tensor]:
            rows = flat(gradients)
            fresh = (self.power / 2 / rows.shape[1]) ** 0.5 * normals(rows, streams)
            old = last.pop() if last else torch.zeros_like(rows)
            last.append(fresh)
            return unflat(rows + fresh - old, gradients)

        return disturb


@dataclass(frozen=True)
class AlongCurvature:
    """Gaussian noise along the leading eigenvectors of the Hessian, of variance ∝ λᵖ.

    Attributes:
        power: mean squared length of the noise on the gradient, Tr Σ.
        exponent: p; 0 shares the power equally between the directions.
        n_directions: how many eigenvectors carry noise.
        renew_every: steps after which the eigenvectors are computed anew.
    """

    power: float
    exponent: float = 1.0
    n_directions: int = 10
    renew_every: int = 100

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        _check_power(self.power)
        require(self.n_directions >= 1, f"n_directions must be 1 or more, got {self.n_directions}")
        require(self.renew_every >= 1, f"renew_every must be 1 or more, got {self.renew_every}")

    def start(self, samples: Samples, streams: Streams) -> Disturbance:
        """Noise along the eigenvectors of the whole network's Hessian where it is."""
        axes: list[Tensor] = []  # each direction times its standard deviation, (R, k, n)

        def disturb(step: int, stack: Stack, gradients: dict[str, Tensor]) -> dict[str, Tensor]:
            rows = flat(gradients)
            if step % self.renew_every == 0 or not axes:
                axes[:] = [self._axes(stack, samples).to(rows)]
            draws = normals(rows[:, : self.n_directions], streams)
            return unflat(rows + torch.einsum("rk,rkn->rn", draws, axes[0]), gradients)

        return disturb

    def _axes(self, stack: Stack, samples: Samples) -> Tensor:
        values, vectors = top_directions(stack, samples, self.n_directions)
        weights = values.clamp_min(0) ** self.exponent
        shares = weights / weights.sum(dim=1, keepdim=True)
        return (self.power * shares).sqrt()[..., None] * vectors


@dataclass(frozen=True)
class OfKeptWeights:
    """The noise of mini-batches as it was at one moment: g_B − g at the weights kept then, so that
    it does not fade with the loss.

    Attributes:
        batch_size: B of the batches that make the noise, drawn independently.
        kept_at: step at which the weights are kept; before it there is none of this noise.
    """

    batch_size: int
    kept_at: int = 0

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        require(self.batch_size >= 1, f"batch_size must be 1 or more, got {self.batch_size}")
        require(self.kept_at >= 0, f"kept_at must be 0 or more, got {self.kept_at}")

    def start(self, samples: Samples, streams: Streams) -> Disturbance:
        """Noise of the weights at `kept_at`."""
        kept: list[tuple[Stack, dict[str, Tensor]]] = []

        def disturb(step: int, stack: Stack, gradients: dict[str, Tensor]) -> dict[str, Tensor]:
            if step < self.kept_at:
                return gradients
            if not kept:
                kept.append((stack.copy(), stack.gradients(samples.images, samples.labels)))
            then, mean = kept[0]
            chosen = drawn(len(samples), self.batch_size, streams)
            batch = then.gradients(*samples.batch(chosen))
            return {name: g + batch[name] - mean[name] for name, g in gradients.items()}

        return disturb


Noise = Isotropic | Anticorrelated | AlongCurvature | OfKeptWeights


def normals(rows: Tensor, streams: Streams) -> Tensor:
    """Standard normal numbers of the same shape, (R, n), a row from each stream."""
    draws = np.stack([stream.standard_normal(rows.shape[1]) for stream in streams])
    return torch.from_numpy(draws).to(rows)


def drawn(n_samples: int, batch_size: int, streams: Streams) -> Tensor:
    """Sample indices drawn independently, with replacement, (R, batch_size)."""
    return torch.from_numpy(
        np.stack([stream.integers(n_samples, size=batch_size) for stream in streams])
    )
