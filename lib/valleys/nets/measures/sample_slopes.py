"""Gradients of single samples and curvature in all weights and biases of a fully connected
network, in closed form and in its own precision: fast enough to follow a training.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from valleys.nets.engine.networks import Networks
from valleys.nets.engine.training import Samples
from valleys.nets.measures.lanczos import SymmetricOperator, top_eigenpairs

TOLERANCE = 1e-2  # residual over eigenvalue: noise needs no better directions


@dataclass(frozen=True, eq=False)
class SampleSlopes(SymmetricOperator):
    """One network on N samples; as an operator it is the Hessian H of the mean cross-entropy.

    Directions are flat, (n,), in the order of `valleys.nets.engine.stack.flat`. Each gradient g of
    a single sample is an outer product, slope · inputᵀ, layer by layer.

    Attributes:
        inputs: what each layer receives, (N, n_in) each.
        slopes: slope of each sample's loss in what each layer gives, (N, n_out) each.
        weights: matrix of each layer, (n_out, n_in) each.
        probabilities: softmax of the scores, (N, n_classes).
        labels: (N,).
    """

    inputs: tuple[Tensor, ...]
    slopes: tuple[Tensor, ...]
    weights: tuple[Tensor, ...]
    probabilities: Tensor
    labels: Tensor

    @classmethod
    def of(cls, networks: Networks, samples: Samples, index: int = 0) -> "SampleSlopes":
        """One of R networks where it is.

        Args:
            networks: R networks.
            samples: training set, in the networks' precision.
            index: of the network.
        """
        one, inputs = networks.one(index), [samples.images]
        for weight, bias in zip(one.weights[:-1], one.biases[:-1], strict=True):
            inputs.append(torch.relu(inputs[-1] @ weight[0].T + bias[0, :, 0]))
        scores = inputs[-1] @ one.weights[-1][0].T + one.biases[-1][0, :, 0]
        weights = tuple(weight[0].clone() for weight in one.weights)
        bare = cls(tuple(inputs), (), weights, torch.softmax(scores, dim=1), samples.labels)
        return replace(bare, slopes=bare.carry_back(bare.errors))

    @property
    def errors(self) -> Tensor:
        """Slope of each sample's loss in the scores, p − target, (N, n_classes)."""
        place = self.labels.unsqueeze(1)
        others = self.probabilities.scatter(1, place, 0.0)
        # p − 1 of the right score cancels where the network is sure
        return others.scatter(1, place, -others.sum(dim=1, keepdim=True))

    @property
    def loss(self) -> float:
        """Mean cross-entropy."""
        right = self.probabilities.gather(1, self.labels.unsqueeze(1))
        return float(-right.clamp_min(torch.finfo(right.dtype).tiny).log().mean())

    @property
    def n_samples(self) -> int:
        """N."""
        return len(self.labels)

    @property
    def size(self) -> int:
        """Number of weights and biases, n."""
        return sum(weight.numel() + len(weight) for weight in self.weights)

    def carry_back(self, last: Tensor) -> tuple[Tensor, ...]:
        """Slopes in the scores, (N, n_classes), as slopes in what each layer gives, (N, n_out)."""
        found = [last]
        for weight, given in zip(self.weights[:0:-1], self.inputs[:0:-1], strict=True):
            found.insert(0, (found[0] @ weight) * (given > 0))
        return tuple(found)

    def combined(self, shares: Tensor) -> Tensor:
        """Σ s_i g_i of the samples' gradients, flat, (n,), from shares s, (N,)."""
        parts: list[Tensor] = []
        for slope, given in zip(self.slopes, self.inputs, strict=True):
            weighted = slope * shares.unsqueeze(1)
            parts += [(weighted.T @ given).flatten(), weighted.sum(dim=0)]
        return torch.cat(parts)

    def pick(self, chosen: Tensor) -> "SampleSlopes":
        """The same of the samples of these indices, (m,), which may repeat."""
        inputs, slopes = (
            tuple(part[chosen] for part in parts) for parts in (self.inputs, self.slopes)
        )
        return replace(
            self,
            inputs=inputs,
            slopes=slopes,
            probabilities=self.probabilities[chosen],
            labels=self.labels[chosen],
        )

    def mean_gradient(self) -> Tensor:
        """ḡ, flat, (n,)."""
        return self.combined(torch.full_like(self.probabilities[:, 0], 1 / self.n_samples))

    def noise_trace(self) -> float:
        """Tr Σ of the covariance of the samples' gradients, the mean of ‖g‖² less ‖ḡ‖²."""
        return float(self.squares().mean() - self.mean_gradient().square().sum())

    def trace(self) -> float:
        """Tr H: exact, for every score is linear in each single weight, so that only the
        Gauss-Newton part has a diagonal.
        """
        squares = torch.zeros_like(self.probabilities[:, 0])
        mean = self.carry_back(self.probabilities)
        for label, p in enumerate(self.probabilities.T):
            one = torch.zeros_like(self.probabilities)
            one[:, label] = 1.0
            away = tuple(a - b for a, b in zip(self.carry_back(one), mean, strict=True))
            squares += p * _outer_squares(self.inputs, away)
        return float(squares.mean())

    def along(self, direction: Tensor) -> Tensor:
        """H v for a flat direction v, (n,): what the layers give and the slopes in it change along
        v, gates fixed.
        """
        moves = self._parts(direction)
        changes, last = self._forward_changes(moves)
        p = self.probabilities
        last = p * (last - (p * last).sum(dim=1, keepdim=True))
        parts: list[Tensor] = []
        for layer in reversed(range(len(self.weights))):
            matrix = last.T @ self.inputs[layer]
            if layer:
                matrix += self.slopes[layer].T @ changes[layer]
            parts = [matrix.flatten(), last.sum(dim=0), *parts]
            if layer:
                back = last @ self.weights[layer] + self.slopes[layer] @ moves[layer][0]
                last = back * (self.inputs[layer] > 0)
        return torch.cat(parts) / self.n_samples

    def _forward_changes(self, moves: list[tuple[Tensor, Tensor]]) -> tuple[list[Tensor], Tensor]:
        """Change along a direction of what each layer receives, and of the scores."""
        changes, last = [torch.zeros_like(self.inputs[0])], len(moves) - 1
        for layer, (matrix, bias) in enumerate(moves[:last]):
            given = self._change(changes[layer], layer, matrix, bias)
            changes.append(given * (self.inputs[layer + 1] > 0))
        return changes, self._change(changes[last], last, *moves[last])

    def _change(self, before: Tensor, layer: int, matrix: Tensor, bias: Tensor) -> Tensor:
        """Change of what a layer gives, (N, n_out), from that of what it receives."""
        own = torch.addmm(bias, self.inputs[layer], matrix.T)
        return own.addmm_(before, self.weights[layer].T) if layer else own

    def product(self, direction: np.ndarray) -> np.ndarray:
        """The same for NumPy, in float64 outside."""
        tensor = torch.from_numpy(np.ascontiguousarray(direction.ravel()))
        return self.along(tensor.to(self.probabilities)).double().cpu().numpy()

    def _parts(self, direction: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Matrix and bias of each layer in a flat direction."""
        sizes = [size for weight in self.weights for size in (weight.numel(), len(weight))]
        parts = direction.split(sizes)
        pairs = zip(self.weights, parts[::2], parts[1::2], strict=True)
        return [(matrix.view_as(weight), bias) for weight, matrix, bias in pairs]

    def squares(self) -> Tensor:
        """‖g‖² of each sample's gradient, (N,)."""
        return _outer_squares(self.inputs, self.slopes)

    def lift(
        self, stream: np.random.Generator, n_probes: int, noise: "SampleSlopes | None" = None
    ) -> float:
        """Tr ΣH: a step of noise η ξ raises the loss by η²/2 · Tr ΣH in the mean.

        It is the mean of gᵀHg over samples, less ḡᵀHḡ; samples are drawn by their ‖g‖², evenly
        spread, so that what varies is the curvature along a gradient alone.

        Args:
            stream: of the draw.
            n_probes: how many samples are drawn.
            noise: whose Σ; that of this network if None.
        """
        of, mean = noise or self, (noise or self).mean_gradient()
        heights = of.squares().double().cumsum(dim=0)
        places = (torch.arange(n_probes) + stream.random()) / n_probes
        chosen = torch.searchsorted(heights, places.to(heights) * heights[-1])
        drawn = [of.pick(one.view(1)).mean_gradient() for one in chosen]
        curvatures = [float(g @ self.along(g) / g.square().sum()) for g in drawn]
        mean_square = float(heights[-1]) / of.n_samples
        return mean_square * float(np.mean(curvatures)) - float(mean @ self.along(mean))

    def batch_sharpness(
        self, stream: np.random.Generator, batch_size: int, n_batches: int = 10
    ) -> float:
        """Curvature of a mini-batch's loss along its own gradient, E[gᵀHg] / E[gᵀg] (Andreyev and
        Beneventano 2024); above 2/η a step on that batch climbs.

        Args:
            stream: draws the batches, each without repetition.
            batch_size: B.
            n_batches: over how many batches the means go.
        """
        bent, squared = 0.0, 0.0
        for _ in range(n_batches):
            chosen = stream.choice(self.n_samples, batch_size, replace=False)
            batch = self.pick(torch.from_numpy(chosen))
            slope = batch.mean_gradient()
            bent += float(slope @ batch.along(slope))
            squared += float(slope.square().sum())
        return bent / squared if squared else float("nan")

    def top(self, count: int) -> tuple[Tensor, Tensor]:
        """The leading eigenvalues of H, (count,), and unit eigenvectors, (count, n)."""
        found = top_eigenpairs(self, count, tolerance=TOLERANCE)
        values, vectors = (torch.from_numpy(part) for part in (found.values.copy(), found.vectors))
        return values.to(self.probabilities), vectors.to(self.probabilities)


def _outer_squares(inputs: tuple[Tensor, ...], slopes: tuple[Tensor, ...]) -> Tensor:
    """Squared length of each sample's outer products, weights and biases, (N,)."""
    pairs = zip(inputs, slopes, strict=True)
    every = [(given.square().sum(dim=1) + 1) * slope.square().sum(dim=1) for given, slope in pairs]
    return torch.stack(every).sum(dim=0)
