"""Noise that changes along the way: the flat share under any schedule, and the best one.

Small steps, time = learning rate · step. y drifts with the speed of Eq. A8 whatever the noise, and
P = P_flat obeys dP/dt = k⁻(1 − P) − k⁺P (Eq. A26) with the rates at the present y and noise. The
control stands on the right side alone and at one moment alone, so that the best noise is pointwise
greedy, Δ*(y, P) = argmax [k⁻(1 − P) − k⁺P]: solutions of a scalar equation keep their order, and
the largest right side gives the largest P at every later time. Another schedule loses, exactly,
∫ [F(P*, Δ*) − F(P*, Δ)] e^{−∫(k⁺ + k⁻) dt'} dt, with F the right side and the integral in the
exponent from t to the end.

Rates depend on y and noise in one way only: k f2 is a function of θ = Δ_S/s with s =
(y/(y + y_b))², the noise over ΔL f up to a constant. Hence Δ* = s(y) θ*(P).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property, partial

import numba as nb
import numpy as np
from numpy.typing import ArrayLike
from scipy.integrate import solve_ivp
from scipy.interpolate import CubicSpline
from scipy.special import expit, logit

from valleys.compiling import CAN_KEEP
from valleys.results.spec import require
from valleys.toy.landscapes.two_valley import TwoValley
from valleys.toy.theory.at_fixed_y import Pair, escape_times_exact, rates_kramers
from valleys.toy.theory.exchange import exchange_rates
from valleys.toy.theory.freezing import drift_speed

THETAS = np.geomspace(1.5e-3, 1e3, 500)  # of the tables; the rate at the lowest is below e^{-140}
N_TRIED = 4000  # θ among which the best is looked for
FIRST_TIME = 1.0  # up to which pieces of a way are equally long; later they grow with time
LEAST_FAR = 1e-3  # y at which a way may begin
COMPILE = {"error_model": "numpy", "nogil": True, "cache": CAN_KEEP}


def _passage_rates(landscape: TwoValley, y: ArrayLike, effective_noise: ArrayLike) -> Pair:
    flat_time, sharp_time = escape_times_exact(landscape, y, effective_noise)
    return 1 / flat_time, 1 / sharp_time


RATES: dict[str, Callable[..., Pair]] = {
    "exact": exchange_rates,
    "isotropic": partial(exchange_rates, noise="isotropic"),
    "passage": _passage_rates,
    "kramers": rates_kramers,
}


@dataclass(frozen=True)
class Rates:
    """Rates at any y as tables over ln θ: total, ln of (k⁺ + k⁻) f2, and odds, ln of k⁻/k⁺.

    Example:
        >>> from valleys.toy import Rates, TwoValley
        >>> total, share = Rates.of(TwoValley()).at([0.03, 0.3])
        >>> share.round(3)
        array([0.983, 0.696])
    """

    landscape: TwoValley
    total: CubicSpline
    odds: CubicSpline
    lowest: float  # θ from which on the tables hold

    @classmethod
    def of(cls, landscape: TwoValley, kind: str = "exact") -> "Rates":
        """The tables of one kind of rates.

        Args:
            landscape: of two valleys.
            kind: "exact" by `exchange_rates`, "isotropic" the same for uniform noise, "passage" one
                over `escape_times_exact`, "kramers" Eq. 21; the last two end where no rate is one,
                at θ = x2² or a z of the sharp valley of 0.7.

        Raises:
            ValueError: an unknown kind.
        """
        require(kind in RATES, f"unknown rates {kind!r}; choose one of {', '.join(RATES)}")
        return _tables(landscape, kind)

    def at(self, theta: ArrayLike) -> Pair:
        """(k⁺ + k⁻) f2 and the stationary share; beyond the tables no exchange, or their end."""
        theta = np.asarray(theta, dtype=float)
        place = np.log(np.clip(theta, self.lowest, np.exp(self.total.x[-1])))
        total = np.where(theta < self.lowest, 0.0, np.exp(self.total(place)))
        return total, expit(self.odds(place))

    def slopes(self, theta: ArrayLike) -> Pair:
        """Of both by ln θ, 0 beyond the tables."""
        theta = np.asarray(theta, dtype=float)
        inside = (theta >= self.lowest) & (np.log(theta) <= self.total.x[-1])
        place = np.log(np.clip(theta, self.lowest, np.exp(self.total.x[-1])))
        total, share = self.at(theta)
        slope = share * (1 - share) * self.odds(place, 1)
        return inside * total * self.total(place, 1), inside * slope

    @cached_property
    def nodes(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """ln θ close together, and both functions there."""
        places = np.linspace(self.total.x[0], self.total.x[-1], N_TRIED)
        return (places, *self.at(np.exp(places)))

    def best(self, p_flat: float, highest: float = np.inf, clock: float = 0.0) -> float:
        """θ*, at which (k⁺ + k⁻) f2 (q − P) is largest, of those up to `highest`; with a clock,
        dt/f2, that from which P gains most in this time.
        """
        places, total, share = self.nodes
        kept = np.searchsorted(places, np.log(highest), side="right")
        gain = (share - p_flat) * (-np.expm1(-total * clock) if clock else total)
        top = int(gain[: max(1, kept)].argmax())
        if not 0 < top < min(kept, places.size) - 1:
            return float(min(highest, np.exp(places[min(top + 1, places.size - 1)])))
        left, middle, right = gain[top - 1 : top + 2]
        shift = (left - right) / (2 * (left - 2 * middle + right))
        return float(np.exp(places[top] + shift * (places[top + 1] - places[top])))


@cache  # many cells of a study ask for the same
def _tables(landscape: TwoValley, kind: str) -> Rates:
    highest = landscape.x2**2 if kind in ("passage", "kramers") else THETAS[-1]
    thetas = THETAS[highest >= THETAS]
    y = landscape.y_b
    flat, sharp = RATES[kind](landscape, y, thetas * opening(landscape, y))
    total = (flat + sharp) * landscape.flatness(y)[1]
    kept = (flat > 0) & (total > np.finfo(float).tiny)
    places = np.log(thetas[kept])
    totals = CubicSpline(places, np.log(total[kept]))
    odds = CubicSpline(places, np.log(sharp[kept] / flat[kept]))
    return Rates(landscape, totals, odds, float(thetas[kept][0]))


def opening(landscape: TwoValley, y: ArrayLike) -> np.ndarray:
    """s = (y/(y + y_b))², so that ΔL f = x1,2² s."""
    y = np.asarray(y, dtype=float)
    return (y / (y + landscape.y_b)) ** 2


@dataclass(frozen=True)
class Way:
    """What a run meets along y in a fixed time, in pieces over which it changes little.

    Example:
        >>> from valleys.toy import TwoValley, Way
        >>> float(Way.of(TwoValley(), 200.0).y[-1].round(2))
        4.71
    """

    times: np.ndarray  # (n + 1,) borders of the pieces
    y: np.ndarray  # (n,) in the middle of each
    opening: np.ndarray  # (n,) s there
    sharp: np.ndarray  # (n,) f2 there

    @classmethod
    def of(
        cls, landscape: TwoValley, duration: float, start_y: float = 1.0, n_pieces: int = 1000
    ) -> "Way":
        """The way from start_y that takes `duration`, learning rate times steps.

        Raises:
            ValueError: a duration that is not positive, or a start where no ridge stands.
        """
        require(0 < duration < np.inf, f"duration is {duration!r}; it must be a positive number")
        require(
            LEAST_FAR <= start_y < np.inf,
            f"start_y is {start_y!r}; the ridge begins at y = 0, so give {LEAST_FAR:g} or more",
        )
        reach = np.log1p(duration / FIRST_TIME)
        times = FIRST_TIME * np.expm1(np.linspace(0, reach, n_pieces + 1))
        times[-1] = duration
        y = along(landscape, start_y, (times[1:] + times[:-1]) / 2)
        return cls(times, y, opening(landscape, y), landscape.flatness(y)[1])

    @property
    def middles(self) -> np.ndarray:
        """Times in the middle of the pieces."""
        return (self.times[1:] + self.times[:-1]) / 2

    @property
    def clock(self) -> np.ndarray:
        """dt/f2 of each piece: the time that an exchange at one θ counts in."""
        return np.diff(self.times) / self.sharp


def along(landscape: TwoValley, start_y: float, times: np.ndarray) -> np.ndarray:
    """y at rising times after the start at start_y, by the drift of Eq. A8."""
    solved = solve_ivp(
        lambda _, y: drift_speed(landscape, y),
        (0, float(times[-1])),
        [start_y],
        t_eval=times,
        rtol=1e-10,
        atol=1e-12,
        method="DOP853",
    )
    return solved.y[0]


def follow(rates: Rates, way: Way, noise: ArrayLike, start_p: float = 0.5) -> np.ndarray:
    """P_flat at the borders of the pieces, (…, n + 1), under a noise for each piece, (…, n),
    exactly for rates that are those of the middles.

    Args:
        rates: of the exchange.
        way: on which it happens.
        noise: effective noise Δ_S of each piece, above 0.
        start_p: P_flat at the start.

    Example:
        >>> import numpy as np
        >>> from valleys.toy import Rates, TwoValley, Way, follow
        >>> rates, way = Rates.of(TwoValley()), Way.of(TwoValley(), 200.0)
        >>> float(follow(rates, way, np.full(way.y.size, 4.7e-4))[-1].round(3))
        0.952
    """
    total, share = rates.at(np.asarray(noise) / way.opening)
    spent = total * way.clock
    rows = [each.reshape(-1, spent.shape[-1]) for each in (spent, share)]
    return _approach(rows[0], rows[1], start_p).reshape(*spent.shape[:-1], -1)


def end_and_slope(
    rates: Rates, way: Way, noise: np.ndarray, start_p: float = 0.5
) -> tuple[float, np.ndarray]:
    """P_flat at the end and its derivative by ln noise of each piece, (n,): `follow` with its
    adjoint.
    """
    theta = noise / way.opening
    (total, share), (total_slope, share_slope) = rates.at(theta), rates.slopes(theta)
    spent = total * way.clock
    p_flat = _approach(spent[None], share[None], start_p)[0]
    later = np.exp(-(np.cumsum(spent[::-1])[::-1] - spent))  # what is kept from here to the end
    by_total = (share - p_flat[:-1]) * np.exp(-spent) * way.clock * total_slope
    return float(p_flat[-1]), later * (by_total - np.expm1(-spent) * share_slope)


@nb.njit(**COMPILE)
def _approach(spent, share, start_p):
    """P at the borders of pieces, each of which brings it nearer to its share by e^{−spent}."""
    p_flat = np.empty((spent.shape[0], spent.shape[1] + 1))
    for row in range(spent.shape[0]):
        p_flat[row, 0] = start_p
        for piece in range(spent.shape[1]):
            target = share[row, piece]
            kept = math.exp(-spent[row, piece])
            p_flat[row, piece + 1] = target + (p_flat[row, piece] - target) * kept
    return p_flat


def greedy(
    rates: Rates, way: Way, start_p: float = 0.5, largest_noise: float = np.inf
) -> np.ndarray:
    """The best noise of each piece, (n,): that from which P_flat gains most in the piece.

    As P at the end of a piece rises with P at its beginning, no other noise of these pieces ends
    higher.

    Example:
        >>> from valleys.toy import Rates, TwoValley, Way, follow, greedy
        >>> rates, way = Rates.of(TwoValley()), Way.of(TwoValley(), 200.0)
        >>> float(follow(rates, way, greedy(rates, way, largest_noise=0.02))[-1].round(3))
        0.971
    """
    p_flat, noise = start_p, np.empty(way.y.size)
    for piece, (opened, clock) in enumerate(zip(way.opening, way.clock, strict=True)):
        theta = rates.best(p_flat, largest_noise / opened, clock)
        total, share = rates.at(theta)
        noise[piece], p_flat = theta * opened, share + (p_flat - share) * np.exp(-total * clock)
    return noise


def log_odds(p_flat: ArrayLike) -> np.ndarray:
    """ln P/(1 − P)."""
    return logit(np.asarray(p_flat, dtype=float))
