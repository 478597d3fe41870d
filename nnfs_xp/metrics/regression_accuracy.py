"""The book's accuracy of a regression."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_rate
from nnfs_xp.backends import Array, Backend
from nnfs_xp.errors import InputError
from nnfs_xp.metrics.share import Share
from nnfs_xp.registry import register


@register("metric")
class RegressionAccuracy(Share):
    """Fraction of outputs whose error is below a tolerance.

    Every output counts, ``mean(|y_pred - y_true| < tolerance)``. The book's tolerance
    is the standard deviation of the training targets divided by 250, over all of their
    entries and with the divisor n. If no tolerance is given, `Model.fit` computes it in
    the same way, as does the first call to `calculate` of a metric used on its own. The
    tolerance is then kept, also in saved models. If all targets are equal, the
    tolerance is 0, and no prediction counts as correct.

    Predictions may have any shape with at least one axis. Targets have the same shape.

    Parameters
    ----------
    tolerance : float, optional
        The tolerance, 0 or more.
    name, backend, device, dtype : optional
        See `Metric`.

    Attributes
    ----------
    tolerance : float or None
        The tolerance; None until it is computed from targets.

    Raises
    ------
    InputError
        If the tolerance is invalid, or is needed but not known yet.

    References
    ----------
    Kinsley and Kukiela, "Neural Networks from Scratch", chapter 17.

    Examples
    --------
    >>> from nnfs_xp import RegressionAccuracy
    >>> metric = RegressionAccuracy(dtype="float64")
    >>> float(metric.calculate([0.0, 10.1, 20.0, 30.01], [0, 10, 20, 30]))
    0.75
    >>> round(metric.tolerance, 5)
    0.04472
    """

    name = "accuracy"
    target_kind = "values"

    def __init__(self, tolerance: float | None = None, **where: Any) -> None:
        super().__init__(**where)
        if tolerance is not None:
            tolerance = check_rate(tolerance, "tolerance")
        self._tolerance = tolerance

    @property
    def tolerance(self) -> float | None:
        """How close is close enough; None until it is computed from targets."""
        return self._tolerance

    @property
    def needs_all_targets(self) -> bool:
        """Whether the tolerance still has to be computed from them."""
        return self.tolerance is None

    def prepare(self, be: Backend, y: Array) -> bool:
        """Compute the tolerance from the targets, if it is not known yet."""
        if self.tolerance is not None:
            return False
        entries = be.xp.reshape(y, (-1,))
        # Minus one of them, so that targets far from 0 lose no digits.
        deviation = be.xp.std(entries - entries[0])
        self._tolerance = float(be.to_numpy(deviation)) / 250
        return True

    def right(self, be: Backend, y_pred: Array, y_true: Array) -> Array:
        """Return whether each output is close to its target."""
        if self.tolerance is None:
            raise InputError(
                "tolerance must be given, or taken from the training targets by "
                "fit, prepare or calculate, before batches are counted"
            )
        return be.xp.abs(y_pred - y_true) < self.tolerance
