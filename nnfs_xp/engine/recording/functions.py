"""NumPy's functions, by their forms.

Whether a call can be noted depends on its form alone, and not on the caller; all
functions of NumPy of that form are treated alike. A function has no such form if the
shape of its result depends on values, or if it writes to an array of its own.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from nnfs_xp.engine.recording.noted import Noted
from nnfs_xp.engine.recording.tape import CannotRecord
from nnfs_xp.engine.recording.trees import noted_in, values


class Functions:
    """The part of `Recorder` for functions of NumPy that are not ufuncs."""

    note: Callable[..., None]
    new: Callable[..., Noted]
    view: Callable[..., Noted]
    reduced: Callable[..., Noted]

    def function(self, function: Any, arguments: Any, options: dict[str, Any]) -> Any:
        """Call a function of NumPy that is not an ufunc."""
        name = getattr(function, "__name__", "")
        known: Any = getattr(np, name, None)
        special: Any = getattr(self, f"_np_{name}", None)
        if known is not function:
            raise CannotRecord(f"it calls {name}")
        if special:
            return special(*arguments, **options)
        if name in _FACTS:
            return function(*values(arguments), **values(options))
        if name in _REDUCTIONS:
            return self._reduction(_REDUCTIONS[name], *arguments, **options)
        if name in _VIEWS:
            return self._viewed(function, arguments, options)
        if name in _WITH_OUT or name in _PURE:
            return self._computed(function, arguments, options)
        raise CannotRecord(f"it calls np.{name}")

    def _computed(self, function: Any, arguments: Any, options: Any) -> Any:
        """Note a function that returns a new array."""
        if options.get("out") is not None:
            raise CannotRecord(f"np.{function.__name__} writes to an array")
        options.pop("out", None)
        result = function(*values(arguments), **values(options))
        if not isinstance(result, (np.ndarray, np.generic)):
            raise CannotRecord(f"it calls np.{function.__name__}")
        made = self.new(result)
        if function.__name__ in _WITH_OUT:
            options = {**options, "out": made}
            self.note(function, list(arguments), options, writes=[made], into="out")
        else:
            self._stored(made, function, arguments, options)
        return made

    def _stored(self, made: Noted, function: Any, arguments: Any, options: Any) -> None:
        self.note(
            store, [made, function, tuple(arguments), options], writes=[made], into=0
        )

    def _viewed(self, function: Any, arguments: Any, options: Any) -> Any:
        results = function(*values(arguments), **values(options))
        several = isinstance(results, (tuple, list))
        sources = [one for one in noted_in([arguments, options])]
        found = []
        for array in results if several else [results]:
            shared = [s for s in sources if np.may_share_memory(array, s.array)]
            if len(shared) != 1:
                raise CannotRecord(f"np.{function.__name__} copies an array")
            found.append(self.view(shared[0], array))
        return type(results)(found) if several else found[0]

    def _reduction(
        self,
        ufunc: np.ufunc,
        a: Any,
        axis: Any = None,
        dtype: Any = None,
        out: Any = None,
        keepdims: Any = False,
        **options: Any,
    ) -> Any:
        keepdims = keepdims if keepdims is not np._NoValue else False
        if ufunc in (np.logical_and, np.logical_or):
            dtype = np.bool_
        return self.reduced(ufunc, a, axis, dtype, out, keepdims, **options)

    def _np_mean(
        self,
        a: Any,
        axis: Any = None,
        dtype: Any = None,
        out: Any = None,
        keepdims: Any = False,
        **options: Any,
    ) -> Any:
        """Take a mean as NumPy does: a sum divided by its count, in two calls."""
        exact = a.dtype in (np.float32, np.float64) and a.size < 2**24
        if dtype is not None or out is not None or options or not exact:
            more = {"dtype": dtype, "out": out, "keepdims": keepdims, **options}
            return self._computed(np.mean, (a, axis), more)
        total = self._reduction(np.add, a, axis, keepdims=keepdims)
        count = a.size // max(total.size, 1)
        by = total.dtype.type(count)
        np.true_divide(total.array, by, out=total.array)
        self.note(
            np.true_divide, [total, by, total], writes=[total], elementwise=True, into=2
        )
        return total

    def _np_reshape(
        self, a: Noted, /, shape: Any, order: str = "C", **options: Any
    ) -> Any:
        view = a.array.reshape(shape)
        if order != "C":
            raise CannotRecord("it reshapes in another order than row by row")
        if a.size and not np.may_share_memory(view, a.array):
            return self._np_reshape(self.copied(a, order="C"), shape)
        if options.get("copy"):
            return self.copied(self.view(a, view))
        return self.view(a, view)

    def _np_ravel(self, a: Noted, order: str = "C") -> Any:
        return self._np_reshape(a, -1, order)

    def _np_take(
        self,
        a: Any,
        indices: Any,
        axis: Any = None,
        out: Any = None,
        mode: str = "raise",
    ) -> Any:
        """Take rows; numbers out of range are rejected before training."""
        if out is not None:
            raise CannotRecord("np.take writes to an array")
        made = self.new(np.take(values(a), values(indices), axis))
        mode = "wrap" if mode == "raise" else mode
        self.note(np.take, [a, indices, axis, made, mode], writes=[made], into=3)
        return made

    def _np_copyto(
        self, dst: Any, src: Any, casting: Any = "same_kind", where: Any = True
    ) -> None:
        if not isinstance(dst, Noted):
            raise CannotRecord("np.copyto writes to an array of its own")
        np.copyto(dst.array, values(src), casting, values(where))
        if where is True:
            self.note(np.copyto, [dst, src, casting], writes=[dst], into=0)
        else:
            self.note(np.copyto, [dst, src, casting, where], writes=[dst])

    def _np_copy(self, a: Noted, order: Any = "K", subok: bool = False) -> Noted:
        return self.copied(a, order=order)

    def _np_empty_like(self, prototype: Any, *arguments: Any, **options: Any) -> Noted:
        return self.new(np.empty_like(values(prototype), *arguments, **options))

    def _np_zeros_like(self, a: Any, *arguments: Any, **options: Any) -> Noted:
        return self._full(self._np_empty_like(a, *arguments, **options), 0)

    def _np_ones_like(self, a: Any, *arguments: Any, **options: Any) -> Noted:
        return self._full(self._np_empty_like(a, *arguments, **options), 1)

    def _np_full_like(
        self, a: Any, fill_value: Any, *rest: Any, **options: Any
    ) -> Noted:
        return self._full(self._np_empty_like(a, *rest, **options), fill_value)

    def full(self, shape: Any, value: Any, dtype: Any) -> Noted:
        """Return an array with one value everywhere, which may be a noted one."""
        return self._full(self.new(np.empty(shape, dtype)), value)

    def _full(self, made: Noted, value: Any) -> Noted:
        self._np_copyto(made, value, "unsafe")
        return made

    # Copies and items.

    def copied(
        self, a: Noted, dtype: Any = None, order: Any = "K", **options: Any
    ) -> Noted:
        """Return a copy, of another dtype if one is given."""
        kind = a.dtype if dtype is None else dtype
        made = self.new(a.array.astype(kind, order, **options))
        self.note(np.copyto, [made, a, "unsafe"], writes=[made], into=0)
        return made

    def item(self, a: Noted, key: Any) -> Noted:
        """Return a part of an array."""
        self._check_key(key)
        result = a.array[values(key)]
        if _is_basic(key):
            if isinstance(result, np.ndarray):
                return self.view(a, result)
            part = self.view(a, a.array[_view_key(key)])
            copy = self.copied(part)
            copy.scalar = True
            return copy
        if isinstance(key, (Noted, np.ndarray)) and key.dtype.kind in "iu":
            return self._np_take(a, key, 0)
        made = self.new(result)
        self._stored(made, operator.getitem, (a, key), {})
        return made

    def set_item(self, a: Noted, key: Any, value: Any) -> None:
        """Write to a part of an array."""
        if a.scalar:
            raise CannotRecord("it writes to a scalar")
        self._check_key(key)
        if not _is_basic(key):
            a.array[values(key)] = values(value)
            self.note(operator.setitem, [a, key, value], writes=[a])
            return
        part = self.view(a, a.array[_view_key(key)])
        if not isinstance(value, Noted):
            part.array[...] = value
            self.note(np.copyto, [part, value, "unsafe"], writes=[part], into=0)
        elif value.place is not part.place:
            # As many leading axes of length 1 as an assignment may have.
            extra = max(0, value.ndim - part.ndim)
            value = self.view(value, value.array.reshape(value.shape[extra:]))
            self._np_copyto(part, value, "unsafe")

    def _check_key(self, key: Any) -> None:
        for one in _as_tuple(key):
            if isinstance(one, Noted) and one.dtype == np.bool_:
                raise CannotRecord("the shape of an array depends on values")


def store(out: np.ndarray, function: Any, arguments: Any, options: Any) -> None:
    """Write the result of a function to an array."""
    out[...] = function(*arguments, **options)


def _as_tuple(key: Any) -> tuple[Any, ...]:
    return key if isinstance(key, tuple) else (key,)


def _view_key(key: Any) -> tuple[Any, ...]:
    """Return a basic key that gives an array and no scalar."""
    parts = _as_tuple(key)
    return parts if any(one is ... for one in parts) else (*parts, ...)


def _is_basic(key: Any) -> bool:
    """Return whether a key gives a view: numbers, slices, None and Ellipsis."""
    return all(
        one is None or one is ... or isinstance(one, (int, np.integer, slice))
        for one in _as_tuple(key)
        if not isinstance(one, bool)
    ) and not any(isinstance(one, (bool, np.bool_)) for one in _as_tuple(key))


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


# The forms of NumPy's functions.
_REDUCTIONS = {
    "sum": np.add,
    "prod": np.multiply,
    "max": np.maximum,
    "amax": np.maximum,
    "min": np.minimum,
    "amin": np.minimum,
    "any": np.logical_or,
    "all": np.logical_and,
}
_FACTS = _names(
    "shape ndim size result_type can_cast may_share_memory shares_memory "
    "iscomplexobj isrealobj common_type"
)
_VIEWS = _names(
    "transpose permute_dims matrix_transpose swapaxes moveaxis rollaxis expand_dims "
    "squeeze broadcast_to broadcast_arrays diagonal flip flipud fliplr rot90 "
    "atleast_1d atleast_2d atleast_3d split array_split hsplit vsplit dsplit "
    "real unstack"
)
_WITH_OUT = _names(
    "concatenate concat stack argmax argmin cumsum cumprod clip dot "
    "einsum mean std var round around nanmax nanmin nansum nanmean trace choose "
    "median"
)
# The shapes of their results do not depend on values.
_PURE = _names(
    "where tril triu roll repeat tile pad sort argsort take_along_axis cross outer "
    "inner kron vdot vecdot diff convolve interp searchsorted isclose tensordot "
    "vstack hstack column_stack dstack block count_nonzero ptp average diag "
    "cumulative_sum cumulative_prod sinc gradient trapezoid correlate cov corrcoef "
    "nanprod nanstd nanvar nanargmax nanargmin percentile quantile "
    "isneginf isposinf isreal iscomplex fix i0 angle imag digitize argpartition "
    "partition"
)
