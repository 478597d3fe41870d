"""Models as ONNX files: written, and read.

The library onnx is imported when it is first needed.
"""

from nnfs_xp.onnx.forms import form
from nnfs_xp.onnx.read import load
from nnfs_xp.onnx.write import export

__all__ = ["export", "form", "load"]
