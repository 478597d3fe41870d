"""The map from raw features to what a network is fed."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nnfs_xp.data import Scaling
from nnfs_xp.errors import DTypeError, InputError


def test_images_are_scaled_as_in_the_book():
    pixels = np.arange(256, dtype=np.uint8).reshape(2, 128)
    expected = (pixels.astype(np.float32) - 127.5) / 127.5
    result = Scaling.images().apply(pixels)
    assert result.dtype == np.float32
    np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", np.float64])
def test_dtype_of_result(dtype):
    assert Scaling(1.0, 2.0).apply([[1, 3]], dtype).tolist() == [[0.0, 1.0]]
    assert Scaling(1.0, 2.0).apply([[1, 3]], dtype).dtype == np.dtype(dtype)


@pytest.mark.parametrize("dtype", ["int32", "complex64", "bool", "no such type", 3])
def test_other_dtypes_are_refused(dtype):
    with pytest.raises(DTypeError, match="dtype"):
        Scaling.identity().apply([[1]], dtype)


def test_apply_leaves_its_input_alone():
    x = np.ones((2, 2), dtype=np.float32)
    result = Scaling.identity().apply(x)
    assert not np.shares_memory(result, x)
    Scaling(1.0, 2.0).apply(x)
    assert (x == 1).all()


def test_wide_values_keep_their_differences():
    stamps = np.array([[1_700_000_000, 1_700_000_060]])
    scaled = Scaling.standard(stamps).apply(stamps, "float32")
    assert scaled.tolist() == [[-1.0, 1.0]]


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        (np.array([0, 2], dtype=np.uint8), Scaling(127.5, 127.5)),
        (np.array([0, 1], dtype=np.uint8), Scaling(0.5, 0.5)),
        (np.array([0, 255]), Scaling(127.5, 127.5)),
        (np.array([False, True]), Scaling(0.5, 0.5)),
        (np.array([0.1, 0.1, 0.1]), Scaling(0.1, 1.0)),
        (np.array([0.0, 0.0]), Scaling(0.0, 1.0)),
        (np.array([-1e300, 1e300]), Scaling(0.0, 1e300)),
        (np.array([-1, 1], dtype=np.float16), Scaling(0.0, 1.0)),
    ],
)
def test_standard(x, expected):
    assert Scaling.standard(x) == expected


@pytest.mark.parametrize("x", [[], [[]], [np.nan, 1.0], [1.0, np.inf]])
def test_standard_needs_finite_values(x):
    with pytest.raises(InputError, match="x must"):
        Scaling.standard(x)


@settings(deadline=None)
@given(
    hnp.arrays(
        np.float64,
        hnp.array_shapes(max_dims=2),
        elements=st.floats(-1e300, 1e300),
    )
)
def test_standard_never_overflows(x):
    scaled = Scaling.standard(x).apply(x, "float64")
    assert np.isfinite(scaled).all()
    assert abs(scaled).max() <= np.sqrt(x.size) * 1.001 + 1e-6


@settings(deadline=None)
@given(st.floats(-1e9, 1e9), st.floats(1e-9, 1e9))
def test_json_round_trip(offset, scale):
    scaling = Scaling(offset, scale)
    assert Scaling.from_dict(json.loads(json.dumps(scaling.to_dict()))) == scaling


@pytest.mark.parametrize(
    "numbers",
    [
        {},
        {"offset": 1.0},
        {"offset": 1.0, "scale": 1.0, "more": 1.0},
        {"offset": "1", "scale": 1.0},
        {"offset": None, "scale": 1.0},
        {"offset": True, "scale": 1.0},
        {"offset": float("nan"), "scale": 1.0},
        {"offset": 10**400, "scale": 1.0},
        {"offset": 0.0, "scale": float("inf")},
        {"offset": 0.0, "scale": 0.0},
        {"offset": 0.0, "scale": -1.0},
        [1.0, 2.0],
        None,
    ],
)
def test_from_dict_refuses(numbers):
    with pytest.raises(InputError):
        Scaling.from_dict(numbers)


def test_columns_are_scaled_as_scikit_learn_does():
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    x = np.random.default_rng(0).normal(size=(50, 4)) * [1e-9, 1, 1e9, 0] + [1, 2, 3, 4]
    scaling = Scaling.standard(x, axis=0)
    expected = preprocessing.StandardScaler().fit(x)
    np.testing.assert_allclose(
        scaling.apply(x, "float64"), expected.transform(x), atol=1e-6
    )
    np.testing.assert_allclose(scaling.offset, expected.mean_)
    assert scaling.scale[3] == 1
    np.testing.assert_allclose(scaling.undo(scaling.apply(x, "float64")), x)


def test_scaling_by_column_in_json():
    scaling = Scaling([0.0, 1.0], np.array([2, 3]))
    again = Scaling.from_dict(json.loads(json.dumps(scaling.to_dict())))
    assert again == scaling == Scaling((0.0, 1.0), (2.0, 3.0))
    with pytest.raises(InputError, match=r"2 columns, .* not shape \(1, 3\)"):
        scaling.apply([[1, 2, 3]])


@pytest.mark.parametrize(
    ("offset", "scale"),
    [([0, 1], 1.0), (0.0, [1, 2]), ([0], [1, 2]), ([[0]], [[1]]), ([0, 1], [1, 0])],
)
def test_scaling_whose_numbers_do_not_fit(offset, scale):
    with pytest.raises(InputError, match="scale"):
        Scaling(offset, scale)
