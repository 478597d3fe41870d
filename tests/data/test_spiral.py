"""The spiral against the points of the nnfs package."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from nnfs_xp.data import load_dataset, spiral_data

# From nnfs 0.5.1 with NumPy 2.1, 2.3 and 2.4, where they are the same:
# numpy.random.seed(seed); spiral_data(samples, classes), after nnfs.init() for
# float32 and without it for float64. The start of the SHA-256 of the points.
FLOAT32_POINTS = [
    (0, 100, 3, "ce93f1d0d63e477e"),
    (0, 1000, 3, "823d34233e295a07"),
    (7, 37, 5, "5180278cd97b7e4c"),
    (1, 10, 256, "1776137d431fe948"),
    (2**32 - 1, 100, 3, "c8019f34cea6185f"),
    (0, 1, 1, "af5570f5a1810b7a"),
]
# The same of the float64 points rounded to float32.
FLOAT64_POINTS = [
    (0, 100, 3, "40241cac0a8af9da"),
    (0, 1000, 3, "b5143d50c9f28f9d"),
    (7, 37, 5, "8adca57738c14319"),
    (1, 10, 256, "d3954c22a7019fee"),
    (2**32 - 1, 100, 3, "541fbcfc5cc95e6c"),
]
# Rows 1, 50, 99, 150 and 299 of seed 0, 100, 3.
FLOAT32_ROWS = [
    ("0x1.88a236p-9", "0x1.3c199cp-7"),
    ("-0x1.0108aap-1", "-0x1.c49ea4p-5"),
    ("-0x1.66b30ep-1", "-0x1.6d58f0p-1"),
    ("0x1.49d414p-2", "-0x1.8e58a8p-2"),
    ("-0x1.e2b536p-1", "0x1.55645ep-2"),
]
FLOAT64_ROWS = [
    ("0x1.88a233ee1f27bp-9", "0x1.3c199cdd9d1abp-7"),
    ("-0x1.0108a9a2edd9fp-1", "-0x1.c49ea1a928445p-5"),
    ("-0x1.66b30d4eeecf0p-1", "-0x1.6d58ef650de90p-1"),
    ("0x1.49d4145697afbp-2", "-0x1.8e58a83b7ddefp-2"),
    ("-0x1.e2b5357efb344p-1", "0x1.55645dc3a3b23p-2"),
]


def digest(points):
    return hashlib.sha256(points.astype("<f4").tobytes()).hexdigest()[:16]


def from_hex(rows):
    return np.array([[float.fromhex(text) for text in row] for row in rows])


def test_form():
    x, y = spiral_data(100, 3)
    assert x.dtype == np.float32 and x.shape == (300, 2)
    assert y.dtype == np.uint8
    assert y.tolist() == [0] * 100 + [1] * 100 + [2] * 100
    x, y = spiral_data(2, 256, dtype="float64")
    assert x.dtype == np.float64
    assert y.tolist() == [label for label in range(256) for _ in range(2)]


@pytest.mark.parametrize(("seed", "samples", "classes", "expected"), FLOAT32_POINTS)
def test_points_after_init(seed, samples, classes, expected):
    # Sine and cosine may differ between machines, but in the last bits of
    # float64, and those do not reach float32.
    assert digest(spiral_data(samples, classes, seed=seed)[0]) == expected


@pytest.mark.parametrize(("seed", "samples", "classes", "expected"), FLOAT64_POINTS)
def test_points_without_init(seed, samples, classes, expected):
    x, _ = spiral_data(samples, classes, seed=seed, dtype="float64")
    assert digest(x) == expected


def test_some_points_bit_for_bit():
    rows = [1, 50, 99, 150, 299]
    x, _ = spiral_data(100, 3)
    np.testing.assert_array_equal(x[rows], from_hex(FLOAT32_ROWS))
    x, _ = spiral_data(100, 3, dtype="float64")
    # The last bit is that of the machine's sine and cosine.
    np.testing.assert_array_max_ulp(x[rows], from_hex(FLOAT64_ROWS), 2)


# Training points, then test points: spiral_data(100, 3) twice in nnfs 0.5.1.
SEQUENCES = [
    ("float32", ["ce93f1d0d63e477e", "49a0da8dc74487dd"]),
    ("float64", ["40241cac0a8af9da", "11ea898f8f695de1"]),
]


@pytest.mark.parametrize(("dtype", "expected"), SEQUENCES)
def test_one_generator_goes_on(dtype, expected):
    generator = np.random.RandomState(0)
    found = [
        digest(spiral_data(100, 3, seed=generator, dtype=dtype)[0]) for _ in range(2)
    ]
    assert found == expected


def test_data_set():
    dataset = load_dataset("spiral")
    np.testing.assert_array_equal(dataset.x_train, spiral_data(100, 3)[0])
    np.testing.assert_array_equal(dataset.x_test, spiral_data(100, 3, seed=1)[0])
    np.testing.assert_array_equal(dataset.features("train"), dataset.x_train)
    assert dataset.n_features == 2 and dataset.n_classes == 3
    assert dataset.image_shape is None
