"""The two-valley loss landscape (Eqs. 8-12)."""

import math
from dataclasses import dataclass, fields

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike


class Opening:
    """Where a landscape whose valleys open along y is defined."""

    y_b: float
    y_f: float

    @property
    def y_min(self) -> float:
        """The landscape is defined for y > −min(y_b, y_f)."""
        return -min(self.y_b, self.y_f)

    def checked_y(self, y: ArrayLike) -> np.ndarray:
        """y as an array; ValueError where the landscape has ended."""
        y = np.asarray(y, dtype=float)
        if not np.all(y > self.y_min):
            raise ValueError(
                f"y must be above {self.y_min:g}, where the landscape ends; got "
                f"{np.min(y):g} as the smallest"
            )
        return y


@dataclass(frozen=True)
class TwoValley(Opening):
    """L(x, y) = L0(y) + x(x − g1)/f1 for x ≥ 0, x(x + g2)/f2 for x < 0 (Eq. 8); all numbers without
    units.

    The flat valley lies at x > 0, the sharp one at x < 0, both to the same depth.
    Defaults: Table S1. Every method broadcasts over x and y and refuses y ≤ −min(y_b, y_f), where
    the landscape ends.

    Raises ValueError if a parameter is not a positive number, or if x1 < x2.

    Example:
        >>> from valleys.toy import TwoValley
        >>> landscape = TwoValley(x1=0.9)
        >>> float(round(landscape.flatness_ratio, 3))
        1.917
        >>> landscape.barrier([5.0, 50.0]).round(3)
        array([0.04, 0.51])
    """

    x1: float = 0.8  # where the flat valley goes as y → ∞
    x2: float = 0.65  # the sharp valley goes to −x2
    x0: float = 1.0  # normalisation of the flatness
    f0: float = 1.0  # scale of the flatness
    y_b: float = 30.0  # scale over which the valleys separate
    y_f: float = 20.0  # scale over which they flatten
    y_d: float = 100.0  # decay scale of the drift
    L_d: float = 1.0  # strength of the drift

    def __post_init__(self) -> None:
        """Refuse what is no landscape."""
        for field in fields(self):
            value = getattr(self, field.name)
            if not (
                isinstance(value, int | float)
                and not isinstance(value, bool)
                and math.isfinite(value)
                and value > 0
            ):
                raise ValueError(
                    f"TwoValley {field.name} is {value!r}; it must be a positive "
                    f"number, such as the default {field.default}"
                )
        if self.x1 < self.x2:
            raise ValueError(
                f"TwoValley x1 = {self.x1} is below x2 = {self.x2}; the flat valley "
                "is the one at x > 0, so give x1 ≥ x2"
            )

    @property
    def flatness_ratio(self) -> float:
        """γ = f1/f2 = (x1/x2)², the same for every y."""
        return (self.x1 / self.x2) ** 2

    def flatness(self, y: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """f1(y) of the flat valley and f2(y) of the sharp one: inverse curvatures, 2/f = ∂²L/∂x²
        (Eq. 10).
        """
        y = self.checked_y(y)
        common = self.f0 * (y + self.y_f) ** 2 / (self.x0**2 * (y + self.y_b) ** 2)
        return self.x1**2 * common, self.x2**2 * common

    def valley_positions(self, y: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """x1* = g1/2 > 0 and x2* = −g2/2 < 0, where the two valleys are deepest (Eq. 9)."""
        y = self.checked_y(y)
        opening = y / (y + self.y_b)
        return self.x1 * opening, -self.x2 * opening

    def barrier(self, y: ArrayLike) -> np.ndarray:
        """ΔL(y) = (x0²/f0) y²/(y + y_f)², height of the ridge x = 0 above both valleys (Eq. 11)."""
        y = self.checked_y(y)
        return self.x0**2 / self.f0 * y**2 / (y + self.y_f) ** 2

    def drift_loss(self, y: ArrayLike) -> np.ndarray:
        """L0(y) = L_d exp(−y/y_d) + x0²/f0, the loss on the ridge (Eq. 12)."""
        return self.L_d * np.exp(-self.checked_y(y) / self.y_d) + self.x0**2 / self.f0

    def drift_slope(self, y: ArrayLike) -> np.ndarray:
        """dL0/dy = −(L_d/y_d) exp(−y/y_d)."""
        return -self.L_d / self.y_d * np.exp(-self.checked_y(y) / self.y_d)

    def loss(self, x: ArrayLike, y: ArrayLike) -> np.ndarray:
        """L(x, y), Eq. 8."""
        distance, (curve, *_), (slope, *_), _ = self._expansion(x, y)
        return self.drift_loss(y) + curve * distance**2 - slope * distance

    def gradient(self, x: ArrayLike, y: ArrayLike) -> np.ndarray:
        """∇L = (∂x L, ∂y L) on the last axis, shape (..., 2); on the ridge x = 0 the slope of
        the flat side.
        """
        distance, (curve, curve_y, _), (slope, slope_y, _), side = self._expansion(x, y)
        along_x = side * (2 * curve * distance - slope)
        along_y = self.drift_slope(y) + curve_y * distance**2 - slope_y * distance
        return np.stack(np.broadcast_arrays(along_x, along_y), axis=-1)

    def hessian(self, x: ArrayLike, y: ArrayLike) -> np.ndarray:
        """Second derivatives of L, shape (..., 2, 2); on the ridge x = 0 those of the flat side."""
        distance, (curve, curve_y, curve_yy), (_, slope_y, slope_yy), side = self._expansion(x, y)
        xx = 2 * curve + 0 * distance
        xy = side * (2 * curve_y * distance - slope_y)
        yy = -self.drift_slope(y) / self.y_d + curve_yy * distance**2 - slope_yy * distance
        xx, xy, yy = np.broadcast_arrays(xx, xy, yy)
        return np.stack([np.stack([xx, xy], axis=-1), np.stack([xy, yy], axis=-1)], axis=-2)

    def on_grid(self, x: ArrayLike, y: ArrayLike) -> xr.Dataset:
        """Dims (y, x): loss; along y: the positions of the two floors, flat_x and sharp_x, and
        the loss on them, floor_loss.
        """
        x, y = np.asarray(x, dtype=float), self.checked_y(y)
        flat, sharp = self.valley_positions(y)
        along_y = {
            "flat_x": ("y", flat),
            "sharp_x": ("y", sharp),
            "floor_loss": ("y", self.loss(flat, y)),
        }
        return xr.Dataset(
            {"loss": (("y", "x"), self.loss(x, y[:, None]))} | along_y, {"x": x, "y": y}
        )

    def _expansion(self, x: ArrayLike, y: ArrayLike) -> tuple[np.ndarray, tuple, tuple, np.ndarray]:
        """On each side L − L0 = a(y)|x|² − b(y)|x|: gives |x|, (a, a', a''), (b, b', b'') and
        the sign of x.
        """
        x, y = np.asarray(x, dtype=float), self.checked_y(y)
        side = np.where(x < 0, -1.0, 1.0)
        position = np.where(x < 0, self.x2, self.x1)
        depth, width = self.x0**2 / self.f0, y + self.y_f
        q, q1, q2 = (
            (y + self.y_b) / width,
            (self.y_f - self.y_b) / width**2,
            2 * (self.y_b - self.y_f) / width**3,
        )
        p, p1, p2 = y / width, self.y_f / width**2, -2 * self.y_f / width**3
        curve, slope = depth / position**2, 2 * depth / position
        squares = (curve * q**2, 2 * curve * q * q1, 2 * curve * (q1**2 + q * q2))
        linears = (
            slope * q * p,
            slope * (q1 * p + q * p1),
            slope * (q2 * p + 2 * q1 * p1 + q * p2),
        )
        return np.abs(x), squares, linears, side
