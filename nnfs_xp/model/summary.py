"""A summary of a model: its units, their shapes, its parameters."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator
from typing import Any

from nnfs_xp.engine.network import Network
from nnfs_xp.layers import Layer, Parallel, Residual, Sequential
from nnfs_xp.layers.parallel import is_several

_LONGEST = 60


def outputs_of(unit: Layer, shape: Any) -> Iterator[tuple[Layer, Any]]:
    """Yield units with the shape of a sample of their output, in order.

    A chain yields only the units that it holds. Inside a user-defined block, no shape
    is known.
    """
    if isinstance(unit, Sequential):
        for layer, after in zip(unit.layers, unit.output_shapes(shape), strict=True):
            yield from outputs_of(layer, shape) if layer.children else [(layer, after)]
            shape = after
        return
    each = shape if is_several(shape) else (shape,) * len(unit.children)
    if not isinstance(unit, (Parallel, Residual)):
        each = (None,) * len(unit.children)
    for child, own in zip(unit.children.values(), each, strict=True):
        yield from outputs_of(child, own)
    yield unit, unit.output_shape(shape)


def summary_of(network: Network, note: str) -> str:
    """Return the text that `Model.summary` prints."""
    rows = [("layer", "outputs", "parameters")]
    for unit, shape in outputs_of(network.root, network.root.input_shape()):
        node = network.nodes[id(unit)]
        count = sum(math.prod(p.shape) for p in node.parameters.values())
        frozen = " frozen" if count and not node.trainable else ""
        name = f"{node.path} {unit!r}"
        if unit.children:
            # Those inside have rows of their own.
            name = textwrap.shorten(name, _LONGEST, placeholder=" ...")
        rows.append((name, _words(shape), f"{count:,}{frozen}"))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [
        f"{name:<{widths[0]}}  {outputs:>{widths[1]}}  {count:>{widths[2]}}"
        for name, outputs, count in rows
    ]
    rule = "-" * len(lines[0])
    total = f"{network.learned.size + network.frozen.size:,} parameters"
    if network.frozen.size:
        total += f", {network.frozen.size:,} of them frozen"
    if network.buffer_shapes:
        count = sum(math.prod(b.shape) for b in network.buffer_shapes.values())
        total += f", {count:,} running statistics"
    lines = [lines[0], rule, *lines[1:], rule, f"{total}, {network.backend}"]
    if network.loss is not None:
        lines.append(f"loss {network.loss!r}")
    if network.optimizer is not None:
        lines += [f"optimizer {network.optimizer!r}", f"training step: {note}"]
    if network.backend.note:
        lines.append(network.backend.note)
    return "\n".join(lines)


def _words(shape: Any) -> str:
    if shape is None:
        return "any"
    if is_several(shape):
        return ", ".join(map(_words, shape))
    return " x ".join(map(str, shape)) or "1"
