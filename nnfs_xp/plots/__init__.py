"""Pictures of a training run and of what a classifier gets right and wrong.

Every function here takes host NumPy arrays and returns a
`matplotlib.figure.Figure`, built without pyplot: no window opens, nothing
global changes, and it works on a machine without a display. A function named
``draw_...`` draws the same picture into a part of a figure that you made.

Importing this package imports matplotlib, which takes most of a second. So the
rest of the library imports it only when a picture is wanted.
"""

from __future__ import annotations

from nnfs_xp.plots.boundary import decision_boundary, draw_decision_boundary
from nnfs_xp.plots.confusion import confusion_matrix, draw_confusion_matrix
from nnfs_xp.plots.curves import draw_learning_curves, learning_curves
from nnfs_xp.plots.graph import computation_graph
from nnfs_xp.plots.report import report
from nnfs_xp.plots.samples import draw_sample_predictions, sample_predictions
from nnfs_xp.plots.save import save_figure
from nnfs_xp.plots.scores import class_scores, draw_class_scores

__all__ = [
    "class_scores",
    "computation_graph",
    "confusion_matrix",
    "decision_boundary",
    "draw_class_scores",
    "draw_confusion_matrix",
    "draw_decision_boundary",
    "draw_learning_curves",
    "draw_sample_predictions",
    "learning_curves",
    "report",
    "sample_predictions",
    "save_figure",
]
