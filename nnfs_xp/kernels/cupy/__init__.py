"""Implementations for CuPy: kernels in CUDA C++, each beside the reference it computes.

The sources are in ``cuda/``; `module` compiles them. An implementation checks
nothing: for what it cannot take, such as an array that is not contiguous, it returns
NotImplemented.
"""

import importlib
import pkgutil

# To import a module is to register the implementations in it.
for _module in pkgutil.iter_modules(__path__, f"{__name__}."):
    importlib.import_module(_module.name)
