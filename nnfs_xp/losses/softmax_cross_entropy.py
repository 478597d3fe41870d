"""Softmax and categorical cross-entropy combined, computed from logits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nnfs_xp.backends import Array, Backend
from nnfs_xp.checks.classes import as_matrices
from nnfs_xp.kernels import portable
from nnfs_xp.losses.base import Loss
from nnfs_xp.losses.clipping import check_mode, clip_probabilities
from nnfs_xp.losses.targets import ClassTargets, as_column, as_rows
from nnfs_xp.registry import is_exactly, register


@register("loss")
class SoftmaxCrossEntropy(ClassTargets, Loss):
    """Categorical cross-entropy of a softmax, from its logits ``z``.

    Let ``p = softmax(z)``, and let ``q`` be the targets. The loss of a sample and its
    gradient are::

        L = -sum_j q_j log p_j,     log p_j = z_j - log sum_k exp(z_k)
        dL/dz = p sum_j q_j - q     (p - q for targets that sum to 1)

    The logarithm is computed from the sum, never from a rounded probability, so the
    loss is exact for any logits: with two classes, a logit of -30 for the label and 0
    for the other class gives a loss of 30.

    The options below turn the targets ``y``, where a label becomes a one-hot row, into
    ``q``::

        q_j = w_j (y_j (1 - s) + s / C)

    The mean divides by the sum of the class weights of the labels,
    ``sum_i w[label_i]``, without ignored labels. For rows of targets, it divides by the
    number of rows, even with class weights. This follows PyTorch's ``cross_entropy``,
    except that a target of 0 with a logit of -inf has a loss of 0, where PyTorch
    returns NaN. Keras divides by the number of samples, even with class weights. The
    book has none of these options, and treats the largest soft target as the label.

    Parameters
    ----------
    mode : {"exact", "book"}, default "exact"
        ``"book"`` reports the loss of probabilities clipped to [1e-7, 1 - 1e-7], as the
        book does: at most 16.118 for a label. The gradient is the unclipped gradient
        above, as in the book. The options below apply in both modes.
    label_smoothing : float, default 0
        Fraction s of each target, in [0, 1), that is distributed evenly over the C
        classes.
    class_weight : sequence of float, dict of int to float, or "balanced", optional
        A weight ``w_j`` of 0 or more for each class; 1 if not given. A dict maps some
        labels to their weights; all others have the weight 1. With ``"balanced"``,
        `Model.fit` computes the weights from its training labels: ``n / (k n_j)`` for a
        class with n_j of the n samples, where k is the number of classes that occur.
        These weights are then kept, also in saved models.
    ignore_index : int, optional
        A label, such as -100, that means "no label": a sample with this label has no
        loss and no gradient, and is not counted in the mean. This option does not apply
        to rows of targets.
    reduction : {"mean", "sum", "none"}, default "mean"
        See `Loss`.
    backend, device, dtype : optional
        See `Loss`.

    Raises
    ------
    InputError
        If an argument is invalid; on the first data, if `class_weight` does not have
        one weight per class; or if balanced weights are needed before `Model.fit` has
        computed them.

    References
    ----------
    Kinsley and Kukiela, "Neural Networks from Scratch", chapter 9. Szegedy et
    al., "Rethinking the Inception Architecture for Computer Vision", 2016, on
    label smoothing.

    Examples
    --------
    >>> from nnfs_xp import SoftmaxCrossEntropy
    >>> loss = SoftmaxCrossEntropy(dtype="float64")
    >>> loss.forward([[0.0, -1000.0]], [1])
    array([1000.])
    >>> loss.backward()
    array([[ 1., -1.]])
    >>> loss = SoftmaxCrossEntropy(ignore_index=-100, dtype="float64")
    >>> float(loss.calculate([[0.0, 0.0], [3.0, 0.0]], [0, -100]).round(4))
    0.6931
    """

    from_logits = True

    def __init__(
        self,
        mode: str = "exact",
        *,
        label_smoothing: float = 0.0,
        class_weight: Sequence[float] | dict[int, float] | str | None = None,
        ignore_index: int | None = None,
        reduction: str = "mean",
        **where: Any,
    ) -> None:
        super().__init__(reduction=reduction, **where)
        self.mode = check_mode(mode)
        self.set_target_options(label_smoothing, class_weight, ignore_index)

    def fwd(self, be: Backend, z: Array, y_true: Array) -> tuple[Array, Any]:
        """Return ``-sum(q log p)`` of each row; residuals are p, targets, a shape."""
        q = self.weighted_targets(be, y_true, z)
        rows, targets = as_matrices(be, z, q)
        losses, (p, _) = softmax_cross_entropy(be, rows, targets)
        if self.mode == "book":
            log_p = be.xp.log(clip_probabilities(be, p))
            losses = -be.xp.sum(as_rows(be, targets, rows) * log_p, axis=1)
        return _in_shape(be, losses, z.shape[:-1]), (p, targets, z.shape)

    def bwd(self, be: Backend, residuals: Any, dlosses: Array | float) -> Array:
        """Return ``(p sum(q) - q) * dlosses``, row by row."""
        p, targets, shape = residuals
        weights = _as_vector(be, dlosses)
        dz = softmax_cross_entropy_backward(be, p, targets, weights)
        return _in_shape(be, dz, shape)

    def value_and_gradient(
        self, be: Backend, z: Array, y_true: Array, dlosses: Array | float
    ) -> tuple[Array, Array]:
        """Return the results of `fwd` and `bwd`, by one kernel if available."""
        if self.mode != "exact" or not is_exactly(self, SoftmaxCrossEntropy):
            return super().value_and_gradient(be, z, y_true, dlosses)
        q = self.weighted_targets(be, y_true, z)
        if z.ndim == 2:
            return softmax_cross_entropy_with_gradient(be, z, q, dlosses)
        losses, dz = softmax_cross_entropy_with_gradient(
            be, *as_matrices(be, z, q), _as_vector(be, dlosses)
        )
        return _in_shape(be, losses, z.shape[:-1]), _in_shape(be, dz, z.shape)


@portable
def softmax_cross_entropy(
    be: Backend, z: Array, y_true: Array
) -> tuple[Array, tuple[Array, Array]]:
    """Return the exact loss of each row, and ``(softmax(z), y_true)``."""
    xp = be.xp
    shifted = z - xp.max(z, axis=1, keepdims=True)
    exponentials = xp.exp(shifted)
    total = xp.sum(exponentials, axis=1, keepdims=True)
    log_p = shifted - xp.log(total)
    y = as_rows(be, y_true, z)
    # 0 log 0 counts as 0, even for a logit of -inf.
    losses = -xp.sum(y * xp.where(y > 0, log_p, be.zero), axis=1)
    return losses, (exponentials / total, y_true)


@portable
def softmax_cross_entropy_backward(
    be: Backend, p: Array, y_true: Array, dlosses: Array | float
) -> Array:
    """Return ``(p sum(y) - y) * dlosses``, row by row."""
    y = as_rows(be, y_true, p)
    if y_true.ndim == 2:
        p = p * be.xp.sum(y, axis=1, keepdims=True)
    return (p - y) * as_column(dlosses)


@portable
def softmax_cross_entropy_with_gradient(
    be: Backend, z: Array, y_true: Array, dlosses: Array | float
) -> tuple[Array, Array]:
    """Return the exact loss of each row, and ``(p sum(y) - y) * dlosses``."""
    losses, residuals = softmax_cross_entropy(be, z, y_true)
    return losses, softmax_cross_entropy_backward(be, *residuals, dlosses)


def _as_vector(be: Backend, dlosses: Array | float) -> Array | float:
    if isinstance(dlosses, float) or dlosses.ndim == 1:
        return dlosses
    return be.xp.reshape(dlosses, (-1,))


def _in_shape(be: Backend, array: Array, shape: tuple[int, ...]) -> Array:
    return array if array.ndim == len(shape) else be.xp.reshape(array, tuple(shape))
