"""Many networks trained at once: batched matrix products, closed-form gradients, one stream of
random numbers per network.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from valleys.nets.engine.networks import Networks, descend
from valleys.nets.engine.stack import Stack
from valleys.results.spec import require

# samples of all networks that advance together on a processor; measured: 10 % faster at B = 100 to
# 500 than all at once
SAMPLES_IN_CACHE = 1000

Visit = Callable[[int, Any], None]  # step, networks before that step's update


@dataclass(frozen=True)
class Samples:
    """Images with their labels on one device.

    Attributes:
        images: float, (N, n_features).
        labels: int64, (N,).
        offset: what the first layer receives besides weights · image + bias, (n, N); None for
            nothing.

    Example:
        >>> import numpy as np
        >>> from valleys.nets import Samples
        >>> len(Samples.of(np.zeros((5, 64)), np.arange(5)))
        5
    """

    images: Tensor
    labels: Tensor
    offset: Tensor | None = None

    @classmethod
    def of(
        cls,
        images: np.ndarray,
        labels: np.ndarray,
        *,
        device: str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> "Samples":
        """Copy arrays to a device.

        Raises:
            ValueError: not as many labels as images.
        """
        same = len(images) == len(labels)
        require(same, f"there are {len(images)} images and {len(labels)} labels; give one each")
        return cls(
            torch.tensor(images, device=device, dtype=dtype), torch.tensor(labels, device=device)
        )

    def __len__(self) -> int:
        """Number of samples."""
        return len(self.labels)

    def pick(self, chosen: Tensor) -> "Samples":
        """The samples of these indices, (n,)."""
        images, labels = self.batch(chosen)
        return Samples(images, labels)

    def batch(self, chosen: Tensor) -> tuple[Tensor, Tensor]:
        """Images and labels of indices of any shape, (…, n_features) and (…)."""
        where = chosen.to(self.images.device)
        rows = self.images.index_select(0, where.reshape(-1))
        return rows.view(*where.shape, *self.images.shape[1:]), self.labels[where]


@dataclass(frozen=True)
class Evaluation:
    """How each of R networks does on N samples.

    Attributes:
        loss: mean cross-entropy, (R,).
        misclassified: which samples are wrong, bool, (R, N); all of them where the network is not
            finite.
    """

    loss: Tensor
    misclassified: Tensor

    @property
    def accuracy(self) -> Tensor:
        """Fraction of samples that are right, (R,); NaN where the network is not finite."""
        right = 1 - self.misclassified.to(self.loss.dtype).mean(dim=1)
        return torch.where(torch.isfinite(self.loss), right, torch.nan)


def sample_losses(scores: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy of each sample, (R, N), from scores (R, n_classes, N) and labels (N,) or (R,
    N).
    """
    right = scores.gather(1, labels.expand(len(scores), -1).unsqueeze(1)).squeeze(1)
    return torch.logsumexp(scores, dim=1) - right


def margin_losses(scores: Tensor, labels: Tensor) -> Tensor:
    """The same of one network, (N,), from scores (N, n_classes) and labels (N,), by how far each
    score is from the right one: nothing cancels in its derivatives where a network is sure.
    """
    place = labels.unsqueeze(1)
    ahead = (scores - scores.gather(1, place)).scatter(1, place, 0.0)
    return torch.logsumexp(ahead, dim=1)


def evaluate(networks: Stack, samples: Samples) -> Evaluation:
    """Loss and misclassified samples of each network.

    Example:
        >>> from valleys.nets import evaluate, load_problem
        >>> problem = load_problem("digits", train_per_class=10)
        >>> start = evaluate(problem.start, problem.train)
        >>> start.misclassified.shape, bool(start.accuracy < 0.5)
        (torch.Size([1, 100]), True)
    """
    scores = networks.scores(samples.images, samples.offset)
    loss = sample_losses(scores, samples.labels).mean(dim=1)
    best = scores.max(dim=1).indices  # as argmax, in a fifth of its time
    wrong = (best != samples.labels) | ~torch.isfinite(loss).view(-1, 1)
    return Evaluation(loss, wrong)


def batches(
    n_samples: int, batch_size: int, streams: Sequence[np.random.Generator]
) -> Iterator[Tensor]:
    """Endless sample indices, (R, at most batch_size): each epoch a new order per stream, cut in
    turn; the last batch of an epoch may be smaller.
    """
    while True:
        order = torch.from_numpy(np.stack([stream.permutation(n_samples) for stream in streams]))
        yield from order.split(batch_size, dim=1)


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
    """Plain stochastic gradient descent in place (Eqs. 2 and 3), each network on mini-batches of
    its own.

    A network found not finite at a visit is left as it is and trained no more.

    Args:
        networks: R networks; they end as the trained ones.
        samples: training set; `batch_size` equal to its length is full-batch gradient descent.
        learning_rate: η.
        batch_size: B.
        n_steps: number of updates; it stops earlier once no network is finite.
        streams: R generators of batch order.
        visits: what to do before the update of a step, by step from 0 to n_steps.
    """
    orders = None if batch_size == len(samples) else batches(len(samples), batch_size, streams)
    running, stack = torch.arange(len(networks)), networks
    for step in range(n_steps + 1):
        if step in visits:
            networks.put(running, stack)
            visits[step](step, networks)
            if not stack.alive.all():
                running = running[stack.alive.cpu()]
                stack = networks.pick(running)
            if not len(running):
                return
        if step < n_steps:
            _advance(
                stack, samples, learning_rate, None if orders is None else next(orders)[running]
            )
    networks.put(running, stack)


def _advance(
    networks: Networks, samples: Samples, learning_rate: float, chosen: Tensor | None
) -> None:
    """One update of each network on its chosen samples, (R, B), or on all; on a processor, of as
    many at a time as its cache holds.
    """
    size = len(samples) if chosen is None else chosen.shape[1]
    together = (
        max(1, SAMPLES_IN_CACHE // size) if samples.images.device.type == "cpu" else len(networks)
    )
    for start in range(0, len(networks), together):
        group = slice(start, start + together)
        batch = (samples.images, samples.labels) if chosen is None else samples.batch(chosen[group])
        descend(networks.pick(group), *batch, learning_rate)


def record_steps(n_steps: int, n_records: int) -> np.ndarray:
    """Equally spaced steps from 0 to n_steps, int64, (n_records,)."""
    return np.linspace(0, n_steps, n_records).round().astype(np.int64)


def plan(*parts: tuple[Iterable[int], Visit]) -> dict[int, Visit]:
    """Visits by step, from (steps, visit) pairs; visits of one step run in the order given."""
    found: dict[int, list[Visit]] = {}
    for steps, visit in parts:
        for step in steps:
            found.setdefault(int(step), []).append(visit)
    return {step: _all_of(visits) for step, visits in found.items()}


def _all_of(visits: list[Visit]) -> Visit:
    def visit(step: int, networks: Networks) -> None:
        for each in visits:
            each(step, networks)

    return visit
