"""The maps of the network of Fig. S5."""

from tests.book.figures.drawn import drawn_axes
from tests.nets.analysis.generality.test_cifar_network import LEVEL, grid
from valleys.book import figures
from valleys.book.figures.generality.cifar_network import PANELS
from valleys.nets.analysis.generality import cifar_network as analysis


def test_each_map_writes_the_values_of_its_cells():
    found = analysis.together({0.01: grid(0.01, [20]), 0.05: grid(0.05, [20, 50, 200])})
    table = analysis.maps(found, LEVEL)
    panels = drawn_axes(figures.cifar_network(table), len(PANELS))
    written = {text.get_text() for text in panels[1].texts}
    assert {"5.00", "2.00", "0.50"} <= written
