"""Cases of every optimizer.

Each recurrence is written out here once more, in plain NumPy. It takes a rate
for each step, or its own constant one, and is not told of our classes.
"""

import functools
import itertools

import numpy as np
import pytest

import nnfs_xp as nx
from tests.matrix.cases.types import OptimizerCase


def of_optax(rate, make):
    """Return an optimizer of optax, ``make(optax, rate)``, in the way of PyTorch's."""
    return lambda torch, ps: _rival(torch, ps, rate, make)


@functools.cache
def _compiled(make):
    optax = pytest.importorskip("optax")
    import jax

    @jax.jit
    def updated(rate, gradients, state, ws):
        updates, state = make(optax, rate).update(gradients, state, ws)
        return optax.apply_updates(ws, updates), state

    return updated, make(optax, 1.0).init


def _rival(torch, ps, rate, make):
    updated, init = _compiled(make)
    be = nx.get_backend("jax", dtype="float64")

    class Rival(torch.optim.Optimizer):
        def __init__(self):
            super().__init__(ps, {"lr": rate})
            with be.context():
                self.ws = [be.asarray(p.detach().numpy()) for p in ps]
                self.optax_state = init(self.ws)

        def step(self):
            with be.context():
                gradients = [be.asarray(p.grad.numpy()) for p in ps]
                rate = be.constant(self.param_groups[0]["lr"])
                self.ws, self.optax_state = updated(
                    rate, gradients, self.optax_state, self.ws
                )
                for p, w in zip(ps, self.ws, strict=True):
                    p.data = torch.tensor(be.to_numpy(w))

    return Rival()


def _nadam_of_torch(torch, ps, **options):
    """Return PyTorch's, whose product would be in float32 by default."""

    class Exact(torch.optim.NAdam):
        def step(self):
            usual = torch.get_default_dtype()
            torch.set_default_dtype(torch.float64)
            try:
                super().step()
            finally:
                torch.set_default_dtype(usual)

    return Exact(ps, **options)


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


def _adagrad(rate, eps, start=0.0):
    def recurrence(w, gradients, rates=None):
        s = np.full_like(w, start)
        for g, eta in _pairs(gradients, rates, rate):
            s = s + g**2
            w = w - eta * g / (np.sqrt(s) + eps)
        return w

    return recurrence


def _rmsprop(rate, rho, eps, centered=False):
    def recurrence(w, gradients, rates=None):
        s, mean = np.zeros_like(w), np.zeros_like(w)
        for g, eta in _pairs(gradients, rates, rate):
            s = rho * s + (1 - rho) * g**2
            mean = rho * mean + (1 - rho) * g
            w = w - eta * g / (np.sqrt(s - centered * mean**2) + eps)
        return w

    return recurrence


def _adadelta(rate, rho, eps):
    def recurrence(w, gradients, rates=None):
        s, d = np.zeros_like(w), np.zeros_like(w)
        for g, eta in _pairs(gradients, rates, rate):
            s = rho * s + (1 - rho) * g**2
            step = np.sqrt(d + eps) / np.sqrt(s + eps) * g
            d = rho * d + (1 - rho) * step**2
            w = w - eta * step
        return w

    return recurrence


def _adamax(rate, b1, b2, eps):
    def recurrence(w, gradients, rates=None):
        m, u = np.zeros_like(w), np.zeros_like(w)
        for t, (g, eta) in enumerate(_pairs(gradients, rates, rate), start=1):
            m = b1 * m + (1 - b1) * g
            u = np.where(b2 * u > abs(g) + eps, b2 * u, abs(g) + eps)
            w = w - eta * m / (1 - b1**t) / u
        return w

    return recurrence


def _nadam(rate, b1, b2, eps, fall):
    def recurrence(w, gradients, rates=None):
        m, v, product = np.zeros_like(w), np.zeros_like(w), 1.0
        for t, (g, eta) in enumerate(_pairs(gradients, rates, rate), start=1):
            mu = b1 * (1 - 0.96 ** (t * fall) / 2)
            following = b1 * (1 - 0.96 ** ((t + 1) * fall) / 2)
            product *= mu
            m = b1 * m + (1 - b1) * g
            v = b2 * v + (1 - b2) * g**2
            ahead = following * m / (1 - product * following)
            ahead = ahead + (1 - mu) * g / (1 - product)
            w = w - eta * ahead / (np.sqrt(v / (1 - b2**t)) + eps)
        return w

    return recurrence


def _lion(rate, b1, b2, weight_decay=0.0):
    def recurrence(w, gradients, rates=None):
        m = np.zeros_like(w)
        for g, eta in _pairs(gradients, rates, rate):
            w = w * (1 - eta * weight_decay) - eta * np.sign(b1 * m + (1 - b1) * g)
            m = b2 * m + (1 - b2) * g
        return w

    return recurrence


def _lamb(rate, b1, b2, eps, weight_decay=0.0):
    def recurrence(w, gradients, rates=None):
        m, v = np.zeros_like(w), np.zeros_like(w)
        for t, (g, eta) in enumerate(_pairs(gradients, rates, rate), start=1):
            m = b1 * m + (1 - b1) * g
            v = b2 * v + (1 - b2) * g**2
            u = m / (1 - b1**t) / (np.sqrt(v / (1 - b2**t)) + eps) + weight_decay * w
            of_w, of_u = np.linalg.norm(w), np.linalg.norm(u)
            w = w - eta * (of_w / of_u if of_w > 0 and of_u > 0 else 1.0) * u
        return w

    return recurrence


def _muon(rate, momentum, nesterov=True):
    """Of singular values, where the library multiplies matrices."""

    def recurrence(w, gradients, rates=None):
        if min(w.shape) < 2:
            return _adam(rate, 0.9, 0.999, 1e-7)(w, gradients, rates)
        m = np.zeros_like(w)
        for g, eta in _pairs(gradients, rates, rate):
            m = momentum * m + (1 - momentum) * g
            u = momentum * m + (1 - momentum) * g if nesterov else m
            left, s, right = np.linalg.svd(u, full_matrices=False)
            s = s / np.sqrt(np.sum(s**2))
            for _ in range(5):
                s = 3.4445 * s - 4.7750 * s**3 + 2.0315 * s**5
            w = w - eta * 0.2 * max(w.shape) ** 0.5 * (left * s) @ right
        return w

    return recurrence


def _adam(rate, b1, b2, eps, weight_decay=0.0, amsgrad=False):
    def recurrence(w, gradients, rates=None):
        m = np.zeros_like(w)
        v = np.zeros_like(w)
        largest = np.zeros_like(w)
        for t, (g, eta) in enumerate(_pairs(gradients, rates, rate), start=1):
            w = w * (1 - eta * weight_decay)
            m = b1 * m + (1 - b1) * g
            v = b2 * v + (1 - b2) * g**2
            largest = np.where(largest > v, largest, v)
            m_hat = m / (1 - b1**t)
            v_hat = (largest if amsgrad else v) / (1 - b2**t)
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
            other_formula=True,
        ),
        OptimizerCase(
            lambda: nx.SGD(0.1, momentum=0.9, nesterov=True),
            _sgd(0.1, 0.9, nesterov=True),
            lambda torch, ps: torch.optim.SGD(ps, lr=0.1, momentum=0.9, nesterov=True),
            other_formula=True,
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
        OptimizerCase(
            lambda: nx.Adagrad(0.1, initial_accumulator=0.5),
            _adagrad(0.1, 1e-7, 0.5),
            lambda torch, ps: torch.optim.Adagrad(
                ps, lr=0.1, eps=1e-7, initial_accumulator_value=0.5
            ),
            other_formula=True,
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
        OptimizerCase(
            lambda: nx.RMSprop(0.01, rho=0.5, epsilon=0.1, centered=True),
            _rmsprop(0.01, 0.5, 0.1, centered=True),
            lambda torch, ps: torch.optim.RMSprop(
                ps, lr=0.01, alpha=0.5, eps=0.1, centered=True
            ),
            other_formula=True,
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
        OptimizerCase(
            lambda: nx.Adam(0.05, beta_2=0.5, amsgrad=True),
            _adam(0.05, 0.9, 0.5, 1e-7, amsgrad=True),
            lambda torch, ps: torch.optim.Adam(
                ps, lr=0.05, betas=(0.9, 0.5), eps=1e-7, amsgrad=True
            ),
            other_formula=True,
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
        OptimizerCase(
            lambda: nx.AdamW(0.05, beta_2=0.5, amsgrad=True),
            _adam(0.05, 0.9, 0.5, 1e-7, weight_decay=0.01, amsgrad=True),
            lambda torch, ps: torch.optim.AdamW(
                ps, lr=0.05, betas=(0.9, 0.5), eps=1e-7, amsgrad=True
            ),
        ),
    ],
    "Adadelta": [
        OptimizerCase(
            lambda: nx.Adadelta(),
            _adadelta(1.0, 0.95, 1e-6),
            lambda torch, ps: torch.optim.Adadelta(ps, lr=1.0, rho=0.95, eps=1e-6),
        ),
        OptimizerCase(
            lambda: nx.Adadelta(0.5, rho=0.0, epsilon=0.1),
            _adadelta(0.5, 0.0, 0.1),
            lambda torch, ps: torch.optim.Adadelta(ps, lr=0.5, rho=0.0, eps=0.1),
        ),
    ],
    "Adamax": [
        OptimizerCase(
            lambda: nx.Adamax(),
            _adamax(0.001, 0.9, 0.999, 1e-7),
            lambda torch, ps: torch.optim.Adamax(ps, lr=0.001, eps=1e-7),
        ),
        OptimizerCase(
            lambda: nx.Adamax(0.05, beta_1=0.0, beta_2=0.5, epsilon=0.1),
            _adamax(0.05, 0.0, 0.5, 0.1),
            lambda torch, ps: torch.optim.Adamax(
                ps, lr=0.05, betas=(0.0, 0.5), eps=0.1
            ),
        ),
    ],
    "Nadam": [
        OptimizerCase(
            lambda: nx.Nadam(),
            _nadam(0.001, 0.9, 0.999, 1e-7, 0.004),
            lambda torch, ps: _nadam_of_torch(torch, ps, lr=0.001, eps=1e-7),
        ),
        OptimizerCase(
            lambda: nx.Nadam(0.05, beta_2=0.5, epsilon=1e-8, momentum_decay=1),
            _nadam(0.05, 0.9, 0.5, 1e-8, 1.0),
            lambda torch, ps: _nadam_of_torch(
                torch, ps, lr=0.05, betas=(0.9, 0.5), eps=1e-8, momentum_decay=1.0
            ),
        ),
    ],
    "Lion": [
        OptimizerCase(
            lambda: nx.Lion(),
            _lion(0.0001, 0.9, 0.99),
            of_optax(0.0001, lambda of, rate: of.lion(rate, weight_decay=0.0)),
        ),
        OptimizerCase(
            lambda: nx.Lion(0.05, beta_1=0.0, beta_2=0.5, weight_decay=0.5),
            _lion(0.05, 0.0, 0.5, weight_decay=0.5),
            of_optax(
                0.05, lambda of, rate: of.lion(rate, b1=0.0, b2=0.5, weight_decay=0.5)
            ),
        ),
    ],
    "LAMB": [
        OptimizerCase(
            lambda: nx.LAMB(),
            _lamb(0.001, 0.9, 0.999, 1e-6),
            of_optax(0.001, lambda of, rate: of.lamb(rate)),
        ),
        OptimizerCase(
            lambda: nx.LAMB(0.05, beta_1=0.0, beta_2=0.5, weight_decay=0.5),
            _lamb(0.05, 0.0, 0.5, 1e-6, weight_decay=0.5),
            of_optax(0.05, lambda of, rate: of.lamb(rate, 0.0, 0.5, weight_decay=0.5)),
        ),
    ],
    "Muon": [
        OptimizerCase(lambda: nx.Muon(), _muon(0.001, 0.95), None),
        OptimizerCase(
            lambda: nx.Muon(0.05, momentum=0.5, nesterov=False),
            _muon(0.05, 0.5, nesterov=False),
            # Its correction of the momentum is lost as the length is, but for epsilon.
            of_optax(
                0.05,
                lambda of, rate: of.contrib.muon(
                    rate,
                    (3.4445, -4.7750, 2.0315),
                    beta=0.5,
                    eps=0.0,
                    nesterov=False,
                    consistent_rms=0.2,
                ),
            ),
        ),
    ],
}
