"""Cases of every optimizer.

Each recurrence is written out here once more, in plain NumPy. It takes a rate
for each step, or its own constant one, and is not told of our classes.
"""

import itertools

import numpy as np

import nnfs_xp as nx
from tests.matrix.cases.types import OptimizerCase


def _pairs(gradients, rates, rate):
    return zip(gradients, rates or itertools.repeat(rate), strict=False)


def _sgd(rate, momentum=0.0, nesterov=False):
    def recurrence(w, gradients, rates=None):
        v = np.zeros_like(w)
        for g, eta in _pairs(gradients, rates, rate):
            v = momentum * v - eta * g
            w = w + (momentum * v - eta * g if nesterov else v)
        return w

    return recurrence


def _adagrad(rate, eps):
    def recurrence(w, gradients, rates=None):
        s = np.zeros_like(w)
        for g, eta in _pairs(gradients, rates, rate):
            s = s + g**2
            w = w - eta * g / (np.sqrt(s) + eps)
        return w

    return recurrence


def _rmsprop(rate, rho, eps):
    def recurrence(w, gradients, rates=None):
        s = np.zeros_like(w)
        for g, eta in _pairs(gradients, rates, rate):
            s = rho * s + (1 - rho) * g**2
            w = w - eta * g / (np.sqrt(s) + eps)
        return w

    return recurrence


def _adam(rate, b1, b2, eps, weight_decay=0.0):
    def recurrence(w, gradients, rates=None):
        m = np.zeros_like(w)
        v = np.zeros_like(w)
        for t, (g, eta) in enumerate(_pairs(gradients, rates, rate), start=1):
            w = w * (1 - eta * weight_decay)
            m = b1 * m + (1 - b1) * g
            v = b2 * v + (1 - b2) * g**2
            m_hat = m / (1 - b1**t)
            v_hat = v / (1 - b2**t)
            w = w - eta * m_hat / (np.sqrt(v_hat) + eps)
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
        OptimizerCase(
            lambda: nx.SGD(0.1, momentum=0.9),
            _sgd(0.1, 0.9),
            lambda torch, ps: torch.optim.SGD(ps, lr=0.1, momentum=0.9),
        ),
        OptimizerCase(
            lambda: nx.SGD(0.1, momentum=0.9, nesterov=True),
            _sgd(0.1, 0.9, nesterov=True),
            lambda torch, ps: torch.optim.SGD(ps, lr=0.1, momentum=0.9, nesterov=True),
        ),
    ],
    "Adagrad": [
        OptimizerCase(
            lambda: nx.Adagrad(),
            _adagrad(1.0, 1e-7),
            lambda torch, ps: torch.optim.Adagrad(ps, lr=1.0, eps=1e-7),
        ),
        OptimizerCase(
            lambda: nx.Adagrad(0.05, epsilon=0.1),
            _adagrad(0.05, 0.1),
            lambda torch, ps: torch.optim.Adagrad(ps, lr=0.05, eps=0.1),
        ),
    ],
    "RMSprop": [
        OptimizerCase(
            lambda: nx.RMSprop(),
            _rmsprop(0.001, 0.9, 1e-7),
            lambda torch, ps: torch.optim.RMSprop(ps, lr=0.001, alpha=0.9, eps=1e-7),
        ),
        OptimizerCase(
            lambda: nx.RMSprop(0.05, rho=0.0, epsilon=0.1),
            _rmsprop(0.05, 0.0, 0.1),
            lambda torch, ps: torch.optim.RMSprop(ps, lr=0.05, alpha=0.0, eps=0.1),
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
    "AdamW": [
        OptimizerCase(
            lambda: nx.AdamW(),
            _adam(0.001, 0.9, 0.999, 1e-7, weight_decay=0.01),
            lambda torch, ps: torch.optim.AdamW(ps, lr=0.001, eps=1e-7),
        ),
        OptimizerCase(
            lambda: nx.AdamW(0.05, beta_2=0.5, weight_decay=0.5),
            _adam(0.05, 0.9, 0.5, 1e-7, weight_decay=0.5),
            lambda torch, ps: torch.optim.AdamW(
                ps, lr=0.05, betas=(0.9, 0.5), eps=1e-7, weight_decay=0.5
            ),
        ),
    ],
}
