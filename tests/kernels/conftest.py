"""What the tests of implementations share."""

import sys

import pytest

from nnfs_xp.kernels.cupy import module


@pytest.fixture
def launched(monkeypatch):
    """Names of our kernels that were launched."""
    names = []
    real = module.kernel

    def counting(dtype, name):
        function = real(dtype, name)

        def launch(*arguments, **options):
            names.append(name)
            return function(*arguments, **options)

        launch.kernel = function.kernel
        return launch

    for name, loaded in list(sys.modules.items()):
        if name.startswith("nnfs_xp.kernels.cupy.") and hasattr(loaded, "kernel"):
            monkeypatch.setattr(loaded, "kernel", counting)
    return names
