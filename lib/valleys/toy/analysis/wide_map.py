"""A map of outcomes far beyond the noise of the paper's, and settings that fail in known ways."""

from collections.abc import Mapping

import numpy as np
import xarray as xr

from valleys.results.estimates import Findings
from valleys.toy.statistics import measured
from valleys.toy.theory.diagnosis import Diagnosis

TOLD = 0.01  # a step in the share that the master equation counts as one
MAP = ("learning_rate", "noise_strength")


def wide_findings(cells: xr.Dataset, exact: xr.Dataset) -> Findings:
    """Does more noise raise the flat share over a wide map, and where does it end?

    Args:
        cells: of `phase_diagram`, learning rate and noise strength rising.
        exact: of `master_map` for the same cells.

    Returns:
        steps, and rising, those that raise the share, of all steps to a neighbour with more noise
        or a larger learning rate; told_steps and told_rising, the same by the master equation where
        the share changes by more than 0.01; best and corner, the highest share and that of the
        noisiest cell; top_low and top_high, the effective noises at which the share is highest
        along learning rates with a top inside the map, and tops, how many have one; gap, the
        most that a share is off the master equation in standard errors.
    """
    counted, told = _steps(cells.p_flat), _steps(exact.p_flat)
    told = told[np.abs(told) > TOLD]
    tops = _tops(exact)
    pulls = abs(cells.p_flat - exact.p_flat) / cells.p_flat_error
    return {
        "steps": counted.size,
        "rising": int((counted > 0).sum()),
        "told_steps": told.size,
        "told_rising": int((told > 0).sum()),
        "best": measured(cells.isel(cells.p_flat.argmax(...))),
        "corner": measured(cells.isel(learning_rate=-1, noise_strength=-1)),
        "tops": tops.size,
        "top_low": float(tops.min()) if tops.size else float("nan"),
        "top_high": float(tops.max()) if tops.size else float("nan"),
        "gap": float(pulls.max()),
    }


def _steps(shares: xr.DataArray) -> np.ndarray:
    return np.concatenate([shares.diff(along).values.ravel() for along in MAP])


def _tops(exact: xr.Dataset) -> np.ndarray:
    """Effective noise of the highest share along each learning rate, where more noise lowers it by
    a step that counts.
    """
    shares = exact.p_flat.transpose(*MAP).values
    places = shares.argmax(axis=1)
    falls = shares.max(axis=1) - shares[:, -1] > TOLD
    noises = np.outer(exact.learning_rate, exact.noise_strength)
    return noises[np.arange(len(shares)), places][falls]


def answers(diagnoses: Mapping[str, Diagnosis]) -> dict[str, str]:
    """The questions that a diagnosis answers with NO, joined by commas, for each setting."""
    return {
        name: ", ".join(check.name for check in found.verdicts if not check.holds) or "none"
        for name, found in diagnoses.items()
    }


def failure_findings(maps: Mapping[str, xr.Dataset]) -> Findings:
    """Largest share of each map, and how far its cells are from one half in standard errors.

    Args:
        maps: of `phase_diagram`, by a short name.

    Returns:
        top_NAME, the highest share; off_NAME, the root mean square of (share − ½)/error; and gone,
        the largest share of runs of any cell that left the landscape.
    """
    found: Findings = {"gone": max(float(cells.diverged.max()) for cells in maps.values())}
    for name, cells in maps.items():
        found[f"top_{name}"] = measured(cells.isel(cells.p_flat.argmax(...)))
        pulls = (cells.p_flat - 0.5) / cells.p_flat_error
        found[f"off_{name}"] = float((pulls**2).mean() ** 0.5)
    return found
