"""The points of the book: spirals, clouds side by side, and a sine."""

from __future__ import annotations

import contextlib
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from nnfs_xp.data.dataset import Dataset
from nnfs_xp.data.scaling import Scaling
from nnfs_xp.errors import DTypeError, InputError

Seed = int | np.random.RandomState | None
# Draws a normal number for each point of a class.
Noise = Callable[[], np.ndarray]
# Gives both coordinates of the points of a class, from its number, steps from 0 to 1
# and noise.
Group = Callable[[int, np.ndarray, Noise], tuple[Any, Any]]


def spiral_data(
    samples: int, classes: int, *, seed: Seed = 0, dtype: DTypeLike = "float32"
) -> tuple[np.ndarray, np.ndarray]:
    """Return points on spiral arms, one arm per class.

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
        this kind continues from its state; None means the global one of
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

    def arm(label: int, radius: np.ndarray, noise: Noise) -> tuple[Any, Any]:
        # nnfs.init() makes randn return float32; with the full float64 noise, a fifth
        # of the coordinates would be off by one bit.
        turn = np.linspace(label * 4, (label + 1) * 4, len(radius)) + noise() * 0.2
        return radius * np.sin(turn * 2.5), radius * np.cos(turn * 2.5)

    return _points(arm, samples, classes, seed, dtype)


def vertical_data(
    samples: int, classes: int, *, seed: Seed = 0, dtype: DTypeLike = "float32"
) -> tuple[np.ndarray, np.ndarray]:
    """Return points in clouds that lie side by side, one cloud per class.

    The cloud of class c is centred at (c/3, 1/2)::

        x = (c/3 + 0.1 * noise, 1/2 + 0.1 * noise)

    Neighbouring clouds overlap a little, so not every point can be classified. The
    points are, bit for bit, those that ``vertical_data`` of the ``nnfs`` package gives:
    those in float32 after ``nnfs.init()``, those in float64 after
    ``numpy.random.seed(seed)`` alone.

    Parameters
    ----------
    samples : int
        Points of each class, at least 1.
    classes : int
        Number of classes, from 1 to 256.
    seed : int, RandomState or None, default 0
        Seed of NumPy's legacy generator, from 0 to 2**32 - 1. A generator of
        this kind continues from its state; None means the global one of
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

    def cloud(label: int, radius: np.ndarray, noise: Noise) -> tuple[Any, Any]:
        # With the dtype of the noise, as after nnfs.init().
        return noise() * 0.1 + label / 3, noise() * 0.1 + 0.5

    return _points(cloud, samples, classes, seed, dtype)


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
    samples = _integer(samples, "samples", 1, 2**31 - 1)
    dtype = _check_point_dtype(dtype)
    x = np.arange(samples).reshape(-1, 1) / samples
    y = np.sin(2 * np.pi * x)
    return x.astype(dtype, copy=False), y.astype(dtype, copy=False)


def load_points(name: str) -> Dataset:
    """Return the points of the book: 3 classes of 100 points, and a fresh test set.

    Parameters
    ----------
    name : {"spiral", "vertical"}

    Returns
    -------
    Dataset
        Training points of seed 0 and test points of seed 1.

    Examples
    --------
    >>> load_points("spiral").x_train.shape
    (300, 2)
    """
    generate, class_names, what = {
        "spiral": (spiral_data, ("arm 0", "arm 1", "arm 2"), "spiral"),
        "vertical": (vertical_data, ("left", "middle", "right"), "clouds"),
    }[name]
    note = f"{what} of the book, 100 points a class; test points of another seed"
    parts = *generate(100, 3, seed=0), *generate(100, 3, seed=1)
    return Dataset(name, *parts, class_names, None, Scaling.identity(), note)


def _points(
    group: Group, samples: int, classes: int, seed: Seed, dtype: DTypeLike
) -> tuple[np.ndarray, np.ndarray]:
    """Return the points of all classes, and their labels."""
    samples = _integer(samples, "samples", 1, 2**31 - 1)
    classes = _integer(classes, "classes", 1, 256)
    dtype = _check_point_dtype(dtype)
    draw = _normal_numbers(seed)

    def noise() -> np.ndarray:
        return draw(samples).astype(dtype)

    radius = np.linspace(0.0, 1.0, samples)
    x = np.zeros((classes, samples, 2), dtype=dtype)
    for label in range(classes):
        x[label, :, 0], x[label, :, 1] = group(label, radius, noise)
    y = np.repeat(np.arange(classes, dtype=np.uint8), samples)
    return x.reshape(-1, 2), y


def _check_point_dtype(value: Any) -> np.dtype:
    """Return float32 or float64, or raise DTypeError."""
    # NumPy would read None as float64.
    if value is not None:
        with contextlib.suppress(TypeError):
            dtype = np.dtype(value)
            if dtype in (np.float32, np.float64):
                return dtype
    raise DTypeError(f"dtype must be 'float32' or 'float64', got {value!r}")


def _normal_numbers(seed: Seed) -> Callable[[int], np.ndarray]:
    """Return a function that draws standard normal numbers, as ``randn`` does.

    Parameters
    ----------
    seed : int, RandomState or None
        A seed of NumPy's legacy generator, such a generator, which continues from its
        current state, or None for the global one of ``numpy.random``.

    Returns
    -------
    callable
        From a count to an array of shape (count,), dtype float64.

    Raises
    ------
    InputError
        If `seed` is none of these.
    """
    if seed is None:
        # Not randn: nnfs.init() puts another function in its place.
        return np.random.standard_normal
    if isinstance(seed, np.random.RandomState):
        return seed.standard_normal
    number = _integer(
        seed, "seed", 0, 2**32 - 1, or_else=", a numpy.random.RandomState or None"
    )
    return np.random.RandomState(number).standard_normal


def _integer(value: Any, name: str, low: int, high: int, or_else: str = "") -> int:
    """Return `value` as an int, or raise if it is not one of low..high."""
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool) or not low <= number <= high:
        raise InputError(
            f"{name} must be an integer from {low} to {high}{or_else}, got {value!r}"
        )
    return number
