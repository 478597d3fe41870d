"""Fusion of the units of a chain.

Only units of exactly the classes that a fused unit stands for are replaced, since a
subclass may compute something else.
"""

from __future__ import annotations

from nnfs_xp.backends import Backend
from nnfs_xp.engine.context import Context
from nnfs_xp.kernels import has_implementation
from nnfs_xp.layers.base import Layer
from nnfs_xp.layers.conv1d import Conv1D
from nnfs_xp.layers.conv2d import Conv2D
from nnfs_xp.layers.dense import Dense
from nnfs_xp.layers.fused_convolution import ConvolutionActivation
from nnfs_xp.layers.fusion import (
    ELEMENTWISE,
    DenseActivation,
    ElementwiseActivation,
    WholeDenseActivation,
)
from nnfs_xp.registry import UNITS, is_exactly, library_class


def fused(be: Backend, children: dict[str, Context]) -> dict[str, Context]:
    """Return contexts of a chain that compute the same with the kernels of a backend.

    Parameters
    ----------
    be : Backend
    children : dict of str to Context
        Those of the units of a chain, in order.

    Returns
    -------
    dict of str to Context
        A fused unit has the name of the first unit that it replaces. Without kernels,
        the given contexts are returned.
    """
    training = any(cx.training for cx in children.values())
    if not has_implementation("bias_activation", be.name, training):
        return children
    # Operands that are rounded first are operands of a product alone.
    has_whole = has_implementation("dense_activation", be.name)
    whole = has_whole and be.matmul_precision == "full"
    dense = WholeDenseActivation if whole else DenseActivation
    found: dict[str, Context] = {}
    names = list(children)
    while names:
        name = names.pop(0)
        cx, following = children[name], children[names[0]] if names else None
        if is_exactly(cx.unit, Dense) and cx.unit.use_bias:
            parts = {"dense": cx}
            if following is not None and is_elementwise(following.unit):
                parts["activation"] = following
                names.pop(0)
            else:
                parts["activation"] = Context(UNITS["layer"]["Linear"](), be)
            cx = _replacing(dense(), cx, parts)
        elif (
            is_exactly(cx.unit, Conv1D, Conv2D) and cx.unit.use_bias
            and following is not None and is_elementwise(following.unit)
        ):  # fmt: skip
            names.pop(0)
            parts = {"convolution": cx, "activation": following}
            cx = _replacing(ConvolutionActivation(), cx, parts)
        elif is_elementwise(cx.unit) and not is_exactly(
            cx.unit, UNITS["layer"]["Linear"]
        ):
            cx = _replacing(ElementwiseActivation(), cx, {"activation": cx})
        found[name] = cx
    return found


def is_elementwise(unit: Layer) -> bool:
    """Return whether a unit is one of `ELEMENTWISE`, and no subclass."""
    cls = library_class(unit)
    return cls.__name__ in ELEMENTWISE and UNITS["layer"].get(cls.__name__) is cls


def _replacing(unit: Layer, first: Context, parts: dict[str, Context]) -> Context:
    """Return the context of a fused unit, in place of the first of its parts."""
    cx = Context(
        unit, first.be, path=first.path, training=first.training, learns=first.learns,
        needs_dx=first.needs_dx, keeps=first.keeps,
    )  # fmt: skip
    cx.children = parts
    return cx
