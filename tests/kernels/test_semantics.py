"""Every kernel of the CUDA sources, run on the CPU, against its reference."""

import inspect
import re
from pathlib import Path

import numpy as np
import pytest

import nnfs_xp
from nnfs_xp.kernels import references
from nnfs_xp.kernels.cupy import module
from tests.kernels import on_cpu
from tests.kernels.cases import FILES

CASES = [
    (name, kind)
    for kernels in FILES.values()
    for name, cases in kernels.items()
    for kind in cases
]
MAKE = {name: cases for kernels in FILES.values() for name, cases in kernels.items()}


def test_every_kernel_has_cases():
    for path in module.FOLDER.glob("*.cu"):
        assert path.stem in FILES, f"tests/kernels/cases/{path.stem}.py is missing"
        assert set(FILES[path.stem]) == set(on_cpu.kernels_of(path)), path.name
        assert all(FILES[path.stem].values()), path.name
    assert set(FILES) == {path.stem for path in module.FOLDER.glob("*.cu")}


def test_the_head_of_a_file_says_where_the_references_are():
    root = Path(nnfs_xp.__file__).parents[1]
    for path in module.FOLDER.glob("*.cu"):
        head = path.read_text().partition("\n\n")[0]
        assert "nnfs_xp/" in head, path.name
        for kernel, file, name in re.findall(r"// (\w+) +(nnfs\S+\.py): (\w+)", head):
            reference = references().get(name) or references()[kernel]
            assert Path(inspect.getfile(reference)) == root / file, (path.name, kernel)


@pytest.fixture(params=[pytest.param("float64", marks=pytest.mark.slow), "float32"])
def dtype(request):
    """Return the precision; the same source is compiled for both."""
    return request.param


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_kernel_computes_its_reference(name, kind, dtype):
    with np.errstate(all="ignore"):
        case = MAKE[name][kind](dtype)
    rtol = case.rtol
    if rtol is None:
        rtol = 1e-12 if dtype == "float64" else 1e-5
    found = {}
    for reverse in (False, True):
        given = [
            value.copy() if isinstance(value, np.ndarray) else value
            for value in case.arguments
        ]
        arguments = case.addressed(given)
        on_cpu.launch(dtype, name, case.grid, case.block, arguments, reverse=reverse)
        for position, (old, new) in enumerate(zip(case.arguments, given, strict=True)):
            if position not in case.expected and isinstance(old, np.ndarray):
                np.testing.assert_array_equal(new, old, f"argument {position}")
        found[reverse] = {position: given[position] for position in case.expected}
    for position, expected in case.expected.items():
        # No thread waits for another by luck, so the order changes no bit.
        one, other = found[False][position], found[True][position]
        np.testing.assert_array_equal(one, other, f"argument {position}")
        assert one.shape == expected.shape
        finite = np.abs(expected[np.isfinite(expected)]).astype("float64")
        np.testing.assert_allclose(
            one, expected, rtol=rtol, atol=rtol * finite.max(initial=0.0),
            err_msg=f"argument {position}",
        )  # fmt: skip


def test_threads_that_wait_at_different_barriers_are_found(tmp_path, monkeypatch):
    (tmp_path / "bad.cu").write_text(
        'extern "C" __global__ void bad() {\n'
        "  if (threadIdx.x == 0) __syncthreads(); else __syncwarp();\n}\n"
    )
    monkeypatch.setattr(module, "FOLDER", tmp_path)
    on_cpu.library.cache_clear()
    try:
        with pytest.raises(AssertionError, match="wait at different barriers"):
            on_cpu.launch("float32", "bad", (1,), (2,), [])
    finally:
        on_cpu.library.cache_clear()


def test_a_missing_barrier_changes_the_result(tmp_path, monkeypatch):
    text = (
        'extern "C" __global__ void swap(int* x) {\n'
        "  __shared__ int kept[64];\n"
        "  kept[threadIdx.x] = x[threadIdx.x];\n"
        "  BARRIER\n"
        "  x[threadIdx.x] = kept[63 - threadIdx.x];\n}\n"
    )
    monkeypatch.setattr(module, "FOLDER", tmp_path)
    for barrier, right in (("__syncthreads();", True), ("", False)):
        (tmp_path / "swap.cu").write_text(text.replace("BARRIER", barrier))
        on_cpu.library.cache_clear()
        x = np.arange(64, dtype="int32")
        try:
            on_cpu.launch("float32", "swap", (1,), (64,), [x])
        finally:
            on_cpu.library.cache_clear()
        assert np.array_equal(x, np.arange(64)[::-1]) == right
