"""One figure that sums up a training run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure, SubFigure

from nnfs_xp.errors import InputError
from nnfs_xp.plots import style
from nnfs_xp.plots.boundary import Predict, draw_decision_boundary
from nnfs_xp.plots.checks import check_confidence, check_predictions
from nnfs_xp.plots.confusion import draw_class_scores, draw_confusion_matrix
from nnfs_xp.plots.curves import Records, curve_grid, draw_learning_curves
from nnfs_xp.plots.samples import draw_sample_predictions

_WIDTH = 13.0
_CURVES_HEIGHT = 3.0
_LOWER_HEIGHT = 5.8
_HEADER_MARGIN = 0.16
# Longer class names than this many inches make the figure larger.
_NAME_MARGIN = 0.9


def report(
    history: Records,
    y_true: np.ndarray,
    y_pred: np.ndarray,
    confidence: np.ndarray,
    class_names: Sequence[str],
    *,
    title: str,
    subtitle: str,
    images: np.ndarray | None = None,
    image_shape: Sequence[int] | None = None,
    predict: Predict | None = None,
    x: np.ndarray | None = None,
) -> Figure:
    """Return one figure with the course and the result of a training run.

    Learning curves are at the top and the confusion matrix at the bottom
    left. At the bottom right are sample predictions if `images` are given, the
    decision boundary if `predict` and `x` are, and otherwise recall and
    precision of each class.

    Parameters
    ----------
    history : History or sequence of mappings
        As for `learning_curves`.
    y_true : numpy.ndarray of shape (n,)
        True labels, integers from 0.
    y_pred : numpy.ndarray of shape (n,)
        Predicted labels.
    confidence : numpy.ndarray of shape (n,)
        Probability of each predicted label, from 0 to 1.
    class_names : sequence of str
        One name per class.
    title : str
        Headline, such as the data set, the layers and the accuracy.
    subtitle : str
        Small grey line below it, such as the backend and the speed.
    images : numpy.ndarray, optional
        The n images, as for `sample_predictions`; needs `image_shape`.
    image_shape : sequence of int, optional
        As for `sample_predictions`.
    predict : callable, optional
        As for `decision_boundary`; needs `x`.
    x : numpy.ndarray of shape (n, 2), optional
        Data of two features, whose labels are `y_true`.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.

    Raises
    ------
    InputError
        If arguments do not fit together, or a value is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from nnfs_xp.plots import report
    >>> figure = report(
    ...     [{"epoch": 1, "loss": 0.5, "accuracy": 0.8}],
    ...     np.array([0, 1]), np.array([0, 1]), np.array([0.9, 0.8]),
    ...     ["cat", "dog"], title="Pets: 4-8-2", subtitle="numpy, float32, 0.1 s",
    ... )
    >>> len(figure.axes)
    5
    """
    true, predicted, names = check_predictions(y_true, y_pred, class_names)
    confidence = check_confidence(confidence, len(true))
    _check_choice(images=images, image_shape=image_shape, predict=predict, x=x)

    # Extra space for long class names, which the matrix would otherwise lose.
    extra = max(0.0, style.names_width(names) - _NAME_MARGIN)
    width = _WIDTH + extra
    headline = style.wrap(title, width - 2 * _HEADER_MARGIN, style.HEADLINE, "bold")
    note = style.wrap(subtitle, width - 2 * _HEADER_MARGIN, style.LABEL)
    top = style.text_height(headline, style.HEADLINE) + 2 * _HEADER_MARGIN
    top += style.text_height(note, style.LABEL)
    lower = _LOWER_HEIGHT + extra
    rows, _ = curve_grid(history)
    middle = _CURVES_HEIGHT * rows
    figure = style.new_figure(width, top + middle + lower)
    heights, widths = [top, middle, lower], [6.4 + extra, 6.6]
    parts = figure.subfigures(3, height_ratios=heights, squeeze=False)
    header, curves, results = parts.flat
    left, right = results.subfigures(1, 2, width_ratios=widths, squeeze=False).flat

    _draw_header(header, headline, note)
    draw_learning_curves(curves, history)
    if images is not None and image_shape is not None:
        samples = images, true, predicted, confidence, names, image_shape
        draw_sample_predictions(right, *samples, rows=4, columns=5)
    elif predict is not None and x is not None:
        draw_decision_boundary(right.subplots(), predict, x, true, names)
    else:
        draw_class_scores(right.subplots(), true, predicted, names)
    # Last, because it measures the finished layout.
    draw_confusion_matrix(left.subplots(), true, predicted, names)
    return figure


def _draw_header(part: SubFigure, headline: str, note: str) -> None:
    width, height = style.width_of(part), part.bbox.height / part.figure.dpi
    below = 1.5 * _HEADER_MARGIN + style.text_height(headline, style.HEADLINE)
    look = dict[str, Any](ha="left", va="top", linespacing=1.15, parse_math=False)
    for text, size, weight, color, top in (
        (headline, style.HEADLINE, "bold", style.INK, _HEADER_MARGIN),
        (note, style.LABEL, "normal", style.GREY, below),
    ):
        look |= {"size": size, "weight": weight, "color": color}
        part.text(_HEADER_MARGIN / width, 1 - top / height, text, **look)


def _check_choice(**arguments: Any) -> None:
    given = [name for name, value in arguments.items() if value is not None]
    for pair in (("images", "image_shape"), ("predict", "x")):
        for name, other in (pair, pair[::-1]):
            if name in given and other not in given:
                raise InputError(f"{name} must be given together with {other}")
    if "images" in given and "predict" in given:
        raise InputError("either images or predict must be None, got both")
