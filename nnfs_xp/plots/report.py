"""One figure that sums up a training run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure, SubFigure

from nnfs_xp.errors import InputError
from nnfs_xp.plots.boundary import check_points, draw_decision_boundary
from nnfs_xp.plots.boundary_parts import Predict
from nnfs_xp.plots.checks import check_confidence, check_history, check_predictions
from nnfs_xp.plots.confusion import draw_confusion_matrix
from nnfs_xp.plots.curves import draw_learning_curves
from nnfs_xp.plots.names import names_width
from nnfs_xp.plots.samples import draw_sample_predictions
from nnfs_xp.plots.scores import draw_class_scores
from nnfs_xp.plots.style import (
    GREY,
    HEADLINE,
    INK,
    LABEL,
    new_figure,
    text_height,
    wrap,
)

_WIDTH = 13.0
_CURVES_HEIGHT = 3.0
_LOWER_HEIGHT = 5.8
_HEADER_MARGIN = 0.16
# Longer class names than this many inches make the figure larger.
_NAME_MARGIN = 0.9


def report(
    history: Sequence[Mapping[str, float]],
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
    history : sequence of mappings
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
    check_history(history)
    true, predicted, names = check_predictions(y_true, y_pred, class_names)
    confidence = check_confidence(confidence, len(true))
    _check_choice(images, image_shape, predict, x)
    if x is not None:
        check_points(x, true, names, "y_true")

    # Room for long class names, which the matrix would have to give up.
    extra = max(0.0, names_width(names) - _NAME_MARGIN)
    width = _WIDTH + extra
    headline = wrap(title, width - 2 * _HEADER_MARGIN, HEADLINE, "bold")
    note = wrap(subtitle, width - 2 * _HEADER_MARGIN, LABEL)
    top = _header_height(headline, note)
    lower = _LOWER_HEIGHT + extra
    figure = new_figure(width, top + _CURVES_HEIGHT + lower)
    header, curves, results = figure.subfigures(
        3, 1, height_ratios=[top, _CURVES_HEIGHT, lower], squeeze=False
    ).flat
    left, right = results.subfigures(
        1, 2, width_ratios=[6.4 + extra, 6.6], squeeze=False
    ).flat

    _draw_header(header, headline, note)
    draw_learning_curves(curves, history)
    if images is not None and image_shape is not None:
        draw_sample_predictions(
            right,
            images,
            true,
            predicted,
            confidence,
            names,
            image_shape,
            rows=4,
            columns=5,
        )
    elif predict is not None and x is not None:
        draw_decision_boundary(right.subplots(), predict, x, true, names)
    else:
        draw_class_scores(right.subplots(), true, predicted, names)
    # Last, because it measures the finished layout.
    draw_confusion_matrix(left.subplots(), true, predicted, names)
    return figure


def _header_height(headline: str, note: str) -> float:
    texts = text_height(headline, HEADLINE) + text_height(note, LABEL)
    return texts + 2 * _HEADER_MARGIN


def _draw_header(part: SubFigure, headline: str, note: str) -> None:
    width, height = part.bbox.width / part.figure.dpi, _header_height(headline, note)
    below = _HEADER_MARGIN + text_height(headline, HEADLINE) + 0.5 * _HEADER_MARGIN
    for text, size, weight, color, top in (
        (headline, HEADLINE, "bold", INK, _HEADER_MARGIN),
        (note, LABEL, "normal", GREY, below),
    ):
        part.text(
            _HEADER_MARGIN / width,
            1 - top / height,
            text,
            size=size,
            weight=weight,
            color=color,
            ha="left",
            va="top",
            linespacing=1.15,
            parse_math=False,
        )


def _check_choice(
    images: np.ndarray | None,
    image_shape: Sequence[int] | None,
    predict: Predict | None,
    x: np.ndarray | None,
) -> None:
    for one, other, names in (
        (images, image_shape, ("images", "image_shape")),
        (predict, x, ("predict", "x")),
    ):
        if (one is None) != (other is None):
            given, missing = names if other is None else names[::-1]
            raise InputError(f"{given} must come together with {missing}, got only it")
    if images is not None and predict is not None:
        raise InputError("either images or predict must be None, got both")
