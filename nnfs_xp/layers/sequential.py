"""Layers one after the other, used as one layer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from nnfs_xp.backends import Array, Backend
from nnfs_xp.errors import InputError
from nnfs_xp.initializers import Initializer
from nnfs_xp.layers.base import Layer, ParameterStore, Params
from nnfs_xp.layers.nesting import check_layers, first_shape, leaves
from nnfs_xp.random import Stream
from nnfs_xp.registry import register, resolve, to_config
from nnfs_xp.regularizers import Regularizer


@register("layer")
class Sequential(Layer):
    """A block of layers: the output of each is the input of the next.

    The gradient goes through them in reverse order. Blocks may hold blocks. A
    `Model` looks inside: it trains, numbers and saves the layers of a block as
    if they stood in it one by one.

    Parameters
    ----------
    layers : sequence of Layer
        At least one.

    Attributes
    ----------
    layers : list of Layer

    Raises
    ------
    InputError
        If `layers` holds none, or something else than layers, or one twice,
        or layers whose shapes do not fit each other.

    Examples
    --------
    >>> from nnfs_xp import Dense, Model, ReLU, Sequential
    >>> block = lambda n: Sequential([Dense(n, 8), ReLU()])
    >>> model = Model([block(2), block(8), Dense(8, 1)])
    >>> sorted(model.parameters)[:3]
    ['layers.0.biases', 'layers.0.weights', 'layers.2.biases']
    """

    def __init__(self, layers: Iterable[Layer | dict[str, Any]]) -> None:
        super().__init__()
        self.layers = [
            resolve("layer", layer, "layers", Layer) for layer in _listed(layers)
        ]
        check_layers(self.layers)
        self.output_shape(None)

    @property
    def noisy(self) -> bool:  # type: ignore[override]
        """Whether one of the layers draws random numbers in training."""
        return any(layer.noisy for layer in self.layers)

    def leaves(self) -> list[Layer]:
        """Return the layers inside, those of inner blocks one by one."""
        return leaves(self.layers)

    def fwd(self, be: Backend, params: Params, x: Array) -> tuple[Array, list[Any]]:
        """Return the output of the last layer, and the residuals of each."""
        return self.training_fwd(be, params, x, None)

    def training_fwd(
        self, be: Backend, params: Params, x: Array, noise: Any
    ) -> tuple[Array, list[Any]]:
        """Go through all layers; `noise` has an entry for each noisy one."""
        residuals = []
        for index, layer in enumerate(self.layers):
            own = _of_layer(params, index)
            if noise is not None and layer.noisy:
                x, kept = layer.training_fwd(be, own, x, noise[index])
            else:
                x, kept = layer.fwd(be, own, x)
            residuals.append(kept)
        return x, residuals

    def bwd(
        self, be: Backend, params: Params, residuals: list[Any], dy: Array
    ) -> tuple[Array, Params]:
        """Return the gradient of the inputs, and those of all parameters."""
        gradients: Params = {}
        for index in reversed(range(len(self.layers))):
            own = _of_layer(params, index)
            dy, found = self.layers[index].bwd(be, own, residuals[index], dy)
            gradients.update({_name(index, name): g for name, g in found.items()})
        return dy, gradients

    def initializers(self) -> dict[str, tuple[Initializer, tuple[int, ...]]]:
        """Return those of all layers, as ``0.weights``, ``0.biases``, ..."""
        return {
            _name(index, name): entry
            for index, layer in enumerate(self.layers)
            for name, entry in layer.initializers().items()
        }

    def regularizers(self) -> dict[str, Regularizer]:
        """Return those of all layers."""
        return {
            _name(index, name): unit
            for index, layer in enumerate(self.layers)
            for name, unit in layer.regularizers().items()
        }

    def input_shape(self) -> tuple[int, ...] | None:
        """Return the only shape of a sample the layers take, if they say."""
        return first_shape(self.layers)

    def output_shape(self, shape: tuple[int, ...] | None) -> tuple[int, ...] | None:
        """Return the shape of a sample after the last layer."""
        for layer in self.layers:
            shape = layer.output_shape(shape)
        return shape

    def config(self) -> dict[str, Any]:
        """Return the arguments that make this block again."""
        return {"layers": [to_config(layer) for layer in self.layers]}

    # The shell leaves parameters, outputs and gradients with the layers.

    @property
    def params(self) -> Params:
        """The parameters of all layers by name."""
        return {
            _name(index, name): value
            for index, layer in enumerate(self.layers)
            for name, value in layer.params.items()
        }

    @property
    def backend(self) -> Backend | None:
        """Where the layers compute; None while that is open."""
        return next((be for be in (b.backend for b in self.layers) if be), None)

    def forward(self, inputs: Any, training: bool = True) -> Array:
        """Call ``forward`` of each layer in turn."""
        x = inputs
        for layer in self.layers:
            x = layer.forward(x, training)
        self.inputs, self.output = self.layers[0].inputs, x
        return x

    def backward(self, dvalues: Any) -> Array:
        """Call ``backward`` of each layer, from the last to the first."""
        for layer in reversed(self.layers):
            dvalues = layer.backward(dvalues)
        self.dinputs = dvalues
        return dvalues

    def set_parameter(self, name: str, value: Any) -> None:
        """Replace the values of one parameter, such as ``0.weights``."""
        index, _, own_name = name.partition(".")
        self.layers[int(index)].set_parameter(own_name, value)

    def bind(self, store: ParameterStore, index: int, be: Backend) -> None:
        """Refuse: a model holds the parameters of the layers inside."""
        raise TypeError("a model binds the layers of a block, not the block")

    def noise(self, stream: Stream, shape: tuple[int, ...]) -> Any:
        """Refuse: each layer inside draws its own."""
        raise TypeError("the layers of a block draw noise, not the block")

    def __repr__(self) -> str:
        return f"Sequential({self.layers!r})"


def _listed(layers: Any) -> list[Any]:
    try:
        return list(layers)
    except TypeError:
        raise InputError(f"layers must be a sequence, got {layers!r}") from None


def _name(index: int, name: str) -> str:
    return f"{index}.{name}"


def _of_layer(params: Params, index: int) -> Params:
    prefix = f"{index}."
    return {
        name.removeprefix(prefix): value
        for name, value in params.items()
        if name.startswith(prefix)
    }
