"""Which network is trained, and which options belong to other networks."""

from __future__ import annotations

import argparse

from nnfs_xp.data import Dataset
from nnfs_xp.errors import InputError
from nnfs_xp.layers import Layer
from nnfs_xp.nets import cnn

NETS = ("dense", "cnn", "gpt")
# Default data for each.
_DATA = {"dense": "fashion-mnist-mini", "cnn": "fashion-mnist-mini", "gpt": "text"}
# Options for networks of dense layers only, with their defaults.
_DENSE_ONLY = {"hidden": None, "activation": "relu", "dropout": 0.0}
_TABLES_ONLY = ("task", "label", "delimiter", "missing", "resize", "data_dir")


def check_net(options: argparse.Namespace) -> None:
    """Fill in the default data, and reject options that do not fit the net.

    Raises
    ------
    InputError
        If an option is for other networks.
    """
    net = options.net
    options.data = _DATA[net] if options.data is None else options.data
    for name, usual in _DENSE_ONLY.items():
        given = getattr(options, name, usual)
        if net != "dense" and given != usual:
            raise InputError(f"{name} is for --net dense, and this is --net {net}")
    for name in _TABLES_ONLY:
        given = getattr(options, name)
        if net == "gpt" and given is not None:
            raise InputError(f"{name} is for tables and pictures, and this is a text")
    for name in ("context", "by"):
        given = getattr(options, name)
        if net != "gpt" and given is not None:
            raise InputError(f"{name} is for --net gpt, and this is --net {net}")


def layers_for_pictures(data: Dataset) -> list[Layer]:
    """Return the layers of a `cnn` for a data set.

    Raises
    ------
    InputError
        If the data holds no pictures, or too small ones, or numbers to predict.
    """
    if data.image_shape is None or not data.n_classes:
        raise InputError(
            f"net: cnn takes pictures and their classes; {data.name} has "
            f"{data.n_features} features for a {data.task}"
        )
    return cnn(data.image_shape, data.n_classes)
