"""The mean over the positions of a sequence."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_flag
from nnfs_xp.backends import Array
from nnfs_xp.engine.context import Context
from nnfs_xp.layers.base import Layer
from nnfs_xp.layers.sequences import MASK, check_masked
from nnfs_xp.registry import register


@register("layer")
class MeanOverPositions(Layer):
    """Mean over the positions of each sequence: (n, t, d) becomes (n, d).

    With a mask m, positions that the mask hides are left out of the mean::

        y = sum_p m_p x_p / c        c = max(1, sum_p m_p)

    The gradient is ``dx_p = m_p dy / c``. Without a mask, every m_p is 1. If all
    positions of a sequence are hidden, its mean is 0.

    Parameters
    ----------
    masked : bool, default False
        Whether inputs are a tuple of sequences and a mask, (n, t), with entries 1 and
        0.
    backend, device, dtype : optional
        See `Layer`.

    Raises
    ------
    InputError
        If inputs have another shape.

    Examples
    --------
    >>> import numpy as np
    >>> from nnfs_xp import MeanOverPositions
    >>> x = np.array([[[1.0], [3.0], [8.0]]])
    >>> MeanOverPositions().forward(x).tolist()
    [[4.0]]
    >>> MeanOverPositions(masked=True).forward((x, np.array([[1, 1, 0]]))).tolist()
    [[2.0]]
    """

    def __init__(self, masked: bool = False, **where: Any) -> None:
        super().__init__(**where)
        self.masked = check_flag(masked, "masked")
        self.integer_inputs = (False, MASK) if self.masked else False

    def fwd(self, cx: Context, x: Any) -> tuple[Array, Any]:
        """Return the mean; residuals are the weights of the positions."""
        xp = cx.xp
        if self.masked:
            x, mask = x
            seen = xp.astype(mask != 0, x.dtype)
            count = xp.maximum(xp.sum(seen, axis=1, keepdims=True), cx.be.constant(1.0))
            weights = (seen / count)[:, :, None]
        else:
            weights = cx.be.full((x.shape[0], x.shape[1], 1), 1.0 / x.shape[1])
        return xp.sum(weights * x, axis=1), weights

    def bwd(self, cx: Context, weights: Array, dy: Array) -> Any:
        """Return ``dy`` times the weight of each position, with None for a mask."""
        dx = weights * dy[:, None, :]
        return (dx, None) if self.masked else dx

    def output_shape(self, shape: Any) -> Any:
        """Return ``(d,)``."""
        own = check_masked(self, shape, (None,), self.masked)[0]
        return None if own is None else own[1:]
