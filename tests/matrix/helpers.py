"""What the tests of the matrix share."""

from __future__ import annotations

import numpy as np

import nnfs_xp as nx

NUMPY64 = nx.get_backend("numpy", dtype="float64")


def tolerance(be):
    """Relative tolerance between two backends: rounding only in float64."""
    return 1e-12 if be.dtype_name == "float64" else 4 * np.finfo(np.float32).eps ** 0.5


def assert_agrees(found, expected, be, rtol=None):
    """Compare an array of a backend with a host array, and check what it is."""
    assert isinstance(found, be.array_type()), type(found)
    assert found.dtype == be.dtype
    host = be.to_numpy(found)
    rtol = tolerance(be) if rtol is None else rtol
    # Sums that cancel are compared on the scale of the whole array.
    atol = rtol * float(np.max(np.abs(expected), initial=0.0))
    np.testing.assert_allclose(host, expected, rtol=rtol, atol=atol, strict=False)
    assert host.shape == np.shape(expected)


def host_params(layer, seed=3):
    """Draw parameters of a layer, biases too, as float64 host arrays."""
    random = np.random.default_rng(seed)
    return {
        name: random.standard_normal(shape)
        for name, (_, shape) in layer.initializers().items()
    }


def move(be, params):
    return {name: be.asarray(value, be.dtype) for name, value in params.items()}
