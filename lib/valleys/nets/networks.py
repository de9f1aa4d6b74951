"""Fully connected ReLU networks, many side by side in one set of tensors."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

HIDDEN = (50, 50)
SECOND_LAYER = 1  # index of the 50 × 50 matrix on which the paper measures


@dataclass(frozen=True)
class Networks:
    """R networks of one architecture.

    Attributes:
        weights: one tensor per layer, (R, n_in, n_out).
        biases: one tensor per layer, (R, 1, n_out).
    """

    weights: tuple[Tensor, ...]
    biases: tuple[Tensor, ...]

    def __len__(self) -> int:
        """Number of networks."""
        return len(self.weights[0])

    def view(self, chosen: slice) -> "Networks":
        """The chosen networks in the same memory."""
        return Networks(tuple(weight[chosen] for weight in self.weights), tuple(bias[chosen] for bias in self.biases))

    def copy(self) -> "Networks":
        """The same networks in memory of their own."""
        return Networks(tuple(weight.clone() for weight in self.weights), tuple(bias.clone() for bias in self.biases))

    def repeat(self, count: int) -> "Networks":
        """`count` copies of each network, one after the other."""
        return Networks(*(tuple(part.repeat_interleave(count, dim=0) for part in parts) for parts in (self.weights, self.biases)))

    def to(self, target: str | torch.device | torch.dtype) -> "Networks":
        """The same networks on another device or in another precision."""
        return Networks(tuple(weight.to(target) for weight in self.weights), tuple(bias.to(target) for bias in self.biases))

    @property
    def alive(self) -> Tensor:
        """Whether each network is finite, (R,): a number that is not finite reaches the last bias within one step and stays."""
        return torch.isfinite(self.biases[-1]).all(dim=(1, 2))


def initialize(n_features: int, seed: int, *, hidden: Sequence[int] = HIDDEN, n_classes: int = 10) -> Networks:
    """One network with Kaiming normal weights, N(0, 2 / n_in), and zero biases, the same on every device."""
    generator = torch.Generator().manual_seed(seed)
    sizes = (n_features, *hidden, n_classes)
    weights = tuple(torch.randn(1, n_in, n_out, generator=generator) * (2 / n_in) ** 0.5 for n_in, n_out in itertools.pairwise(sizes))
    return Networks(weights, tuple(torch.zeros(1, 1, n_out) for n_out in sizes[1:]))


def join(stacks: Sequence[Networks]) -> Networks:
    """All networks of several stacks in one."""
    layers = range(len(stacks[0].weights))
    return Networks(tuple(torch.cat([s.weights[i] for s in stacks]) for i in layers), tuple(torch.cat([s.biases[i] for s in stacks]) for i in layers))


def forward(networks: Networks, images: Tensor) -> tuple[list[Tensor], Tensor]:
    """Inputs of each layer, (R, N, n_in), and the scores (logits), (R, N, n_classes).

    Args:
        networks: R networks.
        images: (N, n_features) for all, or (R, N, n_features), a batch for each.
    """
    inputs = [images.expand(len(networks), -1, -1)]
    *hidden, last = zip(networks.weights, networks.biases, strict=True)
    for weight, bias in hidden:
        inputs.append(torch.baddbmm(bias, inputs[-1], weight).relu_())
    return inputs, torch.baddbmm(last[1], inputs[-1], last[0])


def softmax(scores: Tensor) -> Tensor:
    """Probabilities over the last dimension; through logsumexp, which is several times faster than torch.softmax on ten classes."""
    return (scores - torch.logsumexp(scores, dim=-1, keepdim=True)).exp_()


def gradients(networks: Networks, images: Tensor, targets: Tensor) -> Networks:
    """Gradient of each network's mean cross-entropy, ∇L = (1/N) Σ inputᵀ (softmax(score) − target) carried back through the layers.

    Args:
        networks: R networks.
        images: (N, n_features) or (R, N, n_features).
        targets: one-hot labels, (N, n_classes) or (R, N, n_classes).
    """
    inputs, scores = forward(networks, images)
    delta = (softmax(scores) - targets) / scores.shape[1]
    weights, biases = [], []
    for layer in range(len(inputs) - 1, -1, -1):
        weights.append(torch.bmm(inputs[layer].mT, delta))
        biases.append(delta.sum(dim=1, keepdim=True))
        if layer:
            delta = torch.bmm(delta, networks.weights[layer].mT).mul_(inputs[layer].sign())  # an input is 0 or positive: its sign is its gate
    return Networks(tuple(weights[::-1]), tuple(biases[::-1]))


def descend(networks: Networks, images: Tensor, targets: Tensor, learning_rate: float) -> None:
    """One step θ ← θ − η ∇L in place (Eq. 3), each network on its own batch or all on one."""
    slope = gradients(networks, images, targets)
    for value, change in zip(networks.weights + networks.biases, slope.weights + slope.biases, strict=True):
        value.add_(change, alpha=-learning_rate)


def interpolate(first: Networks, second: Networks, fractions: Tensor) -> Networks:
    """The networks α θ₁ + (1 − α) θ₂ for each α of `fractions`, (len(fractions),); `first` and `second` hold one network each."""
    alpha = fractions.view(-1, 1, 1)

    def mix(one: tuple[Tensor, ...], two: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return tuple(alpha * a + (1 - alpha) * b for a, b in zip(one, two, strict=True))

    return Networks(mix(first.weights, second.weights), mix(first.biases, second.biases))
