"""Handwritten digits of 8 x 8 pixels, small enough to train on in a second."""

from __future__ import annotations

import numpy as np

from nnfs_xp.data.dataset import Dataset
from nnfs_xp.data.packaged import read_packaged
from nnfs_xp.data.scaling import Scaling
from nnfs_xp.random import Stream

DIGITS_FILE = "digits.npz"


def load_digits() -> Dataset:
    """Return the 1,797 digits that scikit-learn distributes.

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
    return Dataset(
        name="digits",
        x_train=x[~test],
        y_train=y[~test],
        x_test=x[test],
        y_test=y[test],
        class_names=tuple("0123456789"),
        image_shape=(8, 8),
        scaling=Scaling(8.0, 8.0),
        note="UCI handwritten digits; a fixed fifth of each class for testing",
    )
