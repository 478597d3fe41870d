"""The sine data of the book: one wave, for regression."""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike

from nnfs_xp.data.generators import check_point_dtype, check_size


def sine_data(
    samples: int = 1000, *, dtype: DTypeLike = "float64"
) -> tuple[np.ndarray, np.ndarray]:
    """Return one period of a sine, at equal steps.

    Nothing is drawn at random::

        x = 0, 1/samples, 2/samples, ..., 1 - 1/samples
        y = sin(2 pi x)

    The values are, bit for bit, those that ``sine_data`` of the ``nnfs``
    package gives, which are float64 even after ``nnfs.init()``. In float32
    they are the same, rounded.

    Parameters
    ----------
    samples : int, default 1000
        Number of points, at least 1.
    dtype : {"float32", "float64"}, default "float64"
        Floating type of both arrays.

    Returns
    -------
    x, y : numpy.ndarray
        Features and targets, both of shape (samples, 1).

    Raises
    ------
    InputError
        If an argument is of the wrong kind or out of range.

    References
    ----------
    ``nnfs`` 0.5.1, ``nnfs/datasets/sine.py``.

    Examples
    --------
    >>> x, y = sine_data(4)
    >>> x.tolist()
    [[0.0], [0.25], [0.5], [0.75]]
    >>> y[1], y[3]
    (array([1.]), array([-1.]))
    """
    samples = check_size(samples, "samples")
    dtype = check_point_dtype(dtype)
    x = np.arange(samples).reshape(-1, 1) / samples
    y = np.sin(2 * np.pi * x)
    return x.astype(dtype, copy=False), y.astype(dtype, copy=False)
