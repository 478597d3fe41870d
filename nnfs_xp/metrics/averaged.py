"""The base of precision, recall and similar metrics: class counts, and averages."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_choice, check_count, check_flag
from nnfs_xp.backends import Array, Backend
from nnfs_xp.checks import check_pair
from nnfs_xp.errors import InputError
from nnfs_xp.metrics.base import Statistics
from nnfs_xp.metrics.counts import count_true, ratio, without_nan
from nnfs_xp.metrics.decisions import (
    OfDecisions,
    class_numbers,
    decide,
    is_single,
    number_of_classes,
    weight_of_rows,
)

AVERAGES = ("auto", "binary", "macro", "micro", "weighted", "none")
_NAMES = ("true_positives", "predicted", "true")


class ClassCounts(OfDecisions):
    """Base of metrics that are computed from three counts of each class.

    They are the numbers of correct predictions of a class, of its predictions, and of
    its samples. A single output has two classes.
    """

    def empty(self, be: Backend, outputs: tuple[int, ...]) -> Statistics:
        """Return counts of 0 for each class."""
        self.check_outputs(outputs)
        return {name: be.zeros(self.shape(outputs), be.xp.int32) for name in _NAMES}

    def shape(self, outputs: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape of counts, which tells two classes from a single output."""
        return (1, 2) if is_single(outputs) else (number_of_classes(outputs),)

    def batch(
        self, be: Backend, y_pred: Array, y_true: Array, weight: Array | None = None
    ) -> Statistics:
        """Return the counts of each class, a row of two for a single output."""
        outputs = tuple(y_pred.shape[1:])
        predicted, true = self.memberships(be, y_pred, y_true)
        if weight is not None:
            weight = self.weight_of_rows(be, weight, y_pred)[:, None]
        masks = zip(_NAMES, (predicted & true, predicted, true), strict=True)
        return {
            name: be.xp.reshape(
                count_true(be, mask, weight, axis=0), self.shape(outputs)
            )
            for name, mask in masks
        }

    def memberships(
        self, be: Backend, y_pred: Array, y_true: Array
    ) -> tuple[Array, Array]:
        """Return whether each row is predicted to be in each class, and is in it."""
        predicted, true = decide(be, y_pred, y_true, self.threshold)
        outputs = tuple(y_pred.shape[1:])
        numbers = class_numbers(be, number_of_classes(outputs), true)
        return predicted[:, None] == numbers, true[:, None] == numbers

    def weight_of_rows(self, be: Backend, weight: Array, y_pred: Array) -> Array:
        """Return the weight of each row of `memberships`."""
        return weight_of_rows(be, weight, y_pred)

    def counts(self, be: Backend, statistics: Statistics) -> tuple[Array, ...]:
        """Return the three counts as floats, of shape (k,)."""
        xp = be.xp
        return tuple(
            xp.astype(xp.reshape(statistics[name], (-1,)), be.dtype) for name in _NAMES
        )


class AveragedScore(ClassCounts):
    """Base of scores of each class that are ratios of counts.

    Parameters
    ----------
    average : str, default "auto"
        How the scores of the classes are combined into one; see `Precision`.
    threshold : float, default 0.5
        For a single output: predictions above it mean class 1.
    multi_label, top_k : optional
        See `Precision`.
    name, backend, device, dtype : optional
        See `Metric`.
    """

    def __init__(
        self,
        average: str = "auto",
        threshold: float = 0.5,
        *,
        multi_label: bool = False,
        top_k: int | None = None,
        **where: Any,
    ) -> None:
        super().__init__(threshold, **where)
        self.average = check_choice(average, "average", AVERAGES)
        self.multi_label = check_flag(multi_label, "multi_label")
        self.top_k = None if top_k is None else check_count(top_k, "top_k")
        if self.top_k is not None and not self.multi_label:
            raise InputError(f"top_k requires multi_label=True, got {top_k!r}")
        if self.multi_label:
            self.target_kind = "probabilities"

    def share(self, tp: Array, predicted: Array, true: Array) -> tuple[Array, Array]:
        """Return the numerator and the denominator of the score.

        Arguments are floats for each class: the number of its correct predictions, of
        its predictions, and of its samples.
        """
        raise NotImplementedError

    def takes(self, target_kind: str) -> bool:
        """Return whether targets of a kind can be measured; only answers for labels."""
        if self.multi_label:
            return target_kind == "probabilities"
        return super().takes(target_kind)

    def check_data(self, be: Backend, y_pred: Any, y_true: Any) -> tuple[Array, Array]:
        """Return scores, and their targets; see ``OfDecisions``."""
        if self.multi_label:
            return check_pair(be, y_pred, y_true, "probabilities")
        return super().check_data(be, y_pred, y_true)

    def check_outputs(self, outputs: tuple[int, ...]) -> None:
        """Raise InputError if the average or `top_k` does not suit the classes."""
        k = number_of_classes(outputs)
        if self.average == "binary" and (self.multi_label or k != 2):
            what = "several labels" if self.multi_label else f"{k} classes"
            raise InputError(f"average must not be 'binary' for {what}, got 'binary'")
        if self.top_k is not None and self.top_k > (outputs or (1,))[-1]:
            raise InputError(
                f"top_k must be at most the number of labels {(outputs or (1,))[-1]}, "
                f"got {self.top_k}"
            )

    def shape(self, outputs: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape of counts: of each output, if these are labels."""
        return (outputs or (1,))[-1:] if self.multi_label else super().shape(outputs)

    def memberships(
        self, be: Backend, y_pred: Array, y_true: Array
    ) -> tuple[Array, Array]:
        """Return the predicted and the true labels, or class, of each row."""
        if not self.multi_label:
            return super().memberships(be, y_pred, y_true)
        rows = (-1, *self.shape(tuple(y_pred.shape[1:])))
        scores, targets = (be.xp.reshape(a, rows) for a in (y_pred, y_true))
        if self.top_k is None:
            return scores > self.threshold, targets > 0.5
        order = be.xp.argsort(scores, axis=-1, descending=True, stable=True)
        rank = be.xp.argsort(order, axis=-1)
        known = without_nan(be, scores)[:, None]
        return (rank < self.top_k) & known, targets > 0.5

    def weight_of_rows(self, be: Backend, weight: Array, y_pred: Array) -> Array:
        """Return the weight of each row of `memberships`."""
        if not self.multi_label:
            return super().weight_of_rows(be, weight, y_pred)
        positions = y_pred[..., 0] if y_pred.ndim > 1 else y_pred
        return weight_of_rows(be, weight, positions[..., None])

    def compute(self, be: Backend, statistics: Statistics) -> Array:
        """Return the average of the scores, 0-d, or the scores of all classes, (k,)."""
        xp = be.xp
        average = self.average
        if average == "auto":
            average = "binary" if statistics["true"].ndim == 2 else "macro"
        tp, predicted, true = self.counts(be, statistics)
        if average == "micro":
            tp, predicted, true = xp.sum(tp), xp.sum(predicted), xp.sum(true)
        scores = ratio(be, *self.share(tp, predicted, true))
        if average == "binary":
            return scores[1]
        if average == "macro" and self.multi_label:
            return xp.mean(scores)
        if average == "macro":
            occurs = xp.astype(predicted + true > 0, be.dtype)
            return ratio(be, xp.sum(scores * occurs), xp.sum(occurs))
        if average == "weighted":
            return ratio(be, xp.sum(scores * true), xp.sum(true))
        return scores
