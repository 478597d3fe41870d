"""The book's losses, each the library's own with the book's clipping."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterator, Sequence
from typing import Any

from nnfs_xp.arguments import check_flag
from nnfs_xp.backends import Array, Backend, backend_of
from nnfs_xp.book.names import stands_for
from nnfs_xp.book.settings import AnyAttributes, here, moved
from nnfs_xp.engine.shell import home_of
from nnfs_xp.errors import InputError
from nnfs_xp.layers import Layer
from nnfs_xp.losses.base import Loss as CoreLoss
from nnfs_xp.losses.binary_cross_entropy import BinaryCrossEntropy
from nnfs_xp.losses.categorical_cross_entropy import CategoricalCrossEntropy
from nnfs_xp.losses.mean_absolute_error import MeanAbsoluteError
from nnfs_xp.losses.mean_squared_error import MeanSquaredError
from nnfs_xp.regularizers import L1L2


class Loss:
    """The book's base of all losses: means, sums over batches, penalties.

    A loss of your own overrides ``forward(y_pred, y_true)``, which returns the
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
        check_flag(include_regularization, "include_regularization")
        each = self.forward(output, y)  # type: ignore[attr-defined]
        if not getattr(each, "shape", ()):
            raise InputError(
                f"forward of {type(self).__name__} must return an array with one loss "
                f"for each sample, got {each!r}"
            )
        total = backend_of(each).xp.sum(each)
        self.accumulated_sum = self.accumulated_sum + total
        self.accumulated_count += each.shape[0]
        data_loss = total / each.shape[0]
        if not include_regularization:
            return data_loss
        return data_loss, all_penalties(self)

    def calculate_accumulated(self, *, include_regularization: bool = False) -> Any:
        """Return the mean loss of all batches since `new_pass`."""
        check_flag(include_regularization, "include_regularization")
        if not self.accumulated_count:
            raise InputError("calculate_accumulated needs a call of calculate first")
        data_loss = self.accumulated_sum / self.accumulated_count
        if not include_regularization:
            return data_loss
        return data_loss, all_penalties(self)

    def new_pass(self) -> None:
        """Begin new sums."""
        self.accumulated_sum, self.accumulated_count = 0.0, 0

    def remember_trainable_layers(self, trainable_layers: Sequence[Layer]) -> None:
        """Take the layers whose penalties belong to the loss."""
        self.trainable_layers = trainable_layers

    def regularization_loss(self, layer: Any = None) -> Any:
        """Return the penalties of a layer, or of all remembered ones.

        Parameters
        ----------
        layer : Layer or object, optional
            One layer, as in chapter 14; from chapter 18 on, the layers of
            `remember_trainable_layers`. One of a reader's own class has the book's
            factors, ``weight_regularizer_l1`` and so on, or none.
        """
        total: Any = 0.0
        for trained in self.trainable_layers if layer is None else [layer]:
            for be, value, regularizer in _penalized(trained):
                with be.context():
                    total = total + regularizer.penalty(be, value)
        return total


def all_penalties(loss: Any) -> Any:
    """Return the penalties of all layers that a loss remembers.

    A reader's own ``regularization_loss`` may want to be given each layer, as that of
    chapter 14 does.
    """
    found = getattr(loss, "regularization_loss", None)
    found = found or functools.partial(Loss.regularization_loss, loss)
    needed = inspect.signature(found).parameters.values()
    if any(p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD for p in needed):
        return sum(map(found, loss.trainable_layers), 0.0)
    return found()


def _penalized(layer: Any) -> Iterator[tuple[Backend, Array, Any]]:
    """Yield the parameters of a layer that have a penalty, with it."""
    if isinstance(layer, Layer) and layer.parameters():
        network, _ = home_of(layer)
        node = network.nodes[id(layer)]
        for name in node.parameters:
            regularizer = network.regularizers.get(node.key(name))
            if regularizer is not None:
                yield network.backend, getattr(layer, name), regularizer
        return
    for name, kind in (("weights", "weight"), ("biases", "bias")):
        l1, l2 = (getattr(layer, f"{kind}_regularizer_{n}", 0) for n in ("l1", "l2"))
        if l1 or l2:
            value = getattr(layer, name)
            yield backend_of(value), value, L1L2(l1, l2)


class BookLoss(AnyAttributes, Loss, CoreLoss):  # type: ignore[misc]
    """A loss of the library with the book's way to call it."""

    _changing = CoreLoss._changing | {
        "trainable_layers", "accumulated_sum", "accumulated_count"
    }  # fmt: skip

    def forward(self, y_pred: Any, y_true: Any) -> Array:  # type: ignore[override]
        """Return the loss of each sample, shape (n,)."""
        be = self._backend or here()
        return CoreLoss.forward(self, moved(be, y_pred), moved(be, y_true))

    def backward(self, dvalues: Any, y_true: Any) -> Array:  # type: ignore[override]
        """Return the gradient of the mean loss, also kept as ``.dinputs``.

        Parameters
        ----------
        dvalues : array
            The predictions.
        y_true : array
            The targets.
        """
        # Not a reader's own `forward`, whose derivative this is not.
        BookLoss.forward(self, dvalues, y_true)
        return CoreLoss.backward(self)


@stands_for(CategoricalCrossEntropy)
class Loss_CategoricalCrossentropy(BookLoss, CategoricalCrossEntropy):  # type: ignore[misc]
    """`nnfs_xp.CategoricalCrossEntropy` with ``mode="book"``.

    Examples
    --------
    >>> import nnfs_xp.book as nnfs
    >>> loss = nnfs.Loss_CategoricalCrossentropy()
    >>> round(float(loss.calculate([[0.5, 0.5], [0.25, 0.75]], [0, 1])), 4)
    0.4904
    """

    def __init__(self) -> None:
        super().__init__(mode="book", backend=here())


@stands_for(BinaryCrossEntropy)
class Loss_BinaryCrossentropy(BookLoss, BinaryCrossEntropy):  # type: ignore[misc]
    """`nnfs_xp.BinaryCrossEntropy` with ``mode="book"``.

    Examples
    --------
    >>> import nnfs_xp.book as nnfs
    >>> loss = nnfs.Loss_BinaryCrossentropy()
    >>> round(float(loss.calculate([[0.5], [0.75]], [[0], [1]])), 4)
    0.4904
    """

    def __init__(self) -> None:
        super().__init__(mode="book", backend=here())


@stands_for(MeanSquaredError)
class Loss_MeanSquaredError(BookLoss, MeanSquaredError):  # type: ignore[misc]
    """`nnfs_xp.MeanSquaredError` under the book's name.

    Examples
    --------
    >>> import nnfs_xp.book as nnfs
    >>> float(nnfs.Loss_MeanSquaredError().calculate([[1.0], [2.0]], [[0.0], [0.0]]))
    2.5
    """

    def __init__(self) -> None:
        super().__init__(backend=here())


@stands_for(MeanAbsoluteError)
class Loss_MeanAbsoluteError(BookLoss, MeanAbsoluteError):  # type: ignore[misc]
    """`nnfs_xp.MeanAbsoluteError` under the book's name.

    Its gradient has the sign of ``y_pred - y_true``; the book's has the
    opposite one.

    Examples
    --------
    >>> import nnfs_xp.book as nnfs
    >>> float(nnfs.Loss_MeanAbsoluteError().calculate([[1.0], [2.0]], [[0.0], [0.0]]))
    1.5
    """

    def __init__(self) -> None:
        super().__init__(backend=here())


# The spelling of other printings.
Loss_CategoricalCrossEntropy = Loss_CategoricalCrossentropy
Loss_BinaryCrossEntropy = Loss_BinaryCrossentropy
