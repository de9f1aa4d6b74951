"""Noise that has a price: the best schedule for a number of samples, or of steps at one batch size.

Effective noise is learning rate over batch size, Δ_S = η/B, in units in which one sample has the
variance of the gradient noise. A step moves time on by η and costs B samples, so a sample buys
dt/dm = Δ_S of time: noise is also speed. With learning rate as the control at one batch size, a
step buys the same up to a constant, so that both budgets are one problem,

    dP/dm = Δ_S [k⁻(1 − P) − k⁺P],  dt/dm = Δ_S,

in which time, and with it y, is a state of its own, and not given. By Pontryagin's principle the
best noise has Δ_S (λ_P [k⁻(1 − P) − k⁺P] + λ_t) largest at each m, with the worth λ_t of being
further on; along it this is constant.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.optimize import minimize, minimize_scalar
from scipy.special import logit

from valleys.toy.landscapes.two_valley import TwoValley
from valleys.toy.theory.families import DESCENT, LEAST_NOISE, MOST_NOISE, mix
from valleys.toy.theory.schedules import Rates, Way, along, greedy, opening

N_TIMES = 400  # at which the way along y is tabulated
EARLY = 0.02  # of the samples: up to there pieces are equally long, later they grow


@dataclass(frozen=True)
class Road:
    """ln s and ln f2 over ln(1 + t), as far as a budget can reach."""

    opening: CubicSpline
    sharp: CubicSpline

    @classmethod
    def of(cls, landscape: TwoValley, duration: float, start_y: float) -> "Road":
        """Up to a duration, learning rate times steps."""
        places = np.linspace(0, np.log1p(duration), N_TIMES)
        y = along(landscape, start_y, np.expm1(places))
        values = opening(landscape, y), landscape.flatness(y)[1]
        return cls(*(CubicSpline(places, np.log(each)) for each in values))

    def at(self, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """s and f2."""
        places = np.log1p(times)
        return np.exp(self.opening(places)), np.exp(self.sharp(places))

    def slopes(self, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Of ln s and ln f2 by t."""
        places = np.log1p(times)
        return self.opening(places, 1) / (1 + times), self.sharp(places, 1) / (1 + times)


@dataclass(frozen=True)
class Budget:
    """Samples to spend, in pieces, by runs that begin somewhere along the valleys."""

    rates: Rates
    road: Road
    samples: np.ndarray  # (n,) of each piece
    start_p: float = 0.5

    @classmethod
    def of(
        cls, rates: Rates, n_samples: float, start_y: float = 1.0, n_pieces: int = 600
    ) -> "Budget":
        """A budget of so many samples; road and pieces follow."""
        road = Road.of(rates.landscape, MOST_NOISE * n_samples, start_y)
        borders = EARLY * np.expm1(np.linspace(0, np.log1p(1 / EARLY), n_pieces + 1))
        return cls(rates, road, np.diff(borders) * n_samples)

    def spend(self, noise: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Times and P_flat at the borders of the pieces, each (n + 1,), under a noise for each."""
        times = np.concatenate([[0.0], np.cumsum(noise * self.samples)])
        total, share = self._exchange(noise, times)
        p_flat = [self.start_p]
        for spent, target in zip(total, share, strict=True):
            p_flat.append(target + (p_flat[-1] - target) * np.exp(-spent))
        return times, np.array(p_flat)

    def worth(self, noise: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What P_flat at the end gains: by P_flat and by time at the border after each piece, λ_P
        and λ_t, and by ln noise of the piece, each (n,).
        """
        times, p_flat = self.spend(noise)
        theta, middles, lengths = self._places(noise, times)
        spent, share = self._exchange(noise, times)
        total_slope, share_slope = self.rates.slopes(theta)
        kept = np.exp(-spent)
        rate = total_slope * spent / np.maximum(self.rates.at(theta)[0], np.finfo(float).tiny)
        by_spent, by_share = (share - p_flat[:-1]) * kept, 1 - kept
        opened, widened = self.road.slopes(middles)
        by_place = by_spent * (-rate * opened - spent * widened) - by_share * share_slope * opened
        by_noise = by_spent * (rate + spent) + by_share * share_slope
        of_p, of_t = np.empty(noise.size), np.empty(noise.size)
        of_p[-1], of_t[-1] = 1.0, 0.0
        for piece in range(noise.size - 1, 0, -1):
            of_p[piece - 1] = of_p[piece] * kept[piece]
            of_t[piece - 1] = of_t[piece] + of_p[piece] * by_place[piece]
        gain = of_p * (by_noise + by_place * lengths / 2) + of_t * lengths
        return of_p, of_t, gain

    def balance(self, noise: np.ndarray) -> dict[str, np.ndarray]:
        """worth_of_time, λ_t, and balance, Δ_S (λ_P dP/dt + λ_t), of each piece (n,)."""
        times, p_flat = self.spend(noise)
        of_p, of_t, _ = self.worth(noise)
        return {
            "worth_of_time": of_t,
            "balance": (of_p * np.diff(p_flat) + of_t * np.diff(times)) / self.samples,
        }

    def _places(self, noise: np.ndarray, times: np.ndarray) -> tuple[np.ndarray, ...]:
        lengths = np.diff(times)
        middles = times[:-1] + lengths / 2
        return noise / self.road.at(middles)[0], middles, lengths

    def _exchange(self, noise: np.ndarray, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(k⁺ + k⁻) dt of each piece, and the stationary share."""
        theta, middles, lengths = self._places(noise, times)
        total, share = self.rates.at(theta)
        return total * lengths / self.road.at(middles)[1], share


def best_spending(budget: Budget, guesses: Sequence[float], n_knots: int = 40) -> np.ndarray:
    """The noise of each piece, (n,), with the most P_flat at the end of the samples, ln Δ_S linear
    between knots: the best that L-BFGS-B finds from constant guesses.
    """
    found = [_descend(budget, guess, n_knots) for guess in guesses]
    return max(found, key=lambda noise: budget.spend(noise)[1][-1])


def _descend(budget: Budget, guess: float, n_knots: int) -> np.ndarray:
    between = mix(budget.samples.size, n_knots)

    def loss(knots: np.ndarray) -> tuple[float, np.ndarray]:
        noise = np.exp(between @ knots)
        end = float(budget.spend(noise)[1][-1])
        return -float(logit(end)), -(between.T @ budget.worth(noise)[2]) / (end * (1 - end))

    found = minimize(
        loss,
        np.full(n_knots, np.log(guess)),
        jac=True,
        method="L-BFGS-B",
        bounds=[(np.log(LEAST_NOISE), np.log(MOST_NOISE))] * n_knots,
        options=DESCENT,
    )
    return np.exp(between @ found.x)


def best_constant(budget: Budget) -> float:
    """The constant noise with the most P_flat at the end of the samples."""

    def loss(log_noise: float) -> float:
        noise = np.full(budget.samples.size, np.exp(log_noise))
        return -float(logit(budget.spend(noise)[1][-1]))

    tried = np.linspace(np.log(1e-5), np.log(MOST_NOISE), 60)
    best = int(np.argmin([loss(each) for each in tried]))
    around = tried[max(0, best - 1)], tried[min(tried.size - 1, best + 1)]
    found: Any = minimize_scalar(loss, bounds=around, method="bounded")
    return float(np.exp(found.x))


def best_in_time(budget: Budget, start_y: float) -> np.ndarray:
    """The noise of each piece, (n,), of the schedule that is best in time, which is the same for
    all durations, for as long as the samples last.
    """
    duration = MOST_NOISE * budget.samples.sum()
    way = Way.of(budget.rates.landscape, duration, start_y)
    noise = greedy(budget.rates, way, budget.start_p, MOST_NOISE)
    spent = np.cumsum(np.diff(way.times) / noise)
    borders = np.concatenate([[0], np.cumsum(budget.samples)])
    passed = np.interp(borders, np.concatenate([[0], spent]), way.times)
    return np.diff(passed) / budget.samples
