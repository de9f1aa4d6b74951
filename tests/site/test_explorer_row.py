"""Five valleys in the explorer are those of `valleys.toy`: landscape, noise, whole runs."""

import numpy as np
import pytest

from tests.site.browsing import needs_chromium
from valleys.paths import book_root
from valleys.toy import ManyValleys, Walk, occupation

pytestmark = needs_chromium

WIDTHS = (0.65, 0.725, 0.8, 0.7625, 0.6875)
PLACES = [(x, y) for x in (-2.0, -0.4, -0.1, 0.05, 0.3, 1.1) for y in (-1.0, 1.0, 20.0)]


@pytest.fixture(scope="module")
def model(browser):
    """An empty page that knows the row."""
    page = browser.new_page()
    for name in ("physics", "row"):
        page.add_script_tag(path=book_root() / "_extra" / "explorer" / f"{name}.js")
    yield page
    page.close()


def test_row_is_that_of_the_package(model):
    script = """([widths, places]) => {
        const { aboveFloor, floors, row, slopes, valleyAt } = ExplorerRow, land = row(widths), slope = new Float64Array(5);
        return places.map(([x, y]) => {
            slopes(land, x, y, slope);
            return [...floors(land, y), valleyAt(land, x, y), aboveFloor(land, x, y) - ExplorerPhysics.barrier(land, y), ...slope];
        });
    }"""  # noqa: E501
    found = np.array(model.evaluate(script, [WIDTHS, PLACES]))
    land, (x, y) = ManyValleys(WIDTHS), np.array(PLACES).T
    hessian = land.hessian(x, y)
    expected = np.column_stack(
        [
            land.valley_positions(y).T,
            land.valley(x, y),
            land.loss(x, y) - land.drift_loss(y),
            land.gradient(x, y),
            *(hessian[:, i, j] for i, j in ((0, 0), (0, 1), (1, 1))),
        ]
    )
    assert np.allclose(found, expected, rtol=1e-10, atol=1e-13)


def test_runs_in_a_row_are_those_of_the_package(model):
    script = """([widths, n, nSteps]) => {
        const { advance, row, summary, swarm } = ExplorerRow;
        const walkers = swarm({ learningRate: 0.05, noiseStrength: 0.04, startY: 1, seed: 3 }, row(widths), n);
        advance(walkers, nSteps);
        return summary(walkers);
    }"""  # noqa: E501
    n, n_steps = 1000, 1000
    found = model.evaluate(script, [WIDTHS, n, n_steps])
    runs = occupation(Walk(ManyValleys(WIDTHS), 0.05, 0.04, start_y=1.0), 4000, n_steps)
    error = np.hypot(runs.share_error, np.sqrt(0.2 * 0.8 / n))
    assert np.all(np.abs(np.array(found["shares"]) - runs.share) < 4 * error)
    assert found["meanY"] == pytest.approx(float(runs.y), rel=0.01)
