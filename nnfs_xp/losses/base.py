"""The shell around a loss's pure functions, as a reader of the book knows it."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_choice
from nnfs_xp.backends import Array, Backend
from nnfs_xp.checks import check_sample_weight
from nnfs_xp.errors import InputError
from nnfs_xp.losses.pure import PureLoss
from nnfs_xp.losses.reduction import REDUCTIONS, weighted_losses
from nnfs_xp.placement import asked_backend, backend_for
from nnfs_xp.registry import describe


class Loss(PureLoss):
    """Base of all losses.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}, default "mean"
        What becomes of the losses ``L_i`` of the samples, with sample weights
        ``w_i`` and what each sample counts ``c_i``, both 1 unless something
        is weighted::

            mean   sum_i w_i L_i / sum_i w_i c_i
            sum    sum_i w_i L_i
            none   w_i L_i, one for each sample

    backend, device, dtype : optional
        Where a loss that is used on its own computes; see
        `nnfs_xp.get_backend`. If none is named it follows its predictions.

    Attributes
    ----------
    target_kind : {"classes", "probabilities", "values"}
        What targets the loss takes: labels or rows of target probabilities,
        probabilities of the shape of the predictions, or any numbers of that
        shape.
    from_logits : bool
        Whether predictions are logits, not yet probabilities.

    Raises
    ------
    InputError
        If there is no such reduction.

    Examples
    --------
    >>> from nnfs_xp import Loss
    >>> class Quartic(Loss):  # of one output
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
        # Of the last forward pass: backend, losses, targets, weights, residuals.
        self._last: tuple[Backend, Array, Array, Array | None, Any] | None = None

    def forward(self, y_pred: Any, y_true: Any, *, sample_weight: Any = None) -> Array:
        """Return the loss of each sample.

        Parameters
        ----------
        y_pred : array or array_like
            Predictions, one row a sample.
        y_true : array or array_like
            Targets, of the loss's `target_kind`.
        sample_weight : array or array_like, shape (n,), optional
            A factor of 0 or more for the loss of each sample.

        Returns
        -------
        array, shape (n,)
            Also kept as ``.output``.
        """
        be = backend_for(self._backend, y_pred)
        with be.context():
            y_pred = self.check_predictions(be, y_pred)
            shape = tuple(y_pred.shape)
            y_true = self.check_targets(be, y_true, "y_true", shape)
            if sample_weight is not None:
                sample_weight = check_sample_weight(
                    be, sample_weight, "sample_weight", shape[0]
                )
            losses, residuals = self.fwd(be, y_pred, y_true)
            self._last = be, losses, y_true, sample_weight, residuals
            self.output = weighted_losses(be, losses, sample_weight)
        return self.output

    def calculate(
        self, y_pred: Any, y_true: Any, *, sample_weight: Any = None
    ) -> Array:
        """Return the reduced loss, a 0-d array; arguments as in `forward`.

        With ``reduction="none"`` it is what `forward` returns.
        """
        output = self.forward(y_pred, y_true, sample_weight=sample_weight)
        if self.reduction == "none":
            return output
        assert self._last is not None
        be, losses, y_true, weights, _ = self._last
        with be.context():
            total, count, _ = self.weigh(be, losses, y_true, weights)
            return self.finish(total, count)

    def backward(
        self, y_pred: Any = None, y_true: Any = None, *, sample_weight: Any = None
    ) -> Array:
        """Return the gradient of the reduced loss with respect to `y_pred`.

        With ``reduction="none"`` it is the gradient of the sum.

        Parameters
        ----------
        y_pred, y_true, sample_weight : optional
            As in `forward`, as the book calls it. Without them, the gradient
            is taken where `forward` was last called.

        Returns
        -------
        array
            Of the shape of the predictions. Also kept as ``.dinputs``.
        """
        if (y_pred is None) != (y_true is None):
            raise InputError("y_pred and y_true must be given both, or neither")
        if y_pred is not None:
            self.forward(y_pred, y_true, sample_weight=sample_weight)
        elif sample_weight is not None:
            raise InputError("sample_weight must come with y_pred and y_true")
        if self._last is None:
            raise InputError("backward needs y_pred and y_true, or a forward pass")
        be, losses, y_true, weights, residuals = self._last
        with be.context():
            _, _, dlosses = self.weigh(be, losses, y_true, weights)
            self.dinputs = self.bwd(be, residuals, dlosses)
        return self.dinputs

    def __repr__(self) -> str:
        return describe(self)
