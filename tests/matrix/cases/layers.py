"""Cases of every layer and activation."""

import nnfs_xp as nx
from tests.matrix.cases.draws import away_from_zero, random
from tests.matrix.cases.types import LayerCase


def _dense(torch, params, x):
    y = torch.nn.functional.linear(x, params["weights"].T)
    return y + params["biases"][0]


LAYERS = {
    "Dense": [
        LayerCase(lambda: nx.Dense(4, 3), random.standard_normal((5, 4)), _dense),
        LayerCase(lambda: nx.Dense(1, 1), random.standard_normal((1, 1)), _dense),
        LayerCase(lambda: nx.Dense(7, 64), random.standard_normal((33, 7)), _dense),
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
