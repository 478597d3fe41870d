"""The spiral data of the book: arms that no straight line separates."""

from __future__ import annotations

import operator

import numpy as np

from nnfs_xp.data.dataset import Dataset
from nnfs_xp.data.scaling import Scaling
from nnfs_xp.errors import InputError


def spiral_data(
    samples: int, classes: int, *, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Return points on spiral arms, one arm a class.

    With seed 0 these are, bit for bit, the points that ``spiral_data`` of the
    ``nnfs`` package gives first after ``nnfs.init()``. The recipe goes back to
    the case study of the CS231n course.

    Parameters
    ----------
    samples : int
        Points of each class.
    classes : int
        Number of classes, at most 256.
    seed : int, default 0
        Seed of NumPy's legacy generator, from 0 to 2**32 - 1.

    Returns
    -------
    x : numpy.ndarray
        Points of shape (samples * classes, 2), dtype float32.
    y : numpy.ndarray
        Labels of shape (samples * classes,), dtype uint8.

    Raises
    ------
    InputError
        If an argument is not an integer or is out of range.

    Examples
    --------
    >>> x, y = spiral_data(100, 3)
    >>> x.shape, y.shape
    ((300, 2), (300,))
    >>> x[1].round(4).tolist()
    [0.003000000026077032, 0.009600000455975533]
    """
    samples = _integer("samples", samples, 1, 2**31 - 1)
    classes = _integer("classes", classes, 1, 256)
    generator = np.random.RandomState(_integer("seed", seed, 0, 2**32 - 1))

    x = np.zeros((samples * classes, 2), dtype=np.float32)
    y = np.repeat(np.arange(classes, dtype=np.uint8), samples)
    radius = np.linspace(0.0, 1.0, samples)
    for label in range(classes):
        # nnfs.init() makes randn return float32; with the full float64 noise
        # a fifth of the coordinates would come out one bit off.
        noise = generator.randn(samples).astype(np.float32) * 0.2
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


def _integer(name: str, value: int, low: int, high: int) -> int:
    """Return `value` as an int, or raise if it is not one of low..high."""
    try:
        number = operator.index(value)
    except TypeError:
        raise InputError(f"{name} must be an integer, not {value!r}") from None
    if isinstance(value, bool) or not low <= number <= high:
        raise InputError(
            f"{name} must be an integer from {low} to {high}, not {value!r}"
        )
    return number
