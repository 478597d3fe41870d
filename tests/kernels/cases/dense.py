"""Cases of ``dense.cu``."""

from __future__ import annotations

import functools

import numpy as np

import nnfs_xp as nx
from nnfs_xp.engine.context import Context
from nnfs_xp.kernels.cupy import activations
from tests.kernels.cases.launch import HOST, Launch, unset

_random = np.random.default_rng(31)
_SPECIAL = np.array(
    [[0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 1e30, -1e30, 1e-30, 60.0, -60.0]]
)
_FAR = np.linspace(-110.0, 110.0, 64)[None]
UNITS = {
    "Linear": nx.Linear(),
    "ReLU": nx.ReLU(),
    "LeakyReLU": nx.LeakyReLU(0.1),
    "steep LeakyReLU": nx.LeakyReLU(2.0),
    "ELU": nx.ELU(0.5),
    "GELU": nx.GELU(),
    "GELU tanh": nx.GELU("tanh"),
    "SiLU": nx.SiLU(),
    "Softplus": nx.Softplus(),
    "Sigmoid": nx.Sigmoid(),
    "Tanh": nx.Tanh(),
}


def _draw(n, k):
    return _random.standard_normal((n, k)) * 2


def _inputs():
    """Yield kinds of an activation and inputs."""
    for name, unit in UNITS.items():
        for kind, x in (("usual", _draw(7, 5)), ("special", _SPECIAL), ("far", _FAR)):
            yield f"{name}, {kind}", unit, x
    yield "one element", UNITS["Tanh"], _draw(1, 1)
    yield "many rows", UNITS["ReLU"], _draw(300, 7)


def _code(unit, dtype):
    known = activations.find(unit)
    return np.int32(known.number), np.dtype(dtype).type(known.parameter)


def _reference(unit, x, dy):
    cx = Context(unit, HOST)
    y, residuals = cx.fwd(x.astype("float64"))
    return y, cx.bwd(residuals, dy.astype("float64"))


def _bias(unit, x, dtype):
    biases = np.zeros((1, x.shape[1])) if len(x) == 1 else _draw(1, x.shape[1])
    z, biases = x.astype(dtype), biases.astype(dtype)
    kept = z + biases
    y, _ = _reference(unit, kept, z)
    from_output = activations.find(unit).from_output
    expected = {0: y} if from_output else {0: kept, 2: y}
    out = unset(z.shape, dtype)
    sizes = np.int64(z.size), np.int64(z.shape[1])
    arguments = [z, biases, out, *sizes, *_code(unit, dtype)]
    return Launch((3,), (32,), arguments, expected)


def _backward(unit, x, dtype, width=None, dy=None):
    x = x.astype(dtype)
    if dy is None:
        dy = np.random.default_rng(len(x)).standard_normal(x.shape)
    dy = dy.astype(dtype)
    y, dx = _reference(unit, x, dy)
    kept = y.astype(dtype) if activations.find(unit).from_output else x
    out = unset(x.shape, dtype)
    if width is None:
        arguments = [kept, dy, out, np.int64(x.size), *_code(unit, dtype)]
        return Launch((3,), (32,), arguments, {2: dx})
    n, k = x.shape
    sizes = np.int64(n), np.int64(k), np.int32(width)
    arguments = [kept, dy, out, unset((1, k), dtype), *sizes, *_code(unit, dtype)]
    sums = dx.sum(axis=0, keepdims=True)
    return Launch((-(-k // width),), (1024,), arguments, {2: dx, 3: sums})


def _forward(unit, x, dtype):
    x = x.astype(dtype)
    y, _ = _reference(unit, x, x)
    arguments = [x, unset(x.shape, dtype), np.int64(x.size), *_code(unit, dtype)]
    return Launch((3,), (32,), arguments, {1: y})


def _sum(dy, width, dtype):
    dy = dy.astype(dtype)
    n, k = dy.shape
    arguments = [dy, unset((1, k), dtype), np.int64(n), np.int64(k), np.int32(width)]
    expected = {1: dy.astype("float64").sum(axis=0, keepdims=True)}
    return Launch((-(-k // width),), (1024,), arguments, expected)


# A gradient that a dead unit must not let through.
_DEAD = UNITS["ReLU"], np.array([[-1.0, 0.0, 1.0, -2.0]])
_INFINITE = np.array([[np.inf, -np.inf, np.inf, np.nan]])


def _each(make, **options):
    return {
        kind: functools.partial(make, unit, x, **options) for kind, unit, x in _inputs()
    }


KERNELS = {
    "bias_activation": _each(_bias),
    "activation_bias_backward": {
        **_each(_backward, width=8),
        "infinite dy": functools.partial(_backward, *_DEAD, width=8, dy=_INFINITE),
        "one column": functools.partial(_backward, nx.Tanh(), _draw(50, 1), width=1),
        "few columns": functools.partial(_backward, nx.Tanh(), _draw(9, 3), width=4),
        "wide": functools.partial(_backward, nx.ReLU(), _draw(40, 70), width=32),
        "long": functools.partial(_backward, nx.ReLU(), _draw(2100, 9), width=8),
    },
    "sum_over_samples": {
        f"{n} x {k} by {width}": functools.partial(_sum, _draw(n, k), width)
        for n, k, width in ((1, 1, 1), (3000, 3, 4), (129, 17, 8), (70, 65, 32))
    },
    "activation_forward": _each(_forward),
    "activation_backward": {
        **_each(_backward),
        "infinite dy": functools.partial(_backward, *_DEAD, dy=_INFINITE),
    },
}
