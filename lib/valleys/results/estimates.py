"""Numbers with what is known of their uncertainty, as they go from a finding to the text."""

import math
from dataclasses import dataclass, replace
from typing import Any, Self, SupportsFloat

import numpy as np

PARTS = ("value", "low", "high", "error", "unit")
STANDARD_ERRORS = 1.96  # from a value to the end of its 95 % interval
WITH_ERROR = "±"  # the form that prints a standard error


@dataclass(frozen=True)
class Estimate:
    """A value with the ends of its 95 % interval, NaN where it has none.

    Formats as `0.64 (0.32 to 0.84)`, and one that knows its standard error as `0.715 ± 0.004` where
    no form is given.

    Example:
        >>> from valleys.results import Estimate
        >>> f"{Estimate(0.641, 0.318, 0.842):.2f}"
        '0.64 (0.32 to 0.84)'
    """

    value: float
    low: float
    high: float
    unit: str = ""
    error: float | None = None  # standard error, where it is known exactly

    @classmethod
    def with_error(cls, value: SupportsFloat, error: SupportsFloat, unit: str = "") -> Self:
        """A value with its standard error: the interval is ± 1.96 of it.

        Raises:
            ValueError: value or error is not finite, or the error is negative.
        """
        middle, spread = float(value), float(error)
        if not (math.isfinite(middle) and math.isfinite(spread) and spread >= 0):
            raise ValueError(
                "a value with its error must be finite and the error not negative, "
                f"got {middle} ± {spread}"
            )
        half = STANDARD_ERRORS * spread
        return cls(middle, middle - half, middle + half, unit, spread)

    def __format__(self, form: str) -> str:
        """The value, then the interval, each in the given form; `±`, or none where the error is
        known, prints value and error.

        Raises:
            ValueError: the form is none of a number, or is `±` where no standard error is known.
        """
        if form == WITH_ERROR or (not form and self.error is not None):
            return _printed_with_error(self.value, self.error)
        if np.isnan(self.low):
            return f"{self.value:{form}} (no interval)"
        return f"{self.value:{form}} ({self.low:{form}} to {self.high:{form}})"

    def __str__(self) -> str:
        """The same without a form."""
        return format(self)

    def named(self, name: str) -> dict[str, float]:
        """The three numbers as `name`, `name_low` and `name_high`."""
        return {name: self.value, f"{name}_low": self.low, f"{name}_high": self.high}

    def scaled(self, factor: float, unit: str = "") -> Self:
        """The same in another unit, such as per cent; the factor is above zero.

        Raises:
            ValueError: the factor is not above zero.
        """
        if not factor > 0:
            raise ValueError(f"an estimate is scaled by a factor above 0, not by {factor}")
        error = None if self.error is None else factor * self.error
        low, high = factor * self.low, factor * self.high
        return replace(self, value=factor * self.value, low=low, high=high, unit=unit, error=error)


Findings = dict[str, Estimate | float | int | str]  # what a section found, each number by its name


def to_json(value: Any) -> dict[str, Any]:
    """What may be written as JSON: `{value: …}`, an estimate with all its parts, `{values: […]}` of
    a list, `{text: …}`.

    What JSON has no number for is written as the text `nan`, `inf` or `-inf`.

    Args:
        value: an estimate, a number of Python, NumPy or xarray, a boolean, a text, or a list, tuple
            or one-dimensional array of these.

    Raises:
        TypeError: it is something else.
    """
    if isinstance(value, Estimate):
        return {part: _json_number(getattr(value, part)) for part in PARTS}
    if isinstance(value, str):
        return {"text": str(value)}
    if isinstance(value, list | tuple) or getattr(value, "ndim", 0) == 1:
        return {"values": [to_json(each) for each in value]}
    return {"value": _json_number(value)}


def of_json(written: dict[str, Any]) -> Any:
    """The estimate, number, boolean, text or list that `to_json` wrote."""
    if "text" in written:
        return written["text"]
    if "values" in written:
        return [of_json(each) for each in written["values"]]
    parts: dict[str, Any] = {
        part: _number(each) for part, each in written.items() if part != "unit"
    }
    return Estimate(**parts, unit=written["unit"]) if "low" in written else parts["value"]


def _printed_with_error(value: float, error: float | None) -> str:
    """Both rounded where the error has one significant digit (two if it begins with 1)."""
    if error is None:
        raise ValueError("no standard error is known, give the form of a number such as .2f")
    if error == 0:
        return f"{value:g} ± 0"
    exponent = math.floor(math.log10(error))
    leading = round(error / 10**exponent, 1)
    decimals = max(0, -exponent + (1 if leading < 2 else 0))
    return f"{value:.{decimals}f} ± {error:.{decimals}f}"


def _json_number(value: Any) -> bool | int | float | str | None:
    value = value.item() if hasattr(value, "item") else value
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    raise TypeError(
        f"{type(value).__name__} is no number, estimate, boolean, text or list of these"
    )


def _number(written: bool | int | float | str | None) -> bool | int | float | None:
    return float(written) if isinstance(written, str) else written
