"""Images of one's own: a folder of files, one folder a class."""

import hashlib
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from valleys.nets.datasets import (
    DataError,
    ImageData,
    frozen,
    load,
    scaled,
    torchvision_datasets,
)
from valleys.results.spec import require, settled

PREFIX = "folder:"
PARTS = ("train", "test")  # folders that a folder of images may have
WHITE_OF_16_BITS = 65535
TEST_PART = 5  # without a test folder, one in so many images of each class is for testing


def named(dataset: str) -> bool:
    """Whether a data set's name is that of a folder, `folder:PATH`."""
    return dataset.startswith(PREFIX)


def path_of(dataset: str) -> Path:
    """The folder of a name `folder:PATH`; relative to the working directory, `~` is the home
    folder.
    """
    return Path(dataset.removeprefix(PREFIX)).expanduser().resolve()


def load_named(
    dataset: str,
    train_per_class: int,
    test_per_class: int,
    training_set: int = 0,
    size: tuple[int, int] | None = None,
) -> ImageData:
    """A data set by its name, a public one or `folder:PATH`, with as many images of every class.

    Raises:
        ValueError: as `valleys.nets.datasets.load` and `load_folder`, or a size for a public one.
        valleys.nets.datasets.DataError: as of these.
    """
    if named(dataset):
        return load_folder(
            path_of(dataset),
            train_per_class=train_per_class,
            test_per_class=test_per_class,
            training_set=training_set,
            size=size,
        )
    require(size is None, f"size is for images of a folder, {PREFIX}PATH, not for {dataset}")
    return load(dataset, train_per_class, test_per_class, training_set)


def class_names(path: str | os.PathLike) -> Sequence[str]:
    """The classes of a folder of images, in the order of their labels.

    Raises:
        valleys.nets.datasets.DataError: no such folder, or fewer than two classes.
    """
    folder = Path(path).expanduser().resolve()
    return _classes(folder / "train" if _is_parted(folder) else folder)


def fingerprint(path: str | os.PathLike) -> str:
    """What tells one state of a folder from another: a digest of the names and the contents of its
    files, 32 hexadecimal digits. Hidden files do not count.
    """
    folder, digest = Path(path).expanduser().resolve(), hashlib.sha256()
    for file in sorted(folder.rglob("*")):
        name = file.relative_to(folder)
        if file.is_file() and not any(part.startswith(".") for part in name.parts):
            content = hashlib.sha256(file.read_bytes()).hexdigest()
            digest.update(f"{name.as_posix()}\0{content}\n".encode())
    return digest.hexdigest()[:32]


@settled
def load_folder(
    path: str | os.PathLike,
    *,
    train_per_class: int | None = None,
    test_per_class: int | None = None,
    training_set: int = 0,
    size: tuple[int, int] | None = None,
    color: bool | None = None,
) -> ImageData:
    """Images from `PATH/CLASS/…`, or from `PATH/train/CLASS/…` and `PATH/test/CLASS/…`.

    Files are taken in the order of their names; they have 8 bits a channel, or 16 if they are grey.
    Without a test folder the first images of each class are for training, and what they leave is
    for testing.

    Args:
        path: the folder; relative to the working directory, `~` is the home folder.
        train_per_class: training images per class; None for all in the training folder, or for
            four fifths of each class.
        test_per_class: images per class of the small test set; None for all test images.
        training_set: 0 for the first training images of each class, 1 for those that follow, and
            so on; needs `train_per_class`.
        size: (height, width) to which all images are scaled; None to take them as they are.
        color: whether images have three channels; None for what most of them are.

    Returns:
        Pixels in [−1, 1], rows of height · width, or of height · width · 3; labels count classes
        in the order of their names.

    Raises:
        ValueError: numbers or a size that make no sense.
        valleys.nets.datasets.DataError: no such folder, fewer than two classes, fewer images than
            asked for, images of several sizes, or a file that is no image or has pixels of 32 bits.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from PIL import Image
        >>> from valleys.nets import load_folder
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     for name, grey in (("dark", 20), ("light", 200)):
        ...         Path(folder, name).mkdir()
        ...         for index in range(5):
        ...             Image.new("L", (8, 6), grey + index).save(f"{folder}/{name}/{index}.png")
        ...     data = load_folder(folder)
        >>> data.image_shape, data.train_images.shape, data.test_labels.tolist()
        ((6, 8), (8, 48), [0, 1])
    """
    _check(train_per_class, test_per_class, training_set, size)
    folder = Path(path).expanduser().resolve()
    train, test, names = _files(folder, train_per_class, training_set)
    small = (
        test if test_per_class is None else _first(test, test_per_class, names, "test_per_class")
    )
    files = {file: _read(file, size) for file, _ in [*train, *test]}
    flat = _alike(files, color)
    parts = [_arrays(flat, chosen) for chosen in (train, small, test)]
    shape = next(iter(flat.values())).shape
    return ImageData(f"folder:{folder}", shape, *(array for part in parts for array in part))


def _check(
    train_per_class: int | None,
    test_per_class: int | None,
    training_set: int,
    size: tuple[int, int] | None,
) -> None:
    counts = {"train_per_class": train_per_class, "test_per_class": test_per_class}
    for name, count in counts.items():
        require(count is None or count >= 1, f"{name} must be 1 or more, got {count}")
    counted = training_set == 0 or (training_set > 0 and train_per_class is not None)
    require(
        counted, f"training_set {training_set} needs to be 0 or more, and train_per_class given"
    )
    sides = size is None or (len(size) == 2 and min(size) >= 1)
    require(sides, f"size must be (height, width) in pixels, got {size}")


Labelled = list[tuple[Path, int]]


def _files(
    folder: Path, train_per_class: int | None, training_set: int
) -> tuple[Labelled, Labelled, Sequence[str]]:
    """Files of both sets with their labels, and the names of the classes."""
    if not _is_parted(folder):
        every, names = _listed(folder)
        return *_parted(every, names, train_per_class, training_set), names
    (train, names), (test, others) = (_listed(folder / part) for part in PARTS)
    if names != others:
        odd = sorted(set(names) ^ set(others))
        raise DataError(f"{folder}/train and {folder}/test differ in {', '.join(odd)}; name alike")
    if train_per_class is not None:
        before = training_set * train_per_class
        train = _first(train, train_per_class, names, "train_per_class", before)
    return train, test, names


def _is_parted(folder: Path) -> bool:
    """Whether images for training and for testing lie in folders of their own."""
    return all((folder / part).is_dir() for part in PARTS)


def _classes(folder: Path) -> Sequence[str]:
    """Names of the folders in a folder."""
    if not folder.is_dir():
        raise DataError(f"there is no folder {folder}; give one that holds a folder for each class")
    names = sorted(
        part.name for part in folder.iterdir() if part.is_dir() and part.name[0] not in "._"
    )
    if len(names) < 2:
        raise DataError(
            f"{folder} holds {len(names)} folders, and each is a class; give two or more"
        )
    return names


def _listed(folder: Path) -> tuple[Labelled, Sequence[str]]:
    """All image files below a folder with their labels, in order of names, and its classes."""
    names, datasets = _classes(folder), torchvision_datasets()
    try:
        listed = datasets.ImageFolder.make_dataset(
            str(folder),
            {name: label for label, name in enumerate(names)},
            extensions=datasets.folder.IMG_EXTENSIONS,
        )
    except FileNotFoundError as error:
        reason = str(error).split(". Supported")[0]
        raise DataError(
            f"{folder}: {reason}; fill or remove that folder (of {', '.join(names)})"
        ) from None
    return [(Path(file), label) for file, label in listed], names


def _parted(
    every: Labelled, names: Sequence[str], train_per_class: int | None, training_set: int
) -> tuple[Labelled, Labelled]:
    """The first files of each class for training, the rest for testing."""
    train: Labelled = []
    test: Labelled = []
    for label, name in enumerate(names):
        own = [pair for pair in every if pair[1] == label]
        count = train_per_class or len(own) - max(1, len(own) // TEST_PART)
        before = training_set * count
        if not before + 1 <= before + count <= len(own) or count == len(own):
            raise DataError(
                f"class {name} holds {len(own)} images, too few for {max(count, 1)} for training"
                f"{f' after {before} others' if before else ''} and one for testing; add images, "
                "or lower train_per_class"
            )
        train += own[before : before + count]
        test += own[:before] + own[before + count :]
    return train, test


def _first(
    every: Labelled, count: int, names: Sequence[str], asked: str, before: int = 0
) -> Labelled:
    """The first `count` files of each class after so many others."""
    found = Counter(label for _, label in every)
    scarce = min(range(len(names)), key=lambda label: found[label])
    if found[scarce] < before + count:
        raise DataError(
            f"class {names[scarce]} holds {found[scarce]} images, too few for {asked} {count}"
            f"{f' after {before} others' if before else ''}; lower {asked}"
        )
    seen: Counter[int] = Counter()
    chosen: Labelled = []
    for file, label in every:
        if before <= seen[label] < before + count:
            chosen.append((file, label))
        seen[label] += 1
    return chosen


def _read(file: Path, size: tuple[int, int] | None) -> np.ndarray:
    """One image, (height, width) or (height, width, 3), in bytes; in floats from 0 to 1 where it
    has 16 bits.
    """
    from PIL import Image

    try:
        with Image.open(file) as image:
            kind = _kind(image.mode)
            pixels = image.convert(kind)
            found = np.asarray(pixels if size is None else pixels.resize((size[1], size[0])))
            # what is resized may overshoot
            return found if kind != "F" else np.clip(found / np.float32(WHITE_OF_16_BITS), 0, 1)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(
            f"{file} is no image that can be read ({error}); mend or remove it"
        ) from None


def _kind(mode: str) -> str:
    """As what Pillow is to read an image of a mode of its own.

    Raises:
        ValueError: its numbers say nothing of how bright they are.
    """
    if mode in ("I", "F"):
        raise ValueError(f"pixels of 32 bits, mode {mode}, have no white; save 8 or 16 bits")
    if mode.startswith("I;16"):
        return "F"
    return "L" if mode in ("1", "L", "LA") else "RGB"


def _alike(files: dict[Path, np.ndarray], color: bool | None) -> dict[Path, np.ndarray]:
    """All images with one shape."""
    if color is None:
        color = 2 * sum(image.ndim == 3 for image in files.values()) > len(files)
    found = {file: _channels(image, color) for file, image in files.items()}
    sizes = Counter(image.shape[:2] for image in found.values())
    if len(sizes) > 1:
        usual = sizes.most_common(1)[0][0]
        odd = next(file for file, image in found.items() if image.shape[:2] != usual)
        raise DataError(
            f"images differ in size: {odd} has {found[odd].shape[:2]} pixels and most have "
            f"{usual}; give size={usual}"
        )
    return found


def _channels(image: np.ndarray, color: bool) -> np.ndarray:
    if color:
        return image if image.ndim == 3 else np.repeat(image[..., None], 3, axis=2)
    from PIL import Image

    return image if image.ndim == 2 else np.asarray(Image.fromarray(image).convert("L"))


def _unit(image: np.ndarray) -> np.ndarray:
    """Numbers from 0 to 1."""
    return image / np.float32(255) if image.dtype == np.uint8 else image


def _arrays(files: dict[Path, np.ndarray], chosen: Labelled) -> tuple[np.ndarray, np.ndarray]:
    images = scaled(np.stack([_unit(files[file]) for file, _ in chosen]))
    return frozen(images), frozen(np.array([label for _, label in chosen], dtype=np.int64))
