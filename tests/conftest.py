"""The test matrix: every backend, in both precisions.

A test that takes the fixture `backend` runs on each of them. A backend that
does not work here is skipped with its reason, unless NNFS_XP_REQUIRE names it
(``NNFS_XP_REQUIRE=cupy,torch``): then its absence is a failure.
"""

from __future__ import annotations

import os

import pytest

import nnfs_xp
from nnfs_xp import BackendUnavailableError, get_backend

# Name in test ids, backend, device. The second device of array-api-strict
# catches arrays made on a default device.
MATRIX = {
    "numpy": ("numpy", None),
    "strict": ("array_api_strict", None),
    "strict-device1": ("array_api_strict", "device1"),
    "torch": ("torch", None),
    "jax": ("jax", None),
    "cupy": ("cupy", None),
}


def required_backends() -> set[str]:
    names = os.environ.get("NNFS_XP_REQUIRE", "")
    required = {name.strip() for name in names.split(",") if name.strip()}
    unknown = required - set(nnfs_xp.BACKEND_NAMES)
    if unknown:
        raise pytest.UsageError(f"NNFS_XP_REQUIRE names unknown backends: {unknown}")
    return required


def pytest_configure(config):
    required_backends()
    # What the units assume of a backend must be what the standard promises.
    try:
        import array_api_strict
    except ImportError:
        return
    array_api_strict.set_array_api_strict_flags(
        boolean_indexing=False, data_dependent_shapes=False
    )


def backend_or_skip(name: str, dtype: str) -> nnfs_xp.Backend:
    backend, device = MATRIX[name]
    try:
        return get_backend(backend, device=device, dtype=dtype)
    except BackendUnavailableError as error:
        if backend in required_backends():
            pytest.fail(f"NNFS_XP_REQUIRE names {backend}, and {error}")
        pytest.skip(str(error))


@pytest.fixture(params=list(MATRIX))
def backend_name(request):
    return request.param


@pytest.fixture(params=["float64", "float32"])
def dtype(request):
    return request.param


@pytest.fixture
def backend(backend_name, dtype):
    """Every backend in both precisions."""
    return backend_or_skip(backend_name, dtype)


@pytest.fixture
def backend64(backend_name):
    """Every backend in float64."""
    return backend_or_skip(backend_name, "float64")


@pytest.fixture(scope="session")
def torch():
    """PyTorch, as an independent implementation to compare with."""
    reason = "PyTorch is not installed: pip install 'nnfs-xp[torch]'"
    return pytest.importorskip("torch", reason=reason)
