"""Finding the IDX files that belong together.

MNIST and its relatives come as ``train-images-idx3-ubyte`` and
``train-labels-idx1-ubyte``, with ``t10k`` for ``train`` in the test part. Some
copies write ``.idx3`` for ``-idx3``; any of the files may end in ``.gz``.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from nnfs_xp.data.idx import read_idx
from nnfs_xp.data.streams import plain_or_gz
from nnfs_xp.data.tables import Tables, make_tables
from nnfs_xp.errors import FileFormatError

# Prefix, separator and number of dimensions.
_IMAGES = re.compile(r"(.*)images([-.])idx(\d)-ubyte(?:\.gz)?")


def is_idx_name(name: str) -> bool:
    """Return whether a file of this name is one of an IDX family."""
    return re.search(r"[-.]idx\d-ubyte(\.gz)?$", name) is not None


def read_idx_directory(directory: Path, *, labels: bool = True) -> Tables:
    """Read the training images of a directory and what belongs to them.

    Parameters
    ----------
    directory : pathlib.Path
        Holds files of the names above. The two ``t10k`` files may be absent.
    labels : bool, default True
        Whether images without labels are refused.

    Returns
    -------
    Tables

    Raises
    ------
    FileFormatError
        If there are no training images, or `read_idx_images` refuses them.
    """
    for separator in "-.":
        images = plain_or_gz(directory / f"train-images{separator}idx3-ubyte")
        if images is not None:
            return read_idx_images(images, labels=labels)
    raise FileFormatError(
        f"{directory}: is a directory without train-images-idx3-ubyte or "
        "train-images-idx3-ubyte.gz"
    )


def read_idx_images(path: Path, *, labels: bool = True) -> Tables:
    """Read an IDX file of images and the files that belong to it.

    Parameters
    ----------
    path : pathlib.Path
        The images. Their labels are looked for beside them, and beside
        ``train-*`` also the test images ``t10k-*``.
    labels : bool, default True
        Whether images without labels are refused.

    Returns
    -------
    Tables

    Raises
    ------
    FileFormatError
        If a file is missing or damaged, or two do not fit together.
    """
    match = _IMAGES.fullmatch(path.name)
    if match is None:
        raise FileFormatError(
            f"{path}: give the IDX file of the images, called like "
            "train-images-idx3-ubyte; the labels are found beside it"
        )
    prefix, separator, dimensions = match.groups()
    train = read_idx(path), _read_labels(path, prefix, separator, labels)

    images_test = None
    if prefix == "train-":
        images_test = plain_or_gz(
            path.with_name(f"t10k-images{separator}idx{dimensions}-ubyte")
        )
    if images_test is None:
        return make_tables(path, train)
    y_test = _read_labels(images_test, "t10k-", separator, labels)
    return make_tables(path, train, (read_idx(images_test), y_test))


def _read_labels(
    images: Path, prefix: str, separator: str, required: bool
) -> np.ndarray | None:
    """Read the labels that belong to `images`; None if there are none."""
    wanted = images.with_name(f"{prefix}labels{separator}idx1-ubyte")
    found = plain_or_gz(wanted)
    if found is not None:
        return read_idx(found)
    if required:
        raise FileFormatError(
            f"{images}: its labels are missing; neither {wanted.name} nor "
            f"{wanted.name}.gz is in {images.parent}"
        )
    return None
