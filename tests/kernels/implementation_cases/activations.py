"""Inputs of activations, alone, with the biases before them, and of their gradients."""

import numpy as np

import nnfs_xp as nx

_random = np.random.default_rng(12)

ACTIVATIONS = {
    "Linear": nx.Linear(),
    "ReLU": nx.ReLU(),
    "LeakyReLU": nx.LeakyReLU(0.1),
    "steep LeakyReLU": nx.LeakyReLU(2.0),
    "ELU": nx.ELU(),
    "ELU of 0.5": nx.ELU(0.5),
    "GELU": nx.GELU(),
    "GELU tanh": nx.GELU("tanh"),
    "SiLU": nx.SiLU(),
    "Softplus": nx.Softplus(),
    "Sigmoid": nx.Sigmoid(),
    "Tanh": nx.Tanh(),
}
_row = np.array(
    [[0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 1e30, -1e30, 1e-30, 50.0, -50.0]]
)


def _draw(*shape, scale=2.0):
    return _random.standard_normal(shape) * scale


def _outputs(*shape):
    """Return outputs of a ReLU, and gradients."""
    return np.maximum(_draw(*shape), 0), _draw(*shape)


def _shapes():
    """Yield pairs of (n, k) arrays of all kinds."""
    yield "usual", _draw(33, 17), _draw(33, 17)
    yield "wide", _draw(3, 5000), _draw(3, 5000)
    yield "long", _draw(3000, 3), _draw(3000, 3)
    yield "size 1", _draw(1, 1), _draw(1, 1)
    yield "no rows", _draw(0, 4), _draw(0, 4)
    yield "transposed", _draw(6, 5).T, _draw(6, 5).T
    yield "gaps", _draw(6, 6)[::2, ::3], _draw(6, 6)[::2, ::3]
    yield "special", _row, np.ones((1, 12))
    yield "far", np.linspace(-110, 110, 60)[None], np.ones((1, 60))


def _activation_cases():
    for shape, z, dy in _shapes():
        for name, activation in ACTIVATIONS.items():
            if shape in ("usual", "special", "far") or name in ("ReLU", "SiLU"):
                yield f"{name}, {shape}", z, dy, activation
    special = np.where(np.isnan(_row), 1.0, _row)
    for name in ("ReLU", "Linear"):
        yield f"{name}, special dy", _draw(1, 12), special, ACTIVATIONS[name]


_PAIRS = list(_activation_cases())
_BIASES = {kind: _draw(1, z.shape[1], scale=0.1) for kind, z, _, _ in _PAIRS}
_special = np.array([0.0, -0.0, 1.0, np.inf, np.nan, 1e300, 5e-324, -1.0])
_square = _draw(6, 6)

CASES = {
    "bias_activation": {
        kind: (z, _BIASES[kind], activation) for kind, z, _, activation in _PAIRS
    },
    "dense_activation": {
        **{
            kind: (z, _draw(z.shape[1], 5), _draw(1, 5), activation)
            for kind, z, _, activation in _PAIRS
            if kind.startswith(("ReLU", "GELU, usual"))
        },
        "Linear, few outputs": (
            _draw(300, 64),
            _draw(64, 3),
            _draw(1, 3),
            ACTIVATIONS["Linear"],
        ),
        "Tanh, few outputs": (
            _draw(9, 900).T,
            _draw(9, 10),
            _draw(1, 10),
            ACTIVATIONS["Tanh"],
        ),
        "unknown": (_draw(2, 3), _draw(3, 4), _draw(1, 4), nx.Softmax()),
    },
    "activation_bias_backward": {
        kind: (z, _BIASES[kind], dy, activation) for kind, z, dy, activation in _PAIRS
    },
    "activation_forward": {
        **{kind: (z, activation) for kind, z, _, activation in _PAIRS},
        "three axes": (_draw(2, 3, 4), nx.GELU()),
        "unknown": (_draw(2, 3), nx.Softmax()),
    },
    "activation_backward": {
        **{kind: (z, dy, activation) for kind, z, dy, activation in _PAIRS},
        "three axes": (_draw(2, 3, 4), _draw(2, 3, 4), nx.GELU()),
        "unknown": (_draw(2, 3), _draw(2, 3), nx.Softmax()),
    },
    "relu_backward": {
        "usual": _outputs(33, 17),
        "one axis": _outputs(50),
        "three axes": _outputs(3, 4, 5),
        "size 1": _outputs(1, 1),
        "empty": _outputs(0, 4),
        "not contiguous": (_square.T, _draw(12, 6)[::2]),
        "Fortran order": (np.asfortranarray(_square), np.asfortranarray(_square)),
        "special y": (_special, np.ones(8)),
        "special dy": (np.array([0.0, 1.0] * 4), _special),
        "all pairs": (np.repeat(_special, 8), np.tile(_special, 8)),
    },
    "softplus": {
        "usual": (_draw(33, 17, scale=10.0),),
        "small": (_draw(33, 17, scale=1e-3),),
        "far below 0": (-np.linspace(15.0, 80.0, 50),),
        "size 1": (np.zeros((1, 1)),),
        "number": (np.asarray(-3.0),),
        "empty": (np.ones((0, 4)),),
        "not contiguous": (_square[::2, ::3],),
        "transposed": (_square.T,),
        "special": (_special,),
        "infinite": (np.array([-np.inf, np.inf]),),
    },
    "softmax": {
        "usual": (_draw(7, 33), 1),
        "few classes of many rows": (_draw(300, 3), -1),
        "few classes, column by column": (_draw(10, 200).T, 1),
        "few classes, gaps": (_draw(200, 20)[:, ::2], 1),
        "one class": (_draw(600, 1), 1),
        "one row": (_draw(1, 10), 1),
        "no rows": (np.ones((0, 4)), 1),
        "another axis": (_draw(5, 4, 3), 1),
        "negative axis": (_draw(5, 4, 3), -2),
        "special": (np.repeat(_row[:, :, None], 3, axis=2) * [1.0, 1.0, -1.0], 2),
        "special, few classes": (np.tile(_row, (60, 1)), 1),
        "infinite": (np.array([[np.inf, 0.0], [-np.inf, -np.inf]] * 300), 1),
        "huge": (np.array([[1e30, -1e30, 0.0], [1e4, 1e4 - 3.0, 0.0]] * 200), 1),
    },
    "elu_left": {
        "usual": (_draw(33, 17, scale=5.0), 1.0),
        "small": (_draw(33, 17, scale=1e-3), 2.5),
        "far below 0": (-np.linspace(15.0, 1e4, 50), 1.0),
        "no alpha": (_square, 0.0),
        "negative alpha": (_square, -0.5),
        "size 1": (np.zeros((1, 1)), 1.0),
        "number": (np.asarray(-3.0), 1.0),
        "empty": (np.ones((0, 4)), 1.0),
        "not contiguous": (_square[::2, ::3], 1.0),
        "transposed": (_square.T, 1.0),
        "special": (_special, 1.0),
        "infinite": (np.array([-np.inf, np.inf]), 1.0),
    },
    "sum_over_samples": {
        "usual": (_draw(128, 33),),
        "size 1": (np.ones((1, 1)),),
        "no rows": (np.ones((0, 3)),),
        "not contiguous": (_draw(12, 9)[::2, ::3],),
        "transposed": (_draw(5, 7).T,),
        "special": (_special[:, None],),
        "huge": (np.full((4, 2), 1e30),),
    },
}
# Arguments that a kernel may write to.
OVERWRITTEN = {"bias_activation": {0}, "activation_bias_backward": {0}}
