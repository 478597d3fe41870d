"""Every kernel compiles for three generations of GPUs, and keeps to its registers.

The table in docs/gpu.md is written anew by ``python -m tests.kernels.test_usage``.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path

import pytest

from nnfs_xp.kernels.cupy import dense_step, module
from tests.kernels import on_cpu
from tests.kernels.compilers import Usage, find_usage, release_of_nvcc

PAGE = Path(__file__).parents[2] / "docs" / "gpu.md"
# A100, H100, B200.
ARCHITECTURES = ("sm_80", "sm_90", "sm_100")
COMPILERS = ("nvcc", "nvrtc")
BOOK = dense_step.Shape((784, 128, 128, 10))
SHAPES = {
    "the book's": BOOK,
    "bytes": dense_step.Shape((784, 128, 128, 10), "uint8", "int64", True, 1),
    "no multiples of four": dense_step.Shape((37, 50, 23, 7), rule=0),
    "the widest": dense_step.Shape((4096, 256, 256, 256)),
}
HEAD = (
    "| kernel | registers (float32) | registers (float64) "
    "| shared memory (float32) | shared memory (float64) |"
)
RELEASE = re.compile(r"Release ([\d.]+) of nvcc")


def compiler_or_skip(name: str):
    found = find_usage()
    if name not in found:
        pytest.skip(f"no {name} here, of {COMPILERS}")
    return found[name]


@functools.cache
def usage_of_module(compiler: str, dtype: str, architecture: str) -> dict[str, Usage]:
    options = ["-std=c++17", f"-DREAL={module.REAL[dtype]}"]
    return find_usage()[compiler](module.source(), options, architecture)


# Of a block, where it is not 256.
THREADS = {
    "activation_bias_backward": 1024,
    "sum_over_samples": 1024,
    "count_correct": 512,
    "dense_step_first": 512,
    "dense_step_rest": 512,
}


def assert_runs(found: dict[str, Usage], names: set[str]) -> None:
    """Check that nothing is spilled, and that one block fits on a multiprocessor."""
    assert set(found) == names
    for name, usage in found.items():
        assert usage.spilled == 0, name
        assert 0 < usage.registers * THREADS.get(name, 256) <= 65536, name
        assert usage.shared <= 48 * 1024, name


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("compiler", COMPILERS)
def test_kernels_spill_nothing(compiler, dtype, architecture):
    compiler_or_skip(compiler)
    found = usage_of_module(compiler, dtype, architecture)
    assert_runs(found, set(on_cpu.files_of_kernels()))


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("compiler", COMPILERS)
def test_the_step_in_three_kernels_spills_nothing(compiler, architecture, shape):
    usage = compiler_or_skip(compiler)
    options = list(SHAPES[shape].options)
    found = usage(dense_step.source(), options, architecture)
    assert_runs(found, set(dense_step.KERNELS))


def table() -> list[str]:
    """Return the rows of the table, by nvcc for an H100."""
    own = {d: usage_of_module("nvcc", d, "sm_90") for d in module.REAL}
    rows = [
        f"| `{name}` | {single.registers} | {double.registers} | {single.shared} "
        f"| {double.shared} |"
        for name, single in sorted(own["float32"].items())
        for double in [own["float64"][name]]
    ]
    options = list(BOOK.options)
    step = find_usage()["nvcc"](dense_step.source(), options, "sm_90")
    rows += [
        f"| `{name}` | {step[name].registers} | - | {step[name].shared} | - |"
        for name in dense_step.KERNELS
    ]
    return [HEAD, "|-|-:|-:|-:|-:|", *rows]


def written() -> list[str]:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    begin = lines.index(HEAD)
    return lines[begin : lines.index("", begin)]


def test_the_table_names_every_kernel():
    names = {*on_cpu.files_of_kernels(), *dense_step.KERNELS}
    assert {row.split("`")[1] for row in written()[2:]} == names


@pytest.mark.slow
def test_the_table_is_what_the_compiler_tells():
    compiler_or_skip("nvcc")
    (release,) = RELEASE.findall(PAGE.read_text(encoding="utf-8"))
    if release_of_nvcc() != release:
        pytest.skip(f"the table is of release {release}, here is {release_of_nvcc()}")
    assert written() == table()


def test_spilled_registers_are_seen():
    """Of a kernel that may have few, and keeps 64 numbers over a barrier."""
    usage = compiler_or_skip("nvcc")
    text = (
        'extern "C" __global__ void f(float* x) {\n  float v[64];\n'
        "#pragma unroll\n"
        "  for (int i = 0; i < 64; ++i) v[i] = x[i * 100];\n"
        "  __syncthreads();\n"
        "#pragma unroll\n"
        "  for (int i = 0; i < 64; ++i) x[i] = v[i] * v[63 - i];\n}\n"
    )
    found = usage(text, ["-maxrregcount=16"], "sm_90")["f"]
    assert found.registers < 64
    assert found.spilled > 0


if __name__ == "__main__":
    old, lines = written(), PAGE.read_text(encoding="utf-8")
    text = lines.replace("\n".join(old), "\n".join(table()))
    PAGE.write_text(RELEASE.sub(f"Release {release_of_nvcc()} of nvcc", text))
