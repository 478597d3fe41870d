"""The simplest recurrent layer."""

from __future__ import annotations

from typing import Any

from nnfs_xp.backends import Array
from nnfs_xp.engine.context import Context
from nnfs_xp.layers.recurrent import Recurrent, scan
from nnfs_xp.registry import register


@register("layer")
class SimpleRNN(Recurrent):
    """Recurrent layer, ``h_p = tanh(x_p W + h_(p-1) U + b)``, with ``h_0 = 0``.

    The backward pass runs through time from the last position to the first. The
    gradient of a state is the gradient of its output plus the gradient passed back by
    the next position::

        dh_p = dy_p + dz_(p+1) U^T        dz_p = dh_p (1 - h_p^2)
        dx_p = dz_p W^T                   dW = sum x_p^T dz_p
        db = sum dz_p                     dU = sum h_(p-1)^T dz_p

    Inputs have shape (n, t, n_inputs).

    Parameters
    ----------
    n_inputs, n_units : int
        Number of features of a position, and of the state.
    return_sequences : bool, default False
        Whether to return the states of all positions, (n, t, n_units), or only the last
        state, (n, n_units).
    weight_initializer : Initializer or str, default "glorot_uniform"
        Initial weights W.
    recurrent_initializer : Initializer or str, default "orthogonal"
        Initial recurrent weights U. All defaults are Keras's.
    bias_initializer : Initializer or str, default "zeros"
        Initial biases.
    seed : int, optional
        Seed of the initial values; see `Dense`.
    backend, device, dtype : optional
        See `Layer`.

    Attributes
    ----------
    weights : array, shape (n_inputs, n_units)
    recurrent : array, shape (n_units, n_units)
    biases : array, shape (1, n_units)
        PyTorch has two such arrays; the biases here are their sum.

    Raises
    ------
    InputError
        If a size is not a positive integer, or inputs have a different shape.

    References
    ----------
    Elman, "Finding Structure in Time", Cognitive Science 14 (1990).

    Examples
    --------
    >>> from nnfs_xp import SimpleRNN
    >>> layer = SimpleRNN(1, 1, return_sequences=True, dtype="float64")
    >>> layer.weights, layer.recurrent = [[1.0]], [[0.5]]
    >>> layer.forward([[[1.0], [0.0], [0.0]]]).round(4).ravel()
    array([0.7616, 0.3634, 0.1797])
    """

    def fwd(self, cx: Context, x: Array) -> tuple[Array, Any]:
        """Return the states; residuals are inputs, states and previous states."""
        be, u = cx.be, cx.be.operand(cx.params["recurrent"])

        def step(carry: Any, inputs: Any) -> Any:
            (before,), (z,) = carry, inputs
            h = cx.xp.tanh(z + be.matmul(before, u))
            return (h,), (h, before)

        given = (self._zero_state(cx, x),), (self._by_position(cx, x),)
        states, before = scan(be, step, *given, False)
        return self._output(cx, states), (x, states, before)

    def bwd(self, cx: Context, residuals: Any, dy: Array) -> Array | None:
        """Write the gradients of all parameters and return ``dx``."""
        (x, states, before), be = residuals, cx.be
        back = be.operand(cx.params["recurrent"]).T

        def step(carry: Any, inputs: Any) -> Any:
            (dh,), (h, dy) = carry, inputs
            dz = (dh + dy) * (1.0 - h * h)
            return (be.matmul(dz, back),), (dz,)

        given = (self._zero_state(cx, x),), (states, self._gradients(cx, x, dy))
        (dz,) = scan(be, step, *given, True)
        return self._through_products(cx, x, dz, before)
