"""What every network study starts from: samples on a device, one initialization, one stream of
random numbers per run.
"""

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import numpy as np
import torch
from torch import nn

from valleys.nets import datasets, devices, folders
from valleys.nets.engine import trial
from valleys.nets.engine.modules import Modules
from valleys.nets.engine.networks import HIDDEN, Networks, initialize
from valleys.nets.engine.stack import Stack
from valleys.nets.engine.training import Samples
from valleys.nets.experiments.specs import Spec
from valleys.results.spec import require, settled

RANK_TOLERANCE = 1e-10  # of the largest singular value; smaller ones are rounding


S = TypeVar("S", bound=Stack)


@dataclass(frozen=True)
class Problem(Generic[S]):
    """The three sample sets of a study on its device, and its one initialization, in coordinates of
    the training images' span.

    The first layer's gradient is a sum over training images, so what its matrix does outside their
    span never changes. In an orthogonal basis of the span every run is the same as in pixels, with
    fewer numbers; the rest of a test image gives a constant, its `offset`.
    """

    train: Samples
    test: Samples
    full_test: Samples
    start: S

    @staticmethod
    def of(spec: Spec) -> "Problem[Networks]":
        """Load the data and draw the initialization."""
        data = datasets.load(spec.dataset, spec.train_per_class, spec.test_per_class)
        start, basis = initialize(data.train_images.shape[1], spec.seed), span(data.train_images)
        train = Samples.of(data.train_images @ basis, data.train_labels, device=spec.device)
        test, full_test = (
            samples_within(basis, images, labels, start, device=spec.device)
            for images, labels in (
                (data.test_images, data.test_labels),
                (data.full_test_images, data.full_test_labels),
            )
        )
        return Problem(train, test, full_test, within(basis, start).to(spec.device))


def span(images: np.ndarray) -> np.ndarray:
    """Orthonormal basis of what images span, float64, (n_features, rank), from (N, n_features)."""
    _, sizes, rows = np.linalg.svd(images.astype(np.float64), full_matrices=False)
    return rows[sizes > RANK_TOLERANCE * sizes[0]].T


def within(basis: np.ndarray, networks: Networks) -> Networks:
    """The same networks on images given in a basis, (n_features, rank)."""
    first = networks.weights[0]
    return Networks(
        ((first.double() @ torch.from_numpy(basis)).to(first.dtype), *networks.weights[1:]),
        networks.biases,
    )


def samples_within(
    basis: np.ndarray,
    images: np.ndarray,
    labels: np.ndarray,
    start: Networks,
    *,
    device: str = "cpu",
) -> Samples:
    """Images in a basis, with what the first layer of the one network `start` makes of the part
    outside it, in the precision of its weights.
    """
    dtype, inside, first = (
        start.weights[0].dtype,
        images @ basis,
        start.weights[0][0].double().numpy(),
    )
    offset = first @ images.T - (first @ basis) @ inside.T
    return replace(
        Samples.of(inside, labels, device=device, dtype=dtype),
        offset=torch.tensor(offset, dtype=dtype, device=device),
    )


def streams(
    seed: int, batch_size: int, learning_rate: float, count: int
) -> list[np.random.Generator]:
    """One generator of batch order per run, named by what the run is, so that it does not depend
    on the order of work.
    """
    cell = (batch_size, int.from_bytes(struct.pack(">d", learning_rate)))
    return [
        np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(*cell, run)))
        for run in range(count)
    ]


Model = nn.Module | Callable[[], nn.Module]
Labelled = tuple[np.ndarray, np.ndarray]


@settled
def load_problem(
    name: str,
    *,
    train_per_class: int = 100,
    test_per_class: int = 20,
    training_set: int = 0,
    size: tuple[int, int] | None = None,
    hidden: Sequence[int] = HIDDEN,
    model: Model | None = None,
    seed: int = 0,
    device: str = "cpu",
) -> Problem:
    """A training problem on a public set of images, or on a folder of one's own, with one start
    from which runs of an ensemble part.

    Args:
        name: `digits`, `mnist`, `cifar10`, or `folder:PATH` with `PATH/CLASS/…` or
            `PATH/train/CLASS/…` and `PATH/test/CLASS/…`; `valleys.nets.load_folder` and
            `make_problem` take more wishes.
        train_per_class: training images per class.
        test_per_class: images per class of the small test set.
        training_set: which set; each number is a set of its own, and 0 holds the first images.
        size: (height, width) to which the images of a folder are scaled; None to take them as
            they are.
        hidden: widths of the hidden layers; the paper's curvature is that of the second matrix.
        model: a module that maps images, (N, channels, height, width), to scores (logits), or a
            function that makes one, in place of a fully connected network. Parameters that need no
            gradient stay as they are; what draws at random while it trains is refused.
        seed: of the start; a module that is given as such brings its own.
        device: a torch device.

    Returns:
        The sample sets `train`, `test` and `full_test`, and the one network `start`.

    Raises:
        ValueError: unknown name or device, more images per class than there are, or no such
            network.
        valleys.nets.datasets.DataError: files are missing, broken, or cannot be downloaded.

    Example:
        >>> from valleys.nets import load_problem
        >>> problem = load_problem("digits", train_per_class=20)
        >>> len(problem.train), len(problem.test)
        (200, 200)
    """
    devices.check(device)
    data = folders.load_named(name, train_per_class, test_per_class, training_set, size)
    sets = [
        (data.train_images, data.train_labels),
        (data.test_images, data.test_labels),
        (data.full_test_images, data.full_test_labels),
    ]
    if model is None:
        return _connected(sets, hidden, seed, device)
    shaped = [(by_channel(images, data.image_shape), labels) for images, labels in sets]
    return _of_model(shaped, model, seed, device)


def by_channel(images: np.ndarray, image_shape: Sequence[int]) -> np.ndarray:
    """Flat images as a convolution takes them, (N, channels, height, width).

    Args:
        images: (N, n_features).
        image_shape: (height, width), or (height, width, channels).
    """
    height, width, channels = (*image_shape, 1)[:3]
    return images.reshape(-1, height, width, channels).transpose(0, 3, 1, 2)


@settled
def make_problem(
    images: np.ndarray,
    labels: np.ndarray,
    test_images: np.ndarray,
    test_labels: np.ndarray,
    *,
    hidden: Sequence[int] = HIDDEN,
    model: Model | None = None,
    seed: int = 0,
    device: str = "cpu",
) -> Problem:
    """A training problem on arrays of one's own; otherwise as `load_problem`.

    Args:
        images: numbers of any scale, best about −1 to 1, (N, …); a model sees them in this shape,
            for a fully connected network what follows N is made flat.
        labels: whole numbers from 0 on, (N,).
        test_images: (M, …), of the same shape each.
        test_labels: (M,).
        hidden: as in `load_problem`.
        model: as in `load_problem`.
        seed: as in `load_problem`.
        device: as in `load_problem`.

    Raises:
        ValueError: shapes do not fit, pixels are not finite, labels are no classes, no such device,
            or no such network.

    Example:
        >>> import numpy as np
        >>> from valleys.nets import make_problem
        >>> points = np.random.default_rng(0).normal(size=(60, 2))
        >>> inside = (points**2).sum(axis=1) < 1
        >>> problem = make_problem(
        ...     points[:40], inside[:40], points[40:], inside[40:], hidden=(8, 8)
        ... )
        >>> len(problem.train), len(problem.start)
        (40, 1)
    """
    devices.check(device)
    train, test = (
        _samples("images", images, labels),
        _samples("test_images", test_images, test_labels),
    )
    if model is None:
        train, test = ((pixels.reshape(len(pixels), -1), own) for pixels, own in (train, test))
    require(
        train[0].shape[1:] == test[0].shape[1:],
        f"test_images have the shape {test[0].shape[1:]} each and images "
        f"{train[0].shape[1:]}; give both the same shape",
    )
    n_classes = int(train[1].max()) + 1
    require(n_classes >= 2, "labels name one class only; give two or more, numbered from 0")
    known = int(test[1].max()) < n_classes
    require(known, f"test_labels name class {int(test[1].max())}; labels end at {n_classes - 1}")
    sets = [train, test, test]
    if model is not None:
        return _of_model(sets, model, seed, device)
    return _connected(sets, hidden, seed, device)


def _samples(name: str, images: np.ndarray, labels: np.ndarray) -> Labelled:
    """Images as float32 with int64 labels."""
    images, labels = np.asarray(images, dtype=np.float32), np.asarray(labels)
    require(
        labels.dtype.kind in "iub" and labels.ndim == 1,
        f"labels of {name} must be a list of whole numbers, got {labels.dtype} of shape "
        f"{labels.shape}",
    )
    require(len(labels) > 0, f"{name} must hold one image or more")
    require(
        images.ndim >= 2 and len(images) == len(labels),
        f"{name} must have the shape ({len(labels)}, …), one image a label, got {images.shape}",
    )
    require(bool(np.isfinite(images).all()), f"{name} must be finite numbers")
    require(int(labels.min()) >= 0, f"labels of {name} must be 0 or more, got {labels.min()}")
    return images, labels.astype(np.int64)


def _n_classes(sets: Sequence[Labelled]) -> int:
    return int(sets[0][1].max()) + 1


def _connected(
    sets: Sequence[Labelled], hidden: Sequence[int], seed: int, device: str
) -> Problem[Networks]:
    """Sample sets for training, testing and full testing, with a fully connected start, as
    `Problem.of` has them.
    """
    widths = all(isinstance(width, int) and width >= 1 for width in hidden)
    require(
        len(hidden) >= 1 and widths,
        f"hidden must be one width or more, such as {HIDDEN}, got {hidden}",
    )
    require(seed >= 0, f"seed must be 0 or more, got {seed}")
    (images, labels), *tests = sets
    start = initialize(images.shape[1], seed, hidden=hidden, n_classes=_n_classes(sets))
    basis = span(images)
    train = Samples.of(images @ basis, labels, device=device)
    test, full_test = (samples_within(basis, *pair, start, device=device) for pair in tests)
    return Problem(train, test, full_test, within(basis, start).to(device))


def _of_model(sets: Sequence[Labelled], model: Model, seed: int, device: str) -> Problem[Modules]:
    """Sample sets with the start that a module is, or that a function makes from the seed."""
    require(seed >= 0, f"seed must be 0 or more, got {seed}")
    if not isinstance(model, nn.Module):
        require(callable(model), f"model must be a torch.nn.Module or make one, got {model!r}")
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model = model()
    start = Modules.of(model).to(device)
    dtype = next(iter(start.parameters.values())).dtype
    train, test, full_test = (Samples.of(*pair, device=device, dtype=dtype) for pair in sets)
    return Problem(train, test, full_test, trial.tried(start, train, _n_classes(sets)))
