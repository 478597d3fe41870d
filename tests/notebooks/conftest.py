"""The chapters run on each backend, or on the one that NNFS_XP_BACKEND names."""

import importlib
import importlib.util
import os
import sys
from contextlib import nullcontext

import pytest

from nnfs_xp import BACKEND_NAMES, BackendUnavailableError, get_backend
from tests.conftest import required_backends

ASKED = os.environ.get("NNFS_XP_BACKEND")


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Give PyTorch one thread, as its small products spend more on waiting.

    On two busy cores a chapter would take ten times as long.
    """
    if importlib.util.find_spec("torch") is None:
        yield
        return
    torch = importlib.import_module("torch")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def _in_turn(name):
    """Return a parameter; on other backends than the first, a chapter is slow."""
    return pytest.param(name, marks=[] if name == "numpy" else pytest.mark.slow)


@pytest.fixture(params=[ASKED] if ASKED else map(_in_turn, BACKEND_NAMES))
def chapter_backend(request, monkeypatch):
    """A backend that works here, set in the environment as readers set it."""
    name = request.param
    try:
        get_backend(name, dtype="float64")
    except BackendUnavailableError as error:
        if name == ASKED or name in required_backends():
            pytest.fail(str(error))
        pytest.skip(str(error))
    monkeypatch.setenv("NNFS_XP_BACKEND", name)
    # Chapters compute with arrays of float64 themselves.
    with sys.modules["jax"].enable_x64(True) if name == "jax" else nullcontext():
        yield name
