"""A case for every registered unit; a unit without one fails the build.

`torch_...` members compute the same with PyTorch's own functions, which share
no line with ours. Inputs keep away from kinks, where no derivative exists.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

import nnfs_xp as nx

_random = np.random.default_rng(20240607)


def _away_from_zero(shape):
    values = _random.standard_normal(shape)
    return values + 0.05 * np.sign(values)


def _probabilities(shape):
    z = _random.standard_normal(shape)
    e = np.exp(z)
    return e / e.sum(axis=1, keepdims=True)


@dataclasses.dataclass
class LayerCase:
    make: Callable[[], nx.Layer]
    x: np.ndarray
    torch_forward: Callable[[Any, dict, Any], Any]  # (torch, params, x) -> y


@dataclasses.dataclass
class LossCase:
    make: Callable[..., nx.Loss]
    y_pred: np.ndarray
    y_true: np.ndarray
    torch_losses: Callable[[Any, Any, Any], Any]  # (torch, y_pred, y_true) -> (n,)


@dataclasses.dataclass
class OptimizerCase:
    make: Callable[[], nx.Optimizer]
    recurrence: Callable[[np.ndarray, list[np.ndarray]], np.ndarray]
    torch_optimizer: Callable[[Any, list], Any]


def _dense(torch, params, x):
    y = torch.nn.functional.linear(x, params["weights"].T)
    return y + params["biases"][0]


LAYERS = {
    "Dense": [
        LayerCase(lambda: nx.Dense(4, 3), _random.standard_normal((5, 4)), _dense),
        LayerCase(lambda: nx.Dense(1, 1), _random.standard_normal((1, 1)), _dense),
        LayerCase(lambda: nx.Dense(7, 64), _random.standard_normal((33, 7)), _dense),
    ],
    "ReLU": [
        LayerCase(nx.ReLU, _away_from_zero((6, 5)), lambda torch, p, x: torch.relu(x)),
        LayerCase(
            nx.ReLU, _away_from_zero((2, 3, 4)), lambda torch, p, x: torch.relu(x)
        ),
    ],
    "Softmax": [
        LayerCase(
            nx.Softmax,
            _random.standard_normal((6, 4)) * 3,
            lambda torch, p, x: torch.softmax(x, dim=-1),
        ),
        LayerCase(
            nx.Softmax,
            _random.standard_normal((1, 1)),
            lambda torch, p, x: torch.softmax(x, dim=-1),
        ),
    ],
}

_labels = _random.integers(0, 4, 6)
_one_hot = np.eye(4)[_labels]
_soft = _probabilities((6, 4))
_weighted = _soft * _random.uniform(0.2, 3.0, (6, 1))


def _torch_from_probabilities(torch, p, y):
    if y.ndim == 1:
        return torch.nn.functional.nll_loss(torch.log(p), y, reduction="none")
    return -(y * torch.log(p)).sum(dim=1)


def _torch_from_logits(torch, z, y):
    return torch.nn.functional.cross_entropy(z, y, reduction="none")


def _loss_cases(make, y_pred, torch_losses):
    return [
        LossCase(make, y_pred, y_true, torch_losses)
        for y_true in (_labels, _one_hot, _soft, _weighted)
    ]


_p = _probabilities((6, 4))
_z = _random.standard_normal((6, 4)) * 3
LOSSES = {
    "CategoricalCrossEntropy": [
        *_loss_cases(nx.CategoricalCrossEntropy, _p, _torch_from_probabilities),
        *_loss_cases(
            lambda **where: nx.CategoricalCrossEntropy(mode="book", **where),
            _p,
            _torch_from_probabilities,
        ),
        *_loss_cases(
            lambda **where: nx.CategoricalCrossEntropy(from_logits=True, **where),
            _z,
            _torch_from_logits,
        ),
    ],
    "SoftmaxCrossEntropy": [
        *_loss_cases(nx.SoftmaxCrossEntropy, _z, _torch_from_logits),
        *_loss_cases(
            lambda **where: nx.SoftmaxCrossEntropy(mode="book", **where),
            _z,
            _torch_from_logits,
        ),
    ],
}


def _sgd(rate):
    def recurrence(w, gradients):
        for g in gradients:
            w = w - rate * g
        return w

    return recurrence


def _adam(rate, b1, b2, eps):
    def recurrence(w, gradients):
        m = np.zeros_like(w)
        v = np.zeros_like(w)
        for t, g in enumerate(gradients, start=1):
            m = b1 * m + (1 - b1) * g
            v = b2 * v + (1 - b2) * g**2
            m_hat = m / (1 - b1**t)
            v_hat = v / (1 - b2**t)
            w = w - rate * m_hat / (np.sqrt(v_hat) + eps)
        return w

    return recurrence


OPTIMIZERS = {
    "SGD": [
        OptimizerCase(
            lambda: nx.SGD(0.1),
            _sgd(0.1),
            lambda torch, ps: torch.optim.SGD(ps, lr=0.1),
        ),
        OptimizerCase(
            lambda: nx.SGD(), _sgd(1.0), lambda torch, ps: torch.optim.SGD(ps, lr=1.0)
        ),
    ],
    "Adam": [
        OptimizerCase(
            lambda: nx.Adam(),
            _adam(0.001, 0.9, 0.999, 1e-7),
            lambda torch, ps: torch.optim.Adam(ps, lr=0.001, eps=1e-7),
        ),
        OptimizerCase(
            lambda: nx.Adam(0.05, beta_1=0.0, beta_2=0.5, epsilon=1e-8),
            _adam(0.05, 0.0, 0.5, 1e-8),
            lambda torch, ps: torch.optim.Adam(ps, lr=0.05, betas=(0.0, 0.5), eps=1e-8),
        ),
    ],
}

METRICS = {
    "Accuracy": [(nx.Accuracy, _p, _labels), (nx.Accuracy, _z, _one_hot)],
}

INITIALIZERS = {
    # Each with its expected mean and standard deviation for shape (300, 200).
    "Constant": [(lambda: nx.Constant(0.5), 0.5, 0.0)],
    "Zeros": [(nx.Zeros, 0.0, 0.0)],
    "Normal": [(nx.Normal, 0.0, 0.01), (lambda: nx.Normal(0.1), 0.0, 0.1)],
    "Uniform": [(lambda: nx.Uniform(0.3), 0.0, 0.3 / 3**0.5)],
    "GlorotUniform": [(nx.GlorotUniform, 0.0, (2 / 500) ** 0.5)],
    "HeNormal": [(nx.HeNormal, 0.0, (2 / 300) ** 0.5)],
}

ALL = {
    "layer": LAYERS,
    "loss": LOSSES,
    "optimizer": OPTIMIZERS,
    "metric": METRICS,
    "initializer": INITIALIZERS,
}


def parametrize(kind):
    """Return ids and cases of a kind, for pytest.mark.parametrize."""
    pairs = [
        (f"{name}-{number}", case)
        for name, cases in ALL[kind].items()
        for number, case in enumerate(cases)
    ]
    return {"argvalues": [case for _, case in pairs], "ids": [i for i, _ in pairs]}
