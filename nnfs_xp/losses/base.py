"""The base of all losses.

An author writes ``fwd(be, y_pred, y_true) -> (losses, residuals)``, with one loss for
each sample, and ``bwd(be, residuals, dlosses) -> dy_pred``. The reduction combines the
losses of a batch, and determines the weight of each sample's gradient. A model needs no
more than this.
"""

from __future__ import annotations

import math
import numbers
from typing import Any, ClassVar

from nnfs_xp.arguments import check_choice
from nnfs_xp.backends import Array, Backend
from nnfs_xp.checks import (
    TARGET_CHECKS,
    check_predictions,
    check_sample_weight,
    check_settings,
)
from nnfs_xp.errors import InputError
from nnfs_xp.losses.targets import as_axes
from nnfs_xp.placement import asked_backend, backend_for
from nnfs_xp.unit import Unit

REDUCTIONS = ("mean", "sum", "none")


class Loss(Unit):
    """Base of all losses.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}, default "mean"
        How the losses ``L_i`` of the samples are reduced. The sample weights ``w_i``
        and the counts ``c_i`` are 1 unless samples or classes are weighted or labels
        are ignored::

            mean   sum_i w_i L_i / sum_i w_i c_i
            sum    sum_i w_i L_i
            none   w_i L_i, one for each sample

    backend, device, dtype : optional
        Backend, device and dtype of a loss used on its own; see `nnfs_xp.get_backend`.
        If none is given, those of the predictions are used.

    Attributes
    ----------
    target_kind : {"classes", "probabilities", "values"}
        The targets that the loss accepts: labels or rows of target probabilities;
        probabilities of the shape of the predictions; or any numbers of that shape.
    from_logits : bool
        Whether predictions are logits instead of probabilities.

    Raises
    ------
    InputError
        If the reduction is unknown.

    Examples
    --------
    >>> from nnfs_xp import Loss
    >>> class Quartic(Loss):  # for a single output
    ...     target_kind = "values"
    ...     def fwd(self, be, y_pred, y_true):
    ...         error = y_pred - y_true
    ...         return (error**4)[:, 0], error
    ...     def bwd(self, be, error, dlosses):
    ...         weights = dlosses if isinstance(dlosses, float) else dlosses[:, None]
    ...         return 4 * error**3 * weights
    >>> loss = Quartic(dtype="float64")
    >>> float(loss.calculate([[3.0], [0.0]], [[1.0], [0.0]])), loss.backward()
    (8.0, array([[16.],
           [ 0.]]))
    """

    target_kind: ClassVar[str] = "classes"
    from_logits: bool = False
    reduction: str = "mean"
    _changing = frozenset({"output", "dinputs"})

    def __init__(
        self,
        *,
        reduction: str = "mean",
        backend: str | Backend | None = None,
        device: Any = None,
        dtype: str | None = None,
    ) -> None:
        self.reduction = check_choice(reduction, "reduction", REDUCTIONS)
        self._backend = asked_backend(backend, device, dtype)
        # State of the last forward pass: backend, losses, targets, weights, residuals.
        self._last: tuple[Backend, Array, Array, Array | None, Any] | None = None

    # The pure pair, written by the author of a loss.

    def fwd(self, be: Backend, y_pred: Array, y_true: Array) -> tuple[Array, Any]:
        """Return the loss of each sample, shape (n,), and residuals."""
        raise NotImplementedError

    def bwd(self, be: Backend, residuals: Any, dlosses: Array | float) -> Array:
        """Return the gradient of the predictions.

        `dlosses` is the weight of each sample, of shape (n,), or one number
        for all of them.
        """
        raise NotImplementedError

    def value_and_gradient(
        self, be: Backend, y_pred: Array, y_true: Array, dlosses: Array | float
    ) -> tuple[Array, Array]:
        """Return the results of `fwd` and `bwd`, for weights that are already known."""
        losses, residuals = self.fwd(be, y_pred, y_true)
        return losses, self.bwd(be, residuals, dlosses)

    # Properties of a loss.

    def sample_counts(self, be: Backend, y_true: Array) -> Array | None:
        """Return how much each sample counts in the mean, None if all count 1."""
        return None

    @property
    def needs_all_targets(self) -> bool:
        """Whether `prepare` must see the targets of the whole training data."""
        return type(self).prepare is not Loss.prepare

    def prepare(
        self, be: Backend, y: Array, weight: Array | None, place: Backend
    ) -> bool:
        """Compute what the loss needs from the targets of the whole training data.

        `Model.fit` calls it before the first step, with the targets and sample weights
        on `be`, and with the backend of the steps. It returns whether anything has
        changed, which requires compiled steps to be compiled again.
        """
        return False

    def check_predictions(self, be: Backend, y_pred: Any) -> Array:
        """Return predictions as floats, or raise InputError."""
        return check_predictions(be, y_pred, self.target_kind)

    def check_targets(
        self,
        be: Backend,
        value: Any,
        name: str,
        prediction_shape: tuple[int | None, ...],
        *,
        host_allowed: bool = False,
    ) -> Array:
        """Return targets as `fwd` takes them, or raise InputError.

        In the shape of the predictions, None stands for a length that is not known yet.
        """
        check = TARGET_CHECKS[self.target_kind]
        return check(be, value, name, prediction_shape, host_allowed=host_allowed)

    # The losses of a batch.

    def losses_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape of the losses, given that of the predictions."""
        return shape[:1]

    def weighted(self, be: Backend, losses: Array, weights: Array | None) -> Array:
        """Return the losses times the weights of their samples, if there are any."""
        if weights is None:
            return losses
        weights = as_axes(be, weights, losses.ndim)
        # A sample with weight 0 is left out, even if its loss is infinite.
        return weights * be.xp.where(weights > 0, losses, be.zero)

    def factors(
        self,
        be: Backend,
        shape: tuple[int, ...],
        y_true: Array,
        sample_weight: Array | None,
    ) -> tuple[Array | int, Array | float]:
        """Return the count of a batch, and the weights for `bwd`.

        They do not depend on the losses, and can therefore be computed first.

        Parameters
        ----------
        be : Backend
            Where the arrays are.
        shape : tuple of int
            Shape of the losses; see `losses_shape`.
        y_true : array
            Targets.
        sample_weight : array or None
            The weight of each sample; None means 1 for all.

        Returns
        -------
        count : int or array, 0-d
            The total count of the losses: their number if nothing is weighted.
        dlosses : float or array
            Gradient of the reduced loss with respect to the losses; 0 everywhere if the
            count is 0.
        """
        xp, counts = be.xp, self.sample_counts(be, y_true)
        if counts is None and sample_weight is None:
            n = math.prod(shape)
            return n, 1.0 / n if self.reduction == "mean" else 1.0
        factors = be.full(shape, 1.0)
        if sample_weight is not None:
            weights = as_axes(be, sample_weight, len(shape))
            factors = weights if len(shape) == 1 else factors * weights
        count = xp.sum(factors if counts is None else factors * counts)
        if self.reduction != "mean":
            return count, 1.0 if sample_weight is None else factors
        # If nothing counts, the mean is NaN, but its gradient must not be.
        some = count > 0
        divisor = xp.where(some, count, be.constant(1.0))
        return count, xp.where(some, factors, be.zero) / divisor

    def finish(self, total: Any, count: Any) -> Any:
        """Return the reduced loss: `total`, divided by `count` for a mean.

        Both may be arrays or numbers. The mean is NaN if the count is 0.
        """
        if self.reduction != "mean":
            return total
        if isinstance(count, numbers.Real) and count == 0:
            # Arrays give NaN here, where Python raises an error and NumPy warns.
            return total * math.nan
        # NaN if nothing counts, even if labels are smoothed and have losses.
        one = count / count
        return total / count * one

    # The shell of the book.

    def forward(self, y_pred: Any, y_true: Any, *, sample_weight: Any = None) -> Array:
        """Return the loss of each sample.

        Parameters
        ----------
        y_pred : array or array_like
            Predictions, one row per sample.
        y_true : array or array_like
            Targets, of the loss's `target_kind`.
        sample_weight : array or array_like, shape (n,), optional
            A factor for the loss of each sample, 0 or more.

        Returns
        -------
        array, shape (n,)
            Also kept as ``.output``.
        """
        be = backend_for(self._backend, y_pred)
        check_settings(be, self)
        with be.context():
            y_pred = self.check_predictions(be, y_pred)
            shape = tuple(y_pred.shape)
            y_true = self.check_targets(be, y_true, "y_true", shape)
            if sample_weight is not None:
                sample_weight = check_sample_weight(
                    be, sample_weight, "sample_weight", self.losses_shape(shape)
                )
            losses, residuals = self.fwd(be, y_pred, y_true)
            self._last = be, losses, y_true, sample_weight, residuals
            self.output = self.weighted(be, losses, sample_weight)
        return self.output

    def calculate(
        self, y_pred: Any, y_true: Any, *, sample_weight: Any = None
    ) -> Array:
        """Return the reduced loss, a 0-d array; arguments as in `forward`.

        With ``reduction="none"`` it is the result of `forward`.
        """
        output = self.forward(y_pred, y_true, sample_weight=sample_weight)
        if self.reduction == "none":
            return output
        assert self._last is not None
        be, losses, y_true, weights, _ = self._last
        with be.context():
            count, _ = self.factors(be, tuple(losses.shape), y_true, weights)
            total = be.xp.sum(self.weighted(be, losses, weights))
            return self.finish(total, count)

    def backward(
        self, y_pred: Any = None, y_true: Any = None, *, sample_weight: Any = None
    ) -> Array:
        """Return the gradient of the reduced loss with respect to `y_pred`.

        With ``reduction="none"`` it is the gradient of the sum.

        Parameters
        ----------
        y_pred, y_true, sample_weight : optional
            As in `forward`, for calls in the style of the book. If omitted, the
            gradient is taken at the arguments of the last call of `forward`.

        Returns
        -------
        array
            It has the shape of the predictions and is also kept as ``.dinputs``.
        """
        if (y_pred is None) != (y_true is None):
            raise InputError("y_pred and y_true must be given together")
        if y_pred is not None:
            self.forward(y_pred, y_true, sample_weight=sample_weight)
        elif sample_weight is not None:
            raise InputError("sample_weight must be given with y_pred and y_true")
        if self._last is None:
            raise InputError("backward needs y_pred and y_true, or a forward pass")
        be, losses, y_true, weights, residuals = self._last
        with be.context():
            _, dlosses = self.factors(be, tuple(losses.shape), y_true, weights)
            self.dinputs = self.bwd(be, residuals, dlosses)
        return self.dinputs
