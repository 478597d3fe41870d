"""Matrix products on CUDA through cuBLAS, even while a stream is captured.

CuPy refuses every call of cuBLAS while its current stream is captured as a CUDA graph
(https://github.com/cupy/cupy/issues/6290), because its handle would allocate memory
then. These products have a handle of their own, whose workspace is allocated before,
and call cuBLAS by NVIDIA's bindings, nvmath-python.

cuBLAS knows column-major matrices. A row-major matrix is, in the same memory, its
column-major transpose, so ``C = A B`` is asked for as ``C^T = B^T A^T``: the operands
change places, and nothing is copied.

References
----------
NVIDIA, "cuBLAS", sections 2.1.4 (streams and workspaces), 2.8.12 (cublasGemmEx) and
2.8.14 (cublasGemmStridedBatchedEx).
"""

from __future__ import annotations

import functools
import math
import threading
from typing import Any

import numpy as np

from nnfs_xp.errors import BackendUnavailableError, DTypeError, InputError

Array = Any
# NVIDIA's recommendation for Hopper; older devices need less.
WORKSPACE_BYTES = 32 * 2**20
# One thread may capture while another computes, and a handle is for one thread.
_own = threading.local()
# cuBLAS reads the factors of ``C = alpha A B + beta C`` from the host.
FACTORS = {name: np.array([1, 0], dtype=name) for name in ("float32", "float64")}


class _Handle:
    """A handle of cuBLAS on one device, for one thread."""

    def __init__(self) -> None:
        # The import takes a while, and a machine without CUDA never needs it.
        from nvmath.bindings import cublas

        self._cublas = cublas
        self._handle = cublas.create()
        self._stream: int | None = None
        # How many products it was used for.
        self.products = 0
        self._workspaces: dict[int, Any] = {}

    def use_stream(self, stream: Any) -> None:
        """Let the next products run on a stream, with a workspace of its own."""
        if stream.ptr == self._stream:
            return
        # Products on two streams may overlap, and must not share a workspace. It is
        # never given back: a graph keeps its address.
        if stream.ptr not in self._workspaces:
            self._workspaces[stream.ptr] = _new_workspace(stream)
        self._cublas.set_stream(self._handle, stream.ptr)
        # A new stream takes the workspace away.
        workspace = self._workspaces[stream.ptr]
        self._cublas.set_workspace(self._handle, workspace.ptr, WORKSPACE_BYTES)
        self._stream = stream.ptr

    def multiply(self, a: Array, b: Array, out: Array, kind: str) -> None:
        """Write the product of two matrices to a third one."""
        operands, result, compute, dtype = kinds()[kind]
        a, a_is_transposed, a_stride = as_stored(a)
        b, b_is_transposed, b_stride = as_stored(b)
        alpha = FACTORS[dtype].ctypes.data
        self._cublas.gemm_ex(
            self._handle, b_is_transposed, a_is_transposed,
            b.shape[1], a.shape[0], a.shape[1],
            alpha, b.data.ptr, operands, b_stride, a.data.ptr, operands, a_stride,
            alpha + FACTORS[dtype].itemsize, out.data.ptr, result, row_stride(out),
            compute, -1,
        )  # fmt: skip

    def multiply_stacks(self, a: Array, b: Array, out: Array, kind: str) -> None:
        """Write the product of each two matrices of two stacks to a third one."""
        operands, result, compute, dtype = kinds()[kind]
        a, a_is_transposed, a_stride = stack_as_stored(a)
        b, b_is_transposed, b_stride = stack_as_stored(b)
        (m, k), n = a.shape[-2:], b.shape[-1]
        alpha = FACTORS[dtype].ctypes.data
        self._cublas.gemm_strided_batched_ex(
            self._handle, b_is_transposed, a_is_transposed, n, m, k,
            alpha, b.data.ptr, operands, b_stride, k * n,
            a.data.ptr, operands, a_stride, m * k,
            alpha + FACTORS[dtype].itemsize, out.data.ptr, result, n, m * n,
            math.prod(out.shape[:-2]), compute, -1,
        )  # fmt: skip


@functools.cache
def kinds() -> dict[str, tuple[int, int, int, str]]:
    """Return cuBLAS's constants for each kind of product.

    Returns
    -------
    dict
        By the name of the operands' format: the types of operands and result, the
        arithmetic, and the result's dtype.
    """
    from nvmath import CudaDataType
    from nvmath.bindings.cublas import ComputeType

    real32, real64 = int(CudaDataType.CUDA_R_32F), int(CudaDataType.CUDA_R_64F)
    half, brain = int(CudaDataType.CUDA_R_16F), int(CudaDataType.CUDA_R_16BF)
    single, double = int(ComputeType.COMPUTE_32F), int(ComputeType.COMPUTE_64F)
    tf32 = int(ComputeType.COMPUTE_32F_FAST_TF32)
    return {
        "float32": (real32, real32, single, "float32"),
        "float64": (real64, real64, double, "float64"),
        "tf32": (real32, real32, tf32, "float32"),
        "float16": (half, real32, single, "float32"),
        "bfloat16": (brain, real32, single, "float32"),
    }


@functools.cache
def why_unusable() -> str:
    """Return why these products cannot be used here, empty if they can."""
    try:
        _handle()
    except ImportError as error:
        return (
            f"nvmath-python is not installed: {error} "
            "(pip install 'nnfs-xp[cuda13]', or [cuda12])"
        )
    except BackendUnavailableError:
        raise
    # Its own errors, when it finds no cuBLAS or one that is too old.
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        return f"nvmath-python cannot use cuBLAS: {reason}"
    return ""


def multiply(a: Array, b: Array, out: Array | None, kind: str) -> Array:
    """Return the product of two matrices, on CuPy's current device and stream.

    Parameters
    ----------
    a, b : cupy.ndarray, shapes (m, k) and (k, n)
        Of one dtype. Transposed views and blocks of larger arrays are used in place;
        other views are copied first.
    out : cupy.ndarray or None, shape (m, n)
        Where to write the product.
    kind : {"float32", "float64", "tf32", "float16", "bfloat16"}
        The operands' format; tf32 numbers come as float32, and bfloat16 numbers as
        uint16. All except float64 are accumulated and returned in float32.

    Returns
    -------
    cupy.ndarray
        `out`, or a new array.

    Raises
    ------
    DTypeError
        If the operands or `out` are of different dtypes.
    InputError
        If shapes do not fit.
    BackendUnavailableError
        If the stream is captured, and nothing was multiplied on it before: a graph
        cannot hold what has to be allocated the first time.
    """
    import cupy

    dtype = cupy.dtype("float64" if kind == "float64" else "float32")
    shape = checked_shape(a, b, out, dtype)
    in_rows = out is not None and lies_in_rows(out)
    # An output with another layout, such as a transposed array, gets a copy of the
    # product.
    target: Array = out if in_rows else cupy.empty(shape, dtype)
    if a.shape[1] == 0:
        target[...] = 0
    elif target.size:
        _handle_on_stream().multiply(a, b, target, kind)
    if out is None or in_rows:
        return target
    out[...] = target
    return out


def multiply_stacks(a: Array, b: Array, kind: str) -> Array:
    """Return the products of two stacks of matrices, as `multiply` that of two.

    Parameters
    ----------
    a, b : cupy.ndarray, shapes (..., m, k) and (..., k, n)
        Of one dtype, with the same leading axes. Stacks without gaps are used in place,
        including stacks of transposed matrices; others are copied first.
    kind : {"float32", "float64"}
        The dtype.
    """
    import cupy

    products = cupy.empty((*a.shape[:-1], b.shape[-1]), kind)
    if a.shape[-1] == 0:
        products[...] = 0
    elif products.size:
        _handle_on_stream().multiply_stacks(a, b, products, kind)
    return products


def products_of_thread() -> int:
    """Return how many products this thread has asked for so far."""
    return sum(handle.products for handle in vars(_own).get("handles", {}).values())


def _handle_on_stream() -> _Handle:
    """Return this thread's handle, on CuPy's current device and stream."""
    import cupy

    handle = _handle()
    handle.products += 1
    handle.use_stream(cupy.cuda.get_current_stream())
    return handle


def _handle() -> _Handle:
    """Return this thread's handle on the current device."""
    import cupy

    handles = _own.__dict__.setdefault("handles", {})
    device = cupy.cuda.runtime.getDevice()
    if device not in handles:
        _check_not_captured(cupy.cuda.get_current_stream())
        handles[device] = _Handle()
    return handles[device]


def _check_not_captured(stream: Any) -> None:
    if stream.is_capturing():
        raise BackendUnavailableError(
            "the first matrix product on a stream cannot be captured; multiply two "
            "matrices on it, in the same thread, before the capture begins"
        )


def _new_workspace(stream: Any) -> Any:
    import cupy

    _check_not_captured(stream)
    # Not from a memory pool, which may belong to a graph and be freed with it.
    return cupy.cuda.MemoryPointer(cupy.cuda.Memory(WORKSPACE_BYTES), 0)


def checked_shape(a: Array, b: Array, out: Array | None, dtype: Any) -> tuple:
    """Return the shape of the product, or raise."""
    if a.dtype != b.dtype:
        raise DTypeError(
            f"the operands of a matrix product must be of one dtype, got {a.dtype} "
            f"and {b.dtype}"
        )
    if a.shape[1] != b.shape[0]:
        raise InputError(
            f"matrices of shapes {a.shape} and {b.shape} cannot be multiplied"
        )
    shape = a.shape[0], b.shape[1]
    if out is not None and out.dtype != dtype:
        raise DTypeError(f"out must be {dtype}, got {out.dtype}")
    if out is not None and out.shape != shape:
        raise InputError(f"out must have shape {shape}, got {out.shape}")
    return shape


def as_stored(a: Array) -> tuple[Array, int, int]:
    """Return a matrix, whether it is stored transposed, and its leading stride."""
    if lies_in_rows(a):
        return a, 0, row_stride(a)
    if lies_in_rows(a.T):
        return a, 1, row_stride(a.T)
    a = a.copy(order="C")
    return a, 0, row_stride(a)


def stack_as_stored(a: Array) -> tuple[Array, int, int]:
    """Return a stack, whether matrices are stored transposed, and their row stride."""
    import cupy

    if not a.flags.c_contiguous and a.swapaxes(-1, -2).flags.c_contiguous:
        return a, 1, a.shape[-2]
    return cupy.ascontiguousarray(a), 0, a.shape[-1]


def lies_in_rows(a: Array) -> bool:
    """Return whether rows are contiguous and follow each other in memory."""
    rows, columns = a.shape
    between_rows, between_columns = a.strides
    return (columns == 1 or between_columns == a.itemsize) and (
        rows == 1
        or (between_rows >= columns * a.itemsize and between_rows % a.itemsize == 0)
    )


def row_stride(a: Array) -> int:
    """Return the number of elements between the starts of two rows."""
    rows, columns = a.shape
    # The stride of an axis of length 1 means nothing, and may be anything.
    return columns if rows == 1 else a.strides[0] // a.itemsize
