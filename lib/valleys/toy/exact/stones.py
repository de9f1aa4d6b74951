"""A walker on stepping stones in a ring, whose steps are as long as the stones say: the least
example in which it counts where in a step the noise is drawn.
"""

from collections.abc import Sequence
from itertools import product

import numpy as np

RULES = ("begins", "ends")


def shares(lengths: Sequence[int], rule: str) -> np.ndarray:
    """π = πT, the share of time on each stone, (n_stones,), with T of `transitions`.

    Raises:
        ValueError: an unknown rule, a length below one, or stones that fall apart into groups
            between which no step leads.

    Example:
        >>> from valleys.toy.exact.stones import shares
        >>> shares([1, 1, 2, 2], "begins").round(2)
        array([0.33, 0.33, 0.17, 0.17])
        >>> shares([1, 1, 2, 2], "ends").round(2)
        array([0.25, 0.25, 0.25, 0.25])
    """
    chances = transitions(lengths, rule)
    n_stones = len(lengths)
    balances = np.vstack([chances.T - np.eye(n_stones), np.ones(n_stones)])
    if np.linalg.matrix_rank(balances) < n_stones:
        raise ValueError("no step leads from some stones to others; give one of them a length of 1")
    return np.linalg.lstsq(balances, np.append(np.zeros(n_stones), 1.0))[0]


def transitions(lengths: Sequence[int], rule: str) -> np.ndarray:
    """Chance of a step from each stone to each, (from, to), when a coin decides between left and
    right.

    Args:
        lengths: of a step, in stones, as written on each stone.
        rule: "begins", as long as it says on the stone where the step begins; "ends", as long as it
            says where that step would end.

    Raises:
        ValueError: an unknown rule, or a length below one.
    """
    if rule not in RULES:
        raise ValueError(f"unknown rule {rule!r}; choose one of {', '.join(RULES)}")
    if min(lengths) < 1:
        raise ValueError(
            f"a step of {min(lengths)} stones leads nowhere; give lengths of 1 or more"
        )
    chances = np.zeros((len(lengths), len(lengths)))
    for stone, direction in product(range(len(lengths)), (-1, 1)):
        length = lengths[stone]
        if rule == "ends":
            length = lengths[(stone + direction * length) % len(lengths)]
        chances[stone, (stone + direction * length) % len(lengths)] += 0.5
    return chances
