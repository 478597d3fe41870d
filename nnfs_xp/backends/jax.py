"""JAX: arrays that cannot be written to, and a compiler for whole steps."""

from __future__ import annotations

import contextlib
import functools
from typing import Any

import jax
import jax.numpy
import numpy as np

from nnfs_xp.backends.base import Array, Backend, Together
from nnfs_xp.errors import BackendUnavailableError, InputError

_ALIGNED = 64
_NOTHING = contextlib.nullcontext()


class JaxBackend(Backend):
    """JAX arrays on one of its devices.

    JAX has no 64-bit types unless its flag ``jax_enable_x64`` is set. With
    ``dtype="float64"`` it is set in `context`, and only there.
    """

    name = "jax"
    compiled_executor = "nnfs_xp.engine.executors.jax_jit:JaxJitExecutor"
    ranks_executor = "nnfs_xp.engine.executors.jax_ranks:JaxRanksExecutor"
    in_place = False

    @classmethod
    def namespace(cls) -> Any:
        """Return ``jax.numpy``, which follows the Array API itself."""
        return jax.numpy

    @classmethod
    def devices(cls) -> list[str]:
        """Return the devices as ``platform:index``."""
        return [f"{device.platform}:{device.id}" for device in jax.devices()]

    def find_device(self, device: Any) -> Any:
        """Accept a device, or its name such as ``"cpu"`` or ``"cuda:1"``."""
        if device is None:
            return jax.devices()[0]
        if isinstance(device, jax.Device):
            return device
        platform, _, index = str(device).partition(":")
        try:
            # JAX would accept an empty name as any platform, and a negative index
            # counts from the end.
            if not (platform and (index or "0").isdigit()):
                raise ValueError
            return jax.devices(platform)[int(index or 0)]
        except (RuntimeError, IndexError, ValueError) as error:
            raise BackendUnavailableError(
                f"backend 'jax' has the devices {self.devices()}, got {device!r}"
            ) from error

    @property
    def device_name(self) -> str:
        """Return platform and number, such as ``cpu:0``."""
        return f"{self.device.platform}:{self.device.id}"

    def array_type(self) -> Any:
        """Return the class of JAX's arrays."""
        return jax.Array

    def kind_of(self, values: Any) -> Any:
        """Return dtype, shape of a sample and sharding, which names the device."""
        if type(values) is not type(self.zero) or 0 in values.shape:
            return None
        if values.is_deleted():
            return None
        return values.dtype, values.shape[1:], values.sharding

    def from_host(self, values: Any, dtype: Any) -> Array:
        """Move values to the device, or refuse integers it cannot hold."""
        host = np.asarray(values)
        if not jax.config.jax_enable_x64 and host.dtype.kind in "iu" and host.size:
            # JAX would wrap them around silently.
            narrow = np.iinfo(np.int32 if host.dtype.kind == "i" else np.uint32)
            if host.min() < narrow.min or host.max() > narrow.max:
                raise InputError(
                    f"values must fit {narrow.dtype} on JAX without 64-bit numbers, "
                    f"got {host.min()} to {host.max()}; use dtype='float64'"
                )
        if dtype is not None and host.dtype.kind in "biuf":
            values = host.astype(dtype)
        return super().from_host(values, dtype)

    def take_rows(self, array: Array, numbers: Array) -> Array:
        """Return rows by their numbers, without checking for too large ones."""
        return self.xp.take(array, numbers, axis=0, mode="clip")

    def replaced(self, array: Array, key: Any, values: Array) -> Array:
        """Return a new array."""
        return array.at[key].set(values)

    def added(self, array: Array, key: Any, values: Array) -> Array:
        """Return a new array."""
        return array.at[key].add(values)

    def own_copy(self, host: np.ndarray) -> np.ndarray:
        """Return a copy that JAX can take over as it is.

        On a CPU, JAX makes another copy of memory that does not begin at a multiple of
        64 bytes.
        """
        room = np.empty(host.nbytes + _ALIGNED, np.uint8)
        start = -room.ctypes.data % _ALIGNED
        copy = room[start : start + host.nbytes].view(host.dtype).reshape(host.shape)
        copy[...] = host
        return copy

    def zeros(self, shape: tuple[int, ...], dtype: Any = None) -> Array:
        """Return an array of zeros, by default of this backend's dtype."""
        with self.context():
            return super().zeros(shape, dtype)

    def full(self, shape: tuple[int, ...], value: float) -> Array:
        """Return an array filled with one value, of this backend's dtype."""
        with self.context():
            return super().full(shape, value)

    def put(self, host: np.ndarray) -> Array:
        """Move a host array without compiling a program for its shape."""
        return jax.device_put(host, self.device)

    def synchronize(self) -> None:
        """Wait for the device, which works through its commands in order."""
        jax.device_put(0.0, self.device).block_until_ready()

    def full_matmul(self, a: Array, b: Array, out: Array | None = None) -> Array:
        """Return the product as a new array."""
        # On a GPU, JAX would otherwise round float32 operands to tf32.
        return self.xp.matmul(a, b, precision="highest")

    def matmul_over_rows(self, a: Any, b: Any, out: Array | None = None) -> Array:
        """Return ``a^T b``; a compiled step on a CPU copies a transposed matrix first.

        Without a copy, XLA reads `a` by columns there, which takes longer. Where `b`
        and the product are smaller than `a`, they are transposed instead.
        """
        on_cpu = self.matmul_precision == "full" and self.device.platform == "cpu"
        if not on_cpu or not isinstance(a, jax.core.Tracer):
            return super().matmul_over_rows(a, b, out)
        # Without a barrier, XLA would undo it.
        copied = jax.lax.optimization_barrier
        (rows, n), k = a.shape, b.shape[1]
        if k * (rows + n) > rows * n:
            return self.full_matmul(copied(a.T), b)
        return copied(self.full_matmul(copied(b.T), a)).T

    def rounded(self, a: Array) -> Array:
        """Return numbers of the rounded format, which XLA can multiply faster."""
        # Rounded in float32 first: XLA may remove a conversion and its inverse, and
        # then nothing would be rounded.
        rounded = super().rounded(a)
        if self.matmul_precision == "tf32":
            return rounded
        return self.xp.astype(rounded, self.matmul_precision)

    def rounded_matmul(self, a: Array, b: Array, out: Array | None) -> Array:
        """Return the product, added up in float32."""
        return self.xp.matmul(a, b, preferred_element_type=self.dtype)

    def float_bits(self, a: Array) -> Array:
        """Return the bits as integers."""
        return jax.lax.bitcast_convert_type(a, self.xp.int32)

    def float_of_bits(self, bits: Array) -> Array:
        """Return integers as the floats of these bits."""
        return jax.lax.bitcast_convert_type(bits, self.xp.float32)

    def context(self) -> contextlib.AbstractContextManager[Any]:
        """Make this device the default one, and allow 64-bit types if needed."""
        if self._is_usual:
            return super().context()
        contexts = [super().context(), jax.default_device(self.device)]
        if self.dtype_name == "float64":
            contexts.append(jax.enable_x64(True))
        return Together(*contexts)

    def calling(self) -> contextlib.AbstractContextManager[Any]:
        """Return nothing to enter where no setting of JAX differs from the usual."""
        return _NOTHING if self._is_usual else self.context()

    @property
    def _is_usual(self) -> bool:
        """Whether JAX computes on this device, and with its dtype, without being told.

        Then it is not told, because every call would take longer.
        """
        return self._by_default and jax.config.jax_default_device is None

    @functools.cached_property
    def _by_default(self) -> bool:
        is_first = self.device == jax.local_devices()[0]
        return is_first and self.dtype_name == "float32"
