"""Root of the mean squared error."""

from __future__ import annotations

from nnfs_xp.backends import Array, Backend
from nnfs_xp.metrics.base import Statistics
from nnfs_xp.metrics.mean_of import MeanOf
from nnfs_xp.registry import register


@register("metric", "rmse")
class RootMeanSquaredError(MeanOf):
    """Square root of the mean squared error, ``sqrt(mean((y_pred - y_true)^2))``.

    The mean is taken over all outputs of all samples, and the root is taken at the end,
    because a mean of the roots of batches would be wrong. The error has the unit of the
    targets.

    Predictions may have any shape with at least one axis. Targets have the same shape.

    Parameters
    ----------
    name, backend, device, dtype : optional
        See `Metric`.

    Examples
    --------
    >>> from nnfs_xp import RootMeanSquaredError
    >>> metric = RootMeanSquaredError(dtype="float64")
    >>> float(metric.calculate([1.0, 2.0, 3.0, 4.0], [1, 2, 3, 8]))
    2.0
    """

    name = "root_mean_squared_error"
    target_kind = "values"
    lower_is_better = True

    def values(self, be: Backend, y_pred: Array, y_true: Array) -> Array:
        """Return the squared error of each output."""
        error = y_pred - y_true
        return error * error

    def compute(self, be: Backend, statistics: Statistics) -> Array:
        """Return the root of the mean, 0-d, or NaN if there are no samples."""
        return be.xp.sqrt(super().compute(be, statistics))
