"""A network in a parabola: how kicks by mini-batches add up and are forgotten along one
direction, in closed form (Eqs. 13 to 16).
"""

import numpy as np

RESHUFFLED, INDEPENDENT = "reshuffled", "independent"
DRAWS = (RESHUFFLED, INDEPENDENT)
FORGOTTEN = np.exp(-1)


def noise_covariance(draw: str, n_samples: int, batch_size: int, n_steps: int) -> np.ndarray:
    """Covariance between the gradient noises of steps, (n_steps, n_steps), in units of the variance
    of single samples' gradients.

    Drawn with replacement, a batch has 1/B and two batches have nothing in common. Reshuffled, the
    batches of an epoch share out all samples: a batch of b has (N − b) / (b (N − 1)), two of them
    have −1/(N − 1), and the noises of a whole epoch, weighted by b, add up to nothing.

    Args:
        draw: one of `DRAWS`.
        n_samples: N.
        batch_size: B; the last batch of an epoch may be smaller.
        n_steps: steps, the first one the first of an epoch.

    Raises:
        ValueError: no such way to draw.
    """
    if draw not in DRAWS:
        raise ValueError(f"draw must be one of {', '.join(DRAWS)}, got {draw!r}")
    if draw == INDEPENDENT:
        return np.eye(n_steps) / batch_size
    per_epoch = -(-n_samples // batch_size)
    place = np.arange(n_steps) % per_epoch
    sizes = np.minimum(batch_size, n_samples - place * batch_size)
    epoch = np.arange(n_steps) // per_epoch
    shared = -(epoch[:, None] == epoch).astype(float) / (n_samples - 1)
    np.fill_diagonal(shared, (n_samples - sizes) / sizes / (n_samples - 1))
    return shared


def covariance(curvature: float, learning_rate: float, noise: np.ndarray) -> np.ndarray:
    """Covariance of δ(t) and δ(t'), (n_steps + 1, n_steps + 1), for δ ← (1 − ηλ) δ − η ξ from δ = 0
    and noises ξ of a given covariance.

    Args:
        curvature: λ.
        learning_rate: η.
        noise: between the noises of steps, (n_steps, n_steps).
    """
    from scipy.signal import lfilter  # takes a second to load, and few want it

    carried = np.array([1.0, learning_rate * curvature - 1.0])
    grown = lfilter(
        [learning_rate], carried, lfilter([learning_rate], carried, noise, axis=0), axis=1
    )
    return np.pad(grown, ((1, 0), (1, 0)))


def forgetting(covariances: np.ndarray) -> float:
    """`steps_to_forget` of copies with this covariance between steps, (n_steps + 1, n_steps +
    1).
    """
    lags = range(1, (len(covariances) - 1) // 2 + 1)
    sizes = np.diag(covariances)
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(
            steps_to_forget(
                np.array([np.trace(covariances, lag) / sizes[:-lag].sum() for lag in lags])
            )
        )


def steps_to_forget(correlations: np.ndarray) -> np.ndarray:
    """Steps in which deviations shrink to 1/e: −k / ln|r(k)| at the last lag k up to which r ≥ 1/e,
    or at lag 1 if there is none.

    With r(k) = Σ δ(t) δ(t+k) / Σ δ(t)² over copies and steps t. For noise that is new at each step
    r(k) = (1 − ηλ)ᵏ from any start, which gives −1 / ln|1 − ηλ|. Where r is still above 1/e at the
    longest lag, this goes on as an exponential; where r ≥ 1, it is infinite.

    Args:
        correlations: r(1), r(2), …, on the first axis, (n_lags, …).

    Returns:
        (…).
    """
    held = np.maximum(np.minimum.accumulate(correlations >= FORGOTTEN).sum(axis=0), 1)
    value = np.take_along_axis(correlations, np.asarray(held)[None] - 1, axis=0)[0]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(
            np.abs(value) < 1,
            -held / np.log(np.abs(value)),
            np.where(np.isnan(value), np.nan, np.inf),
        )


def late_scatter(covariances: np.ndarray) -> float:
    """Mean variance over the second half of the steps, from a covariance between steps, (n_steps
    + 1, n_steps + 1).
    """
    return float(np.diag(covariances)[len(covariances) // 2 :].mean())
