"""Transfers between host and device, and the device's memory."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

Array = Any


class Transfers:
    """The part of `Backend` that distinguishes host and device.

    These defaults are for backends where both are the same, or where nothing else is
    known.
    """

    @property
    def on_host(self) -> bool:
        """Whether its arrays lie in the memory of the host."""
        return self.device_name == "cpu"  # type: ignore[attr-defined]

    def host_view(self, array: Any) -> np.ndarray | None:
        """Return the array's own memory as a NumPy array, or None if impossible."""
        return None

    # Whether there is a `double_buffer`.
    streams: ClassVar[bool] = False
    # Maximum number of bytes copied to a device at once, where that needs pinned
    # memory. One piece is filled while the other is copied, so there are two.
    piece_bytes: ClassVar[int] = 64 * 2**20

    def write_number(self, slots: dict[str, Array], key: str, number: float) -> None:
        """Write a host number to a 0-d slot, without waiting for the device."""
        self.assign(slots, key, self.constant(number))  # type: ignore[attr-defined]

    def read(self, arrays: list[Any]) -> list[np.ndarray]:
        """Copy several arrays to the host, in one transfer where that is possible.

        Python numbers among them come back as 0-d arrays.
        """
        return [
            np.asarray(array)
            if isinstance(array, (int, float))
            else self.to_numpy(array)  # type: ignore[attr-defined]
            for array in arrays
        ]

    def free_memory(self) -> int | None:
        """Return how many bytes of the device's memory are free, None if unknown."""
        return None

    def memory_errors(self) -> tuple[type[Exception], ...]:
        """Return the library's error for too little memory on the device."""
        return ()

    def release_memory(self) -> None:
        """Return memory that the library keeps, but nothing uses, to the device."""

    def double_buffer(self, like: Any, rows: int) -> Any:
        """Return buffers for two chunks of rows, filled in turn from the host."""
        raise NotImplementedError
