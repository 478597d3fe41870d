"""What a loss computes and says of itself, without keeping anything.

An author writes ``fwd(be, y_pred, y_true) -> (losses, residuals)``, with one
loss for each sample, and ``bwd(be, residuals, dlosses) -> dy_pred``. What
becomes of the losses of a batch is decided in `reduction`, which says with
what weight the gradient of each sample enters. A model needs no more than
this.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from nnfs_xp.backends import Array, Backend
from nnfs_xp.checks import (
    check_array,
    check_class_targets,
    check_features,
    check_probabilities,
    check_values,
)
from nnfs_xp.losses.reduction import finish, gradient_factors, weighted_losses

_TARGET_CHECKS: dict[str, Callable[..., Array]] = {
    "classes": check_class_targets,
    "probabilities": check_probabilities,
    "values": check_values,
}


class PureLoss:
    """The pure part of a `Loss`."""

    target_kind: ClassVar[str] = "classes"
    from_logits: bool = False
    reduction: str = "mean"

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
        """Return what `fwd` and `bwd` do, for weights that are known before."""
        losses, residuals = self.fwd(be, y_pred, y_true)
        return losses, self.bwd(be, residuals, dlosses)

    def redefined(self, base: type[PureLoss]) -> bool:
        """Return whether a subclass computes something else than `base` does."""
        own = type(self)
        return own.fwd is not base.fwd or own.bwd is not base.bwd

    # What a loss says about itself.

    def counts(self, be: Backend, y_true: Array) -> Array | None:
        """Return what each sample counts in the mean, None if it is 1 for all."""
        return None

    def check_predictions(self, be: Backend, y_pred: Any) -> Array:
        """Return predictions as floats, or raise InputError."""
        check = check_features if self.target_kind == "classes" else check_array
        return be.asarray(check(be, y_pred, "y_pred"), be.dtype)

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

        In the shape of the predictions None stands for a length that is not
        known yet.
        """
        check = _TARGET_CHECKS[self.target_kind]
        return check(be, value, name, prediction_shape, host_allowed=host_allowed)

    def config(self) -> dict[str, Any]:
        """Return the arguments that make this loss again, without defaults."""
        return {} if self.reduction == "mean" else {"reduction": self.reduction}

    # The losses of a batch.

    def weigh(
        self, be: Backend, losses: Array, y_true: Array, sample_weight: Array | None
    ) -> tuple[Array, Array | int, Array | float]:
        """Return total and count of a batch, and the weights for `bwd`.

        Returns
        -------
        total : array, 0-d
            Sum of the weighted losses.
        count : int or array, 0-d
            What they count together: the number of samples if nothing is
            weighted.
        dlosses : float or array of shape (n,)
            Gradient of the reduced loss with respect to `losses`, all 0 where
            the count is 0.
        """
        total = be.xp.sum(weighted_losses(be, losses, sample_weight))
        return total, *self.factors(be, losses.shape[0], y_true, sample_weight)

    def factors(
        self, be: Backend, n: int, y_true: Array, sample_weight: Array | None
    ) -> tuple[Array | int, Array | float]:
        """Return count and `dlosses` of a batch of n samples, as `weigh` does.

        They do not depend on the losses, so they may be had before them.
        """
        counts = self.counts(be, y_true)
        return gradient_factors(be, self.reduction, n, counts, sample_weight)

    def finish(self, total: Any, count: Any) -> Any:
        """Return the reduced loss: `total`, over `count` if it is a mean.

        Both may be arrays or numbers. The mean of nothing is NaN.
        """
        return finish(self.reduction, total, count)
