"""The vertical data against the points of the nnfs package."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from nnfs_xp.data import load_dataset, spiral_data, vertical_data

# From nnfs 0.5.1 with NumPy 2.1, 2.3 and 2.4, where they are the same:
# numpy.random.seed(seed); vertical_data(samples, classes), after nnfs.init()
# for float32 and without it for float64. The start of the SHA-256 of the
# points; there is no arithmetic in them that depends on the machine.
POINTS = [
    ("float32", 0, 100, 3, "223606dae4955350"),
    ("float32", 0, 1000, 3, "0cf5f5296472f344"),
    ("float32", 7, 37, 5, "f4d4eaba00908aef"),
    ("float32", 1, 10, 256, "cfca9deffd700111"),
    ("float32", 2**32 - 1, 100, 3, "9bf11dbefc2e9448"),
    ("float32", 0, 1, 1, "69022347a1e247ea"),
    ("float64", 0, 100, 3, "781e03cf1d8f73fb"),
    ("float64", 0, 1000, 3, "ca0d6ca99d369638"),
    ("float64", 7, 37, 5, "c92bcd09153ca4cd"),
    ("float64", 1, 10, 256, "6e7beb3a19f52d0e"),
    ("float64", 2**32 - 1, 100, 3, "5a8a07293f8164a2"),
    ("float64", 0, 1, 1, "1a3fac6e9816eb8e"),
]
# Rows 1, 150 and 299 of seed 0, 100, 3, in both precisions.
ROWS = {
    "float32": [
        ("0x1.47cf0ep-5", "0x1.75fd4ep-2"),
        ("0x1.8ab0bep-2", "0x1.b1c06cp-2"),
        ("0x1.5158e0p-1", "0x1.edb664p-2"),
    ],
    "float64": [
        ("0x1.47cf0c8a3a110p-5", "0x1.75fd4e0bcd5dcp-2"),
        ("0x1.8ab0bc86b785cp-2", "0x1.b1c06ceef431ep-2"),
        ("0x1.5158e01f36686p-1", "0x1.edb664e40668cp-2"),
    ],
}


def digest(points):
    little_endian = points.astype(points.dtype.newbyteorder("<"))
    return hashlib.sha256(little_endian.tobytes()).hexdigest()[:16]


@pytest.mark.parametrize(("dtype", "seed", "samples", "classes", "expected"), POINTS)
def test_points(dtype, seed, samples, classes, expected):
    x, y = vertical_data(samples, classes, seed=seed, dtype=dtype)
    assert x.dtype == dtype and x.shape == (samples * classes, 2)
    assert y.dtype == np.uint8
    assert y.tolist() == [label for label in range(classes) for _ in range(samples)]
    assert digest(x) == expected


@pytest.mark.parametrize("dtype", ROWS)
def test_some_points_bit_for_bit(dtype):
    x, _ = vertical_data(100, 3, dtype=dtype)
    expected = [[float.fromhex(text) for text in row] for row in ROWS[dtype]]
    assert x[[1, 150, 299]].tolist() == expected


# spiral_data(100, 3) twice, vertical_data(100, 3) and then randn(2, 3), as nnfs
# 0.5.1 gives them after nnfs.init().
AFTER_TWO_SPIRALS = "3c7e0458a6701677"
DRAWN_LAST = [
    ("-0x1.caf0f8p-1", "-0x1.f6759ap+0", "0x1.95b6ccp+0"),
    ("0x1.4bc270p-1", "-0x1.23960ap+0", "-0x1.36e302p+0"),
]


def test_data_and_weights_of_one_generator():
    generator = np.random.RandomState(0)
    spiral_data(100, 3, seed=generator)
    spiral_data(100, 3, seed=generator)
    assert digest(vertical_data(100, 3, seed=generator)[0]) == AFTER_TWO_SPIRALS
    weights = generator.randn(2, 3).astype("float32")
    expected = [[float.fromhex(text) for text in row] for row in DRAWN_LAST]
    assert weights.tolist() == expected


def test_data_set():
    dataset = load_dataset("vertical")
    np.testing.assert_array_equal(dataset.x_train, vertical_data(100, 3)[0])
    np.testing.assert_array_equal(dataset.x_test, vertical_data(100, 3, seed=1)[0])
    np.testing.assert_array_equal(dataset.features("train"), dataset.x_train)
    assert dataset.class_names == ("left", "middle", "right")
