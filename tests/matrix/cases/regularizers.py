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


REGULARIZERS = {
    "L1": [(nx.L1, *l1(0.01)), (lambda: nx.L1(0.5, mode="book"), *l1(0.5))],
    "L2": [(nx.L2, *l2(0.01)), (lambda: nx.L2(0.5), *l2(0.5))],
    "L1L2": [
        (nx.L1L2, *l1(0.0)),
        (lambda: nx.L1L2(0.3, 0.2), *both(l1(0.3), l2(0.2))),
        (lambda: nx.L1L2(0.3, 0.2, mode="book"), *both(l1(0.3), l2(0.2))),
    ],
}
