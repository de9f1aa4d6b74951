"""Modules of all sorts are trained as torch trains them, or refused before any work."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.func import hessian
from torch.nn.functional import cross_entropy, dropout

from valleys.nets import ask, curvature, load_problem, train_ensemble
from valleys.nets.engine.modules import Modules
from valleys.nets.engine.problem import Problem, streams

PIXELS = 64


class Own(nn.Module):
    """Parts, and what is done with them."""

    def __init__(self, way, *parts: nn.Module) -> None:
        super().__init__()
        self.way, self.parts = way, nn.ModuleList(parts)

    def forward(self, images: torch.Tensor) -> Any:
        return self.way(self, images)


def recurrent(kind):
    """The rows of an image as a series."""

    def read(own, images):
        return own.parts[1](own.parts[0](images.squeeze(1))[0][:, -1])

    return lambda: Own(read, kind(8, 6, batch_first=True), nn.Linear(6, 10))


def either(own, images):
    """One layer or the other, as the pixels are."""
    return own.parts[int(images.mean() > -0.1)](images.flatten(1))


def linear(change):
    """One layer, with something done before or after it."""
    return lambda: Own(lambda own, images: change(own.parts[0], images), nn.Linear(PIXELS, 10))


def half_frozen() -> nn.Sequential:
    module = nn.Sequential(nn.Flatten(), nn.Linear(PIXELS, 12), nn.Tanh(), nn.Linear(12, 10))
    module[1].requires_grad_(False)
    return module


def attention() -> nn.Module:
    layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True)
    return Own(
        lambda own, images: own.parts[1](own.parts[0](images.squeeze(1)).flatten(1)),
        layer,
        nn.Linear(PIXELS, 10),
    )


def weight_normed() -> nn.Module:
    first = nn.utils.parametrizations.weight_norm(nn.Linear(PIXELS, 12))
    return nn.Sequential(nn.Flatten(), first, nn.Tanh(), nn.Linear(12, 10))


def group_normed() -> nn.Module:
    front = nn.Conv2d(1, 4, 3, stride=2), nn.GroupNorm(2, 4), nn.GELU()
    return nn.Sequential(*front, nn.Flatten(), nn.Linear(36, 10))


KINDS = {
    "gru": recurrent(nn.GRU),
    "lstm": recurrent(nn.LSTM),
    "rnn": recurrent(nn.RNN),
    "either": lambda: Own(either, nn.Linear(PIXELS, 10), nn.Linear(PIXELS, 10)),
    "number": linear(lambda layer, images: layer(images.flatten(1)) * float(images.abs().max())),
    "half frozen": half_frozen,
    "attention": attention,
    "weight normed": weight_normed,
    "group normed": group_normed,
    "precise": lambda: nn.Sequential(nn.Flatten(), nn.Linear(PIXELS, 10)).double(),
}
APART = {"gru", "lstm", "rnn", "either", "number", "attention", "weight normed"}
SETTING: dict[str, Any] = {"batch_size": 10, "learning_rate": 0.1, "training_time": 1.0}


def problem_of(make) -> Problem[Modules]:
    return load_problem("digits", train_per_class=4, model=make)


@pytest.mark.parametrize("kind", KINDS)
def test_any_module_is_trained_as_torch_trains_it(kind):
    problem, make = problem_of(KINDS[kind]), KINDS[kind]
    assert problem.start.apart is (kind in APART)
    run = train_ensemble(problem, n_runs=2, n_records=2, seed=3, **SETTING).networks
    again = train_ensemble(problem, n_runs=1, n_records=2, seed=3, **SETTING).networks
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = make()
    method = torch.optim.SGD([part for part in module.parameters() if part.requires_grad], lr=0.1)
    for images, labels in batches(problem):
        method.zero_grad()
        cross_entropy(module(images), labels).backward()
        method.step()
    for name, part in module.named_parameters():
        for stack in (run, again):
            mine = (stack.parameters | stack.buffers)[name][0]
            torch.testing.assert_close(mine, part.detach(), rtol=1e-4, atol=1e-5)


def batches(problem):
    """The batches of the first run."""
    (stream,) = streams(3, 10, 0.1, 1)
    orders = np.concatenate([stream.permutation(40) for _ in range(3)])[: 10 * 10]
    for chosen in torch.from_numpy(orders).split(10):
        yield problem.train.images[chosen], problem.train.labels[chosen]


def test_what_needs_no_gradient_stays():
    problem = problem_of(half_frozen)
    assert sorted(problem.start.parameters) == ["3.bias", "3.weight"]
    run = train_ensemble(problem, n_runs=2, n_records=2, **SETTING).networks
    for name in ("1.weight", "1.bias"):
        assert torch.equal(run.buffers[name][1], problem.start.buffers[name][0])
    assert not torch.equal(run.parameters["3.weight"][1], problem.start.parameters["3.weight"][0])


@pytest.mark.parametrize("kind", ["attention", "weight normed", "group normed", "gru"])
def test_the_hessian_of_any_module_is_that_of_torch(kind):
    problem = problem_of(KINDS[kind])
    (name,) = list(problem.start.parameters)[-1:]
    own = curvature(problem.start, problem.train, parameters=[name])
    module, rest = own.module, own.rest

    def loss(part):
        scores = torch.func.functional_call(module, rest | {name: part}, own.samples.images)
        return cross_entropy(scores, own.samples.labels)

    mine = np.stack([own.product(unit) for unit in np.eye(own.size)])
    np.testing.assert_allclose(mine, hessian(loss)(own.point[name]), atol=1e-10)


@pytest.mark.parametrize(
    "kind", ["attention", "weight normed", "group normed", "gru", "half frozen"]
)
def test_the_question_can_be_put_to_any_module(kind):
    setting = {"learning_rate": 0.1, "training_time": 1.0, "n_runs": 2, "n_records": 2}
    problem = problem_of(KINDS[kind])
    found = ask(problem, batch_sizes=(10, 40), progress=False, **setting)
    noisy = found.sel(batch_size=10)
    assert bool(np.isfinite(noisy.flatness).all())
    assert bool((noisy.sharpness > 0).all())


def raises(error):
    def fail(layer, images):
        raise error

    return linear(fail)


ODD = {
    "random draws": (linear(lambda layer, images: layer(dropout(images.flatten(1)))), "at random"),
    "random parts": (lambda: nn.Sequential(nn.Flatten(), nn.Dropout(), nn.Linear(64, 10)), "in 1"),
    "in place": (linear(lambda layer, images: layer(images.mul_(2).flatten(1))), "changes its im"),
    "pair": (linear(lambda layer, images: 2 * (layer(images.flatten(1)),)), "gives a tuple"),
    "named": (linear(lambda layer, images: {"scores": layer(images.flatten(1))}), "gives a dict"),
    "none": (linear(lambda layer, images: None), "gives a NoneType"),
    "whole": (linear(lambda layer, images: layer(images.flatten(1)).long()), "of torch.int64"),
    "one row": (linear(lambda layer, images: layer(images.flatten(1))[:1]), r"gives \(1, 10\)"),
    "silent": (raises(AssertionError()), "does not take images .*: AssertionError"),
    "index": (raises(IndexError("no such row")), "no such row"),
    "half": (lambda: nn.Sequential(nn.Flatten(), nn.Linear(64, 10)).half(), r"model.float\(\)"),
    "all frozen": (lambda: nn.Linear(64, 10).requires_grad_(False), "no parameter of the model"),
    "lazy": (lambda: nn.Sequential(nn.Flatten(), nn.LazyLinear(10)), "1.weight, 1.bias has no sh"),
    "scripted": (lambda: torch.jit.script(nn.Linear(64, 10)), "scripted"),
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", ODD)
def test_what_cannot_be_trained_is_refused_before_any_work(name):
    make, word = ODD[name]
    with pytest.raises(ValueError, match=word):
        problem_of(make)


def test_a_trial_leaves_the_numbers_drawn_and_the_running_means_alone():
    def make():
        return nn.Sequential(nn.Flatten(), nn.Linear(64, 6), nn.BatchNorm1d(6), nn.Linear(6, 10))

    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    start = problem_of(make).start
    assert torch.equal(torch.rand(3), expected)
    assert not start.buffers["2.running_mean"].any()


@pytest.mark.parametrize("device", ["cuda:99", "meta", "foo"])
def test_a_device_that_is_not_there_is_named(device):
    with pytest.raises(ValueError, match=f"cpu.*{device}"):
        load_problem("digits", train_per_class=4, device=device)
