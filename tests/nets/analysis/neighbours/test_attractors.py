import numpy as np
import pytest
import xarray as xr

from tests.findings import estimate
from valleys.nets.analysis.neighbours.attractors import attractor_findings


@pytest.mark.parametrize("sign", [-1, 1])
def test_the_order_is_that_of_the_means_of_settings(sign):
    dims = ("start", "learning_rate", "batch_size", "run")
    rank = np.arange(6.0).reshape(1, 3, 2, 1) * np.ones((4, 3, 2, 2))
    noise = 1e-3 * np.random.default_rng(0).standard_normal(rank.shape)
    found = xr.Dataset({"dimension": (dims, 0.5 + 0.01 * rank)})
    found["accuracy"] = (dims, 0.9 + sign * 0.01 * rank + noise)
    told = attractor_findings(found.assign_attrs(n_weights=100))
    order = estimate(told, "dimension_order")
    assert [order.value, order.low, order.high] == pytest.approx([sign] * 3)
