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
from nnfs_xp.data.array_files import read_npz
from nnfs_xp.errors import DataWarning, FileFormatError, InputError
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
    assert load_dataset(path).class_names == ("0", "1", "2")
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
    order = Stream(5, "holdout").permutation(10)
    chosen = sorted(sorted(order, key=lambda row: Y[row])[2::5])
    others = [row for row in range(10) if row not in chosen]
    np.testing.assert_array_equal(dataset.x_test, X[chosen])
    np.testing.assert_array_equal(dataset.y_test, Y[chosen])
    np.testing.assert_array_equal(dataset.x_train, X[others])
    np.testing.assert_array_equal(dataset.y_train, Y[others])
    assert (load_dataset(path, seed=6).x_test != dataset.x_test).any()
    assert "2 of 10 rows" in dataset.note and "seed 5" in dataset.note


def test_two_rows_are_enough_and_one_is_not(save):
    with pytest.warns(DataWarning, match="class '0' has a single row"):
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
        ({}, "holds no array; expected one of x_train/y_train"),
        ({"y": Y}, "holds y; expected one of"),
        ({"x": X, "X": X, "y": Y}, "'x' twice"),
        ({"x": X, "y": Y, "x_test": X}, "has no labels"),
        ({"x": X, "y": Y, "y_test": Y}, "y_test without x_test"),
        ({"x": X.astype(complex), "y": Y}, "must be real numbers, not complex128"),
        ({"x": X.astype(str), "y": Y}, "must be real numbers, not <U"),
        ({"x": X.astype("M8[s]"), "y": Y}, "must be real numbers, not datetime"),
        ({"x": X.astype(object), "y": Y}, r"x holds Python objects.* x.astype\(float"),
        ({"x": X, "y": Y.astype(object)}, r"y holds Python objects.* y.astype\(str"),
        ({"x": X[:, 0], "y": Y}, r"not \(10,\)"),
        ({"x": X.reshape(5, 2, 2, 2), "y": Y}, r"not \(5, 2, 2, 2\)"),
        ({"x": X[:0], "y": Y[:0]}, r"empty, shape \(0, 4\)"),
        ({"x": X[:, :0], "y": Y}, r"empty, shape \(10, 0\)"),
        ({"x": np.where(X == 21, np.nan, X), "y": Y}, "NaN or infinity in row 5"),
        ({"x": np.where(X == 39, np.inf, X), "y": Y}, "NaN or infinity in row 9"),
        ({"x": X, "y": Y[:9]}, r"shape \(10,\).*not \(9,\)"),
        ({"x": X, "y": np.eye(10)[:, :9]}, r"shape \(10,\).*not \(10, 9\)"),
        ({"x": X, "y": Y.astype(complex)}, "must be numbers or names, not complex"),
        ({"x": X, "y": np.where(Y == 1, np.nan, Y)}, "labels hold NaN .* in row 1"),
        ({"x": X, "y": Y * 10**6}, "from 0 to 65535, not 2000000"),
        ({"arr_0": X, "arr_1": Y, "arr_2": X}, "holds arr_0, arr_1, arr_2; expected"),
        ({"inputs": X, "y": Y}, "holds inputs, y; expected"),
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
    with pytest.raises(FileFormatError, match="x holds Python objects"):
        load_dataset(save(x=np.array([[Trap()]], dtype=object), y=Y[:1]))
    np.save(tmp_path / "x_train.npy", np.array([[Trap()]], dtype=object))
    with pytest.raises(FileFormatError, match="x_train holds Python objects") as error:
        load_dataset(tmp_path / "x_train.npy")
    assert "allow_pickle" not in str(error.value)
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


@pytest.mark.parametrize("name", ["a.txt", "a", "idx"])
def test_unknown_format(tmp_path, name):
    path = tmp_path / name
    path.write_text("1,2,3\n")
    with pytest.raises(
        FileFormatError, match="no format that is known: .npz, .npy, .csv"
    ):
        load_dataset(path)


def test_names_of_medmnist(save):
    images = np.arange(10 * 12, dtype=np.uint8).reshape(10, 2, 2, 3)
    arrays = {"train_images": images, "train_labels": Y[:, None]}
    arrays |= {"val_images": images[:1], "val_labels": Y[:1, None]}
    path = save(**arrays, test_images=images[:4], test_labels=Y[:4, None])
    dataset = load_dataset(path)
    assert dataset.image_shape == (2, 2, 3)
    assert (len(dataset.x_train), len(dataset.x_test)) == (10, 4)
    assert dataset.y_train.tolist() == Y.tolist()


def test_arrays_that_savez_named(tmp_path):
    np.savez(tmp_path / "a.npz", X, Y)
    assert load_examples(tmp_path / "a.npz").y.tolist() == Y.tolist()


@pytest.mark.parametrize(
    ("answers", "names"),
    [
        (np.eye(3)[Y], ("0", "1", "2")),
        (np.eye(3, dtype=bool)[Y], ("0", "1", "2")),
        (Y > 0, ("False", "True")),
        (Y[:, None], ("0", "1", "2")),
        (Y.astype(float), ("0", "1", "2")),
        (np.array(["c", "b", "a"])[Y], ("a", "b", "c")),
        (Y - 1, ("-1", "0", "1")),
    ],
)
def test_forms_of_labels(save, answers, names):
    dataset = load_dataset(save(x_train=X, y_train=answers, x_test=X, y_test=answers))
    assert dataset.class_names == names
    expected = {"False": Y > 0, "a": 2 - Y}.get(names[0], Y)
    np.testing.assert_array_equal(dataset.y_train, expected)


@pytest.mark.parametrize(
    ("x", "y"), [("x", "y"), ("X_train", "y_train"), ("images", "labels")]
)
def test_arrays_side_by_side(tmp_path, x, y):
    np.save(tmp_path / f"{x}.npy", X)
    assert load_examples(tmp_path / f"{x}.npy").y is None
    np.save(tmp_path / f"{y}.npy", Y)
    np.save(tmp_path / "new.npy", X[:2])
    for path in (tmp_path, tmp_path / f"{x}.npy"):
        found = load_examples(path)
        np.testing.assert_array_equal(found.x, X)
        np.testing.assert_array_equal(found.y, Y)
    assert load_examples(tmp_path / "new.npy").y is None


@pytest.mark.parametrize("content", [b"", b"x", b"\x93NUMPY\1\0"])
def test_damaged_array(tmp_path, content):
    (tmp_path / "x.npy").write_bytes(content)
    with pytest.raises(FileFormatError, match="x.npy: cannot be read as .npy"):
        load_examples(tmp_path / "x.npy")


def test_an_array_that_declares_more_than_it_has(tmp_path):
    header = io.BytesIO()
    description = {"descr": "<f8", "fortran_order": False, "shape": (2**50, 2)}
    np.lib.format.write_array_header_1_0(header, description)
    (tmp_path / "x.npy").write_bytes(header.getvalue())
    with pytest.raises(FileFormatError, match="cannot be read as .npy"):
        load_examples(tmp_path / "x.npy")


@pytest.mark.slow
def test_an_archive_that_would_unpack_to_gigabytes(tmp_path, monkeypatch):
    path = tmp_path / "bomb.npz"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("x.npy", "w", force_zip64=True) as file,
    ):
        for _ in range(1100):
            file.write(bytes(2**20))
    monkeypatch.setattr(np, "load", lambda *_, **__: pytest.fail("unpacked"))
    with pytest.raises(FileFormatError, match="would unpack to 1,153,433,600 bytes"):
        load_examples(path)
