"""Each method does what it is called, spends its budget, and shows what it hands out."""

import numpy as np
import pytest
import torch

from valleys.nets.engine import training
from valleys.nets.engine.networks import initialize
from valleys.nets.engine.stack import flat
from valleys.nets.experiments.rivals.contenders import (
    LATE,
    NAMES,
    RADIUS,
    REFERENCE,
    Setting,
    contenders,
)
from valleys.nets.optimizers.sharpness import gradients_uphill
from valleys.nets.optimizers.training import Order

SETTING = Setting(0.05, 10, 30, 8)


def rows(stack):
    """All weights and biases of each network in a row."""
    return flat(stack.parameters)


@pytest.fixture
def start():
    return initialize(5, seed=0, hidden=(7, 6), n_classes=3).to(torch.float64)


def generators(count=2, seed=3):
    return [np.random.default_rng([seed, run]) for run in range(count)]


def trained(name, start, blobs, look=lambda step, networks: None, setting=SETTING):
    return contenders()[name].train(start.repeat(2), blobs, setting, generators(), look)


def test_the_names_are_those_of_the_methods():
    assert tuple(contenders()) == NAMES
    assert NAMES[0] == REFERENCE


@pytest.mark.parametrize("name", NAMES)
def test_every_method_spends_the_budget_and_shows_every_step(blobs, start, name):
    seen = []
    ends = trained(name, start, blobs, lambda step, networks: seen.append((step, rows(networks))))
    spent = contenders()[name].evaluations(SETTING)
    assert spent.sum() == SETTING.budget == 240
    assert [step for step, _ in seen] == list(range(len(spent) + 1))
    torch.testing.assert_close(seen[-1][1], rows(ends))
    assert torch.isfinite(rows(ends)).all()
    assert not torch.equal(rows(ends)[0], rows(start)[0])


def test_the_reference_is_plain_stochastic_gradient_descent(blobs, start):
    networks = start.repeat(2)
    how = {"learning_rate": 0.05, "batch_size": 10, "n_steps": 24}
    training.train(networks, blobs, **how, streams=generators(), visits={})
    torch.testing.assert_close(rows(trained(REFERENCE, start, blobs)), rows(networks))


def test_gradient_descent_makes_one_step_an_epoch(blobs, start):
    networks = start.repeat(2)
    how = {"learning_rate": 0.05, "batch_size": 30, "n_steps": 8}
    training.train(networks, blobs, **how, streams=generators(), visits={})
    torch.testing.assert_close(rows(trained("gd", start, blobs)), rows(networks))


def test_late_sharpness_aware_steps_begin_as_plain_ones_and_go_on_uphill(blobs, start):
    networks, order = start.repeat(2), Order(30, generators())
    n_plain, n_aware = round(LATE * 24), round((1 - LATE) * 24 / 2)
    for step in range(n_plain + n_aware):
        radius = 0.0 if step < n_plain else RADIUS
        images, labels = blobs.batch(order.take(10))
        slopes = gradients_uphill(networks, images, labels, radius)
        for name, part in networks.parameters.items():
            part.sub_(slopes[name].view_as(part), alpha=0.05)
    torch.testing.assert_close(rows(trained("sam_late", start, blobs)), rows(networks))


def test_the_plain_average_is_that_of_the_second_half(blobs, start):
    seen = []
    trained(REFERENCE, start, blobs, lambda step, networks: seen.append(rows(networks).clone()))
    wanted = torch.stack(seen[12:]).mean(dim=0)
    torch.testing.assert_close(rows(trained("swa", start, blobs)), wanted)


def test_kicks_have_one_length_whatever_the_learning_rate(blobs, start):
    """After one step the network is off the plain one by the first kick alone."""
    lengths = []
    for rate in (0.01, 0.1):
        setting = Setting(rate, 30, 30, 1)
        kicked = rows(trained("anticorrelated", start, blobs, setting=setting))
        plain = rows(trained(REFERENCE, start, blobs, setting=setting))
        lengths.append(torch.linalg.vector_norm(kicked - plain, dim=1))
    torch.testing.assert_close(lengths[0], lengths[1])
    assert lengths[0].mean() == pytest.approx(1.0, abs=0.3)
