"""array-api-strict: the standard's referee, with devices that do not mix.

It computes with NumPy, but rejects everything that the Array API standard does not
guarantee. Code that runs on it therefore runs on any conforming library.
"""

from __future__ import annotations

from typing import Any

import array_api_strict
import numpy as np

from nnfs_xp.backends.base import Array, Backend
from nnfs_xp.errors import BackendUnavailableError


class StrictBackend(Backend):
    """array-api-strict on one of its pretended devices."""

    name = "array_api_strict"
    # The standard leaves open whether a slice is a view.
    in_place = False

    @classmethod
    def namespace(cls) -> Any:
        """Return the namespace."""
        return array_api_strict

    @classmethod
    def devices(cls) -> list[str]:
        """Return the devices that have every dtype."""
        return ["CPU_DEVICE", "device1", "device2"]

    def find_device(self, device: Any) -> Any:
        """Accept a device or its name; ``"cpu"`` is its CPU device."""
        if isinstance(device, array_api_strict.Device):
            return device
        name = "CPU_DEVICE" if device is None or device == "cpu" else str(device)
        if name not in self.devices():
            raise BackendUnavailableError(
                f"backend 'array_api_strict' has the devices {self.devices()}, "
                f"got {device!r}"
            )
        return array_api_strict.Device(name)

    @property
    def device_name(self) -> str:
        """Return the name of the device."""
        names = {self.find_device(name): name for name in self.devices()}
        return names[self.device]

    def array_type(self) -> Any:
        """Return the class of its arrays."""
        return type(array_api_strict.zeros(()))

    def to_numpy(self, array: Array) -> np.ndarray:
        """Copy the array to the host, by way of its CPU device."""
        return np.array(array.to_device(array_api_strict.Device("CPU_DEVICE")))

    def float_bits(self, a: Array) -> Array:
        """Return a copy as integers; the standard has no views as another dtype."""
        return self.asarray(self.to_numpy(a).view(np.int32))

    def float_of_bits(self, bits: Array) -> Array:
        """Return a copy as floats."""
        return self.asarray(self.to_numpy(bits).view(np.float32))
