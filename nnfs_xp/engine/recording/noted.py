"""Arrays that note all computations with them.

Every call of NumPy on a `Noted` comes back to its recorder, through ``__array_ufunc__``
and ``__array_function__``; requests for the values themselves are rejected. Nothing can
therefore be computed without being noted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from nnfs_xp.engine.recording.tape import CannotRecord, Memory, Place

if TYPE_CHECKING:
    from nnfs_xp.engine.recording.recorder import Recorder


class Noted(NDArrayOperatorsMixin):
    """An array of a step that is being recorded.

    Parameters
    ----------
    recorder : Recorder
    array : numpy.ndarray
        With its values at this step.
    memory : Memory
        The memory that it is in.
    scalar : bool, default False
        Whether NumPy would return a scalar, which cannot be written to.
    """

    __slots__ = ("array", "memory", "recorder", "scalar")
    device = "cpu"

    def __init__(
        self,
        recorder: Recorder,
        array: np.ndarray,
        memory: Memory,
        scalar: bool = False,
    ) -> None:
        self.recorder, self.array = recorder, array
        self.memory, self.scalar = memory, scalar

    @property
    def place(self) -> Place:
        """Its place in memory."""
        return self.memory.place(self.array)

    # Members that need no value.

    shape = property(lambda self: self.array.shape)
    dtype = property(lambda self: self.array.dtype)
    ndim = property(lambda self: self.array.ndim)
    size = property(lambda self: self.array.size)
    nbytes = property(lambda self: self.array.nbytes)
    itemsize = property(lambda self: self.array.itemsize)
    strides = property(lambda self: self.array.strides)
    flags = property(lambda self: self.array.flags)
    T = property(lambda self: self.recorder.view(self, self.array.T))
    mT = property(lambda self: self.recorder.view(self, self.array.mT))

    def __len__(self) -> int:
        return len(self.array)

    def __iter__(self) -> Any:
        return (self[index] for index in range(len(self.array)))

    def __array_namespace__(self, api_version: str | None = None) -> Any:
        return self.recorder.backend.xp

    # Members that need one.

    def _refused(self, *_: Any, **__: Any) -> Any:
        raise CannotRecord("it asks for the values of an array")

    __array__ = __bool__ = __int__ = __float__ = __index__ = __complex__ = _refused
    __contains__ = __dlpack__ = item = tolist = tobytes = nonzero = _refused

    # Calls that are noted.

    def __array_ufunc__(
        self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any
    ) -> Any:
        return self.recorder.ufunc(ufunc, method, inputs, options)

    def __array_function__(
        self, function: Any, types: Any, arguments: Any, options: Any
    ) -> Any:
        return self.recorder.function(function, arguments, options)

    def __pow__(self, other: Any) -> Any:
        # Like the operator of arrays, which needs no power there.
        simple = isinstance(other, (int, float)) and self.dtype.kind == "f"
        function = _POWERS.get(other) if simple else None
        return np.power(self, other) if function is None else function(self)

    def __getitem__(self, key: Any) -> Noted:
        return self.recorder.item(self, key)

    def __setitem__(self, key: Any, value: Any) -> None:
        self.recorder.set_item(self, key, value)

    def astype(self, dtype: Any, *, copy: bool = True, **options: Any) -> Noted:
        """Return a copy in another dtype."""
        if not copy and self.dtype == np.dtype(dtype):
            return self
        return self.recorder.copied(self, dtype=dtype, **options)

    def copy(self, order: Any = "C") -> Noted:
        """Return a copy."""
        return self.recorder.copied(self, order=order)

    def flatten(self) -> Noted:
        """Return a copy with one axis."""
        return self.recorder.copied(self).reshape(-1)

    def view(self, dtype: Any) -> Noted:
        """Return the same bytes as numbers of another dtype."""
        return self.recorder.view(self, self.array.view(dtype))

    def fill(self, value: Any) -> None:
        """Set every element to a value."""
        self[...] = value

    def reshape(self, *shape: Any, **options: Any) -> Noted:
        """Return the same elements in another shape."""
        shape = shape[0] if len(shape) == 1 else shape
        return self.recorder.function(np.reshape, (self, shape), options)

    def transpose(self, *axes: Any) -> Noted:
        """Return a view with the axes in another order."""
        axes = axes[0] if len(axes) == 1 else axes
        return self.recorder.function(np.transpose, (self, axes or None), {})


_POWERS = {2: np.square, 0.5: np.sqrt, -1: np.reciprocal, 1: np.positive}


def _method(name: str) -> Any:
    """Return a method that does what NumPy's function of the same name does."""
    function = getattr(np, name)

    def method(self: Noted, *arguments: Any, **options: Any) -> Any:
        return function(self, *arguments, **options)

    method.__name__, method.__doc__ = name, f"Call NumPy's `{name}`."
    return method


for _name in (
    *("all", "any", "argmax", "argmin", "argsort", "clip", "cumprod", "cumsum"),
    *("dot", "max", "mean", "min", "prod", "ravel", "repeat", "round", "squeeze"),
    *("std", "sum", "swapaxes", "take", "trace", "var"),
):
    setattr(Noted, _name, _method(_name))
