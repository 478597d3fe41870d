"""The sine against the values of the nnfs package."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from nnfs_xp.data import sine_data
from nnfs_xp.errors import InputError

# From nnfs 0.5.1, the same after nnfs.init() and without it, with NumPy 2.1,
# 2.3 and 2.4: rows of sine_data()[1]. Row 500, half a period, is not quite 0
# because float64 has no pi.
ROWS = [1, 123, 250, 500, 999]
SINES = [
    "0x1.9bc5a9d91f679p-8",
    "0x1.6575f0138cda3p-1",
    "0x1.0000000000000p+0",
    "0x1.1a62633145c07p-53",
    "-0x1.9bc5a9d91f5d1p-8",
]
# The start of the SHA-256 of sine_data(samples)[0], which has one rounding for
# each number and so no choice.
FEATURES = [
    (1000, "01ee92da61cd9071"),
    (7, "d3f84204b982d97d"),
    (1, "af5570f5a1810b7a"),
]


@pytest.mark.parametrize(("samples", "expected"), FEATURES)
def test_features(samples, expected):
    x, y = sine_data(samples)
    assert x.shape == y.shape == (samples, 1)
    assert x.dtype == y.dtype == np.float64
    assert hashlib.sha256(x.astype("<f8").tobytes()).hexdigest()[:16] == expected


def test_targets():
    _, y = sine_data()
    assert len(y) == 1000
    expected = np.array([float.fromhex(text) for text in SINES])
    # The last bit is that of the machine's sine.
    np.testing.assert_array_max_ulp(y[ROWS, 0], expected, 1)


def test_float32_is_the_same_rounded():
    x64, y64 = sine_data(100)
    x32, y32 = sine_data(100, dtype=np.float32)
    assert x32.dtype == y32.dtype == np.float32
    np.testing.assert_array_equal(x32, x64.astype(np.float32))
    np.testing.assert_array_equal(y32, y64.astype(np.float32))
    # Computed in float32, the sine of half a period would be 1e-7 off.
    assert abs(y32[50, 0]) < 1e-15


@pytest.mark.parametrize("samples", [0, -1, 2.0, "2", True, None, 2**31])
def test_refused_samples(samples):
    with pytest.raises(InputError, match="samples must be an integer"):
        sine_data(samples)


@pytest.mark.parametrize("dtype", ["float16", "int64", "double precision", None, 3])
def test_refused_dtype(dtype):
    with pytest.raises(InputError, match="dtype must be 'float32' or 'float64'"):
        sine_data(4, dtype=dtype)
