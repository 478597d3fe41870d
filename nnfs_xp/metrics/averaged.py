"""What precision, recall and F1 share: counts of each class, and averages."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_choice
from nnfs_xp.backends import Array, Backend
from nnfs_xp.errors import InputError
from nnfs_xp.metrics.base import Statistics
from nnfs_xp.metrics.counts import count_true, no_counts, ratio
from nnfs_xp.metrics.decisions import (
    OfDecisions,
    class_numbers,
    decide,
    is_single,
    number_of_classes,
)

AVERAGES = ("auto", "binary", "macro", "micro", "weighted", "none")


class AveragedScore(OfDecisions):
    """Base of scores that each class has, as a share of counts.

    Parameters
    ----------
    average : str, default "auto"
        How the scores of the classes become one; see `Precision`.
    threshold : float, default 0.5
        For a single output: a prediction above it means class 1.
    name, backend, device, dtype : optional
        See `Metric`.
    """

    def __init__(
        self, average: str = "auto", threshold: float = 0.5, **where: Any
    ) -> None:
        super().__init__(threshold, **where)
        self.average = check_choice(average, "average", AVERAGES)

    def share(self, tp: Array, predicted: Array, true: Array) -> tuple[Array, Array]:
        """Return part and whole of which the score is the ratio.

        Of each class, given in floats: how often it was predicted rightly, how
        often it was predicted, and how often it was true.
        """
        raise NotImplementedError

    def check_outputs(self, outputs: tuple[int, ...]) -> None:
        """Raise InputError if an average of two classes is asked of more."""
        k = number_of_classes(outputs)
        if self.average == "binary" and k != 2:
            raise InputError(
                f"average must be another than 'binary' for {k} classes, got 'binary'"
            )

    def empty(self, be: Backend, outputs: tuple[int, ...]) -> Statistics:
        """Return counts of 0."""
        self.check_outputs(outputs)
        k = 1 if is_single(outputs) else number_of_classes(outputs)
        counts = {
            name: be.zeros((k,), be.xp.int32)
            for name in ("true_positives", "predicted", "true")
        }
        return {**counts, **no_counts(be, "count")}

    def batch(self, be: Backend, y_pred: Array, y_true: Array) -> Statistics:
        """Return the counts of each class; of a single output, of class 1 only."""
        predicted, true = decide(be, y_pred, y_true, self.threshold)
        outputs = tuple(y_pred.shape[1:])
        numbers = class_numbers(
            be, 1 if is_single(outputs) else 0, number_of_classes(outputs), true
        )
        predicted_so, true_so = predicted[:, None] == numbers, true[:, None] == numbers
        return {
            "true_positives": count_true(be, predicted_so & true_so, axis=0),
            "predicted": count_true(be, predicted_so, axis=0),
            "true": count_true(be, true_so, axis=0),
            "count": predicted.shape[0],
        }

    def compute(self, be: Backend, statistics: Statistics) -> Array:
        """Return the average of the scores, 0-d, or those of all classes, (k,)."""
        xp = be.xp
        single = statistics["true"].shape[0] == 1
        average = self.average
        if average == "auto":
            average = "binary" if single else "macro"
        tp, predicted, true = (xp.astype(c, be.dtype) for c in _of_all(be, statistics))
        if average == "micro":
            tp, predicted, true = xp.sum(tp), xp.sum(predicted), xp.sum(true)
        scores = ratio(be, *self.share(tp, predicted, true))
        if average == "binary":
            return scores[1]
        if average == "macro":
            occurs = xp.astype(predicted + true > 0, be.dtype)
            return ratio(be, xp.sum(scores * occurs), xp.sum(occurs))
        if average == "weighted":
            return ratio(be, xp.sum(scores * true), xp.sum(true))
        return scores


def _of_all(be: Backend, statistics: Statistics) -> tuple[Array, Array, Array]:
    """Return the counts of all classes, also where only class 1 was counted."""
    tp, predicted, true = (
        statistics[name] for name in ("true_positives", "predicted", "true")
    )
    if true.shape[0] > 1:
        return tp, predicted, true
    n, concat = statistics["count"], be.xp.concat
    return (
        concat([n - predicted - true + tp, tp]),
        concat([n - predicted, predicted]),
        concat([n - true, true]),
    )
