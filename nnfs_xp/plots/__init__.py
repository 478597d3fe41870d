"""Pictures of a training run and of what a classifier gets right and wrong.

Every function here takes host NumPy arrays, or a model and its data, and
returns a `matplotlib.figure.Figure`, built without pyplot: no window opens,
nothing global changes, and it works on a machine without a display. A function
named ``draw_...`` draws the same picture into a part of a figure that you made.

Importing this package imports matplotlib, which takes most of a second. So the
rest of the library imports it only when a picture is wanted.
"""

from __future__ import annotations

from nnfs_xp.plots.animation import BoundaryFrame, BoundaryRecorder, boundary_animation
from nnfs_xp.plots.boundary import decision_boundary, draw_decision_boundary
from nnfs_xp.plots.confusion import (
    class_scores,
    confusion_matrix,
    draw_class_scores,
    draw_confusion_matrix,
)
from nnfs_xp.plots.curves import draw_learning_curves, learning_curves
from nnfs_xp.plots.filters import first_layer_filters
from nnfs_xp.plots.graph import computation_graph
from nnfs_xp.plots.histograms import (
    activation_histograms,
    gradient_histograms,
    layer_histograms,
    weight_histograms,
)
from nnfs_xp.plots.learning_rate import learning_rate_curve
from nnfs_xp.plots.network import plot_model
from nnfs_xp.plots.reliability import reliability
from nnfs_xp.plots.report import report
from nnfs_xp.plots.samples import draw_sample_predictions, sample_predictions
from nnfs_xp.plots.save import save_animation, save_figure

__all__ = [
    "BoundaryFrame",
    "BoundaryRecorder",
    "activation_histograms",
    "boundary_animation",
    "class_scores",
    "computation_graph",
    "confusion_matrix",
    "decision_boundary",
    "draw_class_scores",
    "draw_confusion_matrix",
    "draw_decision_boundary",
    "draw_learning_curves",
    "draw_sample_predictions",
    "first_layer_filters",
    "gradient_histograms",
    "layer_histograms",
    "learning_curves",
    "learning_rate_curve",
    "plot_model",
    "reliability",
    "report",
    "sample_predictions",
    "save_animation",
    "save_figure",
    "weight_histograms",
]
