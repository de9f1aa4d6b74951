"""Many networks trained at once: batched matrix products, closed-form gradients, one stream of random numbers per network."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from valleys.nets.networks import Networks, descend, forward, join

EARLY_STEPS = 100  # the freezing time is looked for at each of these steps,
LATER_SPACING = 0.01  # then at steps this fraction of themselves apart
NETWORKS_IN_CACHE = 2  # measured: full-batch steps of more networks at a time are up to twice as slow

Visit = Callable[[int, Networks], None]  # step, networks before that step's update


@dataclass(frozen=True)
class Samples:
    """Images with their labels on one device.

    Attributes:
        images: float, (N, n_features).
        labels: int64, (N,).
        targets: one-hot labels in the type of the images, (N, n_classes).
    """

    images: Tensor
    labels: Tensor
    targets: Tensor

    @classmethod
    def of(cls, images: np.ndarray, labels: np.ndarray, *, device: str = "cpu", dtype: torch.dtype = torch.float32, n_classes: int = 10) -> "Samples":
        """Copy arrays to a device."""
        where = torch.tensor(labels, device=device)
        return cls(torch.tensor(images, device=device, dtype=dtype), where, torch.nn.functional.one_hot(where, n_classes).to(dtype))

    def __len__(self) -> int:
        """Number of samples."""
        return len(self.labels)


@dataclass(frozen=True)
class Evaluation:
    """How each of R networks does on N samples.

    Attributes:
        loss: mean cross-entropy, (R,).
        misclassified: which samples are wrong, bool, (R, N); all of them where the network is not finite.
    """

    loss: Tensor
    misclassified: Tensor

    @property
    def accuracy(self) -> Tensor:
        """Fraction of samples that are right, (R,); NaN where the network is not finite."""
        right = 1 - self.misclassified.to(self.loss.dtype).mean(dim=1)
        return torch.where(torch.isfinite(self.loss), right, torch.nan)


def mean_loss(networks: Networks, samples: Samples) -> Tensor:
    """Mean cross-entropy of each network (Eq. 1), (R,)."""
    _, scores = forward(networks, samples.images)
    return (torch.logsumexp(scores, dim=-1) - (scores * samples.targets).sum(dim=-1)).mean(dim=1)


def evaluate(networks: Networks, samples: Samples) -> Evaluation:
    """Loss and misclassified samples of each network."""
    _, scores = forward(networks, samples.images)
    loss = (torch.logsumexp(scores, dim=-1) - (scores * samples.targets).sum(dim=-1)).mean(dim=1)
    wrong = (scores.argmax(dim=-1) != samples.labels) | ~torch.isfinite(loss).view(-1, 1)
    return Evaluation(loss, wrong)


def batches(n_samples: int, batch_size: int, streams: Sequence[np.random.Generator]) -> Iterator[Tensor]:
    """Endless sample indices, (R, at most batch_size): each epoch a new order per stream, cut in turn; the last batch of an epoch may be smaller."""
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
    """Plain stochastic gradient descent in place (Eqs. 2 and 3), each network on mini-batches of its own.

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
    for step in range(n_steps + 1):
        if step in visits:
            visits[step](step, networks)
            if not networks.alive.any():
                return
        if step < n_steps:
            descend(networks, *_next_batch(samples, orders), learning_rate)


def _next_batch(samples: Samples, orders: Iterator[Tensor] | None) -> tuple[Tensor, Tensor]:
    if orders is None:
        return samples.images, samples.targets
    chosen = next(orders).to(samples.images.device)
    return samples.images[chosen], samples.targets[chosen]


def descend_from_branches(branches: Mapping[int, Networks], samples: Samples, *, learning_rate: float, n_steps: int, visits: Mapping[int, Visit]) -> Networks:
    """Full-batch gradient descent from each branch on one clock: networks join the stack when the clock reaches their step.

    Args:
        branches: networks to go on from, by the step at which they were left.
        samples: training set.
        learning_rate: η.
        n_steps: the clock's last step; each branch makes `n_steps − its step` updates.
        visits: as in `train`; the stack holds the branches so far, in order of their steps.

    Returns:
        All branches at `n_steps`, in order of their steps.
    """
    stack: list[Networks] = []
    for step in range(min(branches), n_steps + 1):
        if step in branches:
            stack = [join([*stack, branches[step]])]
        if step in visits:
            visits[step](step, stack[0])
        if step < n_steps:
            for group in _cache_sized(stack[0]):
                descend(group, samples.images, samples.targets, learning_rate)
    return stack[0]


def _cache_sized(networks: Networks) -> list[Networks]:
    """Views of a few networks each on a processor, whose cache holds no more activations of the whole training set; one view elsewhere."""
    size = NETWORKS_IN_CACHE if networks.weights[0].device.type == "cpu" else len(networks)
    return [networks.view(slice(start, start + size)) for start in range(0, len(networks), size)]


def record_steps(n_steps: int, n_records: int) -> np.ndarray:
    """Equally spaced steps from 0 to n_steps, int64, (n_records,)."""
    return np.linspace(0, n_steps, n_records).round().astype(np.int64)


def freezing_checks(n_steps: int) -> list[int]:
    """Steps at which the training loss is compared with L_c: each of the first 100, then 1 % of themselves apart, and the last."""
    steps = list(range(min(EARLY_STEPS, n_steps) + 1))
    while steps[-1] < n_steps:
        steps.append(min(n_steps, steps[-1] + max(1, int(steps[-1] * LATER_SPACING))))
    return steps


@dataclass
class FreezingClock:
    """Freezing time of each network: the first checked step with training loss below L_c (Eq. 7), for several L_c.

    Attributes:
        samples: the whole training set.
        thresholds: the values of L_c.
        steps: what was found, float, (R, len(thresholds)); NaN where the loss never fell that low.
    """

    samples: Samples
    thresholds: Sequence[float]
    steps: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))

    def __call__(self, step: int, networks: Networks) -> None:
        """Look at the loss of networks that are not yet below every threshold."""
        if not self.steps.size:
            self.steps = np.full((len(networks), len(self.thresholds)), np.nan)
        if np.isnan(self.steps).any():
            loss = mean_loss(networks, self.samples).cpu().numpy()
            self.steps[np.isnan(self.steps) & (loss[:, None] < np.asarray(self.thresholds))] = step


def plan(*parts: tuple[Sequence[int], Visit]) -> dict[int, Visit]:
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
