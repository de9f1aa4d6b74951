"""A row of any number of valleys, all equally deep, that open from x = 0: Eqs. 8-12 for more
than two.
"""

import math
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from valleys.toy.landscapes.two_valley import Opening, TwoValley

LANDSCAPE = ("x0", "f0", "y_b", "y_f", "y_d", "L_d")  # what a row shares with TwoValley


@dataclass(frozen=True)
class ManyValleys(Opening):
    """L(x, y) = L0(y) + [(x − c_i(y))² − h_i(y)²]/f_i(y) in valley i, from left to right; all
    numbers without units.

    With the opening o = y/(y + y_b), valley i has half-width h_i = w_i o and flatness f_i = f0 w_i²
    (y + y_f)²/(x0² (y + y_b)²), as in Eqs. 9 and 10, so that the barrier h_i²/f_i of Eq. 11 is the
    same for all. The two outer valleys go on rising beyond the row. The outer ridges stand at equal
    distances from x = 0: for two valleys this is `TwoValley` with x2 = widths[0] and x1 =
    widths[1]. For y < 0 the inner valleys are closed, and the outer two meet at x = 0. Every method
    broadcasts over x and y and refuses y ≤ −min(y_b, y_f).

    Raises ValueError if there are fewer than two widths, or a number is not positive.

    Example:
        >>> from valleys.toy import ManyValleys
        >>> row = ManyValleys(widths=(0.5, 0.6, 0.7))
        >>> row.n_valleys
        3
        >>> row.valley_positions(30.0).round(3)
        array([-0.55,  0.  ,  0.65])
    """

    widths: tuple[float, ...] = (0.65, 0.725, 0.8)  # half-widths as y → ∞, from left to right
    x0: float = 1.0  # normalisation of the flatness
    f0: float = 1.0  # scale of the flatness
    y_b: float = 30.0  # scale over which the valleys separate
    y_f: float = 20.0  # scale over which they flatten
    y_d: float = 100.0  # decay scale of the drift
    L_d: float = 1.0  # strength of the drift

    def __post_init__(self) -> None:
        """Refuse what is no landscape."""
        try:
            object.__setattr__(self, "widths", tuple(float(width) for width in self.widths))
        except (TypeError, ValueError):
            raise ValueError(
                f"widths are {self.widths!r}; give a list of positive numbers, such "
                "as [0.65, 0.725, 0.8]"
            ) from None
        if len(self.widths) < 2 or not all(
            math.isfinite(width) and width > 0 for width in self.widths
        ):
            raise ValueError(
                f"widths are {self.widths}; give two or more, all positive, such as "
                "[0.65, 0.725, 0.8]"
            )
        self.pair(0, 1)  # refuses bad scales

    @classmethod
    def of(cls, landscape: "ManyValleys | TwoValley") -> "ManyValleys":
        """The landscape as a row: (x2, x1) for two valleys, sharp one first; ValueError for
        anything else.
        """
        if isinstance(landscape, cls):
            return landscape
        if not isinstance(landscape, TwoValley):
            raise ValueError(
                "landscape must be a ManyValleys or a TwoValley, such as "
                f"ManyValleys(); got {type(landscape).__name__}"
            )
        return cls(
            (landscape.x2, landscape.x1), **{name: getattr(landscape, name) for name in LANDSCAPE}
        )

    def pair(self, one: int, other: int) -> TwoValley:
        """Two of the valleys as a landscape of their own, the flatter one at x > 0."""
        low, high = sorted((self.widths[one], self.widths[other]))
        return TwoValley(high, low, **{name: getattr(self, name) for name in LANDSCAPE})

    @property
    def n_valleys(self) -> int:
        """How many valleys stand in the row."""
        return len(self.widths)

    @property
    def ridges(self) -> tuple[float, ...]:
        """Where the ridges stand as y → ∞, from left to right; at finite y times the opening."""
        inner = np.concatenate([[0.0], np.cumsum([2 * width for width in self.widths[1:-1]])])
        return tuple(float(ridge) for ridge in inner - inner[-1] / 2)

    @property
    def centres(self) -> tuple[float, ...]:
        """Where the bottoms lie as y → ∞, from left to right; at finite y times the opening."""
        right_of_ridge = [
            ridge + width for ridge, width in zip(self.ridges, self.widths[1:], strict=True)
        ]
        return (self.ridges[0] - self.widths[0], *right_of_ridge)

    @property
    def outer(self) -> np.ndarray:
        """True for the first and the last valley, which can be left on one side only."""
        return np.isin(np.arange(self.n_valleys), (0, self.n_valleys - 1))

    def opening(self, y: ArrayLike) -> np.ndarray:
        """o(y) = y/(y + y_b), 0 for y < 0."""
        y = self.checked_y(y)
        return np.maximum(y, 0) / (y + self.y_b)

    def flatness(self, y: ArrayLike) -> np.ndarray:
        """f_i(y), shape (n_valleys, …): inverse curvatures, 2/f = ∂²L/∂x² (Eq. 10)."""
        y = self.checked_y(y)
        return (
            self._spread(y) ** 2
            * self.f0
            * (y + self.y_f) ** 2
            / (self.x0**2 * (y + self.y_b) ** 2)
        )

    def valley_positions(self, y: ArrayLike) -> np.ndarray:
        """c_i(y), shape (n_valleys, …): where the valleys are deepest (Eq. 9)."""
        opening = self.opening(y)
        return np.reshape(self.centres, (-1, *[1] * opening.ndim)) * opening

    def barrier(self, y: ArrayLike) -> np.ndarray:
        """ΔL(y) = (x0²/f0) y²/(y + y_f)², height of every ridge above every valley (Eq. 11)."""
        return self.pair(0, 1).barrier(y)

    def drift_loss(self, y: ArrayLike) -> np.ndarray:
        """L0(y) = L_d exp(−y/y_d) + x0²/f0, the loss on the ridges (Eq. 12)."""
        return self.pair(0, 1).drift_loss(y)

    def mean_curvature(self, y: ArrayLike) -> np.ndarray:
        """κ(y) = 2/(∏ f_i)^{1/n}, the geometric mean of the curvatures of the valleys."""
        return 2 / np.exp(np.log(self.flatness(y)).mean(axis=0))

    def valley(self, x: ArrayLike, y: ArrayLike) -> np.ndarray:
        """Number of the valley in which (x, y) lies, 0 for the leftmost; a ridge belongs to the
        valley on its right.
        """
        x, y = np.asarray(x, dtype=float), self.checked_y(y)
        beyond = [x * (y + self.y_b) >= ridge * np.maximum(y, 0) for ridge in self.ridges]
        return np.sum(beyond, axis=0)

    def loss(self, x: ArrayLike, y: ArrayLike) -> np.ndarray:
        """L(x, y), Eq. 8 for every valley of the row."""
        u, p, _, depth, width = self._expansion(x, y)
        return self.drift_loss(y) + depth * (u[0] ** 2 - (width * p[0]) ** 2)

    def gradient(self, x: ArrayLike, y: ArrayLike) -> np.ndarray:
        """∇L = (∂x L, ∂y L) on the last axis, shape (..., 2); on a ridge that of the valley on
        its right.
        """
        u, p, q, depth, width = self._expansion(x, y)
        along_y = self.pair(0, 1).drift_slope(y) + 2 * depth * (
            u[0] * u[1] - width**2 * p[0] * p[1]
        )
        return np.stack(np.broadcast_arrays(2 * depth * u[0] * q[0], along_y), axis=-1)

    def hessian(self, x: ArrayLike, y: ArrayLike) -> np.ndarray:
        """Second derivatives of L, shape (..., 2, 2); on a ridge those of the valley on its
        right.
        """
        u, p, q, depth, width = self._expansion(x, y)
        xx = 2 * depth * q[0] ** 2
        xy = 2 * depth * (q[1] * u[0] + q[0] * u[1])
        yy = (
            2 * depth * (u[1] ** 2 + u[0] * u[2] - width**2 * (p[1] ** 2 + p[0] * p[2]))
            - self.pair(0, 1).drift_slope(y) / self.y_d
        )
        xx, xy, yy = np.broadcast_arrays(xx, xy, yy)
        return np.stack([np.stack([xx, xy], axis=-1), np.stack([xy, yy], axis=-1)], axis=-2)

    def on_grid(self, x: ArrayLike, y: ArrayLike) -> xr.Dataset:
        """Dims (y, x): loss; (y, valley): the positions of the floors; and width (valley)."""
        x, y = np.asarray(x, dtype=float), self.checked_y(y)
        found = {
            "loss": (("y", "x"), self.loss(x, y[:, None])),
            "floor": (("valley", "y"), self.valley_positions(y)),
            "width": ("valley", list(self.widths)),
        }
        return xr.Dataset(
            found | {"number": (("y", "x"), self.valley(x, y[:, None]))},
            {"x": x, "y": y, "valley": range(self.n_valleys)},
        )

    def _expansion(self, x: ArrayLike, y: ArrayLike) -> tuple:
        """L − L0 = (x0²/(f0 w²)) (u² − w² p²) with u = q x − C p: gives u, p, q, each with two
        derivatives along y, then x0²/(f0 w²) and w.
        """
        x, y = np.asarray(x, dtype=float), self.checked_y(y)
        valley, width = self.valley(x, y), y + self.y_f
        wide = np.asarray(self.widths)[valley]
        centre = np.where(
            y < 0, np.where(valley == 0, -wide, wide), np.asarray(self.centres)[valley]
        )
        q = (
            (y + self.y_b) / width,
            (self.y_f - self.y_b) / width**2,
            2 * (self.y_b - self.y_f) / width**3,
        )
        p = (y / width, self.y_f / width**2, -2 * self.y_f / width**3)
        u = tuple(one * x - centre * other for one, other in zip(q, p, strict=True))
        return u, p, q, self.x0**2 / (self.f0 * wide**2), wide

    def _spread(self, y: np.ndarray) -> np.ndarray:
        """The widths along a new first axis before those of y."""
        return np.reshape(self.widths, (-1, *[1] * y.ndim))
