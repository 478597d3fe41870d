"""Rectified linear unit with a learned slope."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_count, check_number
from nnfs_xp.backends import Array
from nnfs_xp.engine.context import Context
from nnfs_xp.errors import InputError
from nnfs_xp.initializers import Constant
from nnfs_xp.layers.base import Layer, Shape
from nnfs_xp.registry import register


@register("layer")
class PReLU(Layer):
    """Rectified linear unit with a learned slope ``a`` for negative inputs.

    The gradients, with the sum over all entries that share a slope, are::

        dx = dy where x > 0, else a dy        da = sum(dy min(x, 0))

    At ``x = 0``, the derivative is ``a``. NaN stays NaN.

    Parameters
    ----------
    n : int, default 1
        Number of slopes: 1 for a slope shared by all inputs, or the length of the last
        axis for one slope per feature.
    negative_slope : float, default 0.25
        Initial value of the slopes.
    backend, device, dtype : optional
        See `Layer`.

    Attributes
    ----------
    slopes : array, shape (n,)
        The slopes ``a`` for negative inputs, which are trained.

    Raises
    ------
    InputError
        If `n` is not a positive integer, `negative_slope` is not a finite number, or
        inputs have a different number of features.

    References
    ----------
    He, Zhang, Ren and Sun, "Delving deep into rectifiers", 2015, eq. 1 and 3.

    Examples
    --------
    >>> from nnfs_xp import PReLU
    >>> prelu = PReLU(dtype="float64")
    >>> prelu.forward([[-2.0, 0.0, 2.0]])
    array([[-0.5,  0. ,  2. ]])
    >>> prelu.backward([[1.0, 1.0, 1.0]]), prelu.dslopes
    (array([[0.25, 0.25, 1.  ]]), array([-2.]))
    """

    def __init__(self, n: int = 1, negative_slope: float = 0.25, **where: Any) -> None:
        super().__init__(**where)
        self.n = check_count(n, "n")
        self.negative_slope = check_number(negative_slope, "negative_slope")

    def parameters(self) -> dict[str, tuple[Any, ...]]:
        """Return initializer and shape of the slopes."""
        return {"slopes": (Constant(self.negative_slope), (self.n,))}

    def input_shape(self) -> Shape | None:
        """Return ``(n,)``, or None for a slope that all inputs share."""
        return None if self.n == 1 else (self.n,)

    def output_shape(self, shape: Shape | None) -> Shape | None:
        """Return the same shape, if its last length is `n` or there is one slope."""
        if self.n > 1 and shape is not None and shape[-1:] != (self.n,):
            raise InputError(
                f"layers: {self!r} takes samples of shape ({self.n},), got {shape}"
            )
        return shape or self.input_shape()

    def fwd(self, cx: Context, x: Array) -> tuple[Array, Array]:
        """Return ``x`` or ``a x``, and the inputs."""
        right = cx.xp.maximum(x, cx.be.zero)
        return right + cx.params["slopes"] * cx.xp.minimum(x, cx.be.zero), x

    def bwd(self, cx: Context, x: Array, dy: Array) -> Array:
        """Write ``dslopes``, and return ``dy`` where ``x > 0``, else ``a dy``."""
        if cx.learns:
            axes = tuple(range(x.ndim if self.n == 1 else x.ndim - 1))
            total = cx.xp.sum(dy * cx.xp.minimum(x, cx.be.zero), axis=axes)
            cx.grads["slopes"] = cx.xp.reshape(total, (self.n,))
        return cx.xp.where(x > 0, dy, cx.params["slopes"] * dy)
