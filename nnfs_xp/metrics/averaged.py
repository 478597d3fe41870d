"""What precision, recall and F1 share: counts of each class, and averages."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_choice
from nnfs_xp.backends import Array, Backend
from nnfs_xp.errors import InputError
from nnfs_xp.metrics.base import Statistics
from nnfs_xp.metrics.counts import count_true, ratio
from nnfs_xp.metrics.decisions import (
    OfDecisions,
    class_numbers,
    decide,
    is_single,
    number_of_classes,
    weight_of_rows,
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
        """Return counts of 0 for each class."""
        self.check_outputs(outputs)
        names, shape = ("true_positives", "predicted", "true"), _shape(outputs)
        return {name: be.zeros(shape, be.xp.int32) for name in names}

    def batch(
        self, be: Backend, y_pred: Array, y_true: Array, weight: Array | None = None
    ) -> Statistics:
        """Return the counts of each class, in a row of two for a single output."""
        xp, outputs = be.xp, tuple(y_pred.shape[1:])
        predicted, true = decide(be, y_pred, y_true, self.threshold)
        numbers = class_numbers(be, number_of_classes(outputs), true)
        predicted_so, true_so = predicted[:, None] == numbers, true[:, None] == numbers
        if weight is not None:
            weight = weight_of_rows(be, weight, y_pred)[:, None]
        masks = {
            "true_positives": predicted_so & true_so,
            "predicted": predicted_so,
            "true": true_so,
        }
        return {
            name: xp.reshape(count_true(be, mask, weight, axis=0), _shape(outputs))
            for name, mask in masks.items()
        }

    def compute(self, be: Backend, statistics: Statistics) -> Array:
        """Return the average of the scores, 0-d, or those of all classes, (k,)."""
        xp = be.xp
        average = self.average
        if average == "auto":
            average = "binary" if statistics["true"].ndim == 2 else "macro"
        tp, predicted, true = (
            xp.astype(xp.reshape(statistics[name], (-1,)), be.dtype)
            for name in ("true_positives", "predicted", "true")
        )
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


def _shape(outputs: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape of counts, which tells two classes from a single output."""
    return (1, 2) if is_single(outputs) else (number_of_classes(outputs),)
