"""The shell around a loss's pure pair of functions.

An author writes ``fwd(be, y_pred, y_true) -> (losses, residuals)``, with one
loss for each sample, and ``bwd(be, residuals, dlosses) -> dy_pred``. The mean
of a batch is taken outside: its gradient gives every sample the weight 1/n.
"""

from __future__ import annotations

from typing import Any

from nnfs_xp.backends import Array, Backend
from nnfs_xp.checks import check_predictions
from nnfs_xp.errors import InputError
from nnfs_xp.placement import asked_backend, backend_for
from nnfs_xp.registry import describe


class Loss:
    """Base of all losses.

    Parameters
    ----------
    backend, device, dtype : optional
        Where a loss that is used on its own computes; see
        `nnfs_xp.get_backend`. If none is named it follows its predictions.
    """

    from_logits: bool = False

    def __init__(
        self,
        *,
        backend: str | Backend | None = None,
        device: Any = None,
        dtype: str | None = None,
    ) -> None:
        self._backend = asked_backend(backend, device, dtype)
        self._residuals: Any = None

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

    def config(self) -> dict[str, Any]:
        """Return the arguments that make this loss again."""
        return {}

    # The shell.

    def forward(self, y_pred: Any, y_true: Any) -> Array:
        """Return the loss of each sample.

        Parameters
        ----------
        y_pred : array or array_like, shape (n, k)
            Predictions.
        y_true : array or array_like
            Integer labels of shape (n,), or one-hot or soft targets of shape
            (n, k).

        Returns
        -------
        array, shape (n,)
            Also kept as ``.output``.
        """
        be = backend_for(self._backend, y_pred)
        with be.context():
            predictions, targets = check_predictions(be, y_pred, y_true)
            self.output, self._residuals = self.fwd(be, predictions, targets)
        self._forward_backend = be
        return self.output

    def calculate(self, y_pred: Any, y_true: Any) -> Array:
        """Return the mean loss, as a 0-d array; arguments as in `forward`."""
        losses = self.forward(y_pred, y_true)
        return self._forward_backend.xp.mean(losses)

    def backward(self, y_pred: Any = None, y_true: Any = None) -> Array:
        """Return the gradient of the mean loss with respect to `y_pred`.

        Parameters
        ----------
        y_pred, y_true : optional
            As in `forward`, as the book calls it. Without them, the gradient
            is taken where `forward` was last called.

        Returns
        -------
        array, shape (n, k)
            Also kept as ``.dinputs``.
        """
        if (y_pred is None) != (y_true is None):
            raise InputError("y_pred and y_true must be given both, or neither")
        if y_pred is not None:
            self.forward(y_pred, y_true)
        if self._residuals is None:
            raise InputError("backward needs y_pred and y_true, or a forward pass")
        be = self._forward_backend
        with be.context():
            self.dinputs = self.bwd(be, self._residuals, 1.0 / self.output.shape[0])
        return self.dinputs

    def __repr__(self) -> str:
        return describe(self)
