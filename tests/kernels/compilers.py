"""Compilers of CUDA: nvcc, or the library NVRTC from a wheel or a toolkit.

Each makes PTX, or machine code for one generation of GPUs, of which it tells how many
registers and how much shared memory every kernel takes.
"""

from __future__ import annotations

import ctypes
import dataclasses
import functools
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

Compile = Callable[[str, list[str]], str]
ARCHITECTURE = "sm_90"


@dataclasses.dataclass(frozen=True)
class Usage:
    """What a thread of a kernel, or its block, takes of a multiprocessor.

    Attributes
    ----------
    registers, spilled : int
        Of a thread: registers, and bytes that did not fit into any.
    shared : int
        Bytes of shared memory of a block.
    """

    registers: int
    shared: int
    spilled: int


def find_compilers() -> dict[str, Compile]:
    """Return the compilers found here; each makes PTX of a text and options."""
    found: dict[str, Compile] = {}
    if shutil.which("nvcc") is not None:
        found["nvcc"] = with_nvcc
    path = path_of_nvrtc()
    if path is not None:
        found["nvrtc"] = functools.partial(with_nvrtc, path)
    return found


def find_usage() -> dict[str, Callable[[str, list[str], str], dict[str, Usage]]]:
    """Return for each compiler what finds the usage of kernels on an architecture."""
    found: dict[str, Callable[[str, list[str], str], dict[str, Usage]]] = {}
    if shutil.which("nvcc") is not None:
        found["nvcc"] = usage_by_nvcc
    path = path_of_nvrtc()
    if path is not None:
        found["nvrtc"] = functools.partial(usage_by_nvrtc, path)
    return found


def release_of_nvcc() -> str:
    """Return the release of nvcc, such as 13.0."""
    done = subprocess.run(["nvcc", "--version"], capture_output=True, text=True)
    return re.findall(r"release ([\d.]+)", done.stdout)[0]


def usage_by_nvcc(text: str, options: list[str], architecture: str) -> dict[str, Usage]:
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "kernels.cu")
        source.write_text(text)
        command = [
            "nvcc", "-cubin", f"-arch={architecture}", "-Xptxas", "-v", *options,
            str(source), "-o", str(Path(folder, "kernels.cubin")),
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return usage_told(done.stdout + done.stderr)


def usage_by_nvrtc(
    path: str, text: str, options: list[str], architecture: str
) -> dict[str, Usage]:
    verbose = [*options, "--ptxas-options=-v"]
    return usage_told(_by_nvrtc(path, text, verbose, architecture, "ProgramLog"))


def usage_told(log: str) -> dict[str, Usage]:
    """Return the usage of each kernel that ptxas tells."""
    found = {}
    for part in log.split("Compiling entry function '")[1:]:

        def told(pattern: str, part: str = part) -> int:
            return sum(map(int, re.findall(pattern, part)))

        found[part.partition("'")[0]] = Usage(
            told(r"Used (\d+) registers"),
            told(r"(\d+) bytes smem"),
            told(r"(\d+) bytes spill (?:stores|loads)"),
        )
    return found


def with_nvcc(text: str, options: list[str]) -> str:
    with tempfile.TemporaryDirectory() as folder:
        source, ptx = Path(folder, "kernels.cu"), Path(folder, "kernels.ptx")
        source.write_text(text)
        arch = f"-arch={ARCHITECTURE}"
        command = ["nvcc", "-ptx", arch, *options, source, "-o", ptx]
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
    return _by_nvrtc(path, text, options, ARCHITECTURE, "PTX")


def _by_nvrtc(
    path: str, text: str, options: list[str], architecture: str, wanted: str
) -> str:
    # It looks for them in no folder of its own.
    for builtins in Path(path).resolve().parent.glob("libnvrtc-builtins.so*"):
        ctypes.CDLL(str(builtins), ctypes.RTLD_GLOBAL)
    nvrtc = ctypes.CDLL(path)
    program = ctypes.c_void_p()
    made = nvrtc.nvrtcCreateProgram(
        ctypes.byref(program), text.encode(), b"kernels.cu", 0, None, None
    )
    assert made == 0, f"nvrtcCreateProgram: error {made}"
    # CuPy adds the second: a function without a place is one of the device.
    ours = [f"-arch={architecture}", "--device-as-default-execution-space"]
    given = [option.encode() for option in [*ours, *options]]
    array = (ctypes.c_char_p * len(given))(*given)
    try:
        failed = nvrtc.nvrtcCompileProgram(program, len(given), array)
        if failed:
            raise AssertionError(_text(nvrtc, "ProgramLog", program))
        return _text(nvrtc, wanted, program)
    finally:
        nvrtc.nvrtcDestroyProgram(ctypes.byref(program))


def _text(nvrtc: ctypes.CDLL, what: str, program: ctypes.c_void_p) -> str:
    size = ctypes.c_size_t()
    getattr(nvrtc, f"nvrtcGet{what}Size")(program, ctypes.byref(size))
    buffer = ctypes.create_string_buffer(size.value)
    getattr(nvrtc, f"nvrtcGet{what}")(program, buffer)
    return buffer.value.decode(errors="replace")
