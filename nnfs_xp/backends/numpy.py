"""NumPy: the CPU backend, and the host side of every other one."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnfs_xp.backends.base import Array, Backend
from nnfs_xp.errors import BackendUnavailableError

_TYPES = (np.float32, np.float64)


class NumpyBackend(Backend):
    """NumPy on the CPU."""

    name = "numpy"
    compiled_executor = "nnfs_xp.engine.executors.recorded:RecordedExecutor"
    ranks_executor = "nnfs_xp.engine.executors.recorded_ranks:RecordedRanksExecutor"

    def find_device(self, device: Any) -> str:
        """Accept the CPU, the only device NumPy knows."""
        if device not in (None, "cpu"):
            raise BackendUnavailableError(
                f"backend 'numpy' has only the device 'cpu', got {device!r}"
            )
        return "cpu"

    def array_type(self) -> Any:
        """Return the classes of NumPy's arrays and scalars."""
        return (np.ndarray, np.generic)

    def asarray(self, values: Any, dtype: Any = None) -> Array:
        """Return an array unchanged if nothing has to be done, without any check."""
        if type(values) is np.ndarray and (
            dtype is None or (dtype in _TYPES and values.dtype == dtype)
        ):
            return values
        return super().asarray(values, dtype)

    def kind_of(self, values: Any) -> Any:
        """Return dtype and shape of a sample, of an array that has elements."""
        if type(values) is not np.ndarray or not values.size:
            return None
        return values.dtype, values.shape[1:]

    def host_view(self, array: Any) -> np.ndarray | None:
        """Return the array."""
        return array

    def full_matmul(
        self, a: Array, b: Array, out: np.ndarray | None = None
    ) -> np.ndarray:
        """Return the product, written to `out` if there is one."""
        return a @ b if out is None else np.matmul(a, b, out=out)
