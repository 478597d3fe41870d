"""Cases of every layer and activation."""

import nnfs_xp as nx
from tests.matrix.cases.activations import ACTIVATIONS
from tests.matrix.cases.draws import away_from_zero, random
from tests.matrix.cases.types import LayerCase


def _dense(torch, params, x):
    y = torch.nn.functional.linear(x, params["weights"].T)
    return y + params["biases"][0]


def _make_block():
    inner = nx.Sequential([nx.Dense(3, 2), nx.Softmax()])
    return nx.Sequential([nx.Dense(4, 3), nx.Softmax(), inner])


def _nested(torch, params, x):
    hidden = torch.softmax(x @ params["0.weights"] + params["0.biases"], dim=-1)
    outputs = hidden @ params["2.0.weights"] + params["2.0.biases"]
    return torch.softmax(outputs, dim=-1)


LAYERS = {
    **ACTIVATIONS,
    "Dense": [
        LayerCase(lambda: nx.Dense(4, 3), random.standard_normal((5, 4)), _dense),
        LayerCase(lambda: nx.Dense(1, 1), random.standard_normal((1, 1)), _dense),
        LayerCase(lambda: nx.Dense(7, 64), random.standard_normal((33, 7)), _dense),
    ],
    # Without training; the masks of training have tests of their own.
    "Dropout": [
        LayerCase(
            lambda: nx.Dropout(0.5),
            random.standard_normal((3, 4)),
            lambda torch, p, x: x,
        ),
    ],
    "Flatten": [
        LayerCase(
            nx.Flatten,
            random.standard_normal((2, 3, 4)),
            lambda torch, p, x: torch.flatten(x, 1),
        ),
        LayerCase(
            nx.Flatten,
            random.standard_normal((2, 3)),
            lambda torch, p, x: torch.flatten(x, 1),
        ),
    ],
    "Reshape": [
        LayerCase(
            lambda: nx.Reshape((2, -1)),
            random.standard_normal((3, 8)),
            lambda torch, p, x: x.reshape(3, 2, 4),
        ),
        LayerCase(
            lambda: nx.Reshape(1),
            random.standard_normal((1, 1, 1)),
            lambda torch, p, x: x.reshape(1, 1),
        ),
    ],
    "Rescaling": [
        LayerCase(
            lambda: nx.Rescaling(1 / 127.5, -1.0),
            random.integers(0, 256, (4, 3)).astype("float64"),
            lambda torch, p, x: x / 127.5 - 1,
        ),
        LayerCase(
            lambda: nx.Rescaling(-2.5),
            random.standard_normal((2, 3, 4)),
            lambda torch, p, x: x * -2.5,
        ),
        LayerCase(
            lambda: nx.Rescaling(0.0, 3.0),
            random.standard_normal((1, 1)),
            lambda torch, p, x: x * 0 + 3,
        ),
    ],
    "Sequential": [
        LayerCase(_make_block, random.standard_normal((5, 4)), _nested),
        LayerCase(
            lambda: nx.Sequential([nx.ReLU()]),
            away_from_zero((2, 3)),
            lambda torch, p, x: torch.relu(x),
        ),
    ],
    "ReLU": [
        LayerCase(nx.ReLU, away_from_zero((6, 5)), lambda torch, p, x: torch.relu(x)),
        LayerCase(
            nx.ReLU, away_from_zero((2, 3, 4)), lambda torch, p, x: torch.relu(x)
        ),
    ],
    "Softmax": [
        LayerCase(
            nx.Softmax,
            random.standard_normal((6, 4)) * 3,
            lambda torch, p, x: torch.softmax(x, dim=-1),
        ),
        LayerCase(
            nx.Softmax,
            random.standard_normal((1, 1)),
            lambda torch, p, x: torch.softmax(x, dim=-1),
        ),
    ],
}
