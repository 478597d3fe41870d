"""``nnfs-xp export``: a saved model for other programs."""

from __future__ import annotations

import argparse
import math

from nnfs_xp.cli.results import model_path
from nnfs_xp.cli.standard import answer
from nnfs_xp.errors import InputError
from nnfs_xp.io.atomic import check_writable
from nnfs_xp.model import Model
from nnfs_xp.model.exports import writer_for


def run(options: argparse.Namespace) -> int:
    """Write the file, and say where it is."""
    writer_for(options.file)
    check_writable(options.file)
    model = Model.load(model_path(options))
    shape, image = options.sample_shape, model.metadata.get("image_shape")
    if shape is None and model.input_shape is None and image is not None:
        # `train` hands pictures over in rows.
        shape = (math.prod(image),)
    try:
        model.export(options.file, sample_shape=shape)
    except InputError as error:
        message = str(error).replace("sample_shape is", "--sample-shape is")
        raise InputError(message) from error
    answer(options, {"file": options.file}, f"wrote {options.file}")
    return 0
