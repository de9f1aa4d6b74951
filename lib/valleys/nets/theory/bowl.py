"""A walk in a bowl: what stochastic gradient descent does where the loss is quadratic and the
noise does not change, in closed form.
"""

from dataclasses import dataclass

import numpy as np

from valleys.results.spec import require


@dataclass(frozen=True)
class Bowl:
    """The stationary walk x ← x − η (λ x + ξ) along each axis of L = Σ λ x² / 2, with independent ξ
    of variance s² at each step.

    Attributes:
        curvatures: λ of each axis, (n,).
        noises: s² of each axis, (n,).
        learning_rate: η, below 2 / λ.
    """

    curvatures: np.ndarray
    noises: np.ndarray
    learning_rate: float

    def __post_init__(self) -> None:
        """Settle the arrays, then refuse a bowl without a stationary walk."""
        for name in ("curvatures", "noises"):
            values = np.asarray(getattr(self, name), dtype=float)
            object.__setattr__(self, name, np.atleast_1d(values))
        sizes = self.curvatures.size, self.noises.size
        require(
            self.curvatures.shape == self.noises.shape,
            f"curvatures and noises must be equally many, got {sizes[0]} and {sizes[1]}",
        )
        require(
            bool((self.curvatures > 0).all()),
            "curvatures must be positive: elsewhere a walk never settles",
        )
        require(
            bool((self.noises >= 0).all() and self.noises.any()),
            "noises must be 0 or more, and one of them positive",
        )
        edge = 2 / self.curvatures.max()
        require(
            0 < self.learning_rate < edge,
            "learning_rate must lie between 0 and 2 / the largest curvature, "
            f"{edge:g}, got {self.learning_rate}",
        )

    @property
    def variances(self) -> np.ndarray:
        """V = η s² / (λ (2 − ηλ)) of the position along each axis, (n,)."""
        return (
            self.learning_rate
            * self.noises
            / (self.curvatures * (2 - self.learning_rate * self.curvatures))
        )

    @property
    def loss(self) -> float:
        """Mean loss above the bottom, Σ λ V / 2."""
        return float((self.curvatures * self.variances).sum() / 2)

    @property
    def cosine(self) -> float:
        """⟨u·u'⟩ / ⟨u²⟩ of successive updates, −(η/2) Σ λ² V / Σ λ V: −ηλ/2 in one dimension."""
        return float(
            -self.learning_rate * (self.curvatures**2 * self.variances).sum() / (4 * self.loss)
        )

    @property
    def sag(self) -> float:
        """How far the middle of the line between successive points lies below the mean of its
        ends, ⟨uᵀHu⟩ / 8 = (η/4) Σ λ² V; also −cosine · loss.
        """
        return float(self.learning_rate * (self.curvatures**2 * self.variances).sum() / 4)

    @property
    def floor_shares(self) -> np.ndarray:
        """Probability arccos(1 − ηλ) / π that a step crosses the bottom of each axis, (n,), for
        Gaussian noise; in one dimension, that its line has a floor.
        """
        return np.arccos(1 - self.learning_rate * self.curvatures) / np.pi

    @property
    def heights(self) -> np.ndarray:
        """Mean height of the ends of a step that crosses the bottom, (λ V / 2) (1 − a √(1 − a²)
        / arccos a) with a = 1 − ηλ, axis by axis, (n,).
        """
        kept = 1 - self.learning_rate * self.curvatures
        return (
            self.curvatures
            * self.variances
            / 2
            * (1 - kept * np.sqrt(1 - kept**2) / np.arccos(kept))
        )
