"""What a factor says in words, for sentences that must be right whatever comes out."""

from valleys.nets.statistics import Estimate


def by_side(factor: Estimate, above: str, alike: str, below: str) -> str:
    """One of three wordings, by where the whole interval of a factor lies.

    Args:
        factor: a ratio, of which one means no difference.
        above: said where the interval lies above one.
        alike: said where it does not tell the factor from one, or where there is none.
        below: said where it lies below one.
    """
    if factor.low > 1:
        return above
    return below if factor.high < 1 else alike
