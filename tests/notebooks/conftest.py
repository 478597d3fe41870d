"""The chapters run on each backend, or on the one that NNFS_XP_BACKEND names."""

import os

import pytest

from nnfs_xp import BACKEND_NAMES, BackendUnavailableError, get_backend
from tests.conftest import required_backends

ASKED = os.environ.get("NNFS_XP_BACKEND")


@pytest.fixture(params=[ASKED] if ASKED else BACKEND_NAMES)
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
    return name
