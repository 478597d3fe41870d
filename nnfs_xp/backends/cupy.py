"""CuPy: the CUDA backend."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np

from nnfs_xp.backends.base import Array, Backend
from nnfs_xp.errors import BackendUnavailableError


class CupyBackend(Backend):
    """CuPy on one CUDA device."""

    name = "cupy"

    @classmethod
    def namespace(cls) -> Any:
        """Return CuPy's Array API namespace, if there is a device to use."""
        import array_api_compat.cupy
        import cupy

        count = cupy.cuda.runtime.getDeviceCount()
        if count == 0:
            raise BackendUnavailableError("CuPy is installed but finds no CUDA device")
        return array_api_compat.cupy

    @classmethod
    def version(cls) -> str:
        """Return CuPy's version."""
        import cupy

        return cupy.__version__

    @classmethod
    def devices(cls) -> list[str]:
        """Return ``cuda:0``, ``cuda:1`` and so on."""
        import cupy

        return [f"cuda:{i}" for i in range(cupy.cuda.runtime.getDeviceCount())]

    def find_device(self, device: Any) -> Any:
        """Accept a device, its number, ``"cuda"`` or ``"cuda:1"``."""
        import cupy

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
        import cupy

        return cupy.ndarray

    def to_numpy(self, array: Array) -> np.ndarray:
        """Copy the array from the device, waiting for it."""
        return array.get()

    def context(self) -> contextlib.AbstractContextManager[Any]:
        """Make this device the current one."""
        import cupy

        # A context of a CuPy device must not be entered twice, so each use
        # gets its own.
        return cupy.cuda.Device(self.device.id)

    def synchronize(self) -> None:
        """Wait for the device."""
        self.device.synchronize()
