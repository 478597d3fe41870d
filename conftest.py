"""What every test and doctest begins with."""

import importlib.util
import itertools
import sys

import pytest

# What has no meaning without its library has no examples to look for either.
_OF_ONE_LIBRARY = {
    "cupy": (
        "backends/cupy",
        "backends/double_buffer",
        "engine/executors/cuda_fork",
        "engine/executors/cuda_graph",
        "parallel/over_nccl",
    ),
    "torch": (
        "backends/torch",
        "engine/executors/torch_compile",
        "parallel/over_torch",
        "weights/torch",
    ),
    "mpi4py": (
        "parallel/communicator",
        "parallel/launch",
        "parallel/over_mpi",
        "parallel/over_nccl",
    ),
    "onnx": ("onnx/read", "onnx/write"),
    "jax": (
        "backends/jax",
        "engine/executors/jax_jit",
        "engine/executors/jax_ranks",
    ),
    "array_api_strict": ("backends/array_api_strict",),
    "sklearn": tuple(
        f"sklearn/{name}"
        for name in ("__init__", "base", "kinds", "mlp", "places", "wrapper")
    ),
}
collect_ignore = [
    f"nnfs_xp/{path}.py"
    for library, paths in _OF_ONE_LIBRARY.items()
    if importlib.util.find_spec(library) is None
    for path in paths
]


@pytest.fixture(autouse=True)
def book_as_it_was_imported():
    """Let no test see what another has said in ``nnfs_xp.book.init``."""
    yield
    settings = sys.modules.get("nnfs_xp.book.settings")
    if settings is not None:
        vars(settings._settings).update(vars(settings._Settings()))


# JAX keeps every program it has compiled. After thousands of tests that is
# gigabytes, and each garbage collection goes through it.
TESTS_PER_CLEARING = 250
_run = itertools.count(1)


@pytest.fixture(autouse=True)
def compiled_programs_are_forgotten():
    """Let JAX forget what it has compiled, from time to time."""
    yield
    jax = sys.modules.get("jax")
    if next(_run) % TESTS_PER_CLEARING == 0 and jax is not None:
        jax.clear_caches()
