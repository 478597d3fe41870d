"""What every kernel is to compute: one module for each ``.cu`` file, of its name.

A module has a dict ``KERNELS``: for each kernel of the file a dict of cases, each a
function of the dtype that returns a `Launch`. What is expected is computed with the
portable reference, in float64.
"""

from __future__ import annotations

import importlib
import pkgutil

from tests.kernels.cases.launch import Launch

# By the name of the file without its ending, then of the kernel, then of the case.
FILES = {
    info.name: importlib.import_module(f"{__name__}.{info.name}").KERNELS
    for info in pkgutil.iter_modules(__path__)
    if info.name != "launch"
}

__all__ = ["FILES", "Launch"]
