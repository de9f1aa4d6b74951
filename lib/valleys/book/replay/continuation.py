"""The film of the chapter on continuations: a run of SGD, and where it ends if the noise stops."""

from typing import Any

import numpy as np
import xarray as xr
from IPython.display import HTML

from valleys.book.figures.drawing.parts import each
from valleys.book.figures.drawing.style import ordered_colours
from valleys.book.replay.film import MOST_RECORDS, film, rounded, thinned

MOST_BRANCHES = 61
SHOWN = ("train_loss", "flatness")  # along a run and its branches
TITLE = "The choice freezes: branches that leave late end alike"
STILL = (
    "On the page of this chapter a film plays here, in a browser with JavaScript. "
    "The figure above shows the same run and its branches."
)


def branches(found: xr.Dataset, threshold: float) -> HTML:
    """The first reference run along training, and at each moment the stored branch that leaves
    then.

    Args:
        found: what `continuation` returns.
        threshold: L_c of the freezing time.
    """
    return film("continuation", TITLE, STILL, branches_played(found, threshold))


def branches_played(found: xr.Dataset, threshold: float) -> dict[str, Any]:
    """What the film plays, of the first reference run.

    Returns:
        steps: of the records; `stops`: at which branches leave, with a colour each.
        frozen: freezing time as a step, None if the run never froze; `threshold`: its L_c.
        run: training loss and flatness by record; `branches`: the same of each branch, from the
            record `first` on.
        likeness: Sim_J of each branch with the last one, on all test images.
    """
    one = _first_run(found)
    stops = one.branch_step.values
    return {
        "steps": rounded(one.step),
        "stops": rounded(stops),
        "colours": list(ordered_colours(stops).values()),
        "threshold": threshold,
        "frozen": rounded(one.freezing_time.sel(threshold=threshold)),
        "run": {name: rounded(one[f"reference_{name}"]) for name in SHOWN},
        "branches": [_branch(branch) for branch in each(one, "branch")],
        "likeness": rounded(one.similarity_full),
    }


def _first_run(found: xr.Dataset) -> xr.Dataset:
    """The first reference run with as many branches and records as a page can carry, and the
    similarity of each branch with the last one alone.
    """
    one = found.isel(reference=0, other=-1)
    kept = {"branch": MOST_BRANCHES, "record": MOST_RECORDS}
    return one.isel({name: thinned(one.sizes[name], most) for name, most in kept.items()})


def _branch(branch: xr.Dataset) -> dict[str, Any]:
    """A branch from its first record on."""
    first = int(np.argmax(np.isfinite(branch.branch_train_loss.values)))
    return {"first": first} | {name: rounded(branch[f"branch_{name}"][first:]) for name in SHOWN}
