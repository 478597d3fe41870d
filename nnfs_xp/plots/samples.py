"""Example images with their predictions."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.colors import Normalize
from matplotlib.figure import Figure, FigureBase

from nnfs_xp.errors import InputError
from nnfs_xp.plots import checks, style

# This cross is in nearly every font, unlike the heavier ones.
_CROSS = "\N{MULTIPLICATION SIGN} "
# Colours of text and frame, and the width of the frame in points.
_RIGHT = style.INK, style.EDGE, 0.8
_WRONG = style.WRONG_TEXT, style.VERMILLION, 2.2


def sample_predictions(
    images: np.ndarray,
    y_true: np.ndarray,
    y_pred: np.ndarray,
    confidence: np.ndarray,
    class_names: Sequence[str],
    image_shape: Sequence[int] | None,
    *,
    rows: int = 4,
    columns: int = 6,
) -> Figure:
    r"""Return a grid of images that were classified correctly and incorrectly.

    The correct ones come from each class in turn. The incorrect ones are those with the
    highest confidence; they have a thick frame, a cross before the predicted name and
    the true name below it. Half of the rows are for incorrect ones, unless there are
    too few of either kind.

    Parameters
    ----------
    images : numpy.ndarray of shape (n, values) or (n,) + image_shape
        Pixel values on any scale. The smallest that is shown becomes black
        and the largest white.
    y_true : numpy.ndarray of shape (n,)
        True labels, integers from 0.
    y_pred : numpy.ndarray of shape (n,)
        Predicted labels.
    confidence : numpy.ndarray of shape (n,)
        Probability of each predicted label, from 0 to 1.
    class_names : sequence of str
        One name per class.
    image_shape : sequence of int
        ``(height, width)``, or ``(height, width, channels)`` with 1 or 3 channels.
        None, the value of a data set without pictures, is rejected.
    rows, columns : int
        Maximum number of images to show, downwards and across.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, with one axes per image.

    Raises
    ------
    InputError
        If lengths or shapes do not fit together, or a value is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from nnfs_xp.plots import sample_predictions
    >>> figure = sample_predictions(
    ...     np.eye(4), np.array([0, 0, 1, 1]), np.array([0, 0, 1, 0]),
    ...     np.array([0.9, 0.8, 0.7, 0.6]), ["cat", "dog"], (2, 2),
    ... )
    >>> [ax.get_title() for ax in figure.axes[:3]]
    ['cat (90 %)', 'dog (70 %)', 'cat (80 %)']
    >>> figure.axes[3].get_title()[2:]
    'cat (60 %)\ntrue: dog'
    """
    true, predicted, _ = checks.check_predictions(y_true, y_pred, class_names)
    confidence = checks.check_confidence(confidence, len(true))
    _check(images, image_shape, len(true), rows, columns)
    # Few samples make a small figure rather than one with gaps.
    groups = choose(true, predicted, confidence, rows, columns)
    columns = min(columns, max(len(group) for group in groups))
    rows = sum(_rows_of(group, columns) for group in groups)
    figure = style.new_figure(max(1.45 * columns, 2.6), 1.6 * rows + 0.5)
    arguments = images, true, predicted, confidence, class_names, image_shape
    draw_sample_predictions(figure, *arguments, rows=rows, columns=columns)
    return figure


def draw_sample_predictions(
    panel: FigureBase,
    images: np.ndarray,
    y_true: np.ndarray,
    y_pred: np.ndarray,
    confidence: np.ndarray,
    class_names: Sequence[str],
    image_shape: Sequence[int] | None,
    *,
    rows: int = 4,
    columns: int = 6,
) -> None:
    """Draw `sample_predictions` into a figure or subfigure.

    Parameters
    ----------
    panel : matplotlib.figure.Figure or matplotlib.figure.SubFigure
        Where to draw; one axes per image is added to it.
    images, y_true, y_pred, confidence, class_names, image_shape, rows, columns
        As for `sample_predictions`.

    Raises
    ------
    InputError
        As for `sample_predictions`.

    Examples
    --------
    >>> import numpy as np
    >>> from matplotlib.figure import Figure
    >>> from nnfs_xp.plots import draw_sample_predictions
    >>> figure = Figure()
    >>> draw_sample_predictions(
    ...     figure, np.eye(4), np.array([0, 0, 1, 1]), np.array([0, 0, 1, 0]),
    ...     np.array([0.9, 0.8, 0.7, 0.6]), ["cat", "dog"], (2, 2),
    ... )
    >>> len(figure.axes)
    4
    """
    true, predicted, names = checks.check_predictions(y_true, y_pred, class_names)
    confidence = checks.check_confidence(confidence, len(true))
    shape = _check(images, image_shape, len(true), rows, columns)
    right, wrong = choose(true, predicted, confidence, rows, columns)
    columns = min(columns, max(len(right), len(wrong)))
    shown = np.asarray(images)[np.concatenate([right, wrong])]
    shown = checks.check_numbers("images", shown, "fiub").astype(np.float64)
    pixels = iter(_scaled(shown.reshape(-1, *shape)))

    total, mistakes = len(true), int(np.count_nonzero(true != predicted))
    groups = [
        (right, 1.0, f"Right: {total - mistakes:,} of {total:,}"),
        # A little more room for captions that have a second line.
        (wrong, 1.1, f"Wrong: {mistakes:,} of {total:,}, the most confident first"),
    ]
    groups = [entry for entry in groups if len(entry[0])]
    ratios = [factor * _rows_of(group, columns) for group, factor, _ in groups]
    parts = panel.subfigures(len(groups), 1, height_ratios=ratios, squeeze=False)
    for part, (group, _, heading) in zip(parts.flat, groups, strict=True):
        style.set_heading(part, heading)
        room = style.width_of(part) / columns - 0.1
        axes = style.grid_of(part, len(group), columns)
        for ax, index in zip(axes, group, strict=True):
            ax.set(xticks=[], yticks=[])
            scale = Normalize(0.0, 1.0)
            ax.imshow(next(pixels), "gray", scale, interpolation="nearest")
            # The cross is put in front afterwards, so that it cannot stand alone on a
            # line.
            cross = _CROSS if group is wrong else ""
            text = f"{names[predicted[index]]} ({style.percent(confidence[index], 0)})"
            width = room - style.text_width(cross, style.TICK)
            text = cross + style.wrap(text, width, style.TICK)
            if group is wrong:
                true_name = f"true: {names[true[index]]}"
                text += "\n" + style.wrap(true_name, room, style.TICK)
            ink, edge, width = _WRONG if group is wrong else _RIGHT
            ax.spines[:].set(color=edge, linewidth=width)
            ax.set_title(text, size=style.TICK, color=ink, pad=4, parse_math=False)


def choose(
    true: np.ndarray,
    predicted: np.ndarray,
    confidence: np.ndarray,
    rows: int,
    columns: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the places of the right and of the wrong predictions to show."""
    wrong = np.flatnonzero(true != predicted)
    wrong = wrong[np.argsort(-confidence[wrong], kind="stable")]

    right = np.flatnonzero(true == predicted)
    # How many of the same class came earlier: the first ones of all classes come before
    # the second ones.
    earlier = np.zeros(len(right), dtype=np.int64)
    for label in np.unique(true[right]):
        same = true[right] == label
        earlier[same] = np.arange(np.count_nonzero(same))
    right = right[np.lexsort((true[right], earlier))]

    wrong_rows = min(_rows_of(wrong, columns), (rows + 1) // 2)
    right_rows = min(_rows_of(right, columns), rows - wrong_rows)
    wrong_rows = min(_rows_of(wrong, columns), rows - right_rows)
    return right[: right_rows * columns], wrong[: wrong_rows * columns]


def _rows_of(group: np.ndarray, columns: int) -> int:
    return math.ceil(len(group) / columns)


def _scaled(pixels: np.ndarray) -> np.ndarray:
    """Return values from 0 to 1, on one scale for all images."""
    low, high = pixels.min(), pixels.max()
    return (pixels - low) / (high - low) if high > low else np.zeros_like(pixels)


def _check(
    images: np.ndarray,
    image_shape: Sequence[int] | None,
    count: int,
    rows: int,
    columns: int,
) -> tuple[int, ...]:
    """Return the shape of an image, if everything fits together."""
    given = () if image_shape is None else image_shape
    shape = tuple(int(length) for length in given)
    if len(shape) not in (2, 3) or min(shape) < 1 or shape[2:] not in ((), (1,), (3,)):
        raise InputError(
            "image_shape must be (height, width) or (height, width, channels) "
            f"with 1 or 3 channels, got {shape}"
        )
    array = np.asarray(images)
    if array.shape[1:] not in (shape, (math.prod(shape),)):
        raise InputError(
            f"images must have shape (n, {math.prod(shape)}) or "
            f"(n, {', '.join(map(str, shape))}), got {array.shape}"
        )
    checks.check_length("images", len(array), count)
    checks.check_grid(rows, columns)
    return shape
