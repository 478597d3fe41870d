"""Metrics: what people want to know of predictions."""

from __future__ import annotations

from typing import Any

from nnfs_xp.backends import Array, Backend
from nnfs_xp.checks import check_predictions
from nnfs_xp.placement import asked_backend, backend_for
from nnfs_xp.registry import register


@register("metric")
class Accuracy:
    """Share of samples whose highest score is that of the true class.

    Scores may be probabilities or logits. Among equal scores the first counts.
    With one-hot or soft targets the true class is the one of the highest
    target.

    Parameters
    ----------
    backend, device, dtype : optional
        See `Loss`.

    References
    ----------
    Kinsley and Kukiela, "Neural Networks from Scratch", chapter 5.

    Examples
    --------
    >>> from nnfs_xp import Accuracy
    >>> scores = [[0.2, 0.7, 0.1], [0.5, 0.1, 0.4], [0.1, 0.8, 0.1]]
    >>> float(Accuracy(dtype="float64").calculate(scores, [1, 0, 0]).round(4))
    0.6667
    """

    name = "accuracy"

    def __init__(
        self,
        *,
        backend: str | Backend | None = None,
        device: Any = None,
        dtype: str | None = None,
    ) -> None:
        self._backend = asked_backend(backend, device, dtype)

    def fwd(self, be: Backend, y_pred: Array, y_true: Array) -> Array:
        """Return 1 for each sample that is right and 0 for others, int32."""
        xp = be.xp
        if y_true.ndim == 2:
            y_true = xp.argmax(y_true, axis=1)
        return xp.astype(xp.argmax(y_pred, axis=1) == y_true, xp.int32)

    def calculate(self, y_pred: Any, y_true: Any) -> Array:
        """Return the accuracy as a 0-d array.

        Parameters
        ----------
        y_pred : array or array_like, shape (n, k)
            Scores.
        y_true : array or array_like
            Integer labels of shape (n,), or one-hot or soft targets of shape
            (n, k).
        """
        be = backend_for(self._backend, y_pred)
        with be.context():
            scores, targets = check_predictions(be, y_pred, y_true)
            return be.xp.mean(be.xp.astype(self.fwd(be, scores, targets), be.dtype))

    def config(self) -> dict[str, Any]:
        """Return the arguments that make this metric again."""
        return {}
