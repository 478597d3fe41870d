"""Metrics: what people want to know of predictions."""

from nnfs_xp.metrics.accuracy import Accuracy
from nnfs_xp.metrics.base import Metric
from nnfs_xp.metrics.binary_accuracy import BinaryAccuracy
from nnfs_xp.metrics.confusion_matrix import ConfusionMatrix
from nnfs_xp.metrics.f1 import F1
from nnfs_xp.metrics.precision import Precision
from nnfs_xp.metrics.r2 import R2
from nnfs_xp.metrics.recall import Recall
from nnfs_xp.metrics.regression_accuracy import RegressionAccuracy
from nnfs_xp.metrics.top_k_accuracy import TopKAccuracy

__all__ = [
    "F1",
    "R2",
    "Accuracy",
    "BinaryAccuracy",
    "ConfusionMatrix",
    "Metric",
    "Precision",
    "Recall",
    "RegressionAccuracy",
    "TopKAccuracy",
]
