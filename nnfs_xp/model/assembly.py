"""Combine layers, a loss and a backend into a network, or say why that fails."""

from __future__ import annotations

from typing import Any

from nnfs_xp.activations import LogSoftmax, Sigmoid, Softmax
from nnfs_xp.backends import Backend
from nnfs_xp.engine.network import Absorbed
from nnfs_xp.engine.shell import asked_backend_of, check_units
from nnfs_xp.errors import BackendMismatchError, InputError
from nnfs_xp.layers import Dense, Layer, Rescaling, Sequential
from nnfs_xp.losses import Loss
from nnfs_xp.metrics import (
    Accuracy,
    BinaryAccuracy,
    MeanLoss,
    Metric,
    Perplexity,
    RegressionAccuracy,
)
from nnfs_xp.optimizers import Optimizer
from nnfs_xp.registry import is_exactly, is_known, is_of_library, library_class, resolve
from nnfs_xp.unit import check_not_overridden

# Methods of a unit that a model does not call, and what it calls instead.
_BASES: dict[str, type] = {"loss": Loss, "optimizer": Optimizer}
_SHELLS: dict[str, dict[str, str]] = {
    "loss": {
        "forward": "fwd(be, y_pred, y_true)",
        "calculate": "fwd(be, y_pred, y_true)",
        "backward": "bwd(be, residuals, dlosses)",
    },
    "optimizer": dict.fromkeys(
        ("step", "pre_update_params", "update_params", "post_update_params"),
        "apply(be, parameters, gradients, state)",
    ),
    "metric": dict.fromkeys(
        ("calculate", "update", "result", "compare"),
        "batch(be, y_pred, y_true) and compute(be, statistics)",
    ),
}


def checked_unit(kind: str, value: Any) -> Any:
    """Return a unit, given as such or by its name; None stays None.

    Raises
    ------
    InputError
        If it is not such a unit, or overrides a method that a model does not call.
    """
    if value is None:
        return None
    unit = resolve(kind, value, kind, _BASES[kind])
    check_not_overridden(unit, _SHELLS[kind])
    return unit


def check_chain(root: Sequential, be: Backend) -> None:
    """Raise an error if the layers of a model do not fit together or to the backend.

    Raises
    ------
    InputError
        If the units do not fit each other.
    BackendMismatchError
        If a unit was made for another backend.
    """
    check_units(root)
    for layer in root.layers:
        held = layer._home is not None and not layer._home[0].standalone
        asked = None if held else asked_backend_of(layer)
        if asked not in (None, be):
            raise BackendMismatchError(
                f"layers: {layer!r} is on {asked}, and the model on {be}; "
                "leave the layer's backend out, or give both the same"
            )
    shape = root.output_shape(root.input_shape())
    if isinstance(shape, tuple) and any(not isinstance(n, int) for n in shape):
        raise InputError(
            f"layers: {root.layers[-1]!r} gives several outputs; end with Add() or "
            "Concatenate(), which make one of them"
        )


def absorbed_by(root: Sequential, loss: Any) -> Absorbed:
    """Return the units whose computation is moved elsewhere in the network.

    A softmax or sigmoid before its cross-entropy is left to the loss, which then works
    from the logits: that is exact even if a probability would round to 0 or 1. Only
    units of exactly these classes are moved; a subclass is computed as it is written.
    """
    last, alone = _end(root, -1)
    first, _ = _end(root, 0)
    rescaling = first if is_exactly(first, Rescaling) and not alone else None
    from_logits = getattr(loss, "from_logits", False)
    if from_logits and is_exactly(last, Softmax, Sigmoid):
        raise InputError(
            f"loss: {loss!r} takes logits, and layers already end with {last!r}"
        )
    # Whether a loss of the library declares that it can compute from logits.
    own = loss is not None and not is_of_library(library_class(loss))
    categorical, binary = (
        not own and hasattr(loss, name) for name in ("after_softmax", "after_sigmoid")
    )
    probabilities = (categorical or binary) and not from_logits
    if probabilities and is_exactly(last, Dense, LogSoftmax):
        usual = "Softmax" if categorical else "Sigmoid"
        raise InputError(
            f"loss: {loss!r} takes probabilities, and {last!r} gives logits; "
            f"end layers with {usual}(), or take from_logits=True"
        )
    if alone:
        return Absorbed()
    if from_logits:
        # A log-softmax is its own logits, so nothing is lost by leaving it out.
        of_rows = loss.target_kind == "classes" and _of_rows(last, LogSoftmax)
        own_logits = last if of_rows else None
        return Absorbed(None, own_logits, rescaling)
    if categorical and _of_rows(last, Softmax):
        return Absorbed(loss.after_softmax, last, rescaling)
    # In the book, a sigmoid and its loss are not combined: where the loss clips, the
    # gradient is clipped too.
    clips = getattr(loss, "mode", "exact") == "book"
    if binary and is_exactly(last, Sigmoid) and not clips:
        return Absorbed(loss.after_sigmoid, last, rescaling)
    return Absorbed(rescaling=rescaling)


def _of_rows(unit: Any, activation: type) -> bool:
    """Return whether a unit is exactly this activation, over the last axis."""
    return is_exactly(unit, activation) and unit.axis == -1


def _end(chain: Any, index: int) -> tuple[Layer, bool]:
    """Return the first or last unit of a chain, and whether it is the only one."""
    alone = len(chain.layers) == 1
    unit = chain.layers[index]
    if is_exactly(unit, Sequential):
        found, inner_alone = _end(unit, index)
        return found, alone and inner_alone
    return unit, alone


def metrics_for(value: Any, loss: Loss | None) -> tuple[Metric, ...]:
    """Return the metrics of a model, given as the user may give them.

    ``"auto"`` is the accuracy of a classifier, and nothing for other models;
    ``"accuracy"`` is the accuracy that goes with the loss, and the name of a loss is
    the mean of that.

    Raises
    ------
    InputError
        If a value is not a metric, two share a name, or one needs other targets
        than the loss.
    """
    if value is None:
        return ()
    if not isinstance(loss, Loss):
        loss = None
    if isinstance(value, str) and value == "auto":
        value = [] if loss is not None and loss.target_kind == "values" else "accuracy"
    items = value if isinstance(value, (list, tuple)) else [value]
    metrics = [_metric(item, loss) for item in items]
    names = [metric.name for metric in metrics]
    if len(set(names)) < len(names):
        raise InputError(f"metrics must have different names, got {names}")
    for metric in metrics:
        check_not_overridden(metric, _SHELLS["metric"])
        # Rows of several outputs may be read as classes; only the data can tell.
        rows = metric.target_kind == "classes"
        if loss is not None and not (rows or metric.takes(loss.target_kind)):
            raise InputError(
                f"metrics: {metric!r} is not for the targets of {loss!r}, "
                f"which are {loss.target_kind}"
            )
    return tuple(metrics)


def _metric(item: Any, loss: Loss | None) -> Metric:
    if item == "perplexity" and loss is not None:
        ignored = getattr(loss, "ignore_index", None)
        return Perplexity(loss.from_logits, ignored)
    if item not in ("accuracy", "acc") or loss is None:
        word = isinstance(item, str) and not is_known("metric", item)
        if word and is_known("loss", item):
            return MeanLoss(item)
        return resolve("metric", item, "metrics", Metric)
    if loss.target_kind == "values":
        return RegressionAccuracy()
    if loss.target_kind == "probabilities":
        return BinaryAccuracy(threshold=0.0 if loss.from_logits else 0.5)
    return Accuracy(ignore_index=getattr(loss, "ignore_index", None))
