"""The convolutional network of Fig. S5."""

import numpy as np
import pytest
import torch
from torch import nn

from valleys.nets.engine.problem import load_problem
from valleys.nets.engine.training import evaluate
from valleys.nets.experiments.ensemble import train_ensemble
from valleys.nets.experiments.generality.cifar_network import (
    CifarNetworkSpec,
    cifar_network,
    network,
    problem_of,
)

SMALL = {"dataset": "digits", "train_per_class": 5, "learning_rate": 0.1, "n_runs": 2}
SMALL |= {"levels": (1.0, 0.3)}


def test_the_network_is_that_of_the_supplement():
    layers = network((32, 32, 3))
    sizes = [tuple(part.shape) for part in layers.parameters() if part.ndim > 1]
    assert sizes == [(32, 3, 3, 3), (64, 32, 3, 3), (64, 64, 3, 3), (128, 1024), (10, 128)]
    assert sum(isinstance(each, nn.MaxPool2d) for each in layers) == 3
    assert all(not part.detach().any() for part in layers.parameters() if part.ndim == 1)


def test_weights_have_the_scales_of_the_supplement():
    """By what goes out of a convolution, and by what comes into a dense layer."""
    torch.manual_seed(0)
    weights = [part for part in network((32, 32, 3)).parameters() if part.ndim > 1]
    fans = [32 * 9, 64 * 9, 64 * 9, 1024, 128]
    for weight, fan in zip(weights, fans, strict=True):
        assert float(weight.detach().std()) == pytest.approx((2 / fan) ** 0.5, rel=0.1)


@pytest.mark.slow
def test_runs_end_where_the_plain_trainer_passes_the_level():
    """The first look at or after the first passage of one run without noise in the order."""
    spec = CifarNetworkSpec(batch_size=49, **SMALL)
    found = cifar_network(spec)
    images = load_problem("digits", train_per_class=5, model=lambda: network((8, 8)), seed=0)
    runs = train_ensemble(
        images, n_runs=2, batch_size=49, learning_rate=0.1, training_time=30, thresholds=(1.0, 0.3)
    )
    passage = 0.1 * runs.records.freezing_time.sel(threshold=0.3).mean()
    assert float(found.end_time.mean()) == pytest.approx(float(passage), abs=2.0)
    assert (found.train_loss < 0.3).all()
    assert (found.freezing_time <= found.end_time).all()
    assert found.wall.sizes == {"pair": 1}


def test_runs_go_on_through_an_epoch_between_looks():
    """Looks change nothing: fewer of them train the same way."""
    often, seldom = (
        cifar_network(CifarNetworkSpec(batch_size=20, look_time=time, longest=4.0, **SMALL | end))
        for time, end in ((0.5, {"levels": (9.0, 1e-6)}), (2.0, {"levels": (9.0, 1e-6)}))
    )
    np.testing.assert_allclose(often.train_loss, seldom.train_loss, rtol=1e-5)
    assert np.isnan(often.flatness).all()


def test_starts_differ_and_one_start_is_one_start():
    losses = [
        float(evaluate(problem.start, problem.train).loss[0])
        for problem in (
            problem_of(CifarNetworkSpec(start=s, batch_size=20, **SMALL)) for s in (0, 0, 1)
        )
    ]
    assert losses[0] == losses[1] != losses[2]


@pytest.mark.parametrize(
    "bad",
    [
        {"n_runs": 1},
        {"levels": (0.1,)},
        {"levels": (0.01, 0.1)},
        {"look_time": 0.0},
        {"jpeg": True},
        {"batch_size": 50},
    ],
)
def test_what_makes_no_sense_is_refused(bad):
    with pytest.raises(ValueError, match=r"\S"):
        CifarNetworkSpec(**SMALL | bad)
