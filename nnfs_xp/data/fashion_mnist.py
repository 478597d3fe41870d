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
from nnfs_xp.data.scaling import Scaling

CLASS_NAMES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
    "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip


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
    name, note = "fashion-mnist", "all of Fashion-MNIST, with its own test images"
    if data_dir is None:
        return join_images(name, read_downloaded(), note)
    return join_images(name, read_from_directory(Path(data_dir)), note)


def join_images(name: str, arrays: dict[str, np.ndarray], note: str) -> Dataset:
    """Make a data set of four arrays, whose images have shape (n, height, width)."""
    x_train, x_test = arrays["x_train"], arrays["x_test"]
    rows = [x.reshape(len(x), -1) for x in (x_train, x_test)]
    parts = rows[0], arrays["y_train"], rows[1], arrays["y_test"]
    _, height, width = x_train.shape
    kind = CLASS_NAMES, (height, width), Scaling.images()
    return Dataset(name, *parts, *kind, note)
