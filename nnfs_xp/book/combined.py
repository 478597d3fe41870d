"""The book's softmax and cross-entropy in one."""

from __future__ import annotations

from typing import Any

from nnfs_xp.backends import Array
from nnfs_xp.book.activations import Activation_Softmax
from nnfs_xp.book.losses import Loss_CategoricalCrossentropy
from nnfs_xp.book.settings import here, moved
from nnfs_xp.checks import check_class_targets, check_features
from nnfs_xp.losses.softmax_cross_entropy import softmax_cross_entropy_backward


class Activation_Softmax_Loss_CategoricalCrossentropy:
    """Softmax and its cross-entropy in one, with their common gradient.

    Attributes
    ----------
    activation : Activation_Softmax
    loss : Loss_CategoricalCrossentropy
    output : array
        The probabilities.
    dinputs : array
        The gradient of the mean loss with respect to the logits.

    Examples
    --------
    >>> import nnfs_xp.book as nnfs
    >>> both = nnfs.Activation_Softmax_Loss_CategoricalCrossentropy()
    >>> round(float(both.forward([[0.0, 0.0]], [1])), 4)
    0.6931
    >>> both.backward(both.output, [1]).tolist()
    [[0.5, -0.5]]
    """

    def __init__(self) -> None:
        self.activation = Activation_Softmax()
        self.loss = Loss_CategoricalCrossentropy()
        self._backend = here()

    def forward(self, inputs: Any, y_true: Any) -> Array:
        """Return the mean loss of logits."""
        self.output = self.activation.forward(inputs)
        return self.loss.calculate(self.output, y_true)

    def backward(self, dvalues: Any, y_true: Any) -> Array:
        """Return the gradient of the logits, ``(p sum(y) - y) / n``.

        Parameters
        ----------
        dvalues : array, shape (n, k)
            The probabilities, as the book hands them over.
        y_true : array
            Integer labels of shape (n,), or one-hot or soft rows.
        """
        be = self._backend
        with be.context():
            p = check_features(be, moved(be, dvalues), "dvalues")
            p = be.asarray(p, be.dtype)
            shape = tuple(p.shape)
            y = check_class_targets(be, moved(be, y_true), "y_true", shape)
            self.dinputs = softmax_cross_entropy_backward(be, p, y, 1.0 / shape[0])
        return self.dinputs


# The spelling of other printings.
Activation_Softmax_Loss_CategoricalCrossEntropy = (
    Activation_Softmax_Loss_CategoricalCrossentropy
)
