"""Backends and executors, together the ways to run one training step."""

import pytest

import nnfs_xp as nx
from tests.conftest import MATRIX, backend_or_skip

# Backends whose step is compiled or recorded on every machine run it both ways.
VARIANTS = {name: (name, "auto") for name in MATRIX} | {
    f"{name}-off": (name, "off") for name in ("jax", "numpy")
}

every_variant = pytest.mark.parametrize("variant", VARIANTS)
# Where it makes no difference whether JAX compiles the step.
every_backend = pytest.mark.parametrize("variant", MATRIX)


def where(variant, dtype="float64"):
    """Return the arguments that make a model run in a way."""
    name, mode = VARIANTS[variant]
    return {"backend": backend_or_skip(name, dtype), "compile": mode}


def host(model):
    """Return parameters and buffers of a model on the host, by path."""
    values = {**model.parameters, **model.buffers}
    return {path: nx.to_numpy(value) for path, value in values.items()}
