"""Schedules of noise that can be written down in a line, each at its best amplitude, and the best
of all schedules found without theory, by descent on many knots.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize

from valleys.results.spec import require
from valleys.toy.theory.schedules import Rates, Way, end_and_slope, follow, log_odds

Shape = Callable[[Way, np.ndarray], np.ndarray]
STEP_DOWN = 0.1  # of the noise, by which a step lowers it
TURNS = np.linspace(0.1, 0.9, 17)  # parts of the time at which a step is tried
AMPLITUDES = 60  # tried over the range, before the best is refined
DESCENT = {"maxiter": 2000, "maxfun": 4000, "ftol": 1e-13, "gtol": 1e-8, "maxcor": 30}
LEAST_NOISE, MOST_NOISE = 1e-8, 0.02  # range of the noise of any schedule


def _passed(way: Way) -> np.ndarray:
    """Part of the time that has passed, in the middle of each piece."""
    return way.middles / way.times[-1]


def _step(way: Way, turn: np.ndarray) -> np.ndarray:
    return np.where(_passed(way) < turn, 1.0, STEP_DOWN)


SHAPES: dict[str, Shape] = {
    "constant": lambda way, _: np.ones(way.y.size),
    "linear fall": lambda way, _: 1 - _passed(way),
    "cosine": lambda way, _: (1 + np.cos(np.pi * _passed(way))) / 2,
    "linear rise": lambda way, _: _passed(way),
    "step": _step,
    "with the ridge": lambda way, _: way.opening,
}
TURNED = ("step",)  # shapes with a second number, the part of the time at which they turn


@dataclass(frozen=True)
class Chosen:
    """One shape at its best."""

    noise: np.ndarray  # (n,) Δ_S of each piece
    amplitude: float
    turn: float  # NaN for a shape that has none
    p_flat: float  # at the end


def best_of_shape(rates: Rates, way: Way, shape: str, start_p: float = 0.5) -> Chosen:
    """A shape of `SHAPES` with the amplitude, and the turn, that give the most P_flat at the end.

    Raises:
        ValueError: an unknown shape.
    """
    require(shape in SHAPES, f"unknown shape {shape!r}; choose one of {', '.join(SHAPES)}")
    turns = TURNS if shape in TURNED else np.array([np.nan])

    def noise_of(numbers: np.ndarray) -> np.ndarray:
        drawn = np.exp(numbers[0]) * SHAPES[shape](way, np.clip(numbers[1], TURNS[0], TURNS[-1]))
        return np.clip(drawn, LEAST_NOISE, MOST_NOISE)

    def loss(numbers: np.ndarray) -> float:
        return -float(log_odds(follow(rates, way, noise_of(numbers), start_p)[-1]))

    place = min(_scan(rates, way, shape, turns, start_p), key=lambda each: each[0])[1]
    free = np.array([True, shape in TURNED])

    def of_free(values: np.ndarray) -> np.ndarray:
        full = place.copy()
        full[free] = values
        return full

    found = minimize(
        lambda values: loss(of_free(values)),
        place[free],
        method="Nelder-Mead",
        options={"initial_simplex": _simplex(place[free]), "xatol": 1e-5, "fatol": 1e-10},
    )
    numbers = of_free(found.x)
    noise, turn = noise_of(numbers), float(np.clip(numbers[1], TURNS[0], TURNS[-1]))
    end = float(follow(rates, way, noise, start_p)[-1])
    return Chosen(noise, float(np.exp(numbers[0])), turn, end)


def _scan(
    rates: Rates, way: Way, shape: str, turns: np.ndarray, start_p: float
) -> list[tuple[float, np.ndarray]]:
    """For each turn the best of all amplitudes tried: minus its log odds, and its numbers."""
    amplitudes = np.geomspace(1e-5, 10 * MOST_NOISE, AMPLITUDES)
    tried = []
    for turn in turns:
        noise = np.clip(amplitudes[:, None] * SHAPES[shape](way, turn), LEAST_NOISE, MOST_NOISE)
        loss = -log_odds(follow(rates, way, noise, start_p)[:, -1])
        best = int(loss.argmin())
        tried.append((float(loss[best]), np.array([np.log(amplitudes[best]), turn])))
    return tried


def _simplex(place: np.ndarray) -> np.ndarray:
    """Corners around a place, a little apart in each direction."""
    return np.vstack([place, *(place + 0.02 * row for row in np.eye(place.size))])


def best_by_descent(
    rates: Rates, way: Way, guess: ArrayLike, n_knots: int = 60, start_p: float = 0.5
) -> np.ndarray:
    """The schedule (n,) with the most P_flat at the end among those whose ln Δ_S is linear between
    knots, by L-BFGS-B from a guess with the gradient of `end_and_slope`; knows not of `greedy`.

    Args:
        rates: of the exchange.
        way: on which it happens; the knots are equally many pieces apart.
        guess: a positive number, or one for each knot.
        n_knots: 2 or more.
        start_p: P_flat at the start.
    """
    between = mix(way.y.size, n_knots)

    def loss(knots: np.ndarray) -> tuple[float, np.ndarray]:
        noise = np.exp(between @ knots)
        end, slope = end_and_slope(rates, way, noise, start_p)
        return -float(log_odds(end)), -(between.T @ slope) / (end * (1 - end))

    first = np.log(np.broadcast_to(np.asarray(guess, dtype=float), (n_knots,)))
    found = minimize(
        loss,
        first,
        jac=True,
        method="L-BFGS-B",
        bounds=[(np.log(LEAST_NOISE), np.log(MOST_NOISE))] * n_knots,
        options=DESCENT,
    )
    return np.exp(between @ found.x)


def mix(n_pieces: int, n_knots: int) -> np.ndarray:
    """(n_pieces, n_knots) that interpolates between knots at both ends and evenly between."""
    place = np.linspace(0, n_knots - 1, n_pieces)
    left = np.minimum(place.astype(int), n_knots - 2)
    mix, rows = np.zeros((n_pieces, n_knots)), np.arange(n_pieces)
    mix[rows, left], mix[rows, left + 1] = 1 - (place - left), place - left
    return mix
