"""Checks of samples: one array, or one for each input of a network."""

from __future__ import annotations

from typing import Any

from nnfs_xp.backends import Array, Backend, library_of
from nnfs_xp.backends.detect import host_namespace
from nnfs_xp.checks.arrays import check_array, check_extent, check_whole, local_array
from nnfs_xp.errors import DTypeError, InputError
from nnfs_xp.registry import is_of_library

# Up to here, ids are kept in 32 bits.
_LARGEST_NARROW = 2**31


class Mask(int):
    """The number of integers that a mask may hold; `Layer.integer_inputs` has it.

    Masks may also come as booleans, or as floats, which `PaddingMask` returns.
    """


def several_inputs(unit: Any, value: Any) -> bool:
    """Return whether a tuple holds an array for each input of a unit.

    For a unit with one input it is what NumPy makes an array of, as a list is. A unit
    of a user's own has several inputs if it is given a tuple of arrays.
    """
    if not isinstance(value, tuple):
        return False
    if isinstance(unit.integer_inputs, tuple):
        return True
    while is_of_library(type(unit)) and unit.children:
        unit = next(iter(unit.children.values()))
    ours = is_of_library(type(unit))
    return not ours and all(library_of(item) is not None for item in value)


def check_inputs(
    be: Backend, unit: Any, value: Any, name: str, *, host_allowed: bool = False
) -> tuple[Any, tuple[bool, ...], Any]:
    """Return samples that a unit can take.

    Parameters
    ----------
    be : Backend
        Where they have to be.
    unit : Layer
        What they are for.
    value : array or array_like, or a tuple of them
        Samples; a tuple where the unit has several inputs.
    name : str
        The argument's name, for messages.
    host_allowed : bool, default False
        Whether NumPy arrays may come, to be moved to the backend.

    Returns
    -------
    x : array or tuple of array
        Ids as integers, all else with its own dtype.
    ids : tuple of bool
        For each input, whether it holds ids.
    outputs : tuple
        Shape of the output for one sample.

    Raises
    ------
    InputError
        If they do not fit the unit, or each other; see also `check_array`.
    """
    wanted = unit.integer_inputs
    if several_inputs(unit, value):
        each = wanted if isinstance(wanted, tuple) and wanted else (wanted or False,)
        each = each * len(value) if len(each) == 1 else each
        if len(each) != len(value):
            raise InputError(f"{name} must hold {len(each)} arrays, got {len(value)}")
        arrays = tuple(
            _samples(be, item, f"{name}[{number}]", ids, host_allowed)
            for number, (item, ids) in enumerate(zip(value, each, strict=True))
        )
        lengths = [array.shape[0] for array in arrays]
        if len(set(lengths)) > 1:
            raise InputError(f"{name} must hold arrays of one length, got {lengths}")
        shape: Any = tuple(tuple(array.shape[1:]) for array in arrays)
        given = tuple(tuple(array.shape) for array in arrays)
        return arrays, tuple(map(bool, each)), _outputs(unit, shape, name, given)
    if isinstance(wanted, tuple):
        if len({bool(ids) for ids in wanted}) > 1:
            raise InputError(f"{name} must be a tuple of {len(wanted)} arrays")
        # Every branch gets the same ids: those that the smallest of them knows.
        most = float("inf")
        wanted = min(wanted, default=False, key=lambda n: most if n is True else n)
    array = _samples(be, value, name, wanted, host_allowed)
    given = tuple(array.shape)
    return array, (bool(wanted),), _outputs(unit, given[1:], name, given)


def _outputs(unit: Any, shape: Any, name: str, given: Any) -> Any:
    """Return the shape of an output, or say which shape the samples must have."""
    try:
        return unit.output_shape(shape)
    except InputError as error:
        wanted = unit.input_shape()
        if wanted is None and shape == ():
            wanted = ("n",)
        if wanted is not None and len(shape) <= len(wanted):
            lengths = ", ".join(map(str, ("samples", *wanted)))
            raise InputError(
                f"{name} must have shape ({lengths}), got {given}"
            ) from error
        raise InputError(f"{name} does not fit the model's {error}") from error


def _samples(
    be: Backend, value: Any, name: str, ids: bool | int, host_allowed: bool
) -> Array:
    if ids is False:
        return check_array(be, value, name, host_allowed=host_allowed)
    array = local_array(be, value, name, host_allowed)
    check_extent(array, name)
    xp = host_namespace(array) or be.xp
    if isinstance(ids, Mask):
        array = _integers_of_mask(xp, array, name)
    if not xp.isdtype(array.dtype, "integral"):
        raise DTypeError(f"{name} must hold integer ids, got dtype {array.dtype}")
    highest = check_whole(be, array, name, "ids", None if ids is True else ids)
    return be.asarray(array, "int32" if highest < _LARGEST_NARROW else "int64")


def _integers_of_mask(xp: Any, array: Array, name: str) -> Array:
    """Return booleans, and floats that are 0 or 1, as integers."""
    if xp.isdtype(array.dtype, "real floating"):
        if not bool(xp.all((array == 0) | (array == 1))):
            raise DTypeError(
                f"{name} must be a mask of 0 and 1, got other numbers of dtype "
                f"{array.dtype}"
            )
    elif not xp.isdtype(array.dtype, "bool"):
        return array
    return xp.astype(array, xp.int32)
