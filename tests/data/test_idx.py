"""The IDX reader, and finding the files that belong together."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nnfs_xp.data import load_dataset, load_examples
from nnfs_xp.data.columns import Layout
from nnfs_xp.data.idx import read_idx
from nnfs_xp.data.readers import read_file
from nnfs_xp.errors import FileFormatError

# Examples overwrite the file of the one before; a busy machine may be slow.
FILES_STAY = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
HEADER = b"\0\0\x08\x01\0\0\0\x03"  # three bytes in one dimension
# Without a time in it, for it becomes part of the names of the tests.
PACKED = gzip.compress(HEADER + b"abc", mtime=0)


@pytest.mark.parametrize("compressed", [False, True])
@FILES_STAY
@given(data=st.data())
def test_round_trip(encode_idx, tmp_path, data, compressed):
    code = data.draw(st.sampled_from(["u1", "i1", "i2", "i4", "f4", "f8"]))
    shape = hnp.array_shapes(min_dims=1, max_dims=4, max_side=5)
    array = data.draw(hnp.arrays(np.dtype(code), shape))
    content = encode_idx(array)
    path = tmp_path / "a-idx"
    path.write_bytes(gzip.compress(content) if compressed else content)

    result = read_idx(path, sha256=hashlib.sha256(content).hexdigest())

    assert result.dtype == array.dtype and result.dtype.isnative
    assert result.flags.writeable
    np.testing.assert_array_equal(result, array)


def test_known_bytes(tmp_path):
    path = tmp_path / "a-idx"
    path.write_bytes(b"\0\0\x0b\x02" + struct.pack(">IIhhhh", 2, 2, 1, -2, 256, 0))
    assert read_idx(path).tolist() == [[1, -2], [256, 0]]


@FILES_STAY
@given(start=st.sampled_from([b"", b"\0\0\x08\x01", HEADER]), rest=st.binary())
def test_any_bytes_are_read_or_refused(tmp_path, start, rest):
    path = tmp_path / "a-idx"
    path.write_bytes(start + rest)
    # Any other exception fails the test.
    with contextlib.suppress(FileFormatError):
        read_idx(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "starts with nothing"),
        (b"\x89PNG", "starts with 89 50 4e 47"),
        (b"\0\0\x0a\x01", "not an IDX file"),
        (b"\0\0\x08\x00", "not an IDX file"),
        (b"\0\0\x08\xff", "not an IDX file"),
        (b"\0\0\x08\x02\0\0\0\x03", "ends within its IDX header"),
        (b"\0\0\x08\x01\0\0\0\0", "no elements"),
        (HEADER + b"ab", "only 2 follow"),
        (HEADER + b"abcd", "more follow"),
        (PACKED[:-12], "is damaged"),
        (PACKED + b"x" + bytes(4), "cannot be read"),
        (PACKED[:10] + b"\xff" * 30, "is damaged"),
        (PACKED[:10] + b"\xff" * 30 + bytes(4), "cannot be read"),
    ],
)
def test_damaged_file(tmp_path, content, message):
    path = tmp_path / "a-idx"
    path.write_bytes(content)
    with pytest.raises(FileFormatError, match=message) as caught:
        read_idx(path)
    assert str(path) in str(caught.value)


def test_flipped_bit_in_gzip(tmp_path):
    damaged = bytearray(gzip.compress(HEADER + b"abc", compresslevel=0))
    damaged[damaged.index(b"abc")] ^= 1
    path = tmp_path / "a-idx.gz"
    path.write_bytes(damaged)
    with pytest.raises(FileFormatError, match="CRC"):
        read_idx(path)


@pytest.mark.parametrize("compressed", [False, True])
def test_huge_declared_size_takes_no_memory(tmp_path, compressed):
    content = b"\0\0\x0e\x03" + b"\xff" * 12 + b"few"
    path = tmp_path / "a-idx"
    path.write_bytes(gzip.compress(content) if compressed else content)
    tracemalloc.start()
    try:
        with pytest.raises(FileFormatError, match="only 3 follow"):
            read_idx(path)
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


def test_wrong_checksum(tmp_path):
    path = tmp_path / "a-idx"
    path.write_bytes(HEADER + b"abc")
    with pytest.raises(FileFormatError, match="not the expected content"):
        read_idx(path, sha256="0" * 64)


def test_missing_file(tmp_path):
    with pytest.raises(FileFormatError, match="absent"):
        read_idx(tmp_path / "absent")


@pytest.mark.parametrize("given_path", ["", "train-images-idx3-ubyte"])
def test_family_with_test_part(idx_family, given_path):
    dataset = load_dataset(idx_family / given_path)
    assert dataset.x_train.shape == (10, 6)
    assert dataset.x_train.dtype == np.uint8
    assert dataset.x_test[0].tolist() == [100, 101, 102, 103, 104, 105]
    assert dataset.y_train.tolist() == [0, 1, 2, 0, 1, 2, 0, 1, 2, 0]
    assert dataset.y_test.tolist() == [0, 1, 2, 0]
    assert dataset.image_shape == (2, 3)
    assert dataset.class_names == ("0", "1", "2")
    assert dataset.scaling.to_dict() == {"offset": 127.5, "scale": 127.5}
    assert load_examples(idx_family / given_path).x.tolist() == dataset.x_test.tolist()


def test_test_images_by_themselves(idx_family):
    examples = load_examples(idx_family / "t10k-images-idx3-ubyte.gz")
    assert examples.x.shape == (4, 6)
    assert examples.y is not None and examples.y.tolist() == [0, 1, 2, 0]


def test_dotted_names(idx_family):
    for path in list(idx_family.iterdir()):
        path.rename(path.with_name(path.name.replace("-idx", ".idx")))
    assert load_dataset(idx_family).y_test.tolist() == [0, 1, 2, 0]


def test_rows_held_out_without_test_part(idx_family):
    (idx_family / "t10k-images-idx3-ubyte.gz").unlink()
    dataset = load_dataset(idx_family)
    assert len(dataset.x_train) == 8 and len(dataset.x_test) == 2


def test_missing_labels(idx_family):
    (idx_family / "train-labels-idx1-ubyte.gz").unlink()
    (idx_family / "t10k-images-idx3-ubyte.gz").unlink()
    with pytest.raises(FileFormatError, match="has no labels.*train-labels-idx1-ubyte"):
        load_dataset(idx_family)
    examples = load_examples(idx_family)
    assert examples.y is None and examples.class_names == ()
    assert len(examples.x) == 10


def test_missing_labels_of_test_part(idx_family):
    (idx_family / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(FileFormatError, match="has no labels"):
        load_dataset(idx_family)


def test_labels_file_is_not_enough(idx_family):
    with pytest.raises(FileFormatError, match="give the IDX file of the images"):
        read_file(idx_family / "t10k-labels-idx1-ubyte", Layout())


def test_directory_of_other_things(tmp_path):
    with pytest.raises(FileFormatError, match="without train-images-idx3-ubyte"):
        load_dataset(tmp_path)


def test_parts_of_different_shape(idx_family, encode_idx):
    wider = np.zeros((4, 3, 2), dtype=np.uint8)
    (idx_family / "t10k-images-idx3-ubyte.gz").write_bytes(encode_idx(wider))
    with pytest.raises(FileFormatError, match=r"\(3, 2\).*\(2, 3\)"):
        load_dataset(idx_family)


def test_fewer_labels_than_images(idx_family, encode_idx):
    labels = encode_idx(np.zeros(9, dtype=np.uint8))
    (idx_family / "train-labels-idx1-ubyte.gz").write_bytes(labels)
    with pytest.raises(FileFormatError, match=r"shape \(10,\).*not \(9,\)"):
        load_dataset(idx_family)


def test_float_labels(idx_family, encode_idx):
    """Numbers that are whole are classes, others are to be predicted."""
    path = idx_family / "train-labels-idx1-ubyte.gz"
    path.write_bytes(encode_idx(np.float32(np.arange(10) % 3)))
    assert load_dataset(idx_family).y_train.tolist() == [0, 1, 2] * 3 + [0]
    path.write_bytes(encode_idx(np.arange(10, dtype=np.float32) / 4))
    dataset = load_dataset(idx_family)
    assert dataset.task == "regression" and dataset.y_train[1] == 0.25
