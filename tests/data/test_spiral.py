"""The spiral against the points of the nnfs package."""

from __future__ import annotations

import zlib

import numpy as np
import pytest

from nnfs_xp.data import load_dataset, spiral_data
from nnfs_xp.errors import InputError

# Printed by nnfs 0.5.1: nnfs.init(); spiral_data(100, 3)[0][[1, 50, 99, 150, 299]]
NNFS_POINTS = [
    [0.002995557, 0.009646608],
    [-0.5020192, -0.055251427],
    [-0.7005848, -0.71356916],
    [0.32209808, -0.38901007],
    [-0.9427888, 0.33339068],
]
NNFS_CRC32 = 3781696671


def test_points_of_the_book():
    x, y = spiral_data(100, 3)
    assert x.dtype == np.float32 and x.shape == (300, 2)
    assert y.dtype == np.uint8
    assert y.tolist() == [0] * 100 + [1] * 100 + [2] * 100
    np.testing.assert_array_equal(
        x[[1, 50, 99, 150, 299]], np.array(NNFS_POINTS, dtype=np.float32)
    )
    # Sine and cosine may differ between machines, but in the last bits of
    # float64, and those do not reach float32.
    assert zlib.crc32(x.astype("<f4").tobytes()) == NNFS_CRC32


def test_seed_and_global_state():
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    first, _ = spiral_data(10, 2, seed=7)
    again, _ = spiral_data(10, 2, seed=7)
    other, _ = spiral_data(10, 2, seed=8)
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    after = np.random.get_state()[1]  # noqa: NPY002
    np.testing.assert_array_equal(before, after)


def test_smallest_and_largest_class_count():
    x, y = spiral_data(1, 1)
    assert x.tolist() == [[0.0, 0.0]] and y.tolist() == [0]
    assert spiral_data(1, 256)[1].tolist() == list(range(256))


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"samples": 0, "classes": 3}, "samples"),
        ({"samples": -1, "classes": 3}, "samples"),
        ({"samples": 2.0, "classes": 3}, "samples"),
        ({"samples": "2", "classes": 3}, "samples"),
        ({"samples": True, "classes": 3}, "samples"),
        ({"samples": 2, "classes": 0}, "classes"),
        ({"samples": 2, "classes": 257}, "classes"),
        ({"samples": 2, "classes": None}, "classes"),
        ({"samples": 2, "classes": 3, "seed": -1}, "seed"),
        ({"samples": 2, "classes": 3, "seed": 2**32}, "seed"),
        ({"samples": 2, "classes": 3, "seed": 0.5}, "seed"),
    ],
)
def test_refused(arguments, name):
    with pytest.raises(InputError, match=f"{name} must be an integer"):
        spiral_data(**arguments)


def test_data_set():
    dataset = load_dataset("spiral")
    np.testing.assert_array_equal(dataset.x_train, spiral_data(100, 3)[0])
    np.testing.assert_array_equal(dataset.x_test, spiral_data(100, 3, seed=1)[0])
    np.testing.assert_array_equal(dataset.features("train"), dataset.x_train)
    assert dataset.n_features == 2 and dataset.n_classes == 3
    assert dataset.image_shape is None
