"""When training losses pass given levels, on their way down and back up (Eq. 7)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from valleys.nets.engine.stack import Stack
from valleys.nets.engine.training import Samples, Visit, plan, sample_losses

# samples of each network that are looked at first; measured: 3.0 s a cell, 3.9 s with 100, 3.6 s
# with 300, and 8 s with all at each step
HARDEST = 200


class Levels(NamedTuple):
    """What is known of R networks and K levels in falling order; the compiled loop writes here."""

    losses: np.ndarray  # the levels, (K,)
    first: np.ndarray  # steps, (R, K), NaN where it never came
    back: np.ndarray  # steps, (R, K), NaN where it never came
    below: np.ndarray  # whether the loss was below when last looked at, (R, K)
    passed: np.ndarray  # how many levels each network has passed, (R,)


@dataclass
class Passages:
    """Steps at which the training loss of each network is below each of several levels for the
    first time, looked at before every update and after the last one, and back above for the last.

    It is filled by the compiled loop, or as a visit to every step.

    Attributes:
        thresholds: the levels L_c, in any order.
        returns: the way back up is looked for at every so many steps, and at each at which a loss
            may fall below a level for the first time; 0 to leave it.
        keep: whether to copy each network when it first passes a level.
        first: first step with a loss below (Eq. 7), (R, K); NaN where it never was.
        last_return: last step with a loss that is not below, after one that was, (R, K); NaN where
            there is none, or nobody looked.
        copies: of each network in turn one for each level, from the highest on, R · K if kept.
    """

    thresholds: Sequence[float]
    returns: int = 0
    keep: bool = False
    copies: Any = field(default=None, init=False, repr=False)  # a stack of the kind trained
    levels: Levels | None = field(default=None, init=False, repr=False)

    def begin(self, networks: Stack) -> Levels:
        """Nothing is known yet of these networks."""
        falling = np.array(self.thresholds, dtype=float)[self._falling]
        shape, passed = (len(networks), len(falling)), np.zeros(len(networks), np.int64)
        first, back = np.full(shape, np.nan), np.full(shape, np.nan)
        self.levels = Levels(falling, first, back, np.zeros(shape, bool), passed)
        self.copies = networks.repeat(len(falling)) if self.keep else None
        return self.levels

    @property
    def first(self) -> np.ndarray:
        """First step with a loss below each threshold (Eq. 7), (R, K)."""
        return self._as_asked(self._known.first)

    @property
    def last_return(self) -> np.ndarray:
        """Last step at which the loss is back above each threshold, (R, K)."""
        return self._as_asked(self._known.back)

    @property
    def _known(self) -> Levels:
        if self.levels is None:
            raise ValueError("no network was watched: train some first")
        return self.levels

    @property
    def _falling(self) -> np.ndarray:
        """Places of the thresholds from the highest to the lowest."""
        return np.argsort(-np.array(self.thresholds, dtype=float), kind="stable")

    def _as_asked(self, values: np.ndarray) -> np.ndarray:
        """Columns in the order of the thresholds."""
        return values[:, np.argsort(self._falling)]

    def kept(self, threshold: int) -> Any:
        """All networks as they were when they first passed the threshold of this place; those that
        have not come there are as they began.
        """
        if self.copies is None:
            raise ValueError("no network was kept: ask for keep=True")
        level, count = int(np.argsort(self._falling)[threshold]), len(self.thresholds)
        return self.copies.pick(slice(level, None, count)).copy()

    def watched(
        self, visits: Mapping[int, Visit], samples: Samples, n_steps: int
    ) -> dict[int, Visit]:
        """These visits, and one to every step that fills this, for what the compiled loop cannot
        take.
        """
        every = range(n_steps + 1), Watch(self, samples)
        return plan(every, *(([step], visit) for step, visit in visits.items()))


@dataclass
class Watch:
    """A visit that fills `Passages`, step by step.

    No sample's loss is negative, so a few samples can show that a network is still above a level;
    only where they do not, or the way back is asked for, are all looked at.

    Attributes:
        passages: what is to be found.
        samples: the whole training set.
        hardest: indices of each network's samples of largest loss when all were last looked at, (R,
            HARDEST).
    """

    passages: Passages
    samples: Samples
    hardest: Tensor = field(default_factory=lambda: torch.empty(0), init=False)

    def __call__(self, step: int, networks: Stack) -> None:
        """Look at the losses of this step."""
        levels = self.passages.levels or self._begin(networks)
        rows = self._doubtful(step, networks, levels)
        if rows.size:
            self._note(step, rows, networks, levels)

    def _begin(self, networks: Stack) -> Levels:
        some = torch.arange(min(HARDEST, len(self.samples)), device=self.samples.images.device)
        self.hardest = some.repeat(len(networks), 1)
        return self.passages.begin(networks)

    def _doubtful(self, step: int, networks: Stack, levels: Levels) -> np.ndarray:
        """Networks of which all samples must be looked at."""
        alive, returns = networks.alive.cpu().numpy(), self.passages.returns
        if returns and step % returns == 0:
            return np.flatnonzero(alive)
        rows = np.flatnonzero(alive & (levels.passed < len(levels.losses)))
        if not rows.size:
            return rows
        return rows[self._at_least(networks, rows) < levels.losses[levels.passed[rows]]]

    def _note(self, step: int, rows: np.ndarray, networks: Stack, levels: Levels) -> None:
        losses = self._mean_loss(networks, rows)[:, None]
        below, above = losses < levels.losses, losses >= levels.losses  # neither where it is NaN
        new, back = below & np.isnan(levels.first[rows]), levels.below[rows] & above
        levels.first[rows] = np.where(new, step, levels.first[rows])
        levels.back[rows] = np.where(back, step, levels.back[rows])
        levels.below[rows] = below
        levels.passed[rows] = np.isfinite(levels.first[rows]).sum(axis=1)
        if self.passages.copies is not None:
            which, level = np.nonzero(new)
            places = torch.from_numpy(rows[which] * len(levels.losses) + level)
            self.passages.copies.put(places, networks.pick(torch.from_numpy(rows[which])))

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
