import pytest
import torch
from torch import nn
from torch.nn import functional

from valleys.nets.engine import convolutional
from valleys.nets.engine.convolutional import n_pieces, pooled_first, small_network
from valleys.nets.engine.modules import Modules

IMAGES = torch.linspace(-1, 1, 7 * 2 * 8 * 8, dtype=torch.float64).sin().view(7, 2, 8, 8)
LABELS = torch.arange(7) % 3


class Own(nn.Module):
    """A convolutional network as readers write theirs."""

    def __init__(self, middle):
        super().__init__()
        self.first = nn.Conv2d(2, 4, 3, padding=1)
        self.second = nn.Conv2d(4, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4, track_running_stats=False)
        self.shift = nn.Parameter(torch.ones(1, 4, 1, 1))
        self.last = nn.Linear(4 * 4 * 4, 3)
        self.middle = middle

    def forward(self, images):
        seen = functional.max_pool2d(functional.relu(self.first(images)), 2)
        return self.last(self.middle(self, seen))


def tutorial(network, seen):
    return seen.view(-1, 4 * 4 * 4)


def residual(network, seen):
    seen = seen + torch.tanh(network.second(seen))
    return torch.flatten(seen, 1)


def by_size(network, seen):
    return seen.reshape(seen.size(0), -1)


def by_shape(network, seen):
    seen = seen + network.second(seen)
    return seen.view(seen.shape[0], -1).relu()


def batch_mean(network, seen):
    return torch.flatten(seen - seen.mean(0), 1)


def batch_norm(network, seen):
    return torch.flatten(network.norm(seen), 1)


def batch_size(network, seen):
    return torch.flatten(seen + seen.size(0), 1)


def turned(network, seen):
    return torch.flatten(seen.flip(0), 1)


def mixed(network, seen):
    return seen.transpose(0, 1).reshape(-1, 4 * 4 * 4)


def shifted(network, seen):
    return torch.flatten(seen + network.shift, 1)


def looking(network, seen):
    return torch.flatten(seen * 2 if seen.sum() > 0 else seen, 1)


def while_training(network, seen):
    return batch_mean(network, seen) if network.training else tutorial(network, seen)


def hooked(network, seen):
    return tutorial(network, seen)


def both(middle):
    torch.manual_seed(3)
    module = Own(middle).double()
    if middle is hooked:
        module.first.register_forward_hook(lambda part, given, found: found - found.mean(0))
    return module, Modules.of(module, 2)


def slopes_of(module):
    """As autograd finds them from the whole batch, 0 where nothing depends on a parameter."""
    module.zero_grad()
    functional.cross_entropy(module(IMAGES), LABELS).backward()
    named = module.named_parameters()
    return {
        name: torch.zeros_like(part) if part.grad is None else part.grad for name, part in named
    }


def agrees(module, stack):
    for name, slope in slopes_of(module).items():
        for found in stack.gradients(IMAGES, LABELS)[name]:
            torch.testing.assert_close(found, slope, atol=1e-14, rtol=1e-10)
    module.eval()
    torch.testing.assert_close(stack.scores(IMAGES)[1].T, module(IMAGES).detach())


@pytest.fixture
def small_pieces(monkeypatch):
    """Pieces of three images of what gives 4 × 8 × 8 numbers at most."""
    monkeypatch.setattr(convolutional, "PIECE", 3 * 4 * 8 * 8)
    convolutional._together.cache_clear()
    yield
    convolutional._together.cache_clear()


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("middle", [tutorial, residual, by_size, by_shape])
def test_images_in_pieces_have_the_slopes_and_scores_of_the_whole(middle):
    module, stack = both(middle)
    assert n_pieces(stack.module, IMAGES) == 3
    agrees(module, stack)


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize(
    "middle",
    [
        *(batch_mean, batch_norm, batch_size, turned, mixed),
        *(shifted, looking, while_training, hooked),
    ],
)
def test_images_that_may_depend_on_each_other_stay_together(middle):
    module, stack = both(middle)
    assert n_pieces(stack.module, IMAGES) == 1
    agrees(module, stack)


@pytest.mark.usefixtures("small_pieces")
def test_another_device_takes_all_images_at_once_and_no_image_is_one_piece():
    module = both(tutorial)[1].module
    assert n_pieces(module, IMAGES.to("meta")) == n_pieces(module, IMAGES[:0]) == 1


@pytest.mark.parametrize("pool", [nn.MaxPool2d(2), nn.MaxPool2d(3, stride=1, padding=1)])
def test_pooling_before_the_relu_changes_no_bit(pool):
    torch.manual_seed(0)
    layers = [nn.Conv2d(2, 4, 3, padding=1), nn.ReLU(), pool, nn.Flatten(), nn.LazyLinear(3)]
    module = nn.Sequential(*layers).double()
    module(IMAGES)
    other = pooled_first(module)
    assert [type(part) for part in other][1:3] == [nn.MaxPool2d, nn.ReLU]
    assert torch.equal(module(IMAGES), other(IMAGES))
    expected, found = slopes_of(module), slopes_of(other)
    assert expected.keys() == found.keys()
    assert all(torch.equal(expected[name], found[name]) for name in expected)


def test_other_modules_are_left_as_they_are():
    watched = small_network((8, 8), 3)
    watched[1].register_forward_hook(lambda *_: None)
    averaged = nn.Sequential(nn.Conv2d(2, 4, 3), nn.ReLU(), nn.AvgPool2d(2))
    assert pooled_first(watched) is watched
    assert list(pooled_first(averaged)) == list(averaged)
    assert pooled_first(both(tutorial)[0]).middle is tutorial
