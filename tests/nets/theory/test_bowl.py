import numpy as np
import pytest

from valleys.nets.measures import step_lines
from valleys.nets.theory.bowl import Bowl

WALKERS, STEPS, BURN_IN = 400, 200, 400


def walk_of(bowl: Bowl) -> np.ndarray:
    """Positions of walkers that have settled, (STEPS + 1, WALKERS, n), stepped one by one and
    without any formula of the class.
    """
    rng, size = np.random.default_rng(7), (WALKERS, bowl.curvatures.size)
    x, found = np.zeros(size), []
    for step in range(BURN_IN + STEPS + 1):
        if step >= BURN_IN:
            found.append(x)
        x = x - bowl.learning_rate * (
            bowl.curvatures * x + np.sqrt(bowl.noises) * rng.standard_normal(size)
        )
    return np.array(found)


def losses_of(bowl: Bowl, points: np.ndarray) -> np.ndarray:
    return (bowl.curvatures * points**2).sum(axis=-1) / 2


def error_of(values: np.ndarray) -> float:
    """Standard error over walkers, which are independent."""
    return values.mean(axis=0).std(ddof=1) / np.sqrt(WALKERS)


@pytest.fixture(params=[0.1, 0.7, 1.6])
def narrow(request):
    """A bowl in one dimension, η λ = 0.1, 0.7, 1.6."""
    return Bowl(np.array([2.0]), np.array([0.3]), request.param / 2)


@pytest.fixture
def wide():
    """A bowl with forty curvatures, over two decades and up to η λ = 1.2."""
    rng = np.random.default_rng(1)
    return Bowl(np.geomspace(0.1, 6.0, 40), rng.uniform(0, 2, 40), 0.2)


def test_in_one_dimension_a_step_crosses_the_bottom_as_often_and_as_high_as_the_formulas_say(
    narrow,
):
    x = walk_of(narrow)[..., 0]
    slopes = [2.0 * point * np.diff(x, axis=0) for point in (x[:-1], x[1:])]
    crossed = step_lines.crosses_floor(*slopes)
    assert crossed.mean() == pytest.approx(
        narrow.floor_shares[0], abs=4 * error_of(crossed.astype(float))
    )
    fractions = np.linspace(0, 1, 201)
    path = losses_of(
        narrow, (x[:-1, :, None] * (1 - fractions) + x[1:, :, None] * fractions)[..., None]
    )
    np.testing.assert_array_equal(step_lines.has_floor(path) & ~crossed, False)
    # a floor next to an end falls between points of the grid
    assert (step_lines.has_floor(path) != crossed).mean() < 0.02
    high = np.where(crossed, (path[..., 0] + path[..., -1]) / 2, np.nan)
    assert np.nanmean(high) == pytest.approx(narrow.heights[0], rel=0.02)
    assert np.nanmean(step_lines.height(path)) == pytest.approx(narrow.heights[0], rel=0.03)


def test_in_one_dimension_the_cosine_is_minus_half_of_rate_times_curvature(narrow):
    assert narrow.cosine == pytest.approx(-narrow.learning_rate * 2.0 / 2)


def test_cosine_loss_and_sag_are_those_of_a_simulated_walk(narrow, wide):
    for bowl in (narrow, wide):
        points = walk_of(bowl)
        updates = np.diff(points, axis=0)
        product, square = (
            (updates[:-1] * updates[1:]).sum(axis=-1),
            (updates[:-1] ** 2).sum(axis=-1),
        )
        assert product.mean() / square.mean() == pytest.approx(
            bowl.cosine, abs=4 * error_of(product - bowl.cosine * square) / square.mean()
        )
        losses = losses_of(bowl, points)
        assert losses.mean() == pytest.approx(bowl.loss, abs=4 * error_of(losses))
        middle = losses_of(bowl, (points[:-1] + points[1:]) / 2)
        sags = step_lines.sag(np.stack([losses[:-1], middle, losses[1:]], axis=-1))
        assert sags.mean() == pytest.approx(bowl.sag, abs=4 * error_of(sags))
        assert bowl.sag == pytest.approx(-bowl.cosine * bowl.loss)


def test_with_many_directions_most_steps_have_a_floor_where_each_direction_alone_has_few():
    bowl = Bowl(np.full(100, 1.0), np.full(100, 1.0), 0.1)
    points = walk_of(bowl)[:50]
    slopes = [(point * np.diff(points, axis=0)).sum(axis=-1) for point in (points[:-1], points[1:])]
    assert bowl.floor_shares.max() < 0.15
    assert step_lines.crosses_floor(*slopes).mean() > 0.75


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (([1.0, 2.0], [1.0], 0.1), "equally many"),
        (([1.0, 0.0], [1.0, 1.0], 0.1), "curvatures must be positive"),
        (([1.0], [0.0], 0.1), "noises"),
        (
            ([4.0], [1.0], 0.5),
            "learning_rate must lie between 0 and 2 / the largest curvature, 0.5",
        ),
    ],
)
def test_a_bowl_without_a_stationary_walk_is_refused(values, message):
    with pytest.raises(ValueError, match=message):
        Bowl(*values)
