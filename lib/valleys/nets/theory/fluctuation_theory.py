"""Variance of a run in a quadratic valley: in the steady state, and within a window of steps."""

import numpy as np
from numpy.typing import ArrayLike


def stationary_variance(learning_rate: float, curvature: ArrayLike, noise: ArrayLike) -> np.ndarray:
    """s² = η² Σ / (1 − (1 − ηλ)²) = η Σ / (λ (2 − ηλ)) of θ ← θ − η (λ θ + ξ) with ⟨ξ²⟩ = Σ;
    infinite where the valley does not hold.

    With Σ = 2σλ (Eq. 15) it is 2 Δ_S / (2 − ηλ), the same in every direction as long as ηλ is
    small.

    Args:
        learning_rate: η.
        curvature: λ of each direction, (n,).
        noise: Σ of a mini-batch in each direction, (n,).
    """
    bent, held = (
        np.asarray(curvature, dtype=float),
        1 - (1 - learning_rate * np.asarray(curvature, dtype=float)) ** 2,
    )
    with np.errstate(divide="ignore"):
        return np.where(
            (bent > 0) & (held > 0),
            learning_rate**2 * np.asarray(noise, dtype=float) / held,
            np.inf,
        )


def window_variance(
    learning_rate: float, curvature: ArrayLike, noise: ArrayLike, n_steps: int
) -> np.ndarray:
    """Mean variance of n steady-state positions about their own mean, s² (1 − m), with m = (1 + 2
    Σ_k (1 − k/n) aᵏ) / n and a = 1 − ηλ.

    Where ηλn is small it is far below s²: such a direction has no time to spread, and its variance
    is η² Σ n/6 however long it would spread.

    Args:
        learning_rate: η.
        curvature: λ of each direction, (…,); positive.
        noise: Σ of a mini-batch in each direction, (n,).
        n_steps: length n of the window.
    """
    lags, factor = np.arange(1, n_steps), 1 - learning_rate * np.asarray(curvature, dtype=float)
    of_mean = (1 + 2 * ((1 - lags / n_steps) * factor[..., None] ** lags).sum(axis=-1)) / n_steps
    return stationary_variance(learning_rate, curvature, noise) * (1 - of_mean)


def exponent(widths: np.ndarray, variances: np.ndarray) -> float:
    """ψ of σ² ∝ F^(−ψ): minus the slope of ln σ² against ln F over directions, (n,) each; those
    without an answer are left out.

    In a quadratic valley F ∝ λ^(−1/2), so that a noise Σ ∝ λᵖ gives ψ = 2 (p − 1) in the steady
    state, 0 by Eq. 15, and 2p where a window is too short.
    """
    known = np.isfinite(widths) & np.isfinite(variances) & (widths > 0) & (variances > 0)
    if known.sum() < 3 or not np.ptp(widths[known]):
        return float("nan")
    return -float(np.polyfit(np.log(widths[known]), np.log(variances[known]), 1)[0])
