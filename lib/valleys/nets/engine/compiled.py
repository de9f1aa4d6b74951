"""Stochastic gradient descent of fully connected ReLU networks as one compiled loop.

Network after network runs through all its steps, so that its weights and its batch stay in the
processor's nearest memory; only matrix products leave the loop, for the processor's BLAS.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numba import njit

from valleys.compiling import CAN_KEEP
from valleys.nets.engine import blas
from valleys.nets.engine.networks import Networks
from valleys.nets.engine.training import Samples, Visit

# hardest samples that are looked at first add up to so many times what they must, when all were
# last looked at: fewer, and all must be looked at again soon
MARGIN = 1.3
SOME = 20  # they come in multiples of this, what a small product takes side by side
MATH = {"contract", "reassoc", "nsz"}  # of what fast arithmetic may assume; NaN must stay NaN


def fits(networks: Networks) -> bool:
    """Whether the compiled loop takes these networks: on a processor, in one piece of memory."""
    parts = networks.weights + networks.biases
    return all(part.device.type == "cpu" and part.is_contiguous() for part in parts)


@dataclass
class FirstPassages:
    """The first step at which each network's training loss is below each L_c, looked at before
    every update and after the last (Eq. 7).

    No sample's loss is negative, so that the hardest samples alone can show that a network is still
    above L_c; only where they do not are all looked at.

    Attributes:
        thresholds: the values of L_c, in any order.
        steps: what was found, (R, len(thresholds)); NaN where the loss never fell that low.
    """

    thresholds: Sequence[float]
    steps: np.ndarray = field(default_factory=lambda: np.empty((0, 0)), init=False)
    _state: tuple[np.ndarray, ...] = field(default=(), init=False, repr=False)

    def begin(self, n_networks: int, n_samples: int) -> tuple[np.ndarray, ...]:
        """Where the compiled loop writes: L_c in falling order, the steps found, how many L_c each
        network has passed, its samples from the hardest on, and how many are looked at first.
        """
        falling = np.sort(np.array(self.thresholds, dtype=float))[::-1].copy()
        found = np.full((n_networks, len(falling)), np.nan)
        samples = np.tile(np.arange(n_samples), (n_networks, 1))
        passed, looked_at = np.zeros((2, n_networks), dtype=np.int64)
        self._state = (falling, found, passed, samples, looked_at + n_samples)
        return self._state

    def end(self) -> None:
        """Put the steps found in the order of the thresholds."""
        order = np.argsort(-np.array(self.thresholds, dtype=float), kind="stable")
        self.steps = np.empty_like(self._state[1])
        self.steps[:, order] = self._state[1]


def train(
    networks: Networks,
    samples: Samples,
    *,
    learning_rate: float,
    batch_size: int,
    n_steps: int,
    streams: Sequence[np.random.Generator],
    visits: Mapping[int, Visit],
    passages: FirstPassages | None = None,
) -> None:
    """The same as `valleys.nets.engine.training.train`, on the same batches, but for rounding.

    Args:
        networks: R networks on a processor; they end as the trained ones.
        samples: training set.
        learning_rate: η.
        batch_size: B; equal to the training set it is full-batch gradient descent.
        n_steps: number of updates; it stops earlier once no network is finite.
        streams: R generators of batch order.
        visits: what to do before the update of a step, by step from 0 to n_steps.
        passages: what is to be found of freezing, if anything.
    """
    whole = batch_size == len(samples)
    orders = _Orders(len(samples), batch_size, [] if whole else streams)
    watch = (passages or FirstPassages(())).begin(len(networks), len(samples))
    stops = sorted({step for step in visits if step < n_steps} | {n_steps})
    step = 0
    for stop in stops:
        while step < stop:
            order, ends = orders.take(stop - step)
            _descend_all(networks, samples, learning_rate, order, ends, (step, watch))
            step += len(ends)
        if stop in visits:
            visits[stop](stop, networks)
        if not networks.alive.any():
            break
    no_step = np.empty(0, dtype=np.int64)
    _descend_all(networks, samples, learning_rate, orders.rest[:, :0], no_step, (step, watch))
    if passages is not None:
        passages.end()


class _Orders:
    """Batches of R runs, an epoch at most at a time."""

    def __init__(
        self, n_samples: int, batch_size: int, streams: Sequence[np.random.Generator]
    ) -> None:
        """Nothing is drawn yet; without streams every batch is the whole training set."""
        self.n_samples, self.batch_size, self.streams = n_samples, batch_size, streams
        self.rest = np.empty((len(streams), 0), dtype=np.int64)

    def take(self, n_steps: int) -> tuple[np.ndarray, np.ndarray]:
        """Sample indices of the next steps, (R, n), and where the batch of each step ends; without
        streams (0, 0) and the size of the training set as often as asked for.
        """
        if not self.streams:
            return self.rest, np.full(n_steps, self.n_samples)
        if not self.rest.shape[1]:
            self.rest = np.stack([stream.permutation(self.n_samples) for stream in self.streams])
        steps = range(1, min(n_steps, -(-self.rest.shape[1] // self.batch_size)) + 1)
        ends = np.minimum(np.array(steps) * self.batch_size, self.rest.shape[1])
        taken, self.rest = self.rest[:, : ends[-1]], self.rest[:, ends[-1] :]
        return np.ascontiguousarray(taken), ends


def _descend_all(
    networks: Networks,
    samples: Samples,
    learning_rate: float,
    order: np.ndarray,
    ends: np.ndarray,
    watch: tuple[int, tuple[np.ndarray, ...]],
) -> None:
    """Some steps of every network; after the last one, a last look at the losses."""
    images, labels = samples.images.numpy(), samples.labels.numpy()
    largest = (
        len(images) if len(watch[1][0]) or not order.size else int(np.diff(ends, prepend=0).max())
    )
    room = tuple(np.empty((largest, weight.shape[1]), images.dtype) for weight in networks.weights)
    batch = np.empty((largest, images.shape[1]), images.dtype)
    _descend(
        (blas.address(str(images.dtype)), blas.takes_small()),
        tuple(weight.numpy() for weight in networks.weights),
        tuple(bias.numpy() for bias in networks.biases),
        (images, labels),
        (order, ends),
        images.dtype.type(learning_rate),
        (batch, room, tuple(np.empty_like(part) for part in room)),
        watch,
    )


@njit(cache=CAN_KEEP, fastmath=MATH)
def _descend(product, weights, biases, data, batches, rate, room, watch):
    """Every network in turn, through all steps.

    Args:
        product: address of the matrix product, and whether it is fast for small ones.
        weights: (R, n_out, n_in) of each layer.
        biases: (R, n_out, 1) of each layer.
        data: images, (N, n_features), and labels, (N,).
        batches: sample indices, (R, n), and where the batch of each step ends, (n_steps,); no
            index if every batch is the whole set.
        rate: η.
        room: for a batch, and for what each layer gives and the slopes in what it receives.
        watch: the first step, and what `FirstPassages.begin` gives.
    """
    order, ends = batches
    batch, values, slopes = room
    first, state = watch
    right = data[1].copy()
    for network in range(len(weights[0])):
        start = 0
        if not len(ends):
            _look(product, weights, biases, network, first, data, state, room)
        for step, end in enumerate(ends):
            _look(product, weights, biases, network, first + step, data, state, room)
            size = end - start if order.size else end
            inputs = batch[:size] if order.size else data[0]
            if order.size:
                _gather(data, order[network, start:end], batch, right)
            else:
                right[:] = data[1]
            start = end
            _forward(product, weights, biases, network, inputs, values)
            _softmax_less_target(values[-1][:size], right, slopes[-1])
            _backward(product, weights, network, size, values, slopes)
            factor = _in_type_of(batch, -rate / size)
            _move(product, weights, biases, network, (inputs, values, slopes), factor)


@njit(inline="always")
def _look(product, weights, biases, network, step, data, state, room):
    """Write down the step if the training loss is below the next L_c of a network."""
    falling, found, passed, samples, looked_at = state
    batch, values = room[0], room[1]
    n_samples, waiting = len(data[1]), passed[network] < len(falling)
    few = looked_at[network]
    if waiting and few < n_samples:
        right = np.empty(few, data[1].dtype)
        _gather(data, samples[network, :few], batch, right)
        _forward(product, weights, biases, network, batch[:few], values)
        waiting = _losses(values[-1][:few], right).sum() < falling[passed[network]] * n_samples
    if waiting:
        _forward(product, weights, biases, network, data[0], values)
        losses = _losses(values[-1][:n_samples], data[1])
        mean = losses.sum() / n_samples
        while passed[network] < len(falling) and mean < falling[passed[network]]:
            found[network, passed[network]] = step
            passed[network] += 1
        if np.isnan(mean):
            passed[network] = len(falling)
        if passed[network] < len(falling):
            samples[network] = np.argsort(-losses)
            enough = MARGIN * falling[passed[network]] * n_samples
            looked_at[network] = _hardest(losses[samples[network]], enough)


@njit(inline="always")
def _losses(scores, right):
    """Cross-entropy of each sample, float64."""
    losses = np.empty(len(scores))
    for sample in range(len(scores)):
        highest, total = scores[sample].max(), 0.0
        for label in range(scores.shape[1]):
            total += np.exp(scores[sample, label] - highest)
        losses[sample] = np.log(total) + highest - scores[sample, right[sample]]
    return losses


@njit(inline="always")
def _hardest(losses, enough):
    """How many of the losses, which fall, add up to enough, in multiples of `SOME`; all of them
    where they do not.
    """
    total = 0.0
    for sample in range(len(losses)):
        total += losses[sample]
        if total >= enough:
            return min(len(losses), (sample // SOME + 1) * SOME)
    return len(losses)


@njit(inline="always")
def _in_type_of(images, number):
    """The number in the precision of the images."""
    return images.dtype.type(number)


@njit(inline="always")
def _gather(data, chosen, batch, right):
    """Images and labels of a batch."""
    images, labels = data
    for place, sample in enumerate(chosen):
        right[place] = labels[sample]
        for pixel in range(images.shape[1]):
            batch[place, pixel] = images[sample, pixel]


@njit(inline="always")
def _forward(product, weights, biases, network, inputs, values):
    """What each layer gives, (N, n_out); the last one gives scores."""
    size = len(inputs)
    for layer in range(len(weights)):
        given = inputs if layer == 0 else values[layer - 1][:size]
        blas.receive(product[0], product[1], given, weights[layer][network], values[layer][:size])
        _add(values[layer][:size], biases[layer][network], layer < len(weights) - 1)


@njit(inline="always")
def _add(received, bias, rectified):
    """Add the bias, and rectify what a hidden layer gives."""
    for sample in range(len(received)):
        for unit in range(received.shape[1]):
            value = received[sample, unit] + bias[unit, 0]
            off = rectified and value < 0  # NaN stays
            received[sample, unit] = 0 if off else value


@njit(inline="always")
def _softmax_less_target(scores, right, slopes):
    """Slope of each sample's cross-entropy in its scores."""
    for sample in range(len(scores)):
        highest = scores[sample].max()
        total = _in_type_of(scores, 0)
        for label in range(scores.shape[1]):
            slopes[sample, label] = np.exp(scores[sample, label] - highest)
            total += slopes[sample, label]
        for label in range(scores.shape[1]):
            slopes[sample, label] /= total
        slopes[sample, right[sample]] -= 1


@njit(inline="always")
def _backward(product, weights, network, size, values, slopes):
    """Slopes in what each hidden layer receives: 0 where a unit is off."""
    for layer in range(len(weights) - 1, 0, -1):
        behind, given = slopes[layer - 1][:size], values[layer - 1]
        ahead = slopes[layer][:size]
        blas.carry_back(product[0], product[1], ahead, weights[layer][network], behind)
        for sample in range(size):
            for unit in range(behind.shape[1]):
                off = given[sample, unit] <= 0
                behind[sample, unit] = 0 if off else behind[sample, unit]


@njit(inline="always")
def _move(product, weights, biases, network, passed, factor):
    """Weights and biases against their slopes."""
    inputs, values, slopes = passed
    size = len(inputs)
    for layer in range(len(weights)):
        given = inputs if layer == 0 else values[layer - 1][:size]
        deltas, bias = slopes[layer][:size], biases[layer][network]
        blas.move(product[0], product[1], given, deltas, factor, weights[layer][network])
        for sample in range(size):
            for unit in range(deltas.shape[1]):
                bias[unit, 0] += factor * deltas[sample, unit]
