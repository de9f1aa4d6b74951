"""The figures of other networks draw what their tables say."""

import numpy as np
import pytest

from tests.book.figures.drawn import drawn_axes, error_bars, x_of, y_of
from tests.nets.analysis.generality.test_effects import VARIANTS, made_up
from valleys.book import figures
from valleys.book.figures.generality.effects import LOOKS, PANELS
from valleys.nets.analysis.generality import effects, widths

BORDERS = {name: claim.border for name, claim in effects.CLAIMS.items()}


@pytest.fixture(scope="module")
def found():
    return made_up(factors=(2.0, 3.0, 0.5), walls=(2.0, 4.0, 0.2))


def test_every_network_has_its_row_and_the_look_of_its_answer(found):
    table = effects.contrasts(found)
    judged = effects.verdicts(table)
    panels = drawn_axes(figures.generality(table, judged, BORDERS), len(PANELS))
    names = [label.get_text() for label in panels[0].get_yticklabels()]
    assert names[0] == "base network"
    for axes, (claim, (effect, _, _)) in zip(panels, PANELS.items(), strict=True):
        for bar in error_bars(axes):
            line = bar.lines[0]
            variant = VARIANTS[round(float(y_of(line)[0]))]
            assert float(x_of(line)[0]) == pytest.approx(
                effects.effect(table, effect, variant).value
            )
            answer = judged.sel(variant=variant, claim=claim).item()
            assert line.get_marker() == LOOKS[answer]["marker"]


def test_widths_rise_to_the_right(found):
    here = widths.in_order(found, 50)
    table = effects.contrasts(here)
    left, right = drawn_axes(figures.widths(table, here), 2)
    flat = error_bars(left)[-1].lines[0]
    np.testing.assert_allclose(x_of(flat), [20, 50, 200])
    np.testing.assert_allclose(y_of(flat), [3, 2, 0.5])
    assert len(error_bars(right)) == 4
