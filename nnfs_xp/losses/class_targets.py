"""What the losses of classes do with labels and rows before they compare."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_decay, check_ignore_index
from nnfs_xp.backends import Array, Backend
from nnfs_xp.checks import check_class_targets
from nnfs_xp.losses.class_weights import ClassWeights
from nnfs_xp.losses.smoothing import smooth
from nnfs_xp.losses.targets import as_rows


class ClassTargets:
    """Label smoothing, class weights and ignored labels, for a `Loss` of classes.

    Target rows ``y`` of C classes, or one-hot rows of labels, become::

        q_j = w_j (y_j (1 - s) + s / C)

    and the row of an ignored label becomes zeros. A cross-entropy against
    such rows is smoothed and weighted, without any further line.
    """

    label_smoothing: float
    ignore_index: int | None
    _weights: ClassWeights | None

    def set_target_options(
        self, label_smoothing: float, class_weight: Any, ignore_index: int | None
    ) -> None:
        """Check and keep the options."""
        self.label_smoothing = check_decay(label_smoothing, "label_smoothing")
        self._weights = None if class_weight is None else ClassWeights(class_weight)
        self.ignore_index = check_ignore_index(ignore_index)

    @property
    def class_weight(self) -> tuple[float, ...] | None:
        """The weight of each class, None if all are 1."""
        return None if self._weights is None else self._weights.values

    def weighted_targets(self, be: Backend, y_true: Array, like: Array) -> Array:
        """Return ``q`` as rows of the shape of `like`.

        Targets to which no option applies are returned as they are, so that
        plain labels need not become rows.
        """
        ignoring = self.ignore_index is not None and y_true.ndim == 1
        if not (self.label_smoothing or self._weights or ignoring):
            return y_true
        q = smooth(as_rows(be, y_true, like), self.label_smoothing, like.shape[1])
        if self._weights is not None:
            self._weights.check_classes(like.shape[1])
            q = q * self._weights.on(be)
        if ignoring:
            q = be.xp.where((y_true != self.ignore_index)[:, None], q, be.zero)
        return q

    def counts(self, be: Backend, y_true: Array) -> Array | None:
        """Return the class weight of each label, and 0 for an ignored one.

        A row counts 1, as does every label without these options.
        """
        if y_true.ndim == 2 or (self._weights is None and self.ignore_index is None):
            return None
        if self._weights is None:
            counts = be.full(y_true.shape, 1.0)
        else:
            weights = self._weights.on(be)[None, :]
            counts = be.xp.sum(as_rows(be, y_true, weights) * weights, axis=1)
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
        if self._weights is not None and len(prediction_shape) == 2:
            self._weights.check_classes(prediction_shape[1])
            self._weights.place(be)
        return check_class_targets(
            be, value, name, prediction_shape,
            host_allowed=host_allowed, ignore_index=self.ignore_index,
        )  # fmt: skip

    def target_config(self) -> dict[str, Any]:
        """Return the options that are not at their defaults."""
        options = {
            "label_smoothing": self.label_smoothing or None,
            "class_weight": self.class_weight,
            "ignore_index": self.ignore_index,
        }
        return {name: value for name, value in options.items() if value is not None}
