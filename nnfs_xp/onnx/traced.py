"""Arrays that write what is computed with them into a graph."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from nnfs_xp.onnx.graph import Graph

Shape = tuple[Any, ...]
# Beyond the end of any axis.
_END = 2**63 - 1


class NoFormError(Exception):
    """A computation is not supported in ONNX export."""


class Rows:
    """A multiple of the number of samples, which a graph does not know."""

    def __init__(self, count: int = 1) -> None:
        self.count = count

    def __mul__(self, other: Any) -> Rows:
        return Rows(self.count * operator.index(other))

    __rmul__ = __mul__

    def __floordiv__(self, other: Any) -> Any:
        if isinstance(other, Rows) and self.count % other.count == 0:
            return self.count // other.count
        number = operator.index(other)
        if self.count % number:
            raise NoFormError(f"the number of samples would be divided by {number}")
        return Rows(self.count // number)

    def __mod__(self, other: Any) -> int:
        self // other
        return 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Rows) and self.count == other.count

    def __hash__(self) -> int:
        return hash(("rows", self.count))

    def _unknown(self, *_: Any) -> Any:
        raise NoFormError("it computes with the number of samples")

    __add__ = __radd__ = __sub__ = __rsub__ = __truediv__ = __rtruediv__ = _unknown
    __index__ = __int__ = __float__ = __pow__ = __lt__ = __le__ = _unknown
    __gt__ = __ge__ = __neg__ = __bool__ = __rfloordiv__ = _unknown

    def __repr__(self) -> str:
        return "n" if self.count == 1 else f"{self.count} n"


def total(lengths: Any) -> Any:
    """Return the product of lengths, which may hold the number of samples once."""
    product: Any = 1
    for length in lengths:
        product = length * product
    return product


def broadcast(*shapes: Shape) -> Shape:
    """Return the shape of what arrays of several shapes become together."""
    result: list[Any] = []
    for axis in range(-max(map(len, shapes), default=0), 0):
        lengths = {shape[axis] for shape in shapes if len(shape) >= -axis} - {1}
        if len(lengths) > 1:
            raise NoFormError(f"shapes {shapes} do not fit each other")
        result.append(lengths.pop() if lengths else 1)
    return tuple(result)


class Traced:
    """The output of a node, a constant, or an input of a graph.

    Parameters
    ----------
    graph : Graph
    shape : tuple
        With `Rows` where it depends on the number of samples.
    dtype : numpy.dtype
    name : str, optional
        In the graph; a constant has none until it is used.
    value : numpy.ndarray, optional
        Of a constant.
    """

    # NumPy leaves operators with its arrays to this class.
    __array_ufunc__ = None
    # Whether it would be a view, through which NumPy writes to the whole.
    _is_part = False

    def __init__(
        self, graph: Graph, shape: Shape, dtype: np.dtype, *,
        name: str | None = None, value: np.ndarray | None = None,
    ) -> None:  # fmt: skip
        self.graph, self.shape, self.dtype = graph, tuple(shape), dtype
        self.name, self.value = name, value

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> Any:
        """Number of elements."""
        return total(self.shape)

    @property
    def device(self) -> str:
        """The host."""
        return "cpu"

    @property
    def T(self) -> Traced:
        """The transpose of a matrix."""
        return self.transposed(1, 0)

    @property
    def mT(self) -> Traced:
        """The transpose of each matrix."""
        return self.transposed(*range(self.ndim - 2), self.ndim - 1, self.ndim - 2)

    def transposed(self, *axes: int) -> Traced:
        """Return the same with its axes in another order."""
        if self.value is not None:
            return self.graph.constant(self.value.transpose(axes))
        shape = tuple(self.shape[axis] for axis in axes)
        return self.graph.op("Transpose", self, shape=shape, perm=list(axes))

    def cast(self, dtype: Any) -> Traced:
        """Return the same in another dtype."""
        from onnx import helper

        dtype = np.dtype(dtype)
        if dtype == self.dtype:
            return self
        if self.value is not None:
            return self.graph.constant(self.value.astype(dtype))
        to = helper.np_dtype_to_tensor_dtype(dtype)
        return self.graph.op("Cast", self, dtype=dtype, to=to)

    def __getitem__(self, key: Any) -> Traced:
        if self.value is not None:
            return self.graph.constant(self.value[key])
        keys = list(key) if isinstance(key, tuple) else [key]
        if not all(
            part is None or part is Ellipsis or isinstance(part, (int, slice))
            for part in keys
        ):
            raise NoFormError(f"it takes the part {key} of an array")
        rest = self.ndim - sum(
            part is not None and part is not Ellipsis for part in keys
        )
        full = [slice(None)] * rest
        at = keys.index(Ellipsis) if Ellipsis in keys else len(keys)
        keys[at : at + 1] = full
        found = self._part(keys)
        found._is_part = found is not self
        return found

    def _part(self, keys: list[Any]) -> Traced:
        """Return what slices, numbers and new axes choose."""
        cuts: list[tuple[int, int, int, int]] = []
        shape: list[Any] = []
        dropped: list[int] = []
        added: list[int] = []
        axis = 0
        for part in keys:
            if part is None:
                added.append(len(shape))
                shape.append(1)
                continue
            length = self.shape[axis]
            if isinstance(length, Rows) and part != slice(None):
                raise NoFormError("it takes some of the samples")
            if isinstance(part, int):
                place = part % length
                cuts.append((place, place + 1, axis, 1))
                dropped.append(axis)
            elif part == slice(None):
                shape.append(length)
            else:
                start, stop, step = part.indices(length)
                cuts.append((start, stop if stop >= 0 else -_END, axis, step))
                shape.append(len(range(start, stop, step)))
            axis += 1
        found, op, like = self, self.graph.op, list(self.shape)
        if cuts:
            for start, stop, axis, step in cuts:
                like[axis] = len(range(start, max(stop, -1), step))
            starts, ends, axes, steps = map(_integers, zip(*cuts, strict=True))
            found = op("Slice", found, starts, ends, axes, steps, shape=tuple(like))
        if dropped:
            left = [n for axis, n in enumerate(like) if axis not in dropped]
            found = op("Squeeze", found, _integers(dropped), shape=tuple(left))
        if added:
            found = op("Unsqueeze", found, _integers(added), shape=tuple(shape))
        return found

    def __setitem__(self, key: Any, value: Any) -> None:
        raise NoFormError("it writes into an array")

    def _added_in_place(self, other: Any) -> Any:
        if self._is_part:
            raise NoFormError("it writes into an array")
        return NotImplemented

    __iadd__ = __isub__ = __imul__ = __itruediv__ = _added_in_place

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise NoFormError("it makes a NumPy array of what it is given")

    def _no_number(self) -> Any:
        raise NoFormError("it reads the value of an array")

    __bool__ = __float__ = __int__ = __index__ = __iter__ = _no_number
    __hash__ = None  # type: ignore[assignment]

    def __len__(self) -> Any:
        return self.shape[0]

    def __matmul__(self, other: Any) -> Traced:
        if self.value is not None and other.value is not None:
            return self.graph.constant(self.value @ other.value)
        first = broadcast(self.shape[:-2], other.shape[:-2])
        shape = (*first, self.shape[-2], other.shape[-1])
        return self.graph.op("MatMul", self, other, shape=shape)

    def __neg__(self) -> Traced:
        if self.value is not None:
            return self.graph.constant(-self.value)
        return self.graph.op("Neg", self)

    def __abs__(self) -> Traced:
        if self.value is not None:
            return self.graph.constant(abs(self.value))
        return self.graph.op("Abs", self)

    def __invert__(self) -> Traced:
        if self.value is not None:
            return self.graph.constant(~self.value)
        return self.graph.op("Not", self)


def _integers(numbers: Any) -> np.ndarray:
    return np.asarray(numbers, "int64")


def elementwise(
    kind: str, on_numpy: Callable[..., Any], dtype: Any = None
) -> Callable[..., Any]:
    """Return a function of arrays and numbers that is one operator of ONNX.

    Parameters
    ----------
    kind : str
    on_numpy : callable
        The same for constants.
    dtype : optional
        That of the result, if it is not that of the arguments.
    """

    def function(*items: Any) -> Any:
        given = [item for item in items if isinstance(item, Traced)]
        if not all(
            isinstance(item, (Traced, int, float, np.ndarray, np.generic))
            for item in items
        ):
            return NotImplemented
        graph = given[0].graph
        if all(item.value is not None for item in given):
            values = [getattr(item, "value", item) for item in items]
            return graph.constant(on_numpy(*values))
        typed = [item.dtype for item in items if hasattr(item, "dtype")]
        common = np.result_type(*typed)
        # Python's numbers are weak, but a fraction makes floats of integers.
        if common.kind != "f" and any(isinstance(item, float) for item in items):
            common = graph.dtype
        operands = [
            item.cast(common)
            if isinstance(item, Traced)
            else graph.constant(item, common)
            for item in items
        ]
        shape = broadcast(*(item.shape for item in operands))
        return graph.op(kind, *operands, shape=shape, dtype=dtype or common)

    return function


_BINARY: dict[str, tuple[Any, ...]] = {
    "add": ("Add", operator.add),
    "sub": ("Sub", operator.sub),
    "mul": ("Mul", operator.mul),
    "truediv": ("Div", operator.truediv),
    "pow": ("Pow", operator.pow),
    "mod": ("Mod", operator.mod),
    "lt": ("Less", operator.lt, bool),
    "le": ("LessOrEqual", operator.le, bool),
    "gt": ("Greater", operator.gt, bool),
    "ge": ("GreaterOrEqual", operator.ge, bool),
    "eq": ("Equal", operator.eq, bool),
    "and": ("And", operator.and_, bool),
    "or": ("Or", operator.or_, bool),
}


def _swapped(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda self, other: function(other, self)


for _name, _arguments in _BINARY.items():
    _function = elementwise(*_arguments)
    setattr(Traced, f"__{_name}__", _function)
    if len(_arguments) == 2:
        setattr(Traced, f"__r{_name}__", _swapped(_function))


def _unequal(self: Traced, other: Any) -> Any:
    return ~(self == other)


Traced.__ne__ = _unequal  # type: ignore[method-assign, assignment]
