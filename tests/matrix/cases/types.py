"""What a case of each kind is made of."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

import nnfs_xp as nx

# Of the random numbers in the tests of units in training.
STEP = 3


@dataclasses.dataclass
class LayerCase:
    """A unit with inputs, beside the same computation by PyTorch.

    `x` is a tuple for several inputs; integers are ids. Functions of PyTorch are given
    parameters and buffers by path. That for training is asked for only where it is
    another one, and writes the new values of buffers into the given ones.
    """

    make: Callable[[], nx.Layer]
    x: Any
    torch_forward: Callable[[Any, dict, Any], Any]  # (torch, values, x) -> y
    torch_training: Callable[[Any, dict, Any], Any] | None = None


class ElementwiseCase(LayerCase):
    """A unit without parameters whose outputs each come from the input in its place."""


@dataclasses.dataclass
class LossCase:
    make: Callable[..., nx.Loss]
    y_pred: np.ndarray
    y_true: np.ndarray
    # (torch, y_pred, y_true) -> losses, one for each sample
    torch_losses: Callable[[Any, Any, Any], Any]


@dataclasses.dataclass
class OptimizerCase:
    make: Callable[[], nx.Optimizer]
    recurrence: Callable[[np.ndarray, list[np.ndarray]], np.ndarray]
    # None where neither PyTorch nor optax computes the same.
    torch_optimizer: Callable[[Any, list], Any] | None
    # Whether the formula is another one than that of the first case.
    other_formula: bool = False
