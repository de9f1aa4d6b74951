"""Rows of whole vectors."""

import numpy as np
import pytest

from valleys.nets.engine.kernels import memory
from valleys.nets.engine.kernels.vectors import WIDTH


@pytest.mark.parametrize("kind", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(3, 37), (2, 5, 588), (4, 1)], ids=str)
def test_rows_are_filled_up_with_nothing(shape, kind):
    given = np.random.default_rng(0).standard_normal(shape).astype(kind)
    filled = memory.in_vectors(given)
    assert filled.flags.c_contiguous
    assert filled.ctypes.data % WIDTH == filled.shape[-1] * filled.itemsize % WIDTH == 0
    assert filled.shape[:-1] == shape[:-1]
    np.testing.assert_array_equal(filled[..., : shape[-1]], given)
    assert not filled[..., shape[-1] :].any()
    assert filled.shape[-1] - shape[-1] < WIDTH // given.itemsize


def test_what_is_in_vectors_stays_where_it_is():
    given = memory.empty((3, 64), np.dtype("float32"))
    assert memory.in_vectors(given) is given
    room = memory.empty((200,), np.dtype("float32"))
    moved = room[1:193].reshape(3, 64)
    moved[:] = 1
    assert memory.in_vectors(moved) is not moved
    np.testing.assert_array_equal(memory.in_vectors(moved), moved)
