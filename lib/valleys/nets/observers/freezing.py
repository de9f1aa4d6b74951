"""When a run freezes: the first step at which its training loss is below L_c (Eq. 7)."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from valleys.nets.engine.stack import Stack
from valleys.nets.engine.training import Samples, sample_losses

EARLY_STEPS = 100  # the freezing time is looked for at each of these steps,
LATER_SPACING = 0.01  # then at steps this fraction of themselves apart
# samples of each network that are looked at first; measured: 3.0 s a cell, 3.9 s with 100, 3.6 s
# with 300, and 8 s with all at each check
HARDEST = 200


def freezing_checks(n_steps: int) -> list[int]:
    """Steps at which the training loss is compared with L_c: each of the first 100, then 1 % of
    themselves apart, and the last.
    """
    steps = list(range(min(EARLY_STEPS, n_steps) + 1))
    while steps[-1] < n_steps:
        steps.append(min(n_steps, steps[-1] + max(1, int(steps[-1] * LATER_SPACING))))
    return steps


@dataclass
class FreezingClock:
    """Freezing time of each network: the first checked step with training loss below L_c (Eq. 7),
    for several L_c.

    No sample's loss is negative, so a few samples can show that a network is still above L_c; only
    where they do not are all looked at.

    Attributes:
        samples: the whole training set.
        thresholds: the values of L_c.
        steps: what was found, float, (R, len(thresholds)); NaN where the loss never fell that low.
        hardest: indices of each network's samples of largest loss when all were last looked at, (R,
            HARDEST).
    """

    samples: Samples
    thresholds: Sequence[float]
    steps: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))
    hardest: Tensor = field(default_factory=lambda: torch.empty(0))

    def __call__(self, step: int, networks: Stack) -> None:
        """Look at the loss of networks that are not yet below every threshold."""
        if not self.steps.size:
            self.steps = np.full((len(networks), len(self.thresholds)), np.nan)
            some = torch.arange(min(HARDEST, len(self.samples)), device=self.samples.images.device)
            self.hardest = some.repeat(len(networks), 1)
        highest = np.where(np.isnan(self.steps), self.thresholds, 0.0).max(axis=1)
        rows = np.flatnonzero((highest > 0) & networks.alive.cpu().numpy())
        rows = rows[self._at_least(networks, rows) < highest[rows]]
        if rows.size:
            below = self._mean_loss(networks, rows)[:, None] < self.thresholds
            self.steps[rows] = np.where(below & np.isnan(self.steps[rows]), step, self.steps[rows])

    def _at_least(self, networks: Stack, rows: np.ndarray) -> np.ndarray:
        """The mean loss of the chosen networks as far as their hardest samples make it up,
        (len(rows),).
        """
        images, labels = self.samples.batch(self.hardest[torch.from_numpy(rows)])
        scores = networks.pick(torch.from_numpy(rows)).scores(images, own=True)
        return (sample_losses(scores, labels).sum(dim=1) / len(self.samples)).cpu().numpy()

    def _mean_loss(self, networks: Stack, rows: np.ndarray) -> np.ndarray:
        """The mean loss of the chosen networks, (len(rows),); their hardest samples are found
        anew.
        """
        scores = networks.pick(torch.from_numpy(rows)).scores(self.samples.images)
        losses = sample_losses(scores, self.samples.labels)
        self.hardest[torch.from_numpy(rows)] = losses.topk(self.hardest.shape[1], dim=1).indices
        return losses.mean(dim=1).cpu().numpy()
