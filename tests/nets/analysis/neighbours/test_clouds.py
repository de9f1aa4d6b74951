import numpy as np
import pytest
import xarray as xr

from tests.findings import estimate
from valleys.nets.analysis.neighbours.clouds import cloud_findings, exponent, spreading

LAGS = np.unique(np.geomspace(1, 200, 12).round())


def mean_squares(paths):
    """Mean square displacement at each lag, of paths (n, steps, dimensions)."""
    return np.array([(paths[:, int(lag)] ** 2).sum(axis=-1).mean() for lag in LAGS])


def test_walks_of_known_kinds_have_their_powers():
    rng, steps = np.random.default_rng(0), 201
    kicks = rng.standard_normal((200, steps, 20))
    kicks[:, 0] = 0
    assert exponent(LAGS, mean_squares(kicks.cumsum(axis=1))) == pytest.approx(1, abs=0.02)
    straight = np.arange(steps)[None, :, None] * np.ones((1, steps, 20))
    assert exponent(LAGS, mean_squares(straight)) == pytest.approx(2)
    bowl = np.zeros_like(kicks)
    for step in range(1, steps):
        bowl[:, step] = 0.5 * bowl[:, step - 1] + kicks[:, step]
    late = LAGS > 10
    assert abs(exponent(LAGS[late], mean_squares(bowl)[late])) < 0.02


def test_powers_run_along_the_last_axis():
    powers = np.array([[0.5], [1.5]])
    np.testing.assert_allclose(exponent(LAGS, 3 * LAGS**powers), [0.5, 1.5])


def made_up():
    """Powers of 1.5 and 0.5 before and after, of copies 1 and 0.2; averages halve the loss before,
    and leave it after.
    """
    lag = np.stack([np.array([1.0, 2.0, 4.0, 8.0]) * (1 + start) for start in range(4)])
    dims = ("start", "moment", "run", "look")
    found = xr.Dataset({"lag": (("start", "look"), lag)}, {"moment": [0.5, 2.0]})
    for name, powers in (("moved", (1.5, 0.5)), ("apart", (1.0, 0.2))):
        powers = np.array(powers)[None, :, None, None] * np.ones((4, 2, 3, 1))
        found[name] = (dims, 7 * lag[:, None, None] ** powers)
    ones = np.ones((4, 2, 3))
    values = {"loss": ([0.2, 0.05], [0.1, 0.05]), "accuracy": ([0.8, 0.9], [0.82, 0.9])}
    values["flatness"] = ([1.0, 2.0], [1.5, 2.0])
    for name, both in values.items():
        for kind, each in zip(("last", "average"), both, strict=True):
            found[f"{kind}_{name}"] = (dims[:-1], ones * np.array(each)[None, :, None])
    return found


def test_findings_of_known_copies():
    told = cloud_findings(made_up())
    wanted = {"msd_before": 1.5, "msd_after": 0.5, "cloud_before": 1.0, "cloud_after": 0.2}
    wanted |= {"average_loss_before": 0.5, "average_loss_after": 1.0}
    wanted |= {"average_gain_before": 2.0, "average_gain_after": 0.0}
    wanted |= {"average_flat_before": 1.5, "average_flat_after": 1.0}
    assert set(told) == set(wanted)
    for name, value in wanted.items():
        assert estimate(told, name).value == pytest.approx(value, abs=1e-9), name


def test_means_begin_at_one():
    found = spreading(made_up())
    np.testing.assert_allclose(found.moved.isel(look=0), 1)
    np.testing.assert_allclose(found.moved.isel(look=-1), [8**1.5, 8**0.5])
