"""The vertical data of the book: classes side by side, in upright clouds."""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike

from nnfs_xp.data.dataset import Dataset
from nnfs_xp.data.generators import (
    Seed,
    check_point_dtype,
    check_size,
    normal_numbers,
)
from nnfs_xp.data.scaling import Scaling


def vertical_data(
    samples: int, classes: int, *, seed: Seed = 0, dtype: DTypeLike = "float32"
) -> tuple[np.ndarray, np.ndarray]:
    """Return points in clouds that stand side by side, one cloud a class.

    The cloud of class c has its middle at (c/3, 1/2)::

        x = (c/3 + 0.1 * noise, 1/2 + 0.1 * noise)

    Neighbours overlap a little, so not every point can be told. The points
    are, bit for bit, those that ``vertical_data`` of the ``nnfs`` package
    gives: those in float32 after ``nnfs.init()``, those in float64 after
    ``numpy.random.seed(seed)`` alone.

    Parameters
    ----------
    samples : int
        Points of each class, at least 1.
    classes : int
        Number of classes, from 1 to 256.
    seed : int, RandomState or None, default 0
        Seed of NumPy's legacy generator, from 0 to 2**32 - 1. A generator of
        this kind goes on from where it is; None stands for the global one of
        ``numpy.random``, from which the book draws.
    dtype : {"float32", "float64"}, default "float32"
        Floating type of the points and of their noise.

    Returns
    -------
    x : numpy.ndarray
        Points of shape (samples * classes, 2).
    y : numpy.ndarray
        Labels of shape (samples * classes,), dtype uint8.

    Raises
    ------
    InputError
        If an argument is of the wrong kind or out of range.

    References
    ----------
    ``nnfs`` 0.5.1, ``nnfs/datasets/vertical.py``.

    Examples
    --------
    >>> x, y = vertical_data(100, 3)
    >>> x.shape, y.shape
    ((300, 2), (300,))
    >>> [round(float(x[y == label, 0].mean()), 2) for label in range(3)]
    [0.01, 0.33, 0.67]
    """
    samples = check_size(samples, "samples")
    classes = check_size(classes, "classes", most=256)
    dtype = check_point_dtype(dtype)
    draw = normal_numbers(seed)

    x = np.zeros((samples * classes, 2), dtype=dtype)
    y = np.repeat(np.arange(classes, dtype=np.uint8), samples)
    for label in range(classes):
        cloud = x[label * samples : (label + 1) * samples]
        for column, middle in enumerate((label / 3, 0.5)):
            # Rounded before the arithmetic, which is then of this dtype, as
            # after nnfs.init().
            noise = draw(samples).astype(dtype)
            cloud[:, column] = noise * 0.1 + middle
    return x, y


def load_vertical() -> Dataset:
    """Return the book's vertical data: 3 classes of 100 points, and a test set.

    Returns
    -------
    Dataset
        Training points of seed 0 and test points of seed 1.

    Examples
    --------
    >>> load_vertical().x_train.shape
    (300, 2)
    """
    x_train, y_train = vertical_data(100, 3, seed=0)
    x_test, y_test = vertical_data(100, 3, seed=1)
    return Dataset(
        name="vertical",
        x_train=x_train,
        y_train=y_train,
        x_test=x_test,
        y_test=y_test,
        class_names=("left", "middle", "right"),
        image_shape=None,
        scaling=Scaling.identity(),
        note="clouds of the book, 100 points a class; test points of another seed",
    )
