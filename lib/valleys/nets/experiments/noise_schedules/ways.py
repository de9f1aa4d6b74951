"""Runs on their way through stretches of training: what they pass and what they spend."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from valleys.nets.engine import plain
from valleys.nets.engine.networks import Networks
from valleys.nets.engine.passages import Passages
from valleys.nets.engine.stack import Stack
from valleys.nets.engine.training import Samples
from valleys.nets.experiments.noise_schedules.courses import Stretch
from valleys.nets.measures.gradient_noise import batch_factor
from valleys.nets.optimizers.recipe import Recipe
from valleys.nets.optimizers.training import optimize

Look = Callable[[int, Stack], None]  # step, networks before that step's update


class Orders(np.random.Generator):
    """A stream of batch orders that goes on in the middle of an epoch, whatever the batch size: an
    epoch that one training leaves is finished by the next.
    """

    left: np.ndarray = np.empty(0, np.int64)  # of the epoch under way
    last: np.ndarray = left  # what was given last

    @classmethod
    def of(cls, stream: np.random.Generator) -> "Orders":
        """One that draws from this stream."""
        return cls(stream.bit_generator)

    def permutation(self, x: int) -> np.ndarray:  # pyright: ignore[reportIncompatibleMethodOverride]
        """What is left of the epoch under way, else a new order of so many samples."""
        self.last = self.left if self.left.size else super().permutation(x)
        self.left = self.last[:0]
        return self.last

    def leave(self, started: int, n_samples: int, n_steps: int, batch_size: int) -> None:
        """Keep what a training has not used.

        Args:
            started: samples that were left of an epoch when it began.
            n_samples: N.
            n_steps: its updates; the last batch of an epoch may be smaller.
            batch_size: B.
        """
        length = started or n_samples
        while n_steps > (within := -(-length // batch_size)):
            n_steps, length = n_steps - within, n_samples
        self.left = self.last[min(n_steps * batch_size, length) :]


def children(orders: Sequence[Orders]) -> list[Orders]:
    """New streams, one spawned from each."""
    return [Orders.of(order.spawn(1)[0]) for order in orders]


@dataclass
class Way:
    """Some runs on their way.

    Attributes:
        networks: R runs, trained in place.
        samples: training set.
        levels: losses, falling, of which the first passages are found.
        first: first update before which the loss was below each level, (R, K); NaN if it never was.
        copies: of each run in turn one for each level, as it was there, R · K.
        rates: learning rate of each update so far.
        sizes: batch size of each update so far.
    """

    networks: Stack
    samples: Samples
    levels: Sequence[float]
    first: np.ndarray
    copies: Stack
    rates: list[float] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)

    @classmethod
    def begin(cls, networks: Stack, samples: Samples, levels: Sequence[float]) -> "Way":
        """Nothing is passed or spent yet."""
        first = np.full((len(networks), len(levels)), np.nan)
        return cls(networks, samples, levels, first, networks.repeat(len(levels)))

    def one(self, run: int, network: Stack, n_steps: int) -> "Way":
        """The way of one run up to a step, with the network that it was then."""
        count = len(self.levels)
        first, copies = self.first[[run]], self.copies.pick(slice(run * count, (run + 1) * count))
        early = np.where(first <= n_steps, first, np.nan)
        spent = self.rates[:n_steps], self.sizes[:n_steps]
        return Way(network, self.samples, self.levels, early, copies.copy(), *spent)

    def advance(self, stretch: Stretch, orders: Sequence[Orders], look: Look | None = None) -> None:
        """Train on through a stretch.

        Args:
            stretch: how.
            orders: streams of batch orders, R.
            look: what to do before each of its updates and after the last, by step from 0 on.
        """
        passages = Passages(tuple(self.levels), keep=True)
        started = orders[0].left.size
        self._train(stretch, orders, passages, look)
        for order in orders:
            order.leave(started, len(self.samples), stretch.n_steps, stretch.batch_size)
        self._take_over(passages)
        self.rates += [stretch.learning_rate] * stretch.n_steps
        self.sizes += [stretch.batch_size] * stretch.n_steps

    def _train(
        self, stretch: Stretch, orders: Sequence[Orders], passages: Passages, look: Look | None
    ) -> None:
        """In the compiled loop where it takes the networks, else by the general one."""
        n_steps, rate, size = stretch.n_steps, stretch.learning_rate, stretch.batch_size
        visits = {} if look is None else dict.fromkeys(range(n_steps + 1), look)
        if isinstance(self.networks, Networks):
            plain.train(
                self.networks,
                self.samples,
                learning_rate=rate,
                batch_size=size,
                n_steps=n_steps,
                streams=orders,
                visits=visits,
                passages=passages,
            )
            return
        watched = passages.watched(visits, self.samples, n_steps)
        how = {"n_steps": n_steps, "streams": orders, "visits": watched}
        optimize(self.networks, self.samples, Recipe(rate, size), **how)  # pyright: ignore[reportArgumentType]

    def _take_over(self, passages: Passages) -> None:
        """Add the levels that were passed on this stretch for the first time."""
        new = np.isnan(self.first) & np.isfinite(passages.first)
        self.first = np.where(new, len(self.rates) + passages.first, self.first)
        places = torch.from_numpy(np.flatnonzero(new))
        self.copies.put(places, passages.copies.pick(places))

    def time(self, steps: np.ndarray) -> np.ndarray:
        """ηt before the update of each of some steps; NaN where a step is NaN."""
        clock, known = np.concatenate([[0.0], np.cumsum(self.rates)]), np.isfinite(steps)
        return np.where(known, clock[np.where(known, steps, 0).astype(int)], np.nan)

    def spent(self) -> dict[str, float]:
        """Updates, samples, ηt and dose of noise so far."""
        rates, n_train = np.array(self.rates), len(self.samples)
        factors = np.array([batch_factor(size, n_train) for size in self.sizes])
        dose = float((rates**2 * factors).sum())
        counts = {"steps": float(len(rates)), "samples": float(sum(self.sizes))}
        return counts | {"time": float(rates.sum()), "dose": dose}
