"""What the tests of the matrix share."""

from __future__ import annotations

import math

import numpy as np

import nnfs_xp as nx
from nnfs_xp.engine.data import each
from nnfs_xp.engine.network import Network
from nnfs_xp.engine.statistics import figures_of
from nnfs_xp.layers.nesting import walk
from nnfs_xp.testing import Bound
from tests.matrix.cases.types import STEP

NUMPY64 = nx.get_backend("numpy", dtype="float64")


def tolerance(be):
    """Relative tolerance between two backends: rounding only in float64."""
    return 1e-12 if be.dtype_name == "float64" else 4 * np.finfo(np.float32).eps ** 0.5


def assert_agrees(found, expected, be, rtol=None):
    """Compare an array of a backend with a host array, and check what it is.

    Several of them are compared one by one. Ids have no gradient, which is None.
    """
    if expected is None or isinstance(expected, tuple):
        assert type(found) is type(expected)
        for one, other in zip(found or (), expected or (), strict=True):
            assert_agrees(one, other, be, rtol)
        return
    assert isinstance(found, be.array_type()), type(found)
    assert found.dtype == be.dtype
    host = be.to_numpy(found)
    rtol = tolerance(be) if rtol is None else rtol
    # Sums that cancel are compared on the scale of the whole array.
    atol = rtol * float(np.max(np.abs(expected), initial=0.0))
    np.testing.assert_allclose(host, expected, rtol=rtol, atol=atol, strict=False)
    assert host.shape == np.shape(expected)


def assert_all_agree(found, expected, be, rtol=None):
    """Compare arrays by their paths."""
    assert set(found) == set(expected)
    for path, array in found.items():
        assert_agrees(array, expected[path], be, rtol)


def learned_paths(layer):
    return set(Network(layer, NUMPY64, 0, standalone=True).learned.shapes)


def host_params(layer, seed=3):
    """Draw all parameters of a unit, biases too, as float64 host arrays by path."""
    random = np.random.default_rng(seed)
    network = Network(layer, NUMPY64, 0, standalone=True)
    shapes = {**network.learned.shapes, **network.frozen.shapes}
    return {path: random.standard_normal(shape) for path, shape in shapes.items()}


def host_buffers(layer, seed=4):
    """Draw all buffers of a unit, above 0 as a variance is, by path."""
    random = np.random.default_rng(seed)
    network = Network(layer, NUMPY64, 0, standalone=True)
    return {
        path: random.uniform(0.5, 2.0, buffer.shape)
        for path, buffer in network.buffer_shapes.items()
    }


def move(be, params):
    return {name: be.asarray(value, be.dtype) for name, value in params.items()}


def is_ids(array):
    return "int" in str(array.dtype)


def place(be, arrays):
    """Return an array, or each of a tuple, on a backend; ids stay integers."""
    return each(lambda a: be.asarray(a, "int32" if is_ids(a) else be.dtype), arrays)


def on_host(be, arrays):
    """Return host copies of an array, or of each of a tuple; None stays None."""
    return each(lambda a: None if a is None else be.to_numpy(a), arrays)


def bound(layer, be, training=False, params=None, buffers=None):
    """Return a unit with drawn values, or given ones, on a backend."""
    return Bound(
        layer, be,
        move(be, host_params(layer)) if params is None else params,
        move(be, host_buffers(layer)) if buffers is None else buffers,
        training=training, step=STEP,
    )  # fmt: skip


def gradient_like(y, seed=2):
    """Draw a gradient of the shape of an output, or of each of several."""
    random = np.random.default_rng(seed)
    return each(lambda array: random.standard_normal(tuple(array.shape)), y)


def weights_like(losses):
    """Return a weight for each loss."""
    shape = tuple(losses.shape)
    return np.reshape(np.linspace(0.1, 1.0, math.prod(shape)), shape)


def batch_loss(model):
    """Return loss and penalties of the last batch, as it was learned."""
    network, tree = model._state.network, model._state.tree
    return figures_of(network, tree["batch"], tree.get("penalty"))["loss"]


def set_values(layer, values):
    """Assign parameters and buffers of a unit and of those inside, by path."""
    units = dict(walk(layer))
    for path, value in values.items():
        unit, _, name = path.rpartition(".")
        setattr(units[unit], name, value)


def placed(layer, be):
    """Return a unit that computes on a backend, with all units inside."""
    for _, unit in walk(layer):
        unit._backend = be
    return layer
