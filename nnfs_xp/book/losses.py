"""The book's losses, each the library's own with the book's clipping."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nnfs_xp import losses
from nnfs_xp.backends import Array, backend_of
from nnfs_xp.book.settings import here, moved
from nnfs_xp.layers import Layer


class Loss:
    """The book's base of all losses: means, sums over batches, penalties.

    A loss of one's own overrides ``forward(y_pred, y_true)``, which returns the
    loss of each sample, and ``backward(dvalues, y_true)``.

    Examples
    --------
    >>> import numpy as np
    >>> import nnfs_xp.book as nnfs
    >>> class Loss_Quartic(nnfs.Loss):
    ...     def forward(self, y_pred, y_true):
    ...         return np.mean((y_pred - y_true) ** 4, axis=-1)
    >>> loss = Loss_Quartic()
    >>> float(loss.calculate(np.array([[2.0], [1.0]]), np.array([[0.0], [1.0]])))
    8.0
    """

    trainable_layers: Sequence[Layer] = ()
    accumulated_sum: Any = 0.0
    accumulated_count: int = 0

    def calculate(
        self, output: Any, y: Any, *, include_regularization: bool = False
    ) -> Any:
        """Return the mean loss, and with `include_regularization` the penalties.

        Parameters
        ----------
        output : array
            Predictions.
        y : array
            Targets.
        include_regularization : bool, default False
            Whether to return a pair: the loss of the data, and the penalties of
            the layers of `remember_trainable_layers`.
        """
        each = self.forward(output, y)  # type: ignore[attr-defined]
        total = backend_of(each).xp.sum(each)
        self.accumulated_sum = self.accumulated_sum + total
        self.accumulated_count += each.shape[0]
        data_loss = total / each.shape[0]
        if not include_regularization:
            return data_loss
        return data_loss, self.regularization_loss()

    def calculate_accumulated(self, *, include_regularization: bool = False) -> Any:
        """Return the mean loss of all batches since `new_pass`."""
        data_loss = self.accumulated_sum / self.accumulated_count
        if not include_regularization:
            return data_loss
        return data_loss, self.regularization_loss()

    def new_pass(self) -> None:
        """Begin new sums."""
        self.accumulated_sum, self.accumulated_count = 0.0, 0

    def remember_trainable_layers(self, trainable_layers: Sequence[Layer]) -> None:
        """Take the layers whose penalties belong to the loss."""
        self.trainable_layers = trainable_layers

    def regularization_loss(self, layer: Layer | None = None) -> Any:
        """Return the penalties of a layer, or of all remembered ones.

        Parameters
        ----------
        layer : Layer, optional
            One layer, as in chapter 14; from chapter 18 on, the layers of
            `remember_trainable_layers`.
        """
        total: Any = 0.0
        for trained in self.trainable_layers if layer is None else [layer]:
            be, params = trained.backend, trained.params
            assert be is not None
            for name, regularizer in trained.regularizers().items():
                with be.context():
                    total = total + regularizer.penalty(be, params[name])
        return total


class BookLoss(Loss, losses.Loss):  # type: ignore[misc]
    """A loss of the library with the book's way to call it."""

    def forward(self, y_pred: Any, y_true: Any) -> Array:  # type: ignore[override]
        """Return the loss of each sample, shape (n,)."""
        be = self._backend
        assert be is not None
        return losses.Loss.forward(self, moved(be, y_pred), moved(be, y_true))

    def backward(self, dvalues: Any, y_true: Any) -> Array:  # type: ignore[override]
        """Return the gradient of the mean loss, also kept as ``.dinputs``.

        Parameters
        ----------
        dvalues : array
            The predictions.
        y_true : array
            The targets.
        """
        self.forward(dvalues, y_true)
        return losses.Loss.backward(self)


class Loss_CategoricalCrossentropy(BookLoss, losses.CategoricalCrossEntropy):  # type: ignore[misc]
    """`nnfs_xp.CategoricalCrossEntropy` with ``mode="book"``.

    Examples
    --------
    >>> import nnfs_xp.book as nnfs
    >>> loss = nnfs.Loss_CategoricalCrossentropy()
    >>> round(float(loss.calculate([[0.5, 0.5], [0.25, 0.75]], [0, 1])), 4)
    0.4904
    """

    saved_as = losses.CategoricalCrossEntropy

    def __init__(self) -> None:
        super().__init__(mode="book", backend=here())


class Loss_BinaryCrossentropy(BookLoss, losses.BinaryCrossEntropy):  # type: ignore[misc]
    """`nnfs_xp.BinaryCrossEntropy` with ``mode="book"``.

    Examples
    --------
    >>> import nnfs_xp.book as nnfs
    >>> loss = nnfs.Loss_BinaryCrossentropy()
    >>> round(float(loss.calculate([[0.5], [0.75]], [[0], [1]])), 4)
    0.4904
    """

    saved_as = losses.BinaryCrossEntropy

    def __init__(self) -> None:
        super().__init__(mode="book", backend=here())


class Loss_MeanSquaredError(BookLoss, losses.MeanSquaredError):  # type: ignore[misc]
    """`nnfs_xp.MeanSquaredError` under the book's name.

    Examples
    --------
    >>> import nnfs_xp.book as nnfs
    >>> float(nnfs.Loss_MeanSquaredError().calculate([[1.0], [2.0]], [[0.0], [0.0]]))
    2.5
    """

    saved_as = losses.MeanSquaredError

    def __init__(self) -> None:
        super().__init__(backend=here())


class Loss_MeanAbsoluteError(BookLoss, losses.MeanAbsoluteError):  # type: ignore[misc]
    """`nnfs_xp.MeanAbsoluteError` under the book's name.

    Its gradient has the sign of ``y_pred - y_true``; the book's has the
    opposite one.

    Examples
    --------
    >>> import nnfs_xp.book as nnfs
    >>> float(nnfs.Loss_MeanAbsoluteError().calculate([[1.0], [2.0]], [[0.0], [0.0]]))
    1.5
    """

    saved_as = losses.MeanAbsoluteError

    def __init__(self) -> None:
        super().__init__(backend=here())


# The spelling of other printings.
Loss_CategoricalCrossEntropy = Loss_CategoricalCrossentropy
Loss_BinaryCrossEntropy = Loss_BinaryCrossentropy
