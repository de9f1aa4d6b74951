"""Small image sets cut from public ones exactly as in the paper: the first images of each class,
in file order.
"""

import contextlib
import hashlib
import io
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from types import ModuleType

import numpy as np

from valleys import config
from valleys.results.spec import settled

N_CLASSES = 10
MNIST_SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
CIFAR_FOLDER = "cifar-10-batches-py"
DOWNLOAD_TIMEOUT = 20.0  # seconds without an answer before a download counts as failed


class DataError(Exception):
    """Image files are missing or not the published ones; the message says which, where, and what
    to do.
    """


@dataclass(frozen=True)
class Source:
    """What a data set offers: image shape and the smallest class of its train and of its test
    file.
    """

    image_shape: tuple[int, ...]
    train_per_class: int
    test_per_class: int


SOURCES = {
    "digits": Source((8, 8), 174, 174),  # one file: the test images are what the train images leave
    "mnist": Source((28, 28), 5421, 892),
    "cifar10": Source((32, 32, 3), 5000, 1000),
}


@dataclass(frozen=True)
class ImageData:
    """A training set with two test sets, pixels in [−1, 1].

    Attributes:
        name: digits, mnist or cifar10.
        image_shape: (height, width) or (height, width, 3); its product is n_features.
        train_images: float32, (10 · train_per_class, n_features).
        train_labels: int64, (10 · train_per_class,).
        test_images: float32, (10 · test_per_class, n_features), the paper's small test set.
        test_labels: int64, (10 · test_per_class,).
        full_test_images: float32, (n_full, n_features), every test image there is.
        full_test_labels: int64, (n_full,).
    """

    name: str
    image_shape: tuple[int, ...]
    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    full_test_images: np.ndarray
    full_test_labels: np.ndarray


@settled
def load(
    name: str,
    train_per_class: int = 100,
    test_per_class: int = 20,
    training_set: int = 0,
    *,
    directory: str | os.PathLike | None = None,
) -> ImageData:
    """The first `train_per_class` images of each class for training, the first `test_per_class` of
    each class of the test file for testing.

    Args:
        name: `digits` (8 × 8, comes with scikit-learn; its test file is the rest), `mnist` or
            `cifar10` (downloaded on first use).
        train_per_class: training images per class.
        test_per_class: images per class of the small test set.
        training_set: 0 for the first training images of each class, 1 for those that follow, and
            so on: no two sets share an image.
        directory: folder of the image files; `$VALLEYS_DATA` if None, else `data/` beside
            `pyproject.toml`.

    Raises:
        ValueError: unknown name, or more images per class than there are.
        DataError: the files are missing and cannot be downloaded, or are not the published ones.

    Example:
        >>> from valleys.nets import load
        >>> digits = load("digits", train_per_class=20)
        >>> digits.train_images.shape, digits.full_test_images.shape
        ((200, 64), (1597, 64))
    """
    check_request(name, train_per_class, test_per_class, training_set)
    folder = None if name == "digits" else data_folder(directory)
    return _load(name, train_per_class, test_per_class, training_set, folder)


def check_request(
    name: str, train_per_class: int, test_per_class: int, training_set: int = 0
) -> None:
    """Refuse what no file can give, without touching a file.

    Raises:
        ValueError: unknown name, or more images per class than there are.
    """
    if name not in SOURCES:
        raise ValueError(f"no data set is named {name!r}; the names are {', '.join(SOURCES)}")
    source = SOURCES[name]
    if not 1 <= train_per_class < source.train_per_class:
        raise ValueError(
            f"train_per_class of {name} must lie between 1 and "
            f"{source.train_per_class - 1}, got {train_per_class}"
        )
    last = source.train_per_class // train_per_class - 1
    if name == "digits":  # what a set leaves of its class is for testing
        last = (source.train_per_class - 1) // train_per_class - 1
    if not 0 <= training_set <= last:
        raise ValueError(
            f"training_set of {name} must lie between 0 and {last} with train_per_class "
            f"{train_per_class}, got {training_set}"
        )
    limit = source.test_per_class - (train_per_class if name == "digits" else 0)
    if not 1 <= test_per_class <= limit:
        raise ValueError(
            f"test_per_class of {name} must lie between 1 and {limit} with "
            f"train_per_class {train_per_class}, got {test_per_class}"
        )


def data_folder(directory: str | os.PathLike | None = None) -> Path:
    """Folder of the image files: `directory`, else `$VALLEYS_DATA` (both relative to the working
    directory), else `data/` of the repository.
    """
    named = Path(directory).expanduser().resolve() if directory else config.place(config.DATA)
    if named:
        return named
    root = Path(__file__).resolve().parents[3]
    return (root if (root / "pyproject.toml").is_file() else Path.cwd()) / "data"


def first_per_class(labels: np.ndarray, count: int, after: int = 0) -> np.ndarray:
    """Indices of the first `count` samples of each class after so many others, in file order;
    shape (10 · count,).
    """
    each = (np.flatnonzero(labels == label) for label in range(N_CLASSES))
    return np.sort(np.concatenate([found[after : after + count] for found in each]))


@lru_cache(maxsize=4)
def _load(
    name: str, train_per_class: int, test_per_class: int, training_set: int, folder: Path | None
) -> ImageData:
    before = training_set * train_per_class
    if folder is None:
        train, test = _digits(train_per_class, before)
    else:
        train, test = {"mnist": _mnist, "cifar10": _cifar10}[name](folder)
    chosen = first_per_class(train[1], train_per_class, before)
    small = first_per_class(test[1], test_per_class)
    subsets = ((train[0][chosen], train[1][chosen]), (test[0][small], test[1][small]), test)
    arrays = [
        frozen(array)
        for images, labels in subsets
        for array in (scaled(images), labels.astype(np.int64))
    ]
    return ImageData(name, SOURCES[name].image_shape, *arrays)


def scaled(images: np.ndarray) -> np.ndarray:
    """Bytes 0 to 255 (or floats 0 to 1) as flat float32 in [−1, 1]."""
    unit = images / np.float32(255) if images.dtype == np.uint8 else images
    return ((unit.reshape(len(images), -1) - 0.5) / 0.5).astype(np.float32)


def frozen(array: np.ndarray) -> np.ndarray:
    """The array, which nobody may change from now on."""
    array.flags.writeable = False
    return array


Labelled = tuple[np.ndarray, np.ndarray]


def _digits(train_per_class: int, before: int) -> tuple[Labelled, Labelled]:
    from sklearn.datasets import load_digits

    pixels, labels = (np.asarray(part) for part in load_digits(return_X_y=True))
    images = pixels / 16.0
    rest = np.setdiff1d(np.arange(len(labels)), first_per_class(labels, train_per_class, before))
    return (images, labels), (images[rest], labels[rest])


def _mnist(folder: Path) -> tuple[Labelled, Labelled]:
    raw = folder / "MNIST" / "raw"
    missing = [name for name in MNIST_SHA256 if not (raw / name).is_file()]
    if missing:
        _download("MNIST", "mnist", folder, [f"MNIST/raw/{name}" for name in missing])
    for name, digest in MNIST_SHA256.items():
        _verify(raw / name, digest)
    parts = [torchvision_datasets().MNIST(str(folder), train=train) for train in (True, False)]
    train, test = ((part.data.numpy(), part.targets.numpy()) for part in parts)
    return train, test


def _verify(path: Path, digest: str) -> None:
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise DataError(
            f"{path} cannot be read ({error.strerror}); mend its permissions or set "
            f"{config.DATA} to another folder"
        ) from None
    if found != digest:
        raise DataError(
            f"{path} is truncated or corrupt (its SHA-256 is not the published one); "
            "delete it, and the next run downloads it again"
        )


def _cifar10(folder: Path) -> tuple[Labelled, Labelled]:
    if not (folder / CIFAR_FOLDER).is_dir():
        _download("CIFAR10", "cifar10", folder, [CIFAR_FOLDER])
    try:  # torchvision compares each file with its published MD5 before it unpickles it
        parts = [
            torchvision_datasets().CIFAR10(str(folder), train=train) for train in (True, False)
        ]
    except (RuntimeError, OSError):
        raise DataError(
            f"{folder / CIFAR_FOLDER} is incomplete or corrupt; delete that folder, "
            "and the next run downloads it again"
        ) from None
    train, test = ((part.data, np.asarray(part.targets)) for part in parts)
    return train, test


def _download(kind: str, name: str, folder: Path, wanted: list[str]) -> None:
    """Fetch into a temporary folder beside the final place, then rename: a broken download
    leaves nothing behind.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (
            tempfile.TemporaryDirectory(prefix=".download-", dir=folder) as partial,
            _patient_socket(),
            contextlib.redirect_stdout(io.StringIO()),
        ):
            getattr(torchvision_datasets(), kind)(partial, download=True)
            for path in wanted:
                _move(Path(partial) / path, folder / path)
    except (OSError, RuntimeError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DataError(
            f"{name} is not in {folder} ({', '.join(Path(path).name for path in wanted)} missing) "
            f"and could not be downloaded ({reason}); "
            f"connect to a network, set {config.DATA} to a folder that holds "
            f"{'MNIST/raw' if name == 'mnist' else CIFAR_FOLDER}, "
            "or choose the data set digits, which needs no download"
        ) from None


def _move(source: Path, target: Path) -> None:
    if source.name in MNIST_SHA256:
        _verify(source, MNIST_SHA256[source.name])
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir() and target.is_dir():  # another process was faster
        shutil.rmtree(source)
    else:
        os.replace(source, target)


@contextlib.contextmanager
def _patient_socket() -> Iterator[None]:
    """A network that swallows packets must end in an error, not in silence."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(DOWNLOAD_TIMEOUT)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


@cache
def torchvision_datasets() -> ModuleType:
    """`torchvision.datasets`, also beside a torch that its compiled operators do not load in.

    That is the rule where torch is a CPU build: the wheels that `requirements.lock` names by hash
    were built for CUDA.
    """
    try:
        from torchvision import datasets
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
        _declare_missing_operators()
        from torchvision import datasets
    return datasets


_DECLARED = []  # a torch Library declares its operators for as long as it lives


def _declare_missing_operators() -> None:
    """Declare the operators that torchvision describes at import; reading image files never
    calls them.
    """
    import torch

    for module in [module for module in sys.modules if module.split(".")[0] == "torchvision"]:
        del sys.modules[module]
    library = torch.library.Library("torchvision", "FRAGMENT")
    for name, kind in (("nms", "Tensor"), ("qnms", "Tensor")):
        library.define(f"{name}({kind} dets, {kind} scores, float iou_threshold) -> {kind}")
    _DECLARED.append(library)
