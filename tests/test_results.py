"""The results that come with the book are those that its code makes: every file is named by what
made it, and parts drawn at random come out again.

A part is simulated alone with the stream that it has in its study. Where the processor is of the
kind that made the file, simulated values must be equal to the last bit; elsewhere the compiler may
round otherwise, and those with an error must agree within it. What is computed without sampling
must agree up to rounding.
"""

import dataclasses
import json
import random
from pathlib import Path

import pytest

from valleys.paths import book_root
from valleys.results import machine, shipping, store, verify
from valleys.results.grid import parts_of
from valleys.results.naming import Made
from valleys.results.verify import compare
from valleys.toy.experiments import (
    continuous,
    last_crossing,
    more_valleys,
    two_valley,
    uneven,
)

FOLDER = book_root() / "results" / "paper"
NAMES = sorted(shipping.names(FOLDER))
WITHOUT_SAMPLING = ("operator", "contrast_exact")  # for the specs of studies that sample
OF_THE_MODEL = (two_valley, more_valleys, continuous, last_crossing, uneven)
WITHOUT_DATA = {study.__name__ for room in OF_THE_MODEL for study in room.PARTS}
MOST_SECONDS = 3.0  # to compute a part of one file again, by the time that the file took
DRAW = 20260110  # seed of the draw of parts


shipped = pytest.mark.parametrize("name", NAMES)
QUICK = random.Random(DRAW).sample(
    [name for name in NAMES if Path(name).parent.name in WITHOUT_DATA], 1
)
simulated = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow) for name in NAMES]
)


@shipped
def test_shipped_file_is_current_and_named_by_its_key(name):
    made = store.made_of(FOLDER / name)
    assert made is not None, "the file cannot be read"
    assert made.name == name
    assert made.is_current(), (
        "the code has changed since: run `python -m valleys rekey`, or `make results` where it "
        "changed values"
    )
    assert made.spec == json.loads(json.dumps(dataclasses.asdict(made.again()[1])))


@simulated
def test_parts_of_a_shipped_file_come_out_again(name):
    if Path(name).parent.name not in WITHOUT_DATA:
        pytest.skip(
            f"no part of {name} can be computed again without data: `python -m valleys "
            "verify` does it"
        )
    stored = store.load(FOLDER / name)
    made, seconds = Made.of(stored.attrs), stored.attrs["wall_time_seconds"]
    chosen = verify.drawn_parts(parts_of(*made.again()), seconds, MOST_SECONDS, f"{DRAW} {name}")
    if not chosen:
        pytest.skip(f"every part of it takes more than {MOST_SECONDS} s")
    (part,), sampled = chosen, made.is_sampled and Path(name).parent.name not in WITHOUT_SAMPLING
    same_processor = stored.attrs["processor"] == machine.processor()
    found = compare(
        stored.sel(part.place).squeeze(),
        part.compute().squeeze(),
        sampled=sampled,
        same_processor=same_processor,
    )
    assert not found.differing, (
        f"{', '.join(found.differing)} at {dict(part.place)}, drawn with seed {DRAW}"
    )
