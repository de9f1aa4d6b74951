"""Two valleys between which the ridge does not grow steadily: it rises and falls along y."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike

from valleys.toy.landscapes.two_valley import TwoValley


@dataclass(frozen=True)
class UnevenValley(TwoValley):
    """The two valleys of Eq. 8 with a ridge of height ΔL(y)·m(y), m = 1 + a sin(qy).

    Flatness and the loss on both floors are as without the ripple, so that y drifts as before: the
    bottoms move to √m times their place, and the ridge to L0 + ΔL (m − 1).

    Raises ValueError as `TwoValley` does, or unless 0 ≤ a < 1 and q > 0.

    Example:
        >>> from valleys.toy.landscapes.uneven import UnevenValley
        >>> UnevenValley(ripple=0.5, wave_number=1.0).barrier([1.0, 5.0]).round(4)
        array([0.0032, 0.0208])
    """

    ripple: float = 0.5  # a
    wave_number: float = 1.0  # q

    def __post_init__(self) -> None:
        """Refuse what is no landscape."""
        TwoValley(*(getattr(self, each.name) for each in fields(TwoValley)))
        if not (0 <= self.ripple < 1 and self.wave_number > 0):
            raise ValueError(
                f"ripple is {self.ripple!r} and wave_number {self.wave_number!r}; they must be "
                "between 0 and 1, and positive"
            )

    def modulation(self, y: ArrayLike) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """m(y) and its first two derivatives."""
        q, phase = self.wave_number, self.wave_number * np.asarray(y, dtype=float)
        swing = self.ripple * np.sin(phase)
        return 1 + swing, self.ripple * q * np.cos(phase), -(q**2) * swing

    def barrier(self, y: ArrayLike) -> np.ndarray:
        """ΔL(y)·m(y), height of the ridge above both valleys."""
        return super().barrier(y) * self.modulation(y)[0]

    def valley_positions(self, y: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """√m times those of Eq. 9."""
        flat, sharp = super().valley_positions(y)
        root = np.sqrt(self.modulation(y)[0])
        return root * flat, root * sharp

    def loss(self, x: ArrayLike, y: ArrayLike) -> np.ndarray:
        """L(x, y)."""
        return super().loss(x, y) + self._lift(y)[0]

    def gradient(self, x: ArrayLike, y: ArrayLike) -> np.ndarray:
        """∇L, shape (..., 2)."""
        along = super().gradient(x, y)
        along[..., 1] += self._lift(y)[1]
        return along

    def hessian(self, x: ArrayLike, y: ArrayLike) -> np.ndarray:
        """Second derivatives of L, shape (..., 2, 2)."""
        curvature = super().hessian(x, y)
        curvature[..., 1, 1] += self._lift(y)[2]
        return curvature

    def _lift(self, y: ArrayLike) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """ΔL (m − 1) and its first two derivatives, by which the ridge is lifted."""
        y = np.asarray(y, dtype=float)
        m, slope, bend = self.modulation(y)
        width, depth = y + self.y_f, self.x0**2 / self.f0
        height = depth * y**2 / width**2
        rise = 2 * depth * self.y_f * y / width**3
        bent = 2 * depth * self.y_f * (self.y_f - 2 * y) / width**4
        return (
            height * (m - 1),
            rise * (m - 1) + height * slope,
            bent * (m - 1) + 2 * rise * slope + height * bend,
        )

    def _expansion(self, x: ArrayLike, y: ArrayLike) -> tuple[np.ndarray, tuple, tuple, np.ndarray]:
        """As without the ripple, b(y) times √m."""
        distance, squares, (b, b_y, b_yy), side = super()._expansion(x, y)
        m, slope, bend = self.modulation(y)
        root = np.sqrt(m)
        root_y, root_yy = slope / (2 * root), bend / (2 * root) - slope**2 / (4 * root**3)
        linears = b * root, b_y * root + b * root_y, b_yy * root + 2 * b_y * root_y + b * root_yy
        return distance, squares, linears, side
