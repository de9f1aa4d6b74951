import shutil

import numpy as np
import pytest
from PIL import Image

from valleys.nets import load_problem
from valleys.nets.datasets import DataError
from valleys.nets.folders import class_names, fingerprint, load_folder


def draw(path, value, *, size=(6, 4), mode="L"):
    """An image of one brightness."""
    path.parent.mkdir(parents=True, exist_ok=True)
    color = value if mode == "L" else (value, 0, 255)
    Image.new(mode, size, color).save(path)


@pytest.fixture
def folder(tmp_path):
    """Two classes of ten and seven images, each of a brightness of its own."""
    for index in range(10):
        draw(tmp_path / "cats" / f"{index}.png", index)
    for index in range(7):
        draw(tmp_path / "dogs" / f"{index}.png", 100 + index)
    return tmp_path


def brightness(images):
    """Pixels from 0 to 255 of one-coloured images."""
    return (images[:, 0] * 127.5 + 127.5).round().astype(int).tolist()


def test_what_training_leaves_of_each_class_is_for_testing(folder):
    data = load_folder(folder)
    assert data.image_shape == (4, 6)
    assert brightness(data.train_images) == [*range(8), *range(100, 106)]
    assert brightness(data.full_test_images) == [8, 9, 106]
    assert data.train_labels.tolist() == [0] * 8 + [1] * 6


def test_numbers_of_images_may_be_asked_for(folder):
    data = load_folder(folder, train_per_class=2, test_per_class=1)
    assert brightness(data.train_images) == [0, 1, 100, 101]
    assert brightness(data.test_images) == [2, 102]
    assert len(data.full_test_images) == 13


def test_training_sets_share_no_image(folder):
    data = load_folder(folder, train_per_class=2, training_set=2, test_per_class=2)
    assert brightness(data.train_images) == [4, 5, 104, 105]
    assert brightness(data.test_images) == [0, 1, 100, 101]


def test_a_test_folder_of_its_own_is_used(tmp_path):
    for part, values in (("train", (1, 2, 3)), ("test", (8, 9))):
        for value in values:
            draw(tmp_path / part / "cats" / f"{value}.png", value)
            draw(tmp_path / part / "dogs" / f"{value}.png", 100 + value)
    data = load_folder(tmp_path, train_per_class=2)
    assert brightness(data.train_images) == [1, 2, 101, 102]
    assert brightness(data.test_images) == [8, 9, 108, 109]


def test_a_folder_is_a_data_set_like_any_other(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    problem = load_problem(
        f"folder:{folder.name}", train_per_class=3, test_per_class=1, hidden=(8, 8)
    )
    data = load_folder(folder, train_per_class=3, test_per_class=1)
    assert len(problem.train) == 6
    assert np.array_equal(problem.test.labels, data.test_labels)


def test_colours_follow_most_images_or_what_is_asked_for(folder):
    draw(folder / "dogs" / "7.png", 50, mode="RGB")
    assert load_folder(folder).image_shape == (4, 6)
    colored = load_folder(folder, color=True)
    assert colored.image_shape == (4, 6, 3)
    assert colored.train_images.shape[1] == 72
    grey = load_folder(folder, train_per_class=1, color=False).full_test_images[-1]
    assert brightness(grey[None])[0] == round(0.299 * 50 + 0.114 * 255)


@pytest.mark.parametrize("size", [None, (4, 4)])
def test_images_of_16_bits_keep_their_steps(folder, size):
    for name, step in (("cats", 3), ("dogs", 40_000)):
        for index, file in enumerate(sorted((folder / name).iterdir())):
            pixels = np.full((4, 6), step + index, np.uint16)
            Image.fromarray(pixels).save(file)
    data = load_folder(folder, train_per_class=2, size=size)
    found = (data.train_images[:, 0] + 1) / 2 * 65535
    np.testing.assert_allclose(found, [3, 4, 40_000, 40_001], atol=0.01)


def test_images_of_8_and_16_bits_go_together(folder):
    Image.fromarray(np.full((4, 6), 257 * 50, np.uint16)).save(folder / "cats" / "0.png")
    data = load_folder(folder, train_per_class=2)
    assert brightness(data.train_images) == [50, 1, 100, 101]


@pytest.mark.parametrize("kind", [np.int32, np.float32])
def test_images_without_a_white_are_refused(folder, kind):
    (folder / "cats" / "0.png").unlink()
    Image.fromarray(np.ones((4, 6), kind)).save(folder / "cats" / "0.tif")
    with pytest.raises(DataError, match=r"0\.tif .*have no white; save 8 or 16 bits"):
        load_folder(folder, train_per_class=2)


def test_images_are_scaled_to_one_size_when_asked(folder):
    draw(folder / "dogs" / "7.png", 50, size=(12, 12))
    with pytest.raises(DataError, match=r"7\.png has \(12, 12\) pixels and most have \(4, 6\)"):
        load_folder(folder)
    assert load_folder(folder, size=(3, 5)).image_shape == (3, 5)


def test_other_files_and_hidden_folders_are_no_images(folder):
    (folder / "cats" / "notes.txt").write_text("hello")
    (folder / ".ipynb_checkpoints").mkdir()
    assert len(load_folder(folder).train_labels) == 14


def broken(folder):
    (folder / "dogs" / "3.png").write_bytes(b"no image")


def cut(folder):
    path = folder / "dogs" / "3.png"
    path.write_bytes(path.read_bytes()[:40])


def emptied(folder):
    for path in (folder / "dogs").iterdir():
        path.unlink()


def alone(folder):
    emptied(folder)
    (folder / "dogs").rmdir()


@pytest.mark.parametrize(
    ("harm", "word"),
    [
        (broken, r"3\.png is no image"),
        (cut, r"3\.png is no image"),
        (emptied, "dogs"),
        (alone, "holds 1 folders"),
    ],
)
def test_what_is_wrong_with_a_folder_is_named(folder, harm, word):
    harm(folder)
    with pytest.raises(DataError, match=word):
        load_folder(folder)


@pytest.mark.parametrize(
    ("options", "kind", "word"),
    [
        ({"train_per_class": 7}, DataError, "class dogs holds 7 images, too few for 7"),
        (
            {"train_per_class": 2, "training_set": 3},
            DataError,
            "too few for 2 for training after 6",
        ),
        (
            {"test_per_class": 5},
            DataError,
            "class dogs holds 1 images, too few for test_per_class 5",
        ),
        ({"train_per_class": 0}, ValueError, "train_per_class must be 1 or more"),
        ({"training_set": 1}, ValueError, "train_per_class given"),
        ({"size": (0, 3)}, ValueError, "size must be"),
    ],
)
def test_odd_wishes_are_refused(folder, options, kind, word):
    with pytest.raises(kind, match=word):
        load_folder(folder, **options)


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(DataError, match=r"there is no folder .*nowhere"):
        load_problem(f"folder:{tmp_path / 'nowhere'}")
    draw(tmp_path / "train" / "cats" / "1.png", 1)
    draw(tmp_path / "train" / "dogs" / "1.png", 1)
    draw(tmp_path / "test" / "cats" / "1.png", 1)
    draw(tmp_path / "test" / "birds" / "1.png", 1)
    with pytest.raises(DataError, match="differ in birds, dogs"):
        load_folder(tmp_path)


def test_a_fingerprint_tells_names_and_contents_and_nothing_else(folder, tmp_path_factory):
    before = fingerprint(folder)
    copy = tmp_path_factory.mktemp("copy") / "elsewhere"
    shutil.copytree(folder, copy)
    assert fingerprint(copy) == before
    (copy / ".DS_Store").write_bytes(b"x")
    (copy / "cats" / ".hidden.png").write_bytes(b"x")
    assert fingerprint(copy) == before
    (copy / "cats" / "0.png").rename(copy / "cats" / "00.png")
    renamed = fingerprint(copy)
    draw(copy / "cats" / "00.png", 200)
    assert len({before, renamed, fingerprint(copy)}) == 3


def test_classes_are_named_with_and_without_a_test_folder(folder, tmp_path_factory):
    assert class_names(folder) == ["cats", "dogs"]
    parted = tmp_path_factory.mktemp("parted")
    for part in ("train", "test"):
        shutil.copytree(folder, parted / part)
    assert class_names(parted) == ["cats", "dogs"]
    with pytest.raises(DataError, match="two or more"):
        class_names(parted / "train" / "cats")


def test_a_size_is_for_images_of_a_folder(folder):
    problem = load_problem(f"folder:{folder}", train_per_class=3, test_per_class=1, size=(2, 3))
    assert problem.train.images.shape[1] <= 6
    with pytest.raises(ValueError, match="size is for images of a folder"):
        load_problem("digits", size=(4, 4))
