"""Where a unit computes that is used on its own, outside a model."""

from __future__ import annotations

from typing import Any

from nnfs_xp.backends import Backend, backend_of, get_backend, library_of


def asked_backend(
    backend: str | Backend | None, device: Any, dtype: str | None
) -> Backend | None:
    """Return the backend that the arguments of a unit name, None if none does."""
    if backend is None and device is None and dtype is None:
        return None
    return get_backend(backend, device=device, dtype=dtype)


def backend_for(own: Backend | None, values: Any) -> Backend:
    """Return a unit's own backend, or else that of the values it is given.

    Lists and numbers have none; the default computes with them.
    """
    if own is not None:
        return own
    if library_of(values) is not None:
        return backend_of(values)
    return get_backend()
