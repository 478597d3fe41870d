"""The recorder: makes NumPy's calls on noted arrays, and notes them.

Every call is made immediately, on the arrays of the step that is recorded, so NumPy
itself determines the shape and dtype of a result. A result in new memory gets a place;
a view costs nothing, now or later.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from nnfs_xp.backends.numpy import NumpyBackend
from nnfs_xp.engine.recording.backend import RecordingBackend
from nnfs_xp.engine.recording.functions import Functions, store
from nnfs_xp.engine.recording.kernels import Kernels
from nnfs_xp.engine.recording.noted import Noted
from nnfs_xp.engine.recording.tape import (
    Call,
    CannotRecord,
    Memory,
    address_of,
    places_in,
)
from nnfs_xp.engine.recording.trees import placed, values

# NumPy warns if these are given three arguments by position.
_OUT_BY_NAME = (np.maximum, np.minimum)
# Their operands have one dtype, so a number can be converted to an array beforehand.
_OF_ONE_DTYPE = (
    np.add, np.subtract, np.multiply, np.divide, np.greater, np.greater_equal,
    np.less, np.less_equal, np.equal, np.not_equal,
)  # fmt: skip
# Their loops for two arrays are three times as fast as those for an array and a number.
_SLOW_WITH_NUMBERS = (np.maximum, np.minimum)
_LONG_ROW, _SHORTEST_ROW = 2048, 64


class Recorder(Functions, Kernels):
    """Notes the calls of one step.

    Parameters
    ----------
    be : NumpyBackend

    Attributes
    ----------
    backend : RecordingBackend
        The backend to pass to the step.
    calls : list of Call
    """

    def __init__(self, be: NumpyBackend) -> None:
        self.plain = be
        self.backend = RecordingBackend(be, self)
        self.calls: list[Call] = []

    # Classes of arrays that become noted ones.

    def known(self, array: Any, **kind: Any) -> Noted:
        """Return an array of the state or of the batch as a noted one."""
        if not isinstance(array, np.ndarray) or not array.flags.c_contiguous:
            raise CannotRecord("an array of the step does not lie row by row")
        noted = Noted(self, array, Memory(address_of(array), array.nbytes, **kind))
        noted.memory.whole = noted.place
        return noted

    def new(self, result: Any) -> Noted:
        """Return a result of a call as a noted array in memory of its own."""
        scalar = not isinstance(result, np.ndarray)
        array = np.asarray(result)
        if array.base is not None or not _is_compact(array):
            array = array.copy(order="K")
        return Noted(self, array, Memory(address_of(array), array.nbytes), scalar)

    def view(self, source: Noted, array: np.ndarray) -> Noted:
        """Return a view of a noted array as one."""
        return Noted(self, array, source.memory)

    def constant(self, array: np.ndarray) -> Noted:
        """Return an array that is the same at every step, and may be written to."""
        noted = self.new(array.copy())
        self.note(np.copyto, [noted, array], writes=[noted], into=0)
        return noted

    def note(
        self,
        function: Callable[..., Any],
        arguments: list[Any],
        options: dict[str, Any] | None = None,
        *,
        writes: list[Any],
        **kind: Any,
    ) -> None:
        """Note a call that reads all of its arguments but those written to."""
        arguments, options = placed(arguments), placed(options or {})
        into = kind.get("into")
        read = [one for index, one in enumerate(arguments) if index != into]
        more = [one for name, one in options.items() if name != into]
        reads = list(places_in([read, more]))
        written = list(places_in(placed(writes)))
        self.calls.append(Call(function, arguments, options, reads, written, **kind))

    # Ufuncs.

    def ufunc(
        self, ufunc: np.ufunc, method: str, inputs: Any, options: dict[str, Any]
    ) -> Any:
        """Call a ufunc, or one of its methods."""
        function = ufunc if method == "__call__" else getattr(ufunc, method)
        if method == "at":
            self._written_at(function, inputs)
            return None
        out = options.pop("out", None)
        if method == "__call__" and ufunc in _SLOW_WITH_NUMBERS and not options:
            inputs, shape = self._spread(inputs, out)
            if shape is not None:
                out = None if out is None else (out[0].reshape(inputs[0].shape),)
                more = {} if out is None else {"out": out}
                return self.ufunc(ufunc, method, inputs, more).reshape(shape)
        if method == "reduce":
            return self.reduced(ufunc, inputs[0], out=out and out[0], **options)
        if out is None or any(getattr(one, "scalar", False) for one in out):
            # Even an in-place operation on a scalar gives a new one.
            results = function(*values(inputs), **values(options))
            several = isinstance(results, tuple)
            made = [self.new(one) for one in (results if several else (results,))]
            whole = not several
        elif not all(isinstance(one, Noted) for one in out):
            raise CannotRecord(f"np.{ufunc.__name__} writes to an array of its own")
        else:
            function(*values(inputs), **values(options), out=values(out))
            made, several = list(out), len(out) > 1
            whole = not several and options.get("where", True) is True
        elementwise = method == "__call__" and ufunc.signature is None
        arguments: list[Any] = [*inputs]
        if ufunc in _OF_ONE_DTYPE and not options:
            arguments = _without_numbers(arguments)
        into: Any = len(inputs)
        if method == "__call__" and ufunc not in _OUT_BY_NAME:
            # By position, because that takes less time.
            arguments += made
        else:
            options, into = {**options, "out": made[0]}, "out"
        self.note(
            function, arguments, options,
            writes=made, into=into if whole else None, elementwise=elementwise,
        )  # fmt: skip
        return tuple(made) if several else made[0]

    def reduced(
        self,
        ufunc: np.ufunc,
        x: Any,
        axis: Any = 0,
        dtype: Any = None,
        out: Any = None,
        keepdims: bool = False,
        **options: Any,
    ) -> Any:
        """Note a reduction, with all arguments by position, which costs least."""
        if out is not None and (not isinstance(out, Noted) or out.scalar):
            raise CannotRecord(f"np.{ufunc.__name__}.reduce writes to an array")
        options = {k: v for k, v in options.items() if v is not np._NoValue}
        reduce: Any = ufunc.reduce
        made = reduce(values(x), axis, dtype, values(out), keepdims, **values(options))
        noted = self.new(made) if out is None else out
        self.note(
            reduce, [x, axis, dtype, noted, keepdims], options,
            writes=[noted], into=3,
        )  # fmt: skip
        return noted

    def _spread(self, inputs: Any, out: Any) -> tuple[Any, tuple[int, ...] | None]:
        """Return an array in long rows and a row of a number, and the array's shape.

        None stands for the shape where the inputs are no such pair.
        """
        x, number = inputs
        if not isinstance(x, Noted) or isinstance(number, Noted):
            return inputs, None
        if np.ndim(number) or not x.ndim or not x.flags.c_contiguous:
            return inputs, None
        if np.result_type(x.array, number) != x.dtype:
            return inputs, None
        if out is not None and not (
            isinstance(out[0], Noted) and out[0].flags.c_contiguous
            and (out[0].shape, out[0].dtype) == (x.shape, x.dtype)
        ):  # fmt: skip
            return inputs, None
        row = math.gcd(x.size, _LONG_ROW)
        if row < _SHORTEST_ROW:
            return inputs, None
        many = _row_of(row, float(number), x.dtype)
        return (x.reshape(-1, row), many), x.shape

    def _written_at(self, function: Any, inputs: Any) -> None:
        if not isinstance(inputs[0], Noted):
            raise CannotRecord("a ufunc's at writes to an array of its own")
        function(*values(inputs))
        self.note(function, list(inputs), writes=[inputs[0]])

    def host(self, function: Callable[[], Any]) -> Noted:
        """Return an array that the host computes anew at every step."""
        made = self.new(function())
        self.note(store, [made, function, (), {}], writes=[made], into=0, changes=True)
        return made


def _is_compact(array: np.ndarray) -> bool:
    """Return whether the elements fill a stretch of memory, in any order of axes."""
    expected = array.itemsize
    for stride, length in sorted(zip(array.strides, array.shape, strict=True)):
        if length != 1 and stride != expected:
            return not array.size
        expected *= length
    return True


@functools.lru_cache(maxsize=64)
def _row_of(length: int, number: float, dtype: np.dtype) -> np.ndarray:
    return np.full(length, number, dtype)


def _without_numbers(arguments: list[Any]) -> list[Any]:
    """Return arguments with arrays for Python's numbers, as NumPy would make them."""
    if not any(type(one) in (int, float) for one in arguments):
        return arguments
    dtype = np.result_type(*values(arguments))
    return [
        np.asarray(one, dtype) if type(one) in (int, float) else one
        for one in arguments
    ]
