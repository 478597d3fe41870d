"""Where and in which precision the book's names compute: ``init``."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np

from nnfs_xp.arguments import check_choice, check_count
from nnfs_xp.backends import Backend, get_backend, library_of
from nnfs_xp.backends.base import DTYPE_NAMES
from nnfs_xp.errors import InputError
from nnfs_xp.random import Stream
from nnfs_xp.registry import is_of_library
from nnfs_xp.unit import Unit, overridden


@dataclasses.dataclass
class _Settings:
    backend: Backend | None = None
    seed: int = 0
    dropouts: int = 0


_settings = _Settings()


def init(
    dot_precision_workaround: bool = True,
    default_dtype: str | None = "float32",
    random_seed: int | None = 0,
    *,
    backend: str | Backend | None = None,
    device: Any = None,
    matmul_precision: str | None = None,
) -> None:
    """Begin a program of the book, as ``nnfs.init()`` does there.

    What is made from here on computes in `default_dtype` on `backend`. Without
    this call it is float64, as in NumPy, on the default backend.

    Parameters
    ----------
    dot_precision_workaround : bool, default True
        Accepted and of no effect. The package ``nnfs`` computes matrix products
        in float64 with it and rounds them to `default_dtype`; here they are
        computed in `default_dtype`.
    default_dtype : {"float32", "float64"} or None, default "float32"
        Precision of all units and data made afterwards; None is float64.
    random_seed : int or None, default 0
        Seed of NumPy's global legacy generator, from which the book draws data
        and initial weights, and of the masks of dropout. None leaves the
        generator as it is.
    backend, device, matmul_precision : optional
        Where to compute, and how matrix products are rounded; see
        `nnfs_xp.get_backend`.

    Raises
    ------
    InputError
        If an argument is not what it should be.
    BackendUnavailableError
        If the backend does not work here.

    Examples
    --------
    >>> import nnfs_xp.book as nnfs
    >>> nnfs.init(backend="numpy")
    >>> layer = nnfs.Layer_Dense(2, 3)
    >>> layer.weights.dtype, layer.weights.shape
    (dtype('float32'), (2, 3))
    """
    dtype = "float64" if default_dtype is None else default_dtype
    check_choice(dtype, "default_dtype", DTYPE_NAMES)
    if random_seed is not None:
        random_seed = check_count(random_seed, "random_seed", least=0)
        if random_seed >= 2**32:
            raise InputError(f"random_seed must be below 2**32, got {random_seed}")
    _settings.backend = get_backend(
        backend, device=device, dtype=dtype, matmul_precision=matmul_precision
    )
    _settings.dropouts = 0
    if random_seed is not None:
        _settings.seed = random_seed
        np.random.seed(random_seed)  # noqa: NPY002 - the book's generator


# What the engine calls, and what the book's programs and loop call.
_COMPILED = ("fwd", "bwd", "init", "update", "apply")
_CALLED = (
    "forward", "backward", "calculate",
    "pre_update_params", "update_params", "post_update_params",
)  # fmt: skip


class AnyAttributes(Unit):
    """Lets a reader's subclass of one of the book's classes keep what it likes."""

    def _setting_names(self) -> set[str]:
        # Not the plain attributes of the class, such as the sums of a loss.
        found = {
            name
            for name in super()._setting_names()
            if name in vars(self) or isinstance(getattr(type(self), name, 0), property)
        }
        # Of what a compiled step is made of, everything is fixed, as in the library.
        compiled = overridden(self, dict.fromkeys(_COMPILED, ""))
        if is_of_library(type(self)) or (
            compiled and not overridden(self, dict.fromkeys(_CALLED, ""))
        ):
            return found
        # One of these is set by every constructor of the library.
        if not {"_backend", "_schedule"} & set(vars(self)):
            self._make_up_for_super()
        # Only what a constructor of the library takes is fixed; all else may change.
        ours = [inspect.signature(c) for c in type(self).__mro__ if is_of_library(c)]
        return found & {name for signature in ours for name in signature.parameters}

    def _make_up_for_super(self) -> None:
        """Call the constructor of the book's class, which may have none in the book."""
        book = next(c for c in type(self).__mro__ if is_of_library(c))
        if any(
            p.default is p.empty for p in inspect.signature(book).parameters.values()
        ):
            raise InputError(
                f"the constructor of {type(self).__name__} must call "
                "super().__init__(...)"
            )
        own = vars(self).copy()
        book.__init__(self)  # type: ignore[misc]
        vars(self).update(own)


def here() -> Backend:
    """Return the backend that new units compute on."""
    # Without `init` a program of the book computes as NumPy does by default.
    return _settings.backend or get_backend(dtype="float64")


def dropout_seed() -> int:
    """Return the seed of the next dropout layer.

    It does not come from NumPy's generator, which would give the weights of all
    later layers other values than the book's.
    """
    _settings.dropouts += 1
    stream = Stream(_settings.seed, "book.dropout", _settings.dropouts)
    return int(stream.bits(1)[0])


def moved_together(be: Backend, arrays: Sequence[Any]) -> list[Any]:
    """Return arrays, those of NumPy on a backend if another is there."""
    there = any(library_of(array) == be.name for array in arrays)
    return [
        moved(be, array) if there and library_of(array) == "numpy" else array
        for array in arrays
    ]


def moved(be: Backend, values: Any) -> Any:
    """Return host values on a backend, and arrays of a backend as they are.

    The library's own units never move an array unasked. A program of the book
    knows of one kind of arrays only, and must not have to be told.
    """
    if library_of(values) in (None, "numpy") and be.name != "numpy":
        array = np.asarray(values)
        return be.asarray(array, be.dtype if array.dtype.kind == "f" else None)
    return values
