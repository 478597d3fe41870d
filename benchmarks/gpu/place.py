"""Where a report is made, and how large its sections may be."""

from __future__ import annotations

import dataclasses
import time

GPU, EMULATED, REHEARSAL = "gpu", "emulated", "rehearsal"
EMULATED_DEVICE = "Emulated-CPU"


@dataclasses.dataclass(frozen=True)
class Place:
    """What a section has to know before it starts.

    Attributes
    ----------
    kind : {"gpu", "emulated", "rehearsal"}
        A real GPU; CuPy on an emulated device, whose times mean nothing; or
        NumPy in CuPy's place, and rivals on the CPU, to try the report itself.
    quick : bool
        Whether small sizes and few repeats will do.
    seconds : float
        What the section may take.
    """

    kind: str
    quick: bool = False
    seconds: float = 600.0
    began: float = dataclasses.field(default_factory=time.monotonic)

    @property
    def backend(self) -> str:
        """Name of the backend that the report is about."""
        return "numpy" if self.kind == REHEARSAL else "cupy"

    @property
    def device(self) -> str:
        """Name of that backend's device."""
        return "cpu" if self.kind == REHEARSAL else "cuda"

    @property
    def rivals_device(self) -> str:
        """Name of the device that PyTorch and JAX get."""
        return "cuda" if self.kind == GPU else "cpu"

    @property
    def times_count(self) -> bool:
        """Whether a time that is measured here means anything."""
        return self.kind != EMULATED

    @property
    def left(self) -> float:
        """Seconds that the section has left."""
        return self.seconds - (time.monotonic() - self.began)
