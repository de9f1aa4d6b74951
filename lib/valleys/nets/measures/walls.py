"""Walls on the straight line between two networks of any kind."""

import numpy as np
import torch
from torch import Tensor

from valleys.nets.engine.modules import Modules
from valleys.nets.engine.stack import Stack
from valleys.nets.engine.training import Samples, evaluate
from valleys.nets.measures.solutions import rise

N_FRACTIONS = 11  # points of a line, the ends included


def walls(networks: Stack, samples: Samples) -> np.ndarray:
    """Rise of the training loss above the higher end on the line between each two networks, in the
    order of `numpy.triu_indices`, (n_pairs,).

    Running means that a network keeps are interpolated as well.

    Args:
        networks: R networks.
        samples: on which the loss is taken.
    """
    return walls_of(networks, np.stack(np.triu_indices(len(networks), 1), axis=1), samples)


def walls_of(networks: Stack, pairs: np.ndarray, samples: Samples) -> np.ndarray:
    """The same of some pairs, (n_pairs, 2), by their places in the stack."""
    losses = [
        evaluate(line(networks, first, second), samples).loss.cpu().numpy()
        for first, second in pairs.tolist()
    ]
    return rise(np.array(losses).reshape(-1, N_FRACTIONS))


def line(networks: Stack, first: int, second: int) -> Stack:
    """Networks on the straight line from one of them to another, `N_FRACTIONS`."""
    found = networks.pick(slice(first, first + 1)).repeat(N_FRACTIONS)
    ends, between = _numbers(networks), _numbers(found)
    for name, part in between.items():
        share = torch.linspace(0, 1, N_FRACTIONS).to(part).view(-1, *[1] * (part.ndim - 1))
        part.copy_(torch.lerp(ends[name][first][None], ends[name][second][None], share))
    return found


def _numbers(networks: Stack) -> dict[str, Tensor]:
    """What a straight line interpolates, by name, (R, …)."""
    kept = networks.buffers if isinstance(networks, Modules) else {}
    return networks.parameters | {
        name: part for name, part in kept.items() if part.is_floating_point()
    }
