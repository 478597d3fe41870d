"""What a case of each kind is made of."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

import nnfs_xp as nx


@dataclasses.dataclass
class LayerCase:
    make: Callable[[], nx.Layer]
    x: np.ndarray
    torch_forward: Callable[[Any, dict, Any], Any]  # (torch, params, x) -> y


@dataclasses.dataclass
class LossCase:
    make: Callable[..., nx.Loss]
    y_pred: np.ndarray
    y_true: np.ndarray
    torch_losses: Callable[[Any, Any, Any], Any]  # (torch, y_pred, y_true) -> (n,)


@dataclasses.dataclass
class OptimizerCase:
    make: Callable[[], nx.Optimizer]
    recurrence: Callable[[np.ndarray, list[np.ndarray]], np.ndarray]
    torch_optimizer: Callable[[Any, list], Any]
