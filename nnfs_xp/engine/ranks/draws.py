"""Random numbers of a rank's rows: the same that the rows have in the whole batch."""

from __future__ import annotations

from typing import Any

from nnfs_xp.backends import Array, Backend
from nnfs_xp.engine.draws import HostDraws, Wanted, dtype_of, values
from nnfs_xp.engine.ranks.shares import Share


class ShareDraws(HostDraws):
    """Draws for the whole batch, and gives a rank those of its rows.

    The first axis of the numbers that a unit asks for is that of the samples, or holds
    several entries for each sample. Numbers of another length, such as noise for
    weights, are the same on all ranks.

    Attributes
    ----------
    share : Share
        The rank's part of the batch.
    """

    def __init__(self, be: Backend) -> None:
        super().__init__(be, 0)
        self.share = Share(rows=None, positions=slice(0, 0), size=0)  # type: ignore[arg-type]

    def stream(self, seed: int, name: str) -> None:  # type: ignore[override]
        """Return None: a kernel would draw for the rank's rows as if they were all."""
        return None

    def draw(self, key: str, seed: int, name: str, wanted: Wanted) -> Array:
        """Draw on the host, and move the numbers of the rank's rows."""
        numbers, be = self.numbers(seed, name, wanted), self.backend
        return be.asarray(numbers, dtype_of(be, wanted))

    def numbers(self, seed: int, name: str, wanted: Wanted) -> Any:
        """Return the numbers of the rank's rows on the host."""
        kind, shape, *more = wanted
        share, step = self.share, self.step
        length = shape[0] if shape else 1
        if not shape or (share.count and length % share.count) or not length:
            return values(seed, name, step, wanted)
        each = length // share.count
        whole = (share.size, each, *shape[1:])
        numbers = values(seed, name, step, (kind, whole, *more))
        return numbers[share.positions].reshape(shape)
