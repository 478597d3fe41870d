"""Products with what comes after them, through cuBLASLt; not run on a device yet.

A `Dense` layer with a ReLU after it takes them, by `Backend.relu_product`.

cuBLASLt adds a bias and takes ReLU while a product is still in registers, which saves
a kernel and two passes over the outputs. These lines were written from its manual; the
emulated device that the tests use has no cuBLASLt, so nothing here has ever been
executed beyond its error message. That is why nothing uses it unless the environment
variable ``NNFS_XP_CUBLASLT`` is ``1``, and then a benchmark has to show that it wins.

References
----------
NVIDIA, "cuBLAS", sections 3.4.12 (cublasLtMatmul) and 3.3.3 (cublasLtEpilogue_t).
"""

from __future__ import annotations

import functools
import os
import threading
from typing import Any

import numpy as np

from nnfs_xp.backends import cublas
from nnfs_xp.errors import BackendUnavailableError, InputError

Array = Any
_own = threading.local()


def asked_for() -> bool:
    """Return whether these products shall be used, or raise if they cannot.

    Raises
    ------
    BackendUnavailableError
        If ``NNFS_XP_CUBLASLT`` is ``1`` and there is no cuBLASLt here.
    """
    if os.environ.get("NNFS_XP_CUBLASLT") != "1":
        return False
    if reason := why_unusable():
        raise BackendUnavailableError(f"NNFS_XP_CUBLASLT=1, but {reason}")
    return True


@functools.cache
def why_unusable() -> str:
    """Return why these products cannot be used here, empty if they can."""
    if reason := cublas.why_unusable():
        return reason
    from nvmath.bindings import cublasLt

    try:
        cublasLt.destroy(cublasLt.create())
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        return f"nvmath-python cannot use cuBLASLt: {reason}"
    return ""


def bias_relu_product(
    x: Array, w: Array, b: Array, out: Array, kind: str = "float32"
) -> Array:
    """Write ``max(x w + b, 0)`` to `out`, on CuPy's current device and stream.

    Parameters
    ----------
    x, w : cupy.ndarray, shapes (m, k) and (k, n)
        As for `nnfs_xp.backends.cublas.multiply`.
    b : cupy.ndarray, shape (1, n) or (n,)
        Of the dtype of `out`, contiguous.
    out : cupy.ndarray, shape (m, n)
        Rows that are contiguous.
    kind : str, default "float32"
        As for `nnfs_xp.backends.cublas.multiply`.

    Returns
    -------
    cupy.ndarray
        `out`.

    Raises
    ------
    BackendUnavailableError
        If there is no cuBLASLt, or it knows no way to compute this product.
    InputError
        If shapes or strides do not fit.
    """
    if reason := why_unusable():
        raise BackendUnavailableError(reason)
    shape = cublas.checked_shape(x, w, out, np.dtype(cublas.kinds()[kind][3]))
    if b.size != shape[1] or not b.flags.c_contiguous or b.dtype != out.dtype:
        raise InputError(
            f"b must be {shape[1]} contiguous numbers of {out.dtype}, got shape "
            f"{b.shape} of {b.dtype}"
        )
    if not cublas.lies_in_rows(out) or 0 in (*shape, x.shape[1]):
        raise InputError(
            f"out must have contiguous rows, and no length may be 0, got {x.shape} "
            f"times {w.shape}"
        )
    x, x_is_transposed, x_stride = cublas.as_stored(x)
    w, w_is_transposed, w_stride = cublas.as_stored(w)
    plan = _plan(
        kind, (*shape, x.shape[1]), (x_is_transposed, w_is_transposed),
        (x_stride, w_stride, cublas.row_stride(out)),
        tuple(_alignment(array.data.ptr) for array in (w, x, out)),
    )  # fmt: skip
    plan.run(x, w, b, out)
    return out


class _Plan:
    """Everything about a product but the addresses; for one thread and device."""

    def __init__(
        self,
        kind: str,
        lengths: Any,
        transposed: Any,
        strides: Any,
        alignments: Any,
    ) -> None:
        from nvmath.bindings import cublasLt

        self._lt = cublasLt
        operands, result, compute, dtype = cublas.kinds()[kind]
        self._factors = cublas.FACTORS[dtype]
        m, n, k = lengths
        self._handle = cublasLt.create()
        self._product = cublasLt.matmul_desc_create(compute, result)
        attribute = cublasLt.MatmulDescAttribute
        # Row-major, and so with the operands in each other's place: see `cublas`.
        # What is a column of numbers there is a row here, so the bias fits.
        self._set(attribute.TRANSA, int(transposed[1]))
        self._set(attribute.TRANSB, int(transposed[0]))
        self._set(attribute.EPILOGUE, int(cublasLt.Epilogue.RELU_BIAS))
        w_shape = (k, n) if transposed[1] else (n, k)
        x_shape = (m, k) if transposed[0] else (k, m)
        create = cublasLt.matrix_layout_create
        self._layouts = (
            create(operands, *w_shape, strides[1]),
            create(operands, *x_shape, strides[0]),
            create(result, n, m, strides[2]),
        )
        self._algorithm = self._best_algorithm(kind, lengths, alignments)

    def _set(self, attribute: Any, value: int) -> None:
        dtype = self._lt.get_matmul_desc_attribute_dtype(int(attribute))
        buffer = np.array([value], dtype=dtype)
        self._lt.matmul_desc_set_attribute(
            self._product, int(attribute), buffer.ctypes.data, buffer.nbytes
        )

    def _best_algorithm(self, kind: str, lengths: Any, alignments: Any) -> np.ndarray:
        """Return the algorithm that cuBLASLt expects to be the fastest."""
        lt, attribute = self._lt, self._lt.MatmulPreferenceAttribute
        for_w, for_x, for_out = alignments
        wanted = {
            attribute.MAX_WORKSPACE_BYTES: cublas.WORKSPACE_BYTES,
            # It would take addresses for multiples of 256, and a stretch of a flat
            # buffer begins anywhere.
            attribute.MIN_ALIGNMENT_A_BYTES: for_w,
            attribute.MIN_ALIGNMENT_B_BYTES: for_x,
            attribute.MIN_ALIGNMENT_C_BYTES: for_out,
            attribute.MIN_ALIGNMENT_D_BYTES: for_out,
        }
        found = np.zeros(1, dtype=lt.matmul_heuristic_result_dtype)
        count = np.zeros(1, dtype=np.int32)
        preference = lt.matmul_preference_create()
        try:
            for name, value in wanted.items():
                dtype = lt.get_matmul_preference_attribute_dtype(int(name))
                buffer = np.array([value], dtype=dtype)
                lt.matmul_preference_set_attribute(
                    preference, int(name), buffer.ctypes.data, buffer.nbytes
                )
            lt.matmul_algo_get_heuristic(
                self._handle, self._product, *self._layouts, self._layouts[2],
                preference, 1, found.ctypes.data, count.ctypes.data,
            )  # fmt: skip
        except lt.cuBLASLtError as error:
            raise _unknown_product(kind, lengths) from error
        finally:
            lt.matmul_preference_destroy(preference)
        if not count[0]:
            raise _unknown_product(kind, lengths)
        return found["algo"].copy()

    def run(self, x: Array, w: Array, b: Array, out: Array) -> None:
        """Compute the product of arrays that are stored as planned."""
        import cupy

        self._set(self._lt.MatmulDescAttribute.BIAS_POINTER, b.data.ptr)
        alpha = self._factors.ctypes.data
        self._lt.matmul(
            self._handle, self._product,
            alpha, w.data.ptr, self._layouts[0], x.data.ptr, self._layouts[1],
            alpha + self._factors.itemsize, out.data.ptr, self._layouts[2],
            out.data.ptr, self._layouts[2],
            self._algorithm.ctypes.data, cublas.workspace(), cublas.WORKSPACE_BYTES,
            cupy.cuda.get_current_stream().ptr,
        )  # fmt: skip


def _plan(*description: Any) -> _Plan:
    """Return the plan of a product, made when it is first taken."""
    import cupy

    plans = _own.__dict__.setdefault("plans", {})
    key = cupy.cuda.runtime.getDevice(), *description
    if key not in plans:
        plans[key] = _Plan(*description)
    return plans[key]


def _alignment(address: int) -> int:
    """Return the largest power of two, up to 256, that divides an address."""
    return min(address & -address, 256)


def _unknown_product(kind: str, lengths: Any) -> BackendUnavailableError:
    return BackendUnavailableError(
        f"cuBLASLt knows no {kind} product of lengths {lengths} with bias and ReLU"
    )
