"""Draw `_static/overview.svg`, the map whose time the guide tells: Figs. 5C and 5D at the
published size (about a minute on two cores).
"""

import numpy as np

from valleys.book import figures
from valleys.paths import book_root
from valleys.results.computing import compute
from valleys.toy.experiments.specs import PhaseDiagramSpec
from valleys.toy.experiments.two_valley import phase_diagram

PUBLISHED = tuple(float(value) for value in np.logspace(-2, -1, 10))


def main() -> None:
    """Compute or load the map, and write the figure, whose ground lets the page through."""
    figures.use_style()
    cells = compute(
        phase_diagram, PhaseDiagramSpec(learning_rates=PUBLISHED, noise_strengths=PUBLISHED)
    )
    figure = figures.phase_maps(cells)
    figure.savefig(book_root() / "_static" / "overview.svg", metadata={"Date": None})


if __name__ == "__main__":
    main()
