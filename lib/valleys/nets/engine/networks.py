"""Fully connected ReLU networks, many side by side in one set of tensors."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from valleys.results.spec import require, settled

HIDDEN = (50, 50)
SECOND_LAYER = 1  # index of the 50 × 50 matrix on which the paper measures


@dataclass(frozen=True)
class Networks:
    """R networks of one architecture.

    Attributes:
        weights: one tensor per layer, (R, n_out, n_in), as in torch.nn.Linear.
        biases: one tensor per layer, (R, n_out, 1).
    """

    weights: tuple[Tensor, ...]
    biases: tuple[Tensor, ...]

    def __len__(self) -> int:
        """Number of networks."""
        return len(self.weights[0])

    def pick(self, chosen: slice | Tensor) -> "Networks":
        """The chosen networks: in the same memory for a slice, copies for a list of indices."""
        return Networks(
            tuple(weight[chosen] for weight in self.weights),
            tuple(bias[chosen] for bias in self.biases),
        )

    def one(self, index: int) -> "Networks":
        """The network of this index, alone, in the same memory."""
        return self.pick(slice(index, index + 1))

    def flat(self) -> Tensor:
        """All weights, then all biases, of each network in a row, (R, n)."""
        return torch.cat([part.flatten(1) for part in self.weights + self.biases], dim=1)

    def put(self, chosen: Tensor, networks: "Networks") -> None:
        """Copy networks into the places named by their indices, unless they are these very
        networks.
        """
        if networks is self:
            return
        for mine, theirs in zip(
            self.weights + self.biases, networks.weights + networks.biases, strict=True
        ):
            mine[chosen] = theirs

    def copy(self) -> "Networks":
        """The same networks in memory of their own."""
        return Networks(
            tuple(weight.clone() for weight in self.weights),
            tuple(bias.clone() for bias in self.biases),
        )

    def repeat(self, count: int) -> "Networks":
        """`count` copies of each network, one after the other."""
        return Networks(
            *(
                tuple(part.repeat_interleave(count, dim=0) for part in parts)
                for parts in (self.weights, self.biases)
            )
        )

    def to(self, target: str | torch.device | torch.dtype) -> "Networks":
        """The same networks on another device or in another precision."""
        return Networks(
            tuple(weight.to(target) for weight in self.weights),
            tuple(bias.to(target) for bias in self.biases),
        )

    @property
    def parameters(self) -> dict[str, Tensor]:
        """Weights and biases by their names in `nn.Sequential(Linear, ReLU, …, Linear)`, (R, …):
        the same memory.
        """
        found: dict[str, Tensor] = {}
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            found |= {f"{2 * layer}.weight": weight, f"{2 * layer}.bias": bias[..., 0]}
        return found

    def scores(self, images: Tensor, offset: Tensor | None = None, *, own: bool = False) -> Tensor:
        """Scores (logits) of N images, (R, n_classes, N): of (N, n_features), which all networks
        see, or of (R, N, n_features), which shows whose `own` they are.
        """
        return forward(self, images, offset)[1]

    def gradients(self, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Slope of each network's mean cross-entropy in each parameter, (R, …), in closed form.

        Args:
            images: (N, n_features) for all, or (R, N, n_features), a batch for each.
            labels: (N,) or (R, N).
        """
        hidden, scores = forward(self, images)
        slopes = deltas(self, hidden, scores, labels)
        inputs = [images if images.ndim == 3 else images.expand(len(self), -1, -1)]
        inputs += [output.mT for output in hidden]
        found: dict[str, Tensor] = {}
        for layer, (delta, value) in enumerate(zip(slopes, inputs, strict=True)):
            found[f"{2 * layer}.weight"] = torch.bmm(delta, value) / images.shape[-2]
            found[f"{2 * layer}.bias"] = delta.mean(dim=2)
        return found

    @property
    def alive(self) -> Tensor:
        """Whether each network is finite, (R,): a number that is not finite reaches the last
        bias within one step and stays.
        """
        return torch.isfinite(self.biases[-1]).all(dim=(1, 2))


@settled
def initialize(
    n_features: int, seed: int, *, hidden: Sequence[int] = HIDDEN, n_classes: int = 10
) -> Networks:
    """One network with Kaiming normal weights, N(0, 2 / n_in), and zero biases, the same on every
    device.

    Example:
        >>> from valleys.nets import initialize
        >>> networks = initialize(64, seed=0, hidden=(50, 50)).repeat(3)
        >>> len(networks), [tuple(weight.shape) for weight in networks.weights]
        (3, [(3, 50, 64), (3, 50, 50), (3, 10, 50)])
    """
    sizes = (n_features, *hidden, n_classes)
    require(min(sizes) >= 1, f"n_features, hidden and n_classes must be 1 or more, got {sizes}")
    require(seed >= 0, f"seed must be 0 or more, got {seed}")
    generator = torch.Generator().manual_seed(seed)
    weights = tuple(
        torch.randn(1, n_in, n_out, generator=generator) * (2 / n_in) ** 0.5
        for n_in, n_out in itertools.pairwise(sizes)
    )
    return Networks(
        tuple(weight.mT.contiguous() for weight in weights),
        tuple(torch.zeros(1, n_out, 1) for n_out in sizes[1:]),
    )


def join(stacks: Sequence[Networks]) -> Networks:
    """All networks of several stacks in one."""
    layers = range(len(stacks[0].weights))
    return Networks(
        tuple(torch.cat([s.weights[i] for s in stacks]) for i in layers),
        tuple(torch.cat([s.biases[i] for s in stacks]) for i in layers),
    )


def forward(
    networks: Networks, images: Tensor, offset: Tensor | None = None
) -> tuple[list[Tensor], Tensor]:
    """Outputs of the hidden layers, (R, n, N) each, and the scores (logits), (R, n_classes, N).

    Samples run along the last axis, so that products of few units with many samples fill the
    processor's vectors.

    Args:
        networks: R networks.
        images: (N, n_features) for all, or (R, N, n_features), a batch for each.
        offset: what the first layer receives besides, (n, N), or None.
    """
    value, hidden = _first_layer(networks.weights[0], networks.biases[0], images), []
    if offset is not None:
        value += offset
    for weight, bias in zip(networks.weights[1:], networks.biases[1:], strict=True):
        hidden.append(value.relu_())
        value = torch.baddbmm(bias, weight, value)
    return hidden, value


def _first_layer(weight: Tensor, bias: Tensor, images: Tensor) -> Tensor:
    """What the first hidden layer receives, (R, n, N); images that all share make one product of
    all networks' units side by side.
    """
    if images.ndim == 3:
        return torch.baddbmm(bias, weight, images.mT)
    return (weight.flatten(0, 1) @ images.T).view(*weight.shape[:2], len(images)).add_(bias)


def deltas(
    networks: Networks, hidden: list[Tensor], scores: Tensor, labels: Tensor
) -> list[Tensor]:
    """Slope of each network's summed cross-entropy in what each layer receives, (R, n, N) per
    layer: softmax − target, carried back.

    Args:
        networks: R networks.
        hidden: outputs of the hidden layers, as `forward` gives them.
        scores: as `forward` gives them.
        labels: (N,) or (R, N).
    """
    last = torch.softmax(scores, dim=1)
    where = labels.expand(len(networks), -1).unsqueeze(1)
    found = [last.scatter_add_(1, where, last.new_full((1,), -1.0).expand(where.shape))]
    for weight, output in zip(networks.weights[:0:-1], hidden[::-1], strict=True):
        back = torch.bmm(weight.mT, found[0])
        # 0 where the unit is off
        found.insert(
            0, torch.ops.aten.threshold_backward.grad_input(back, output, 0, grad_input=back)
        )
    return found


def descend(networks: Networks, images: Tensor, labels: Tensor, learning_rate: float) -> None:
    """One step θ ← θ − η ∇L in place (Eq. 3), ∇L = (1/N) Σ delta · inputᵀ, each network on its own
    batch or all on one.

    Args:
        networks: R networks.
        images: (N, n_features) or (R, N, n_features).
        labels: (N,) or (R, N).
        learning_rate: η.
    """
    hidden, scores = forward(networks, images)
    slopes, factor = deltas(networks, hidden, scores, labels), -learning_rate / images.shape[-2]
    for weight, output, delta in zip(networks.weights[1:], hidden, slopes[1:], strict=True):
        weight.baddbmm_(delta, output.mT, alpha=factor)
    _descend_first_layer(networks.weights[0], slopes[0], images, factor)
    for bias, delta in zip(networks.biases, slopes, strict=True):
        bias.add_(delta.sum(dim=2, keepdim=True), alpha=factor)


def _descend_first_layer(weight: Tensor, delta: Tensor, images: Tensor, factor: float) -> None:
    if images.ndim == 3:
        weight.baddbmm_(delta, images, alpha=factor)
    else:
        weight.view(-1, weight.shape[2]).addmm_(delta.flatten(0, 1), images, alpha=factor)


def interpolate(first: Networks, second: Networks, fractions: Tensor) -> Networks:
    """The networks α θ₁ + (1 − α) θ₂ for each α of `fractions`, (len(fractions),); `first` and
    `second` hold one network each.
    """
    alpha = fractions.view(-1, 1, 1)

    def mix(one: tuple[Tensor, ...], two: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return tuple(alpha * a + (1 - alpha) * b for a, b in zip(one, two, strict=True))

    return Networks(mix(first.weights, second.weights), mix(first.biases, second.biases))
