"""Files of numpy.savez: names, shapes, damage, and no unpickling."""

from __future__ import annotations

import contextlib
import io
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nnfs_xp.data import load_dataset, load_examples
from nnfs_xp.data.npz_files import read_npz
from nnfs_xp.errors import FileFormatError, InputError
from nnfs_xp.random import Stream

# Examples overwrite the file of the one before; a busy machine may be slow.
FILES_STAY = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
X = np.arange(40.0, dtype=np.float32).reshape(10, 4)
Y = np.arange(10) % 3


@pytest.fixture
def save(tmp_path):
    """Save arrays to a file and give its path."""

    def write(**arrays):
        path = tmp_path / "a.npz"
        np.savez(path, **arrays)
        return path

    return write


@pytest.mark.parametrize(
    "keys",
    [
        ("x_train", "y_train"),
        ("x", "y"),
        ("X", "y"),
        ("images", "labels"),
        ("data", "target"),
        ("X_Train", "Y_TRAIN"),
    ],
)
def test_keys(save, keys):
    path = save(**dict(zip(keys, (X, Y), strict=True)), other=np.eye(2))
    found, test = read_npz(path)
    np.testing.assert_array_equal(found.x, X)
    assert found.x.dtype == X.dtype
    np.testing.assert_array_equal(found.y, Y)
    assert found.class_names == ("0", "1", "2")
    assert test is None


def test_own_test_part(save):
    path = save(x_train=X, y_train=Y, x_test=X[:3] + 1, y_test=[0, 4, 0])
    dataset = load_dataset(path)
    np.testing.assert_array_equal(dataset.x_test, X[:3] + 1)
    assert len(dataset.x_train) == 10
    assert dataset.n_classes == 5
    examples = load_examples(path)
    np.testing.assert_array_equal(examples.x, dataset.x_test)
    assert examples.y.tolist() == [0, 4, 0]


def test_images_are_flattened(save):
    images = np.arange(60, dtype=np.uint8).reshape(10, 2, 3)
    dataset = load_dataset(save(x=images, y=Y))
    assert dataset.image_shape == (2, 3)
    assert dataset.x_train.shape == (8, 6)
    assert dataset.x_train.dtype == np.uint8
    assert dataset.scaling.to_dict() == {"offset": 127.5, "scale": 127.5}


def test_foreign_byte_order(save):
    found, _ = read_npz(save(x=X.astype(">f4"), y=Y.astype(">i2")))
    assert found.x.dtype == np.float32 and found.x.dtype.isnative
    assert found.y.dtype == np.int16 and found.y.dtype.isnative
    np.testing.assert_array_equal(found.x, X)


def test_held_out_rows(save):
    path = save(x=X, y=Y)
    dataset = load_dataset(path, seed=5)
    chosen = sorted(Stream(5, "holdout").permutation(10)[:2].tolist())
    others = [row for row in range(10) if row not in chosen]
    np.testing.assert_array_equal(dataset.x_test, X[chosen])
    np.testing.assert_array_equal(dataset.y_test, Y[chosen])
    np.testing.assert_array_equal(dataset.x_train, X[others])
    np.testing.assert_array_equal(dataset.y_train, Y[others])
    assert "2 of 10 rows" in dataset.note and "seed 5" in dataset.note


def test_two_rows_are_enough_and_one_is_not(save):
    dataset = load_dataset(save(x=X[:2], y=Y[:2]))
    assert len(dataset.x_train) == len(dataset.x_test) == 1
    path = save(x=X[:1], y=Y[:1])
    with pytest.raises(InputError, match="two are needed"):
        load_dataset(path)
    assert len(load_examples(path).x) == 1


def test_without_labels(save):
    path = save(x=X)
    with pytest.raises(FileFormatError, match="has no labels.*y_train"):
        load_dataset(path)
    examples = load_examples(path)
    assert examples.y is None and examples.class_names == ()
    np.testing.assert_array_equal(examples.x, X)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({}, "holds nothing; expected one of x_train/y_train"),
        ({"y": Y}, "holds y; expected one of"),
        ({"x": X, "X": X, "y": Y}, "'x' twice"),
        ({"x": X, "y": Y, "x_test": X}, "has no labels"),
        ({"x": X, "y": Y, "y_test": Y}, "y_test without x_test"),
        ({"x": X.astype(complex), "y": Y}, "must be real numbers, not complex128"),
        ({"x": X.astype(str), "y": Y}, "must be real numbers, not <U"),
        ({"x": X.astype("M8[s]"), "y": Y}, "must be real numbers, not datetime"),
        ({"x": X.astype(object), "y": Y}, "[Oo]bject arrays"),
        ({"x": X, "y": Y.astype(object)}, "[Oo]bject arrays"),
        ({"x": X[:, 0], "y": Y}, r"not \(10,\)"),
        ({"x": X.reshape(10, 2, 2, 1), "y": Y}, r"not \(10, 2, 2, 1\)"),
        ({"x": X[:0], "y": Y[:0]}, r"empty, shape \(0, 4\)"),
        ({"x": X[:, :0], "y": Y}, r"empty, shape \(10, 0\)"),
        ({"x": np.where(X == 21, np.nan, X), "y": Y}, "NaN or infinity in row 5"),
        ({"x": np.where(X == 39, np.inf, X), "y": Y}, "NaN or infinity in row 9"),
        ({"x": X, "y": Y[:9]}, r"shape \(10,\).*not \(9,\)"),
        ({"x": X, "y": Y[:, None]}, r"shape \(10,\).*not \(10, 1\)"),
        ({"x": X, "y": Y.astype(float)}, "must be integers, not float64"),
        ({"x": X, "y": Y > 0}, "must be integers, not bool"),
        ({"x": X, "y": Y.astype(str)}, "must be integers, not <U"),
        ({"x": X, "y": Y - 1}, "not -1 in row 0"),
        ({"x": X, "y": Y * 10**6}, "not 1000000 in row 1"),
        ({"x": X, "y": Y, "x_test": X[:, :3], "y_test": Y}, r"\(3,\).*\(4,\)"),
    ],
)
def test_refused(save, arrays, message):
    with pytest.raises(FileFormatError, match=message) as caught:
        load_dataset(save(**arrays))
    assert "a.npz" in str(caught.value)


class Trap:
    """Something that must not be unpickled."""

    def __reduce__(self):
        """Raise on loading."""
        return (pytest.fail, ("the file was unpickled",))


def test_pickles_are_never_opened(save, tmp_path):
    with pytest.raises(FileFormatError, match="[Oo]bject arrays"):
        load_dataset(save(x=np.array([[Trap()]], dtype=object), y=Y[:1]))
    path = tmp_path / "bare.npz"
    np.array([Trap()], dtype=object).dump(path)
    with pytest.raises(FileFormatError, match="cannot be read as .npz"):
        load_dataset(path)


@pytest.mark.parametrize("content", [b"", b"x", b"PK\x03\x04", b"PK\x05\x06"])
def test_damaged_archive(tmp_path, content):
    path = tmp_path / "a.npz"
    path.write_bytes(content)
    with pytest.raises(FileFormatError, match="cannot be read as .npz"):
        read_npz(path)


def test_single_array_called_npz(tmp_path):
    path = tmp_path / "a.npz"
    with open(path, "wb") as file:
        np.save(file, X)
    with pytest.raises(FileFormatError, match="single .npy array"):
        read_npz(path)


def test_absurd_shape(tmp_path):
    header = io.BytesIO()
    description = {"descr": "<f8", "fortran_order": False, "shape": (2**50, 2)}
    np.lib.format.write_array_header_1_0(header, description)
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", header.getvalue())
    with pytest.raises(FileFormatError, match="cannot be read as .npz"):
        read_npz(path)


@FILES_STAY
@given(data=st.data())
def test_any_damage_is_survived(save, data):
    path = save(x=X[:3], y=Y[:3])
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        position = data.draw(st.integers(0, len(content) - 1))
        content[position] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    # Any other exception fails the test.
    with contextlib.suppress(FileFormatError):
        read_npz(path)


@pytest.mark.parametrize("name", ["a.txt", "a.npy", "a", "idx"])
def test_unknown_format(tmp_path, name):
    path = tmp_path / name
    path.write_text("1,2,3\n")
    with pytest.raises(FileFormatError, match="no format that is known: .npz, .csv"):
        load_dataset(path)
