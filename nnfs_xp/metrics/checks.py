"""Checks of what a metric compares, by the kind of its targets."""

from __future__ import annotations

from typing import Any

from nnfs_xp.backends import Array, Backend
from nnfs_xp.checks import (
    check_array,
    check_features,
    check_probabilities,
    check_targets,
    check_values,
)


def check_class_pair(
    be: Backend, y_pred: Any, y_true: Any, ignore_index: int | None = None
) -> tuple[Array, Array]:
    """Return scores (n, k), and integer labels (n,) or rows (n, k)."""
    scores = be.asarray(check_features(be, y_pred, "y_pred"), be.dtype)
    targets = check_targets(
        be, y_true, "y_true", *scores.shape, ignore_index=ignore_index
    )
    return scores, targets


def check_probability_pair(
    be: Backend, y_pred: Any, y_true: Any
) -> tuple[Array, Array]:
    """Return predictions, and targets of the same shape from 0 to 1."""
    predictions = be.asarray(check_array(be, y_pred, "y_pred"), be.dtype)
    shape = tuple(predictions.shape)
    return predictions, check_probabilities(be, y_true, "y_true", shape)


def check_value_pair(be: Backend, y_pred: Any, y_true: Any) -> tuple[Array, Array]:
    """Return predictions, and finite targets of the same shape."""
    predictions = be.asarray(check_array(be, y_pred, "y_pred"), be.dtype)
    shape = tuple(predictions.shape)
    return predictions, check_values(be, y_true, "y_true", shape)


CHECKS = {
    "classes": check_class_pair,
    "probabilities": check_probability_pair,
    "values": check_value_pair,
}
