"""Categorical cross-entropy, the loss of a classifier."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nnfs_xp.arguments import check_flag
from nnfs_xp.backends import Array, Backend
from nnfs_xp.losses.base import Loss
from nnfs_xp.losses.clipping import check_mode, keep_log_finite
from nnfs_xp.losses.softmax_cross_entropy import SoftmaxCrossEntropy
from nnfs_xp.losses.targets import ClassTargets, as_column, as_rows
from nnfs_xp.registry import is_exactly, register
from nnfs_xp.special import at_least_tiny


@register("loss", "sparse_categorical_crossentropy")
class CategoricalCrossEntropy(ClassTargets, Loss):
    """Categorical cross-entropy of probabilities ``p`` against targets ``y``.

    The loss of a sample and its gradient are::

        L = -sum_j y_j log p_j        dL/dp_j = -y_j / p_j

    For an integer label k, the loss is ``-log p_k``. A `Model` that ends with a
    `Softmax` layer computes the same loss exactly from the logits, as
    `SoftmaxCrossEntropy` does. Label smoothing, class weights and ignored labels are
    described in `SoftmaxCrossEntropy`; they change y and the divisor of the mean in the
    same way.

    The book computes ``-log sum_j y_j p_j``, which is the same only for one-hot rows,
    and divides by an unclipped p: at a probability of 0, its gradient is infinite or
    NaN. PyTorch's ``nll_loss`` takes ``log p`` and is infinite there. Keras divides p
    by its sum first and clips it to 1e-7.

    Parameters
    ----------
    from_logits : bool, default False
        Whether predictions are logits, to which a softmax is applied first.
    mode : {"exact", "book"}, default "exact"
        ``"book"`` clips p to [1e-7, 1 - 1e-7] in loss and gradient: the loss is 16.118
        for a probability of 0 and 1e-7 for a probability of 1. ``"exact"`` changes p
        only at 0, where the loss would be infinite: a 0 is replaced with the smallest
        normal number of its dtype, with a loss of 87.3 in float32 and 708.4 in float64.
        The gradient divides by at least 1e-31, or 1e-292 in float64; passed back
        through a `Softmax`, it is ``p - y``, up to rounding. The options below apply in
        both modes.
    label_smoothing, class_weight, ignore_index : optional
        See `SoftmaxCrossEntropy`.
    reduction : {"mean", "sum", "none"}, default "mean"
        See `Loss`.
    backend, device, dtype : optional
        See `Loss`.

    Attributes
    ----------
    after_softmax : SoftmaxCrossEntropy
        The same loss from logits.

    Raises
    ------
    InputError
        If an argument is invalid; on the first data, if `class_weight` does not have
        one weight per class.

    References
    ----------
    Kinsley and Kukiela, "Neural Networks from Scratch", chapters 5 and 9.

    Examples
    --------
    >>> from nnfs_xp import CategoricalCrossEntropy
    >>> p = [[0.7, 0.1, 0.2], [0.1, 0.5, 0.4]]
    >>> CategoricalCrossEntropy(dtype="float64").forward(p, [0, 1]).round(4)
    array([0.3567, 0.6931])
    >>> loss = CategoricalCrossEntropy(mode="book", dtype="float64")
    >>> loss.forward([[0.0, 1.0]], [0]).round(4)
    array([16.1181])
    >>> loss = CategoricalCrossEntropy(class_weight=[3, 1, 1], dtype="float64")
    >>> float(loss.calculate(p, [0, 1]).round(4))  # (3 * 0.3567 + 0.6931) / (3 + 1)
    0.4408
    """

    def __init__(
        self,
        from_logits: bool = False,
        mode: str = "exact",
        *,
        label_smoothing: float = 0.0,
        class_weight: Sequence[float] | dict[int, float] | str | None = None,
        ignore_index: int | None = None,
        reduction: str = "mean",
        **where: Any,
    ) -> None:
        super().__init__(reduction=reduction, **where)
        self.from_logits = check_flag(from_logits, "from_logits")
        self.mode = check_mode(mode)
        self.set_target_options(label_smoothing, class_weight, ignore_index)
        self.after_softmax = SoftmaxCrossEntropy(
            mode,
            label_smoothing=label_smoothing,
            class_weight=class_weight,
            ignore_index=ignore_index,
            reduction=reduction,
        )
        # The same object, so that a device holds the weights only once.
        self.after_softmax._weights = self._weights

    def fwd(self, be: Backend, p: Array, y_true: Array) -> tuple[Array, Any]:
        """Return ``-sum(y log p)`` of each row; residuals are p and y."""
        if self.from_logits:
            return self.after_softmax.fwd(be, p, y_true)
        y = as_rows(be, self.weighted_targets(be, y_true, p), p)
        p = keep_log_finite(be, p, self.mode)
        return -be.xp.sum(y * be.xp.log(p), axis=-1), (p, y)

    def bwd(self, be: Backend, residuals: Any, dlosses: Array | float) -> Array:
        """Return ``-y / p * dlosses``, row by row."""
        if self.from_logits:
            return self.after_softmax.bwd(be, residuals, dlosses)
        p, y = residuals
        return -(y * as_column(dlosses, p.ndim)) / at_least_tiny(be, p)

    def value_and_gradient(
        self, be: Backend, p: Array, y_true: Array, dlosses: Array | float
    ) -> tuple[Array, Array]:
        """Return the results of `fwd` and `bwd`; from logits, by `after_softmax`."""
        if self.from_logits and is_exactly(self, CategoricalCrossEntropy):
            return self.after_softmax.value_and_gradient(be, p, y_true, dlosses)
        return super().value_and_gradient(be, p, y_true, dlosses)
