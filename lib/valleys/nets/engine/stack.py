"""What both kinds of network stacks can do: fully connected ones with gradients in closed form
(`Networks`), and copies of any torch module (`Modules`).
"""

from typing import Protocol, Self

import torch
from torch import Tensor


class Stack(Protocol):
    """R networks of one architecture, side by side in one set of tensors."""

    def __len__(self) -> int:
        """Number of networks."""
        ...

    @property
    def parameters(self) -> dict[str, Tensor]:
        """What is trained, by name, (R, …): the memory of the networks itself."""
        ...

    @property
    def alive(self) -> Tensor:
        """Whether each network is finite, (R,)."""
        ...

    def scores(self, images: Tensor, offset: Tensor | None = None, *, own: bool = False) -> Tensor:
        """Scores (logits) of N images, (R, n_classes, N).

        Args:
            images: (N, …), which all networks see, or (R, N, …).
            offset: what the first layer of fully connected networks receives besides, (n, N).
            own: whether the images are (R, N, …), some for each network.
        """
        ...

    def gradients(self, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Slope of each network's mean cross-entropy in each parameter, (R, …).

        Args:
            images: (N, …) for all, or (R, N, …), a batch for each.
            labels: (N,) or (R, N), which tells the two apart.
        """
        ...

    def pick(self, chosen: slice | Tensor) -> Self:
        """The chosen networks: in the same memory for a slice, copies for a list of indices."""
        ...

    def put(self, chosen: Tensor, networks: Self) -> None:
        """Copy networks into the places named by their indices, unless they are these very ones."""
        ...

    def copy(self) -> Self:
        """The same networks in memory of their own."""
        ...

    def repeat(self, count: int) -> Self:
        """`count` copies of each network, one after the other."""
        ...

    def to(self, target: str | torch.device | torch.dtype) -> Self:
        """The same networks on another device or in another precision."""
        ...


def flat(tensors: dict[str, Tensor]) -> Tensor:
    """All numbers of each network in a row, (R, n), from its parameters or gradients by name."""
    return torch.cat([part.flatten(1) for part in tensors.values()], dim=1)


def unflat(rows: Tensor, like: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors by name of which `flat` makes these rows, (R, n)."""
    parts = rows.split([part[0].numel() for part in like.values()], dim=1)
    pairs = zip(like.items(), parts, strict=True)
    return {name: part.view(-1, *shaped.shape[1:]) for (name, shaped), part in pairs}
