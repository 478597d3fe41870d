"""The data that is installed along with the library."""

from __future__ import annotations

from importlib.resources import files

import numpy as np

from nnfs_xp.data.dataset import Dataset
from nnfs_xp.data.fashion_mnist import join_images
from nnfs_xp.data.scaling import Scaling
from nnfs_xp.random import Stream

MINI_FILE = "fashion_mnist_mini.npz"
DIGITS_FILE = "digits.npz"
TEXT_FILE = "shakespeare.npz"


def load_mini() -> Dataset:
    """Return the 10,000 training and 2,000 test images that are packaged.

    Returns
    -------
    Dataset
        A thousand training images of each class and two hundred to test on.

    Examples
    --------
    >>> load_mini().x_train.shape
    (10000, 784)
    """
    note = "first 1,000 training and 200 test images of each Fashion-MNIST class"
    return join_images("fashion-mnist-mini", read_packaged(MINI_FILE), note)


def load_digits() -> Dataset:
    """Return the 1,797 digits of 8 x 8 pixels that scikit-learn distributes.

    They come without a test part. A fifth of each class is set aside, always
    the same one, so that figures of different runs can be compared.

    Returns
    -------
    Dataset
        Pixel values from 0 to 16, scaled to -1..1.

    Examples
    --------
    >>> digits = load_digits()
    >>> digits.x_train.shape, digits.x_test.shape
    ((1438, 64), (359, 64))
    """
    arrays = read_packaged(DIGITS_FILE)
    x, y = arrays["x"].reshape(-1, 64), arrays["y"]
    test = np.zeros(len(y), dtype=bool)
    for digit in range(10):
        rows = np.flatnonzero(y == digit)
        order = Stream(0, f"digits.{digit}").permutation(len(rows))
        test[rows[order[: round(0.2 * len(rows))]]] = True
    parts = x[~test], y[~test], x[test], y[test]
    note = "UCI handwritten digits; a fixed fifth of each class for testing"
    kind = tuple("0123456789"), (8, 8), Scaling(8.0, 8.0)
    return Dataset("digits", *parts, *kind, note)


def read_packaged(name: str) -> dict[str, np.ndarray]:
    """Return the arrays of one ``.npz`` file of ``nnfs_xp/data/files``."""
    resource = files("nnfs_xp.data").joinpath("files", name)
    with resource.open("rb") as file, np.load(file, allow_pickle=False) as content:
        return dict(content)
