from collections import OrderedDict

import numpy as np
import pytest
import torch
from torch import nn

from valleys.nets.engine.modules import Modules
from valleys.nets.engine.networks import initialize, join
from valleys.nets.engine.training import Samples, evaluate
from valleys.nets.measures.curvature import as_modules


def convolutional(seed, *, normalised=False):
    torch.manual_seed(seed)
    middle = [nn.BatchNorm2d(4)] if normalised else []
    layers = [nn.Conv2d(1, 4, 3), *middle, nn.ReLU(), nn.Flatten(), nn.Linear(4 * 6 * 6, 3)]
    return nn.Sequential(*layers).double()


def tanh(seed):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 6), nn.Tanh(), nn.Linear(6, 3)).double()


def relu(seed):
    torch.manual_seed(seed)
    layers = [nn.Linear(64, 6), nn.ReLU(), nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3)]
    return nn.Sequential(nn.Flatten(), *layers).double()


class Opaque(nn.Sequential):
    """The same layers in a class of a reader's own, which does more, for all that is known."""

    def forward(self, images):
        return super().forward(images) + 0


def opaque(networks):
    """Fully connected networks whose gradients autograd finds."""
    stack = as_modules(networks)
    return Modules(Opaque(*stack.module.children()), stack.parameters, {})


def stack_of(modules):
    """Copies of several modules of one architecture."""
    stack = Modules.of(modules[0], len(modules))
    for index, module in enumerate(modules):
        for name, parameter in module.named_parameters():
            stack.parameters[name][index] = parameter.data
    return stack


@pytest.fixture
def pictures():
    """Twenty-four images of three classes, float64."""
    rng = np.random.default_rng(7)
    return Samples.of(rng.normal(size=(24, 1, 8, 8)), np.arange(24) % 3, dtype=torch.float64)


@pytest.mark.parametrize("make", [convolutional, tanh, relu])
@pytest.mark.parametrize("shared", [True, False], ids=["one batch for all", "a batch for each"])
def test_gradients_of_a_stack_are_those_of_its_modules(pictures, make, shared):
    modules = [make(seed) for seed in range(3)]
    chosen = torch.arange(10) if shared else torch.stack([torch.randperm(24)[:10] for _ in "abc"])
    found = stack_of(modules).gradients(*pictures.batch(chosen))
    for index, module in enumerate(modules):
        images, labels = pictures.batch(chosen if shared else chosen[index])
        nn.functional.cross_entropy(module(images), labels).backward()
        for name, parameter in module.named_parameters():
            torch.testing.assert_close(found[name][index], parameter.grad, atol=1e-12, rtol=1e-9)


@pytest.mark.parametrize("make", [convolutional, tanh, relu])
def test_scores_of_a_stack_are_those_of_its_modules(pictures, make):
    modules = [make(seed) for seed in range(3)]
    scores = stack_of(modules).scores(pictures.images)
    for index, module in enumerate(modules):
        torch.testing.assert_close(scores[index].T, module(pictures.images).detach())


@pytest.mark.parametrize("make", [convolutional, tanh, relu])
def test_each_network_may_score_images_of_its_own(pictures, make):
    stack = stack_of([make(0), make(1)])
    images, _ = pictures.batch(torch.arange(10).view(2, 5))
    found = stack.scores(images, own=True)
    for index in range(2):
        torch.testing.assert_close(found[index], stack.scores(images[index])[index])


@pytest.mark.parametrize("make", [convolutional, tanh, relu])
def test_no_networks_have_no_scores(pictures, make):
    none = stack_of([make(0)]).pick(torch.arange(0))
    assert none.scores(pictures.images).shape == (0, 3, 24)
    assert none.scores(pictures.images[None].repeat(0, 1, 1, 1, 1), own=True).shape == (0, 3, 24)


def test_running_means_move_as_those_of_one_module(pictures):
    module = convolutional(0, normalised=True)
    stack = Modules.of(module, 2)
    chosen = torch.stack([torch.arange(10), torch.arange(10, 20)])
    stack.gradients(*pictures.batch(chosen))
    module.train()
    module(pictures.images[:10])
    torch.testing.assert_close(stack.buffers["1.running_mean"][0], module[1].running_mean)
    assert not torch.equal(*stack.buffers["1.running_mean"])
    module.eval()
    torch.testing.assert_close(stack.scores(pictures.images)[0].T, module(pictures.images).detach())


@pytest.mark.parametrize("shared", [True, False], ids=["one batch for all", "a batch for each"])
def test_the_closed_form_is_what_autograd_finds(blobs, shared):
    networks = join([initialize(5, seed, hidden=(7, 6), n_classes=3) for seed in range(3)])
    networks = networks.to(torch.float64)
    chosen = torch.arange(12) if shared else torch.stack([torch.randperm(30)[:12] for _ in "abc"])
    batch = blobs.batch(chosen)
    closed, general = networks.gradients(*batch), opaque(networks).gradients(*batch)
    assert closed.keys() == general.keys() == networks.parameters.keys()
    for name, part in closed.items():
        torch.testing.assert_close(part, general[name], atol=1e-12, rtol=1e-9)
    torch.testing.assert_close(networks.scores(blobs.images), opaque(networks).scores(blobs.images))


def named_layers():
    parts = {"relu": nn.Linear(4, 5), "bend": nn.ReLU(), "flatten": nn.Linear(5, 3)}
    return nn.Sequential(OrderedDict(parts))


class Own(nn.Module):
    """A network as readers write theirs, its layers not in the order of their use."""

    def __init__(self):
        super().__init__()
        self.last = nn.Linear(5, 3)
        self.body = nn.Sequential(nn.Linear(64, 6), nn.ReLU())
        self.middle = nn.Linear(6, 5)

    def forward(self, images):
        images = self.body(torch.flatten(images, start_dim=1))
        return self.last(torch.relu(self.middle(images)))


class ByMethod(Own):
    def forward(self, images):
        return self.last(self.middle(self.body(images.flatten(1))).relu())


@pytest.mark.parametrize("make", [Own, ByMethod])
def test_a_class_of_a_readers_own_is_known_by_what_it_computes(make):
    modules = [make().double() for _ in "ab"]
    stack, images = stack_of(modules), torch.randn(7, 4, 16, dtype=torch.float64)
    labels = torch.arange(7) % 3
    assert stack.in_closed_form(images) is not None
    found = stack.gradients(images, labels)
    assert list(found) == [name for name, _ in modules[0].named_parameters()]
    for index, module in enumerate(modules):
        nn.functional.cross_entropy(module(images), labels).backward()
        for name, parameter in module.named_parameters():
            torch.testing.assert_close(found[name][index], parameter.grad)


@pytest.mark.parametrize("make", [lambda: relu(0).float(), named_layers])
def test_dense_layers_of_a_module_are_known_in_closed_form(make):
    module = make()
    images = torch.randn(7, module[0].in_features if isinstance(module[0], nn.Linear) else 64)
    stack = Modules.of(module, 2)
    closed = stack.in_closed_form(images)
    assert closed is not None
    closed.weights[-1][1] += 1
    assert torch.equal(closed.weights[-1], list(stack.parameters.values())[-2])
    torch.testing.assert_close(closed.scores(images)[0].T, module(images).detach())


def three(kind):
    return kind(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 3))


def hooked():
    module = three(nn.Sequential)
    module[1].register_forward_hook(lambda part, given, found: 2 * found)
    return module


def hooked_backwards():
    module = three(nn.Sequential)
    module[0].register_full_backward_hook(lambda part, to_give, given: None)
    return module


class Choosing(nn.Sequential):
    """Looks at the values before it chooses what to compute."""

    def forward(self, images):
        return super().forward(images if images.sum() > 0 else -images)


class Skipping(nn.Module):
    """Goes around a layer."""

    def __init__(self):
        super().__init__()
        self.first, self.second, self.last = nn.Linear(4, 5), nn.Linear(5, 5), nn.Linear(5, 3)

    def forward(self, images):
        given = torch.relu(self.first(images))
        return self.last(torch.relu(self.second(given)) + given)


class Wavering(Skipping):
    """Leaves a layer out while it trains."""

    def forward(self, images):
        given = torch.relu(self.first(images))
        return self.last(given if self.training else torch.relu(self.second(given)))


class Idle(nn.Sequential):
    """Has a parameter that it does not use."""

    def __init__(self, *layers):
        super().__init__(*layers)
        self.scale = nn.Parameter(torch.ones(1))


def used_twice():
    layer = nn.Linear(4, 4)
    return nn.Sequential(layer, nn.ReLU(), layer)


@pytest.mark.parametrize(
    "module",
    [
        *map(three, (Opaque, Choosing, Idle)),
        Skipping(),
        Wavering(),
        nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3)),
        nn.Sequential(nn.Linear(4, 5, bias=False), nn.ReLU(), nn.Linear(5, 3)),
        nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 3), nn.ReLU()),
        nn.Sequential(nn.Linear(4, 5), nn.Linear(5, 3)),
        nn.Sequential(nn.Flatten(0), nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 3)),
        nn.utils.parametrizations.weight_norm(nn.Linear(4, 3)),
        nn.Sequential(OrderedDict(a=nn.Linear(4, 5), relu=nn.Linear(5, 5), b=nn.Linear(5, 3))),
        hooked(),
        hooked_backwards(),
        used_twice(),
    ],
)
def test_any_other_module_is_left_to_autograd(module):
    assert Modules.of(module, 2).in_closed_form(torch.zeros(7, 4)) is None


def test_layers_that_take_the_last_axis_of_pictures_are_left_to_autograd():
    stack = Modules.of(nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 3)), 2)
    assert stack.in_closed_form(torch.zeros(7, 2, 4)) is None
    assert stack.in_closed_form(torch.zeros(2, 7, 4), own=True) is not None


def test_both_kinds_of_stack_are_picked_copied_and_put_back_alike(blobs):
    networks = join([initialize(5, seed, hidden=(4,), n_classes=3) for seed in range(3)])
    for stack in (networks, as_modules(networks)):
        others = stack.copy().pick(torch.tensor([2, 0]))
        stack.put(torch.tensor([0, 1]), others)
        first = stack.parameters["0.weight"]
        assert torch.equal(first[0], networks.weights[0][2])
        assert len(stack.repeat(2)) == 6
        assert stack.alive.tolist() == [True] * 3
        stack.parameters["0.weight"][1, 0, 0] = torch.nan
        stack.parameters["2.bias"][1, 0] = torch.nan
        assert stack.alive.tolist() == [True, False, True]


def test_a_stack_of_modules_is_evaluated_like_any_other(pictures):
    found = evaluate(stack_of([tanh(0), tanh(1)]), pictures)
    right = (tanh(1)(pictures.images).argmax(dim=1) == pictures.labels).double().mean()
    assert found.accuracy[1] == right


@pytest.mark.parametrize(
    ("module", "word"),
    [
        (nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5)), "at random in 1 "),
        (nn.Sequential(nn.ReLU()), "no parameter"),
        (lambda images: images, "torch.nn.Module"),
    ],
)
def test_what_cannot_be_trained_side_by_side_is_refused(module, word):
    with pytest.raises(ValueError, match=word):
        Modules.of(module)


def test_the_module_that_was_given_stays_as_it_is(pictures):
    module = tanh(0)
    before = [part.clone() for part in module.parameters()]
    stack = Modules.of(module, 2)
    for part in stack.parameters.values():
        part.add_(1)
    assert all(map(torch.equal, before, module.parameters()))
    assert module.training
