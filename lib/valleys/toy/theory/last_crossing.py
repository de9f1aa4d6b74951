"""On which side a run ends that crosses the ridge for the last time at a given place."""

import numpy as np
from numpy.typing import ArrayLike

from valleys.toy.landscapes.two_valley import TwoValley
from valleys.toy.theory.at_fixed_y import times_to_ridge
from valleys.toy.theory.freezing import drift_speed


def p_flat_after_last_crossing(
    landscape: TwoValley, effective_noise: float, y: ArrayLike, learning_rate: float = 0.0
) -> np.ndarray:
    """Share that ends flat of the runs that are on the ridge for the last time at y: [1 + γ^{−½}
    e^{−∫(h⁻ − h⁺)dt}]⁻¹, with the integral from there to the last y.

    From the ridge a run falls into the flat valley with odds √γ, whatever valley it came from; h⁺
    and h⁻ are the rates at which runs come back to the ridge from the (flat, sharp) bottom, Eqs.
    A20 and A19. Late runs have the odds √γ alone; early ones had to stay away, which is easier in
    the flat valley. The limit of small steps: a finite one lands beyond the ridge, on the side to
    which it crosses, and late runs that come from the sharp valley stay flat more often.

    Args:
        landscape: of the runs.
        effective_noise: Δ_S.
        y: increasing, the last one where runs end.
        learning_rate: for rates of a walk in steps, see `times_to_ridge`.

    Raises:
        ValueError: y does not increase, or begins below zero.

    Example:
        >>> from valleys.toy import TwoValley
        >>> from valleys.toy.theory.last_crossing import p_flat_after_last_crossing
        >>> p_flat_after_last_crossing(TwoValley(), 0.001, [2.0, 4.0, 6.0, 8.0, 10.0]).round(2)
        array([1.  , 1.  , 0.68, 0.56, 0.55])
    """
    y = np.asarray(y, dtype=float)
    if y.ndim != 1 or y.size < 2 or not (np.all(np.diff(y) > 0) and y[0] >= 0):
        raise ValueError("y must be an increasing sequence of at least two numbers, none negative")
    middle = (y[1:] + y[:-1]) / 2
    flat_time, sharp_time = times_to_ridge(landscape, middle, effective_noise, learning_rate)
    lengths = np.diff(y) / drift_speed(landscape, middle)
    to_come = np.append(np.cumsum(((1 / sharp_time - 1 / flat_time) * lengths)[::-1])[::-1], 0.0)
    return 1 / (1 + landscape.flatness_ratio**-0.5 * np.exp(-to_come))
