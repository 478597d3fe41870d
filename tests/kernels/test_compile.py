"""Every kernel compiles for the H100 (sm_90), by each compiler found here."""

import pytest

from nnfs_xp.kernels.cupy import module
from tests.kernels import on_cpu
from tests.kernels.compilers import find_compilers

COMPILERS = ("nvcc", "nvrtc")


def compiler_or_skip(name):
    found = find_compilers()
    if name not in found:
        pytest.skip(f"no {name} here, of {COMPILERS}")
    return found[name]


@pytest.mark.parametrize("name", COMPILERS)
def test_kernels_compile(name, dtype):
    compile = compiler_or_skip(name)
    options = ["-std=c++17", f"-DREAL={module.REAL[dtype]}"]
    ptx = compile(module.source(), options)
    for kernel in on_cpu.files_of_kernels():
        assert f".visible .entry {kernel}(" in ptx, kernel


@pytest.mark.parametrize("name", COMPILERS)
def test_a_wrong_source_is_refused(name):
    compile = compiler_or_skip(name)
    with pytest.raises(AssertionError, match="nowhere"):
        compile('extern "C" __global__ void f(float* x) { *x = nowhere; }', [])
