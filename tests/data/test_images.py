"""Pictures: a folder for each class, single ones, and those that are refused."""

from __future__ import annotations

import builtins
import shutil
import warnings

import numpy as np
import pytest

from nnfs_xp.data import load_dataset, load_examples
from nnfs_xp.errors import DataWarning, FileFormatError, InputError

Image = pytest.importorskip("PIL.Image")


def save(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(pixels, np.uint8)).save(path)


@pytest.fixture
def book(tmp_path):
    """Give folders as in chapter 19 of the book, train/7/0002.png."""
    root = tmp_path / "fashion_mnist_images"
    for part, count in (("train", 4), ("test", 2)):
        for label in range(11):
            for number in range(count):
                pixels = np.full((5, 4), 20 * label + number)
                save(root / part / str(label) / f"{number:04}.png", pixels)
    (root / "train" / "notes.txt").write_text("no picture")
    (root / "train" / "3" / ".hidden.png").write_text("no picture")
    return root


def test_the_folders_of_the_book(book):
    data = load_dataset(book)
    assert data.class_names == tuple(map(str, range(11)))
    assert data.image_shape == (5, 4)
    assert data.x_train.shape == (44, 20) and data.x_train.dtype == np.uint8
    np.testing.assert_array_equal(data.x_train[:, 0] // 20, data.y_train)
    np.testing.assert_array_equal(data.x_test[:, 7] // 20, data.y_test)
    assert data.scaling.to_dict() == {"offset": 127.5, "scale": 127.5}
    assert len(load_examples(book).x) == 22


def test_folders_of_classes_alone(book):
    data = load_dataset(book / "train")
    assert (len(data.x_train), len(data.x_test)) == (35, 9)
    assert np.bincount(data.y_test).max() == 1


def test_what_is_left_out_is_named(book):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_dataset(book)
    (book / "train" / "coat").mkdir()
    (book / "train" / "bag" / "large").mkdir(parents=True)
    save(book / "train" / "bag" / "large" / "1.png", np.zeros((5, 4)))
    (book / "train" / ".cache").mkdir()
    with pytest.warns(DataWarning, match=r"train: no class is made of bag, coat, "):
        assert load_dataset(book).n_classes == 11
    shutil.rmtree(book / "train" / "bag")
    (book / "train" / "coat").rmdir()
    save(book / "train" / "7.png", np.zeros((5, 4)))
    with pytest.warns(DataWarning, match=r"train: 7\.png and other pictures beside"):
        assert len(load_dataset(book).x_train) == 44
    (book / "train" / "7.png").unlink()
    (book / "notes").mkdir()
    (book / "test").rename(book / "val")
    with pytest.warns(DataWarning, match=r": val beside train is left out"):
        load_dataset(book)


def test_a_picture_and_a_folder_of_pictures(book):
    one = load_examples(book / "test" / "7" / "0001.png")
    assert one.x.tolist() == [[141] * 20] and one.y is None
    assert load_examples(book / "test" / "7").x[:, 0].tolist() == [140, 141]
    with pytest.raises(FileFormatError, match="has no labels.*folder for each class"):
        load_dataset(book / "test" / "7")


def test_colours(tmp_path):
    for i, name in enumerate(("day", "night") * 3):
        pixels = np.arange(18).reshape(2, 3, 3) + 40 * i
        save(tmp_path / "a" / name / f"{i}.png", pixels)
    data = load_dataset(tmp_path / "a")
    assert data.class_names == ("day", "night")
    assert data.image_shape == (2, 3, 3) and data.n_features == 18
    save(tmp_path / "grey.png", np.full((2, 3), 9))
    found = load_examples(tmp_path / "grey.png", image_shape=(2, 3, 3))
    assert found.x.tolist() == [[9] * 18]
    found = load_examples(tmp_path / "a" / "day" / "0.png", image_shape=(2, 3))
    assert found.x.shape == (1, 6)
    shutil.copy(tmp_path / "grey.png", tmp_path / "a" / "day" / "9.png")
    with pytest.raises(
        FileFormatError, match=r"day.9.png: .*it is grey, and others are"
    ):
        load_dataset(tmp_path / "a")


def test_an_odd_size_is_named_and_can_be_resized(book):
    save(book / "train" / "5" / "odd.png", np.full((10, 8), 255))
    odd = r"5.odd.png: .* 10 x 8 pixels, and 5 x 4 .*--resize"
    with pytest.raises(FileFormatError, match=odd):
        load_dataset(book)
    data = load_dataset(book, resize=(3, 2))
    assert data.image_shape == (3, 2) and len(data.x_train) == 45
    assert (data.x_train == 255).all(axis=1).sum() == 1
    with pytest.raises(FileFormatError, match="5 x 4 pixels, and 3 x 2 are expected"):
        load_examples(book / "test", image_shape=data.image_shape)
    found = load_examples(book / "test", image_shape=data.image_shape, resize=(3, 2))
    assert found.x.shape == (22, 6)


@pytest.mark.parametrize("resize", [(3,), (0, 2), (2.5, 2), (3, 2, 1), 3, "32"])
def test_wrong_sizes(book, resize):
    with pytest.raises(InputError, match=r"resize must be \(height, width\)"):
        load_dataset(book, resize=resize)


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n", b"text"])
def test_damaged_picture(book, content):
    (book / "train" / "2" / "0001.png").write_bytes(content)
    with pytest.raises(FileFormatError, match=r"2.0001.png: cannot be used") as caught:
        load_dataset(book)
    assert "_Sized" not in str(caught.value)


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    """A picture of 100 million pixels that takes a few kilobytes."""
    Image.new("1", (10_000, 10_000)).save(tmp_path / "bomb.png")
    monkeypatch.setattr(Image.Image, "load", lambda self: pytest.fail("unpacked"))
    # Pillow itself only warns of this size.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(FileFormatError, match="bomb.png: .*exceeds limit"):
            load_examples(tmp_path / "bomb.png")


def test_deep_pictures_are_not_cut_to_eight_bits(tmp_path):
    Image.fromarray(np.full((2, 2), 40_000, np.uint16)).save(tmp_path / "deep.png")
    with pytest.raises(FileFormatError, match="its mode is I"):
        load_examples(tmp_path / "deep.png")


def test_without_pillow(book, monkeypatch):
    real = builtins.__import__

    def missing(name, *arguments):
        if name == "PIL":
            raise ImportError(name)
        return real(name, *arguments)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(InputError, match=r"pip install 'nnfs-xp\[images\]'"):
        load_dataset(book)


def test_empty_folders(tmp_path):
    (tmp_path / "train").mkdir()
    with pytest.raises(FileFormatError, match="pictures in folders that name"):
        load_dataset(tmp_path)
