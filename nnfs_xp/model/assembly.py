"""Put layers, a loss and a backend together to a network, or say why not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nnfs_xp.activations import LogSoftmax, Sigmoid, Softmax
from nnfs_xp.backends import Backend
from nnfs_xp.errors import BackendMismatchError, InputError
from nnfs_xp.layers import Dense, Layer
from nnfs_xp.layout import named_parameter, parameter_name
from nnfs_xp.losses import BinaryCrossEntropy, CategoricalCrossEntropy, Loss
from nnfs_xp.metrics import (
    Accuracy,
    BinaryAccuracy,
    Metric,
    RegressionAccuracy,
)
from nnfs_xp.registry import resolve

Shape = tuple[int, ...]


def output_shape(
    layers: Sequence[Layer], shape: Shape | None, name: str = "layers"
) -> Shape | None:
    """Return the shape of a sample of the output, None where it is not known.

    Raises
    ------
    InputError
        If a layer does not take what the one before it gives.
    """
    for layer in layers:
        try:
            shape = layer.output_shape(shape)
        except InputError as error:
            if name == "layers":
                raise
            raise InputError(f"{name} does not fit the model's {error}") from error
    return shape


def split_head(
    layers: list[Layer], loss: Loss | None
) -> tuple[list[Layer], list[Layer], Loss | None]:
    """Return the layers to learn through, those after them, and their loss.

    A softmax or sigmoid before its cross-entropy is left to the loss, which
    then works from the logits: that is exact where a probability is rounded to
    0 or 1.
    """
    last = layers[-1]
    if loss is None:
        return layers, [], loss
    if loss.from_logits and isinstance(last, (Softmax, Sigmoid)):
        raise InputError(
            f"loss: {loss!r} takes logits, and layers already end with {last!r}"
        )
    if loss.from_logits and isinstance(last, LogSoftmax) and len(layers) > 1:
        # The logarithm of a softmax is its own logits: nothing is lost without.
        return layers[:-1], layers[-1:], loss
    takes_probabilities = not loss.from_logits and isinstance(
        loss, (BinaryCrossEntropy, CategoricalCrossEntropy)
    )
    if not takes_probabilities:
        return layers, [], loss
    if isinstance(last, (Dense, LogSoftmax)):
        usual = "Softmax" if isinstance(loss, CategoricalCrossEntropy) else "Sigmoid"
        raise InputError(
            f"loss: {loss!r} takes probabilities, and {last!r} gives logits; "
            f"end layers with {usual}(), or take from_logits=True"
        )
    if len(layers) > 1:
        if isinstance(last, Softmax) and isinstance(loss, CategoricalCrossEntropy):
            return layers[:-1], layers[-1:], loss.after_softmax
        # In the book a sigmoid and its loss are not combined: what its loss
        # clips, its gradient has clipped too.
        if (
            isinstance(last, Sigmoid)
            and isinstance(loss, BinaryCrossEntropy)
            and loss.mode == "exact"
        ):
            return layers[:-1], layers[-1:], loss.after_sigmoid
    return layers, [], loss


def metrics_for(value: Any, loss: Loss | None) -> list[Metric]:
    """Return the metrics of a model, given as the user may give them.

    ``"auto"`` is the accuracy of a classifier, and nothing for other models;
    ``"accuracy"`` is the accuracy that goes with the loss.

    Raises
    ------
    InputError
        If something is no metric, two share a name, or one wants other targets
        than the loss.
    """
    if value is None:
        return []
    if isinstance(value, str) and value == "auto":
        value = [] if loss is not None and loss.target_kind == "values" else "accuracy"
    items = value if isinstance(value, (list, tuple)) else [value]
    metrics = [_metric(item, loss) for item in items]
    names = [metric.name for metric in metrics]
    if len(set(names)) < len(names):
        raise InputError(f"metrics must have different names, got {names}")
    for metric in metrics:
        if loss is not None and not metric.takes(loss.target_kind):
            raise InputError(
                f"metrics: {metric!r} is not for the targets of {loss!r}, "
                f"which are {loss.target_kind}"
            )
    return metrics


def _metric(item: Any, loss: Loss | None) -> Metric:
    if item != "accuracy" or loss is None:
        return resolve("metric", item, "metrics", Metric)
    if loss.target_kind == "values":
        return RegressionAccuracy()
    if loss.target_kind == "probabilities":
        return BinaryAccuracy(threshold=0.0 if loss.from_logits else 0.5)
    return Accuracy(ignore_index=getattr(loss, "ignore_index", None))


def initial_parameters(
    layers: Mapping[int, Layer], be: Backend, seed: int
) -> dict[str, Any]:
    """Return the values layers already have, and draw those they have not.

    The layers come by their number in the model, which their streams of random
    numbers are named after.
    """
    named: dict[str, Any] = {}
    for index, layer in layers.items():
        if layer.belongs_to_model:
            raise InputError(
                f"layers: {layer!r} already belongs to a model; make new layers "
                "for each"
            )
        if layer.placed_on not in (None, be):
            raise BackendMismatchError(
                f"layers: {layer!r} is on {layer.placed_on}, and the model on {be}; "
                "leave the layer's backend out, or give both the same"
            )
        for name, value in layer.starting_values(seed, f"layers.{index}").items():
            named[parameter_name(index, name)] = value
    return named


def take_parameters(layers: Sequence[Layer], named: dict[str, Any]) -> None:
    """Give layers the saved values of their parameters, by name.

    Raises
    ------
    InputError
        If one is missing, or has another shape than the layer says.
    """
    for index, layer in enumerate(layers):
        values = {
            name: named_parameter(named, index, name, shape)
            for name, (_, shape) in layer.initializers().items()
        }
        layer.start_with(values)
