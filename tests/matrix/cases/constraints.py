"""Cases of every constraint: maker, and what it makes of a matrix, in plain NumPy."""

import numpy as np

import nnfs_xp as nx


def column_by_column(change, axis=0):
    return lambda w: np.apply_along_axis(change, axis, w)


def at_most(limit):
    return lambda v: v * min(1.0, limit / np.linalg.norm(v))


def of_length_1(v):
    return v / np.linalg.norm(v)


CONSTRAINTS = {
    "MaxNorm": [
        (nx.MaxNorm, column_by_column(at_most(2.0))),
        (lambda: nx.MaxNorm(0.5), column_by_column(at_most(0.5))),
        (lambda: nx.MaxNorm(1.0, of="rows"), column_by_column(at_most(1.0), axis=1)),
    ],
    "UnitNorm": [
        (nx.UnitNorm, column_by_column(of_length_1)),
        (lambda: nx.UnitNorm(of="rows"), column_by_column(of_length_1, axis=1)),
    ],
}
