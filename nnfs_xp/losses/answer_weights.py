"""Weights of the answers yes and no, for each output or for all."""

from __future__ import annotations

import numbers
from typing import Any

from nnfs_xp.arguments import check_rates
from nnfs_xp.backends import Array, Backend
from nnfs_xp.checks.values import check_probabilities
from nnfs_xp.losses.class_weights import ClassWeights, Weighted
from nnfs_xp.losses.targets import as_axes, share_of_output, sum_over_outputs


class AnswerWeights(Weighted):
    """A factor for the answer yes, and class weights, for a `Loss` of probabilities.

    There are two class weights, for the answers no and yes.
    """

    _positive: ClassWeights | None

    def set_answer_weights(self, pos_weight: Any, class_weight: Any) -> None:
        """Check and keep the options."""
        self._positive = self._weights = None
        if pos_weight is not None:
            one = isinstance(pos_weight, numbers.Real)
            values = check_rates([pos_weight] if one else pos_weight, "pos_weight")
            self._positive = ClassWeights(values, "pos_weight")
        if class_weight is not None:
            self._weights = ClassWeights(class_weight)
            self._weights.check_classes(2)

    @property
    def pos_weight(self) -> float | tuple[float, ...] | None:
        """The factor for the answer yes, or one factor for each output."""
        if self._positive is None:
            return None
        values = self._positive.values
        return values[0] if len(values) == 1 else values

    @property
    def is_weighted(self) -> bool:
        """Whether an answer may have a weight other than 1."""
        return self._weights is not None or self._positive is not None

    def weighted_answers(self, be: Backend, y: Array) -> tuple[Array, Array]:
        """Return the weights of the answers yes and no, for targets y."""
        yes, no = y, 1.0 - y
        if self._positive is not None:
            values = self._positive.values
            yes = yes * (values[0] if len(values) == 1 else self._positive.on(be))
        if self._weights is not None:
            of_no, of_yes = self._weights.values
            yes, no = of_yes * yes, of_no * no
        return yes, no

    def sample_counts(self, be: Backend, y_true: Array) -> Array | None:
        """Return the mean class weight of the answers of each sample."""
        if self._weights is None:
            return None
        of_no, of_yes = self._weights.values
        weights = of_yes * y_true + of_no * (1.0 - y_true)
        return sum_over_outputs(be, weights * share_of_output(y_true))

    def check_targets(
        self,
        be: Backend,
        value: Any,
        name: str,
        prediction_shape: tuple[int | None, ...],
        *,
        host_allowed: bool = False,
    ) -> Array:
        """Return targets, or raise InputError; see `Loss`."""
        if self._positive is not None and len(self._positive.values) > 1:
            several = len(prediction_shape) > 1
            self._positive.check_classes(prediction_shape[-1] if several else 1)
            self._positive.place(be)
        return check_probabilities(
            be, value, name, prediction_shape, host_allowed=host_allowed
        )

    def prepare(
        self, be: Backend, y: Array, weight: Array | None, place: Backend
    ) -> bool:
        """Compute balanced class weights from the targets; see `Loss`."""
        if self._positive is not None:
            self._positive.place(place)
        if self._weights is None:
            return False
        weights = 1.0 if weight is None else as_axes(be, weight, y.ndim)
        answers = (1.0 - y) * weights, y * weights
        return self._weights.balance(be, map(be.xp.sum, answers))
