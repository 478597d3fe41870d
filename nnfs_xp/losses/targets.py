"""Targets in the form that losses compute with."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from nnfs_xp.arguments import check_decay, check_ignore_index
from nnfs_xp.backends import Array, Backend
from nnfs_xp.checks import check_class_targets
from nnfs_xp.errors import InputError
from nnfs_xp.losses.class_weights import ClassWeights, Weighted


def as_rows(be: Backend, targets: Array, like: Array) -> Array:
    """Return targets as rows of the shape of `like`, in its dtype.

    Labels, which have one axis fewer, become one-hot rows by comparison with the class
    numbers, since indexing by two integer arrays is not in the Array API. A label out
    of range becomes a row of zeros.
    """
    xp = be.xp
    if targets.ndim < like.ndim:
        classes = xp.arange(like.shape[-1], dtype=targets.dtype, device=be.device)
        targets = targets[..., None] == classes
    # Integers would wrap around when they are negated.
    return targets if targets.dtype == like.dtype else xp.astype(targets, like.dtype)


def as_column(weights: Array | float, ndim: int = 2) -> Array | float:
    """Return the sample weights in a shape that multiplies arrays of `ndim` axes.

    A single number for all samples is returned unchanged.
    """
    if isinstance(weights, float):
        return weights
    return weights[(..., *(None,) * (ndim - weights.ndim))]


def as_axes(be: Backend, weights: Array, ndim: int) -> Array:
    """Return the sample weights with as many axes as the losses."""
    if weights.ndim == ndim:
        return weights
    return be.xp.reshape(weights, (*weights.shape, *(1,) * (ndim - weights.ndim)))


# The loss of a sample as the mean over its outputs. Each term is divided by the number
# of outputs before they are added, so that the sum overflows only where the mean does.


def share_of_output(y_pred: Array) -> float:
    """Return 1 divided by the number of outputs of a sample."""
    return 1.0 / math.prod(y_pred.shape[1:])


def sum_over_outputs(be: Backend, values: Array) -> Array:
    """Return the sum over all axes but the first."""
    if values.ndim == 1:
        return values
    return be.xp.sum(values, axis=tuple(range(1, values.ndim)))


def weights_of_outputs(dlosses: Array | float, y_pred: Array) -> Array | float:
    """Return the factor of the gradient of every output."""
    return as_column(dlosses, y_pred.ndim) * share_of_output(y_pred)


class NotNegative:
    """Targets of 0 or more, for a `Loss` of values."""

    def check_targets(
        self, be: Backend, value: Any, name: str, *rest: Any, **how: Any
    ) -> Array:
        """Return targets, or raise InputError; see `Loss`."""
        targets = super().check_targets(be, value, name, *rest, **how)  # type: ignore[misc]
        if bool(be.xp.any(targets < 0)):
            lowest = float(be.xp.min(targets))
            raise InputError(f"{name} must hold numbers of 0 or more, got {lowest:g}")
        return targets


def smooth(y: Array, smoothing: float, n_classes: int) -> Array:
    """Return ``y (1 - s) + s / C``: a share `s` of every target spread evenly.

    Szegedy et al., "Rethinking the Inception Architecture for Computer
    Vision", 2016, section 7.
    """
    return y if smoothing == 0 else y * (1.0 - smoothing) + smoothing / n_classes


def are_labels(be: Backend, targets: Array) -> bool:
    """Return whether targets are labels, which are integers, and not rows."""
    return be.xp.isdtype(targets.dtype, ("integral", "bool"))


class ClassTargets(Weighted):
    """Label smoothing, class weights and ignored labels, for a `Loss` of classes.

    Target rows ``y`` of C classes, or one-hot rows of labels, become::

        q_j = w_j (y_j (1 - s) + s / C)

    The row of an ignored label becomes zeros. A cross-entropy against such rows is
    smoothed and weighted without any further code.
    """

    label_smoothing: float
    ignore_index: int | None
    # The number of classes of the last checked targets, if it is known.
    _classes: int | None

    def set_target_options(
        self, label_smoothing: float, class_weight: Any, ignore_index: int | None
    ) -> None:
        """Check and keep the options."""
        self.label_smoothing = check_decay(label_smoothing, "label_smoothing")
        self._weights = None if class_weight is None else ClassWeights(class_weight)
        self.ignore_index = check_ignore_index(ignore_index)

    def prepare(
        self, be: Backend, y: Array, weight: Array | None, place: Backend
    ) -> bool:
        """Compute balanced class weights from the labels; see `Loss`."""
        if self._weights is None:
            return False
        changed = self._weights.balance(be, self._totals(be, y, weight))
        self._weights.place(place)
        return changed

    def _totals(self, be: Backend, y: Array, weight: Array | None) -> Iterator[Array]:
        """Yield the number of targets of each class, one by one, to save memory."""
        labels = are_labels(be, y)
        for k in range((self._classes or 0) if labels else y.shape[-1]):
            own = be.xp.astype(y == k, be.dtype) if labels else y[..., k]
            if labels and k == self.ignore_index:
                own = own * 0.0
            if weight is not None:
                own = own * as_axes(be, weight, own.ndim)
            yield be.xp.sum(own)

    def weighted_targets(self, be: Backend, y_true: Array, like: Array) -> Array:
        """Return ``q`` as rows of the shape of `like`.

        Targets to which no option applies are returned as they are, so that
        plain labels need not become rows.
        """
        ignoring = self.ignore_index is not None and are_labels(be, y_true)
        if not (self.label_smoothing or self._weights or ignoring):
            return y_true
        q = smooth(as_rows(be, y_true, like), self.label_smoothing, like.shape[-1])
        if self._weights is not None:
            self._weights.check_classes(like.shape[-1])
            q = q * self._weights.on(be)
        if ignoring:
            q = be.xp.where((y_true != self.ignore_index)[..., None], q, be.zero)
        return q

    def sample_counts(self, be: Backend, y_true: Array) -> Array | None:
        """Return the class weight of each label, and 0 for an ignored one.

        A row counts 1, and so does every label without these options.
        """
        if self._weights is None and self.ignore_index is None:
            return None
        if not are_labels(be, y_true):
            return None
        if self._weights is None:
            counts = be.full(tuple(y_true.shape), 1.0)
        else:
            weights = self._weights.on(be)[(None,) * y_true.ndim + (...,)]
            counts = be.xp.sum(as_rows(be, y_true, weights) * weights, axis=-1)
        if self.ignore_index is not None:
            counts = be.xp.where(y_true != self.ignore_index, counts, be.zero)
        return counts

    def check_targets(
        self,
        be: Backend,
        value: Any,
        name: str,
        prediction_shape: tuple[int | None, ...],
        *,
        host_allowed: bool = False,
    ) -> Array:
        """Return labels or rows, or raise InputError; see `Loss`."""
        if self._weights is not None and len(prediction_shape) > 1:
            self._classes = prediction_shape[-1]
            self._weights.check_classes(self._classes)
            self._weights.place(be)
        return check_class_targets(
            be, value, name, prediction_shape,
            host_allowed=host_allowed, ignore_index=self.ignore_index,
        )  # fmt: skip

    def losses_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape without its last axis: every row is a sample."""
        return shape[:-1]
