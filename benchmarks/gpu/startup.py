"""What has to be done once on a machine: load the libraries and compile the kernels.

The compiler's results are kept on the disk, and libraries in the memory of the
operating system. Sections after this one find both.
"""

from __future__ import annotations

import importlib
import importlib.util
import time
from collections.abc import Callable
from typing import Any

from benchmarks.gpu.place import REHEARSAL, Place

RIVALS = ("torch", "jax")


def run(place: Place, save: Callable[[Any], None]) -> dict[str, Any]:
    """Return the seconds of each part."""
    data: dict[str, Any] = {"times_count": place.times_count, "rows": []}

    def enter(what: str, work: Callable[[], Any]) -> None:
        began = time.perf_counter()
        work()
        row = {"what": what}
        if place.times_count:
            row["seconds"] = time.perf_counter() - began
        data["rows"].append(row)
        save(data)

    enter("import nnfs_xp", lambda: importlib.import_module("nnfs_xp"))
    if place.kind != REHEARSAL:
        enter("import CuPy", lambda: importlib.import_module("cupy"))
        for dtype in ("float32", "float64"):
            enter(f"kernels in {dtype}", lambda dtype=dtype: compile_kernels(dtype))
    for name in RIVALS:
        if importlib.util.find_spec(name):
            enter(f"import {name}", lambda name=name: importlib.import_module(name))
    return data


def compile_kernels(dtype: str) -> None:
    """Compile the module of kernels, or load it from the cache."""
    from nnfs_xp.kernels.cupy import module

    module.kernel(dtype, "adam")


def show(data: dict[str, Any]) -> list[str]:
    """Return the table of seconds."""
    if not data["times_count"]:
        names = "; ".join(row["what"] for row in data["rows"])
        return [f"Ran without an error: {names}. Not measured: the device is emulated."]
    lines = ["| | seconds |", "| --- | ---: |"]
    return [*lines, *(f"| {r['what']} | {r['seconds']:.2f} |" for r in data["rows"])]
