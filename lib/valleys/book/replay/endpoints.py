"""The film of the chapter on end points: runs from one start that part, and walls that rise
between them.
"""

from typing import Any

import numpy as np
import xarray as xr
from IPython.display import HTML

from valleys.book.figures.drawing.style import learning_rate_colours
from valleys.book.replay.film import MOST_RECORDS, film, rounded, thinned

MOST_HEIGHTS = 7000  # of all pairs at all moments; a page must stay light
TITLE = "Runs from one start part, and walls rise between them"
STILL = (
    "On the page of this chapter a film plays here, in a browser with JavaScript. "
    "The figures of this chapter show the same runs."
)


def runs(found: xr.Dataset) -> HTML:
    """All solutions along training: where they are, their loss, and the walls between them.

    Args:
        found: what `endpoints` gives.
    """
    return film("endpoints", TITLE, STILL, runs_played(found))


def runs_played(found: xr.Dataset) -> dict[str, Any]:
    """What the film plays.

    Returns:
        times: η · step of the moments; `rates`, `sizes`: learning rate and batch size of each run,
            with `colours`.
        places: of each run at each moment, on two principal components.
        losses: training loss of each run at each moment.
        rises: of each pair at each moment, how far the loss rises above the higher end on the
            straight line; pairs row by row above the diagonal.
    """
    pairs = np.triu_indices(found.sizes["solution"], 1)
    most = max(2, min(MOST_RECORDS, MOST_HEIGHTS // len(pairs[0])))
    one = found.isel(record=thinned(found.sizes["record"], most))
    shades = learning_rate_colours(found.learning_rate.values.tolist())
    return {
        "times": rounded(one.time),
        "rates": rounded(one.learning_rate),
        "sizes": rounded(one.batch_size),
        "colours": [str(shades[rate]) for rate in found.learning_rate.values.tolist()],
        "places": rounded(one.position),
        "losses": rounded(one.train_loss),
        "rises": rounded(one.rise.transpose("solution", "other", "record").values[pairs]),
    }
