"""The paper's equation in continuous time (Eqs. A2 to A5) at fixed y, dx = −∂x L dt + √(2D) dW, by
the steps of Euler and Maruyama, with the noise taken where a step begins or where it ends.

The two rules differ where D changes within a step, so D is blurred: it changes over a width about
the ridge, which steps resolve, and which then shrinks.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from valleys.toy.landscapes.two_valley import TwoValley
from valleys.toy.simulation.langevin import Seed, mean_and_error, streams
from valleys.toy.theory.at_fixed_y import diffusion

RULES = ("ito", "end_point")
N_GRID = 20_001  # places of the quadrature, odd: the ridge is one of them
REACH = 9.0  # standard deviations beyond a bottom at which the density is taken as zero


@dataclass(frozen=True)
class Blurred:
    """x at fixed y, with a D that goes from that of the sharp valley to that of the flat one over
    a width about the ridge.

    Raises:
        ValueError: width is not positive, or y or the noise is out of range.
    """

    landscape: TwoValley
    y: float
    effective_noise: float
    width: float

    def __post_init__(self) -> None:
        """Refuse what has no D."""
        if not self.width > 0:
            raise ValueError(f"width is {self.width!r}; it must be a positive number, such as 0.01")
        diffusion(self.landscape, self.y, self.effective_noise)

    @cached_property
    def sides(self) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
        """Bottom, curvature 2/f and D of the flat and of the sharp valley."""
        flatness, bottoms = self.landscape.flatness(self.y), self.landscape.valley_positions(self.y)
        spreads = diffusion(self.landscape, self.y, self.effective_noise)
        flat, sharp = (
            (float(bottom), float(2 / f), float(spread))
            for bottom, f, spread in zip(bottoms, flatness, spreads, strict=True)
        )
        return flat, sharp

    def drift(self, x: np.ndarray) -> np.ndarray:
        """A = −∂x L (Eq. A3)."""
        (flat, flat_curve, _), (sharp, sharp_curve, _) = self.sides
        return np.where(x < 0, sharp_curve * (sharp - x), flat_curve * (flat - x))

    def diffusion(self, x: np.ndarray) -> np.ndarray:
        """D11 of Eq. A9, its jump blurred to a hyperbolic tangent."""
        (*_, flat), (*_, sharp) = self.sides
        return (flat + sharp) / 2 + (flat - sharp) / 2 * np.tanh(x / self.width)


def step(
    walk: Blurred, x: np.ndarray, time_step: float, normals: np.ndarray, rule: str
) -> np.ndarray:
    """x + A Δt + √(2D Δt) ξ (Eq. A2), with D of the place where the step begins ("ito"), or of that
    to which this step leads ("end_point"), which adds the drift ∂x D.
    """
    moved = x + walk.drift(x) * time_step
    end = moved + np.sqrt(2 * walk.diffusion(x) * time_step) * normals
    if rule == "ito":
        return end
    return moved + np.sqrt(2 * walk.diffusion(end) * time_step) * normals


def share(
    walk: Blurred,
    rule: str,
    time_step: float,
    n_runs: int = 1000,
    duration: float = 20.0,
    burn_in: float = 20.0,
    seed: Seed = 0,
) -> tuple[float, float]:
    """Share of time on the flat side, and its standard error over independent runs.

    Half the runs start at each bottom, and forget it during burn_in. Durations are in units of
    time. Raises ValueError for a rule that is not in RULES.
    """
    check_rule(rule)
    rng = np.random.default_rng(streams(seed))
    (flat, *_), (sharp, *_) = walk.sides
    x = np.where(np.arange(n_runs) % 2, flat, sharp)
    waiting, counted = (math.ceil(length / time_step) for length in (burn_in, duration))
    flat_steps = np.zeros(n_runs)
    for place in range(waiting + counted):
        x = step(walk, x, time_step, rng.standard_normal(n_runs), rule)
        if place >= waiting:
            flat_steps += x >= 0
    return mean_and_error(flat_steps / counted)


def stationary_density(walk: Blurred, rule: str) -> tuple[np.ndarray, np.ndarray]:
    """P(x) without flux on a grid, each (N_GRID,): e^{∫A/D}, and divided by D for Itô.

    Raises:
        ValueError: the rule is not in RULES.
    """
    check_rule(rule)
    (flat, *_), (sharp, *_) = walk.sides
    reach = REACH * math.sqrt(walk.effective_noise)
    half = N_GRID // 2
    x = np.concatenate(
        [np.linspace(sharp - reach, 0, half + 1)[:-1], np.linspace(0, flat + reach, half + 1)]
    )
    spread = walk.diffusion(x)
    force = walk.drift(x) / spread
    exponent = np.concatenate([[0.0], np.cumsum(np.diff(x) * (force[1:] + force[:-1]) / 2)])
    density = np.exp(exponent - exponent.max()) / (spread if rule == "ito" else 1.0)
    return x, density / np.trapezoid(density, x)


def stationary_share(walk: Blurred, rule: str) -> float:
    """Weight of x > 0 in `stationary_density`: for a small width γr of Itô, and r of Eq. 16."""
    x, density = stationary_density(walk, rule)
    return float(np.trapezoid(density[x >= 0], x[x >= 0]))


def check_rule(rule: str) -> None:
    """Refuse a rule that is not in RULES (ValueError)."""
    if rule not in RULES:
        raise ValueError(f"unknown rule {rule!r}; choose one of {', '.join(RULES)}")
