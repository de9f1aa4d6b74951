"""Walkers that divide by the running size of their gradient, as RMSprop and Adam do, at fixed y."""

from collections.abc import Sequence

import numpy as np

from valleys.results.spec import require
from valleys.toy.landscapes.two_valley import TwoValley
from valleys.toy.simulation.langevin import Seed, check_settings, streams

BURN_IN = 0.25  # share of the steps before any is counted
TINY = 1e-12  # beside √v


def adaptive_share(
    landscape: TwoValley,
    learning_rate: float,
    noise_strength: float,
    y: float,
    memories: Sequence[float],
    *,
    momentum: float = 0.0,
    n_runs: int = 256,
    n_steps: int = 20_000,
    seed: Seed = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Share of the steps at x > 0 of x₊ = x − η m/√v, v₊ = v + (g² − v)/M, m₊ = β₁m + (1 − β₁)g,
    with g = ∂x L + ξ and Var ξ = 2σ ∂²L/∂x² at fixed y (Kingma and Ba 2015, without the correction
    of the first steps: v begins at its mean).

    Args:
        landscape: the two valleys.
        learning_rate: η.
        noise_strength: σ.
        y: where, above 0.
        memories: M = 1/(1 − β₂) in steps, (n,), each 1 or more; 1 follows the sign of the gradient.
        momentum: β₁.
        n_runs: walkers for each memory, half of them from either bottom.
        n_steps: steps, of which the first quarter is not counted.
        seed: of all kicks.

    Returns:
        Shares, (n,), and their standard errors over walkers, (n,).

    Raises:
        ValueError: a setting out of range.
    """
    settings = {"start_y": y, "n_runs": n_runs, "n_steps": n_steps, "seed": seed}
    check_settings(landscape, [learning_rate], [noise_strength], **settings)
    require(min(memories) >= 1, f"memories must be 1 step or more, got {list(memories)}")
    require(0 <= momentum < 1, f"momentum must be 0 or more and below 1, got {momentum}")
    rng, part = np.random.default_rng(streams(seed)), 1 / np.array(memories, dtype=float)[:, None]
    bottoms, curves = _valleys(landscape, y)
    x = np.tile(bottoms[np.arange(n_runs) % 2], (len(part), 1))
    square = 2 * noise_strength * curves[(x > 0).astype(int)]
    moved, counted = np.zeros_like(x), np.zeros_like(x)
    begin = int(BURN_IN * n_steps)
    for step in range(n_steps):
        side = (x > 0).astype(int)
        curve = curves[side]
        slope = curve * (x - bottoms[side])
        slope += np.sqrt(2 * noise_strength * curve) * rng.standard_normal(x.shape)
        square += part * (slope**2 - square)
        moved = momentum * moved + (1 - momentum) * slope
        x = x - learning_rate * moved / (np.sqrt(square) + TINY)
        if step >= begin:
            counted += x > 0
    shares = counted / (n_steps - begin)
    return shares.mean(axis=1), shares.std(axis=1, ddof=1) / np.sqrt(n_runs)


def _valleys(landscape: TwoValley, y: float) -> tuple[np.ndarray, np.ndarray]:
    """Bottoms and curvatures of the sharp valley and of the flat one."""
    bottoms = np.array(landscape.valley_positions(y))[::-1]
    return bottoms, 2 / np.array(landscape.flatness(y))[::-1]
