"""Binary cross-entropy, the loss of yes-or-no questions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nnfs_xp.arguments import check_decay, check_flag
from nnfs_xp.backends import Array, Backend
from nnfs_xp.losses.answer_weights import AnswerWeights
from nnfs_xp.losses.base import Loss
from nnfs_xp.losses.clipping import check_mode, floor_probabilities, keep_log_finite
from nnfs_xp.losses.targets import (
    share_of_output,
    smooth,
    sum_over_outputs,
    weights_of_outputs,
)
from nnfs_xp.registry import register
from nnfs_xp.special import at_least_tiny, sigmoid, softplus


@register("loss", "bce")
class BinaryCrossEntropy(AnswerWeights, Loss):
    """Binary cross-entropy of probabilities ``p`` against targets ``y``.

    Each of the m outputs of a sample is a separate binary prediction. The loss of a
    sample is the mean over its outputs. The loss and its gradient are::

        L = -1/m sum_j (y_j log p_j + (1 - y_j) log(1 - p_j))
        dL/dp_j = 1/m ((1 - y_j) / (1 - p_j) - y_j / p_j)

    With logits ``z`` and ``p = sigmoid(z)``, both are exact for any logit::

        L = 1/m sum_j (max(z_j, 0) - z_j y_j + log(1 + exp(-|z_j|)))
        dL/dz_j = 1/m (sigmoid(z_j) - y_j)

    A `Model` that ends with a `Sigmoid` layer computes this loss from the logits.

    For a target of 1 and a probability of 0, the loss is 87.3 in float32 and 708.4 in
    float64. It is 16.118 in the book and in Keras, which clip to 1e-7, and 100 in
    PyTorch's ``binary_cross_entropy``. The book clips both the loss and the gradient,
    and so does ``mode="book"``. PyTorch's ``"sum"`` adds up all outputs of all samples,
    so it is m times as large as here.

    Parameters
    ----------
    from_logits : bool, default False
        Whether predictions are logits, to which a sigmoid is applied first.
    mode : {"exact", "book"}, default "exact"
        ``"book"`` clips p to [1e-7, 1 - 1e-7] in loss and gradient, even where it comes
        from a logit. ``"exact"`` changes p and 1 - p only where they are 0 and the loss
        would be infinite: a 0 is replaced with the smallest normal number of its dtype.
        The gradient divides by at least 1e-31, or 1e-292 in float64; passed back
        through a `Sigmoid`, it is ``p - y``, up to rounding.
    label_smoothing : float, default 0
        Fraction s of each target, in [0, 1), that is distributed evenly over both
        classes: y becomes ``y (1 - s) + s / 2``.
    pos_weight : float or sequence of float, optional
        Weight of class 1, or one weight for each output, 0 or more. The terms
        ``y_j log p_j`` are multiplied by it, as in PyTorch's ``BCEWithLogitsLoss``;
        each sample still has a count of 1 in the mean.
    class_weight : sequence of two floats, dict, or "balanced", optional
        Weights of the classes 0 and 1; a dict maps the labels 0 and 1 to their weights.
        In the mean, the count of a sample is the mean weight of its targets. With
        ``"balanced"``, `Model.fit` computes the weights from its training targets:
        ``n / (2 n_j)`` for class j, which has n_j of the n targets. Later calls of
        `Model.fit` use the same weights, which are also saved with the model.
    reduction : {"mean", "sum", "none"}, default "mean"
        See `Loss`.
    backend, device, dtype : optional
        See `Loss`.

    Raises
    ------
    InputError
        If an argument is invalid, or if balanced weights are needed before `Model.fit`
        has computed them.

    References
    ----------
    Kinsley and Kukiela, "Neural Networks from Scratch", chapter 16.

    Examples
    --------
    >>> from nnfs_xp import BinaryCrossEntropy
    >>> loss = BinaryCrossEntropy(dtype="float64")
    >>> loss.forward([[0.5], [0.9]], [[0], [1]]).round(4)
    array([0.6931, 0.1054])
    >>> loss = BinaryCrossEntropy(from_logits=True, dtype="float64")
    >>> loss.forward([[-1000.0], [1000.0]], [[1], [1]])
    array([1000.,    0.])
    >>> loss.backward()
    array([[-0.5],
           [ 0. ]])
    """

    target_kind = "probabilities"

    def __init__(
        self,
        from_logits: bool = False,
        mode: str = "exact",
        *,
        label_smoothing: float = 0.0,
        pos_weight: float | Sequence[float] | None = None,
        class_weight: Sequence[float] | dict[int, float] | str | None = None,
        reduction: str = "mean",
        **where: Any,
    ) -> None:
        super().__init__(reduction=reduction, **where)
        self.from_logits = check_flag(from_logits, "from_logits")
        self.mode = check_mode(mode)
        self.label_smoothing = check_decay(label_smoothing, "label_smoothing")
        self.set_answer_weights(pos_weight, class_weight)

    @property
    def after_sigmoid(self) -> BinaryCrossEntropy:
        """The same loss from logits."""
        after = BinaryCrossEntropy(**{**self.config(), "from_logits": True})
        # The same objects, so that both have the balanced weights.
        after._weights, after._positive = self._weights, self._positive
        return after

    def fwd(self, be: Backend, y_pred: Array, y_true: Array) -> tuple[Array, Any]:
        """Return the mean over the outputs; residuals are predictions and weights."""
        xp = be.xp
        y = smooth(y_true, self.label_smoothing, 2)
        yes, no = self.weighted_answers(be, y)
        if self.from_logits and self.mode == "exact":
            z = y_pred
            if self.is_weighted:
                losses = yes * softplus(be, -z) + no * softplus(be, z)
            else:
                # In this order, a small loss of a large logit is not rounded away.
                losses = xp.maximum(z, be.zero) - z * y + xp.log1p(xp.exp(-xp.abs(z)))
        else:
            p = sigmoid(be, y_pred) if self.from_logits else y_pred
            p, q = self._answers(be, p)
            losses = -(yes * xp.log(p) + no * xp.log(q))
        return sum_over_outputs(be, losses * share_of_output(y)), (y_pred, yes, no)

    def bwd(self, be: Backend, residuals: Any, dlosses: Array | float) -> Array:
        """Return the gradient of each output times `dlosses`, row by row."""
        y_pred, yes, no = residuals
        s = sigmoid(be, y_pred) if self.from_logits else y_pred
        if self.from_logits and self.mode == "exact":
            # Without weights, both sum to 1.
            slope = (yes + no) * s - yes if self.is_weighted else s - yes
        else:
            p, q = (at_least_tiny(be, answer) for answer in self._answers(be, s))
            slope = no / q - yes / p
            if self.from_logits:
                slope = slope * (s * (1.0 - s))
        return slope * weights_of_outputs(dlosses, yes)

    def _answers(self, be: Backend, p: Array) -> tuple[Array, Array]:
        """Return the probabilities of yes and of no, none of them 0."""
        p = keep_log_finite(be, p, self.mode)
        return p, floor_probabilities(be, 1.0 - p)
