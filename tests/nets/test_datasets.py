import os
import pickle
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from valleys import config
from valleys.nets import datasets
from valleys.nets.datasets import DataError

FILES = list(datasets.MNIST_SHA256)
LABELS = np.tile(np.arange(10), 4)  # forty images, class after class


def digits_of_file() -> tuple[np.ndarray, np.ndarray]:
    """Pixels, (N, 64), and labels, (N,), as scikit-learn has them."""
    from sklearn.datasets import load_digits

    pixels, labels = (np.asarray(part) for part in load_digits(return_X_y=True))
    return pixels, labels


@pytest.fixture(autouse=True)
def _fresh():
    datasets._load.cache_clear()
    yield
    datasets._load.cache_clear()


@pytest.fixture
def small_mnist(tmp_path, monkeypatch):
    """A folder with four files in MNIST's format, known to the library by their own hashes;
    image i is filled with the byte i.
    """
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for part in ("train", "t10k"):
        images = np.broadcast_to(np.arange(40, dtype=np.uint8)[:, None, None], (40, 28, 28))
        (raw / f"{part}-images-idx3-ubyte").write_bytes(_idx(images))
        (raw / f"{part}-labels-idx1-ubyte").write_bytes(_idx(LABELS.astype(np.uint8)))
    for name in FILES:
        monkeypatch.setitem(
            datasets.MNIST_SHA256,
            name,
            datasets.hashlib.sha256((raw / name).read_bytes()).hexdigest(),
        )
    return tmp_path


def _idx(array: np.ndarray) -> bytes:
    return (
        bytes([0, 0, 8, array.ndim])
        + b"".join(size.to_bytes(4, "big") for size in array.shape)
        + array.tobytes()
    )


def _no_network(monkeypatch, started=None):
    """torchvision whose downloads write half a file and then fail."""

    def download(root, download=False, train=True):
        half = Path(root) / "MNIST" / "raw" / FILES[0]
        half.parent.mkdir(parents=True)
        half.write_bytes(b"half")
        raise OSError("no route to host")

    monkeypatch.setattr(
        datasets, "torchvision_datasets", lambda: SimpleNamespace(MNIST=download, CIFAR10=download)
    )


def test_digits_are_cut_as_the_paper_cuts_its_data():
    data, (pixels, labels) = datasets.load("digits"), digits_of_file()
    assert data.train_images.shape == (1000, 64)
    assert data.test_images.shape == (200, 64)
    assert data.full_test_images.shape == (797, 64)
    assert np.bincount(data.train_labels).tolist() == [100] * 10
    assert np.bincount(data.test_labels).tolist() == [20] * 10
    first_seven = np.flatnonzero(labels == 7)[:100]
    expected = pixels[first_seven] / 8 - 1  # pixels 0 to 16 as [−1, 1]
    np.testing.assert_allclose(data.train_images[data.train_labels == 7], expected, atol=1e-7)


def test_digits_for_training_and_testing_are_the_whole_file_once():
    data = datasets.load("digits")
    everything = np.concatenate([data.train_images, data.full_test_images])
    order, source = np.lexsort(everything.T), digits_of_file()[0] / 8 - 1
    np.testing.assert_allclose(everything[order], source[np.lexsort(source.T)], atol=1e-7)


def test_the_small_test_set_is_the_beginning_of_the_full_one():
    data = datasets.load("digits", test_per_class=3)
    for label in range(10):
        small, full = (
            data.test_images[data.test_labels == label],
            data.full_test_images[data.full_test_labels == label],
        )
        np.testing.assert_array_equal(small, full[:3])


def test_mnist_files_give_the_first_of_each_class_in_file_order(small_mnist):
    data = datasets.load("mnist", train_per_class=2, test_per_class=1, directory=small_mnist)
    assert data.train_labels.tolist() == [*range(10), *range(10)]
    np.testing.assert_allclose(
        data.train_images[:, 0], (np.arange(20) / 255 - 0.5) / 0.5, atol=1e-6
    )
    assert data.test_images.shape == (10, 784)
    assert data.full_test_images.shape == (40, 784)
    assert data.train_images.dtype == np.float32


def test_the_folder_comes_from_the_argument_then_the_variable(small_mnist, monkeypatch):
    monkeypatch.setenv(config.DATA, str(small_mnist))
    assert datasets.load("mnist", 1, 1).train_images.shape == (10, 784)
    monkeypatch.chdir(small_mnist.parent)
    monkeypatch.setenv(config.DATA, small_mnist.name)
    assert datasets.data_folder() == small_mnist.resolve()
    monkeypatch.delenv(config.DATA)
    assert (datasets.data_folder().parent / "pyproject.toml").is_file()


@pytest.mark.parametrize("damage", ["truncated", "corrupt"])
@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file_is_named(small_mnist, name, damage):
    path = small_mnist / "MNIST" / "raw" / name
    content = path.read_bytes()
    path.write_bytes(
        content[:-1] if damage == "truncated" else content[:-1] + bytes([content[-1] ^ 1])
    )
    with pytest.raises(DataError, match=rf"{name} is truncated or corrupt .*delete it") as caught:
        datasets.load("mnist", 1, 1, directory=small_mnist)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["mnist", "cifar10"])
def test_without_network_the_error_says_what_where_and_what_to_do(tmp_path, monkeypatch, name):
    _no_network(monkeypatch)
    with pytest.raises(DataError) as caught:
        datasets.load(name, directory=tmp_path / "images")
    text = str(caught.value)
    assert "\n" not in text
    for word in (name, str(tmp_path / "images"), "no route to host", "VALLEYS_DATA", "digits"):
        assert word in text


def test_a_broken_download_leaves_nothing_behind(tmp_path, monkeypatch):
    _no_network(monkeypatch)
    with pytest.raises(DataError):
        datasets.load("mnist", directory=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_download_fills_in_what_is_missing(small_mnist, tmp_path, monkeypatch):
    complete = small_mnist.rename(tmp_path.with_name("complete"))
    target = tmp_path.with_name("target")
    real = datasets.torchvision_datasets()

    def mnist(root, train=True, download=False):
        if download:
            datasets.shutil.copytree(complete, root, dirs_exist_ok=True)
            return None
        return real.MNIST(root, train=train)

    monkeypatch.setattr(datasets, "torchvision_datasets", lambda: SimpleNamespace(MNIST=mnist))
    assert datasets.load("mnist", 1, 1, directory=target).train_images.shape == (10, 784)
    assert sorted(path.name for path in (target / "MNIST" / "raw").iterdir()) == sorted(FILES)
    assert [path.name for path in target.iterdir()] == ["MNIST"]


def test_a_download_of_something_else_is_refused(small_mnist, tmp_path, monkeypatch):
    target = tmp_path.with_name("elsewhere")

    def mnist(root, download=False, train=True):
        raw = Path(root) / "MNIST" / "raw"
        raw.mkdir(parents=True)
        for name in FILES:
            (raw / name).write_bytes(b"<html>log in to this network</html>")

    monkeypatch.setattr(datasets, "torchvision_datasets", lambda: SimpleNamespace(MNIST=mnist))
    with pytest.raises(DataError, match="truncated or corrupt"):
        datasets.load("mnist", 1, 1, directory=target)
    assert list(target.iterdir()) == []


def test_a_forged_cifar_file_is_never_unpickled(tmp_path):
    folder, trap = tmp_path / datasets.CIFAR_FOLDER, tmp_path / "sprung"
    folder.mkdir()
    for name in [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch", "batches.meta"]:
        (folder / name).write_bytes(pickle.dumps(_Trap(str(trap))))
    with pytest.raises(DataError, match="incomplete or corrupt; delete that folder"):
        datasets.load("cifar10", directory=tmp_path)
    assert not trap.exists()


class _Trap:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (os.mkdir, (self.path,))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("fashion",), "no data set is named 'fashion'; the names are digits, mnist, cifar10"),
        (("digits", 174), "train_per_class of digits must lie between 1 and 173, got 174"),
        (("digits", 100, 75), "test_per_class of digits must lie between 1 and 74"),
        (("mnist", 5421), "train_per_class of mnist must lie between 1 and 5420"),
        (("mnist", 100, 893), "test_per_class of mnist must lie between 1 and 892"),
        (("digits", 0), "train_per_class of digits must lie between 1"),
    ],
)
def test_what_no_file_can_give_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message.replace("(", r"\(")):
        datasets.load(*arguments, directory="/nowhere")


def test_the_limits_of_digits_are_those_of_the_file():
    assert np.bincount(digits_of_file()[1]).min() == datasets.SOURCES["digits"].train_per_class


@pytest.mark.slow
def test_torchvision_is_imported_only_where_it_is_needed():
    code = (
        "import sys; from valleys.nets import datasets; datasets.load('digits'); assert "
        "'torchvision' not in sys.modules; "
        "assert datasets.torchvision_datasets().MNIST"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.fixture(scope="module")
def data():
    if not config.text(config.DATA) or not (datasets.data_folder() / "MNIST").is_dir():
        pytest.skip(f"{config.DATA} names no folder with MNIST")
    return datasets.load("mnist")


class TestPublishedMnist:
    """The paper's own data, where they are."""

    def test_sizes(self, data):
        assert data.train_images.shape == (1000, 784)
        assert data.test_images.shape == (200, 784)
        assert data.full_test_images.shape == (10000, 784)
        assert np.bincount(data.train_labels).tolist() == [100] * 10
        assert np.bincount(data.test_labels).tolist() == [20] * 10

    def test_the_first_labels_of_the_file(self, data):
        assert data.train_labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
        assert data.full_test_labels[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]

    def test_pixels_fill_the_range(self, data):
        assert (data.train_images.min(), data.train_images.max()) == (-1, 1)

    def test_the_smallest_classes_are_the_limits(self, data):
        assert np.bincount(data.full_test_labels).min() == datasets.SOURCES["mnist"].test_per_class
        datasets.load("mnist", train_per_class=5420)
