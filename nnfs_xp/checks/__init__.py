"""The contract on data, checked where data enters and nowhere else.

Features are real arrays of shape (n, features). Targets are integer labels of
shape (n,), one-hot or soft rows of shape (n, classes), or numbers of the shape
of the predictions; it is for the loss to say which. What does not fit raises
an `InputError` that names the argument, the same on every backend and before
anything changes. The training step then trusts what it gets.
"""

from nnfs_xp.checks.arrays import (
    check_array,
    check_features,
    check_finite,
)
from nnfs_xp.checks.classes import check_class_targets
from nnfs_xp.checks.inputs import check_inputs
from nnfs_xp.checks.pairs import TARGET_CHECKS, check_pair, check_predictions
from nnfs_xp.checks.settings import check_fits, check_settings, check_sizes
from nnfs_xp.checks.values import check_sample_weight

__all__ = [
    "TARGET_CHECKS",
    "check_array",
    "check_class_targets",
    "check_features",
    "check_finite",
    "check_fits",
    "check_inputs",
    "check_pair",
    "check_predictions",
    "check_sample_weight",
    "check_settings",
    "check_sizes",
]
