"""Loops bound to arrays, for one call or for many."""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from nnfs_xp.kernels.loops import compiled, threads
from nnfs_xp.kernels.plans import New as New
from nnfs_xp.kernels.registry import implements

Call = Callable[[], Any]

_SMALLEST = {"float32": 2.0**-126, "float64": 2.0**-1022}
_ROUNDING = {"float32": 2.0**-23, "float64": 2.0**-52}
# Elements from which on a thread of its own is worth the time to wake it.
_ELEMENTS_OF_THREAD = 2**18


def loop(
    name: str, planned_only: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator that registers an implementation by a loop, written once.

    It is written as ``planned(be, new, *arguments) -> (results, call)``. `call`
    computes the results from what the arguments hold then. `results` are arguments that
    it overwrites, or arrays made by ``new(shape, dtype)``. NotImplemented stands for
    arguments that the loop does not take. The implementation makes the call at once,
    and has the other as its attribute `planned`. With `planned_only` it makes none.
    """

    def enter(planned: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(planned)
        def implementation(be: Any, *arguments: Any) -> Any:
            if planned_only:
                return NotImplemented
            try:
                plan = planned(be, np.empty, *arguments)
            except compiled.CannotCompileError:
                return NotImplemented
            if plan is NotImplemented:
                return NotImplemented
            results, call = plan
            call()
            return results

        @functools.wraps(planned)
        def safely_planned(be: Any, new: New, *arguments: Any) -> Any:
            try:
                return planned(be, new, *arguments)
            except compiled.CannotCompileError:
                return NotImplemented

        implementation.planned = safely_planned  # type: ignore[attr-defined]
        return implements(name, "loops")(implementation)

    return enter


def is_plain(be: Any, *arrays: Any) -> bool:
    """Return whether all arrays have no gaps and the backend's dtype."""
    return all(
        isinstance(a, np.ndarray) and a.dtype == be.dtype and a.flags.c_contiguous
        for a in arrays
    )


def are_writable(*arrays: np.ndarray) -> bool:
    """Return whether a loop may write to all arrays; by address it could to any."""
    return all(a.flags.writeable for a in arrays)


def are_alike(be: Any, first: np.ndarray, *others: Any) -> bool:
    """Return whether every element lies at the same place in all arrays."""
    return is_plain(be, first, *others) and all(a.shape == first.shape for a in others)


def bound(be: Any, name: str, *arguments: Any, activation: str = "relu") -> Call:
    """Return a call of a loop on numbers and arrays; None stands for no array."""
    function, layout = compiled.loop(name, be.dtype_name, activation)
    block = layout.pack(*map(_as_slot, arguments))
    call = functools.partial(function, block)
    # The block has addresses alone, which keep no array alive.
    call.arguments = arguments  # type: ignore[attr-defined]
    return call


def over_elements(
    be: Any, name: str, *arguments: Any, activation: str = "relu", alike: int
) -> Call:
    """Return a call of a loop whose first arguments, that many, are arrays alike.

    Their size, which it takes before them, may be shared out among threads.
    """
    size = arguments[0].size
    parts = min(threads.count(), size // _ELEMENTS_OF_THREAD)
    if parts < 2:
        return bound(be, name, size, *arguments, activation=activation)
    arrays, others = [a.reshape(-1) for a in arguments[:alike]], arguments[alike:]
    calls = []
    for rows in threads.shares(size, parts):
        own = [a[rows] for a in arrays]
        calls.append(bound(be, name, own[0].size, *own, *others, activation=activation))
    return threads.together(calls)


def smallest_normal(be: Any) -> float:
    """Return the smallest number that is not denormal."""
    return _SMALLEST[be.dtype_name]


def rounding(be: Any) -> float:
    """Return the distance from 1 to the next number."""
    return _ROUNDING[be.dtype_name]


def labels_of(y_true: Any) -> tuple[Any, Any, bool] | None:
    """Return labels as a loop takes them; None for what it does not take."""
    if y_true.ndim != 1 or not y_true.flags.c_contiguous:
        return None
    if y_true.dtype == np.int32:
        return y_true, None, False
    if y_true.dtype == np.int64:
        return None, y_true, True
    return None


def address(array: np.ndarray) -> int:
    """Return where an array begins."""
    try:
        # The fastest way, for arrays that can be written to.
        return ctypes.addressof(ctypes.c_char.from_buffer(array))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return array.ctypes.data


def _as_slot(argument: Any) -> Any:
    if isinstance(argument, np.ndarray):
        return address(argument)
    return 0 if argument is None else argument
