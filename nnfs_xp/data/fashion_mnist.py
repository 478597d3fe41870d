"""Fashion-MNIST: images of clothing, 28 x 28 pixels, in ten classes."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

import numpy as np

from nnfs_xp.data.dataset import Dataset
from nnfs_xp.data.fashion_mnist_files import (
    read_downloaded,
    read_from_directory,
)
from nnfs_xp.data.packaged import read_packaged
from nnfs_xp.data.scaling import Scaling

MINI_FILE = "fashion_mnist_mini.npz"
CLASS_NAMES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)


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
    arrays = read_packaged(MINI_FILE)
    return _dataset(
        "fashion-mnist-mini",
        arrays,
        "first 1,000 training and 200 test images of each Fashion-MNIST class",
    )


def load_full(data_dir: str | PathLike[str] | None = None) -> Dataset:
    """Return all 60,000 training and 10,000 test images.

    Parameters
    ----------
    data_dir : path, optional
        Directory of the four IDX files, plain or compressed by gzip. Without
        it they are downloaded once, to ``fashion-mnist`` in the user's cache
        directory or in the one that ``NNFS_XP_DATA_DIR`` names.

    Returns
    -------
    Dataset

    Raises
    ------
    FileFormatError
        If a file of `data_dir` is missing, damaged, or another file.
    DownloadError
        If a file cannot be fetched.
    """
    if data_dir is None:
        arrays = read_downloaded()
    else:
        arrays = read_from_directory(Path(data_dir))
    return _dataset(
        "fashion-mnist", arrays, "all of Fashion-MNIST, with its own test images"
    )


def _dataset(name: str, arrays: dict[str, np.ndarray], note: str) -> Dataset:
    """Join the four arrays; the images have shape (n, height, width)."""
    x_train, x_test = arrays["x_train"], arrays["x_test"]
    return Dataset(
        name=name,
        x_train=x_train.reshape(len(x_train), -1),
        y_train=arrays["y_train"],
        x_test=x_test.reshape(len(x_test), -1),
        y_test=arrays["y_test"],
        class_names=CLASS_NAMES,
        image_shape=(int(x_train.shape[1]), int(x_train.shape[2])),
        scaling=Scaling.images(),
        note=note,
    )
