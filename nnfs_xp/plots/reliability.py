"""How well probabilities match the share of right predictions."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nnfs_xp.backends import get_backend
from nnfs_xp.metrics import ExpectedCalibrationError
from nnfs_xp.plots import style


def reliability(y_true: np.ndarray, y_pred: np.ndarray, bins: int = 15) -> Figure:
    """Return a plot of the share of right predictions over their confidence.

    Samples are put into bins by their confidence, as in
    `nnfs_xp.ExpectedCalibrationError`. A bar shows the share of a bin that is right;
    where the bar ends below the diagonal, the network is overconfident. A dot marks the
    mean confidence of a bin. Grey bars below are the shares of all samples.

    Parameters
    ----------
    y_true : numpy.ndarray
        Labels of shape (n,), rows of shape (n, k), or for a single output numbers from
        0 to 1 of the shape of the predictions.
    y_pred : numpy.ndarray
        Probabilities, of shape (n, k), or (n, 1) or (n,) for a single output.
    bins : int, default 15
        Number of bins.

    Returns
    -------
    matplotlib.figure.Figure
        The figure; its title states the error.

    Raises
    ------
    InputError
        If the arrays do not fit, or `bins` is not a positive integer.

    Examples
    --------
    >>> import numpy as np
    >>> from nnfs_xp.plots import reliability
    >>> figure = reliability(np.array([0, 0]), np.array([[0.9, 0.1], [0.1, 0.9]]))
    >>> figure.axes[0].get_title(loc="left")
    'Reliability: calibration error 40.0 %'
    """
    be = get_backend("numpy", dtype="float64")
    metric = ExpectedCalibrationError(bins, backend=be)
    predictions, targets = metric.check_data(be, y_pred, y_true)
    found = metric.batch(be, predictions, targets)
    error = float(metric.compute(be, found))
    counts, right = (np.asarray(found[name], "float64") for name in ("n", "right"))
    figure = style.new_figure(4.6, 4.6)
    ax, below = figure.subplots(2, height_ratios=(4, 1), sharex=True)
    style.set_title(ax, f"Reliability: calibration error {style.percent(error)}")
    _draw_shares(ax, counts, right, found["confidence"])
    _bars(below, counts / counts.sum(), style.GREY)
    below.yaxis.set_major_formatter(style.PercentTicks())
    style.set_labels(below, "confidence (%)", "samples (%)")
    return figure


def _draw_shares(
    ax: Axes, counts: np.ndarray, right: np.ndarray, confidence: np.ndarray
) -> None:
    """Draw the share of each bin that is right, and the mean confidence on top."""
    some = counts > 0
    shares = np.divide(right, counts, out=np.zeros(len(counts)), where=some)
    _bars(ax, shares, style.BLUE)
    ax.plot([0, 1], [0, 1], color=style.GREY, linewidth=0.9, linestyle="--")
    means = np.asarray(confidence, "float64")[some] / counts[some]
    ax.plot(means, shares[some], "o", color=style.VERMILLION, markersize=4.0)
    ax.set_ylim(0, 1.02)
    ax.yaxis.set_major_formatter(style.PercentTicks())
    style.set_labels(ax, "", "right (%)")


def _bars(ax: Axes, heights: np.ndarray, color: str) -> None:
    style.style_axes(ax)
    width = 1 / len(heights)
    left = np.arange(len(heights)) * width
    ax.bar(
        left, heights, width, align="edge", color=color, alpha=0.6, edgecolor="white"
    )
    ax.set_xlim(0, 1)
    ax.xaxis.set_major_formatter(style.PercentTicks())
