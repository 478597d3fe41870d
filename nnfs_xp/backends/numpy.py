"""NumPy: the CPU backend, and the host side of every other one."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np

from nnfs_xp.backends.base import Array, Backend
from nnfs_xp.errors import BackendUnavailableError


class NumpyBackend(Backend):
    """NumPy on the CPU."""

    name = "numpy"

    @classmethod
    def namespace(cls) -> Any:
        """Return NumPy's Array API namespace."""
        import array_api_compat.numpy

        return array_api_compat.numpy

    @classmethod
    def version(cls) -> str:
        """Return NumPy's version."""
        return np.__version__

    def find_device(self, device: Any) -> str:
        """Accept the CPU, the only device NumPy knows."""
        if device not in (None, "cpu"):
            raise BackendUnavailableError(
                f"backend 'numpy' has the device 'cpu' only, got {device!r}"
            )
        return "cpu"

    def array_type(self) -> Any:
        """Return the classes of NumPy's arrays and scalars."""
        return (np.ndarray, np.generic)

    def to_numpy(self, array: Array) -> np.ndarray:
        """Return a copy of the array."""
        return np.array(array)

    def full_matmul(
        self, a: Array, b: Array, out: np.ndarray | None = None
    ) -> np.ndarray:
        """Return the product, written to `out` if there is one."""
        return a @ b if out is None else np.matmul(a, b, out=out)

    def float_bits(self, a: Array) -> np.ndarray:
        """Return a view as integers."""
        return a.view(np.int32)

    def float_of_bits(self, bits: Array) -> np.ndarray:
        """Return a view as floats."""
        return bits.view(np.float32)

    def context(self) -> contextlib.AbstractContextManager[Any]:
        """Let infinities and NaN pass without a warning, as other libraries do."""
        return np.errstate(over="ignore", divide="ignore", invalid="ignore")
