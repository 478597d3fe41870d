"""The CUDA C++ sources as one module of kernels, compiled when first used."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from nnfs_xp.errors import KernelCompileError

FOLDER = Path(__file__).parent / "cuda"
# The C++ type of each dtype that the kernels are compiled for.
REAL = {"float32": "float", "float64": "double"}


def source() -> str:
    """Return all sources as one text: headers first, then the kernels."""
    files = sorted(FOLDER.glob("*.cuh")) + sorted(FOLDER.glob("*.cu"))
    # Line numbers in messages of the compiler are those of the files.
    return "\n".join(f'#line 1 "{f.name}"\n{f.read_text()}' for f in files)


@functools.cache
def module(dtype: str) -> Any:
    """Return the kernels for arrays of a dtype."""
    import cupy

    return cupy.RawModule(
        code=source(), options=("-std=c++17", f"-DREAL={REAL[dtype]}")
    )


@functools.cache
def kernel(dtype: str, name: str) -> Any:
    """Return a kernel by its name, for arrays of a dtype.

    Raises
    ------
    KernelCompileError
        If the sources do not compile, or there is no such kernel.
    """
    try:
        return module(dtype).get_function(name)
    # Depending on what is missing these are CuPy's own errors, those of the
    # driver, or those of the loader of NVRTC.
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise KernelCompileError(
            f"the CUDA kernel {name!r} cannot be used with {dtype}: {reason} "
            "(NNFS_XP_KERNELS=off computes without kernels)"
        ) from error


def blocks_at_once(dtype: str, name: str, threads: int) -> int:
    """Return how many blocks of a kernel the current device can run at once.

    It depends on the registers and the shared memory that the kernel takes.
    """
    import cupy

    return _blocks_at_once(dtype, name, threads, cupy.cuda.runtime.getDevice())


@functools.cache
def _blocks_at_once(dtype: str, name: str, threads: int, device: int) -> int:
    import cupy

    function = kernel(dtype, name).kernel
    of_one = cupy.cuda.driver.occupancyMaxActiveBlocksPerMultiprocessor(
        function.ptr, threads, 0
    )
    return of_one * cupy.cuda.Device(device).attributes["MultiProcessorCount"]


def blocks_for(count: int, threads: int = 256, most: int = 1056) -> int:
    """Return how many blocks a loop over `count` elements is spread over.

    The default limit is eight blocks for each of an H100's 132 multiprocessors; a
    thread goes through what is left by a grid-stride loop.
    """
    return max(1, min(-(-count // threads), most))
