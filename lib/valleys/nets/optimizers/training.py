"""Training by any recipe, of any stack of networks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from valleys.nets.engine import plain
from valleys.nets.engine.modules import Modules
from valleys.nets.engine.networks import Networks
from valleys.nets.engine.passages import Passages
from valleys.nets.engine.stack import Stack
from valleys.nets.engine.training import Samples, evaluate
from valleys.nets.optimizers.noise import Disturbance, drawn
from valleys.nets.optimizers.recipe import Recipe
from valleys.nets.optimizers.sharpness import gradients_uphill

Streams = Sequence[np.random.Generator]
StackVisit = Callable[[int, Stack], None]  # step, networks before that step's update


def optimize(
    networks: Stack,
    samples: Samples,
    recipe: Recipe,
    *,
    n_steps: int,
    streams: Streams,
    visits: Mapping[int, StackVisit],
    passages: Passages | None = None,
) -> None:
    """Train R networks in place, each on mini-batches of its own.

    With a constant batch size, plain batches are those of `valleys.nets.engine.training.train`
    from the same streams. A network that is not finite goes on as it is.

    Args:
        networks: R networks; they end as the trained ones.
        samples: training set.
        recipe: learning rate, batch size, method, noise.
        n_steps: number of updates; it stops earlier once no network is finite.
        streams: R generators of batch order; other draws come from streams spawned from them.
        visits: what to do before the update of a step, by step from 0 to n_steps.
        passages: what is to be found of the training loss, if anything.
    """
    closed = networks.in_closed_form(samples.images) if isinstance(networks, Modules) else None
    if closed is not None and recipe.plain and not (passages and passages.keep):
        seen = {step: _showing(networks, visit) for step, visit in visits.items()}
        how = {"n_steps": n_steps, "streams": streams, "passages": passages}
        _descend(closed, samples, recipe, visits=seen, **how)
        return
    if passages is not None:
        visits = passages.watched(visits, samples, n_steps)
    training = _Training.begin(networks, samples, recipe, n_steps, streams)
    for step in range(n_steps + 1):
        if step in visits:
            visits[step](step, networks)
            if not networks.alive.any():
                return
        if step < n_steps:
            training.advance(step)


def _showing(networks: Stack, visit: StackVisit) -> StackVisit:
    """A visit that is shown these networks, whose memory is trained under another form."""
    return lambda step, _: visit(step, networks)


def _descend(networks: Networks, samples: Samples, recipe: Recipe, **how: Any) -> None:
    """Plain stochastic gradient descent by the fastest loop there is."""
    rate, size = recipe.learning_rates(1)[0].item(), recipe.batch_sizes(1)[0].item()
    flat = replace(samples, images=samples.images.flatten(1))
    plain.train(networks, flat, learning_rate=rate, batch_size=min(size, len(samples)), **how)


class Order:
    """Batches of one training set for R runs: each epoch a new order per stream, cut in turn; the
    last batch of an epoch may be smaller.
    """

    def __init__(self, n_samples: int, streams: Streams) -> None:
        """Nothing is drawn yet."""
        self.n_samples, self.streams = n_samples, streams
        self.rest = torch.empty(len(streams), 0, dtype=torch.int64)

    def take(self, size: int) -> Tensor:
        """Indices of the next batch, (R, at most size)."""
        if not self.rest.shape[1]:
            orders = [stream.permutation(self.n_samples) for stream in self.streams]
            self.rest = torch.from_numpy(np.stack(orders))
        batch, self.rest = self.rest[:, :size], self.rest[:, size:]
        return batch


@dataclass
class _Training:
    """One training under way.

    Attributes:
        networks: R networks, trained in place.
        parameters: their tensors by name, the ones that the method holds.
        method: what moves them.
        order: of the samples.
        side_streams: R generators of everything that is not batch order.
        courses: learning rate, batch size and radius of each update.
        quiet: whether each network goes on without noise, (R,).
        disturb: adds the recipe's noise to the gradients.
    """

    networks: Stack
    samples: Samples
    recipe: Recipe
    parameters: dict[str, Tensor]
    method: torch.optim.Optimizer
    order: Order
    side_streams: Streams
    courses: tuple[np.ndarray, np.ndarray, np.ndarray]
    quiet: Tensor
    disturb: Disturbance | None

    @classmethod
    def begin(
        cls, networks: Stack, samples: Samples, recipe: Recipe, n_steps: int, streams: Streams
    ) -> "_Training":
        """Everything that a training starts with."""
        parameters = networks.parameters
        side = [stream.spawn(1)[0] for stream in streams]
        rates, sizes = recipe.learning_rates(n_steps), recipe.batch_sizes(n_steps)
        return cls(
            networks,
            samples,
            recipe,
            parameters,
            recipe.method.start(parameters.values()),
            Order(len(samples), streams),
            side,
            (rates, sizes.clip(max=len(samples)), recipe.radii(n_steps)),
            torch.zeros(len(networks), dtype=torch.bool),
            recipe.noise.start(samples, side) if recipe.noise else None,
        )

    def advance(self, step: int) -> None:
        """One update of every network."""
        rate, size, radius = (course[step].item() for course in self.courses)
        if self.recipe.quiet_below:
            self._look()
        gradients = self._disturbed(step, self._gradients(size, radius))
        for name, part in self.parameters.items():
            part.grad = gradients[name].view_as(part)
        for group in self.method.param_groups:
            group["lr"] = rate
        self.method.step()

    def _look(self) -> None:
        """Networks whose loss has fallen far enough are quiet from now on."""
        loss = evaluate(self.networks, self.samples).loss
        self.quiet |= loss.cpu() < self.recipe.quiet_below

    def _gradients(self, size: int, radius: float) -> dict[str, Tensor]:
        """Gradients of all networks, of quiet ones on all samples."""
        every = (self.samples.images, self.samples.labels)
        drawn_anew = self.recipe.replacement or self.recipe.label_noise
        if size == len(self.samples) and not drawn_anew:
            return gradients_uphill(self.networks, *every, radius)
        images, labels = self.samples.batch(self._chosen(size))
        found = gradients_uphill(self.networks, images, self._relabelled(labels), radius)
        if self.quiet.any():
            rows = self.quiet.nonzero().flatten()
            calm = gradients_uphill(self.networks.pick(rows), *every, radius)
            for name, part in found.items():
                part[rows] = calm[name]
        return found

    def _chosen(self, size: int) -> Tensor:
        if self.recipe.replacement:
            return drawn(len(self.samples), size, self.order.streams)
        return self.order.take(size)

    def _relabelled(self, labels: Tensor) -> Tensor:
        """Labels of a batch, some of them drawn anew."""
        if not self.recipe.label_noise:
            return labels
        n_classes = int(self.samples.labels.max()) + 1
        shape = labels.shape[1]
        draws = [
            (rng.random(shape), rng.integers(n_classes, size=shape)) for rng in self.side_streams
        ]
        chances, others = (torch.from_numpy(np.stack(part)) for part in zip(*draws, strict=True))
        anew = (chances < self.recipe.label_noise).to(labels.device)
        return torch.where(anew, others.to(labels), labels)

    def _disturbed(self, step: int, gradients: dict[str, Tensor]) -> dict[str, Tensor]:
        """Gradients with the recipe's noise, but for quiet networks."""
        if self.disturb is None:
            return gradients
        noisy = self.disturb(step, self.networks, gradients)
        loud = ~self.quiet
        return {
            name: torch.where(
                loud.view(-1, *[1] * (part.ndim - 1)).to(part.device), noisy[name], part
            )
            for name, part in gradients.items()
        }
