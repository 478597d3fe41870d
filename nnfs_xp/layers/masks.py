"""Masks of sequences: which positions are padding."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_count
from nnfs_xp.backends import Array
from nnfs_xp.engine.context import Context
from nnfs_xp.errors import InputError
from nnfs_xp.layers.base import Layer
from nnfs_xp.layers.parallel import is_several
from nnfs_xp.layers.sequences import MASK
from nnfs_xp.registry import register


@register("layer")
class PaddingMask(Layer):
    """Mask of ids: ``y = 0`` where an id is padding, and 1 elsewhere.

    In a branch next to an `Embedding`, this layer tells `MultiHeadAttention` and
    `MeanOverPositions` layers with ``masked=True`` which positions to ignore. The
    gradient is None, because ids have no gradient.

    Parameters
    ----------
    padding_id : int, default 0
        The id used for padding sequences.
    backend, device, dtype : optional
        See `Layer`.

    Raises
    ------
    InputError
        If `padding_id` is not an integer of 0 or more.
    DTypeError
        If ids are not integers.

    Examples
    --------
    >>> from nnfs_xp import Embedding, MeanOverPositions, PaddingMask, Parallel
    >>> from nnfs_xp import Sequential
    >>> PaddingMask().forward([[5, 2, 0], [7, 0, 0]]).tolist()
    [[1.0, 1.0, 0.0], [1.0, 0.0, 0.0]]
    >>> branches = Parallel([Embedding(8, 4), PaddingMask()])
    >>> block = Sequential([branches, MeanOverPositions(masked=True)])
    >>> block.forward([[5, 2, 0], [7, 0, 0]]).shape
    (2, 4)
    """

    integer_inputs = True

    def __init__(self, padding_id: int = 0, **where: Any) -> None:
        super().__init__(**where)
        self.padding_id = check_count(padding_id, "padding_id", least=0)

    def fwd(self, cx: Context, ids: Array) -> tuple[Array, None]:
        """Return 1 where an id is not padding, and 0 where it is."""
        return cx.xp.astype(ids != self.padding_id, cx.be.dtype), None

    def bwd(self, cx: Context, residuals: None, dy: Any) -> None:
        """Return None: ids have no gradient."""


@register("layer")
class DropMask(Layer):
    """Drop the mask of sequences: return the first of two inputs.

    The gradient is ``dx = dy`` for the sequences and None for the mask.

    Examples
    --------
    >>> import numpy as np
    >>> from nnfs_xp import DropMask
    >>> DropMask().forward((np.ones((1, 2, 3)), np.array([[1, 0]]))).shape
    (1, 2, 3)
    """

    integer_inputs = (False, MASK)

    def fwd(self, cx: Context, x: tuple[Array, Array]) -> tuple[Array, None]:
        """Return the first input."""
        return x[0], None

    def bwd(self, cx: Context, residuals: None, dy: Array) -> tuple[Array, None]:
        """Return ``dy``, and None."""
        return dy, None

    def output_shape(self, shape: Any) -> Any:
        """Return the shape of the first input."""
        if shape is None:
            return None
        if not is_several(shape) or len(shape) != 2:
            raise InputError(
                f"layers: {self!r} takes a tuple of 2 inputs, got shape {shape}"
            )
        return shape[0]
