"""Functions of the Array API standard in the ``fwd`` of a unit, and as operators.

Every function that is written as operators is here, and `test_nothing_is_left_out` says
which one is not.
"""

import numpy as np
import pytest

import nnfs_xp as nx
from nnfs_xp.kernels import registry
from nnfs_xp.onnx.functions import FUNCTIONS
from nnfs_xp.onnx.write import model_proto
from tests.onnx.helpers import assert_near, run

EXPRESSIONS = {
    "abs": lambda xp, x: xp.abs(x) + abs(x),
    "ceil, floor, round": lambda xp, x: xp.ceil(x) + xp.floor(x) * xp.round(x),
    "cos, sin, tanh": lambda xp, x: xp.cos(x) * xp.sin(x) + xp.tanh(x),
    "exp, expm1": lambda xp, x: xp.exp(x) + xp.expm1(x),
    "log, log1p, sqrt": lambda xp, x: xp.log(x * x + 1) + xp.log1p(xp.sqrt(abs(x))),
    "sign, negative": lambda xp, x: xp.sign(x) - xp.negative(x) + (-x),
    "square, reciprocal, pow": lambda xp, x: xp.reciprocal(
        xp.square(x) + xp.pow(abs(x) + 1, x)
    ),
    "add, subtract, multiply, divide": lambda xp, x: xp.divide(
        xp.multiply(xp.add(x, x), xp.subtract(x, 2.0)), x * x + 1
    ),
    "numbers on the left": lambda xp, x: 1.0 - x + 2 / (3 + x * x) + 2.0 ** abs(x),
    "maximum, minimum": lambda xp, x: xp.maximum(x, -x) - xp.minimum(x, x * 2),
    "comparisons": lambda xp, x: xp.astype(
        ((x > 0) & (x <= 1)) | ~(x >= -1) | (x < -2) | (x == 0) | (x != x), x.dtype
    ),
    "named comparisons": lambda xp, x: xp.astype(
        xp.logical_or(
            xp.logical_and(xp.greater(x, x * 0), xp.less_equal(x, x * x)),
            xp.logical_not(xp.logical_or(xp.greater_equal(x, -x), xp.less(x, -x))),
        ),
        x.dtype,
    ),
    "equal, not_equal, isnan": lambda xp, x: xp.where(
        xp.isnan(x) | xp.not_equal(x, x) | xp.equal(x, x * 0), x, x + 1.0
    ),
    "where": lambda xp, x: xp.where(x > 0, x, xp.zeros_like(x)) + xp.where(x < 0, x, 2),
    "sum, mean": lambda xp, x: (
        xp.sum(x, axis=(1, 2), keepdims=True) + xp.mean(x, axis=-1, keepdims=True) + x
    ),
    "max, min, prod": lambda xp, x: (
        xp.max(x, axis=1) * xp.min(x, axis=-2) + xp.prod(x, axis=1)
    ),
    "var": lambda xp, x: xp.var(x, axis=-1, keepdims=True) * x,
    "cumulative_sum": lambda xp, x: xp.cumulative_sum(x, axis=1),
    "argmax": lambda xp, x: xp.astype(xp.argmax(x, axis=-1), x.dtype),
    "reshape": lambda xp, x: xp.reshape(x, (x.shape[0], -1)),
    "samples and positions": lambda xp, x: xp.reshape(
        xp.reshape(x, (x.shape[0] * x.shape[1], 4)) * 2.0, (-1, 3, 4)
    ),
    "permute_dims": lambda xp, x: xp.permute_dims(x, (0, 2, 1)) + x.mT,
    "matrix_transpose, moveaxis": lambda xp, x: (
        xp.matrix_transpose(x) + xp.moveaxis(x, 1, 2)
    ),
    "expand_dims, squeeze": lambda xp, x: xp.squeeze(
        xp.expand_dims(x, axis=1) * xp.expand_dims(x, axis=-1)[..., 0:1, 0][:, None],
        axis=1,
    ),
    "flip": lambda xp, x: xp.flip(x, axis=1) - xp.flip(x, axis=(1, 2)),
    "broadcast_to": lambda xp, x: (
        xp.broadcast_to(x[:, :1, :], (x.shape[0], 5, 4)) * 2.0
    ),
    "concat, stack": lambda xp, x: xp.concat(
        [x, xp.stack([x[:, 0, :], x[:, 2, :]], axis=1)], axis=-2
    ),
    "take": lambda xp, x: xp.take(x, xp.asarray([2, 0, 2, 1]), axis=1),
    "matmul": lambda xp, x: xp.matmul(x, x.mT) @ x,
    "constant times": lambda xp, x: xp.ones((3, 3), dtype=x.dtype) @ x,
    "zeros_like, ones_like, full": lambda xp, x: (
        xp.ones_like(x) + xp.zeros_like(x) + xp.full((x.shape[0], 1, 1), 2.5) + x
    ),
    "zeros, ones": lambda xp, x: xp.concat(
        [xp.zeros((x.shape[0], 1, 4)), x, xp.ones((x.shape[0], 2, 4))], axis=1
    ),
    "slices": lambda xp, x: x[:, ::2, 1:-1] + x[..., -1, None, 3:4] - x[:, -2:, :2],
    "arange": lambda xp, x: x + xp.astype(xp.arange(4), x.dtype) / 2,
    "asarray": lambda xp, x: xp.asarray(x) * 1,
    "integers": lambda xp, x: xp.astype(xp.astype(x, xp.int32) * 2 + 1, x.dtype) / 2,
}


class Computed(nx.Layer):
    def __init__(self, name):
        super().__init__()
        self.name = name

    def fwd(self, cx, x):
        return EXPRESSIONS[self.name](cx.xp, x), ()

    def output_shape(self, shape):
        return shape


X = np.random.default_rng(0).normal(size=(5, 3, 4)) * 2


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_operators_compute_what_the_function_does(name):
    model = nx.Model([Computed(name)], dtype="float64")
    data = model_proto(model, (3, 4)).SerializeToString()
    for x in (X, X[:1]):
        expected, _ = Computed(name).fwd(_Numpy(), x)
        found = run(data, x)
        assert found.shape == expected.shape
        assert_near(found, expected, 1e-12)


class _Numpy:
    xp = nx.get_backend("numpy").xp


def test_nothing_is_left_out():
    used = set()

    class Watched:
        def __getattr__(self, name):
            used.add(name)
            return getattr(_Numpy.xp, name)

    for expression in EXPRESSIONS.values():
        expression(Watched(), X)
    assert set(FUNCTIONS) - used == set()


def test_kernels_that_are_required_are_not_asked_of_a_file(monkeypatch):
    model = nx.Model([nx.Dense(2, 2), nx.Softplus()], dtype="float64")
    before = registry.kernel_mode()
    registry.set_kernel_mode("require")
    try:
        assert model_proto(model).graph.node
    finally:
        registry.set_kernel_mode(before)
