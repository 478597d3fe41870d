"""Layers that change the shape of samples, but no values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from nnfs_xp.arguments import check_count
from nnfs_xp.backends import Array
from nnfs_xp.engine.context import Context
from nnfs_xp.errors import InputError
from nnfs_xp.layers.base import Layer
from nnfs_xp.registry import register

Shape = tuple[int, ...]


@register("layer")
class Reshape(Layer):
    """Reshape each sample; the gradient ``dx`` has the original shape.

    Parameters
    ----------
    shape : int or sequence of int
        Shape of one sample of the output. One length may be -1; it is then inferred.
    backend, device, dtype : optional
        See `Layer`.

    Raises
    ------
    InputError
        If a length is not a positive integer, more than one is -1, or the samples have
        a different number of values.

    Examples
    --------
    >>> from nnfs_xp import Reshape
    >>> Reshape((2, 2), dtype="float64").forward([[1.0, 2.0, 3.0, 4.0]])
    array([[[1., 2.],
            [3., 4.]]])
    """

    def __init__(self, shape: int | Sequence[int], **where: Any) -> None:
        super().__init__(**where)
        lengths = list(shape) if isinstance(shape, (list, tuple)) else [shape]
        self.shape = tuple(
            -1 if length == -1 else check_count(length, "shape") for length in lengths
        )
        if self.shape.count(-1) > 1:
            raise InputError(f"shape must contain at most one -1, got {self.shape}")

    def output_shape(self, shape: Shape | None) -> Shape | None:
        """Return the new shape of a sample."""
        if shape is None:
            return None if -1 in self.shape else self.shape
        # A list, because torch.compile cannot handle the product of a generator.
        known = math.prod([length for length in self.shape if length != -1])
        size = math.prod(shape)
        if size % known or (-1 not in self.shape and size != known):
            raise InputError(
                f"layers: {self!r} cannot take samples of shape {shape}, "
                f"which have {size} values"
            )
        return tuple(size // known if length == -1 else length for length in self.shape)

    def fwd(self, cx: Context, x: Array) -> tuple[Array, Shape]:
        """Return the same values in another shape, and the old shape."""
        shape = self.output_shape(tuple(x.shape[1:]))
        assert shape is not None
        return cx.xp.reshape(x, (x.shape[0], *shape)), tuple(x.shape)

    def bwd(self, cx: Context, shape: Shape, dy: Array) -> Array:
        """Return the same gradients in the old shape."""
        return cx.xp.reshape(dy, shape)


@register("layer")
class Flatten(Reshape):
    """Flatten each sample to one axis: (n, 28, 28) becomes (n, 784).

    Parameters
    ----------
    backend, device, dtype : optional
        See `Layer`.

    Examples
    --------
    >>> from nnfs_xp import Flatten
    >>> Flatten(dtype="float64").forward([[[1.0, 2.0], [3.0, 4.0]]])
    array([[1., 2., 3., 4.]])
    """

    def __init__(self, **where: Any) -> None:
        super().__init__(-1, **where)
