"""What every test and doctest begins with."""

import itertools
import sys

import pytest


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
