"""Whether a training is frozen, told from its losses, and a learning rate that waits for it."""

import math
import numbers
from collections import deque
from collections.abc import Mapping
from typing import Any, SupportsFloat

import torch
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from valleys.results.spec import require, settle

MAIN_THRESHOLD = 0.1  # the paper's L_c
WINDOW = 20  # batches of 50 see a thousand samples once


class FreezingMonitor:
    """Says whether a training is frozen, from its losses one at a time: the first passage of L_c
    (Eq. 7) by a running mean, which losses of mini-batches need, as they scatter.

    It speaks late, by `lag` updates: a mean over `window` losses that fall in a line is behind the
    last of them by half a window, and `stay` more updates must confirm it. Once it has said so, a
    training stays frozen.

    Args:
        threshold: L_c, in the unit of the losses.
        window: losses in the running mean, one epoch of batches or more; 1 for losses of the whole
            training set.
        stay: further updates for which the mean must stay below L_c; 0 for the first passage.

    Raises:
        ValueError: the threshold is not above 0, `window` below 1 or `stay` below 0.

    Example:
        >>> from valleys.nets import FreezingMonitor
        >>> monitor = FreezingMonitor(threshold=0.1, window=3, stay=1)
        >>> [monitor.update(loss) for loss in (0.5, 0.2, 0.05, 0.04, 0.03, 0.02)]
        [False, False, False, False, True, True]
        >>> monitor.frozen_at, monitor.lag, monitor.crossed_at
        (5, 2.0, 3.0)
    """

    def __init__(
        self, threshold: float = MAIN_THRESHOLD, *, window: int = WINDOW, stay: int = 0
    ) -> None:
        """Nothing has been seen yet."""
        self.threshold = settle("threshold", float, threshold)
        self.window, self.stay = settle("window", int, window), settle("stay", int, stay)
        require(self.threshold > 0, f"threshold must be a loss above 0, got {threshold}")
        require(self.window >= 1, f"window must be 1 loss or more, got {window}")
        require(self.stay >= 0, f"stay must be 0 updates or more, got {stay}")
        self.losses: deque[float] = deque(maxlen=self.window)
        self.n_updates, self.n_below = 0, 0
        self.frozen_at: int | None = None

    @property
    def frozen(self) -> bool:
        """Whether the training is frozen."""
        return self.frozen_at is not None

    @property
    def lag(self) -> float:
        """Updates by which it speaks late, (window − 1)/2 + stay."""
        return (self.window - 1) / 2 + self.stay

    @property
    def crossed_at(self) -> float | None:
        """The update at which the loss crossed L_c, as it judges: `frozen_at` less the lag; None
        before it is frozen.
        """
        return None if self.frozen_at is None else self.frozen_at - self.lag

    @property
    def mean(self) -> float:
        """The running mean; NaN before the window is full."""
        full = len(self.losses) == self.window
        return math.fsum(self.losses) / self.window if full else math.nan

    def update(self, loss: SupportsFloat) -> bool:
        """Take the loss of one more update in.

        Args:
            loss: a number, or a tensor that holds one.

        Returns:
            Whether the training is frozen.

        Raises:
            ValueError: it is no number, or not finite.
        """
        self.losses.append(_number(loss, self.n_updates + 1))
        self.n_updates += 1
        self.n_below = self.n_below + 1 if self.mean < self.threshold else 0
        if self.frozen_at is None and self.n_below > self.stay:
            self.frozen_at = self.n_updates
        return self.frozen

    def state_dict(self) -> dict[str, Any]:
        """All that it knows, as plain data."""
        return vars(self) | {"losses": list(self.losses)}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from what another one knew, settings included.

        Raises:
            ValueError: this is no state of a monitor.
        """
        missing = sorted(set(vars(self)) - set(state_dict))
        require(not missing, f"the state of a monitor must hold {', '.join(missing)}")
        vars(self).update({name: state_dict[name] for name in vars(self)})
        self.losses = deque(state_dict["losses"], maxlen=self.window)


class FreezingAwareLR(LRScheduler):
    """Keeps the learning rate until training is frozen, then lowers it to a share: the noise ends
    where, by the paper, the choice of a valley is made.

    Call `scheduler.step(loss)` after `optimizer.step()`, with the loss of the batch. The rates of
    all parameter groups are multiplied, so that another scheduler, such as one that warms up, may
    act beside it.

    Args:
        optimizer: any of `torch.optim`.
        monitor: what tells freezing, or its threshold L_c.
        factor: share of the learning rates that is left at the end, above 0 and below 1.
        n_steps: steps of the fall, along half a period of a cosine; 1 to fall at once.

    Raises:
        ValueError: a value out of its range.
        TypeError: there is no optimizer.

    Example:
        >>> import torch
        >>> from valleys.nets import FreezingAwareLR, FreezingMonitor
        >>> model = torch.nn.Linear(2, 1)
        >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.5, momentum=0.9)
        >>> scheduler = FreezingAwareLR(optimizer, FreezingMonitor(0.1, window=2), factor=0.1)
        >>> for loss in (0.9, 0.2, 0.08, 0.06):
        ...     optimizer.step()
        ...     scheduler.step(loss)
        ...     print(round(optimizer.param_groups[0]["lr"], 3), scheduler.monitor.frozen)
        0.5 False
        0.5 False
        0.5 False
        0.05 True
    """

    def __init__(
        self,
        optimizer: Optimizer,
        monitor: FreezingMonitor | float = MAIN_THRESHOLD,
        *,
        factor: float = 0.1,
        n_steps: int = 1,
    ) -> None:
        """Refuse what makes no sense; learning rates stay as they are."""
        given = isinstance(monitor, FreezingMonitor)
        self.monitor = monitor if given else FreezingMonitor(monitor)
        self.factor = settle("factor", float, factor)
        self.n_steps = settle("n_steps", int, n_steps)
        require(0 < self.factor < 1, f"factor must lie above 0 and below 1, got {factor}")
        require(self.n_steps >= 1, f"n_steps must be 1 or more, got {n_steps}")
        self.n_frozen = 0  # steps since it froze
        super().__init__(optimizer)

    def step(self, loss: SupportsFloat | None = None) -> None:
        """Take in the loss of the batch that the optimizer has just used.

        Args:
            loss: a number, or a tensor that holds one.

        Raises:
            ValueError: there is no loss, it is no number, or it is not finite.
        """
        if self.last_epoch >= 0:  # torch makes a step of its own at the start
            require(loss is not None, "step needs the loss of the batch: scheduler.step(loss)")
            self.n_frozen += self.monitor.update(loss)  # pyright: ignore[reportArgumentType]
        super().step()

    def get_lr(self) -> list[float | torch.Tensor]:
        """The next learning rate of each parameter group."""
        if not 0 < self.n_frozen <= self.n_steps:
            return [group["lr"] for group in self.optimizer.param_groups]
        share = self._left(self.n_frozen) / self._left(self.n_frozen - 1)
        return [share * group["lr"] for group in self.optimizer.param_groups]

    def _left(self, n_frozen: int) -> float:
        """Share of the learning rate that is left after so many steps."""
        if n_frozen == 0:
            return 1.0
        high = (1 + math.cos(math.pi * n_frozen / self.n_steps)) / 2
        return self.factor + (1 - self.factor) * high

    def state_dict(self) -> dict[str, Any]:
        """All that it knows, but for the optimizer, as plain data."""
        return super().state_dict() | {"monitor": self.monitor.state_dict()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from what another one knew; load the optimizer's state as well.

        Raises:
            ValueError: this is no state of such a scheduler.
        """
        require("monitor" in state_dict, "the state of the scheduler must hold that of its monitor")
        self.monitor.load_state_dict(state_dict["monitor"])
        rest = {name: value for name, value in state_dict.items() if name != "monitor"}
        super().load_state_dict(rest)


def _number(loss: SupportsFloat, update: int) -> float:
    """A loss as a number."""
    single = isinstance(loss, torch.Tensor) and loss.numel() == 1
    plain = isinstance(loss, numbers.Real) and not isinstance(loss, bool)
    if not (single or plain):  # to print a tensor takes longer than a step
        raise ValueError(f"the loss of update {update} must be a number, got {loss!r}")
    value = float(loss.item() if isinstance(loss, torch.Tensor) else loss)
    told = f"the loss of update {update} is {value}: training has diverged; lower the learning rate"
    require(math.isfinite(value), told)
    return value
