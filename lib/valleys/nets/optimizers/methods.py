"""Methods of `torch.optim` on many runs at once.

Each of them treats every number of the weights alone, so that a stack of R networks moves as the R
networks would one by one.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from valleys.results.spec import require

METHODS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "sgd": torch.optim.SGD,
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "rmsprop": torch.optim.RMSprop,
}
OUR_OWN = ("lr", "foreach", "fused", "capturable", "differentiable")


@dataclass(frozen=True)
class Method:
    """How weights follow their gradients.

    Attributes:
        name: sgd, adam, adamw or rmsprop.
        settings: pairs of a name and a value, as the class of `torch.optim` takes them.
    """

    name: str = "sgd"
    settings: tuple[tuple[str, Any], ...] = ()

    def __post_init__(self) -> None:
        """Refuse what torch refuses, before any work.

        Raises:
            ValueError: an unknown method, or settings that do not fit it.
        """
        known = ", ".join(METHODS)
        require(self.name in METHODS, f"method must be one of {known}, got {self.name!r}")
        pairs = tuple(sorted((str(name), _frozen(value)) for name, value in self.settings))
        object.__setattr__(self, "settings", pairs)
        ours = [name for name, _ in pairs if name in OUR_OWN]
        require(not ours, f"{', '.join(ours)} is no setting of a method here; leave it out")
        if pairs:
            self._try()

    def _try(self) -> None:
        """Refuse settings that the class does not take: only it knows them, and to ask it loads
        torch's compiler.
        """
        try:
            self.start([torch.zeros(1, requires_grad=True)])
        except (TypeError, ValueError) as error:
            told = f"method {self.name} cannot take {dict(self.settings)}: {error}"
            raise ValueError(told) from None

    @property
    def plain(self) -> bool:
        """Whether this is plain gradient descent, θ ← θ − η g."""
        return self.name == "sgd" and not self.settings

    def start(self, parameters: Iterable[Tensor]) -> torch.optim.Optimizer:
        """The method on these tensors, at a learning rate that is set before each step."""
        return METHODS[self.name](list(parameters), lr=1.0, **dict(self.settings))


def method(name: str, **settings: Any) -> Method:
    """A method by its name, with the settings of its class in `torch.optim`.

    Args:
        name: sgd, adam, adamw or rmsprop.
        settings: such as momentum, weight_decay or betas.

    Raises:
        ValueError: an unknown method, or settings that do not fit it.

    Example:
        >>> from valleys.nets import method
        >>> method("sgd", momentum=0.9, nesterov=True)
        Method(name='sgd', settings=(('momentum', 0.9), ('nesterov', True)))
    """
    return Method(name, tuple(settings.items()))


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
