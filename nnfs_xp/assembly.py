"""Put layers, a loss and a backend together to a network, or say why not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nnfs_xp.activations import Softmax
from nnfs_xp.backends import Backend
from nnfs_xp.errors import BackendMismatchError, InputError
from nnfs_xp.layers import Dense, Layer
from nnfs_xp.layout import named_parameter, parameter_name
from nnfs_xp.losses import CategoricalCrossEntropy, Loss


def sizes_of(layers: Sequence[Layer]) -> tuple[int | None, int | None]:
    """Return the number of inputs and outputs, None where any will do."""
    n_features = None
    for layer in layers:
        if isinstance(layer, Dense):
            n_features = layer.n_inputs
        if type(layer).output_features is not Layer.output_features:
            # Beyond a layer that changes the width, nothing is known of it.
            break
    n_outputs = n_features
    for layer in layers:
        n_outputs = layer.output_features(n_outputs)
    return n_features, n_outputs


def split_head(
    layers: list[Layer], loss: Loss | None
) -> tuple[list[Layer], list[Layer], Loss | None]:
    """Return the layers to learn through, those after them, and their loss."""
    last = layers[-1]
    if isinstance(last, Softmax) and loss is not None and loss.from_logits:
        raise InputError(
            f"loss: {loss!r} takes logits, and layers already end with Softmax()"
        )
    if not isinstance(loss, CategoricalCrossEntropy) or loss.from_logits:
        return layers, [], loss
    if isinstance(last, Softmax) and len(layers) > 1:
        return layers[:-1], layers[-1:], loss.after_softmax
    if isinstance(last, Dense):
        raise InputError(
            f"loss: {loss!r} takes probabilities, and {last!r} gives logits; "
            "end layers with Softmax(), or take from_logits=True"
        )
    return layers, [], loss


def initial_parameters(
    layers: Sequence[Layer], be: Backend, seed: int
) -> dict[str, Any]:
    """Return the values layers already have, and draw those they have not."""
    named: dict[str, Any] = {}
    for index, layer in enumerate(layers):
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
