"""What other libraries give, and what findings hold, as types that tests can rely on."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from scipy import stats
from scipy.sparse.linalg import LinearOperator
from torch import Tensor, nn

from valleys.results.estimates import Estimate


def estimate(found: object) -> Estimate:
    """A finding that must be an estimate."""
    assert isinstance(found, Estimate), found
    return found


def number(found: object) -> float:
    """A finding that must be a number."""
    assert isinstance(found, float | int), found
    return found


def linregress(x: Any, y: Any) -> Any:
    """SciPy's line through points, of whose parts its stub knows nothing."""
    return stats.linregress(x, y)


def spearmanr(x: Any, y: Any) -> Any:
    """SciPy's rank correlation, of whose parts its stub knows nothing."""
    return stats.spearmanr(x, y)


def operator(size: int, product: Callable[[np.ndarray], np.ndarray]) -> LinearOperator:
    """A matrix that is known by its products; SciPy's stub has another constructor."""
    return LinearOperator((size, size), matvec=product, dtype=float)  # pyright: ignore[reportCallIssue]


def hessian(loss: Callable[[Tensor], Tensor], point: Tensor) -> Tensor:
    """Second derivatives of a loss of one tensor, by autograd."""
    return torch.as_tensor(torch.autograd.functional.hessian(loss, point))


def second_layer(module: nn.Module) -> Tensor:
    """The matrix of the second layer of a fully connected network."""
    return module.get_parameter("2.weight")
