"""The gated recurrent unit."""

from __future__ import annotations

from typing import Any

from nnfs_xp.backends import Array
from nnfs_xp.engine.context import Context
from nnfs_xp.layers.recurrent import Recurrent, gates_of, scan
from nnfs_xp.registry import register
from nnfs_xp.special import sigmoid


@register("layer")
class GRU(Recurrent):
    """Gated recurrent unit: a gate interpolates between the last state and a candidate.

    The update gate z, the reset gate r and the candidate g are each computed from a
    part of ``a_p = x_p W + b`` and of ``s_p = h_(p-1) U + b'``::

        z = sigmoid(a_z + s_z)        r = sigmoid(a_r + s_r)
        g = tanh(a_g + r s_g)         h_p = z h_(p-1) + (1 - z) g

    The backward pass through time, where dh is dy_p plus the gradient passed back by
    the next position, is::

        da_g = dh (1 - z) (1 - g^2)        ds_g = da_g r
        da_r = ds_r = da_g s_g r (1 - r)
        da_z = ds_z = dh (h_(p-1) - g) z (1 - z)
        dh_(p-1) = dh z + ds U^T

    The gradients of the parameters are computed from da and ds, as in `SimpleRNN`.
    Inputs have shape (n, t, n_inputs), and h_0 is 0.

    The columns of the parameters are in Keras's order, z, r, g. PyTorch's order is r,
    z, n, where n is g. Both libraries use this formula; Keras also has another one,
    with ``reset_after=False``.

    Parameters
    ----------
    n_inputs, n_units : int
        Number of features of a position, and of the state.
    return_sequences : bool, default False
        See `SimpleRNN`.
    weight_initializer, recurrent_initializer, bias_initializer, seed : optional
        See `SimpleRNN`.
    backend, device, dtype : optional
        See `Layer`.

    Attributes
    ----------
    weights : array, shape (n_inputs, 3 n_units)
    recurrent : array, shape (n_units, 3 n_units)
    biases, recurrent_biases : array, shape (1, 3 n_units)
        Keras keeps both in one array of two rows.

    Raises
    ------
    InputError
        If a size is not a positive integer, or inputs have a different shape.

    References
    ----------
    Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder", EMNLP 2014.

    Examples
    --------
    >>> import numpy as np
    >>> from nnfs_xp import GRU
    >>> layer = GRU(2, 3, return_sequences=True)
    >>> layer.forward(np.ones((4, 5, 2))).shape
    (4, 5, 3)
    """

    _gates = 3

    def parameters(self) -> dict[str, tuple[Any, ...]]:
        """Return initializer and shape of weights and biases of both products."""
        found = super().parameters()
        return {**found, "recurrent_biases": found["biases"]}

    def fwd(self, cx: Context, x: Array) -> tuple[Array, Any]:
        """Return the states; residuals are inputs, gates and previous states."""
        be, xp, u = cx.be, cx.xp, cx.be.operand(cx.params["recurrent"])

        def step(carry: Any, inputs: Any) -> Any:
            (before,), (a,) = carry, inputs
            s = be.matmul(before, u) + cx.params["recurrent_biases"]
            (a_z, a_r, a_g), (s_z, s_r, s_g) = gates_of(a, 3), gates_of(s, 3)
            z, r = sigmoid(be, a_z + s_z), sigmoid(be, a_r + s_r)
            g = xp.tanh(a_g + r * s_g)
            h = z * before + (1.0 - z) * g
            return (h,), (h, z, r, g, s_g, before)

        given = (self._zero_state(cx, x),), (self._by_position(cx, x),)
        states, *kept = scan(be, step, *given, False)
        return self._output(cx, states), (x, tuple(kept))

    def bwd(self, cx: Context, residuals: Any, dy: Array) -> Array | None:
        """Write the gradients of all parameters and return ``dx``."""
        (x, kept), be, xp = residuals, cx.be, cx.xp
        back = be.operand(cx.params["recurrent"]).T

        def step(carry: Any, inputs: Any) -> Any:
            (dh,), (z, r, g, s_g, before, dy) = carry, inputs
            dh = dh + dy
            da_g = dh * (1.0 - z) * (1.0 - g * g)
            da_r = da_g * s_g * r * (1.0 - r)
            da_z = dh * (before - g) * z * (1.0 - z)
            da = xp.concat([da_z, da_r, da_g], axis=1)
            ds = xp.concat([da_z, da_r, da_g * r], axis=1)
            return (dh * z + be.matmul(ds, back),), (da, ds)

        given = (self._zero_state(cx, x),), (*kept, self._gradients(cx, x, dy))
        da, ds = scan(be, step, *given, True)
        return self._through_products(cx, x, da, kept[-1], ds)
