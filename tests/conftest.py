"""The test matrix: every backend, in both precisions.

A test that takes the fixture `backend` runs on each of them. ``python -m pytest``
alone runs the first tier: NumPy in both precisions, one test in eight of
array-api-strict in float64, and fewer on all other backends. The rest have the marker
``matrix``, and those that take long the marker ``slow``; ``-m ""`` runs all of them.
Of those on JAX most have the marker ``rare`` besides: ``.ci/run`` leaves them out.

Tests of a backend that does not work here are deselected, with one line that says
why, unless NNFS_XP_REQUIRE names it (``NNFS_XP_REQUIRE=cupy,torch``): then its absence
is a failure.
"""

from __future__ import annotations

import functools
import os
import zlib

import hypothesis
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
    # The same examples in each run, so that a change is judged by what it changed.
    # HYPOTHESIS_PROFILE=default looks for new ones.
    hypothesis.settings.register_profile("same-examples", derandomize=True)
    hypothesis.settings.load_profile(
        os.environ.get("HYPOTHESIS_PROFILE") or "same-examples"
    )
    # What the units assume of a backend must be what the standard promises.
    try:
        import array_api_strict
    except ImportError:
        return
    array_api_strict.set_array_api_strict_flags(
        boolean_indexing=False, data_dependent_shapes=False
    )


# The backend of the first tier; of the tests on all others, one in so many. JAX
# compiles anew for each of its tests, which then takes a hundred times as long.
FIRST_TIER = ("numpy",)
LATER_TIERS = {*MATRIX, "array_api_strict"} - set(FIRST_TIER)
SAMPLED, SAMPLED_OF_JAX, SAMPLED_OF_STRICT = 60, 240, 8
# Of the tests on JAX, one in so many runs in `.ci/run`.
COMPILED_IN_CI = 5


@functools.cache
def why_not(name: str) -> str:
    """Return why a backend of the matrix does not work here, empty if it does."""
    backend, device = MATRIX[name]
    if backend in required_backends():
        return ""
    try:
        get_backend(backend, device=device)
    except BackendUnavailableError as error:
        return str(error)
    return ""


def pytest_report_header(config):
    reasons = {MATRIX[name][0]: why_not(name) for name in MATRIX}
    return [
        f"tests of backend {name!r} are left out: {reason}"
        for name, reason in reasons.items()
        if reason
    ]


def backends_of(item) -> set[str]:
    """Return the backends that a test says it needs."""
    params = getattr(getattr(item, "callspec", None), "params", {})
    names = {params.get("backend_name"), params.get("owner")} & set(MATRIX)
    for mark in item.iter_markers("backend"):
        names |= set(mark.args)
    return names


def pytest_collection_modifyitems(config, items):
    kept, left_out = [], []
    for item in items:
        names = backends_of(item)
        if any(why_not(name) for name in names):
            left_out.append(item)
            continue
        params = getattr(getattr(item, "callspec", None), "params", {})
        named = names | {v for v in params.values() if isinstance(v, str)}
        every = SAMPLED
        if "jax" in named:
            every = SAMPLED_OF_JAX
        elif "strict" in named and "float32" not in named:
            every = SAMPLED_OF_STRICT
        sampled = zlib.crc32(item.nodeid.encode()) % every == 0
        if named & LATER_TIERS and not sampled:
            item.add_marker(pytest.mark.matrix)
            # It would take twice the time of all others together.
            if "jax" in named and zlib.crc32(item.nodeid.encode()) % COMPILED_IN_CI:
                item.add_marker(pytest.mark.rare)
        kept.append(item)
    config.hook.pytest_deselected(items=left_out)
    items[:] = kept


def backend_or_skip(name: str, dtype: str) -> nnfs_xp.Backend:
    backend, device = MATRIX[name]
    if backend == "jax" and dtype == "float64" and not why_not(name):
        import jax

        # Tests compute with what the library returns. `tests/test_process.py` does
        # not set the flag.
        jax.config.update("jax_enable_x64", True)
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
