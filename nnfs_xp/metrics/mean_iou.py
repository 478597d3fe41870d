"""The overlap of the samples of a class and those predicted to be in it."""

from __future__ import annotations

from typing import Any

from nnfs_xp.backends import Array
from nnfs_xp.metrics.averaged import AveragedScore
from nnfs_xp.registry import register


@register("metric")
class MeanIoU(AveragedScore):
    """Intersection over union of the samples and the predictions of each class.

    Let ``TP``, ``FP`` and ``FN`` be the numbers of true positives, false positives and
    false negatives of a class::

        IoU = TP / (TP + FP + FN)

    This is the Jaccard index of the two sets, by default averaged over the classes that
    occur, as in Keras's ``MeanIoU``. Inputs and averages are the same as for
    `Precision`, and as for scikit-learn's ``jaccard_score``. Each pixel of an image is
    a sample: predictions of shape (n, height, width, k) have labels of shape (n,
    height, width).

    Parameters
    ----------
    average : str, default "macro"
        See `Precision`.
    threshold, multi_label, top_k : optional
        See `Precision`.
    name, backend, device, dtype : optional
        See `Metric`.

    References
    ----------
    Jaccard, "The distribution of the flora in the alpine zone", New Phytologist 11
    (1912). Everingham et al., "The PASCAL visual object classes challenge", 2010,
    section 4.3.

    Examples
    --------
    >>> from nnfs_xp import MeanIoU
    >>> metric = MeanIoU("none", dtype="float64")
    >>> metric.calculate([0.9, 0.8, 0.3, 0.1], [1, 0, 0, 0]).round(4)
    array([0.6667, 0.5   ])
    """

    name = "mean_iou"

    def __init__(
        self, average: str = "macro", threshold: float = 0.5, **where: Any
    ) -> None:
        super().__init__(average, threshold, **where)

    def share(self, tp: Array, predicted: Array, true: Array) -> tuple[Array, Array]:
        """Return the true positives, and the number of predicted or true ones."""
        return tp, predicted + true - tp
