"""The functions of the Array API standard, written as operators of ONNX."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from typing import Any

import array_api_compat.numpy as np_xp
import numpy as np

from nnfs_xp.onnx.graph import Graph
from nnfs_xp.onnx.traced import NoFormError, Rows, Traced, broadcast, elementwise, total

FUNCTIONS: dict[str, Callable[..., Any]] = {}


class Namespace:
    """What a unit that is written into a graph finds as ``cx.xp``.

    Constants are computed by NumPy; a function of anything else adds its operators to
    the graph.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    def __getattr__(self, name: str) -> Any:
        on_numpy, graph = getattr(np_xp, name), self._graph
        if not callable(on_numpy) or isinstance(on_numpy, type):
            return on_numpy
        if name in _MADE:
            return functools.partial(_MADE[name], graph)

        def function(*arguments: Any, **options: Any) -> Any:
            given = [*_arrays(arguments), *_arrays(options.values())]
            if any(item.value is None for item in given):
                if name not in FUNCTIONS:
                    raise NoFormError(f"xp.{name} is not supported in ONNX export")
                return FUNCTIONS[name](*arguments, **options)
            plain = [_plain(item) for item in arguments]
            options = {key: _plain(item) for key, item in options.items()}
            return _wrapped(graph, on_numpy(*plain, **options))

        return function


def _arrays(items: Any) -> list[Traced]:
    found = []
    for item in items:
        if isinstance(item, Traced):
            found.append(item)
        elif isinstance(item, (list, tuple)):
            found += _arrays(item)
    return found


def _plain(item: Any) -> Any:
    if isinstance(item, (list, tuple)):
        return type(item)(_plain(one) for one in item)
    return item.value if isinstance(item, Traced) else item


def _wrapped(graph: Graph, found: Any) -> Any:
    if isinstance(found, (np.ndarray, np.generic)):
        return graph.constant(found)
    if isinstance(found, (list, tuple)):
        return type(found)(_wrapped(graph, one) for one in found)
    return found


def _entered(function: Callable[..., Any]) -> Callable[..., Any]:
    FUNCTIONS[function.__name__] = function
    return function


# One operator each.

for _name, _kind in {
    "abs": "Abs", "ceil": "Ceil", "cos": "Cos", "exp": "Exp", "floor": "Floor",
    "log": "Log", "logical_not": "Not", "negative": "Neg", "reciprocal": "Reciprocal",
    "round": "Round", "sign": "Sign", "sin": "Sin", "sqrt": "Sqrt", "tanh": "Tanh",
}.items():  # fmt: skip
    FUNCTIONS[_name] = elementwise(_kind, getattr(np_xp, _name))
for _name, _kind in {
    "add": "Add", "divide": "Div", "maximum": "Max", "minimum": "Min",
    "multiply": "Mul", "pow": "Pow", "subtract": "Sub",
}.items():  # fmt: skip
    FUNCTIONS[_name] = elementwise(_kind, getattr(np_xp, _name))
for _name in ("lt", "le", "gt", "ge", "eq", "ne", "and_", "or_"):
    _other = {
        "lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal",
        "eq": "equal", "ne": "not_equal", "and_": "logical_and", "or_": "logical_or",
    }[_name]  # fmt: skip
    FUNCTIONS[_other] = getattr(operator, _name)


@_entered
def isnan(x: Traced, /) -> Traced:
    """Return where there is no number."""
    return x.graph.op("IsNaN", x, dtype=bool)


@_entered
def square(x: Any, /) -> Traced:
    """Return ``x^2``."""
    return x * x


@_entered
def expm1(x: Traced, /) -> Traced:
    """Return ``exp(x) - 1``."""
    return x.graph.op("Exp", x) - 1.0


@_entered
def log1p(x: Any, /) -> Traced:
    """Return ``log(1 + x)``."""
    return x.graph.op("Log", 1.0 + x)


@_entered
def where(condition: Traced, x1: Any, x2: Any, /) -> Traced:
    """Return one of two where a condition holds, else the other."""
    graph = next(a.graph for a in (condition, x1, x2) if isinstance(a, Traced))
    typed = [item.dtype for item in (x1, x2) if hasattr(item, "dtype")]
    common = np.result_type(*typed) if typed else graph.dtype
    both = [
        item.cast(common) if isinstance(item, Traced) else graph.constant(item, common)
        for item in (x1, x2)
    ]
    shape = broadcast(condition.shape, *(item.shape for item in both))
    return graph.op("Where", condition, *both, shape=shape, dtype=common)


@_entered
def astype(
    x: Traced, dtype: Any, /, *, copy: bool = True, device: Any = None
) -> Traced:
    """Return the same in another dtype."""
    return x.cast(dtype)


@_entered
def asarray(
    obj: Traced, /, *, dtype: Any = None, device: Any = None, copy: Any = None
) -> Traced:
    """Return an array as it is."""
    return obj if dtype is None else obj.cast(dtype)


FUNCTIONS["matmul"] = operator.matmul


# Along axes.


def _reduction(kind: str) -> Callable[..., Any]:
    def function(
        x: Traced, /, *, axis: Any = None, keepdims: bool = False, dtype: Any = None
    ) -> Traced:
        given = range(x.ndim) if axis is None else axis
        axes = [given] if isinstance(given, int) else list(given)
        axes = sorted(one % x.ndim for one in axes)
        if any(isinstance(x.shape[one], Rows) for one in axes):
            raise NoFormError("it computes over all samples")
        shape = [
            1 if at in axes else n
            for at, n in enumerate(x.shape)
            if keepdims or at not in axes
        ]
        return x.graph.op(
            kind,
            x,
            np.asarray(axes, "int64"),
            shape=tuple(shape),
            keepdims=int(keepdims),
        )

    return function


for _name, _kind in {
    "max": "ReduceMax", "mean": "ReduceMean", "min": "ReduceMin", "prod": "ReduceProd",
    "sum": "ReduceSum",
}.items():  # fmt: skip
    FUNCTIONS[_name] = _reduction(_kind)


@_entered
def var(
    x: Traced, /, *, axis: Any = None, correction: float = 0.0, keepdims: bool = False
) -> Traced:
    """Return the variance along axes."""
    if correction:
        raise NoFormError("xp.var with a correction is not supported in ONNX export")
    mean = FUNCTIONS["mean"]
    centred = x - mean(x, axis=axis, keepdims=True)
    return mean(centred * centred, axis=axis, keepdims=keepdims)


@_entered
def cumulative_sum(
    x: Traced, /, *, axis: int | None = None, dtype: Any = None,
    include_initial: bool = False,
) -> Traced:  # fmt: skip
    """Return the sums of all up to each place."""
    if include_initial:
        what = "xp.cumulative_sum with an initial 0"
        raise NoFormError(f"{what} is not supported in ONNX export")
    return x.graph.op("CumSum", x, np.asarray(axis or 0, "int64"))


@_entered
def argmax(x: Traced, /, *, axis: int, keepdims: bool = False) -> Traced:
    """Return the place of the largest along an axis."""
    axis %= x.ndim
    shape = [
        1 if at == axis else n for at, n in enumerate(x.shape) if keepdims or at != axis
    ]
    return x.graph.op(
        "ArgMax",
        x,
        shape=tuple(shape),
        dtype="int64",
        axis=axis,
        keepdims=int(keepdims),
    )


# Shapes.


@_entered
def reshape(x: Traced, /, shape: Any, *, copy: Any = None) -> Traced:
    """Return the same values in another shape."""
    wanted = [shape] if isinstance(shape, int) else list(shape)
    if -1 in wanted:
        known = total(length for length in wanted if length != -1)
        whole = total(x.shape)
        if isinstance(known, Rows) and not isinstance(whole, Rows):
            raise NoFormError("it computes with the number of samples")
        wanted[wanted.index(-1)] = whole // known
    if tuple(wanted) == x.shape:
        return x
    unknown = [length for length in wanted if isinstance(length, Rows)]
    if len(unknown) > 1:
        raise NoFormError(f"it gives an array the shape {wanted}")
    lengths = [-1 if isinstance(length, Rows) else length for length in wanted]
    to = np.asarray(lengths, "int64")
    return x.graph.op("Reshape", x, to, shape=tuple(wanted))


@_entered
def permute_dims(x: Traced, /, axes: Any) -> Traced:
    """Return the same with its axes in another order."""
    return x.transposed(*(axis % x.ndim for axis in axes))


@_entered
def matrix_transpose(x: Traced, /) -> Traced:
    """Return the transpose of each matrix."""
    return x.mT


@_entered
def moveaxis(x: Traced, source: Any, destination: Any, /) -> Traced:
    """Return the same with axes at other places."""
    axes = [axis for axis in range(x.ndim) if axis != source % x.ndim]
    axes.insert(destination % x.ndim, source % x.ndim)
    return x.transposed(*axes)


@_entered
def expand_dims(x: Traced, /, *, axis: int = 0) -> Traced:
    """Return the same with a new axis."""
    axis %= x.ndim + 1
    shape = (*x.shape[:axis], 1, *x.shape[axis:])
    return x.graph.op("Unsqueeze", x, np.asarray([axis], "int64"), shape=shape)


@_entered
def squeeze(x: Traced, /, axis: Any) -> Traced:
    """Return the same without axes of length 1."""
    axes = [one % x.ndim for one in ([axis] if isinstance(axis, int) else axis)]
    shape = tuple(n for at, n in enumerate(x.shape) if at not in axes)
    return x.graph.op("Squeeze", x, np.asarray(axes, "int64"), shape=shape)


@_entered
def flip(x: Traced, /, *, axis: Any = None) -> Traced:
    """Return the same in reverse order along axes."""
    given = range(x.ndim) if axis is None else [axis] if isinstance(axis, int) else axis
    axes = [one % x.ndim for one in given]
    back = slice(None, None, -1)
    return x[tuple(back if at in axes else slice(None) for at in range(x.ndim))]


@_entered
def broadcast_to(x: Traced, /, shape: Any) -> Traced:
    """Return an array repeated to a shape."""
    return x.graph.op("Expand", x, x.graph.lengths(shape), shape=tuple(shape))


@_entered
def concat(arrays: Any, /, *, axis: int = 0) -> Traced:
    """Return several arrays one after the other."""
    graph = _arrays(arrays)[0].graph
    common = np.result_type(*(array.dtype for array in arrays))
    axis %= arrays[0].ndim
    lengths = [array.shape[axis] for array in arrays]
    if any(isinstance(length, Rows) for length in lengths):
        raise NoFormError("it joins arrays along the axis of the samples")
    shape = (*arrays[0].shape[:axis], sum(lengths), *arrays[0].shape[axis + 1 :])
    parts = [array.cast(common) for array in arrays]
    return graph.op("Concat", *parts, shape=shape, dtype=common, axis=axis)


@_entered
def stack(arrays: Any, /, *, axis: int = 0) -> Traced:
    """Return several arrays along a new axis."""
    axis %= arrays[0].ndim + 1
    return concat([_expanded(array, axis) for array in arrays], axis=axis)


def _expanded(array: Traced, axis: int) -> Traced:
    if array.value is not None:
        return array.graph.constant(np.expand_dims(array.value, axis))
    return expand_dims(array, axis=axis)


@_entered
def take(x: Traced, indices: Traced, /, *, axis: int = 0) -> Traced:
    """Return the entries with these numbers along an axis."""
    axis %= x.ndim
    shape = (*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :])
    return x.graph.op("Gather", x, indices, shape=shape, axis=axis)


def _filled(
    graph: Graph, shape: Any, value: float, dtype: Any, device: Any = None
) -> Traced:
    """Return an array with one value everywhere."""
    from onnx import numpy_helper

    lengths = [shape] if isinstance(shape, (int, Rows)) else list(shape)
    dtype = np.dtype(dtype or graph.dtype)
    if not any(isinstance(length, Rows) for length in lengths):
        return graph.constant(np.full(lengths, value, dtype))
    fill = numpy_helper.from_array(np.full((1,), value, dtype))
    to = graph.lengths(lengths)
    return graph.op(
        "ConstantOfShape", to, shape=tuple(lengths), dtype=dtype, value=fill
    )


# Those that are given a shape, which may have the number of samples in it.
_MADE: dict[str, Callable[..., Any]] = {
    "zeros": lambda graph, shape, *, dtype=None, device=None: _filled(
        graph, shape, 0, dtype
    ),
    "ones": lambda graph, shape, *, dtype=None, device=None: _filled(
        graph, shape, 1, dtype
    ),
    "full": lambda graph, shape, value, *, dtype=None, device=None: _filled(
        graph, shape, value, dtype
    ),
}


def _like(value: float) -> Callable[..., Any]:
    def function(x: Traced, /, *, dtype: Any = None, device: Any = None) -> Traced:
        return _filled(x.graph, x.shape, value, dtype or x.dtype)

    return function


FUNCTIONS["zeros_like"], FUNCTIONS["ones_like"] = _like(0), _like(1)
