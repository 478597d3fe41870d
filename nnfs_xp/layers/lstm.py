"""Long short-term memory."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_flag
from nnfs_xp.backends import Array
from nnfs_xp.engine.context import Context
from nnfs_xp.layers.recurrent import Recurrent, gates_of, scan
from nnfs_xp.registry import register
from nnfs_xp.special import sigmoid


@register("layer")
class LSTM(Recurrent):
    """Long short-term memory: a state h, and a cell c controlled by gates.

    The input gate i, the forget gate f, the candidate g and the output gate o are each
    computed from a part of ``z_p = x_p W + h_(p-1) U + b``::

        i, f, o = sigmoid(z_i, z_f, z_o)        g = tanh(z_g)
        c_p = f c_(p-1) + i g                   h_p = o tanh(c_p)

    The backward pass through time uses the gradients passed back by the next position::

        dh = dy_p + dz_(p+1) U^T
        dc = dc_(p+1) f_(p+1) + dh o (1 - tanh(c_p)^2)
        dz_i = dc g i (1 - i)                   dz_f = dc c_(p-1) f (1 - f)
        dz_g = dc i (1 - g^2)                   dz_o = dh tanh(c_p) o (1 - o)

    The other gradients are computed from dz, as in `SimpleRNN`. Inputs have shape (n,
    t, n_inputs), and h_0 and c_0 are 0.

    The columns of the parameters are in the order i, f, g, o, as in Keras and PyTorch.
    PyTorch has two arrays of biases; the biases here are their sum.

    Parameters
    ----------
    n_inputs, n_units : int
        Number of features of a position, and of the state.
    return_sequences : bool, default False
        See `SimpleRNN`.
    forget_bias : bool, default True
        Whether 1 is added to the initial biases of the forget gate, as in Keras, so
        that an untrained layer keeps its cell. PyTorch does not add 1.
    weight_initializer, recurrent_initializer, bias_initializer, seed : optional
        See `SimpleRNN`.
    backend, device, dtype : optional
        See `Layer`.

    Attributes
    ----------
    weights : array, shape (n_inputs, 4 n_units)
    recurrent : array, shape (n_units, 4 n_units)
    biases : array, shape (1, 4 n_units)

    Raises
    ------
    InputError
        If an argument is out of range, or inputs have a different shape.

    References
    ----------
    Hochreiter and Schmidhuber, "Long Short-Term Memory", Neural Computation 9 (1997).
    Gers, Schmidhuber and Cummins, "Learning to Forget", 2000.

    Examples
    --------
    >>> import numpy as np
    >>> from nnfs_xp import LSTM
    >>> layer = LSTM(1, 1, dtype="float64")
    >>> layer.weights, layer.recurrent = [[0, 0, 1, 0]], [[0, 0, 0, 0]]
    >>> layer.biases = [9.0, 9.0, 0.0, 9.0]
    >>> layer.forward([[[1.0], [0.0]]]).round(4)
    array([[0.6418]])
    """

    _gates = 4

    def __init__(
        self, n_inputs: int, n_units: int, *, forget_bias: bool = True, **options: Any
    ) -> None:
        super().__init__(n_inputs, n_units, **options)
        self.forget_bias = check_flag(forget_bias, "forget_bias")

    def parameters(self) -> dict[str, tuple[Any, ...]]:
        """Return initializer and shape of weights, recurrent weights and biases."""
        found, n = super().parameters(), self.n_units
        initializer, shape = found["biases"]

        def biases(stream: Any, shape: tuple[int, ...]) -> Any:
            values = initializer(stream, shape)
            values[:, n : 2 * n] += 1.0
            return values

        return {**found, "biases": (biases if self.forget_bias else initializer, shape)}

    def fwd(self, cx: Context, x: Array) -> tuple[Array, Any]:
        """Return the states; residuals are inputs, gates, previous states and cells."""
        be, xp, u = cx.be, cx.xp, cx.be.operand(cx.params["recurrent"])

        def step(carry: Any, inputs: Any) -> Any:
            (before, c_before), (z,) = carry, inputs
            z_i, z_f, z_g, z_o = gates_of(z + be.matmul(before, u), 4)
            i, f, o = sigmoid(be, z_i), sigmoid(be, z_f), sigmoid(be, z_o)
            g = xp.tanh(z_g)
            c = f * c_before + i * g
            squashed = xp.tanh(c)
            h = o * squashed
            return (h, c), (h, i, f, g, o, squashed, c_before, before)

        zero = self._zero_state(cx, x)
        given = (zero, zero), (self._by_position(cx, x),)
        states, *gates, before = scan(be, step, *given, False)
        return self._output(cx, states), (x, tuple(gates), before)

    def bwd(self, cx: Context, residuals: Any, dy: Array) -> Array | None:
        """Write the gradients of all parameters and return ``dx``."""
        (x, gates, before), be = residuals, cx.be
        back = be.operand(cx.params["recurrent"]).T

        def step(carry: Any, inputs: Any) -> Any:
            (dh, dc), (i, f, g, o, squashed, c_before, dy) = carry, inputs
            dh = dh + dy
            dc = dc + dh * o * (1.0 - squashed * squashed)
            parts = [
                dc * g * i * (1.0 - i),
                dc * c_before * f * (1.0 - f),
                dc * i * (1.0 - g * g),
                dh * squashed * o * (1.0 - o),
            ]
            dz = cx.xp.concat(parts, axis=1)
            return (be.matmul(dz, back), dc * f), (dz,)

        zero = self._zero_state(cx, x)
        given = (zero, zero), (*gates, self._gradients(cx, x, dy))
        (dz,) = scan(be, step, *given, True)
        return self._through_products(cx, x, dz, before)
