"""Training on data that is larger than the memory of the device.

The device holds two stretches of the epoch, each of many batches. While it learns
from one, the host puts the rows of the next into pinned memory, from where they are
copied to the other in the background.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nnfs_xp.model.data import Data, rows_within
from nnfs_xp.model.feeding import DeviceFeed, batch_order

if TYPE_CHECKING:
    from nnfs_xp.model.learning import Learning


class StreamedFeed(DeviceFeed):
    """Feeds a model from the host, through two stretches on the device.

    Parameters
    ----------
    model : Model
        What is fed.
    data : Data
        On the host.
    sizes : set of int
        Numbers of rows that a batch may have.
    shuffle : bool
        Whether each epoch has its own order.
    limit : int
        Bytes that both stretches together may take on the device.
    """

    def __init__(
        self, model: Learning, data: Data, sizes: set[int], shuffle: bool, limit: int
    ) -> None:
        self._stretch_rows = rows_within(data, max(sizes), limit)
        # Rows arrive in their order, so the device needs none.
        super().__init__(model, data, sizes, shuffle=False)
        self._shuffled = shuffle
        self._ring = model.backend.ring(data.arrays, self._stretch_rows)
        self.arrays = self._ring.arrays
        self._host_order: Any = None
        self._present: int | None = None

    def begin_epoch(self, epoch: int) -> None:
        """Take the order of an epoch."""
        super().begin_epoch(epoch)
        self._host_order = (
            batch_order(self.model.seed, epoch, self.data.samples)
            if self._shuffled
            else None
        )
        self._leave()

    def train(self, rows: slice) -> None:
        """Take a step on the rows with these numbers in the order."""
        stretch = rows.start // self._stretch_rows
        if stretch != self._present:
            self._leave()
            self._load(stretch)
        super().train(rows)

    def _load(self, stretch: int) -> None:
        """Bring a stretch of the epoch to the device.

        The steps of the one before are queued by now, and go on meanwhile.
        """
        begin = stretch * self._stretch_rows
        rows = slice(begin, min(begin + self._stretch_rows, self.data.samples))
        if self._host_order is None:
            part = self.data.rows(rows)
        else:
            part = self.data.take(self._host_order[rows])
        self._ring.load(stretch % 2, part.arrays)
        self._present = stretch

    def _leave(self) -> None:
        """Say that no step will read the present stretch any more."""
        if self._present is not None:
            self._ring.leave(self._present % 2)
        self._present = None
