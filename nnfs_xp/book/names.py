"""The book's classes by those of the library, for models that come from files."""

from __future__ import annotations

from typing import Any

from nnfs_xp.book.activations import (
    Activation_Linear,
    Activation_ReLU,
    Activation_Sigmoid,
    Activation_Softmax,
)
from nnfs_xp.book.layers import Layer_Dense, Layer_Dropout
from nnfs_xp.book.losses import (
    Loss_BinaryCrossentropy,
    Loss_CategoricalCrossentropy,
    Loss_MeanAbsoluteError,
    Loss_MeanSquaredError,
)
from nnfs_xp.book.optimizers import (
    Optimizer_Adagrad,
    Optimizer_Adam,
    Optimizer_RMSprop,
    Optimizer_SGD,
)

BOOK_CLASSES: dict[type, type] = {
    book.saved_as: book
    for book in (
        Activation_Linear,
        Activation_ReLU,
        Activation_Sigmoid,
        Activation_Softmax,
        Layer_Dense,
        Layer_Dropout,
        Loss_BinaryCrossentropy,
        Loss_CategoricalCrossentropy,
        Loss_MeanAbsoluteError,
        Loss_MeanSquaredError,
        Optimizer_Adagrad,
        Optimizer_Adam,
        Optimizer_RMSprop,
        Optimizer_SGD,
    )
}


def give_book_name(unit: Any) -> None:
    """Let a unit of the library have the book's methods too, if the book has it."""
    book = BOOK_CLASSES.get(type(unit))
    if book is not None:
        unit.__class__ = book
        # Some of what the library fixes, the book's programs set.
        vars(unit)["_settings"] = frozenset(unit._setting_names())
