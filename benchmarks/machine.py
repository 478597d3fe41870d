"""What a result depends on besides the code: processor, threads, versions."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import sys
import time
from pathlib import Path
from typing import Any

# OpenMP, OpenBLAS, MKL, Apple's Accelerate, and XLA's pool (both names).
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NPROC",
    "PJRT_NPROC",
)
LIBRARIES = ("numpy", "torch", "jax", "numba", "keras", "scikit-learn", "cupy")
# Others may keep so much of a core busy on a machine that is quiet enough.
QUIET = 0.1


def set_environment(threads: int) -> None:
    """Tell libraries that are not imported yet how many threads to start.

    XLA's pool and the BLAS of NumPy can be told in no other way that holds
    everywhere.
    """
    for name in THREAD_VARIABLES:
        os.environ[name] = str(threads)
    # JAX would take most of the GPU's memory, and others need some too.
    os.environ["XLA_PYTHON_CLIENT_PREALLOCATE"] = "false"


def busy_cores(seconds: float = 1.0) -> float:
    """Return how many cores are busy while this process does nothing.

    0 where the system does not tell.
    """
    stat = Path("/proc/stat")
    if not stat.exists():
        return 0.0

    def busy() -> int:
        user, nice, system, _, _, *others = map(int, stat.read_text().split()[1:9])
        return user + nice + system + sum(others)

    before = busy()
    time.sleep(seconds)
    return (busy() - before) / os.sysconf("SC_CLK_TCK") / seconds


def has_peaks() -> bool:
    """Return whether the system lets a process forget its peak of memory."""
    return Path("/proc/self/clear_refs").exists()


def set_threads(threads: int) -> None:
    """Tell the libraries themselves, now that they are imported."""
    if importlib.util.find_spec("torch"):
        import torch

        torch.set_num_threads(threads)
    if importlib.util.find_spec("threadpoolctl"):
        import threadpoolctl

        threadpoolctl.threadpool_limits(threads)


def use_full_float32() -> None:
    """Keep JAX and PyTorch from computing with TF32 on a GPU, as CuPy does not.

    For the whole process: nnfs_xp on their backends gets the same.
    """
    if importlib.util.find_spec("torch"):
        import torch

        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False
    if importlib.util.find_spec("jax"):
        import jax

        jax.config.update("jax_default_matmul_precision", "highest")


def describe(device: str, threads: int) -> dict[str, Any]:
    """Return what a report says about the machine."""
    described: dict[str, Any] = {
        "processor": processor_name(),
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count() or 1,
        "threads": threads,
        "system": f"{platform.system()} {platform.machine()}",
        "device": device,
        "thread_pools": thread_pools(),
    }
    if device == "cuda":
        import cupy

        properties = cupy.cuda.runtime.getDeviceProperties(0)
        described["gpu"] = properties["name"].decode()
    return described


def thread_pools() -> list[dict[str, Any]]:
    """Return the BLAS and OpenMP libraries that are loaded, with their threads."""
    if not importlib.util.find_spec("threadpoolctl"):
        return []
    import threadpoolctl

    kept = ("internal_api", "version", "architecture", "num_threads")
    return [
        {name: pool[name] for name in kept if name in pool}
        for pool in threadpoolctl.threadpool_info()
    ]


def processor_name() -> str:
    """Return the processor's own name, where the system tells it."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def versions() -> dict[str, str]:
    """Return the versions of Python, of nnfs_xp and of the libraries."""
    import nnfs_xp

    found = {"python": platform.python_version(), "nnfs_xp": nnfs_xp.__version__}
    for library in LIBRARIES:
        if library == "cupy":
            # Its distribution is named after the CUDA version. Only a GPU run
            # has imported it.
            if "cupy" in sys.modules:
                found["cupy"] = sys.modules["cupy"].__version__
            continue
        try:
            found[library] = importlib.metadata.version(library)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
