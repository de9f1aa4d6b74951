"""A first look at a model, before any work: whether it can be trained, and how it computes best."""

import contextlib
import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch.func import functional_call

from valleys.nets.engine.modules import UNGOVERNED, Modules
from valleys.nets.engine.training import Samples
from valleys.results.spec import require


def tried(start: Modules, samples: Samples, n_classes: int) -> Modules:
    """The same networks, to compute in turn where `torch.func.vmap` cannot take the module.

    Args:
        start: networks of which the first is tried, on a copy.
        samples: of which the first two are seen.
        n_classes: how many scores an image must get, at least.

    Raises:
        ValueError: the module fails, does not make these scores, changes its images, or draws
            random numbers.
    """
    images, labels = samples.images[:2], samples.labels[:2]
    one, seen = start.one(0).copy(), images.clone()
    with _told(images), torch.random.fork_rng(devices=[]):
        before = torch.random.get_rng_state()
        scores = _while_training(one, seen)
        same = torch.equal(before, torch.random.get_rng_state())
    require(same, f"the model draws at random while it trains{UNGOVERNED}; leave that out")
    require(torch.equal(seen, images), "the model changes its images; let it change a copy of them")
    _check_scores(scores, len(images), n_classes)
    with _told(images):
        found = start if start.in_turn or _maps(one, images, labels) else replace(start, apart=True)
        one = found.one(0).copy()
        one.gradients(images, labels)
        one.scores(images)
    return found


@contextlib.contextmanager
def _told(images: Tensor) -> Iterator[None]:
    """Say which images they were on which a reader's own code failed, in whatever way it did."""
    try:
        yield
    except Exception as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        shape = tuple(images.shape[1:])
        raise ValueError(
            f"the model does not take images of the shape {shape}: {reason}"
        ) from error


def _while_training(one: Modules, images: Tensor) -> Any:
    """What a network makes of images while it trains."""
    one.module.train()
    with torch.no_grad():
        return functional_call(one.module, one.state(0), images)


def _check_scores(given: Any, n_images: int, n_classes: int) -> None:
    """Refuse what is not a score of each class of each image."""
    told = f"a {type(given).__name__}"
    if isinstance(given, Tensor):
        told = f"{tuple(given.shape)} of {given.dtype}"
    scores = isinstance(given, Tensor) and given.ndim == 2 and given.is_floating_point()
    require(
        scores and len(given) == n_images and given.shape[1] >= n_classes,
        f"the model must give one tensor of scores of {n_classes} classes, (N, {n_classes}), and "
        f"gives {told} for {n_images} images",
    )


def _maps(one: Modules, images: Tensor, labels: Tensor) -> bool:
    """Whether `vmap` takes the module, with and without its slopes, and not by a loop of its own,
    of which it warns.
    """
    with (
        contextlib.suppress(Exception),  # of many kinds, which say nothing of the module in turn
        warnings.catch_warnings(),
    ):
        warnings.filterwarnings("error", "There is a performance drop")
        one.gradients(images.unsqueeze(0), labels.unsqueeze(0))
        one.scores(images.unsqueeze(0), own=True)
        return True
    return False
