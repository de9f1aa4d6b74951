"""Sharpness-aware minimization."""

import torch
from torch import Tensor

from valleys.nets.engine.stack import Stack, flat, unflat


def gradients_uphill(
    stack: Stack, images: Tensor, labels: Tensor, radius: float
) -> dict[str, Tensor]:
    """Slope of each network's batch loss at θ + ρ g/‖g‖, a step uphill away (Foret et al. 2021,
    Eq. 2), with g the batch's own gradient and ‖g‖ of each network alone.

    Args:
        stack: R networks; they end as they began.
        images: as in `Stack.gradients`.
        labels: as in `Stack.gradients`.
        radius: ρ; 0 gives the gradient itself.
    """
    here = stack.gradients(images, labels)
    if radius == 0:
        return here
    rows = flat(here)
    lengths = torch.linalg.vector_norm(rows, dim=1, keepdim=True).clamp_min(1e-12)
    before = {name: part.clone() for name, part in stack.parameters.items()}
    for name, part in unflat(radius * rows / lengths, here).items():
        stack.parameters[name].add_(part)
    above = stack.gradients(images, labels)
    for name, part in before.items():
        stack.parameters[name].copy_(part)
    return above
