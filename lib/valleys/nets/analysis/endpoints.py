"""When the walls between solutions rise, over every pair that ends with one."""

import numpy as np
import xarray as xr

from valleys.nets import statistics
from valleys.nets.measures import solutions

MEASURES = ("barrier", "rise")  # above the mean of both ends (Eq. 5), above the higher of them


def walls(found: xr.Dataset, rng: np.random.Generator) -> xr.Dataset:
    """How high the walls are at each record, and since when they have stood.

    A pair ends with a wall where the loss more than doubles on the way: its last rise is larger
    than the loss at its higher end.

    Args:
        found: what `endpoints` gives.
        rng: of the resamples of solutions.

    Returns:
        Dimensions solution, other, measure, record: `walled`, which pairs end with a wall; `since`,
            the time from which on the measure
        has not fallen below half its last value, NaN for the other pairs; `height` and `standing`,
        mean of the measure and share of those walls that stand for good, with `_low` and `_high`;
        `fitted`, the time from which on a run has had every training image right.
    """
    times, walled = found.time.values, ends_with_wall(found)
    since = np.stack(
        [
            np.where(walled, solutions.emergence(found[name].values, times), np.nan)
            for name in MEASURES
        ]
    )
    parts: dict = {
        "walled": (("solution", "other"), walled),
        "since": (("measure", "solution", "other"), since),
    }
    heights = [found[name].transpose("record", ...).values for name in MEASURES]
    stands = [one[None] <= times[:, None, None] for one in since]
    for name, series in (("height", heights), ("standing", stands)):
        estimates = [
            [statistics.pair_mean(matrix.astype(float), rng, walled) for matrix in one]
            for one in series
        ]
        for suffix, field in zip(statistics.ENDS, ("value", "low", "high"), strict=True):
            parts[name + suffix] = (
                ("measure", "record"),
                [[getattr(one, field) for one in row] for row in estimates],
            )
    parts["fitted"] = (
        "solution",
        solutions.emergence(found.train_accuracy.values, times, share=1.0),
    )
    return xr.Dataset(parts, coords={"measure": list(MEASURES), "time": found.time})


def ends_with_wall(found: xr.Dataset) -> np.ndarray:
    """Whether the last rise of each pair is larger than the loss at its higher end, bool, (S,
    S).
    """
    loss = found.train_loss.values[:, -1]
    return found.rise.values[..., -1] > np.maximum(loss[:, None], loss)
