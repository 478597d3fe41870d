"""The order of features behind a `Flatten` of images.

PyTorch has the channels of an image before height and width, and so it flattens them in
another order than this library and Keras do.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from nnfs_xp.arguments import check_counts
from nnfs_xp.errors import InputError
from nnfs_xp.layers import (
    AveragePool2D,
    Conv1D,
    Conv2D,
    Dense,
    Flatten,
    Layer,
    MaxPool2D,
    Sequential,
    UpSampling2D,
    ZeroPadding2D,
)
from nnfs_xp.model import Model
from nnfs_xp.registry import is_exactly

_OF_IMAGES = (AveragePool2D, Conv1D, Conv2D, MaxPool2D, UpSampling2D, ZeroPadding2D)


def orders_of(model: Model, sample_shape: Any = None) -> dict[int, np.ndarray]:
    """Return the order of the features of units behind a `Flatten`, by their ``id``.

    Entry i is the number that feature i of PyTorch has here. All layers up to the next
    `Dense` have it.

    Raises
    ------
    InputError
        If the shape of a sample is needed and not known.
    """
    found: dict[int, np.ndarray] = {}
    shape = model.input_shape
    if sample_shape is not None:
        shape = check_counts(sample_shape, "sample_shape")
    images, order = False, None
    for unit in _chain(Sequential(model.layers)):
        images = images or is_exactly(unit, *_OF_IMAGES)
        if is_exactly(unit, Flatten) and images:
            if shape is None:
                raise InputError(
                    "sample_shape is needed: PyTorch flattens images in another order"
                )
            numbers = np.arange(np.prod(shape)).reshape(shape)
            order, images = np.moveaxis(numbers, -1, 0).reshape(-1), False
        elif order is not None:
            found[id(unit)] = order
        if is_exactly(unit, Dense):
            order = None
        shape = None if shape is None else unit.output_shape(shape)
    return found


def ordered(unit: Layer, own: dict[str, np.ndarray], order: Any) -> Any:
    """Return the arrays of a unit with its features in an order."""
    if is_exactly(unit, Dense):
        return {**own, "weights": own["weights"][order]}
    return {
        name: array[order] if array.shape == order.shape else array
        for name, array in own.items()
    }


def _chain(block: Sequential) -> Iterator[Layer]:
    for unit in block.layers:
        if is_exactly(unit, Sequential):
            yield from _chain(unit)
        else:
            yield unit
