"""Cases of every regularizer: maker, penalty and gradient in plain NumPy."""

import numpy as np

import nnfs_xp as nx


def l1(factor):
    return lambda w: factor * np.abs(w).sum(), lambda w: factor * np.sign(w)


def l2(factor):
    return lambda w: factor * (w**2).sum(), lambda w: 2 * factor * w


def both(one, other):
    (first, d_first), (second, d_second) = one, other
    return lambda w: first(w) + second(w), lambda w: d_first(w) + d_second(w)


def orthogonality(factor):
    """Of columns, one product of two of them at a time."""

    def excess(w):
        return w.T @ w - np.eye(w.shape[1])

    def gradient(w):
        slopes, off = np.zeros_like(w), excess(w)
        for i in range(w.shape[1]):
            for k in range(w.shape[1]):
                slopes[:, i] += 4 * factor * off[i, k] * w[:, k]
        return slopes

    return lambda w: factor * (excess(w) ** 2).sum(), gradient


def of_rows(penalty, gradient):
    return lambda w: penalty(w.T), lambda w: gradient(w.T).T


REGULARIZERS = {
    "Orthogonality": [
        (nx.Orthogonality, *orthogonality(0.01)),
        (
            lambda: nx.Orthogonality(0.3, of="rows"),
            *of_rows(*orthogonality(0.3)),
        ),
    ],
    "L1": [(nx.L1, *l1(0.01)), (lambda: nx.L1(0.5, mode="book"), *l1(0.5))],
    "L2": [(nx.L2, *l2(0.01)), (lambda: nx.L2(0.5), *l2(0.5))],
    "L1L2": [
        (nx.L1L2, *l1(0.0)),
        (lambda: nx.L1L2(0.3, 0.2), *both(l1(0.3), l2(0.2))),
        (lambda: nx.L1L2(0.3, 0.2, mode="book"), *both(l1(0.3), l2(0.2))),
    ],
}
