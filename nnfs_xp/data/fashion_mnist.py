"""Fashion-MNIST: images of clothing, 28 x 28 pixels, in ten classes."""

from __future__ import annotations

import os
from os import PathLike
from pathlib import Path
from typing import NamedTuple

import numpy as np

from nnfs_xp.data.dataset import Dataset
from nnfs_xp.data.idx import read_idx
from nnfs_xp.data.scaling import Scaling
from nnfs_xp.data.streams import plain_or_gz
from nnfs_xp.errors import DownloadError, FileFormatError
from nnfs_xp.io.atomic import checked_path

CLASS_NAMES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
    "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip


class SourceFile(NamedTuple):
    """One file as its authors publish it, compressed by gzip.

    Parameters
    ----------
    name : str
        Its name without ``.gz``.
    gz_md5 : str
        Checksum of the download.
    sha256 : str
        Checksum of the content. Copies found elsewhere have often been recompressed, so
        only this one identifies them.
    """

    name: str
    gz_md5: str
    sha256: str


FILES = {
    "x_train": SourceFile(
        "train-images-idx3-ubyte",
        "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    ),
    "y_train": SourceFile(
        "train-labels-idx1-ubyte",
        "25c81989df183df01b3e8a0aad5dffbe",
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    ),
    "x_test": SourceFile(
        "t10k-images-idx3-ubyte",
        "bef4ecab320f06d8554ea6380940ec79",
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    ),
    "y_test": SourceFile(
        "t10k-labels-idx1-ubyte",
        "bb300cfdad3c16e7a12a480ee83cd310",
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ),
}

# Tried in this order.
URLS = (
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/"
    "data/fashion/",
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
    name, note = "fashion-mnist", "all of Fashion-MNIST, with its own test images"
    if data_dir is None:
        cache = cache_directory()
        arrays = {key: _cached_or_fetched(file, cache) for key, file in FILES.items()}
        return join_images(name, arrays, note)
    directory = Path(checked_path(data_dir, "data_dir"))
    return join_images(name, read_from_directory(directory), note)


def join_images(name: str, arrays: dict[str, np.ndarray], note: str) -> Dataset:
    """Make a data set from four arrays, whose images have shape (n, height, width)."""
    x_train, x_test = arrays["x_train"], arrays["x_test"]
    rows = [x.reshape(len(x), -1) for x in (x_train, x_test)]
    parts = rows[0], arrays["y_train"], rows[1], arrays["y_test"]
    _, height, width = x_train.shape
    kind = CLASS_NAMES, (height, width), Scaling.images()
    return Dataset(name, *parts, *kind, note)


def read_from_directory(directory: Path) -> dict[str, np.ndarray]:
    """Read the four files of a directory.

    Parameters
    ----------
    directory : pathlib.Path
        Holds the files, each plain or with ``.gz``.

    Returns
    -------
    dict
        Arrays under the keys of `FILES`.

    Raises
    ------
    FileFormatError
        If a file is missing, damaged, or another file.
    """
    paths = {key: plain_or_gz(directory / file.name) for key, file in FILES.items()}
    missing = [FILES[key].name for key, path in paths.items() if path is None]
    if missing:
        raise FileFormatError(
            f"{directory}: holds no {', no '.join(missing)} (plain or .gz)"
        )
    return {
        key: read_idx(path, sha256=FILES[key].sha256)
        for key, path in paths.items()
        if path is not None
    }


def cache_directory() -> Path:
    """Return where downloads are kept, whether or not it exists.

    The data set has its own directory there, because MNIST and its other relatives use
    the same file names.
    """
    import pooch

    root = os.environ.get("NNFS_XP_DATA_DIR") or pooch.os_cache("nnfs_xp")
    return Path(root).expanduser() / "fashion-mnist"


def _cached_or_fetched(file: SourceFile, directory: Path) -> np.ndarray:
    path = plain_or_gz(directory / file.name)
    if path is not None:
        try:
            return read_idx(path, sha256=file.sha256)
        except FileFormatError:
            pass  # a damaged copy is fetched again
    return read_idx(_fetch(file, directory), sha256=file.sha256)


def _fetch(file: SourceFile, directory: Path) -> Path:
    """Download one file from the first address that delivers it unharmed."""
    import pooch

    name, failures = f"{file.name}.gz", []
    for url in URLS:
        try:
            path = pooch.retrieve(url + name, f"md5:{file.gz_md5}", name, directory)
        # Whatever the network does is an OSError; a wrong checksum is a
        # ValueError.
        except (OSError, ValueError) as error:
            failures.append(f"\n  {url}{name}: {error}")
        else:
            return Path(path)
    raise DownloadError(
        f"{name} of Fashion-MNIST could not be downloaded to {directory}:"
        f"{''.join(failures)}\n"
        "Without a network, get the four files another way and name their "
        "directory with --data-dir (data_dir=...)."
    )
