"""A grid of walks made up so that every answer is known."""

import numpy as np
import pytest
import xarray as xr

from valleys.nets.analysis.walk.compared import Compared

SIZES, RATES = [10, 50, 1000], [0.2, 0.05, 0.1]  # the last batch size is gradient descent, one run
SETTING = ("batch_size", "learning_rate")
RUNS = np.array([0.7, 0.9, 1.1, 1.3])  # factors of the runs of a setting, 1 in the mean
TIMES = [0.0, 1.0, 2.0, 4.0, 8.0]  # three windows lie after the start and before freezing, at 5
RISING = (9.0, 1.0, 2.0, 3.0, 4.0)  # by window: 2 before freezing, 17/7 where windows count by time
EVEN = (9.0, 2.0, 2.0, 2.0, 9.0)  # 2 in both ways
MULTIPLES = [0.4096, 0.64, 0.8, 1.25, 1.5625, 2.44140625]


def runs_of(of_setting: list[list[float]]) -> np.ndarray:
    """A number a run from one a setting, (3, 3) in the order of `SIZES` and `RATES`, (3, 3, 4)."""
    every = np.multiply.outer(of_setting, RUNS)
    every[2] = np.nan
    every[2, :, 0] = np.asarray(of_setting)[2]
    return every


def along(of_setting: list[list[float]], course: tuple[float, ...], dim: str) -> tuple:
    return (*SETTING, "realization", dim), np.multiply.outer(runs_of(of_setting), course)


@pytest.fixture
def compared() -> Compared:
    example = {"batch_size": 10, "learning_rate": 0.1}
    return Compared(example, wild=10, calm=50, whole=1000, slow=0.05, fast=0.2)


@pytest.fixture
def grid() -> xr.Dataset:
    shares = [[0.4, 0.2, 0.3], [0.3, 0.1, 0.15], [0.35, 0.05, 0.2]]
    sags = [[3.0, 0.5, 6.0], [2.0, 0.1, 5.0], [7.0, 0.3, 0.2]]
    landscape = [[-0.3, -0.2, -0.2], [-0.2, -0.1, 0.05], [-0.4, 0.4, -0.1]]
    bowl = [[-0.2, -0.2, -0.1], [-0.25, -0.2, -0.1], [-0.01, 0.01, -0.1]]
    near = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
    found = {
        "slope_share": along(shares, RISING, "window"),
        "convex_share": along(shares, RISING, "window"),
        "cosine": along([[-0.1, -0.2, -0.3]] * 2 + [[-0.25, 0.45, 0.1]], RISING, "window"),
        "landscape_cosine": along(landscape, EVEN, "window"),
        "bowl_cosine": along(bowl, RISING, "window"),
        "sampling_cosine": along([[0.0, 0.0, 0.0], [0.0, 0.0, -0.02], [0.0] * 3], EVEN, "window"),
        "sag": along(sags, EVEN, "window"),
        "relative_sag": along((np.array(sags) / 100).tolist(), RISING, "window"),
        "curvature": along([[3.0, 8.0, 5.0], [6.0, 4.0, 5.0], [9.0] * 3], EVEN, "window"),
        "distance": along(sags, RISING, "window"),
        "near_distance": along([[1.0] * 3] * 3, near, "multiple"),
        "near_relative_sag": along([[1.0] * 3] * 3, near, "multiple"),
        "near_loss": along([[1.0] * 3] * 3, near[::-1], "multiple"),
        "freezing_time": ((*SETTING, "realization"), runs_of([[5.0] * 3] * 3)),
        "window_time": ("window", TIMES),
    }
    return xr.Dataset(found, {"batch_size": SIZES, "learning_rate": RATES, "multiple": MULTIPLES})
