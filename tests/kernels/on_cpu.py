"""Run a kernel of the CUDA sources on the CPU, on NumPy arrays.

The sources are compiled by g++ behind `cuda_on_cpu.h`. Neither CuPy nor anything
of CUDA is needed.
"""

from __future__ import annotations

import ctypes
import functools
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pytest

from nnfs_xp.kernels.cupy import module

_HEADER = Path(__file__).parent / "cuda_on_cpu.h"
_DECLARATION = re.compile(
    r'extern\s+"C"\s+__global__\s+void\s+(?:__launch_bounds__\([\d, ]+\)\s+)?(\w+)\s*\('
)


def kernels_of(path: Path) -> list[str]:
    """Return the names of the kernels in one file."""
    return _DECLARATION.findall(path.read_text())


def files_of_kernels() -> dict[str, Path]:
    """Return the file that each kernel of the package is in."""
    files = sorted(module.FOLDER.glob("*.cu"))
    return {name: path for path in files for name in kernels_of(path)}


@functools.cache
def library(dtype: str) -> ctypes.CDLL:
    """Return all kernels for a dtype, compiled for this machine."""
    compiler = shutil.which("g++")
    if compiler is None:
        pytest.skip("no g++ to compile the kernels with")
    names = _DECLARATION.findall(module.source())
    functions = "\n".join(
        f'extern "C" int run_{name}(void** arguments, const unsigned* grid, '
        f"const unsigned* block, int reverse) {{\n"
        f"  return cpu::launch({name}, arguments, grid, block, reverse);\n}}"
        for name in names
    )
    text = f'#include "{_HEADER}"\n{module.source()}\n{functions}\n'
    with tempfile.TemporaryDirectory() as folder:
        source, built = Path(folder, "kernels.cpp"), Path(folder, "kernels.so")
        source.write_text(text)
        # The compiler may not contract a * b + c, for results like NumPy's.
        options = ["-std=c++17", "-O1", "-shared", "-fPIC", "-ffp-contract=off"]
        command = [compiler, *options, f"-DREAL={module.REAL[dtype]}", "-w"]
        done = subprocess.run(
            [*command, str(source), "-o", str(built)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return ctypes.CDLL(str(built))


def launch(dtype, name, grid, block, arguments, *, reverse=False):
    """Run a kernel.

    Parameters
    ----------
    dtype : {"float32", "float64"}
        What REAL is.
    name : str
        The kernel.
    grid, block : tuple of int
        Number of blocks, and of threads of a block, along up to three axes.
    arguments : list
        An array stands for the pointer to its first element, a NumPy scalar, a
        structured one too, for a value.
    reverse : bool
        Whether blocks and threads take their turns in the opposite order.
    """
    kept, pointers = [], (ctypes.c_void_p * max(len(arguments), 1))()
    for position, value in enumerate(arguments):
        if isinstance(value, np.ndarray):
            assert value.flags.c_contiguous
            memory = ctypes.c_void_p(value.ctypes.data)
        else:
            assert isinstance(value, np.generic), f"argument {position}: {value!r}"
            memory = ctypes.create_string_buffer(value.tobytes(), value.nbytes)
        kept.append(memory)
        pointers[position] = ctypes.addressof(memory)
    sizes = [(ctypes.c_uint * 3)(*(*size, 1, 1)[:3]) for size in (grid, block)]
    stuck = getattr(library(dtype), f"run_{name}")(pointers, *sizes, int(reverse))
    assert not stuck, f"{name}: threads of a block wait at different barriers"
