"""The gated recurrent unit."""

from __future__ import annotations

from typing import Any

from nnfs_xp.backends import Array
from nnfs_xp.engine.context import Context
from nnfs_xp.layers.recurrent import Recurrent, gates_of
from nnfs_xp.registry import register
from nnfs_xp.special import sigmoid


@register("layer")
class GRU(Recurrent):
    """Gated recurrent unit: each state is a mean of the last one and a candidate.

    Update gate, reset gate and candidate each have a part of ``a_p = x_p W + b`` and of
    ``s_p = h_(p-1) U + b'``::

        z = sigmoid(a_z + s_z)        r = sigmoid(a_r + s_r)
        g = tanh(a_g + r s_g)         h_p = z h_(p-1) + (1 - z) g

    Backward through time, with dh = dy_p and what the next position hands back::

        da_g = dh (1 - z) (1 - g^2)        ds_g = da_g r
        da_r = ds_r = da_g s_g r (1 - r)
        da_z = ds_z = dh (h_(p-1) - g) z (1 - z)
        dh_(p-1) = dh z + ds U^T

    and from da and ds the parameters, as in `SimpleRNN`. Inputs have shape (n, t,
    n_inputs), and h_0 is 0.

    The columns of the parameters are in Keras's order, z, r, g. PyTorch's is r, z, n,
    where n is g. The formula is that of both; Keras has another one, too, with
    ``reset_after=False``.

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
        Keras has both in one array of two rows.

    Raises
    ------
    InputError
        If a size is not a positive integer, or inputs have another shape.

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
        """Return initializer and shape of weights and biases, of both products."""
        found = super().parameters()
        return {**found, "recurrent_biases": found["biases"]}

    def fwd(self, cx: Context, x: Array) -> tuple[Array, Any]:
        """Return the states; residuals are those of each position, and the gates."""
        be, xp, u = cx.be, cx.xp, cx.be.operand(cx.params["recurrent"])
        states, gates = [self._zero_state(cx, x)], []
        for a in self._by_position(cx, x):
            s = be.matmul(states[-1], u) + cx.params["recurrent_biases"]
            (a_z, a_r, a_g), (s_z, s_r, s_g) = gates_of(a, 3), gates_of(s, 3)
            z, r = sigmoid(be, a_z + s_z), sigmoid(be, a_r + s_r)
            g = xp.tanh(a_g + r * s_g)
            states.append(z * states[-1] + (1.0 - z) * g)
            gates.append((z, r, g, s_g))
        return self._output(cx, states[1:]), (x, states, gates)

    def bwd(self, cx: Context, residuals: Any, dy: Array) -> Array | None:
        """Write the gradients of all parameters, and return ``dx``."""
        (x, states, gates), be, t = residuals, cx.be, residuals[0].shape[1]
        back = be.operand(cx.params["recurrent"]).T
        dh, da, ds = 0.0, [], []
        for position in reversed(range(t)):
            z, r, g, s_g = gates[position]
            dh = dh + self._gradient_at(dy, position, t)
            da_g = dh * (1.0 - z) * (1.0 - g * g)
            da_r = da_g * s_g * r * (1.0 - r)
            da_z = dh * (states[position] - g) * z * (1.0 - z)
            da.append(cx.xp.concat([da_z, da_r, da_g], axis=1))
            ds.append(cx.xp.concat([da_z, da_r, da_g * r], axis=1))
            dh = dh * z + be.matmul(ds[-1], back)
        return self._through_products(cx, x, da[::-1], states[:-1], ds[::-1])
