"""Checks of predictions, and of targets of each kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nnfs_xp.backends import Array, Backend
from nnfs_xp.checks.arrays import check_array, check_features
from nnfs_xp.checks.classes import check_class_targets
from nnfs_xp.checks.values import check_probabilities, check_values

TARGET_CHECKS: dict[str, Callable[..., Array]] = {
    "classes": check_class_targets,
    "probabilities": check_probabilities,
    "values": check_values,
}


def check_predictions(be: Backend, value: Any, target_kind: str) -> Array:
    """Return predictions for targets of a kind as floats, or raise InputError."""
    check = check_features if target_kind == "classes" else check_array
    return be.asarray(check(be, value, "y_pred"), be.dtype)


def check_pair(
    be: Backend, y_pred: Any, y_true: Any, target_kind: str, **options: Any
) -> tuple[Array, Array]:
    """Return predictions and targets, or raise InputError.

    Parameters
    ----------
    be : Backend
        Where both have to be.
    y_pred, y_true : array or array_like
        Predictions and targets.
    target_kind : {"classes", "probabilities", "values"}
        What targets are wanted.
    **options
        Of the check of such targets.
    """
    predictions = check_predictions(be, y_pred, target_kind)
    shape, check = tuple(predictions.shape), TARGET_CHECKS[target_kind]
    return predictions, check(be, y_true, "y_true", shape, **options)
