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


LOSSES = {
    "CategoricalCrossEntropy": categorical,
    "SoftmaxCrossEntropy": softmax,
    "BinaryCrossEntropy": binary,
    "Huber": lambda: of_errors(alone(nx.Huber), alone(nx.Huber, delta=0.5)),
}
