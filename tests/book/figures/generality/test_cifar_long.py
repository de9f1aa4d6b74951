"""The moments of long runs of the network of Fig. S5."""

import numpy as np

from tests.book.figures.drawn import drawn_axes
from tests.nets.analysis.generality.test_cifar_long import LEVEL, long_runs
from valleys.book import figures
from valleys.book.figures.generality.cifar_long import PANELS
from valleys.nets.analysis.generality import cifar_long as analysis


def test_lines_go_through_the_means_of_each_batch_size():
    table = analysis.moments(long_runs(), LEVEL)
    panels = drawn_axes(figures.cifar_long(table), len(PANELS))
    counts = [len(axes.containers) for axes in panels]
    assert counts == [4 if own else 2 for *_, own in PANELS.values()]
    line = panels[0].containers[0].lines[0]
    np.testing.assert_allclose(line.get_xdata(), [LEVEL, LEVEL / 2, LEVEL / 3])
    np.testing.assert_allclose(line.get_ydata(), [5, 10, 15])
    own = panels[2].containers[1].lines[0]
    np.testing.assert_allclose(own.get_xdata(), [50, 100, 150])
    np.testing.assert_allclose(own.get_ydata(), [0.5, 0.5, 0.5])
