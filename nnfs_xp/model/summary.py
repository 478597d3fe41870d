"""A model in words: its units, their shapes, its parameters."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from nnfs_xp.engine.network import Network
from nnfs_xp.layers import Layer, Parallel, Residual, Sequential
from nnfs_xp.layers.parallel import is_several


def outputs_of(unit: Layer, shape: Any) -> Iterator[tuple[Layer, Any]]:
    """Yield units with the shape of a sample of their output, in order.

    Of chains only what they hold. Within a block of a user's own no shape is known.
    """
    if isinstance(unit, Sequential):
        for layer, after in zip(unit.layers, unit.output_shapes(shape), strict=True):
            if layer.children:
                yield from outputs_of(layer, shape)
            else:
                yield layer, after
            shape = after
        return
    if isinstance(unit, Parallel):
        each = shape if is_several(shape) else (shape,) * len(unit.branches)
        for branch, own in zip(unit.branches, each, strict=True):
            yield from outputs_of(branch, own)
    elif isinstance(unit, Residual):
        yield from outputs_of(unit.inner, shape)
    else:
        for child in unit.children.values():
            yield from outputs_of(child, None)
    yield unit, unit.output_shape(shape)


def summary_of(network: Network, note: str) -> str:
    """Return the text that `Model.summary` prints."""
    rows = [("layer", "outputs", "parameters")]
    totals = {"parameters": 0, "frozen": 0, "not trained": 0}
    for unit, shape in outputs_of(network.root, network.root.input_shape()):
        node = network.nodes[id(unit)]
        count = sum(math.prod(p.shape) for p in node.parameters.values())
        frozen = bool(count) and not node.trainable
        totals["parameters"] += count
        totals["frozen"] += count * frozen
        totals["not trained"] += sum(math.prod(b.shape) for b in node.buffers.values())
        rows.append(
            (f"{node.path} {unit!r}", _words(shape), f"{count:,}" + " frozen" * frozen)
        )
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [
        f"{name:<{widths[0]}}  {outputs:>{widths[1]}}  {count:>{widths[2]}}"
        for name, outputs, count in rows
    ]
    lines.insert(1, "-" * len(lines[0]))
    lines.append(lines[1])
    total = f"{totals['parameters']:,} parameters"
    if totals["frozen"]:
        total += f", {totals['frozen']:,} of them frozen"
    if totals["not trained"]:
        total += f", {totals['not trained']:,} running statistics"
    lines.append(f"{total}, {network.backend}")
    if network.loss is not None:
        lines.append(f"loss {network.loss!r}")
    if network.optimizer is not None:
        lines.append(f"optimizer {network.optimizer!r}")
        lines.append(f"training step: {note}")
    if network.backend.note:
        lines.append(network.backend.note)
    return "\n".join(lines)


def _words(shape: Any) -> str:
    if shape is None:
        return "any"
    if is_several(shape):
        return ", ".join(map(_words, shape))
    return " x ".join(map(str, shape)) or "1"
