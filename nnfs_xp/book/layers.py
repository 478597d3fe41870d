"""The book's layers."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnfs_xp.activations.linear import Linear
from nnfs_xp.backends import Array
from nnfs_xp.book.names import stands_for
from nnfs_xp.book.settings import AnyAttributes, dropout_seed, here, moved
from nnfs_xp.engine.shell import home_of, program_over
from nnfs_xp.layers.base import Layer
from nnfs_xp.layers.dense import Dense
from nnfs_xp.layers.dropout import Dropout
from nnfs_xp.regularizers import L1L2


class BookLayer(AnyAttributes, Layer):
    """What all layers of the book share: they take arrays of the host too."""

    # The inputs that `_residuals` belong to.
    _seen: Any = None

    def forward(self, inputs: Any, training: bool = True) -> Array:
        """Compute the output; see `nnfs_xp.Layer`."""
        output = super().forward(moved(self.place, inputs), training)
        self._seen = self.inputs
        return output

    def backward(self, dvalues: Any) -> Array:
        """Compute the gradients; see `nnfs_xp.Layer`."""
        self._follow_attributes()
        return super().backward(moved(self.place, dvalues))

    @property
    def place(self) -> Any:
        """The backend that the layer computes on."""
        return self.backend or here()

    def _declares(self, name: str) -> bool:
        # A reader's subclass may set its weights in its constructor already.
        made = self._values is not None or self._home is not None
        return super()._declares(name) or (made and name in self.parameters())

    def _follow_attributes(self) -> None:
        """Let `backward` use ``.inputs``, as in the book.

        A reader's own ``forward`` may have set it, without a call of this one.
        """
        inputs, output = vars(self).get("inputs"), vars(self).get("output")
        if inputs is None or inputs is self._seen:
            return
        BookLayer.forward(self, inputs)
        self.inputs = self._seen = inputs
        if output is not None:
            self.output = output

    def _follow(self, residuals: Any) -> None:
        """Let `backward` use residuals that no forward pass has left."""
        self._residuals = residuals
        if self._program is None:
            network, _ = home_of(self, self.place)
            self._program = program_over(self, network, training=True)


def _factor_of(kind: str, norm: str) -> property:
    """Return a property that reads a factor of a penalty, as the book names it."""

    def factor(layer: Any) -> float:
        return getattr(getattr(layer, f"{kind}_regularizer"), norm, 0.0)

    return property(factor, doc=f"Factor of the {norm.upper()} penalty, or 0.")


@stands_for(Dense)
class Layer_Dense(BookLayer, Dense):
    """`nnfs_xp.Dense` under the book's name.

    Initial weights are ``0.01 * np.random.randn(n_inputs, n_neurons)``, from
    NumPy's global legacy generator as in the book, and initial biases 0.

    Parameters
    ----------
    n_inputs, n_neurons : int
        Number of input and of output features.
    weight_regularizer_l1, weight_regularizer_l2 : float, default 0
        Factors of the penalties on the weights; see `nnfs_xp.L1L2`.
    bias_regularizer_l1, bias_regularizer_l2 : float, default 0
        Those on the biases.
    regularizer_mode : {"exact", "book"}, default "exact"
        The gradient of an L1 penalty at 0: none, or the book's, +1 times its
        factor.

    Examples
    --------
    >>> import nnfs_xp.book as nnfs
    >>> layer = nnfs.Layer_Dense(2, 1, weight_regularizer_l2=0.5)
    >>> layer.weights = [[3.0], [4.0]]
    >>> layer.forward([[1.0, 1.0]]).tolist()
    [[7.0]]
    """

    def __init__(
        self,
        n_inputs: int,
        n_neurons: int,
        weight_regularizer_l1: float = 0,
        weight_regularizer_l2: float = 0,
        bias_regularizer_l1: float = 0,
        bias_regularizer_l2: float = 0,
        *,
        regularizer_mode: str = "exact",
    ) -> None:
        be = here()
        weights = L1L2(weight_regularizer_l1, weight_regularizer_l2, regularizer_mode)
        biases = L1L2(bias_regularizer_l1, bias_regularizer_l2, regularizer_mode)
        super().__init__(
            n_inputs,
            n_neurons,
            weight_initializer="normal",
            weight_regularizer=weights if weights.l1 or weights.l2 else None,
            bias_regularizer=biases if biases.l1 or biases.l2 else None,
            backend=be,
        )
        # Rounded before it is scaled, as the package nnfs makes randn do.
        drawn = np.random.randn(self.n_inputs, self.n_neurons)  # noqa: NPY002
        self._values = {
            "weights": be.asarray(0.01 * drawn.astype(be.dtype_name)),
            "biases": be.zeros((1, self.n_neurons)),
        }

    weight_regularizer_l1 = _factor_of("weight", "l1")
    weight_regularizer_l2 = _factor_of("weight", "l2")
    bias_regularizer_l1 = _factor_of("bias", "l1")
    bias_regularizer_l2 = _factor_of("bias", "l2")

    def get_parameters(self) -> tuple[Array, Array]:
        """Return weights and biases."""
        return self.weights, self.biases

    def set_parameters(self, weights: Any, biases: Any) -> None:
        """Replace weights and biases."""
        self.weights, self.biases = weights, biases

    def _assign(self, name: str, value: Any) -> None:
        super()._assign(name, moved(self.place, value))


@stands_for(Dropout)
class Layer_Dropout(BookLayer, Dropout):
    """`nnfs_xp.Dropout` under the book's name.

    Parameters
    ----------
    rate : float
        Fraction of the inputs to drop, from 0 to 1.

    Attributes
    ----------
    rate : float
        Share of the inputs to keep, as the book stores it.
    binary_mask : array
        The mask of the last ``forward`` in training, scaled.

    Examples
    --------
    >>> import nnfs_xp.book as nnfs
    >>> nnfs.Layer_Dropout(0.1).rate
    0.9
    """

    def __init__(self, rate: float) -> None:
        super().__init__(rate, seed=dropout_seed(), backend=here())

    @property
    def rate(self) -> float:
        """Share of the inputs to keep."""
        return 1.0 - self._rate

    @property
    def binary_mask(self) -> Array | None:
        """Mask of the last forward pass, None if nothing was dropped."""
        return self._residuals

    @binary_mask.setter
    def binary_mask(self, value: Any) -> None:
        self._follow(value)

    def _follow_attributes(self) -> None:
        """Let `backward` use ``.binary_mask``, as in the book."""


class Layer_Input(BookLayer, Linear):
    """The book's first layer, which gives its inputs back.

    Examples
    --------
    >>> import nnfs_xp.book as nnfs
    >>> layer = nnfs.Layer_Input()
    >>> layer.forward([[1.0, 2.0]], training=False).tolist()
    [[1.0, 2.0]]
    """

    saved_as = Linear

    def __init__(self) -> None:
        super().__init__(backend=here())
