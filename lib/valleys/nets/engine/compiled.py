"""Stochastic gradient descent of fully connected ReLU networks as one compiled loop.

Network after network runs through all its steps, so that its weights and its batch stay in the
processor's nearest memory. Its products of matrices are those of `kernels.blas`: our own, inside
the loop, on processors with vectors of 512 bits, and on others those of SciPy's BLAS. For our own,
images and the matrix that takes them are filled up with 0 to whole vectors.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import torch
from numba import njit
from threadpoolctl import ThreadpoolController

from valleys.compiling import CAN_KEEP, renewed_with
from valleys.nets.engine.kernels import blas, memory
from valleys.nets.engine.networks import Networks
from valleys.nets.engine.passages import Passages
from valleys.nets.engine.training import Samples, Visit

SOME = 50  # samples that are looked at side by side
ANEW = 100  # steps after which all are looked at, for the hardest ones may have changed
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
    passages: Passages | None = None,
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
    loop = _Loop(networks, samples, learning_rate, batch_size, passages)
    step, stops = 0, sorted({step for step in visits if step < n_steps} | {n_steps})
    for stop in stops:
        loop.borrow()
        while step < stop:
            order, ends = orders.take(stop - step)
            loop.descend(step, order, ends)
            step += len(ends)
        loop.give_back()
        if stop in visits:
            visits[stop](stop, networks)
        if not networks.alive.any():
            break
    loop.borrow()
    loop.look(step)


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


class _Looks(NamedTuple):
    """What to look at of each network."""

    samples: np.ndarray  # those first that were the hardest, (R, N)
    lost: np.ndarray  # whether the loss is no number, (R,)


class _Loop:
    """The compiled loop over some networks, in as many threads as this process may use."""

    def __init__(
        self,
        networks: Networks,
        samples: Samples,
        learning_rate: float,
        batch_size: int,
        passages: Passages | None,
    ) -> None:
        """Room for batches, and for what is to be found."""
        filled = memory.in_vectors if blas.product_way() == blas.OWN else np.asarray
        self.first, *others = (weight.numpy() for weight in networks.weights)
        self.weights = (filled(self.first), *others)
        self.biases = tuple(bias.numpy() for bias in networks.biases)
        self.data = filled(samples.images.numpy()), samples.labels.numpy()
        self.rate = self.data[0].dtype.type(learning_rate)
        shares = np.array_split(np.arange(len(networks)), min(threads(), len(networks)))
        self.shares = [(int(share[0]), int(share[-1]) + 1) for share in shares]
        size = len(samples) if passages is not None else batch_size
        self.rooms = [self._room(size) for _ in shares]
        self.watch = _watch(passages or Passages(()), networks, len(samples))

    def _room(self, size: int) -> tuple[np.ndarray, tuple[np.ndarray, ...], tuple[np.ndarray, ...]]:
        """For a batch, and for what each layer gives and the slopes in what it receives."""
        kind = self.data[0].dtype
        values, slopes = (
            tuple(memory.empty((size, weight.shape[1]), kind) for weight in self.weights)
            for _ in range(2)
        )
        return memory.empty((size, self.data[0].shape[1]), kind), values, slopes

    def borrow(self) -> None:
        """Take the first matrix of each network as it is now."""
        if self.weights[0] is not self.first:
            self.weights[0][..., : self.first.shape[-1]] = self.first

    def give_back(self) -> None:
        """Put it where the networks have it."""
        if self.weights[0] is not self.first:
            self.first[:] = self.weights[0][..., : self.first.shape[-1]]

    def descend(self, step: int, order: np.ndarray, ends: np.ndarray) -> None:
        """All networks from this step on, through batches as `_Orders` gives them."""
        product = blas.address(str(self.data[0].dtype)), blas.product_way()
        fixed = product, self.weights, self.biases, self.data, (order, ends), self.rate
        self._side_by_side(lambda share, room: _descend(*fixed, room, (step, share), self.watch))

    def look(self, step: int) -> None:
        """A last look at the losses."""
        self.descend(step, np.empty((len(self.weights[0]), 0), np.int64), np.empty(0, np.int64))

    def _side_by_side(self, run: Callable[..., None]) -> None:
        """Each thread takes its share of the networks, with one thread for the products of each."""
        if len(self.shares) == 1:
            run(self.shares[0], self.rooms[0])
            return
        with (
            ThreadpoolController().limit(limits=1),
            ThreadPoolExecutor(len(self.shares)) as pool,
        ):
            list(pool.map(run, self.shares, self.rooms))


def threads() -> int:
    """How many threads this process may use."""
    return torch.get_num_threads()


def _watch(passages: Passages, networks: Networks, n_samples: int) -> tuple[object, ...]:
    """What the compiled loop is to find of these networks, and how."""
    levels, count = passages.begin(networks), len(networks)
    looks = _Looks(np.tile(np.arange(n_samples), (count, 1)), np.zeros(count, bool))
    copies = passages.copies
    copies = networks.pick(slice(0)) if copies is None else copies
    kept = tuple(tuple(part.numpy() for part in parts) for parts in (copies.weights, copies.biases))
    return levels, looks, kept, passages.returns


@renewed_with("kernels")
@njit(cache=CAN_KEEP, fastmath=MATH, nogil=True)
def _descend(product, weights, biases, data, batches, rate, room, where, watch):
    """Some networks in turn, each through all steps.

    Args:
        product: address of the matrix product, and the way to form one.
        weights: (R, n_out, n_in) of each layer.
        biases: (R, n_out, 1) of each layer.
        data: images, (N, n_features), and labels, (N,).
        batches: sample indices, (R, n), and where the batch of each step ends, (n_steps,); no
            index if every batch is the whole set.
        rate: η.
        room: for a batch, and for what each layer gives and the slopes in what it receives.
        where: the first step, and the first of these networks and the one after the last.
        watch: `Levels`, which are filled; `_Looks`; weights and biases of each layer of the copies,
            (R · K, n_out, …), or none; and what divides the steps at which all samples are looked
            at for the way back up, or 0.
    """
    order, ends = batches
    batch, values, slopes = room
    first = where[0]
    right = np.empty_like(data[1])
    for network in range(where[1][0], where[1][1]):
        start = 0
        if not len(ends):
            _look(product, weights, biases, network, first, data, room, watch)
        for number, end in enumerate(ends):
            step = first + number
            _look(product, weights, biases, network, step, data, room, watch)
            size = end - start if order.size else end
            inputs = batch[:size] if order.size else data[0]
            if order.size:
                _gather(data, order[network, start:end], batch, right)
            labels = right if order.size else data[1]
            start = end
            _forward(product, weights, biases, network, inputs, values)
            _softmax_less_target(values[-1][:size], labels, slopes[-1])
            _backward(product, weights, network, size, values, slopes)
            factor = _in_type_of(batch, -rate / size)
            _move(product, weights, biases, network, (inputs, values, slopes), factor)


@njit(fastmath=MATH)
def _look(product, weights, biases, network, step, data, room, watch):
    """Write down which levels the training loss of a network passes at this step."""
    levels, looks, kept, returns = watch
    waiting = levels.passed[network] < len(levels.losses)
    due = (returns > 0 or waiting) and step % (returns or ANEW) == 0
    if looks.lost[network] or not (due or waiting):
        return
    enough = np.inf if due else levels.losses[levels.passed[network]] * len(data[1])
    losses = _hardest_losses(product, weights, biases, network, data, room, looks, enough)
    if len(losses) == len(data[1]):
        fallen = _note(network, step, losses.mean(), levels)
        for level in range(levels.passed[network] - fallen, levels.passed[network]):
            _copy(weights, biases, network, network * len(levels.losses) + level, kept)
    looks.lost[network] = np.isnan(losses.sum())
    _hardest_first(losses, looks.samples[network])


@njit(fastmath=MATH)
def _hardest_losses(product, weights, biases, network, data, room, looks, enough):
    """Losses of as many samples, those first that were the hardest, as show that the sum of all is
    enough, (n,); no loss is negative. Of all samples, if they do not show it.
    """
    batch, values = room[0], room[1]
    losses, right = np.empty(len(data[1])), np.empty(SOME, data[1].dtype)
    start, total = 0, 0.0
    while start < len(losses) and not total > enough:  # all of them where it is no number
        some = looks.samples[network, start : start + SOME]
        _gather(data, some, batch, right)
        _forward(product, weights, biases, network, batch[: len(some)], values)
        _fill_losses(values[-1][: len(some)], right, losses[start:])
        total += losses[start : start + len(some)].sum()
        start += len(some)
    return losses[:start]


@njit(fastmath=MATH)
def _note(network, step, mean, levels):
    """Write the step down where the mean loss passes a level; how many are passed for the first
    time.
    """
    before = levels.passed[network]
    for level in range(len(levels.losses)):
        if mean < levels.losses[level]:
            levels.below[network, level] = True
            if level == levels.passed[network]:
                levels.first[network, level] = step
                levels.passed[network] += 1
        elif mean >= levels.losses[level] and levels.below[network, level]:
            levels.below[network, level] = False
            levels.back[network, level] = step
    return levels.passed[network] - before


@njit(fastmath=MATH)
def _copy(weights, biases, network, place, kept):
    """Keep a network as it is, if networks are to be kept."""
    if len(kept[0][0]):
        for layer in range(len(weights)):
            _keep(weights[layer][network], kept[0][layer][place])
            _keep(biases[layer][network], kept[1][layer][place])


@njit
def _keep(matrix, copy):
    """Entry by entry, which compiles sooner than whole arrays; without what fills up its rows."""
    for row in range(copy.shape[0]):
        for column in range(copy.shape[1]):
            copy[row, column] = matrix[row, column]


@njit
def _hardest_first(losses, samples):
    """Sort losses and as many samples from the highest loss on, by Shell's method: they are nearly
    in order from the last look.
    """
    gap = len(losses) // 2
    while gap:
        for place in range(gap, len(losses)):
            loss, sample, hole = losses[place], samples[place], place
            while hole >= gap and losses[hole - gap] < loss:
                losses[hole], samples[hole] = losses[hole - gap], samples[hole - gap]
                hole -= gap
            losses[hole], samples[hole] = loss, sample
        gap //= 2


@njit(fastmath=MATH)
def _fill_losses(scores, right, losses):
    """Cross-entropy of each sample, float64."""
    for sample in range(len(scores)):
        highest, total = _highest(scores, sample), 0.0
        for label in range(scores.shape[1]):
            total += np.exp(scores[sample, label] - highest)
        losses[sample] = np.log(total) + highest - scores[sample, right[sample]]


@njit(fastmath=MATH)
def _highest(scores, sample):
    """The highest score of a sample; NaN or not where one is NaN."""
    highest = scores[sample, 0]
    for label in range(1, scores.shape[1]):
        highest = max(highest, scores[sample, label])
    return highest


@njit(inline="always")
def _in_type_of(images, number):
    """The number in the precision of the images."""
    return images.dtype.type(number)


@njit(fastmath=MATH)
def _gather(data, chosen, batch, right):
    """Images and labels of a batch."""
    images, labels = data
    for place, sample in enumerate(chosen):
        right[place] = labels[sample]
        for pixel in range(images.shape[1]):
            batch[place, pixel] = images[sample, pixel]


@njit(fastmath=MATH)
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


@njit(fastmath=MATH)
def _softmax_less_target(scores, right, slopes):
    """Slope of each sample's cross-entropy in its scores."""
    for sample in range(len(scores)):
        highest, total = _highest(scores, sample), _in_type_of(scores, 0)
        for label in range(scores.shape[1]):
            slopes[sample, label] = np.exp(scores[sample, label] - highest)
            total += slopes[sample, label]
        for label in range(scores.shape[1]):
            slopes[sample, label] /= total
        slopes[sample, right[sample]] -= 1


@njit(fastmath=MATH)
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


@njit(fastmath=MATH)
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
