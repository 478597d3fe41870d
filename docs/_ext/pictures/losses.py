"""Pictures of the losses: loss and gradient against the prediction."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

import nnfs_xp as nx
from _ext.pictures.drawing import FUNCTION, SLOPE, curves, panels

ERRORS = np.linspace(-3.0, 3.0, 601)
LOGITS = np.linspace(-6.0, 6.0, 601)
PROBABILITIES = np.linspace(0.02, 1.0, 491)


def values_and_slopes(loss: nx.Loss, y_pred, y_true) -> tuple[np.ndarray, np.ndarray]:
    """Return the loss of each sample, and its gradient."""
    losses = loss.forward(y_pred, y_true)
    return losses, loss.backward(y_pred, y_true)


def of_errors(*losses: nx.Loss) -> Figure:
    """Return losses of one output, over its error."""
    figure, axes = panels(len(losses), width=5.0 if len(losses) == 1 else 4.2)
    for ax, loss in zip(axes, losses, strict=True):
        pairs = values_and_slopes(loss, ERRORS[:, None], np.zeros((len(ERRORS), 1)))
        slope = pairs[1][:, 0]
        slope = np.where(np.abs(np.gradient(slope)) > 0.4, np.nan, slope)
        lines = {"loss L": (pairs[0], FUNCTION), "dL/dp": (slope, SLOPE)}
        title = type(loss).__name__
        if isinstance(loss, nx.Huber):
            title = f"Huber(delta={loss.delta})"
        curves(ax, title, ERRORS, lines, ("error p - y", "loss, gradient"))
    return figure


def categorical() -> Figure:
    """Return the loss of a label over its probability."""
    loss = nx.CategoricalCrossEntropy(reduction="none", dtype="float64")
    p = np.stack([PROBABILITIES, 1 - PROBABILITIES], axis=1)
    values, slopes = values_and_slopes(loss, p, np.zeros(len(p), dtype="int64"))
    figure, (ax,) = panels(1, width=5.0)
    lines = {"loss L": (values, FUNCTION), "dL/dp": (slopes[:, 0], SLOPE)}
    labels = ("probability p of the true class", "loss (nats), gradient")
    curves(ax, "-log p", PROBABILITIES, lines, labels)
    ax.set_ylim(-10, 5)
    return figure


def softmax() -> Figure:
    """Return the loss of a label over its logit, others being 0."""
    loss = nx.SoftmaxCrossEntropy(reduction="none", dtype="float64")
    z = np.stack([LOGITS, 0 * LOGITS, 0 * LOGITS], axis=1)
    figure, axes = panels(2, width=4.2)
    for ax, label, what in ((axes[0], 0, "true"), (axes[1], 1, "wrong")):
        labels = np.full(len(z), label)
        values, slopes = values_and_slopes(loss, z, labels)
        lines = {"loss L": (values, FUNCTION), "dL/dz": (slopes[:, 0], SLOPE)}
        texts = (f"logit z of a {what} class, the others 0", "loss (nats), gradient")
        curves(ax, "3 classes", LOGITS, lines, texts)
    return figure


def binary() -> Figure:
    """Return the loss of both answers, over a logit."""
    loss = nx.BinaryCrossEntropy(from_logits=True, reduction="none", dtype="float64")
    figure, axes = panels(2, width=4.2)
    for ax, target in zip(axes, (1.0, 0.0), strict=True):
        targets = np.full((len(LOGITS), 1), target)
        values, slopes = values_and_slopes(loss, LOGITS[:, None], targets)
        lines = {"loss L": (values, FUNCTION), "dL/dz": (slopes[:, 0], SLOPE)}
        texts = ("logit z, p = sigmoid(z)", "loss (nats), gradient")
        curves(ax, f"target y = {target:.0f}", LOGITS, lines, texts)
    return figure


def alone(unit: type, **options) -> nx.Loss:
    """Return a loss of single samples in float64."""
    return unit(reduction="none", dtype="float64", **options)


def of_loss(cases: list) -> Figure:
    """Return the picture of any loss, of what its first case is given."""
    case = cases[0]
    loss = case.make(reduction="none", dtype="float64")
    if loss.target_kind == "values":
        return of_errors(loss)
    # Outputs that are all between 0 and 1 are taken for probabilities.
    is_share = bool(np.all((case.y_pred >= 0) & (case.y_pred <= 1)))
    x = np.linspace(0.02, 0.98, 481) if is_share else LOGITS
    name = "probability p" if is_share else "logit z"
    # How all predictions of a sample move with x.
    along = np.array([1.0])
    if loss.target_kind == "classes":
        y_pred = np.stack([x, (1 - x) if is_share else 0 * x], axis=1)
        along = np.array([1.0, -1.0 if is_share else 0.0])
        targets = {f"class {k}": np.full(len(x), k) for k in (0, 1)}
    else:
        y_pred = x[:, None]
        targets = {f"target {k}": np.full((len(x), 1), float(k)) for k in (0, 1)}
    figure, axes = panels(2, width=4.2)
    for ax, (title, y_true) in zip(axes, targets.items(), strict=True):
        values, slopes = values_and_slopes(loss, y_pred, y_true)
        lines = {"loss": (values, FUNCTION), "its derivative": (slopes @ along, SLOPE)}
        curves(ax, title, x, lines, (name, "loss, derivative"))
    return figure


def of_one_value(targets: tuple[float, ...], x: np.ndarray, loss: nx.Loss) -> Figure:
    """Return a loss of one output over its prediction, for some targets."""
    figure, axes = panels(len(targets), width=4.2)
    for ax, target in zip(axes, targets, strict=True):
        y_true = np.full((len(x), 1), target)
        values, slopes = values_and_slopes(loss, x[:, None], y_true)
        # A step is no steep line: leave a gap where the derivative jumps.
        jumps = np.abs(np.diff(slopes[:, 0], prepend=slopes[0, 0])) > 0.3
        slope = np.where(jumps, np.nan, slopes[:, 0])
        lines = {"loss L": (values, FUNCTION), "dL/dp": (slope, SLOPE)}
        texts = ("prediction p", "loss, gradient")
        curves(ax, f"target y = {target:g}", x, lines, texts)
    return figure


def cosine() -> Figure:
    """Return the distance of two directions over the angle between them."""
    angles = np.linspace(-180.0, 180.0, 361)
    radians = np.deg2rad(angles)
    p = np.stack([np.cos(radians), np.sin(radians)], axis=1)
    y = np.tile([1.0, 0.0], (len(p), 1))
    values, slopes = values_and_slopes(alone(nx.CosineDistance), p, y)
    along = np.sum(slopes * np.stack([-p[:, 1], p[:, 0]], axis=1), axis=1)
    figure, (ax,) = panels(1, width=5.0)
    lines = {"loss L": (values, FUNCTION), "dL/d(angle)": (along, SLOPE)}
    texts = ("angle between p and y (degrees)", "loss, gradient")
    curves(ax, "CosineDistance", angles, lines, texts)
    return figure


def gaussian() -> Figure:
    """Return the loss over the logarithm of the variance, for two errors."""
    x = np.linspace(-3.0, 3.0, 301)
    figure, axes = panels(2, width=4.2)
    for ax, error in zip(axes, (0.5, 1.5), strict=True):
        y_pred = np.stack([np.full(len(x), error), x], axis=1)
        loss = alone(nx.GaussianNegativeLogLikelihood)
        values, slopes = values_and_slopes(loss, y_pred, np.zeros((len(x), 1)))
        lines = {"loss L": (values, FUNCTION), "dL/ds": (slopes[:, 1], SLOPE)}
        texts = ("logarithm s of the variance", "loss, gradient")
        curves(ax, f"error p - y = {error:g}", x, lines, texts)
        ax.set_ylim(-4, 8)
    return figure


LOSSES = {
    "Poisson": lambda: of_one_value(
        (1.0, 4.0), np.linspace(0.3, 8.0, 300), alone(nx.Poisson)
    ),
    "MeanAbsolutePercentageError": lambda: of_one_value(
        (50.0, 200.0), np.linspace(0, 300.0, 301), alone(nx.MeanAbsolutePercentageError)
    ),
    "MeanSquaredLogarithmicError": lambda: of_one_value(
        (1.0, 8.0), np.linspace(0.0, 12.0, 300), alone(nx.MeanSquaredLogarithmicError)
    ),
    "CosineDistance": cosine,
    "GaussianNegativeLogLikelihood": gaussian,
    "CategoricalCrossEntropy": categorical,
    "SoftmaxCrossEntropy": softmax,
    "BinaryCrossEntropy": binary,
    "Huber": lambda: of_errors(alone(nx.Huber), alone(nx.Huber, delta=0.5)),
}
