"""The base of pooling layers: windows over images, side by side by default."""

from __future__ import annotations

from typing import Any

from nnfs_xp.errors import InputError
from nnfs_xp.layers.base import Layer
from nnfs_xp.layers.windows import (
    check_lengths,
    check_padding,
    checked_output,
    windows_of,
)

Lengths = int | tuple[int, ...]


class _Pool2D(Layer):
    """Windows over images, side by side by default."""

    def __init__(
        self,
        size: Lengths = 2,
        stride: Lengths | None = None,
        padding: str | Lengths = "valid",
        **where: Any,
    ) -> None:
        super().__init__(**where)
        self.size = check_lengths(size, "size", 2)
        self.stride = None if stride is None else check_lengths(stride, "stride", 2)
        self.padding = check_padding(padding, "padding", 2)
        steps = self.size if self.stride is None else self.stride
        self._windows = windows = windows_of(2, self.size, steps, self.padding, 1)
        if not isinstance(windows.padding, str) and any(
            width >= size
            for width, size in zip(windows.padding, windows.size, strict=True)
        ):
            raise InputError(
                f"padding must be less than size {self.size}, or a window could lie "
                f"outside the image, got {self.padding}"
            )

    def output_shape(self, shape: tuple[int, ...] | None) -> tuple[int, ...] | None:
        """Return the number of positions along both axes, and the channels."""
        if shape is None:
            return None
        return (*checked_output(self, self._windows, shape), shape[-1])

    def __repr__(self) -> str:
        options = [
            f", {name}={getattr(self, name)!r}"
            for name, usual in {"stride": None, "padding": "valid"}.items()
            if getattr(self, name) != usual
        ]
        return f"{type(self).__name__}({self.size}{''.join(options)})"
