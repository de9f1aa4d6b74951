"""A path of low loss between two networks: a band that is pulled sideways down the slope."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from valleys.nets.engine.stack import Stack, flat, unflat
from valleys.nets.engine.training import Samples, evaluate
from valleys.results.spec import require


@dataclass(frozen=True)
class Band:
    """A path of straight pieces between two networks.

    Attributes:
        pivots: the networks at its corners, both ends included.
        losses: training loss along it, `n_between` equal steps a piece, both ends included, (n,).
        straight: the same on the straight line between the ends, (n,).
    """

    pivots: Stack
    losses: np.ndarray
    straight: np.ndarray


def elastic_band(
    first: Stack,
    second: Stack,
    samples: Samples,
    *,
    n_pivots: int = 9,
    n_steps: int = 200,
    learning_rate: float = 0.1,
    n_between: int = 5,
) -> Band:
    """A path of low training loss by a nudged elastic band (Jónsson et al. 1998), as Draxler et
    al. (2018) use it for networks: each pivot descends its slope across the band, and then all are
    put at equal distances along it again, as stiff springs would.

    Where the straight line has no wall the band stays close to it. A wall that is left may be one
    of the band: it is never lower than that of the best path, and may be higher.

    Args:
        first: one network.
        second: one network of the same architecture.
        samples: training set.
        n_pivots: corners of the path, both ends included.
        n_steps: steps of full-batch gradient descent across the band.
        learning_rate: of these steps.
        n_between: points at which the loss of each piece is looked at.

    Raises:
        ValueError: not one network each, or numbers that make no path.
    """
    require(len(first) == len(second) == 1, "a band joins one network with one; pick one of each")
    require(n_pivots >= 3, f"n_pivots must be 3 or more, both ends included, got {n_pivots}")
    require(n_steps >= 0, f"n_steps must be 0 or more, got {n_steps}")
    require(n_between >= 1, f"n_between must be 1 or more, got {n_between}")
    pivots = first.repeat(n_pivots)
    ends = torch.cat([flat(end.parameters) for end in (first, second)])
    line = torch.lerp(ends[:1], ends[1:], torch.linspace(0, 1, n_pivots).to(ends)[:, None])
    _place(pivots, line)
    straight = _losses(pivots, samples, n_between)
    for _ in range(n_steps):
        rows = flat(pivots.parameters)
        slopes = flat(pivots.gradients(samples.images, samples.labels))
        rows[1:-1] -= learning_rate * across(slopes, rows)[1:-1]
        _place(pivots, spread(rows))
    return Band(pivots, _losses(pivots, samples, n_between), straight)


def across(slopes: Tensor, rows: Tensor) -> Tensor:
    """The part of each pivot's slope that is perpendicular to the band, (n_pivots, n); the band's
    direction is that from the pivot before to the pivot after.
    """
    along = torch.zeros_like(rows)
    along[1:-1] = torch.nn.functional.normalize(rows[2:] - rows[:-2], dim=1)
    return slopes - (slopes * along).sum(dim=1, keepdim=True) * along


def spread(rows: Tensor) -> Tensor:
    """Points at equal distances along the straight pieces between pivots, (n_pivots, n)."""
    lengths = torch.linalg.vector_norm(rows.diff(dim=0), dim=1)
    reached = torch.cat([lengths.new_zeros(1), lengths.cumsum(0)])
    wanted = torch.linspace(0, 1, len(rows)).to(rows) * reached[-1]
    piece = torch.searchsorted(reached, wanted, right=True).clamp(1, len(rows) - 1) - 1
    share = (wanted - reached[piece]) / lengths[piece].clamp_min(torch.finfo(rows.dtype).tiny)
    return torch.lerp(rows[piece], rows[piece + 1], share.clamp(0, 1)[:, None])


def _place(pivots: Stack, rows: Tensor) -> None:
    """Put the pivots at these weights."""
    for name, part in unflat(rows, pivots.parameters).items():
        pivots.parameters[name].copy_(part)


def _losses(pivots: Stack, samples: Samples, n_between: int) -> np.ndarray:
    """Training loss along the band."""
    rows = flat(pivots.parameters)
    shares = torch.arange(n_between).to(rows) / n_between
    pieces = [torch.lerp(rows[:-1], rows[1:], share) for share in shares]
    along = torch.cat([torch.stack(pieces, dim=1).flatten(0, 1), rows[-1:]])
    points = pivots.pick(slice(0, 1)).repeat(len(along))
    _place(points, along)
    return evaluate(points, samples).loss.cpu().numpy()
