"""Compilers of CUDA: nvcc, or the library NVRTC from a wheel or a toolkit."""

from __future__ import annotations

import ctypes
import functools
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

Compile = Callable[[str, list[str]], str]


def find_compilers() -> dict[str, Compile]:
    """Return the compilers found here; each makes PTX of a text and options."""
    found: dict[str, Compile] = {}
    if shutil.which("nvcc") is not None:
        found["nvcc"] = with_nvcc
    path = path_of_nvrtc()
    if path is not None:
        found["nvrtc"] = functools.partial(with_nvrtc, path)
    return found


def with_nvcc(text: str, options: list[str]) -> str:
    with tempfile.TemporaryDirectory() as folder:
        source, ptx = Path(folder, "kernels.cu"), Path(folder, "kernels.ptx")
        source.write_text(text)
        command = ["nvcc", "-ptx", "-arch=sm_90", *options, source, "-o", ptx]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return ptx.read_text()


def path_of_nvrtc() -> str | None:
    """Return the file of NVRTC: of a wheel of NVIDIA's, or of a toolkit."""
    for folder in map(Path, sys.path):
        # cu13/lib for CUDA 13, cuda_nvrtc/lib for 12.
        files = [
            path
            for path in folder.glob("nvidia/*/lib/libnvrtc.so.*")
            if not path.name.endswith((".alt", ".alt.so"))
        ]
        if files:
            return str(min(files))
    nvcc = shutil.which("nvcc")
    if nvcc is not None:
        root = Path(nvcc).resolve().parents[1]
        for file in sorted(root.glob("lib64/libnvrtc.so*")):
            return str(file)
    return None


def with_nvrtc(path: str, text: str, options: list[str]) -> str:
    nvrtc = ctypes.CDLL(path)
    program = ctypes.c_void_p()
    made = nvrtc.nvrtcCreateProgram(
        ctypes.byref(program), text.encode(), b"kernels.cu", 0, None, None
    )
    assert made == 0, f"nvrtcCreateProgram: error {made}"
    # CuPy adds the second: a function without a place is one of the device.
    ours = ["-arch=sm_90", "--device-as-default-execution-space"]
    given = [option.encode() for option in [*ours, *options]]
    array = (ctypes.c_char_p * len(given))(*given)
    try:
        failed = nvrtc.nvrtcCompileProgram(program, len(given), array)
        if failed:
            raise AssertionError(_text(nvrtc, "ProgramLog", program))
        return _text(nvrtc, "PTX", program)
    finally:
        nvrtc.nvrtcDestroyProgram(ctypes.byref(program))


def _text(nvrtc: ctypes.CDLL, what: str, program: ctypes.c_void_p) -> str:
    size = ctypes.c_size_t()
    getattr(nvrtc, f"nvrtcGet{what}Size")(program, ctypes.byref(size))
    buffer = ctypes.create_string_buffer(size.value)
    getattr(nvrtc, f"nvrtcGet{what}")(program, buffer)
    return buffer.value.decode(errors="replace")
