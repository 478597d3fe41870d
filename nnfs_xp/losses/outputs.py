"""The loss of a sample as the mean over its outputs.

Each term is divided by the number of outputs before they are added, so that
the sum overflows only where the mean does.
"""

from __future__ import annotations

import math

from nnfs_xp.backends import Array, Backend
from nnfs_xp.losses.targets import as_column


def share_of_output(y_pred: Array) -> float:
    """Return one over the number of outputs of a sample."""
    return 1.0 / math.prod(y_pred.shape[1:])


def sum_over_outputs(be: Backend, values: Array) -> Array:
    """Return the sum over all axes but the first."""
    if values.ndim == 1:
        return values
    return be.xp.sum(values, axis=tuple(range(1, values.ndim)))


def weights_of_outputs(dlosses: Array | float, y_pred: Array) -> Array | float:
    """Return what the gradient of every output is to be multiplied with."""
    return as_column(dlosses, y_pred.ndim) * share_of_output(y_pred)
