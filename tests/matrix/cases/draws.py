"""Inputs that cases share, drawn once."""

from __future__ import annotations

import numpy as np

random = np.random.default_rng(20240607)


def away_from_zero(shape):
    values = random.standard_normal(shape)
    return values + 0.05 * np.sign(values)


def probabilities(shape):
    z = random.standard_normal(shape)
    e = np.exp(z)
    return e / e.sum(axis=1, keepdims=True)


# Labels of six samples in four classes, and what else may stand for them.
labels = random.integers(0, 4, 6)
one_hot = np.eye(4)[labels]
soft = probabilities((6, 4))
weighted = soft * random.uniform(0.2, 3.0, (6, 1))
p = probabilities((6, 4))
z = random.standard_normal((6, 4)) * 3
