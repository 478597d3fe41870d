"""How weights, activations and gradients are distributed, layer by layer."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from nnfs_xp.backends import to_numpy
from nnfs_xp.errors import InputError
from nnfs_xp.layers import Sequential
from nnfs_xp.layers.nesting import walk
from nnfs_xp.plots import style
from nnfs_xp.plots.checks import check_is, check_numbers

if TYPE_CHECKING:
    from nnfs_xp.model import Model

_BINS = 41
_COLUMNS = 3
_WIDTH, _HEIGHT = 3.3, 2.5


def weight_histograms(model: Model) -> Figure:
    """Return histograms of the parameters of each layer.

    Parameters
    ----------
    model : Model
        Any model with parameters.

    Returns
    -------
    matplotlib.figure.Figure
        One axes for each parameter.

    Raises
    ------
    InputError
        If the model has no parameters, or one is NaN or infinite.

    Examples
    --------
    >>> from nnfs_xp import Dense, Model
    >>> from nnfs_xp.plots import weight_histograms
    >>> figure = weight_histograms(Model([Dense(4, 8), Dense(8, 2)]))
    >>> [ax.get_title(loc="left") for ax in figure.axes][:2]
    ['0 Dense(4, 8) weights', '0 Dense(4, 8) biases']
    """
    check_is("Model", model, "model", "layers", "parameters")
    return layer_histograms(_titled(model, model.parameters), "parameter value")


def activation_histograms(model: Model, x: Any) -> Figure:
    """Return histograms of the outputs of each layer for some samples.

    Parameters
    ----------
    model : Model
    x : array or array_like
        Samples, as for `nnfs_xp.Model.predict`.

    Returns
    -------
    matplotlib.figure.Figure
        One axes for each layer.

    Raises
    ------
    InputError
        If `x` does not fit the model, or an output is NaN or infinite.

    Examples
    --------
    >>> from nnfs_xp import Dense, Model, ReLU
    >>> from nnfs_xp.plots import activation_histograms
    >>> figure = activation_histograms(Model([Dense(2, 8), ReLU()]), [[1.0, 2.0]])
    >>> [ax.get_title(loc="left") for ax in figure.axes]
    ['0 Dense(2, 8)', '1 ReLU()']
    """
    check_is("Model", model, "model", "layers", "activations")
    units = walk(Sequential(model.layers))
    titles = [f"{path} {unit!r}" for path, unit in units if not unit.children]
    outputs = zip(titles, model.activations(x), strict=True)
    return layer_histograms(dict(outputs), "output of the layer")


def gradient_histograms(model: Model, x: Any, y: Any) -> Figure:
    """Return histograms of the gradients of each layer's parameters.

    Parameters
    ----------
    model : Model
        A model with a loss.
    x, y : array or array_like
        Samples and targets, as for `nnfs_xp.Model.gradients`.

    Returns
    -------
    matplotlib.figure.Figure
        One axes for each parameter.

    Raises
    ------
    InputError
        If the data does not fit the model, the model has no parameters or no
        loss, or a gradient is NaN or infinite.

    Examples
    --------
    >>> from nnfs_xp import Dense, Model
    >>> from nnfs_xp.plots import gradient_histograms
    >>> model = Model([Dense(2, 1)], loss="mean_squared_error")
    >>> figure = gradient_histograms(model, [[1.0, 2.0]], [[0.5]])
    >>> [ax.get_title(loc="left") for ax in figure.axes]
    ['0 Dense(2, 1) weights', '0 Dense(2, 1) biases']
    """
    check_is("Model", model, "model", "layers", "gradients")
    gradients = _titled(model, model.gradients(x, y))
    return layer_histograms(gradients, "gradient of the loss")


def layer_histograms(values: Mapping[str, Any], quantity: str) -> Figure:
    """Return a histogram for each of several arrays.

    Every panel has its own scale. The line above it gives the mean, the
    standard deviation and the share of exact zeros, such as those of a ReLU.

    Parameters
    ----------
    values : mapping of str to array
        Arrays of any backend, by the titles of their panels.
    quantity : str
        Name of the values, written below each panel.

    Returns
    -------
    matplotlib.figure.Figure
        One axes for each array.

    Raises
    ------
    InputError
        If there is no array, or one is empty or holds NaN or infinity.

    Examples
    --------
    >>> from nnfs_xp.plots import layer_histograms
    >>> figure = layer_histograms({"noise": [0.0, 0.5, -0.5]}, "height (m)")
    >>> len(figure.axes)
    1
    """
    checked = _check_values(values)
    columns = min(len(checked), _COLUMNS)
    rows = math.ceil(len(checked) / columns)
    figure = style.new_figure(_WIDTH * columns + 0.3, _HEIGHT * rows + 0.2)
    room = style.width_of(figure) / columns - 0.9
    axes = style.grid_of(figure, len(checked), columns)
    for ax, (title, array) in zip(axes, checked.items(), strict=True):
        _draw_histogram(ax, array, title, quantity, room)
    return figure


def _draw_histogram(
    ax: Axes, values: np.ndarray, title: str, quantity: str, room: float
) -> None:
    style.style_axes(ax, grid="y")
    low, high = float(values.min()), float(values.max())
    if low == high:
        # A single value would have no width; a bar around it shows it.
        half = abs(low) / 2 or 0.5
        low, high = low - half, high + half
    counts, edges = np.histogram(values, bins=_BINS, range=(low, high))
    ax.stairs(counts / values.size, edges, fill=True, color=style.BLUE)
    ax.axvline(0.0, color=style.GREY, linewidth=0.8, linestyle=(0, (3, 2)))
    ax.set_xlim(low, high)
    ax.xaxis.set_major_locator(MaxNLocator(4))
    ax.yaxis.set_major_locator(MaxNLocator(4))
    ax.yaxis.set_major_formatter(style.PercentTicks())
    ax.ticklabel_format(axis="x", style="sci", scilimits=(-3, 4), useMathText=False)
    ax.xaxis.get_offset_text().set_fontsize(style.TICK)
    style.set_title(ax, style.wrap(title, room, style.TITLE, "bold"))
    summary = f"mean {values.mean():.2g}, std {values.std():.2g}"
    zeros = float(np.mean(values == 0))
    if zeros:
        summary += f", zeros {style.percent(zeros, 0)}"
    style.set_labels(ax, f"{quantity}\n{summary}", "share (%)")


def _titled(model: Model, arrays: Mapping[str, Any]) -> dict[str, Any]:
    """Return arrays of parameters under the path and call of their unit."""
    units, named = dict(walk(Sequential(model.layers))), {}
    for name, array in arrays.items():
        path, _, parameter = name.rpartition(".")
        named[f"{path} {units[path]!r} {parameter}"] = array
    return named


def _check_values(values: Mapping[str, Any]) -> dict[str, np.ndarray]:
    if not isinstance(values, Mapping) or not values:
        raise InputError(
            "values must be a mapping with at least one array, such as the "
            f"parameters of a model, got {values!r}"
        )
    checked = {}
    for title, value in values.items():
        name, array = f"values[{title!r}]", np.asarray(to_numpy(value)).ravel()
        if array.size == 0:
            raise InputError(f"{name} must not be empty, got no value")
        checked[str(title)] = check_numbers(name, array, "fiub").astype(np.float64)
    return checked
