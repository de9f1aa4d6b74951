"""R copies of any torch module, side by side in one set of tensors."""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, stack_module_state, vmap

from valleys.nets.engine.convolutional import may_view, n_pieces, pooled_first
from valleys.nets.engine.dense import chain
from valleys.nets.engine.networks import Networks
from valleys.results.spec import require

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
UNGOVERNED = ", which no stream of the runs would govern"
PRECISIONS = (torch.float32, torch.float64)


@dataclass(frozen=True)
class Modules:
    """R copies of one module that maps a batch of images to scores (logits).

    A fully connected ReLU network computes in closed form. Where the module has convolutions, keeps
    running means, or does what `torch.func.vmap` cannot take, its copies compute in turn; measured
    for ten small convolutional networks, that takes half the time of grouped convolutions. All
    others compute together, by `vmap`.

    Attributes:
        module: what each copy computes; its own weights are not used.
        parameters: by name as in `module.named_parameters()`, (R, …).
        buffers: by name, (R, …): what the module keeps besides and does not train, such as running
            means, and parameters that need no gradient (`requires_grad=False`).
        apart: whether `vmap` cannot take the module; see `valleys.nets.engine.trial`.
    """

    module: nn.Module
    parameters: dict[str, Tensor]
    buffers: dict[str, Tensor]
    apart: bool = False

    @classmethod
    def of(cls, module: nn.Module, count: int = 1) -> "Modules":
        """`count` copies of a module, weights included.

        Raises:
            ValueError: not a module, nothing to train in it, or one that draws random numbers.
        """
        _check(module)
        trained = {name for name, part in module.named_parameters() if part.requires_grad}
        parameters, buffers = stack_module_state([module] * count)
        frozen = {name: parameters[name] for name in parameters.keys() - trained}
        channels = "first" if may_view(module) else "last"
        return cls(
            pooled_first(copy.deepcopy(module)).to("meta"),
            {
                name: _laid_out(parameters[name].detach(), channels)
                for name in parameters
                if name in trained
            },
            {name: part.detach().clone() for name, part in (buffers | frozen).items()},
        )

    def __len__(self) -> int:
        """Number of networks."""
        return len(next(iter(self.parameters.values())))

    def pick(self, chosen: slice | Tensor) -> "Modules":
        """The chosen networks: in the same memory for a slice, copies for a list of indices."""
        return self._each(lambda part: part[chosen])

    def one(self, index: int) -> "Modules":
        """The network of this index, alone, in the same memory."""
        return self.pick(slice(index, index + 1))

    def put(self, chosen: Tensor, networks: "Modules") -> None:
        """Copy networks into the places named by their indices, unless they are these very ones."""
        if networks is self:
            return
        for mine, theirs in zip(self._tensors(), networks._tensors(), strict=True):
            mine[chosen] = theirs

    def copy(self) -> "Modules":
        """The same networks in memory of their own."""
        return self._each(Tensor.clone)

    def repeat(self, count: int) -> "Modules":
        """`count` copies of each network, one after the other."""
        return self._each(lambda part: part.repeat_interleave(count, dim=0))

    def to(self, target: str | torch.device | torch.dtype) -> "Modules":
        """The same networks on another device or in another precision."""
        floating = isinstance(target, torch.dtype)
        return self._each(
            lambda part: part if floating and not part.is_floating_point() else part.to(target)
        )

    @property
    def alive(self) -> Tensor:
        """Whether all weights of each network are finite, (R,)."""
        finite = [torch.isfinite(part).flatten(1).all(dim=1) for part in self.parameters.values()]
        return torch.stack(finite).all(dim=0)

    @property
    def in_turn(self) -> bool:
        """Whether the copies compute one after the other."""
        convolves = any(isinstance(part, CONVOLUTIONS) for part in self.module.modules())
        return self.apart or convolves or bool(self.buffers)

    def in_closed_form(self, images: Tensor, *, own: bool = False) -> Networks | None:
        """The same networks in the same memory, with gradients in closed form: those of a module
        that computes Linear, ReLU, …, Linear, perhaps behind a flattening; None for others.

        Args:
            images: (N, …), or (R, N, …) if each network has its `own`.
            own: see `images`.
        """
        found = chain(self.module)
        if found is None or not (found.flattens or images.ndim == 2 + own):
            return None
        if {*_slopes_of(self._layers)} != self.parameters.keys():
            return None  # there are more than it computes with
        weights = tuple(self.parameters[f"{name}.weight"] for name in self._layers)
        biases = tuple(self.parameters[f"{name}.bias"].unsqueeze(-1) for name in self._layers)
        return Networks(weights, biases)

    @property
    def _layers(self) -> tuple[str, ...]:
        """Names of the linear layers of a chain, none for other modules."""
        found = chain(self.module)
        return found.layers if found else ()

    def scores(self, images: Tensor, offset: Tensor | None = None, *, own: bool = False) -> Tensor:
        """Scores of N images, (R, n_classes, N), as of a module in use: running means stand still.

        Args:
            images: (N, …), which all networks see, or (R, N, …).
            offset: for fully connected networks only.
            own: whether the images are (R, N, …), some for each network.
        """
        require(offset is None, "only fully connected networks take an offset")
        self.module.eval()
        with torch.no_grad():
            if not len(self):
                shape = images.shape[1:] if own else images.shape
                return self._no_scores(images.new_empty(shape, device="meta"))
            closed = self.in_closed_form(images, own=own)
            if closed is not None:
                return closed.scores(images.flatten(1 + own))
            if not self.in_turn:
                where = 0 if own else None
                return vmap(self._scores_of, (0, where))(self.parameters, images).mT
            each = images if own else [images] * len(self)
            return torch.stack([self._scores(r, each[r]) for r in range(len(self))]).mT

    def _scores(self, index: int, images: Tensor) -> Tensor:
        """Scores of one network, (N, n_classes)."""
        pieces = images.tensor_split(n_pieces(self.module, images))
        state = self.state(index)
        return torch.cat([functional_call(self.module, state, piece) for piece in pieces])

    def _no_scores(self, images: Tensor) -> Tensor:
        """Scores of no network; on `meta` the module says how many classes there are, and computes
        nothing.
        """
        n_classes = self.module(images).shape[1]
        return next(iter(self.parameters.values())).new_empty(0, n_classes, len(images))

    def gradients(self, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Slope of each network's mean cross-entropy in each parameter, (R, …).

        Args:
            images: (N, …) for all, or (R, N, …), a batch for each.
            labels: (N,) or (R, N), which tells the two apart.
        """
        self.module.train()
        own = labels.ndim == 2
        closed = self.in_closed_form(images, own=own)
        if closed is not None:
            slopes = closed.gradients(images.flatten(1 + own), labels).values()
            found = dict(zip(_slopes_of(self._layers), slopes, strict=True))
            return {name: found[name] for name in self.parameters}
        if not self.in_turn:
            return self._together(images, labels, own=own)
        rows = [
            self._gradient(r, images[r] if own else images, labels[r] if own else labels)
            for r in range(len(self))
        ]
        return {name: torch.stack([row[name] for row in rows]) for name in self.parameters}

    def _together(self, images: Tensor, labels: Tensor, *, own: bool) -> dict[str, Tensor]:
        """All slopes at once."""
        where = 0 if own else None
        return vmap(grad(self._loss), (0, where, where))(self.parameters, images, labels)

    def state(self, index: int) -> dict[str, Tensor]:
        """Parameters and buffers of one network, in the same memory."""
        return {name: part[index] for name, part in (self.parameters | self.buffers).items()}

    def _scores_of(self, parameters: dict[str, Tensor], images: Tensor) -> Tensor:
        return functional_call(self.module, parameters, images)

    def _loss(self, parameters: dict[str, Tensor], images: Tensor, labels: Tensor) -> Tensor:
        return nn.functional.cross_entropy(self._scores_of(parameters, images), labels)

    def _gradient(self, index: int, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Slope of one network's mean cross-entropy; its running means move on."""
        state = self.state(index)
        leaves = {name: state[name].detach().requires_grad_() for name in self.parameters}
        pieces = n_pieces(self.module, images)
        parts = zip(images.tensor_split(pieces), labels.tensor_split(pieces), strict=True)
        for some, right in parts:
            scores = functional_call(self.module, state | leaves, some)
            loss = nn.functional.cross_entropy(scores, right, reduction="sum") / len(labels)
            loss.backward()
        return {name: _slope(leaf) for name, leaf in leaves.items()}

    def _each(self, change: Callable[[Tensor], Tensor]) -> "Modules":
        return replace(
            self,
            parameters={name: change(part) for name, part in self.parameters.items()},
            buffers={name: change(part) for name, part in self.buffers.items()},
        )

    def _tensors(self) -> Iterator[Tensor]:
        yield from self.parameters.values()
        yield from self.buffers.values()


def _slopes_of(layers: tuple[str, ...]) -> list[str]:
    """Names of the parameters of linear layers, in the order of their slopes in closed form."""
    return [f"{name}.{kind}" for name in layers for kind in ("weight", "bias")]


def _slope(leaf: Tensor) -> Tensor:
    """What has come back to a parameter: nothing, if the scores do not depend on it."""
    return torch.zeros_like(leaf) if leaf.grad is None else leaf.grad


def _check(module: nn.Module) -> None:
    """Refuse, by what it says of itself, what cannot be copied and trained."""
    require(isinstance(module, nn.Module), f"a model must be a torch.nn.Module, got {module!r}")
    scripted = isinstance(module, torch.jit.ScriptModule)
    require(not scripted, "a scripted module cannot be copied; give the one that it was made from")
    named = dict(module.named_parameters())
    lazy = [name for name, part in named.items() if nn.parameter.is_lazy(part)]
    require(not lazy, f"{', '.join(lazy)} has no shape yet; put a batch of images through first")
    require(
        any(part.requires_grad for part in named.values()),
        "no parameter of the model is to be trained",
    )
    kinds = {part.dtype for part in named.values()}
    require(
        len(kinds) == 1 and kinds <= {*PRECISIONS},
        f"parameters must be all {' or all '.join(map(str, PRECISIONS))}, got "
        f"{', '.join(sorted(map(str, kinds)))}; make them so, as by model.float()",
    )
    drawn = [name for name, part in module.named_modules() if _draws(part)]
    places = f"the model draws at random in {', '.join(drawn)} (dropout, say)"
    require(not drawn, f"{places}{UNGOVERNED}; set p=0 there, or leave it out")


def _draws(part: nn.Module) -> bool:
    """Whether a part of a module draws random numbers while it trains."""
    dropout = isinstance(part, nn.modules.dropout._DropoutNd) and part.p > 0
    return dropout or isinstance(part, nn.RReLU)


def _laid_out(stacked: Tensor, channels: str) -> Tensor:
    """A copy in memory of its own; kernels of convolutions, (R, n_out, n_in, height, width), with
    their channels last if they may, in which convolutions are fastest on a processor.
    """
    if stacked.ndim == 5 and channels == "last":
        return stacked.permute(0, 1, 3, 4, 2).contiguous().permute(0, 1, 4, 2, 3)
    return stacked.clone(memory_format=torch.contiguous_format)
