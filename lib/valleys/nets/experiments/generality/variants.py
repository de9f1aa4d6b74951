"""One base network, with one thing changed at a time."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from torch import nn

from valleys.nets.datasets import N_CLASSES, SOURCES, check_request
from valleys.nets.engine.convolutional import small_network
from valleys.nets.engine.networks import Networks, initialize
from valleys.nets.engine.problem import Problem, load_problem
from valleys.results.spec import require

DEPTH = 2  # hidden layers of the base network
CHANNELS = (8, 16)  # of the convolutional network
SHARE = 0.5  # of the Kaiming scale: a small start; a large one has its inverse
# what the weights of each layer of a Kaiming start are multiplied by, the last one named apart
STARTS: dict[str, tuple[float, float]] = {
    "lecun": (0.5**0.5, 0.5**0.5),
    "zero": (1.0, 0.0),
    "small": (SHARE, SHARE),
    "large": (1 / SHARE, 1 / SHARE),
}
ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {"tanh": nn.Tanh, "gelu": nn.GELU}
COUNTED = ("width", "depth", "images")  # what is changed to a whole number
FORMS = (
    "base, width N, depth N, images N, data NAME, cnn NAME, layers norm, "
    f"start {'|'.join(STARTS)}, activation {'|'.join(ACTIVATIONS)}"
)


@dataclass(frozen=True)
class Variant:
    """A network with its images, before it has a start.

    Attributes:
        dataset: digits, mnist or cifar10.
        train_per_class: training images per class.
        hidden: widths of the hidden layers; of none if it is the convolutional one.
        start: `kaiming`, or one of `STARTS`.
        activation: `relu`, or one of `ACTIVATIONS`.
        normalised: whether what each hidden layer receives is normalised over its units.
    """

    dataset: str
    train_per_class: int
    hidden: tuple[int, ...]
    start: str = "kaiming"
    activation: str = "relu"
    normalised: bool = False

    @property
    def n_train(self) -> int:
        """Size of the training set."""
        return N_CLASSES * self.train_per_class

    @property
    def in_closed_form(self) -> bool:
        """Whether gradients are known in closed form: fully connected with ReLU alone."""
        return bool(self.hidden) and self.activation == "relu" and not self.normalised


def variant(name: str, base: Variant) -> Variant:
    """The base with what a name says changed.

    Args:
        name: one of `FORMS`: `base`, or a word and a value, as in `width 200`.
        base: what is changed.

    Raises:
        ValueError: no such name, or a value out of its range.

    Example:
        >>> from valleys.nets.experiments.generality.variants import Variant, variant
        >>> variant("depth 3", Variant("digits", 100, (50, 50))).hidden
        (50, 50, 50)
    """
    if name == "base":
        return base
    word, _, value = name.partition(" ")
    changed = None
    if word in COUNTED and value.isdecimal():
        changed = _counted(word, int(value), base)
    elif (word, value) == ("layers", "norm"):
        changed = replace(base, normalised=True)
    elif value in {"start": STARTS, "activation": ACTIVATIONS}.get(word, {}):
        changed = replace(base, **{word: value})
    elif word in ("data", "cnn") and value in SOURCES:
        changed = replace(base, dataset=value, hidden=() if word == "cnn" else base.hidden)
    require(changed is not None, f"a variant is one of: {FORMS}; got {name!r}")
    return _known(changed or base)


def _counted(word: str, value: int, base: Variant) -> Variant:
    if word == "images":
        even = value % N_CLASSES == 0
        require(even, f"images must be a multiple of the {N_CLASSES} classes, got {value}")
        return replace(base, train_per_class=value // N_CLASSES)
    least = {"width": 4, "depth": 1}[word]  # a matrix of ten eigenvalues or more is looked at
    require(value >= least, f"{word} must be {least} or more, got {value}")
    width, depth = base.hidden[0], len(base.hidden)
    sizes = {"width": (value,) * depth, "depth": (width,) * value}
    return replace(base, hidden=sizes[word])


def _known(changed: Variant) -> Variant:
    check_request(changed.dataset, changed.train_per_class, 1)
    return changed


def problem_of(chosen: Variant, seed: int, *, device: str = "cpu") -> Problem:
    """Images and one start; those of fully connected networks of one shape differ in scale alone.

    Args:
        chosen: the network.
        seed: of the start.
        device: a torch device.
    """
    data = {"train_per_class": chosen.train_per_class, "seed": seed, "device": device}
    if chosen.in_closed_form:
        problem = load_problem(chosen.dataset, hidden=chosen.hidden, **data)
        return problem if chosen.start == "kaiming" else _scaled(problem, *STARTS[chosen.start])
    shape = SOURCES[chosen.dataset].image_shape
    if not chosen.hidden:
        model = partial(small_network, shape, N_CLASSES, CHANNELS)
    else:
        model = partial(connected, chosen, int(np.prod(shape)), seed)
    return load_problem(chosen.dataset, model=model, **data)


def _scaled(problem: Problem[Networks], factor: float, last: float) -> Problem[Networks]:
    """The same start with its weights multiplied, and so what test images have outside the span."""
    *weights, out = problem.start.weights
    scaled = Networks((*(factor * each for each in weights), last * out), problem.start.biases)
    test, full_test = (
        replace(each, offset=None if each.offset is None else factor * each.offset)
        for each in (problem.test, problem.full_test)
    )
    return replace(problem, start=scaled, test=test, full_test=full_test)


def connected(chosen: Variant, n_features: int, seed: int) -> nn.Sequential:
    """A fully connected network as a module, with the weights of the base network's start.

    Args:
        chosen: hidden widths, activation, normalisation.
        n_features: pixels of an image.
        seed: of the start.
    """
    start = initialize(n_features, seed, hidden=chosen.hidden, n_classes=N_CLASSES)
    layers: list[nn.Module] = [nn.Flatten()]
    for (n_in, n_out), weight in zip(
        itertools.pairwise((n_features, *chosen.hidden, N_CLASSES)), start.weights, strict=True
    ):
        layer = nn.Linear(n_in, n_out)
        with torch.no_grad():
            layer.weight.copy_(weight[0])
            layer.bias.zero_()
        normal = [nn.LayerNorm(n_out)] if chosen.normalised else []
        layers += [layer, *normal, ACTIVATIONS.get(chosen.activation, nn.ReLU)()]
    return nn.Sequential(*layers[: -1 - chosen.normalised])
