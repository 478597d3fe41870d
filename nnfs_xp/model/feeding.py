"""How the batches of an epoch come to the training step.

Where kernels gather rows on the device, the order of an epoch is moved there
once, and a counter beside it says which batch is next: nothing is copied for a
step. Elsewhere Python cuts each batch out of the data and hands it over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nnfs_xp.backends import Array, Backend
from nnfs_xp.batching import gather_batch
from nnfs_xp.kernels import uses_twin
from nnfs_xp.layers import Rescaling
from nnfs_xp.model.data import Data, default_limit
from nnfs_xp.random import Stream
from nnfs_xp.step import Batch, Noise, State

if TYPE_CHECKING:
    from nnfs_xp.model.learning import Learning


def feed_for(
    model: Learning, data: Data, sizes: set[int], shuffle: bool, limit: int | None
) -> Any:
    """Return what feeds a model with data, in batches of these sizes.

    Parameters
    ----------
    model : Model
        What is fed.
    data : Data
        On the model's backend, or on the host where it is too large for that.
    sizes : set of int
        Numbers of rows that a batch may have.
    shuffle : bool
        Whether each epoch has its own order.
    limit : int or None
        Bytes that data may take on the device.
    """
    be = model.backend
    on_device = uses_twin("gather_batch", be.name) and all(
        layer.draws_from_streams for layer in model.leaves if layer.noisy
    )
    if not on_device:
        return HostFeed(model, data, shuffle)
    if data.be == be:
        return DeviceFeed(model, data, sizes, shuffle)
    from nnfs_xp.model.streaming import StreamedFeed

    if limit is None:
        limit = default_limit(be)
    assert limit is not None
    return StreamedFeed(model, data, sizes, shuffle, limit)


def batch_order(seed: int, epoch: int, samples: int) -> Any:
    """Return the numbers of all rows in the order of an epoch, on the host.

    The order depends on the seed and the epoch alone, so a run that was saved
    and resumed sees the same batches as one that was not.
    """
    return Stream(seed, "batch order", epoch).permutation(samples)


class HostFeed:
    """Cuts every batch out of the data, and draws its noise, on the host."""

    def __init__(self, model: Learning, data: Data, shuffle: bool) -> None:
        self.model, self.data, self.shuffle = model, data, shuffle
        self._noisy = _noisy_layers(model, data)
        self._order: Array | None = None

    def begin(self) -> None:
        """Make ready for training."""
        self.model._executor.prepare(self.model._ready.tree, ())

    def end(self) -> None:
        """Give up what was only for this training."""

    def begin_epoch(self, epoch: int) -> None:
        """Take the order of an epoch."""
        model, data = self.model, self.data
        model._ready.reset_totals(data.outputs)
        if self.shuffle:
            order = batch_order(model.seed, epoch, data.samples)
            self._order = data.be.asarray(order, "int32")

    def train(self, rows: slice) -> None:
        """Take a step on the rows with these numbers in the order."""
        be, data = self.model.backend, self.data
        given = data.rows(rows) if self._order is None else data.take(self._order[rows])
        given = given.moved(be)
        noise = draw_noise(self.model, self._noisy, given.samples)
        x = be.asarray(given.x, be.dtype)
        state = self.model._ready.tree
        self.model._executor.train(state, x, given.y, given.weight, noise)


class DeviceFeed:
    """Lets the device gather every batch and draw its noise.

    The step finds in the state's ``clock`` which rows are next.
    """

    def __init__(
        self, model: Learning, data: Data, sizes: set[int], shuffle: bool
    ) -> None:
        self.model, self.data, self.shuffle = model, data, shuffle
        be = model.backend
        self.arrays = data.arrays
        self.order = be.zeros((data.samples,), be.xp.int32) if shuffle else None
        first = model._ready.network.layers[0]
        self.rescale = (first.scale, first.offset) if type(first) is Rescaling else None
        self._kinds = {size: GatheredRows(self, size) for size in sorted(sizes)}

    def begin(self) -> None:
        """Make ready for training: fixed places for all that a step changes."""
        state = self.model._ready
        state.start_clock(self.model.steps_trained, self.data.outputs)
        self.model._executor.prepare(state.tree, list(self._kinds.values()))

    def end(self) -> None:
        """Give up the graphs, which hold the data."""
        self.model._executor.release()
        self._kinds.clear()

    def begin_epoch(self, epoch: int) -> None:
        """Move the order of an epoch to the device."""
        self.model._ready.restart_clock()
        if self.order is not None:
            order = batch_order(self.model.seed, epoch, self.data.samples)
            self.order[...] = self.model.backend.asarray(order, "int32")

    def train(self, rows: slice) -> None:
        """Take a step on the rows with these numbers in the order."""
        kind = self._kinds[rows.stop - rows.start]
        self.model._executor.train_rows(self.model._ready.tree, kind)

    def noise(self, state: State) -> Noise:
        """Return the stream of each noisy layer at the step of the clock."""
        return {
            index: Stream(*_stream_of(self.model, index), state["clock"]["step"])
            for index, layer in enumerate(self.model.leaves)
            if layer.noisy
        }


class GatheredRows:
    """The next batch of a size, whichever it is; see `executors.Rows`."""

    def __init__(self, feed: DeviceFeed, size: int) -> None:
        self.feed, self.size = feed, size

    def load(self, be: Backend, state: State) -> Batch:
        """Gather the rows, normalized where the network begins with that."""
        feed = self.feed
        x, y, weight = gather_batch(
            be, feed.arrays, feed.order, state["clock"]["row"], self.size, feed.rescale
        )
        done = 0 if feed.rescale is None else 1
        return Batch(x, y, weight, feed.noise(state), done)


def _noisy_layers(model: Learning, data: Data) -> dict[int, tuple[int, ...]]:
    """Return the shape of a sample that comes to each noisy layer, by its number."""
    shape: tuple[int, ...] | None = tuple(data.x.shape[1:])
    found = {}
    for index, layer in enumerate(model.leaves):
        if layer.noisy:
            assert shape is not None
            found[index] = shape
        shape = layer.output_shape(shape)
    return found


def draw_noise(
    model: Learning, noisy: dict[int, tuple[int, ...]], samples: int
) -> Noise:
    """Return what the noisy layers need for the next step.

    It depends on the seed, the layer's number and that of the step alone.
    """
    noise = {}
    for index, shape in noisy.items():
        stream = Stream(*_stream_of(model, index), model.steps_trained)
        values = model.leaves[index].noise(stream, (samples, *shape))
        noise[index] = model.backend.asarray(values)
    return noise


def _stream_of(model: Learning, index: int) -> tuple[int, str]:
    """Return seed and name of the stream of a noisy layer."""
    seed = model.leaves[index].seed
    if seed is not None:
        return seed, "layer.noise"
    return model.seed, f"layers.{index}.noise"
