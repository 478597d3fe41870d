"""Gated linear unit."""

from __future__ import annotations

from nnfs_xp.backends import Array
from nnfs_xp.engine.context import Context
from nnfs_xp.errors import InputError
from nnfs_xp.layers.base import Layer, Shape
from nnfs_xp.registry import register
from nnfs_xp.special import sigmoid


@register("layer")
class GLU(Layer):
    """Gated linear unit: one half of the features is gated by the other half.

    Let ``a`` be the first and ``b`` the second half of the last axis, and ``s`` the
    sigmoid of ``b``::

        y = a s(b)        da = dy s        db = dy a s (1 - s)

    The gradient is ``dx = (da, db)``. The output has half as many features.

    Parameters
    ----------
    backend, device, dtype : optional
        See `Layer`.

    Raises
    ------
    InputError
        If the number of features is odd.

    References
    ----------
    Dauphin, Fan, Auli and Grangier, "Language modeling with gated convolutional
    networks", 2016, eq. 1.

    Examples
    --------
    >>> from nnfs_xp import GLU
    >>> glu = GLU(dtype="float64")
    >>> glu.forward([[2.0, -4.0, 0.0, 1000.0]])
    array([[ 1., -4.]])
    >>> glu.backward([[1.0, 1.0]])
    array([[ 0.5,  1. ,  0.5, -0. ]])
    """

    def output_shape(self, shape: Shape | None) -> Shape | None:
        """Return the shape with the last length halved."""
        if shape is None:
            return None
        if not shape or shape[-1] % 2:
            raise InputError(
                f"layers: {self!r} takes samples with an even number of features, got "
                f"{shape}"
            )
        return (*shape[:-1], shape[-1] // 2)

    def fwd(self, cx: Context, x: Array) -> tuple[Array, tuple[Array, Array]]:
        """Return ``a s(b)``; residuals are both factors."""
        half = self.output_shape(tuple(x.shape[1:]))[-1]  # type: ignore[index]
        a, s = x[..., :half], sigmoid(cx.be, x[..., half:])
        return a * s, (a, s)

    def bwd(self, cx: Context, residuals: tuple[Array, Array], dy: Array) -> Array:
        """Return ``(dy s, dy a s (1 - s))``."""
        a, s = residuals
        da = dy * s
        return cx.xp.concat([da, da * a * (1.0 - s)], axis=-1)
