"""A chain of units that is used as one unit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from nnfs_xp.engine.context import Context
from nnfs_xp.errors import InputError
from nnfs_xp.layers.base import Layer, Shape
from nnfs_xp.layers.chain import fused
from nnfs_xp.layers.nesting import MoreAxes, checked_units, joint_shape, numbered
from nnfs_xp.layers.reshape import Reshape
from nnfs_xp.registry import is_exactly, register


@register("layer")
class Sequential(Layer):
    """A chain of units: the output of each is the input of the next.

    The gradient passes through the units in reverse order, back to the first trained
    unit. A chain may contain other chains and blocks.

    Parameters
    ----------
    layers : sequence of Layer
        The units, at least one.

    Attributes
    ----------
    layers : tuple of Layer
    children : dict of str to Layer
        The same layers, keyed by number.

    Raises
    ------
    InputError
        If `layers` is empty, or contains something other than layers, a layer twice, or
        layers whose shapes do not match.

    Examples
    --------
    >>> from nnfs_xp import Dense, Model, ReLU, Sequential
    >>> block = lambda n: Sequential([Dense(n, 8), ReLU()])
    >>> model = Model([block(2), block(8), Dense(8, 1)])
    >>> sorted(model.parameters)[:3]
    ['0.0.biases', '0.0.weights', '1.0.biases']
    """

    def __init__(self, layers: Iterable[Layer | dict[str, Any]]) -> None:
        super().__init__()
        self.layers = checked_units(layers, "layers")
        self.children = numbered(self.layers)
        self.integer_inputs = self.layers[0].integer_inputs
        self.output_shape(None)

    def fwd(self, cx: Context, x: Any) -> tuple[Any, list[Any]]:
        """Return the output of the last unit, and the residuals of each."""
        residuals = []
        # There may be fewer of these than units, since a kernel computes several at
        # once.
        for child in cx.children.values():
            x, kept = child.fwd(x)
            if cx.keeps:
                residuals.append(kept)
        return x, residuals

    def bwd(self, cx: Context, residuals: list[Any], dy: Any) -> Any:
        """Return the gradient of the inputs, if it is needed."""
        children = reversed(cx.children.values())
        for child, kept in zip(children, reversed(residuals), strict=True):
            if not (child.learns or child.needs_dx):
                return None
            dy = child.bwd(kept, dy)
        return dy

    def children_need_dx(
        self, needs_dx: bool, learns: Mapping[str, bool]
    ) -> dict[str, bool]:
        """Return True for units after the first trained one, or for all if needed."""
        needed = {}
        for name, learned in learns.items():
            needed[name] = needs_dx
            needs_dx = needs_dx or learned
        return needed

    def input_shape(self) -> Shape | None:
        """Return the shape of a sample that the units expect, None for any."""
        shape = joint_shape(self.layers)
        if shape is None or len(shape) > 1:
            return shape
        try:
            self.output_shape(shape)
        except InputError:
            # They are for samples with more axes, as `Dense` before `Flatten` may be.
            return None
        return shape

    def output_shape(self, shape: Shape | None) -> Shape | None:
        """Return the shape of a sample after the last unit."""
        return self.output_shapes(shape)[-1]

    def output_shapes(self, shape: Shape | None) -> list[Shape | None]:
        """Return the shape of a sample after each unit, None where it is not known."""
        known, shapes = shape is not None, []
        for layer in self.layers:
            # Of samples of any shape units know the last length, not the whole size.
            flat = isinstance(layer, Reshape) and layer.shape == (-1,)
            try:
                shape = layer.output_shape(shape if known or not flat else None)
            except MoreAxes:
                if known:
                    raise
                shape = layer.output_shape(None)
            shapes.append(shape)
            known = known or (isinstance(layer, Reshape) and -1 not in layer.shape)
        return shapes

    def _arrange(self, cx: Context) -> None:
        if is_exactly(self, Sequential):
            cx.children = fused(cx.be, cx.children)

    def __repr__(self) -> str:
        return f"Sequential({list(self.layers)!r})"
