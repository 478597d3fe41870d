"""Binary cross-entropy that gives easy answers less weight."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_decay, check_flag, check_rate
from nnfs_xp.backends import Array, Backend
from nnfs_xp.errors import InputError
from nnfs_xp.losses.base import Loss
from nnfs_xp.losses.clipping import floor_probabilities
from nnfs_xp.losses.targets import (
    share_of_output,
    smooth,
    sum_over_outputs,
    weights_of_outputs,
)
from nnfs_xp.registry import register
from nnfs_xp.special import at_least_tiny, sigmoid, softplus


@register("loss")
class BinaryFocalCrossEntropy(Loss):
    """Binary focal loss of probabilities ``p`` against targets ``y``.

    A factor reduces the loss of outputs that already predict their target with a high
    probability, ``1 - u``. Let ``C`` be the binary cross-entropy of one output. The
    loss of a sample is the mean over its m outputs. The loss and its gradient are::

        L = 1/m sum_j a_j u_j^g C_j        u = y (1 - p) + (1 - y) p
        dL/dp_j = a_j/m u_j^g (g (1 - 2 y_j) C_j / u_j + dC_j/dp_j)

    With logits, the loss is computed without loss of precision. A model that ends with
    a `Sigmoid` computes it this way. Keras, optax, and torchvision's
    ``sigmoid_focal_loss`` compute the same loss.

    Parameters
    ----------
    gamma : float, default 2.0
        The exponent ``g``, 0 or more; 0 gives the cross-entropy.
    balance : float, optional
        The weight of class 1, from 0 to 1. Class 0 has the weight ``1 - balance``, so
        that ``a = y balance + (1 - y) (1 - balance)``. If not given, ``a`` is 1. The
        paper and Keras call it ``alpha``.
    from_logits : bool, default False
        Whether predictions are logits, to which a sigmoid is applied first.
    label_smoothing : float, default 0
        See `BinaryCrossEntropy`.
    reduction : {"mean", "sum", "none"}, default "mean"
        See `Loss`.
    backend, device, dtype : optional
        See `Loss`.

    Raises
    ------
    InputError
        If an argument is invalid.

    References
    ----------
    Lin, Goyal, Girshick, He and Dollar, "Focal loss for dense object detection", 2017,
    eq. 4 and 5.

    Examples
    --------
    >>> from nnfs_xp import BinaryFocalCrossEntropy
    >>> loss = BinaryFocalCrossEntropy(dtype="float64")
    >>> loss.forward([[0.5], [0.9]], [[1], [1]]).round(4)
    array([0.1733, 0.0011])
    >>> loss = BinaryFocalCrossEntropy(from_logits=True, dtype="float64")
    >>> loss.forward([[-1000.0], [1000.0]], [[1], [1]]), loss.backward()
    (array([1000.,    0.]), array([[-0.5],
           [ 0. ]]))
    """

    target_kind = "probabilities"

    def __init__(
        self,
        gamma: float = 2.0,
        balance: float | None = None,
        from_logits: bool = False,
        *,
        label_smoothing: float = 0.0,
        **where: Any,
    ) -> None:
        super().__init__(**where)
        self.gamma = check_rate(gamma, "gamma")
        self.balance = None if balance is None else check_rate(balance, "balance")
        if self.balance is not None and self.balance > 1:
            raise InputError(f"balance must be at most 1, got {balance!r}")
        self.from_logits = check_flag(from_logits, "from_logits")
        self.label_smoothing = check_decay(label_smoothing, "label_smoothing")

    @property
    def after_sigmoid(self) -> BinaryFocalCrossEntropy:
        """The same loss from logits."""
        return BinaryFocalCrossEntropy(**{**self.config(), "from_logits": True})

    def fwd(self, be: Backend, y_pred: Array, y_true: Array) -> tuple[Array, Any]:
        """Return the mean over the outputs; residuals are all parts of the formula."""
        yes = smooth(y_true, self.label_smoothing, 2)
        no = 1.0 - yes
        if self.from_logits:
            p, q = sigmoid(be, y_pred), sigmoid(be, -y_pred)
            cost = yes * softplus(be, -y_pred) + no * softplus(be, y_pred)
        else:
            p = floor_probabilities(be, y_pred)
            q = floor_probabilities(be, 1.0 - p)
            cost = -(yes * be.xp.log(p) + no * be.xp.log(q))
        u = yes * q + no * p
        factor = u**self.gamma
        if self.balance is not None:
            factor = factor * (yes * self.balance + no * (1.0 - self.balance))
        losses = sum_over_outputs(be, factor * cost * share_of_output(y_pred))
        return losses, (p, q, yes, no, u, cost, factor)

    def bwd(self, be: Backend, residuals: Any, dlosses: Array | float) -> Array:
        """Return the gradient of each output times `dlosses`, row by row."""
        p, q, yes, no, u, cost, factor = residuals
        # Both derivatives with respect to the logit are those with respect to p, times
        # p q.
        if self.from_logits:
            of_cost, of_u = no * p - yes * q, p * q
        else:
            of_cost = no / at_least_tiny(be, q) - yes / at_least_tiny(be, p)
            of_u = 1.0
        of_u = of_u * (no - yes) / at_least_tiny(be, u)
        slope = factor * (self.gamma * of_u * cost + of_cost)
        return slope * weights_of_outputs(dlosses, yes)
