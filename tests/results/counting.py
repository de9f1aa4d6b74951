"""A study of two numbers that notes each computation in a file."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr


@dataclass(frozen=True)
class Spec:
    """A cell: two numbers, a list, and where to note that it was computed."""

    first: int = 0
    second: float = 0.0
    levels: tuple[float, ...] = (1.0, 2.0)
    log: str = ""
    deadly: int = -1  # value of `first` that the study does not survive

    def __post_init__(self) -> None:
        """Refuse a negative number."""
        if self.first < 0:
            raise ValueError(f"first must be 0 or more, got {self.first}")

    @property
    def work(self) -> float:
        """Grows with the first number."""
        return 1.0 + self.first


def study(spec: Spec) -> xr.Dataset:
    """Numbers that follow from the spec."""
    if spec.first == spec.deadly:
        raise KeyboardInterrupt
    if spec.log:
        with Path(spec.log).open("a") as log:
            log.write(f"{spec.first} {spec.second:g}\n")
    drawn = np.random.default_rng([spec.first, int(8 * spec.second)]).normal(size=3)
    values = {
        "value": ("step", drawn),
        "sum": ("level", spec.first + np.array(spec.levels)),
        "steps": 3,
    }
    return xr.Dataset(values, {"second": spec.second}, {"made": "here", "first": spec.first})
