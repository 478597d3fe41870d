"""The spiral data of the book: arms that no straight line separates."""

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


def spiral_data(
    samples: int, classes: int, *, seed: Seed = 0, dtype: DTypeLike = "float32"
) -> tuple[np.ndarray, np.ndarray]:
    """Return points on spiral arms, one arm a class.

    Arm c winds outwards while its angle runs over 4 radians, times 2.5::

        r = 0 .. 1,  t = 4 c .. 4 (c + 1),  both in equal steps
        t' = t + 0.2 * noise
        x = (r sin(2.5 t'), r cos(2.5 t'))

    The points are, bit for bit, those that ``spiral_data`` of the ``nnfs``
    package gives: those in float32 after ``nnfs.init()``, those in float64
    after ``numpy.random.seed(seed)`` alone.

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
    Stanford University, course CS231n, "Neural Networks Case Study", for the
    recipe; ``nnfs`` 0.5.1, ``nnfs/datasets/spiral.py``, for the factors.

    Examples
    --------
    >>> x, y = spiral_data(100, 3)
    >>> x.shape, y.shape
    ((300, 2), (300,))
    >>> x[1].round(4).tolist()
    [0.003000000026077032, 0.009600000455975533]
    """
    samples = check_size(samples, "samples")
    classes = check_size(classes, "classes", most=256)
    dtype = check_point_dtype(dtype)
    draw = normal_numbers(seed)

    x = np.zeros((samples * classes, 2), dtype=dtype)
    y = np.repeat(np.arange(classes, dtype=np.uint8), samples)
    radius = np.linspace(0.0, 1.0, samples)
    for label in range(classes):
        # nnfs.init() makes randn return float32; with the full float64 noise
        # a fifth of the coordinates would come out one bit off.
        noise = draw(samples).astype(dtype) * 0.2
        turn = np.linspace(label * 4, (label + 1) * 4, samples) + noise
        arm = x[label * samples : (label + 1) * samples]
        arm[:, 0] = radius * np.sin(turn * 2.5)
        arm[:, 1] = radius * np.cos(turn * 2.5)
    return x, y


def load_spiral() -> Dataset:
    """Return the book's spiral: 3 classes of 100 points, and a fresh test set.

    Returns
    -------
    Dataset
        Training points of seed 0 and test points of seed 1.

    Examples
    --------
    >>> load_spiral().x_train.shape
    (300, 2)
    """
    x_train, y_train = spiral_data(100, 3, seed=0)
    x_test, y_test = spiral_data(100, 3, seed=1)
    return Dataset(
        name="spiral",
        x_train=x_train,
        y_train=y_train,
        x_test=x_test,
        y_test=y_test,
        class_names=("arm 0", "arm 1", "arm 2"),
        image_shape=None,
        scaling=Scaling.identity(),
        note="spiral of the book, 100 points a class; test points of another seed",
    )
