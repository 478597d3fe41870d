"""Pictures of the metrics, of predictions that are right to some degree."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

import nnfs_xp as nx
from _ext.pictures.drawing import FUNCTION, curves, panels
from nnfs_xp import plots
from nnfs_xp.plots.style import (
    BLUE,
    GREY,
    INK,
    SHARES,
    TICK,
    VERMILLION,
    PercentTicks,
    percent,
    set_labels,
    set_title,
    style_axes,
)

RANDOM = np.random.default_rng(2)
THRESHOLDS = np.linspace(0.01, 0.99, 99)


def scores_of_classes(count: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Return probabilities, and labels that are likely but not certain."""
    random = np.random.default_rng(4)
    logits = random.normal(size=(count, classes)) * 1.5
    labels = (logits + random.gumbel(size=logits.shape)).argmax(axis=1)
    p = np.exp(logits)
    return p / p.sum(axis=1, keepdims=True), labels


def accuracy() -> Figure:
    """Return probabilities with the true classes framed."""
    p, labels = scores_of_classes(9, 4)
    value = float(nx.Accuracy(dtype="float64").calculate(p, labels))
    figure, (ax,) = panels(1, width=5.4, height=3.2)
    ax.imshow(p.T, cmap=SHARES, vmin=0, vmax=1, aspect="auto")
    for (sample, of_class), share in np.ndenumerate(p):
        color = "white" if share > 0.5 else INK
        text = f"{100 * share:.0f}"
        ax.text(
            sample, of_class, text, ha="center", va="center", size=TICK, color=color
        )
    for sample, label in enumerate(labels):
        hit = p[sample].argmax() == label
        frame = {"edgecolor": INK if hit else VERMILLION, "linewidth": 2.2}
        frame["linestyle"] = "-" if hit else "--"
        ax.add_patch(
            Rectangle((sample - 0.46, label - 0.46), 0.92, 0.92, fill=False, **frame)
        )
    ax.set_xticks(range(9))
    ax.set_yticks(range(4))
    ax.tick_params(labelsize=TICK, length=0)
    set_title(ax, f"Accuracy {percent(value)}: true classes framed, dashed if missed")
    set_labels(ax, "sample", "class (probabilities in %)")
    return figure


def top_k() -> Figure:
    """Return the share over k."""
    p, labels = scores_of_classes(2000, 10)
    ks = np.arange(1, 11)
    shares = [
        float(nx.TopKAccuracy(int(k), dtype="float64").calculate(p, labels)) for k in ks
    ]
    figure, (ax,) = panels(1, width=5.0)
    style_axes(ax, grid="y")
    ax.bar(ks, shares, color=BLUE)
    ax.set_xticks(ks)
    ax.yaxis.set_major_formatter(PercentTicks())
    set_title(ax, "True class among the k highest of 10 scores")
    set_labels(ax, "k", "share of samples (%)")
    return figure


def over_thresholds(unit: type) -> Figure:
    """Return a score of yes or no over the threshold."""
    random = np.random.default_rng(5)
    y = (random.random(1000) < 0.3).astype("float64")
    p = 1 / (1 + np.exp(-random.normal(2.2 * y - 1.1, 1.2)))
    values = [
        float(unit(threshold=float(t), dtype="float64").calculate(p, y))
        for t in THRESHOLDS
    ]
    figure, (ax,) = panels(1, width=5.0)
    style_axes(ax)
    ax.plot(THRESHOLDS, values, color=BLUE, linewidth=2)
    ax.axvline(0.5, color=GREY, linewidth=0.9, linestyle="--")
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1.02)
    ax.yaxis.set_major_formatter(PercentTicks())
    set_title(ax, f"{unit.__name__} over the threshold (0.5 dashed)")
    set_labels(ax, "threshold of the probability", f"{unit.__name__} (%)")
    return figure


def regression() -> tuple[np.ndarray, np.ndarray]:
    """Return targets, and predictions that miss them a little."""
    random = np.random.default_rng(6)
    y = np.sort(random.uniform(-1, 1, 120))[:, None]
    return y + random.normal(0, 0.12, y.shape), y


def regression_accuracy() -> Figure:
    """Return predictions against targets, with the band of the tolerance."""
    p, y = regression()
    tolerance = 0.15
    value = float(nx.RegressionAccuracy(tolerance, dtype="float64").calculate(p, y))
    figure, (ax,) = panels(1, width=5.0, height=3.6)
    style_axes(ax)
    ends = np.array([-1.0, 1.0])
    ax.fill_between(ends, ends - tolerance, ends + tolerance, color=BLUE, alpha=0.15)
    near = np.abs(p - y) < tolerance
    ax.scatter(y[near], p[near], s=14, color=BLUE, label="within the tolerance")
    ax.scatter(y[~near], p[~near], s=18, color=VERMILLION, marker="x", label="outside")
    ax.legend(frameon=False, fontsize=TICK, loc="upper left")
    set_title(ax, f"{percent(value)} closer than {tolerance}")
    set_labels(ax, "target", "prediction")
    return figure


def r2() -> Figure:
    """Return predictions against targets for two kinds of errors."""
    p, y = regression()
    figure, axes = panels(2, width=3.9, height=3.4)
    random = np.random.default_rng(7)
    for ax, predicted in zip(
        axes, (p, p + random.normal(0, 0.6, p.shape)), strict=True
    ):
        value = nx.R2(dtype="float64").calculate(predicted, y)
        style_axes(ax)
        ax.plot([-1, 1], [-1, 1], color=GREY, linewidth=1)
        ax.scatter(y, predicted, s=14, color=BLUE)
        ax.set_ylim(-2.2, 2.2)
        set_title(ax, f"R2 = {float(value):.2f}")
        set_labels(ax, "target", "prediction")
    return figure


def confusion() -> Figure:
    """Return the library's own picture of the matrix."""
    p, labels = scores_of_classes(600, 4)
    names = ["class 0", "class 1", "class 2", "class 3"]
    return plots.confusion_matrix(labels, p.argmax(axis=1), names)


def area() -> Figure:
    """Return both curves of scores that are right to some degree, over their areas."""
    random = np.random.default_rng(5)
    y = (random.random(400) < 0.3).astype("float64")
    p = 1 / (1 + np.exp(-random.normal(2.2 * y - 1.1, 1.2)))
    thresholds = np.linspace(0.0, 1.0, 200)
    taken = p >= thresholds[:, None]
    found, false = (taken & (y > 0)).sum(axis=1), (taken & (y < 1)).sum(axis=1)
    recall = found / y.sum()
    some = taken.any(axis=1)
    lines = {
        "roc": (false / (1 - y).sum(), recall),
        "pr": (recall[some], (found / np.maximum(found + false, 1))[some]),
    }
    texts = {
        "roc": ("false positives (share of no)", "found (share of yes)"),
        "pr": ("recall: found (share of yes)", "precision"),
    }
    figure, axes = panels(2, width=3.9, height=3.4)
    for ax, (curve, (x, height)) in zip(axes, lines.items(), strict=True):
        value = float(nx.AUC(curve, dtype="float64").calculate(p, y))
        style_axes(ax)
        ax.fill_between(x, height, color=BLUE, alpha=0.15)
        ax.plot(x, height, color=BLUE, linewidth=2)
        ax.set_xlim(0, 1)
        ax.set_ylim(0, 1.02)
        set_title(ax, f"AUC({curve!r}) = {value:.2f}")
        set_labels(ax, *texts[curve])
    return figure


def calibration() -> Figure:
    """Return the library's own picture of bins, of a network that is too sure."""
    p, labels = scores_of_classes(2000, 4)
    sharp = p**2
    return plots.reliability(labels, sharp / sharp.sum(axis=1, keepdims=True))


def of_metric(cases: list) -> Figure:
    """Return the picture of any metric: its value over the threshold, if it has one.

    Else its value as predictions get better, from noise to the targets of a case.
    """
    case = cases[0]
    value = case.make().calculate(case.y_pred, case.y_true)
    if hasattr(case.make(), "threshold") and value.ndim == 0:
        return over_thresholds(type(case.make()))
    metric, target = case.make(dtype="float64"), np.asarray(case.y_true, "float64")
    if target.ndim < case.y_pred.ndim:
        target = np.eye(case.y_pred.shape[1])[case.y_true]
    noise = np.random.default_rng(8).permutation(case.y_pred)
    shares = np.linspace(0.0, 1.0, 101)
    values = [
        np.mean(metric.calculate((1 - s) * noise + s * target, case.y_true))
        for s in shares
    ]
    figure, (ax,) = panels(1, width=5.0)
    lines = {"value": (np.array(values, "float64"), FUNCTION)}
    texts = ("share of the target in the prediction", metric.name)
    curves(ax, type(metric).__name__, shares, lines, texts)
    return figure


METRICS = {
    "AUC": area,
    "ExpectedCalibrationError": calibration,
    "Accuracy": accuracy,
    "RegressionAccuracy": regression_accuracy,
    "TopKAccuracy": top_k,
    "ConfusionMatrix": confusion,
    "R2": r2,
}
