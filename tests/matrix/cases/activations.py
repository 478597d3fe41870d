"""Cases of the activations, beside PyTorch's functions of the same names."""

import numpy as np

import nnfs_xp as nx
from tests.matrix.cases.types import ElementwiseCase, LayerCase

_random = np.random.default_rng(20240711)


def _inputs(shape, scale=1.0):
    """Draw inputs away from all multiples of 0.1, where some have a kink."""
    tenths = np.floor(_random.standard_normal(shape) * scale * 10)
    return (tenths + 0.5 + _random.uniform(-0.3, 0.3, shape)) / 10


# Of the rows of a case: usual inputs, some close to 0, and some wide apart.
_SCALES = np.array([[1.0], [1.0], [0.01], [0.01], [5.0], [5.0]])


def _cases(make, function, **options):
    """Return cases of inputs of several sizes, of one input, and of three axes."""
    inputs = (_inputs((6, 5), _SCALES), _inputs((1, 1)), _inputs((2, 3, 4)))
    return [ElementwiseCase(make, x, _torch(function, options)) for x in inputs]


def _few(make, function, **options):
    """Return cases of inputs of several sizes, and of three axes."""
    first, _, last = _cases(make, function, **options)
    return [first, last]


def _variant(make, function, **options):
    """Return one case of an argument that is not the default."""
    return ElementwiseCase(make, _inputs((6, 5), 2.0), _torch(function, options))


def _torch(function, options):
    """Return one of PyTorch's functions by its name, or a formula with them."""

    def torch_forward(torch, params, x):
        if callable(function):
            return function(torch, x, **options)
        return getattr(torch.nn.functional, function)(x, **options)

    return torch_forward


# What PyTorch has with other numbers, written out.


def _clip(torch, x, low=None, high=None):
    return torch.clamp(x, low, high)


def _hard_sigmoid(torch, x, alpha, beta):
    return torch.clamp(alpha * x + beta, 0, 1)


def _shrink(torch, x, threshold, bias):
    moved = torch.where(x < -threshold, x + bias, 0.0)
    return torch.where(x > threshold, x - bias, moved)


def _over_axis(unit, function):
    """Return cases of whole rows, over the last axis and over others."""
    x = _inputs((2, 3, 4), 2.0)
    return [
        *(
            LayerCase(unit, of, _torch(function, {"dim": -1}))
            for of in (_inputs((6, 5), _SCALES), _inputs((1, 1)), x)
        ),
        *(
            LayerCase(lambda k=k: unit(axis=k), x, _torch(function, {"dim": k}))
            for k in (1, -2)
        ),
    ]


def _prelu(torch, params, x):
    return torch.where(x > 0, x, params["slopes"] * x)


ACTIVATIONS = {
    "ReLU": _few(nx.ReLU, "relu"),
    "LeakyReLU": [
        *_cases(nx.LeakyReLU, "leaky_relu"),
        _variant(lambda: nx.LeakyReLU(0), "leaky_relu", negative_slope=0.0),
        _variant(lambda: nx.LeakyReLU(1), "leaky_relu", negative_slope=1.0),
        _variant(lambda: nx.LeakyReLU(2.5), "leaky_relu", negative_slope=2.5),
        _variant(lambda: nx.LeakyReLU(-0.5), "leaky_relu", negative_slope=-0.5),
    ],
    "ELU": [
        *_cases(nx.ELU, "elu"),
        _variant(lambda: nx.ELU(0.3), "elu", alpha=0.3),
        _variant(lambda: nx.ELU(0), "elu", alpha=0.0),
        _variant(lambda: nx.ELU(-2.0), "elu", alpha=-2.0),
    ],
    "GELU": [
        *_cases(nx.GELU, "gelu"),
        *_cases(lambda: nx.GELU(approximate="tanh"), "gelu", approximate="tanh"),
    ],
    "SiLU": _cases(nx.SiLU, "silu"),
    # By default PyTorch's is x from 20 on.
    "Softplus": _cases(nx.Softplus, "softplus", threshold=50.0),
    "Sigmoid": _cases(nx.Sigmoid, "sigmoid"),
    "Tanh": _cases(nx.Tanh, "tanh"),
    "Softmax": _over_axis(nx.Softmax, "softmax"),
    "LogSoftmax": _over_axis(nx.LogSoftmax, "log_softmax"),
    "SELU": _few(nx.SELU, "selu"),
    "CELU": [
        *_few(nx.CELU, "celu"),
        # Not 0.3: PyTorch computes with it as it is in float32.
        _variant(lambda: nx.CELU(0.5), "celu", alpha=0.5),
    ],
    "Mish": _few(nx.Mish, "mish"),
    "Softsign": _few(nx.Softsign, "softsign"),
    "HardSigmoid": [
        # PyTorch's own has the float32 that is next to 1/6.
        *_few(nx.HardSigmoid, _hard_sigmoid, alpha=1 / 6, beta=0.5),
        _variant(lambda: nx.HardSigmoid(0.2, 0.4), _hard_sigmoid, alpha=0.2, beta=0.4),
    ],
    "HardSwish": _few(nx.HardSwish, "hardswish"),
    "HardTanh": _few(nx.HardTanh, "hardtanh"),
    "ReLU6": _few(nx.ReLU6, "relu6"),
    "Clip": [
        _variant(lambda: nx.Clip(low=-0.5), _clip, low=-0.5),
        *_few(lambda: nx.Clip(-0.5, 2.0), _clip, low=-0.5, high=2.0),
        _variant(lambda: nx.Clip(high=0.5), _clip, high=0.5),
    ],
    "ThresholdedReLU": [
        *_few(nx.ThresholdedReLU, "threshold", threshold=1.0, value=0.0),
        _variant(
            lambda: nx.ThresholdedReLU(-0.5, 2.0), "threshold",
            threshold=-0.5, value=2.0,
        ),
    ],
    "Shrink": [
        *_few(nx.Shrink, "hardshrink"),
        _variant(lambda: nx.Shrink(0.3, 0.3), "softshrink", lambd=0.3),
        _variant(lambda: nx.Shrink(0.7, -0.2), _shrink, threshold=0.7, bias=-0.2),
    ],
    "LogSigmoid": _few(nx.LogSigmoid, "logsigmoid"),
    "PReLU": [
        LayerCase(nx.PReLU, _inputs((6, 5)), _prelu),
        LayerCase(lambda: nx.PReLU(4), _inputs((2, 3, 4)), _prelu),
    ],
    "GLU": [
        LayerCase(nx.GLU, _inputs((6, 4), 3.0), _torch("glu", {})),
        LayerCase(nx.GLU, _inputs((2, 3, 2)), _torch("glu", {})),
    ],
    "Linear": [
        ElementwiseCase(nx.Linear, _inputs(shape), lambda torch, params, x: 1.0 * x)
        for shape in ((6, 5), (1, 1), (2, 3, 4))
    ],
}  # fmt: skip
