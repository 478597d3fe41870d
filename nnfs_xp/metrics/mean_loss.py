"""Any loss as a metric."""

from __future__ import annotations

import re
from typing import Any

from nnfs_xp.backends import Array, Backend
from nnfs_xp.losses import Loss
from nnfs_xp.metrics.base import Statistics
from nnfs_xp.metrics.counts import spread
from nnfs_xp.metrics.mean_of import MeanOf
from nnfs_xp.registry import register, resolve


@register("metric")
class MeanLoss(MeanOf):
    """Mean of a loss over samples, ``sum(w L) / sum(w c)``.

    ``L`` is the loss of each sample, ``w`` its weight and ``c`` its count, as in the
    mean of the loss itself. A model trained with one loss can thus report any other
    loss, such as the mean absolute error. In a model, the name of a loss is enough:
    ``metrics=["mean_absolute_error"]``.

    Parameters
    ----------
    loss : Loss or str
        The loss, or its name. Its ``reduction`` is ignored.
    name : str, optional
        Key of the metric; by default, the name of the loss, as in
        ``"mean_absolute_error"``.
    backend, device, dtype : optional
        See `Metric`.

    Raises
    ------
    InputError
        If the loss is unknown.

    Examples
    --------
    >>> from nnfs_xp import Huber, MeanLoss
    >>> metric = MeanLoss("mean_absolute_error", dtype="float64")
    >>> float(metric.calculate([[1.0], [2.0]], [[1.0], [4.0]])), metric.name
    (1.0, 'mean_absolute_error')
    >>> float(MeanLoss(Huber(0.5), dtype="float64").calculate([[1.0]], [[2.0]]))
    0.375
    """

    name = "mean_loss"
    lower_is_better = True

    def __init__(
        self, loss: Loss | str, *, name: str | None = None, **where: Any
    ) -> None:
        self.loss = resolve("loss", loss, "loss", Loss)
        super().__init__(name=_key(self.loss) if name is None else name, **where)
        self.target_kind = self.loss.target_kind

    def check_data(self, be: Backend, y_pred: Any, y_true: Any) -> tuple[Array, Array]:
        """Return predictions and targets as the loss takes them, or raise."""
        y_pred = self.loss.check_predictions(be, y_pred)
        shape = tuple(y_pred.shape)
        return y_pred, self.loss.check_targets(be, y_true, "y_true", shape)

    def values(self, be: Backend, y_pred: Array, y_true: Array) -> Array:
        """Return the loss of each sample."""
        return self.loss.fwd(be, y_pred, y_true)[0]

    def batch(
        self, be: Backend, y_pred: Array, y_true: Array, weight: Array | None = None
    ) -> Statistics:
        """Return the sum of the losses, and their total count."""
        statistics = super().batch(be, y_pred, y_true, weight)
        counts = self.loss.sample_counts(be, y_true)
        if counts is None:
            return statistics
        if weight is not None:
            counts = counts * spread(be, weight, tuple(counts.shape))
        return {**statistics, "count": be.xp.sum(counts)}


def _key(loss: Loss) -> str:
    """Return the name of a loss with underscores."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(loss).__name__).lower()
