"""Cases of every optimizer."""

import numpy as np

import nnfs_xp as nx
from tests.matrix.cases.types import OptimizerCase


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
