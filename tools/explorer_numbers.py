"""Write `_extra/explorer/stored.js`, what the explorer has from the library: exact rates of hops,
the best schedules of noise, the wide map of Chapter 4, and final shares in a row of five valleys
(about ten seconds).
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from valleys.paths import book_root
from valleys.results.computing import compute
from valleys.toy import ManyValleys, TwoValley
from valleys.toy.experiments import two_valley as studies
from valleys.toy.experiments.specs import MasterMapSpec
from valleys.toy.experiments.two_valley import with_contrast
from valleys.toy.theory import chain
from valleys.toy.theory.diagnosis import drift_path
from valleys.toy.theory.families import MOST_NOISE, best_of_shape
from valleys.toy.theory.schedules import Rates, Way, follow, greedy

GAMMA = 1.515  # of the explorer, where it is not moved
LANDSCAPE = with_contrast(TwoValley(), GAMMA)
DURATION, STARTS = 1000.0, (0.2, 1.0, 5.0)
SHAPES = {"constant": "constant", "rising": "linear rise", "falling": "linear fall"}
TIMES = np.geomspace(1, DURATION, 61)  # at which the best noise is kept
N_RATES = 161  # θ, evenly spread on a logarithmic scale
MAP = MasterMapSpec(np.geomspace(0.001, 0.1, 10), np.geomspace(0.01, 1.0, 10), n_steps=20_000)
# one of the orders of Chapter 11, from left to right, and the noises that can be chosen
ROW, ROW_START, ROW_DURATION = (0.65, 0.725, 0.8, 0.7625, 0.6875), 1.0, 800.0
ROW_NOISES = (1e-4, 2e-4, 3e-4, 5e-4, 7e-4, 1e-3, 1.5e-3, 2e-3, 3e-3, 5e-3, 7e-3, 0.01)

HEAD = """/** What the explorer has from the Python package, written by `python tools/explorer_numbers.py`. */
globalThis.ExplorerStored = """  # noqa: E501


def digits(values: ArrayLike, n: int = 5) -> Any:
    """A number in so many significant digits, or lists of them."""
    return np.vectorize(lambda value: float(f"{value:.{n}g}"))(values).tolist()


def exchange() -> dict:
    """ln of (k⁺ + k⁻) f2 and of k⁻/k⁺ over ln θ."""
    rates = Rates.of(LANDSCAPE)
    places = np.linspace(np.log(rates.lowest), rates.total.x[-1], N_RATES)
    ends = np.exp(places[[0, -1]])
    return {
        "thetas": digits(ends, 17),
        "total": digits(rates.total(places), 7),
        "odds": digits(rates.odds(places), 7),
    }


def bests(start_y: float) -> dict:
    """The best constant noise, lines and schedule from a start, and the flat share of each."""
    rates, way = Rates.of(LANDSCAPE), Way.of(LANDSCAPE, DURATION, start_y)
    noise = greedy(rates, way, 0.5, MOST_NOISE)
    kept = np.exp(np.interp(np.log(TIMES), np.log(way.middles), np.log(noise)))
    share = float(follow(rates, way, noise)[-1])
    shapes = {name: best_of_shape(rates, way, shape) for name, shape in SHAPES.items()}
    return {
        name: {"noise": digits(found.amplitude), "share": digits(found.p_flat, 6)}
        for name, found in shapes.items()
    } | {
        "best": {"noise": digits(kept), "share": digits(share, 6)},
    }


def chart() -> dict:
    """The flat share over learning rate and noise strength."""
    found = compute(studies.master_map, MAP)
    return {
        "rates": digits(found.learning_rate),
        "strengths": digits(found.noise_strength),
        "shares": digits(found.p_flat.transpose("learning_rate", "noise_strength"), 3),
    }


def row() -> dict:
    """Final shares of five valleys in a row, from equal ones, for each noise."""
    y = drift_path(LANDSCAPE, ROW_START, ROW_DURATION / 2)[1]  # and as long again
    shares = [chain.balance(ManyValleys(ROW), noise, y)[:, -1] for noise in ROW_NOISES]
    return {
        "widths": ROW,
        "startY": ROW_START,
        "duration": ROW_DURATION,
        "noises": ROW_NOISES,
        "shares": digits(shares, 4),
    }


def numbers() -> dict:
    """All of it, by the names that the scripts use."""
    schedule = {
        "gamma": GAMMA,
        "duration": DURATION,
        "rates": exchange(),
        "times": digits(TIMES),
        "starts": {f"{start:g}": bests(start) for start in STARTS},
    }
    return {"schedule": schedule, "map": chart(), "row": row()}


def target() -> Path:
    """The file that the explorer loads."""
    return book_root() / "_extra" / "explorer" / "stored.js"


def main() -> None:
    """Write the numbers."""
    text = json.dumps(numbers(), separators=(",", ":"))
    target().write_text(f"{HEAD}{text};\n", encoding="utf-8")


if __name__ == "__main__":
    main()
