"""A model in words: its layers, their shapes, its parameters."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nnfs_xp.model import Model


def summary_of(model: Model) -> str:
    """Return the text that `Model.summary` prints."""
    rows = [("layer", "outputs", "parameters")]
    shape, total = model.input_shape, 0
    for index, layer in enumerate(model.leaves):
        shape = layer.output_shape(shape)
        shapes = [shape for _, shape in layer.initializers().values()]
        count = sum(math.prod(shape) for shape in shapes)
        total += count
        outputs = "any" if shape is None else " x ".join(map(str, shape))
        rows.append((f"{index} {layer!r}", outputs, f"{count:,}"))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [
        f"{name:<{widths[0]}}  {outputs:>{widths[1]}}  {count:>{widths[2]}}"
        for name, outputs, count in rows
    ]
    lines.insert(1, "-" * len(lines[0]))
    lines.append(lines[1])
    lines.append(f"{total:,} parameters, {model.backend}")
    if model.loss is not None:
        lines.append(f"loss {model.loss!r}")
    if model.optimizer is not None:
        lines.append(f"optimizer {model.optimizer!r}")
        lines.append(f"training step: {model._executor.note}")
    if model.backend.note:
        lines.append(model.backend.note)
    return "\n".join(lines)
