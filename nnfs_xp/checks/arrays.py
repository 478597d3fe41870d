"""Checks of any array: its library, its device, its elements, its extent."""

from __future__ import annotations

import math
from typing import Any

from nnfs_xp.backends import Array, Backend, library_of
from nnfs_xp.backends.base import host_array
from nnfs_xp.backends.detect import array_device, host_namespace
from nnfs_xp.errors import BackendMismatchError, DTypeError, InputError

# Names of dtypes that all backends can take.
_REAL = {
    "bool", "bfloat16", "float16", "float32", "float64",
    *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)),
}  # fmt: skip
# Numbers that are looked at at a time: few where they are then still in a cache.
_LOOKED_AT = {True: 2**18, False: 2**22}


def check_array(
    be: Backend, value: Any, name: str, *, host_allowed: bool = False
) -> Array:
    """Return a real, non-empty array on this backend, with its own dtype.

    Parameters
    ----------
    be : Backend
        Where the array has to be.
    value : array or array_like
        An array of this backend, or numbers that belong to no library yet.
    name : str
        The argument's name, for messages.
    host_allowed : bool, default False
        Whether a NumPy array may come, to be moved to the backend. This is so
        where whole data sets enter; a single unit never moves an array.

    Raises
    ------
    BackendMismatchError
        If the array belongs to another library or device.
    DTypeError
        If its elements are not real numbers.
    InputError
        If it is empty, or is a single number.
    """
    array = local_array(be, value, name, host_allowed)
    check_extent(array, name)
    return moved_array(be, array)


def check_features(
    be: Backend,
    value: Any,
    name: str,
    n_features: int | None = None,
    *,
    host_allowed: bool = False,
) -> Array:
    """Return an array of shape (n, ..., n_features), as `check_array` does."""
    array = local_array(be, value, name, host_allowed)
    check_extent(array, name)
    expected = "n" if n_features is None else str(n_features)
    if array.ndim < 2 or (n_features is not None and array.shape[-1] != n_features):
        raise InputError(
            f"{name} must have shape (samples, {expected}), got {tuple(array.shape)}"
        )
    return moved_array(be, array)


def check_finite(be: Backend, array: Array, name: str) -> None:
    """Raise InputError if an array holds NaN, infinity, or what will be such.

    It is looked at in stretches of rows, as it may be larger than the memory.
    """
    xp = be.xp
    if not xp.isdtype(array.dtype, "real floating"):
        return
    # A limit beyond the array's own dtype could not be compared with it.
    largest = min(float(xp.finfo(d).max) for d in (array.dtype, be.dtype))
    n = array.shape[0]
    # Slices of arrays that cannot be written to are copies, each by a call.
    rows = max(1, _LOOKED_AT[be.on_host and be.in_place] * n // math.prod(array.shape))
    for start in range(0, n, rows):
        stretch = array if rows >= n else array[start : min(start + rows, n), ...]
        lowest, highest = be.read([xp.min(stretch), xp.max(stretch)])
        # A comparison with NaN, which one of them is then, is false.
        if not (-largest <= lowest and highest <= largest):
            raise InputError(
                f"{name} must be finite in {be.dtype_name}, got NaN, infinity, or a "
                "number that is too large"
            )


def local_array(be: Backend, value: Any, name: str, host_allowed: bool) -> Array:
    """Return a real array on this backend, or on the host if that is allowed."""
    library = library_of(value)
    try:
        if library in (None, "numpy") and (
            library is None or host_allowed or be.name == "numpy"
        ):
            return host_array(value)
    except DTypeError as error:
        raise DTypeError(_told(error, value, name)) from error
    if library != be.name:
        raise _mismatch(be, f"of {library}", name)
    if any(base.__name__ == "Tracer" for base in type(value).__mro__):
        raise InputError(
            f"{name} is being traced by jax.jit, grad or vmap, but a model or unit "
            "takes only arrays; write your own function of model.parameters"
        )
    if str(getattr(value, "layout", "torch.strided")) != "torch.strided":
        raise DTypeError(f"{name} is a sparse tensor; use {own_name(name)}.to_dense()")
    if array_device(value) != be.device:
        raise _mismatch(be, f"on device {array_device(value)}", name)
    if str(value.dtype).rpartition(".")[2] not in _REAL:
        raise DTypeError(f"{name}: expected real numbers, got dtype {value.dtype}")
    return value


def _told(error: DTypeError, value: Any, name: str) -> str:
    """Return what is wrong with a value that is not numeric, and what to do."""
    for method in ("toarray", "todense"):
        if hasattr(value, method):
            sparse = type(value).__name__
            return f"{name} is a sparse {sparse}; use {own_name(name)}.{method}()"
    if hasattr(value, "__iter__") and not hasattr(value, "__getitem__"):
        return f"{name} must be an array of all samples, got a {type(value).__name__}"
    return f"{name}: {error}"


def own_name(name: str) -> str:
    """Return the name of a variable without the words before it."""
    return name.rpartition(" ")[2]


def moved_array(be: Backend, array: Array) -> Array:
    """Return the array on the backend, with its dtype where that can hold it.

    Wide integers are cast on the host: not every library has them.
    """
    xp = host_namespace(array)
    if xp is not None and array.dtype in (xp.int64, xp.uint64):
        return be.asarray(array.astype(be.dtype_name))
    return be.asarray(array)


def check_whole(
    be: Backend, array: Array, name: str, what: str, below: int | None
) -> int:
    """Return the largest number, or raise InputError if one is outside a range.

    Parameters
    ----------
    be : Backend
        Where the array is, unless it is on the host.
    array : array
        Integers.
    name : str
        The argument's name, for messages.
    what : str
        What the numbers are.
    below : int or None
        What they are from 0 up to, not including; None if there is no limit.
    """
    of_host = host_namespace(array)
    xp = of_host or be.xp
    extremes = [xp.min(array), xp.max(array)]
    lowest, highest = (int(n) for n in (extremes if of_host else be.read(extremes)))
    if lowest < 0 or (below is not None and highest >= below):
        allowed = "0 or more" if below is None else f"from 0 to {below - 1}"
        found = lowest if lowest < 0 else highest
        raise InputError(f"{name} must hold {what} {allowed}, got {found}")
    return highest


def _mismatch(be: Backend, found: str, name: str) -> BackendMismatchError:
    return BackendMismatchError(
        f"{name} is an array {found}, but is used with {be}; arrays are not moved "
        "between libraries or devices automatically; use nnfs_xp.to_numpy(array) and "
        "backend.asarray(array)"
    )


def check_extent(array: Array, name: str) -> None:
    """Raise InputError if an array holds nothing, or has no axis of samples."""
    if array.ndim == 0:
        raise InputError(f"{name} must be an array of samples, got a single number")
    if 0 in array.shape:
        raise InputError(f"{name} is empty, of shape {tuple(array.shape)}")


def check_length(array: Array, name: str, n_samples: int) -> None:
    """Raise InputError if an array has not one entry for each sample."""
    if array.shape[0] != n_samples:
        raise InputError(
            f"{name} must have one entry for each of {n_samples} samples, "
            f"got {array.shape[0]}"
        )
