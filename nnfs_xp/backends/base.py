"""The interface of every backend; there is one subclass for each array library.

A `Backend` is static: a namespace, a device and a dtype, found once at the
edge and then passed down as ``be``. Portable code reads ``be.xp`` and calls
the few methods below, and never imports an array library itself.
"""

from __future__ import annotations

import contextlib
import importlib
from typing import Any, ClassVar

import array_api_compat
import numpy as np

from nnfs_xp.arguments import check_choice
from nnfs_xp.backends.products import Products, check_matmul_precision
from nnfs_xp.backends.tables import plain
from nnfs_xp.backends.transfers import Transfers
from nnfs_xp.errors import (
    BackendMismatchError,
    BackendUnavailableError,
    DTypeError,
)

Array = Any
DTYPE_NAMES = ("float32", "float64")


class Backend(Products, Transfers):
    """An array namespace on one device with one floating-point dtype.

    Get one from `nnfs_xp.get_backend`, which checks that it works.

    Parameters
    ----------
    device : str or object, optional
        A device of the library; its default device if not given.
    dtype : {"float32", "float64"}, default "float32"
        The dtype of parameters and of all arithmetic.
    matmul_precision : {"full", "tf32", "bfloat16", "float16"}, default "full"
        The format that operands of matrix products are rounded to, with float32
        only. The products are added up in float32, and everything else is float32.

    Attributes
    ----------
    name : str
        ``"numpy"``, ``"cupy"``, ``"torch"``, ``"jax"`` or
        ``"array_api_strict"``.
    xp : module
        The library's Array API namespace.
    device : object
        The library's own device object.
    dtype : object
        The library's own dtype object.
    in_place : bool
        Whether arrays can be written to and slices are views of them.
    note : str
        How ``"auto"`` came to choose this backend; empty otherwise.

    Examples
    --------
    >>> from nnfs_xp import get_backend
    >>> be = get_backend("numpy", dtype="float64")
    >>> be.name, be.dtype_name
    ('numpy', 'float64')
    >>> be.xp.sum(be.asarray([1.0, 2.0, 3.5]))
    np.float64(6.5)
    """

    name: ClassVar[str]
    in_place: ClassVar[bool] = True
    # Module and class of the executor that compiles a step, if the backend offers one.
    compiled_executor: ClassVar[str] = ""
    # The same for the executor used where the first one compiles nothing.
    recorded_executor: ClassVar[str] = ""
    # The same for a step on several ranks.
    ranks_executor: ClassVar[str] = ""
    # Records the calls of a step while one is being recorded.
    recorder: Any = None

    def __init__(
        self,
        device: Any = None,
        dtype: str = "float32",
        matmul_precision: str = "full",
    ) -> None:
        self.dtype_name = check_choice(dtype, "dtype", DTYPE_NAMES)
        self.matmul_precision = check_matmul_precision(matmul_precision, dtype)
        self.note = ""
        self.xp = self.namespace()
        self.device = self.find_device(device)
        self.dtype = getattr(self.xp, dtype)
        with self.context():
            self.zero = self.constant(0.0)
        if matmul_precision == "full":
            # A step needs so many products that saving a call is worthwhile.
            self.matmul = self.full_matmul  # type: ignore[method-assign]

    # Members that a library must define.

    def find_device(self, device: Any) -> Any:
        """Turn what the user named into the library's device object."""
        raise NotImplementedError

    @property
    def device_name(self) -> str:
        """Name of the device, as `find_device` accepts it."""
        return str(self.device)

    def array_type(self) -> Any:
        """Return the class, or classes, of this library's arrays."""
        raise NotImplementedError

    def to_numpy(self, array: Array) -> np.ndarray:
        """Copy an array of this backend to the host, as a NumPy array."""
        return np.array(array)

    def context(self) -> contextlib.AbstractContextManager[Any]:
        """Return a context in which new arrays land on this device.

        Inside it, global settings of the library do not affect the results. All
        settings are restored when it is left. Here they are NumPy's settings for
        overflow, underflow and the like, which are not errors.
        """
        return np.errstate(all="ignore")

    def calling(self) -> contextlib.AbstractContextManager[Any]:
        """Return the part of `context` that a call of a compiled function needs."""
        return self.context()

    def synchronize(self) -> None:
        """Wait until all work on the device is done."""

    # Members that follow from them.

    @classmethod
    def namespace(cls) -> Any:
        """Import the library and return its Array API namespace."""
        return importlib.import_module(f"array_api_compat.{cls.name}")

    @classmethod
    def version(cls) -> str:
        """Return the version of the library."""
        return importlib.import_module(cls.name).__version__

    @classmethod
    def devices(cls) -> list[str]:
        """Return the names of the devices that can be asked for."""
        return ["cpu"]

    def asarray(self, values: Any, dtype: Any = None) -> Array:
        """Move host values onto this backend's device.

        Parameters
        ----------
        values : array_like or array of this backend
            Numbers, nested lists or a NumPy array, or an array of this
            library, on whichever of its devices.
        dtype : dtype or str, optional
            dtype of the result; that of `values` if not given, and the
            backend's own for values without one.

        Returns
        -------
        array
            An array of this backend.

        Raises
        ------
        BackendMismatchError
            If it is an array of another library; `nnfs_xp.to_numpy` copies it to the
            host.
        DTypeError
            If the values are not real numbers.
        """
        if isinstance(dtype, str):
            dtype = getattr(self.xp, dtype)
        with self.context():
            if not isinstance(values, self.array_type()):
                values = self.from_host(values, dtype)
            elif array_api_compat.device(values) != self.device:
                values = array_api_compat.to_device(values, self.device)
            if dtype is not None and values.dtype != dtype:
                values = self.xp.astype(values, dtype)
            return values

    def kind_of(self, values: Any) -> Any:
        """Return what the check of an unchanged array depends on, apart from its rows.

        None means that the array must be checked each time.
        """
        return None

    def from_host(self, values: Any, dtype: Any) -> Array:
        """Move values without a namespace, or of NumPy, to the device."""
        of_numpy = isinstance(values, (np.ndarray, np.generic))
        if not of_numpy and hasattr(values, "__dlpack__"):
            raise BackendMismatchError(
                f"values is a {type(values).__module__} array, but this is "
                f"{self}; copy it to the host with nnfs_xp.to_numpy first"
            )
        host = host_array(values)
        typed = dtype is not None or of_numpy
        if not typed and host.dtype.kind == "f":
            # Python numbers carry no precision of their own.
            host = host.astype(self.dtype_name)
        return self.put(self.own_copy(host))

    def own_copy(self, host: np.ndarray) -> np.ndarray:
        """Return a private copy of a host array."""
        return host.copy()

    def put(self, host: np.ndarray) -> Array:
        """Move a host array to the device; nobody else writes to it."""
        return self.xp.asarray(host, device=self.device)

    def constant(self, value: float) -> Array:
        """Return a 0-d array of this backend's dtype."""
        # Filled on the device, because a copy from the host cannot be part of a
        # captured CUDA graph.
        return self.full((), value)

    def take_rows(self, array: Array, numbers: Array) -> Array:
        """Return the rows of an array with these numbers, none of them negative."""
        return self.xp.take(array, numbers, axis=0)

    def in_rows(self, array: Array) -> Array:
        """Return an array for others to use, with its elements row by row in memory.

        Only where a backend's own functions may leave them in another order.
        """
        return array

    def zeros(self, shape: tuple[int, ...], dtype: Any = None) -> Array:
        """Return an array of zeros, by default of this backend's dtype."""
        return self.xp.zeros(
            shape, dtype=self.dtype if dtype is None else dtype, device=self.device
        )

    def full(self, shape: tuple[int, ...], value: float) -> Array:
        """Return an array filled with one value, of this backend's dtype."""
        return self.xp.full(shape, value, dtype=self.dtype, device=self.device)

    def assign(self, slots: dict[str, Array], key: str, value: Array) -> None:
        """Set ``slots[key]`` to `value`, in place where arrays allow it.

        A compiled CUDA graph keeps the address of a slot, so the array that
        holds it must stay the same one.
        """
        if self.in_place:
            if slots[key] is not value:
                slots[key][...] = value
        else:
            slots[key] = value

    def replaced(self, array: Array, key: Any, values: Array) -> Array:
        """Return an array with new values in the part that slices select.

        The array itself is written to if possible.
        """
        array[key] = values
        return array

    def added(self, array: Array, key: Any, values: Array) -> Array:
        """Return an array with values added to the part that slices select.

        The array itself is written to if possible.
        """
        if not self.in_place:
            return self.replaced(array, key, array[key] + values)
        part = array[key]
        part += values
        return array

    def like(self, dtype: str, matmul_precision: str | None = None) -> Backend:
        """Return the same library and device in another precision.

        If `matmul_precision` is not given, it is kept as far as `dtype` allows.
        """
        if matmul_precision is None:
            matmul_precision = self.matmul_precision if dtype == "float32" else "full"
        if (dtype, matmul_precision) == (self.dtype_name, self.matmul_precision):
            return self
        return type(self)(self.device, dtype, matmul_precision)

    def like_new(self) -> Backend:
        """Return a fresh, equal backend, so that it can carry its own note."""
        return type(self)(self.device, self.dtype_name, self.matmul_precision)

    def check_works(self) -> None:
        """Multiply two small matrices, so that a broken library fails here."""
        with self.context():
            one = self.full((2, 2), 1.0)
            product = self.to_numpy(self.matmul(one, one))
        if not np.array_equal(product, np.full((2, 2), 2.0)):
            raise BackendUnavailableError(
                f"backend {self.name!r} multiplies wrongly: {product.tolist()}"
            )

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return isinstance(other, Backend) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[str, ...]:
        return self.name, self.device_name, self.dtype_name, self.matmul_precision

    def __repr__(self) -> str:
        text = f"{self.name} on {self.device_name}, {self.dtype_name}"
        if self.matmul_precision == "full":
            return text
        return f"{text}, {self.matmul_precision} products"

    def __reduce__(self) -> Any:
        # Modules cannot be pickled or deep-copied; the description can.
        return type(self), self._key()[1:]


class Together:
    """Several contexts as one, entered in their order."""

    def __init__(self, *contexts: contextlib.AbstractContextManager[Any]) -> None:
        self._contexts = contexts

    def __enter__(self) -> None:
        for context in self._contexts:
            context.__enter__()

    def __exit__(self, *error: Any) -> None:
        for context in reversed(self._contexts):
            context.__exit__(*error)


def host_array(values: Any) -> np.ndarray:
    """Turn numbers, nested lists, a table or an array into a numeric host array.

    Raises
    ------
    DTypeError
        If the values are ragged, or are not real numbers.
    """
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        raise DTypeError("is a masked array; fill or drop its masked entries first")
    values = plain(values)
    try:
        host = np.asarray(values)
    except (ValueError, TypeError) as error:
        raise DTypeError(f"cannot be converted to an array: {error}") from error
    if host.dtype.kind not in "biuf":
        raise DTypeError(f"expected real numbers, got an array of dtype {host.dtype}")
    # Half and extended precision are not in the standard.
    if host.dtype == np.float16:
        host = host.astype(np.float32)
    elif host.dtype.itemsize > 8:
        host = host.astype(np.float64)
    # Other libraries refuse foreign byte orders.
    return host.astype(host.dtype.newbyteorder("="), copy=False)
