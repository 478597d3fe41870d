"""A block that adds its inputs to its output."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nnfs_xp.backends import Array
from nnfs_xp.engine.context import Context
from nnfs_xp.errors import InputError
from nnfs_xp.layers.base import Layer, Shape
from nnfs_xp.registry import register, resolve


@register("layer")
class Residual(Layer):
    """A residual block, ``y = x + f(x)``.

    The inner units compute ``f``. The gradient is a sum over both paths::

        dx = dy + f'(x)^T dy

    The shortcut allows the gradient to reach the first layers of a deep network.

    Parameters
    ----------
    inner : Layer
        The function ``f``, usually a `Sequential`. Its output must have the shape of
        its input.

    Raises
    ------
    InputError
        If `inner` is not a layer; in a model, or in ``forward``, if its output does not
        have the shape of its input.

    References
    ----------
    He, Zhang, Ren and Sun, "Deep Residual Learning for Image Recognition", CVPR 2016.

    Examples
    --------
    >>> from nnfs_xp import Dense, Residual
    >>> dense = Dense(2, 2, weight_initializer="ones")
    >>> block = Residual(dense)
    >>> block.forward([[1.0, 2.0]]).tolist(), block.backward([[1.0, 0.0]]).tolist()
    ([[4.0, 5.0]], [[2.0, 1.0]])
    """

    def __init__(self, inner: Layer | dict[str, Any]) -> None:
        super().__init__()
        self.inner = resolve("layer", inner, "inner", Layer)
        self.children = {"inner": self.inner}
        self.integer_inputs = self.inner.integer_inputs
        self.output_shape(self.input_shape())

    def fwd(self, cx: Context, x: Array) -> tuple[Array, Any]:
        """Return ``x + f(x)``, and the residuals of ``f``."""
        y, kept = cx["inner"].fwd(x)
        return x + y, kept

    def bwd(self, cx: Context, kept: Any, dy: Array) -> Array | None:
        """Return ``dy`` plus the gradient through ``f``."""
        dx = cx["inner"].bwd(kept, dy)
        return dy + dx if cx.needs_dx else None

    def children_need_dx(
        self, needs_dx: bool, learns: Mapping[str, bool]
    ) -> dict[str, bool]:
        """Return the value of the block for ``f``."""
        return {"inner": needs_dx}

    def input_shape(self) -> Shape | None:
        """Return the shape of a sample that ``f`` expects."""
        return self.inner.input_shape()

    def output_shape(self, shape: Shape | None) -> Shape | None:
        """Return the same shape, if ``f`` does not change it."""
        found = self.inner.output_shape(shape)
        if shape is not None and found != shape:
            raise InputError(
                f"layers: {self!r} adds inputs to outputs, which must have the same "
                f"shape, got {shape} and {found}"
            )
        return found

    def __repr__(self) -> str:
        return f"Residual({self.inner!r})"
