"""CuPy: the CUDA backend."""

from __future__ import annotations

import contextlib
import functools
from typing import Any

import cupy
import numpy as np

from nnfs_xp.backends import cublas
from nnfs_xp.backends.base import DTYPE_NAMES, Array, Backend, Together
from nnfs_xp.backends.double_buffer import DoubleBuffer, copied
from nnfs_xp.errors import BackendUnavailableError


class CupyBackend(Backend):
    """CuPy on one CUDA device."""

    name = "cupy"
    compiled_executor = "nnfs_xp.engine.executors.cuda_graph:CudaGraphExecutor"
    streams = True

    @classmethod
    def namespace(cls) -> Any:
        """Return CuPy's Array API namespace, if there is a device to use."""
        if not cls.devices():
            raise BackendUnavailableError("CuPy is installed but finds no CUDA device")
        return super().namespace()

    @classmethod
    def devices(cls) -> list[str]:
        """Return ``cuda:0``, ``cuda:1`` and so on."""
        return [f"cuda:{i}" for i in range(cupy.cuda.runtime.getDeviceCount())]

    def find_device(self, device: Any) -> Any:
        """Accept a device, its number, ``"cuda"`` or ``"cuda:1"``."""
        if device is None or device == "cuda":
            return cupy.cuda.Device()
        if isinstance(device, cupy.cuda.Device):
            return device
        number = str(device).removeprefix("cuda:")
        if not number.isdigit() or f"cuda:{number}" not in self.devices():
            raise BackendUnavailableError(
                f"backend 'cupy' has the devices {self.devices()}, got {device!r}"
            )
        return cupy.cuda.Device(int(number))

    @property
    def device_name(self) -> str:
        """Return ``cuda:`` and the number of the device."""
        return f"cuda:{self.device.id}"

    def array_type(self) -> Any:
        """Return the class of CuPy's arrays."""
        return cupy.ndarray

    def to_numpy(self, array: Array) -> np.ndarray:
        """Copy the array from the device, waiting for it."""
        return array.get()

    def own_copy(self, host: np.ndarray) -> np.ndarray:
        """Return the array itself, because `put` copies it."""
        return host

    def put(self, host: np.ndarray) -> Array:
        """Move a host array to the device; it has been read when this returns."""
        if host.nbytes > self.piece_bytes:
            # CuPy would allocate as much pinned memory, rounded up to the next power of
            # two.
            return copied(host, self.piece_bytes)
        return super().put(host)

    def context(self) -> contextlib.AbstractContextManager[Any]:
        """Make this device the current one."""
        # A context of a CuPy device must not be entered twice, so each use
        # gets its own.
        return Together(super().context(), cupy.cuda.Device(self.device.id))

    def full_matmul(self, a: Array, b: Array, out: Array | None = None) -> Array:
        """Return the product, written to `out` if there is one."""
        kind = a.dtype.name
        if kind in DTYPE_NAMES and a.ndim == b.ndim and not self.why_no_capture():
            if a.ndim == 2:
                return cublas.multiply(a, b, out, kind)
            if out is None and _are_stacks(a, b):
                return cublas.multiply_stacks(a, b, kind)
        return cupy.matmul(a, b, out=out)

    def rounded_matmul(self, a: Array, b: Array, out: Array | None) -> Array:
        """Return the product, added up in float32."""
        if a.ndim == b.ndim == 2 and not self.why_no_capture():
            return cublas.multiply(a, b, out, self.matmul_precision)
        return self.full_matmul(a, b, out)

    def rounded(self, a: Array) -> Array:
        """Return numbers of the rounded format, made by one kernel."""
        if a.ndim != 2 or self.why_no_capture():
            # CuPy's own product has no float32 result for shorter operands.
            return super().rounded(a)
        if self.matmul_precision == "tf32":
            # The device rounds them itself, on the way to its tensor cores.
            return a
        if self.matmul_precision == "float16":
            return a.astype(np.float16)
        return _bfloat16_kernel()(a)

    def why_no_capture(self) -> str:
        """Return why a matrix product cannot be part of a CUDA graph, "" if it can."""
        return cublas.why_unusable()

    def synchronize(self) -> None:
        """Wait for the device."""
        self.device.synchronize()

    def write_number(self, slots: dict[str, Array], key: str, number: float) -> None:
        """Write a number to a 0-d slot by a copy in the order of the stream."""
        # The driver has taken the number out of the host's memory when this
        # returns, so nothing has to be kept or waited for.
        host = np.asarray(number, dtype=self.dtype_name)
        slots[key].set(host, cupy.cuda.get_current_stream())

    def read(self, arrays: list[Any]) -> list[np.ndarray]:
        """Copy several arrays to the host in one transfer, waiting for them."""
        # As bytes, since their dtypes may differ.
        parts = [
            cupy.ascontiguousarray(a).reshape(-1).view(np.uint8)
            for a in arrays
            if isinstance(a, cupy.ndarray)
        ]
        packed = cupy.concatenate(parts).get() if parts else None
        found, start = [], 0
        for a in arrays:
            if isinstance(a, cupy.ndarray):
                found.append(np.ndarray(a.shape, a.dtype, packed, start))
                start += a.nbytes
            else:
                found.append(np.asarray(a))
        return found

    def free_memory(self) -> int:
        """Return the bytes that are free on the device or kept by CuPy's pool."""
        free, _ = self.device.mem_info
        with self.context():
            return free + cupy.get_default_memory_pool().free_bytes()

    def memory_errors(self) -> tuple[type[Exception], ...]:
        """Return CuPy's error."""
        return (cupy.cuda.memory.OutOfMemoryError,)

    def release_memory(self) -> None:
        """Free the unused memory in CuPy's pools."""
        with self.context():
            cupy.get_default_memory_pool().free_all_blocks()
            cupy.get_default_pinned_memory_pool().free_all_blocks()

    def double_buffer(self, like: Any, rows: int) -> Any:
        """Return a `DoubleBuffer` on this device."""
        return DoubleBuffer(like, rows, self.piece_bytes)


def _are_stacks(a: Array, b: Array) -> bool:
    """Return whether each matrix of one array is multiplied by its own partner."""
    fit = a.shape[:-2] == b.shape[:-2] and a.shape[-1:] == b.shape[-2:-1]
    return a.ndim > 2 and fit and b.dtype == a.dtype


@functools.cache
def _bfloat16_kernel() -> Any:
    """Return a kernel that rounds float32 numbers to the bits of bfloat16.

    CuPy knows bfloat16 only if the package ml_dtypes is installed, and its arithmetic
    is not needed here. The formula is that of `nnfs_xp.backends.rounding`.
    """
    return cupy.ElementwiseKernel(
        "float32 x",
        "uint16 y",
        """
        unsigned int bits = __float_as_uint(x);
        unsigned int nearest = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
        y = (bits & 0x7fffffff) > 0x7f800000 ? 0x7fc0 : nearest;
        """,
        "nnfs_xp_bfloat16_bits",
    )
