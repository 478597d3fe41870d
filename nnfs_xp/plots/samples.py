"""Example images with what was predicted for them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase

from nnfs_xp.errors import DTypeError, InputError
from nnfs_xp.plots.checks import check_confidence, check_length, check_predictions
from nnfs_xp.plots.style import (
    EDGE,
    INK,
    TICK,
    TITLE,
    VERMILLION,
    WRONG_TEXT,
    new_figure,
    percent,
    text_width,
    wrap,
)

# In nearly every font, unlike the heavier crosses.
_CROSS = "\N{MULTIPLICATION SIGN} "


def sample_predictions(
    images: np.ndarray,
    y_true: np.ndarray,
    y_pred: np.ndarray,
    confidence: np.ndarray,
    class_names: Sequence[str],
    image_shape: Sequence[int],
    *,
    rows: int = 4,
    columns: int = 6,
) -> Figure:
    r"""Return a grid of images that were predicted right and wrong.

    The right ones come from each class in turn. The wrong ones are those
    about which the classifier was most confident; they have a thick frame, a
    cross before the predicted name and the true name below it. Half of the
    rows are for wrong ones, unless there are too few of either.

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
        ``(height, width)``, or ``(height, width, channels)`` with 1 or 3
        channels.
    rows, columns : int
        Most images to show, downwards and across.

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
    arguments = (images, y_true, y_pred, confidence, class_names, image_shape)
    true, predicted, confidence, _, _ = _check(*arguments, rows, columns)
    # Few samples make a small figure rather than one with gaps.
    groups = choose(true, predicted, confidence, rows, columns)
    columns = min(columns, max(len(group) for group in groups))
    rows = sum(_rows_of(group, columns) for group in groups)
    figure = new_figure(max(1.45 * columns, 2.6), 1.6 * rows + 0.5)
    draw_sample_predictions(figure, *arguments, rows=rows, columns=columns)
    return figure


def draw_sample_predictions(
    panel: FigureBase,
    images: np.ndarray,
    y_true: np.ndarray,
    y_pred: np.ndarray,
    confidence: np.ndarray,
    class_names: Sequence[str],
    image_shape: Sequence[int],
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
    true, predicted, confidence, names, shape = _check(
        images, y_true, y_pred, confidence, class_names, image_shape, rows, columns
    )
    right, wrong = choose(true, predicted, confidence, rows, columns)
    columns = min(columns, max(len(right), len(wrong)))
    shown = np.concatenate([right, wrong])
    pixels = _for_display(np.asarray(images)[shown], shape)

    mistakes = int(np.count_nonzero(true != predicted))
    groups = [
        (f"Right: {len(true) - mistakes:,} of {len(true):,}", right),
        (f"Wrong: {mistakes:,} of {len(true):,}, the most confident first", wrong),
    ]
    groups = [(heading, group) for heading, group in groups if len(group)]
    # A little more for the wrong ones, whose captions have a second line.
    ratios = [
        _rows_of(group, columns) * (1.1 if group is wrong else 1.0)
        for _, group in groups
    ]
    parts = panel.subfigures(len(groups), 1, height_ratios=ratios, squeeze=False)
    drawn = 0
    for part, (heading, group) in zip(parts.flat, groups, strict=True):
        width = part.bbox.width / part.figure.dpi
        # At the left like the titles of the other pictures; a subfigure's own
        # title is centred by default.
        part.suptitle(
            wrap(heading, width - 0.2, TITLE, "bold"),
            x=0.01,
            ha="left",
            size=TITLE,
            weight="bold",
            color=INK,
        )
        grid = part.subplots(_rows_of(group, columns), columns, squeeze=False)
        room = width / columns - 0.1
        for place, ax in enumerate(grid.flat):
            if place >= len(group):
                ax.remove()
                continue
            index = group[place]
            _draw_image(ax, pixels[drawn])
            _caption(
                ax,
                names[predicted[index]],
                confidence[index],
                None if true[index] == predicted[index] else names[true[index]],
                room,
            )
            drawn += 1


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
    # How many of the same class came earlier: all that are the first of their
    # class go before all that are the second.
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


def _for_display(images: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return images of values from 0 to 1, on one scale for all of them."""
    pixels = images.astype(np.float64).reshape(len(images), *shape)
    if not np.all(np.isfinite(pixels)):
        raise InputError("images must be finite, got NaN or infinity")
    low, high = pixels.min(), pixels.max()
    return (pixels - low) / (high - low) if high > low else np.zeros_like(pixels)


def _draw_image(ax: Axes, pixels: np.ndarray) -> None:
    ax.set_xticks([])
    ax.set_yticks([])
    ax.imshow(pixels, cmap="gray", vmin=0.0, vmax=1.0, interpolation="nearest")


def _caption(
    ax: Axes, predicted: str, confidence: float, true: str | None, room: float
) -> None:
    color, width = (EDGE, 0.8) if true is None else (VERMILLION, 2.2)
    mark = "" if true is None else _CROSS
    # The mark is put in front afterwards, lest it stay alone on a line.
    text = f"{predicted} ({percent(confidence, 0)})"
    text = mark + wrap(text, room - text_width(mark, TICK), TICK)
    if true is not None:
        text += "\n" + wrap(f"true: {true}", room, TICK)
    ax.set_title(
        text,
        size=TICK,
        color=INK if true is None else WRONG_TEXT,
        pad=4,
        parse_math=False,
    )
    for spine in ax.spines.values():
        spine.set_color(color)
        spine.set_linewidth(width)


def _check(
    images: np.ndarray,
    y_true: np.ndarray,
    y_pred: np.ndarray,
    confidence: np.ndarray,
    class_names: Sequence[str],
    image_shape: Sequence[int],
    rows: int,
    columns: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[str], tuple[int, ...]]:
    true, predicted, names = check_predictions(y_true, y_pred, class_names)
    confidence = check_confidence(confidence, len(true))
    shape = tuple(int(length) for length in image_shape)
    if len(shape) not in (2, 3) or min(shape) < 1 or shape[2:] not in ((), (1,), (3,)):
        raise InputError(
            "image_shape must be (height, width) or (height, width, channels) "
            f"with 1 or 3 channels, got {shape}"
        )
    array = np.asarray(images)
    if array.dtype.kind not in "fiub":
        raise DTypeError(f"images must hold real numbers, got dtype {array.dtype}")
    if array.shape[1:] not in (shape, (math.prod(shape),)):
        raise InputError(
            f"images must have shape (n, {math.prod(shape)}) or "
            f"(n, {', '.join(map(str, shape))}), got {array.shape}"
        )
    check_length("images", len(array), len(true))
    for name, count in (("rows", rows), ("columns", columns)):
        if count < 1:
            raise InputError(f"{name} must be at least 1, got {count}")
    return true, predicted, confidence, names, shape
