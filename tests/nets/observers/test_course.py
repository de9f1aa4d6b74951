import numpy as np
import pytest

from valleys.nets import make_problem
from valleys.nets.observers import course
from valleys.nets.observers.course import Course


@pytest.fixture
def problem(blobs):
    images, labels = blobs.images.numpy(), blobs.labels.numpy()
    return make_problem(images, labels, images, labels)


def test_a_curvature_that_rounding_hides_is_not_known_and_the_rest_is(problem, monkeypatch):
    def fails(*_):
        raise ArithmeticError("not found")

    steps, stack = np.array([0, 5]), problem.start.repeat(2)
    seen = Course(2, steps, problem, ["2.weight"], {0, 1})
    seen(0, stack)
    monkeypatch.setattr(course, "top_eigenpairs", fails)
    seen(5, stack)
    assert np.isfinite(seen.values["flatness"][:, 0]).all()
    assert np.isnan(seen.values["flatness"][:, 1]).all()
    assert np.isfinite(seen.values["train_loss"]).all()
