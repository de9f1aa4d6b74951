"""The loss on the straight lines between consecutive points of a walk: where it has a floor, how
high its ends stand above it, how steps follow one another.

The first group of functions takes plain arrays, whatever the landscape; the second fills them for
networks.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from valleys.nets.engine.networks import Networks, forward
from valleys.nets.engine.training import Samples, sample_losses
from valleys.nets.measures.solutions import Prepared

# of the loss; a smaller difference between two sums over all samples in float64 is no difference
ROUNDING = 1e-12


def has_floor(losses: np.ndarray) -> np.ndarray:
    """Whether each line has its lowest loss between its ends, below both by more than rounding,
    bool, (…,), from (…, n_fractions).
    """
    lowest, ends = losses.min(axis=-1), np.minimum(losses[..., 0], losses[..., -1])
    return ends - lowest > ROUNDING * ends


def crosses_floor(start_slopes: np.ndarray, end_slopes: np.ndarray) -> np.ndarray:
    """Whether the loss falls at the start of each line and rises at its end, bool, (…,): a floor
    between them, without a grid.
    """
    return (start_slopes < 0) & (end_slopes > 0)


def is_convex(losses: np.ndarray) -> np.ndarray:
    """Whether no second difference along each line is negative beyond rounding, bool, (…,), from
    (…, n_fractions).
    """
    return (
        np.diff(losses, n=2, axis=-1) >= -4 * ROUNDING * losses.max(axis=-1, keepdims=True)
    ).all(axis=-1)


def height(losses: np.ndarray) -> np.ndarray:
    """Mean loss of both ends of each line above its lowest, (…,), from (…, n_fractions); NaN
    where it has no floor.
    """
    above = (losses[..., 0] + losses[..., -1]) / 2 - losses.min(axis=-1)
    return np.where(has_floor(losses), above, np.nan)


def sag(losses: np.ndarray) -> np.ndarray:
    """How far the middle of each line lies below the mean of its ends, (…,), from an odd number of
    (…, n_fractions).

    It is uᵀHu / 8 for an update u in a bowl with Hessian H, whether the line has a floor or not.
    """
    return (losses[..., 0] + losses[..., -1]) / 2 - losses[..., losses.shape[-1] // 2]


def successive_cosines(updates: np.ndarray) -> np.ndarray:
    """Cosine of the angle between each update and the next, (n − 1,), from (n, n_weights)."""
    lengths = np.linalg.norm(updates, axis=-1)
    return (updates[:-1] * updates[1:]).sum(axis=-1) / (lengths[:-1] * lengths[1:])


def landscape_cosines(
    updates: np.ndarray, end_slopes: np.ndarray, learning_rate: float
) -> np.ndarray:
    """The part of each successive cosine that the full gradient g makes, −η u·g' / (|u| |u'|), (n −
    1,); the rest is the next batch's deviation from it.

    Args:
        updates: u, (n, n_weights).
        end_slopes: u·g at the end of each update, (n,).
        learning_rate: η.
    """
    lengths = np.linalg.norm(updates, axis=-1)
    return -learning_rate * end_slopes[:-1] / (lengths[:-1] * lengths[1:])


@dataclass(frozen=True)
class Lines:
    """The lines of a walk of n steps.

    Attributes:
        losses: at equally spaced fractions of each line, (n, n_fractions).
        start_slopes: derivative of the loss in the fraction at the start of each line, u·g, (n,).
        end_slopes: the same at its end, (n,).
    """

    losses: np.ndarray
    start_slopes: np.ndarray
    end_slopes: np.ndarray


def lines_between(walk: Networks, samples: Samples, n_fractions: int) -> Lines:
    """The loss of all samples on the line from each network to the next, with exact slopes at its
    ends.

    Args:
        walk: n + 1 networks in the order of their steps, in float64 because late in training the
            lines hardly sag.
        samples: the training set, in the same precision.
        n_fractions: points of a line, both ends included.
    """
    prepared = Prepared.of(walk, samples)
    with torch.no_grad():
        losses = [
            _line_losses(prepared, torch.full((len(walk) - 1,), fraction, dtype=torch.float64))
            for fraction in np.linspace(0, 1, n_fractions)
        ]
    slopes = (
        _line_slopes(
            prepared, torch.full((len(walk) - 1,), end, dtype=torch.float64, requires_grad=True)
        )
        for end in (0.0, 1.0)
    )
    return Lines(torch.stack(losses, dim=1).cpu().numpy(), *(each.cpu().numpy() for each in slopes))


def _line_losses(prepared: Prepared, fractions: Tensor) -> Tensor:
    """Loss on each line at a fraction of its own, (n,); what the first layer gives before its
    ReLU is linear in the fraction.
    """
    at = fractions.to(prepared.received).view(-1, 1, 1)
    received, *later = (
        torch.lerp(part[:-1], part[1:], at)
        for part in (prepared.received, *prepared.later.weights, *prepared.later.biases)
    )
    half = len(later) // 2
    _, scores = forward(Networks(tuple(later[:half]), tuple(later[half:])), received.relu().mT)
    return sample_losses(scores, prepared.labels).mean(dim=1)


def _line_slopes(prepared: Prepared, fractions: Tensor) -> Tensor:
    return torch.autograd.grad(_line_losses(prepared, fractions).sum(), fractions)[0].to(
        prepared.received
    )


def point_on_line(walk: Networks, line: int, fraction: float) -> Networks:
    """The one network at a fraction of one of the lines of a walk."""

    def mix(parts: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return tuple(
            torch.lerp(part[line : line + 1], part[line + 1 : line + 2], fraction) for part in parts
        )

    return Networks(mix(walk.weights), mix(walk.biases))


def weights_of(networks: Networks) -> np.ndarray:
    """All weights and biases of each network side by side, float64, (R, n_weights)."""
    return networks.flat().double().cpu().numpy()
