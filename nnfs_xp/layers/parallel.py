"""Several branches side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from nnfs_xp.engine.context import Context
from nnfs_xp.errors import InputError
from nnfs_xp.layers.base import Layer, Shape
from nnfs_xp.layers.nesting import checked_units, numbered
from nnfs_xp.registry import register


@register("layer")
class Parallel(Layer):
    """Parallel branches: the output is a tuple with the output of each branch.

    All branches receive the same inputs, and their gradients with respect to these
    inputs are added. If the inputs are a tuple, each branch receives one of them. A
    network can thus have several inputs.

    Parameters
    ----------
    branches : sequence of Layer
        The branches, at least one.

    Raises
    ------
    InputError
        If `branches` is empty, or contains something other than layers or a layer
        twice; in ``forward``, if the numbers of inputs and branches differ.

    Examples
    --------
    >>> from nnfs_xp import Add, Linear, Parallel, Rescaling, Sequential
    >>> block = Sequential([Parallel([Linear(), Rescaling(10.0)]), Add()])
    >>> block.forward([[1.0, 2.0]]).tolist()
    [[11.0, 22.0]]
    >>> block.backward([[1.0, 1.0]]).tolist()
    [[11.0, 11.0]]
    """

    def __init__(self, branches: Iterable[Layer | dict[str, Any]]) -> None:
        super().__init__()
        self.branches = checked_units(branches, "branches")
        self.children = numbered(self.branches)
        self.integer_inputs = tuple(branch.integer_inputs for branch in self.branches)

    def fwd(self, cx: Context, x: Any) -> tuple[tuple[Any, ...], Any]:
        """Return the outputs of all branches, and their residuals."""
        several = isinstance(x, tuple)
        each = x if several else (x,) * len(self.branches)
        branches = cx.children.values()
        pairs = [branch.fwd(own) for branch, own in zip(branches, each, strict=True)]
        outputs, residuals = zip(*pairs, strict=True)
        return outputs, (several, residuals)

    def bwd(self, cx: Context, kept: Any, dy: tuple[Any, ...]) -> Any:
        """Return the gradient of each input, or of the input of all branches."""
        several, residuals = kept
        found = [
            branch.bwd(own, gradient)
            for branch, own, gradient in zip(
                cx.children.values(), residuals, dy, strict=True
            )
        ]
        if several or not cx.needs_dx:
            return tuple(found)
        total = found[0]
        for gradient in found[1:]:
            # Ids have no gradient.
            total = None if total is None else total + gradient
        return total

    def children_need_dx(
        self, needs_dx: bool, learns: Mapping[str, bool]
    ) -> dict[str, bool]:
        """Return the value of the block for every branch."""
        return dict.fromkeys(learns, needs_dx)

    def input_shape(self) -> Shape | None:
        """Return the shape of a sample that the branches expect."""
        shapes = [branch.input_shape() for branch in self.branches]
        if None in shapes:
            # There may be one array for all branches, or one for each.
            return None
        return shapes[0] if len(set(shapes)) == 1 else tuple(shapes)

    def output_shape(self, shape: Shape | None) -> Shape | None:
        """Return the shape of a sample of each output."""
        each: Any = shape if is_several(shape) else (shape,) * len(self.branches)
        if len(each) != len(self.branches):
            raise InputError(
                f"layers: {self!r} has {len(self.branches)} branches, got "
                f"{len(each)} inputs"
            )
        return tuple(
            branch.output_shape(own)
            for branch, own in zip(self.branches, each, strict=True)
        )

    def __repr__(self) -> str:
        return f"Parallel({list(self.branches)!r})"


def is_several(shape: Any) -> bool:
    """Return whether these are shapes of several arrays, not the shape of one."""
    return isinstance(shape, tuple) and any(
        part is None or isinstance(part, tuple) for part in shape
    )
