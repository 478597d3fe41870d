"""Categorical cross-entropy that gives easy samples less weight."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nnfs_xp.arguments import check_flag, check_rate
from nnfs_xp.backends import Array, Backend
from nnfs_xp.losses.base import Loss
from nnfs_xp.losses.clipping import floor_probabilities
from nnfs_xp.losses.targets import ClassTargets, as_column, as_rows
from nnfs_xp.registry import register
from nnfs_xp.special import at_least_tiny, log_softmax

# A logarithm of this value or less is that of 0 in both precisions.
_FAR = 1000.0


@register("loss")
class CategoricalFocalCrossEntropy(ClassTargets, Loss):
    """Categorical focal loss of probabilities ``p`` against targets ``q``.

    A factor reduces the loss of classes that already have a high probability. The loss
    of a sample and its gradients with respect to probabilities and logits ``z`` are::

        L = -sum_j q_j (1 - p_j)^g log p_j
        w_j = p_j dL/dp_j = q_j (1 - p_j)^g (g p_j log(p_j) / (1 - p_j) - 1)
        dL/dz = w - p sum_j w_j

    With logits, ``log p`` is never computed from a rounded probability. A model that
    ends with a `Softmax` computes the loss this way. Keras multiplies the loss by
    ``alpha``, which is 0.25 or a number for each class. Here, `class_weight` serves
    this purpose, and the mean divides by the sum of the weights.

    Parameters
    ----------
    gamma : float, default 2.0
        The exponent ``g``, 0 or more; 0 gives the cross-entropy.
    from_logits : bool, default False
        Whether predictions are logits, to which a softmax is applied first.
    label_smoothing, class_weight, ignore_index : optional
        See `SoftmaxCrossEntropy`.
    reduction : {"mean", "sum", "none"}, default "mean"
        See `Loss`.
    backend, device, dtype : optional
        See `Loss`.

    Raises
    ------
    InputError
        If an argument is invalid; on the first data, if `class_weight` does not have
        one weight per class.

    References
    ----------
    Lin, Goyal, Girshick, He and Dollar, "Focal loss for dense object detection", 2017,
    eq. 4.

    Examples
    --------
    >>> from nnfs_xp import CategoricalFocalCrossEntropy
    >>> loss = CategoricalFocalCrossEntropy(dtype="float64")
    >>> loss.forward([[0.5, 0.5], [0.9, 0.1]], [0, 0]).round(4)
    array([0.1733, 0.0011])
    >>> loss = CategoricalFocalCrossEntropy(from_logits=True, dtype="float64")
    >>> loss.forward([[0.0, -1000.0]], [1]), loss.backward()
    (array([1000.]), array([[ 1., -1.]]))
    """

    def __init__(
        self,
        gamma: float = 2.0,
        from_logits: bool = False,
        *,
        label_smoothing: float = 0.0,
        class_weight: Sequence[float] | dict[int, float] | str | None = None,
        ignore_index: int | None = None,
        **where: Any,
    ) -> None:
        super().__init__(**where)
        self.gamma = check_rate(gamma, "gamma")
        self.from_logits = check_flag(from_logits, "from_logits")
        self.set_target_options(label_smoothing, class_weight, ignore_index)

    @property
    def after_softmax(self) -> CategoricalFocalCrossEntropy:
        """The same loss from logits."""
        after = CategoricalFocalCrossEntropy(**{**self.config(), "from_logits": True})
        # The same object, so that both have the balanced weights.
        after._weights = self._weights
        return after

    def fwd(self, be: Backend, y_pred: Array, y_true: Array) -> tuple[Array, Any]:
        """Return the loss of each row; residuals are its parts."""
        xp = be.xp
        q = as_rows(be, self.weighted_targets(be, y_true, y_pred), y_pred)
        if self.from_logits:
            log_p = log_softmax(be, y_pred)
            p, rest = xp.exp(log_p), -xp.expm1(log_p)
        else:
            p = floor_probabilities(be, y_pred)
            # A sum may round a probability to more than 1.
            log_p, rest = xp.log(p), xp.maximum(1.0 - p, be.zero)
        weights = q * rest**self.gamma
        # 0 log 0 counts as 0, even for a logit of -inf.
        losses = -xp.sum(weights * xp.where(q > 0, log_p, be.zero), axis=-1)
        return losses, (p, log_p, rest, weights)

    def bwd(self, be: Backend, residuals: Any, dlosses: Array | float) -> Array:
        """Return ``w / p``, or ``w - p sum(w)`` from logits, times `dlosses`."""
        xp = be.xp
        p, log_p, rest, weights = residuals
        bent = p * xp.maximum(log_p, be.constant(-_FAR)) / at_least_tiny(be, rest)
        w = weights * (self.gamma * bent - 1.0) * as_column(dlosses, p.ndim)
        if self.from_logits:
            return w - p * xp.sum(w, axis=-1, keepdims=True)
        return w / at_least_tiny(be, p)
