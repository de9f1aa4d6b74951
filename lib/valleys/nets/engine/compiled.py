"""Stochastic gradient descent of fully connected ReLU networks as one compiled loop.

Network after network runs through all its steps, so that its weights and its batch stay in the
processor's nearest memory; only matrix products leave the loop, for the processor's BLAS.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numba import njit

from valleys.compiling import CAN_KEEP
from valleys.nets.engine import blas
from valleys.nets.engine.networks import Networks
from valleys.nets.engine.training import Samples, Visit

MATH = {"contract", "reassoc", "nsz"}  # of what fast arithmetic may assume; NaN must stay NaN


def fits(networks: Networks) -> bool:
    """Whether the compiled loop takes these networks: on a processor, in one piece of memory."""
    parts = networks.weights + networks.biases
    return all(part.device.type == "cpu" and part.is_contiguous() for part in parts)


def train(
    networks: Networks,
    samples: Samples,
    *,
    learning_rate: float,
    batch_size: int,
    n_steps: int,
    streams: Sequence[np.random.Generator],
    visits: Mapping[int, Visit],
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
    """
    whole = batch_size == len(samples)
    orders = _Orders(len(samples), batch_size, [] if whole else streams)
    stops = sorted({step for step in visits if step < n_steps} | {n_steps})
    step = 0
    for stop in stops:
        while step < stop:
            order, ends = orders.take(stop - step)
            _descend_all(networks, samples, learning_rate, order, ends)
            step += len(ends)
        if stop in visits:
            visits[stop](stop, networks)
        if not networks.alive.any():
            return


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
    networks: Networks, samples: Samples, learning_rate: float, order: np.ndarray, ends: np.ndarray
) -> None:
    """Some steps of every network."""
    images, labels = samples.images.numpy(), samples.labels.numpy()
    largest = int(np.diff(ends, prepend=0).max()) if order.size else len(images)
    room = tuple(np.empty((largest, weight.shape[1]), images.dtype) for weight in networks.weights)
    batch = images if not order.size else np.empty((largest, images.shape[1]), images.dtype)
    _descend(
        (blas.address(str(images.dtype)), blas.takes_small()),
        tuple(weight.numpy() for weight in networks.weights),
        tuple(bias.numpy() for bias in networks.biases),
        (images, labels),
        (order, ends),
        images.dtype.type(learning_rate),
        (batch, room, tuple(np.empty_like(part) for part in room)),
    )


@njit(cache=CAN_KEEP, fastmath=MATH)
def _descend(product, weights, biases, data, batches, rate, room):
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
    """
    order, ends = batches
    batch, values, slopes = room
    right = data[1].copy()
    for network in range(len(weights[0])):
        start = 0
        for end in ends:
            size = end - start if order.size else end
            if order.size:
                _gather(data, order[network, start:end], batch, right)
            start = end
            _forward(product, weights, biases, network, batch[:size], values)
            _softmax_less_target(values[-1][:size], right, slopes[-1])
            _backward(product, weights, network, size, values, slopes)
            factor = _in_type_of(batch, -rate / size)
            _move(product, weights, biases, network, (batch[:size], values, slopes), factor)


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
