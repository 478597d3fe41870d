"""The library that an extra brings."""

from __future__ import annotations

from typing import Any

from nnfs_xp.errors import InputError


def needed() -> Any:
    """Return onnx, or say how to get it.

    Raises
    ------
    InputError
        If it is not installed.
    """
    try:
        import onnx
        import onnx.checker
        import onnx.helper
    except ImportError as error:
        raise InputError(
            "ONNX files need the library onnx, which is not installed: "
            "pip install 'nnfs-xp[onnx]'"
        ) from error
    return onnx
