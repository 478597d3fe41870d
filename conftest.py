"""What every test and doctest begins with."""

import sys

import pytest


@pytest.fixture(autouse=True)
def book_as_it_was_imported():
    """Let no test see what another has said in ``nnfs_xp.book.init``."""
    yield
    settings = sys.modules.get("nnfs_xp.book.settings")
    if settings is not None:
        vars(settings._settings).update(vars(settings._Settings()))
