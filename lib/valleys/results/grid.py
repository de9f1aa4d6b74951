"""Cells of a grid of learning rates and batch sizes, put together."""

from collections.abc import Sequence

import xarray as xr

MIXED = 0  # threads of a result whose cells were computed with different numbers of them


def combine(cells: Sequence[xr.Dataset], batch_sizes: Sequence[int], learning_rates: Sequence[float]) -> xr.Dataset:
    """One dataset with dimensions batch_size, learning_rate and those of a cell, from cells batch size by batch size."""
    width = len(learning_rates)
    rows = [list(cells[start : start + width]) for start in range(0, len(cells), width)]
    combined = xr.combine_nested(rows, ["batch_size", "learning_rate"], join="exact", combine_attrs="drop_conflicts")
    combined.attrs |= made_of(cells)
    return combined.assign_coords(batch_size=list(batch_sizes), learning_rate=list(learning_rates)).transpose("batch_size", "learning_rate", ...)


def made_of(cells: Sequence[xr.Dataset]) -> dict[str, float]:
    """Seconds that stored cells took in all, and with how many threads each, if with one number; nothing for cells that are not from a store."""
    seconds = [cell.attrs.get("wall_time_seconds") for cell in cells]
    threads = {cell.attrs.get("threads") for cell in cells}
    return {} if None in seconds else {"wall_time_seconds": sum(seconds)} | ({"threads": threads.pop()} if len(threads) == 1 else {"threads": MIXED})
