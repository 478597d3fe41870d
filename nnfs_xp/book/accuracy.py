"""The book's accuracies, which compare predictions and not scores."""

from __future__ import annotations

import functools
import math
from typing import Any

from nnfs_xp.arguments import check_flag
from nnfs_xp.backends import Array
from nnfs_xp.book.settings import here, moved
from nnfs_xp.checks import check_array
from nnfs_xp.errors import InputError
from nnfs_xp.metrics import Accuracy as CategoricalAccuracy
from nnfs_xp.metrics import BinaryAccuracy, Metric, RegressionAccuracy


class Accuracy:
    """The book's base of all accuracies.

    One's own overrides ``compare(predictions, y)``, which says of each
    prediction whether it is right.

    Attributes
    ----------
    metric : Metric or None
        The library's own metric that a `Model` computes in its place.

    Examples
    --------
    >>> import numpy as np
    >>> import nnfs_xp.book as nnfs
    >>> class Accuracy_Near(nnfs.Accuracy):
    ...     def compare(self, predictions, y):
    ...         return abs(predictions - y) < 0.5
    >>> accuracy = Accuracy_Near()
    >>> round(float(accuracy.calculate(np.array([0.1, 0.9, 2.0]), np.arange(3))), 4)
    1.0
    """

    metric: Any = None
    accumulated_sum: Any = 0
    accumulated_count: int = 0

    def init(self, y: Any) -> None:
        """Take what is needed from the targets: here, nothing."""

    def compare(self, predictions: Any, y: Any) -> Array:
        """Return booleans, True where a prediction is right."""
        raise NotImplementedError

    def calculate(self, predictions: Any, y: Any) -> Array:
        """Return the share of right predictions of a batch.

        Every comparison counts, so with several outputs the share of a whole
        pass cannot exceed 1, as it can in the book.
        """
        be = here()
        with be.context():
            hits = be.asarray(
                moved(be, self.compare(moved(be, predictions), moved(be, y)))
            )
            if not be.xp.isdtype(hits.dtype, "real floating"):
                hits = be.xp.astype(hits, be.xp.int32)
            right = be.xp.sum(hits)
            count = math.prod(hits.shape)
            self.accumulated_sum = self.accumulated_sum + right
            self.accumulated_count += count
            return be.xp.astype(right, be.dtype) / count

    def calculate_accumulated(self) -> Array:
        """Return the share over all batches since `new_pass`."""
        if not self.accumulated_count:
            raise InputError("calculate_accumulated needs a call of calculate first")
        be = here()
        return be.xp.astype(self.accumulated_sum, be.dtype) / self.accumulated_count

    def new_pass(self) -> None:
        """Begin new sums."""
        self.accumulated_sum, self.accumulated_count = 0, 0


class Accuracy_Categorical(Accuracy):
    """Share of predictions that equal their targets.

    Parameters
    ----------
    binary : bool, default False
        Whether targets are 0 or 1 for each output, not classes.

    Examples
    --------
    >>> import nnfs_xp.book as nnfs
    >>> accuracy = nnfs.Accuracy_Categorical()
    >>> float(accuracy.calculate([0, 1, 1, 0], [0, 1, 0, 0]))
    0.75
    """

    binary = False

    def __init__(self, *, binary: bool = False) -> None:
        self.binary = check_flag(binary, "binary")

    @functools.cached_property
    def metric(self) -> Metric:
        """The library's own metric that a `Model` computes in its place."""
        return BinaryAccuracy(name="accuracy") if self.binary else CategoricalAccuracy()

    def compare(self, predictions: Any, y: Any) -> Array:
        """Return where predictions and targets are equal."""
        predictions, y = _pair(predictions, y, one_hot_allowed=not self.binary)
        return predictions == y


class Accuracy_Regression(Accuracy):
    """Share of predictions closer to their targets than a precision.

    Attributes
    ----------
    precision : float or None
        One 250th of the standard deviation of the targets of ``init``.

    Examples
    --------
    >>> import nnfs_xp.book as nnfs
    >>> accuracy = nnfs.Accuracy_Regression()
    >>> accuracy.init([[0.0], [10.0]])
    >>> accuracy.precision
    0.02
    >>> float(accuracy.calculate([[0.01], [10.1]], [[0.0], [10.0]]))
    0.5
    """

    @functools.cached_property
    def metric(self) -> RegressionAccuracy:
        """The library's own metric that a `Model` computes in its place."""
        return RegressionAccuracy()

    @property
    def precision(self) -> float | None:
        """How close is close enough."""
        return self.metric.tolerance

    @precision.setter
    def precision(self, value: float | None) -> None:
        self.metric._tolerance = value

    def init(self, y: Any, reinit: bool = False) -> None:
        """Take the precision from targets, if there is none or with `reinit`."""
        if check_flag(reinit, "reinit"):
            self.metric._tolerance = None
        be = here()
        with be.context():
            y = be.asarray(check_array(be, moved(be, y), "y"), be.dtype)
            self.metric.prepare(be, y)

    def compare(self, predictions: Any, y: Any) -> Array:
        """Return where predictions are close to their targets."""
        if self.precision is None:
            raise InputError("compare needs a call of init first")
        predictions, y = _pair(predictions, y)
        return here().xp.abs(predictions - y) < self.precision


def accuracy_for(metric: Metric) -> Accuracy | None:
    """Return the book's accuracy around a metric, if the book has one."""
    found: Accuracy
    if isinstance(metric, RegressionAccuracy):
        found = Accuracy_Regression()
    elif isinstance(metric, (BinaryAccuracy, CategoricalAccuracy)):
        found = Accuracy_Categorical(binary=isinstance(metric, BinaryAccuracy))
    else:
        return None
    found.metric = metric
    return found


def _pair(
    predictions: Any, y: Any, *, one_hot_allowed: bool = False
) -> tuple[Array, Array]:
    be = here()
    predictions = check_array(be, moved(be, predictions), "predictions")
    y = check_array(be, moved(be, y), "y")
    if one_hot_allowed and y.ndim == 2:
        y = be.xp.argmax(y, axis=1)
    if predictions.shape != y.shape:
        raise InputError(
            f"y must have the shape of predictions {tuple(predictions.shape)}, "
            f"got {tuple(y.shape)}"
        )
    return predictions, y
