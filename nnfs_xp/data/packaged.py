"""Reading the data that is installed along with the library."""

from __future__ import annotations

from importlib.resources import files

import numpy as np


def read_packaged(name: str) -> dict[str, np.ndarray]:
    """Return the arrays of one ``.npz`` file of ``nnfs_xp/data/files``."""
    resource = files("nnfs_xp.data").joinpath("files", name)
    with resource.open("rb") as file, np.load(file, allow_pickle=False) as content:
        return dict(content)
