"""Count what a function asks of a CUDA device.

On a GPU PyTorch's profiler is used, whose records are NVIDIA's (CUPTI) and are those
of the whole process, CuPy's calls as well as PyTorch's.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from benchmarks.gpu.text import of_error

LAUNCHES, GRAPHS = "launches", "graph launches"
TO_DEVICE, TO_HOST, ON_DEVICE = "copies to device", "copies to host", "copies on device"
FILLS, WAITS = "fills", "waits"
NAMES = (LAUNCHES, GRAPHS, TO_DEVICE, TO_HOST, ON_DEVICE, FILLS, WAITS)

# The emulator's counters that make up each of ours. Its matrix products are no
# launches, as those of cuBLAS are.
EMULATED = {
    LAUNCHES: ("launches", "gemm", "libcalls"),
    GRAPHS: ("graph_launch",),
    TO_DEVICE: ("h2d",),
    TO_HOST: ("d2h",),
    ON_DEVICE: ("d2d",),
    FILLS: ("memset",),
    WAITS: ("sync",),
}
CALLS = ("cuda_runtime", "cuda_driver")


def emulated(work: Callable[[], None]) -> dict[str, int]:
    """Return what the emulated device counted."""
    import cupy_on_cpu

    before = cupy_on_cpu.stats()
    work()
    after = cupy_on_cpu.stats()
    return {
        name: sum(after[own] - before[own] for own in parts)
        for name, parts in EMULATED.items()
    }


def profiled(work: Callable[[], None]) -> dict[str, int]:
    """Return what PyTorch's profiler recorded on a GPU."""
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as recorded:
        work()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "trace.json")
        recorded.export_chrome_trace(str(file))
        trace = json.loads(file.read_text(encoding="utf-8"))
    return of_trace(trace["traceEvents"])


def of_trace(events: Iterable[dict[str, Any]]) -> dict[str, int]:
    """Count the events of a trace in Chrome's format, as the profiler writes it."""
    counted = dict.fromkeys(NAMES, 0)
    for event in events:
        name = kind_of(event.get("cat", ""), event.get("name", ""))
        if name:
            counted[name] += 1
    return counted


def kind_of(category: str, name: str) -> str:
    """Return what an event counts as; nothing if it is of no interest."""
    if category in CALLS:
        if "GraphLaunch" in name:
            return GRAPHS
        if "LaunchKernel" in name or "LaunchCooperative" in name:
            return LAUNCHES
        # Of events this would be cudaEventSynchronize, which waits as well.
        return WAITS if name.endswith("Synchronize") else ""
    if category == "gpu_memset":
        return FILLS
    if category == "gpu_memcpy":
        if "HtoD" in name:
            return TO_DEVICE
        return TO_HOST if "DtoH" in name else ON_DEVICE
    return ""


def why_not_profiled() -> str:
    """Return why nothing can be counted on this GPU; nothing if it can."""
    try:
        import cupy
        import torch

        if not torch.cuda.is_available():
            return "PyTorch, whose profiler counts, finds no GPU here"
        ones = cupy.ones(1024, dtype="float32")

        def ten_launches() -> None:
            for _ in range(10):
                cupy.add(ones, ones, out=ones)
            cupy.cuda.Device().synchronize()

        ten_launches()
        seen = profiled(ten_launches)[LAUNCHES]
    except Exception as error:
        return f"PyTorch's profiler does not work here ({of_error(error)})"
    return "" if seen == 10 else f"of 10 launches PyTorch's profiler saw {seen}"
