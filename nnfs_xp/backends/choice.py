"""Choose a backend by name, and say which of them work on this machine."""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
import logging
import os
from typing import Any

from nnfs_xp.arguments import check_choice
from nnfs_xp.backends.base import DTYPE_NAMES, Backend
from nnfs_xp.backends.products import check_matmul_precision
from nnfs_xp.errors import BackendUnavailableError, InputError

logger = logging.getLogger("nnfs_xp")

# Module and class of each backend. They are imported when asked for, so that
# a library that is missing or broken never stops `import nnfs_xp`.
_CLASSES = {
    "numpy": "NumpyBackend",
    "cupy": "CupyBackend",
    "torch": "TorchBackend",
    "jax": "JaxBackend",
    "array_api_strict": "StrictBackend",
}
BACKEND_NAMES = tuple(_CLASSES)
_seen_working: dict[tuple[str, ...], Backend] = {}
_INSTALL_HINTS = {
    "cupy": "pip install 'nnfs-xp[cuda13]' (or [cuda12]), on a machine with an "
    "NVIDIA GPU and its driver",
    "torch": "pip install 'nnfs-xp[torch]'",
    "jax": "pip install 'nnfs-xp[jax]'",
    "array_api_strict": "pip install array-api-strict",
}


def get_backend(
    backend: str | Backend | None = None,
    *,
    device: Any = None,
    dtype: str | None = None,
    matmul_precision: str | None = None,
) -> Backend:
    """Return a backend that has been checked to work.

    Parameters
    ----------
    backend : str or Backend, optional
        ``"numpy"``, ``"cupy"``, ``"torch"``, ``"jax"``, ``"array_api_strict"`` or
        ``"auto"``, which takes a working GPU, otherwise NumPy, and logs its choice. If
        not given, the environment variable ``NNFS_XP_BACKEND`` decides, and without it
        NumPy.
    device : str or object, optional
        A device of that library, such as ``"cuda:1"``; its default device if
        not given.
    dtype : {"float32", "float64"}, optional
        The dtype of parameters and arithmetic, ``"float32"`` if not given.
        JAX has it within `Backend.context`, and outside with ``jax_enable_x64``.
    matmul_precision : {"full", "tf32", "bfloat16", "float16"}, optional
        The format that operands of matrix products are rounded to, ``"full"`` if not
        given; the others are for float32. Everything else stays float32.

    Returns
    -------
    Backend

    Raises
    ------
    InputError
        If the name, the dtype or the precision is unknown, the precision is not for
        the dtype, or a device is named for ``"auto"``.
    BackendUnavailableError
        If the library is not installed, or has no working device. There is
        no silent fallback to another one.

    Examples
    --------
    >>> from nnfs_xp import get_backend
    >>> get_backend("numpy", dtype="float64")
    numpy on cpu, float64
    """
    if isinstance(backend, Backend):
        dtype = backend.dtype_name if dtype is None else dtype
        if matmul_precision is None and dtype == "float32":
            matmul_precision = backend.matmul_precision
        if device is None:
            return backend.like(dtype, matmul_precision)
        backend = backend.name
    if backend is None:
        backend = os.environ.get("NNFS_XP_BACKEND") or "numpy"
    dtype = check_choice(
        "float32" if dtype is None else str(dtype), "dtype", DTYPE_NAMES
    )
    precision = check_matmul_precision(
        "full" if matmul_precision is None else matmul_precision, dtype
    )
    name = check_choice(backend, "backend", (*BACKEND_NAMES, "auto"))
    if name == "auto":
        if device is not None:
            raise InputError(
                f"device must be left out with backend='auto', got {device!r}"
            )
        return _automatic(dtype, precision)
    return _working(name, device, dtype, precision)


def _working(name: str, device: Any, dtype: str, precision: str) -> Backend:
    """Return a working backend, tried once for each device and precision."""
    # Not every library's device objects can be hashed.
    key = name, repr(device), dtype, precision
    if key not in _seen_working:
        _seen_working[key] = _tried(name, device, dtype, precision)
    return _seen_working[key]


def _tried(name: str, device: Any, dtype: str, precision: str) -> Backend:
    try:
        backend = backend_class(name)(device, dtype, precision)
        backend.check_works()
    except BackendUnavailableError:
        raise
    # Any error of a half-installed library, from a missing shared object to an outdated
    # driver, is the reason that the user needs to see.
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        hint = _INSTALL_HINTS.get(name)
        raise BackendUnavailableError(
            f"backend {name!r} does not work here: {reason}"
            + (f" (to install it: {hint})" if hint else "")
        ) from error
    return backend


def backend_class(name: str) -> type[Backend]:
    """Return the class of a backend without trying whether it works."""
    module = importlib.import_module(f"nnfs_xp.backends.{name}")
    return getattr(module, _CLASSES[name])


def _automatic(dtype: str, precision: str) -> Backend:
    """Take the first library that reaches a GPU, otherwise NumPy."""
    refusals = []
    for name in ("cupy", "torch", "jax"):
        try:
            backend = _gpu_backend(name, dtype, precision)
        except BackendUnavailableError as error:
            refusals.append(f"{name}: {error}")
            continue
        backend.note = f"auto selected {backend}"
        logger.info(backend.note)
        return backend
    backend = _working("numpy", None, dtype, precision).like_new()
    backend.note = f"auto selected numpy because no GPU works: {'; '.join(refusals)}"
    logger.warning(backend.note)
    return backend


def _gpu_backend(name: str, dtype: str, precision: str) -> Backend:
    """Return this library on a GPU, or raise the reason why not."""
    if importlib.util.find_spec(name) is None:
        raise BackendUnavailableError("not installed")
    device = None
    if name != "cupy":
        devices = backend_class(name).devices()
        gpus = [d for d in devices if d.startswith(("cuda", "gpu", "rocm"))]
        if not gpus:
            raise BackendUnavailableError(f"installed, but has only {devices}")
        device = gpus[0]
    return _working(name, device, dtype, precision).like_new()


@dataclasses.dataclass(frozen=True)
class BackendStatus:
    """Whether a backend works on this machine, and why not.

    Attributes
    ----------
    name : str
        The backend's name.
    works : bool
        Whether `get_backend` would return it.
    version : str
        Version of the library; empty if it cannot be imported.
    devices : tuple of str
        The devices that can be asked for.
    reason : str
        Why it does not work; empty if it does.

    Examples
    --------
    >>> from nnfs_xp import backend_status
    >>> status = backend_status("numpy")
    >>> status.name, status.works, status.devices
    ('numpy', True, ('cpu',))
    """

    name: str
    works: bool
    version: str
    devices: tuple[str, ...]
    reason: str


def backend_status(name: str) -> BackendStatus:
    """Try one backend, and report whether it works.

    Parameters
    ----------
    name : str
        One of ``BACKEND_NAMES``.

    Returns
    -------
    BackendStatus

    Examples
    --------
    >>> from nnfs_xp import backend_status
    >>> backend_status("numpy").works
    True
    """
    check_choice(name, "name", BACKEND_NAMES)
    try:
        get_backend(name)
    except BackendUnavailableError as error:
        return BackendStatus(name, False, _version(name), (), str(error))
    return BackendStatus(
        name, True, _version(name), tuple(backend_class(name).devices()), ""
    )


def _version(name: str) -> str:
    try:
        return backend_class(name).version()
    # A library that cannot be imported has no version to show; the reason is reported
    # separately.
    except Exception:
        return ""
