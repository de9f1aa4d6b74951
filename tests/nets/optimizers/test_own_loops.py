"""Methods with a loop of their own, against loops written by hand."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from tests.nets.engine.test_modules import stack_of, tanh
from valleys.nets.engine.networks import initialize
from valleys.nets.engine.training import Samples
from valleys.nets.optimizers.implicit import implicit
from valleys.nets.optimizers.recipe import Recipe
from valleys.nets.optimizers.schedule_free import schedule_free
from valleys.nets.optimizers.training import Order, optimize


def generators(count, seed=3):
    return [np.random.default_rng([seed, run]) for run in range(count)]


@pytest.fixture
def start():
    return initialize(5, seed=0, hidden=(7, 6), n_classes=3).to(torch.float64)


def slopes(module, point, images, labels):
    """Autograd's gradient of the mean cross-entropy at a point."""
    with torch.no_grad():
        nn.utils.vector_to_parameters(point, module.parameters())
    module.zero_grad()
    nn.functional.cross_entropy(module(images), labels).backward()
    return torch.cat([part.grad.flatten() for part in module.parameters()])


def taken(samples, n_steps, size):
    order = Order(len(samples), generators(2))
    return [order.take(size) for _ in range(n_steps)]


@pytest.fixture
def pictures():
    """Images, for modules that see images."""
    rng = np.random.default_rng(7)
    return Samples.of(rng.normal(size=(24, 1, 8, 8)), np.arange(24) % 3, dtype=torch.float64)


def test_schedule_free_steps_are_those_of_a_loop_by_hand(pictures):
    modules, rate, share = [tanh(seed) for seed in range(2)], 0.3, 0.8
    stack = stack_of(modules)
    how = {"n_steps": 9, "streams": generators(2), "visits": {}, "share": share}
    schedule_free(stack, pictures, learning_rate=rate, batch_size=10, **how)
    for index, module in enumerate(modules):
        x = nn.utils.parameters_to_vector(module.parameters()).detach().clone()
        z = x.clone()
        for step, chosen in enumerate(taken(pictures, 9, 10)):
            y = (1 - share) * z + share * x
            z = z - rate * slopes(module, y, *pictures.batch(chosen[index]))
            x = (step * x + z) / (step + 1)
        found = torch.cat([part[index].flatten() for part in stack.parameters.values()])
        torch.testing.assert_close(found, x, rtol=1e-9, atol=1e-11)


def test_schedule_free_without_a_share_is_the_average_of_plain_descent(blobs, start):
    averaged, plain, seen = start.copy(), start.copy(), []
    how = {"n_steps": 8, "streams": generators(1), "visits": {}, "share": 0.0}
    schedule_free(averaged, blobs, learning_rate=0.1, batch_size=10, **how)
    visits = {step: lambda step, nets: seen.append(nets.flat().clone()) for step in range(1, 9)}
    optimize(plain, blobs, Recipe(0.1, 10), n_steps=8, streams=generators(1), visits=visits)
    torch.testing.assert_close(averaged.flat(), torch.stack(seen).mean(dim=0))


def test_implicit_steps_are_those_of_a_loop_by_hand(pictures):
    modules, rate = [tanh(seed) for seed in range(2)], 0.2
    stack = stack_of(modules)
    how = {"n_steps": 5, "streams": generators(2), "visits": {}, "n_looks": 3}
    implicit(stack, pictures, learning_rate=rate, batch_size=10, **how)
    for index, module in enumerate(modules):
        before = nn.utils.parameters_to_vector(module.parameters()).detach().clone()
        for chosen in taken(pictures, 5, 10):
            point = before
            for _ in range(3):
                point = before - rate * slopes(module, point, *pictures.batch(chosen[index]))
            before = point
        found = torch.cat([part[index].flatten() for part in stack.parameters.values()])
        torch.testing.assert_close(found, before, rtol=1e-9, atol=1e-11)


class Bowl:
    """Points in a bowl of one curvature."""

    def __init__(self, place, curvature):
        self.parameters, self.curvature = {"place": place}, curvature

    def __len__(self):
        return len(self.parameters["place"])

    alive = torch.ones(1, dtype=torch.bool)

    def gradients(self, images, labels):
        return {"place": self.curvature * self.parameters["place"]}


def test_an_implicit_step_in_a_bowl_divides_by_one_plus_rate_times_curvature(blobs):
    bowl: Any = Bowl(torch.tensor([[1.0, -2.0]], dtype=torch.float64), 3.0)
    how = {"n_steps": 2, "streams": generators(1), "visits": {}, "n_looks": 80}
    implicit(bowl, blobs, learning_rate=0.2, batch_size=30, **how)
    wanted = torch.tensor([[1.0, -2.0]], dtype=torch.float64) / (1 + 0.2 * 3.0) ** 2
    torch.testing.assert_close(bowl.parameters["place"], wanted)


def test_one_look_is_the_explicit_step(blobs, start):
    first, second = start.repeat(2), start.repeat(2)
    how = {"n_steps": 6, "visits": {}}
    settings = {"learning_rate": 0.1, "batch_size": 10, "n_looks": 1}
    implicit(first, blobs, streams=generators(2), **settings, **how)
    optimize(second, blobs, Recipe(0.1, 10), streams=generators(2), **how)
    torch.testing.assert_close(first.flat(), second.flat())


@pytest.mark.parametrize(
    ("loop", "wrong", "named"),
    [(schedule_free, {"share": 1.5}, "share"), (implicit, {"n_looks": 0}, "n_looks")],
)
def test_what_makes_no_sense_is_refused(blobs, start, loop, wrong, named):
    how = {"learning_rate": 0.1, "batch_size": 10, "n_steps": 1, "visits": {}}
    with pytest.raises(ValueError, match=named):
        loop(start, blobs, streams=generators(1), **how, **wrong)
