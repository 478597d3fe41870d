"""Cases of the activations, beside PyTorch's functions of the same names."""

import numpy as np

import nnfs_xp as nx
from tests.matrix.cases.types import LayerCase

_random = np.random.default_rng(20240711)


def _inputs(shape, scale=1.0):
    """Draw inputs away from 0, where some have a kink."""
    values = _random.standard_normal(shape) * scale
    return values + 0.05 * np.sign(values)


def _cases(make, function, **options):
    """Return cases of usual inputs, one, three axes, close to 0, and wide apart."""
    inputs = (
        _inputs((6, 5)),
        _inputs((1, 1)),
        _inputs((2, 3, 4)),
        _inputs((6, 5), 0.01),
        _inputs((6, 5), 5.0),
    )
    return [LayerCase(make, x, _torch(function, options)) for x in inputs]


def _variant(make, function, **options):
    """Return one case of an argument that is not the default."""
    return LayerCase(make, _inputs((6, 5), 2.0), _torch(function, options))


def _torch(function, options):
    def torch_forward(torch, params, x):
        return getattr(torch.nn.functional, function)(x, **options)

    return torch_forward


ACTIVATIONS = {
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
    "LogSoftmax": _cases(nx.LogSoftmax, "log_softmax", dim=-1),
    "Linear": [
        LayerCase(nx.Linear, _inputs(shape), lambda torch, params, x: 1.0 * x)
        for shape in ((6, 5), (1, 1), (2, 3, 4))
    ],
}
