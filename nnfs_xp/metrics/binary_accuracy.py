"""Accuracy of outputs that each answer one yes-or-no question."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_number
from nnfs_xp.backends import Array, Backend
from nnfs_xp.metrics.share import Share
from nnfs_xp.registry import register


@register("metric")
class BinaryAccuracy(Share):
    """Fraction of outputs on the same side of the threshold as their target.

    Every output counts, ``mean((y_pred > threshold) == (y_true > 0.5))``. Over many
    batches, the book's accuracy divides the number of correct outputs by the number of
    rows, so with several outputs, it may exceed 1; this metric does not. A prediction
    of NaN counts as wrong.

    Predictions may have any shape with at least one axis. Targets have the same shape
    and range from 0 to 1.

    Parameters
    ----------
    threshold : float, default 0.5
        Predictions above it mean class 1. Use 0 for logits.
    name, backend, device, dtype : optional
        See `Metric`.

    References
    ----------
    Kinsley and Kukiela, "Neural Networks from Scratch", chapter 16.

    Examples
    --------
    >>> from nnfs_xp import BinaryAccuracy
    >>> predictions = [[0.9, 0.2], [0.4, 0.5]]
    >>> targets = [[1, 0], [1, 0]]
    >>> float(BinaryAccuracy(dtype="float64").calculate(predictions, targets))
    0.75
    """

    name = "accuracy"
    target_kind = "probabilities"

    def __init__(self, threshold: float = 0.5, **where: Any) -> None:
        super().__init__(**where)
        self.threshold = check_number(threshold, "threshold")

    def right(self, be: Backend, y_pred: Array, y_true: Array) -> Array:
        """Return whether each output is on the same side as its target."""
        # Neither comparison is true of NaN.
        above, below = y_pred > self.threshold, y_pred <= self.threshold
        return be.xp.where(y_true > 0.5, above, below)
