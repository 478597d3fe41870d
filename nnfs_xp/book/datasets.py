"""The book's data, drawn from NumPy's global legacy generator.

``from nnfs_xp.book.datasets import spiral_data`` stands for the book's ``from
nnfs.datasets import spiral_data``. After ``init()`` the points equal, bit for
bit, those of the package ``nnfs``; so does what a program draws after them.
"""

from __future__ import annotations

import numpy as np

from nnfs_xp import data
from nnfs_xp.backends import Array
from nnfs_xp.book.settings import here, moved


def spiral_data(samples: int, classes: int) -> tuple[Array, Array]:
    """Return `nnfs_xp.data.spiral_data` on the backend of ``init``.

    Parameters
    ----------
    samples, classes : int
        Points of each class, and number of classes.

    Examples
    --------
    >>> import nnfs_xp.book as nnfs
    >>> nnfs.init()
    >>> X, y = nnfs.spiral_data(samples=100, classes=3)
    >>> X.shape, y.shape
    ((300, 2), (300,))
    """
    return _placed(
        data.spiral_data(samples, classes, seed=None, dtype=here().dtype_name)
    )


def vertical_data(samples: int, classes: int) -> tuple[Array, Array]:
    """Return `nnfs_xp.data.vertical_data` on the backend of ``init``.

    Parameters
    ----------
    samples, classes : int
        Points of each class, and number of classes.

    Examples
    --------
    >>> import nnfs_xp.book as nnfs
    >>> nnfs.init()
    >>> X, y = nnfs.vertical_data(samples=100, classes=3)
    >>> X.shape, y.shape
    ((300, 2), (300,))
    """
    return _placed(
        data.vertical_data(samples, classes, seed=None, dtype=here().dtype_name)
    )


def sine_data(samples: int = 1000) -> tuple[Array, Array]:
    """Return `nnfs_xp.data.sine_data` on the backend of ``init``.

    Parameters
    ----------
    samples : int, default 1000
        Number of points.

    Examples
    --------
    >>> import nnfs_xp.book as nnfs
    >>> X, y = nnfs.sine_data()
    >>> X.shape, y.shape
    ((1000, 1), (1000, 1))
    """
    return _placed(data.sine_data(samples))


def _placed(points: tuple[np.ndarray, np.ndarray]) -> tuple[Array, Array]:
    """Return data on the backend of ``init``; on NumPy they stay as they are."""
    be = here()
    return moved(be, points[0]), moved(be, points[1])
