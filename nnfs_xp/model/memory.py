"""How much memory a training step needs, and the error if there is too little."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

from nnfs_xp.activations import Linear
from nnfs_xp.arguments import check_count
from nnfs_xp.engine.state import State
from nnfs_xp.errors import DeviceMemoryError, InputError
from nnfs_xp.layers import Layer, Rescaling, Reshape
from nnfs_xp.layers.parallel import is_several
from nnfs_xp.model.summary import outputs_of

_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")


@dataclasses.dataclass(frozen=True)
class MemoryEstimate:
    """Memory of a training step, in bytes, computed from shapes alone.

    It excludes the training data, the workspace of matrix products, and memory that a
    library keeps for itself.

    Attributes
    ----------
    batch_size : int
        Samples of the batch.
    parameters, gradients, optimizer : int
        Memory that does not depend on the batch: parameters, their gradients, and the
        state of the optimizer, such as Adam's two moments.
    batch : int
        Inputs and targets of the batch.
    activations : int
        Outputs of all layers, what the layers keep for the backward pass, and the
        gradients that flow back.

    Examples
    --------
    >>> from nnfs_xp import Dense, Model, Softmax
    >>> model = Model(
    ...     [Dense(784, 10), Softmax()],
    ...     loss="categorical_crossentropy",
    ...     optimizer="adam",
    ... )
    >>> estimate = model.memory_estimate(batch_size=128)
    >>> estimate.parameters, estimate.optimizer
    (31400, 62800)
    >>> estimate.largest_batch(2**20) > 128
    True
    """

    batch_size: int
    parameters: int
    gradients: int
    optimizer: int
    batch: int
    activations: int

    @property
    def fixed(self) -> int:
        """Bytes that do not depend on the batch."""
        return self.parameters + self.gradients + self.optimizer

    @property
    def total(self) -> int:
        """Bytes of everything."""
        return self.fixed + self.batch + self.activations

    def largest_batch(self, available: int) -> int:
        """Return how many samples of a batch fit within this many bytes, 0 for none."""
        per_sample = (self.batch + self.activations) / self.batch_size
        return max(0, int((available - self.fixed) / per_sample))

    def __str__(self) -> str:
        parts = ", ".join(
            f"{field.name} {readable(getattr(self, field.name))}"
            for field in dataclasses.fields(self)
            if field.name != "batch_size"
        )
        return f"a step of {self.batch_size} samples: {readable(self.total)} ({parts})"


def readable(size: int) -> str:
    """Return a number of bytes in a unit that is easy to read.

    Examples
    --------
    >>> from nnfs_xp.model.memory import readable
    >>> readable(31400)
    '30.7 KiB'
    """
    power = min(int(math.log2(size)) // 10, len(_UNITS) - 1) if size else 0
    return f"{size / 1024**power:.{1 if power else 0}f} {_UNITS[power]}"


def check_sample_shape(root: Layer, wanted: Sequence[int] | None) -> Any:
    """Return the shape of a sample: the one given, or else the one the layers expect.

    Raises
    ------
    InputError
        If the shape is needed and missing, or does not fit the layers.
    """
    shape: Any = root.input_shape()
    if wanted is not None:
        wanted = tuple(check_count(n, "sample_shape") for n in wanted)
        try:
            root.output_shape(wanted)
        except InputError as error:
            raise InputError(f"sample_shape must be {shape}, got {wanted}") from error
        shape = wanted
    if shape is None:
        raise InputError(
            "sample_shape is needed, as the layers take samples of any shape"
        )
    return shape


def estimate_for(state: State, batch_size: int, sample: Any) -> MemoryEstimate:
    """Return the estimate for samples of a shape."""
    network = state.network
    item = 4 if network.backend.dtype_name == "float32" else 8
    size = network.learned.size + network.frozen.size
    moments = sum(isinstance(v, dict) for v in state.tree.get("optimizer", {}).values())
    sizes = [0]
    for unit, shape in outputs_of(network.root, sample):
        # A view takes no memory, and rescaled inputs replace the batch.
        if not isinstance(unit, (Linear, Rescaling, Reshape)):
            sizes.append(_values(shape))
    outputs = network.root.output_shape(sample)
    # An output, and as much again for what the backward pass needs of it. Two gradients
    # live at a time: that of an output, and that of its input.
    values = 2 * sum(sizes) + 2 * max(sizes)
    return MemoryEstimate(
        batch_size=batch_size,
        parameters=size * item,
        gradients=network.learned.size * item,
        optimizer=moments * network.learned.size * item,
        batch=batch_size * (_values(sample) + _values(outputs)) * item,
        activations=batch_size * values * item,
    )


def _values(shape: Any) -> int:
    """Return how many numbers samples of a shape, or of several, have; 0 if unknown."""
    if shape is None:
        return 0
    return sum(map(_values, shape)) if is_several(shape) else math.prod(shape)


class explain_out_of_memory:
    """Say which batch size would fit if a device runs out of memory inside.

    Raises
    ------
    DeviceMemoryError
        In place of the library's own error.
    """

    def __init__(self, state: State, data: Any, batch_size: int | None) -> None:
        self.state, self.data, self.batch_size = state, data, batch_size

    def __enter__(self) -> None:
        """Do nothing."""

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        """Raise the error that explains one of the library."""
        if error is None or not isinstance(
            error, self.state.network.backend.memory_errors()
        ):
            return
        state, data, be = self.state, self.data, self.state.network.backend
        batch_size = self.batch_size or data.samples
        estimate = estimate_for(state, batch_size, data.sample)
        free, advice = be.free_memory(), ""
        if free is not None:
            # Parameters and optimizer are in memory already.
            fits = min(estimate.largest_batch(free + estimate.fixed), batch_size - 1)
            enough = f"enough for a batch_size of about {fits}"
            enough = enough if fits else "too little for any batch"
            advice = f"; {readable(free)} are free, {enough}"
        raise DeviceMemoryError(
            f"{be} is out of memory with batch_size={batch_size}: {estimate}{advice}"
        ) from error
