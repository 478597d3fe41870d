"""Lists of arrays, as Keras's ``get_weights`` returns them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nnfs_xp.activations import PReLU
from nnfs_xp.errors import InputError
from nnfs_xp.layers import (
    GRU,
    LSTM,
    BatchNorm,
    Conv1D,
    Conv2D,
    CrossAttention,
    Dense,
    Embedding,
    GroupNorm,
    LayerNorm,
    LearnedPositions,
    MultiHeadAttention,
    RMSNorm,
    SimpleRNN,
)
from nnfs_xp.model import Model
from nnfs_xp.weights.forms import Form, Heads, Part, Stacked
from nnfs_xp.weights.places import (
    check_shape,
    checked_model,
    on_host,
    places_of,
    replace,
)

_NORM = Part("gamma", "gamma"), Part("beta", "beta")
_KERNEL = Form(Part("weights", "kernel"), Part("biases", "bias"))
_TABLE = Form(Part("weights", "embeddings"))
_RECURRENT = Part("weights", "kernel"), Part("recurrent", "recurrent_kernel")
FORMS: dict[type, Form] = {
    Dense: _KERNEL,
    Embedding: _TABLE,
    BatchNorm: Form(
        *_NORM, Part("mean", "moving_mean"), Part("variance", "moving_variance")
    ),
    LayerNorm: Form(*_NORM),
    PReLU: Form(Part("slopes", "alpha")),
    Conv1D: _KERNEL,
    Conv2D: _KERNEL,
    GroupNorm: Form(*_NORM),
    RMSNorm: Form(Part("gamma", "scale")),
    LearnedPositions: _TABLE,
    MultiHeadAttention: Heads(),
    CrossAttention: Heads(),
    SimpleRNN: Form(*_RECURRENT, Part("biases", "bias")),
    LSTM: Form(*_RECURRENT, Part("biases", "bias")),
    GRU: Stacked(*_RECURRENT),
}


def to_keras(model: Model) -> list[np.ndarray]:
    """Return the parameters and buffers of a model as a list for Keras.

    Parameters
    ----------
    model : Model

    Returns
    -------
    list of numpy.ndarray
        For ``set_weights`` of a Keras model with the same layers.

    Raises
    ------
    InputError
        If a unit has arrays, and Keras has no such layer.

    Examples
    --------
    >>> from nnfs_xp import Dense, Model, ReLU
    >>> from nnfs_xp.weights import to_keras
    >>> arrays = to_keras(Model([Dense(2, 8), ReLU(), Dense(8, 1)]))
    >>> [array.shape for array in arrays]
    [(2, 8), (8,), (8, 1), (1,)]
    """
    places = places_of(checked_model(model), FORMS, "Keras")
    return [np.array(array) for place in places for array in place.theirs().values()]


def from_keras(model: Model, source: Any) -> None:
    """Replace all parameters and buffers of a model by those of Keras.

    Parameters
    ----------
    model : Model
    source : keras.Model, or sequence of array
        A Keras model with the same layers in the same order, or what its
        ``get_weights`` returned. A file is read by Keras: ``keras.saving.load_model``
        reads ``.keras``, and ``load_weights`` of a model reads ``.weights.h5``.

    Raises
    ------
    InputError
        If there are more or fewer arrays than the model has, or one has another shape;
        the model is then unchanged.

    Examples
    --------
    >>> import numpy as np
    >>> from nnfs_xp import Dense, Model
    >>> from nnfs_xp.weights import from_keras
    >>> model = Model([Dense(1, 2)], dtype="float64")
    >>> from_keras(model, [np.array([[1.0, 2.0]]), np.array([3.0, 4.0])])
    >>> model.layers[0].forward([[10.0]])
    array([[13., 24.]])
    """
    arrays = source.get_weights() if hasattr(source, "get_weights") else source
    if isinstance(arrays, (str, bytes)) or not isinstance(arrays, Sequence):
        raise InputError(
            f"source must be a Keras model or its get_weights(), got {source!r}"
        )
    places = places_of(checked_model(model), FORMS, "Keras")
    wanted = [
        (place, name, array)
        for place in places
        for name, array in place.theirs().items()
    ]
    if len(arrays) != len(wanted):
        names = ", ".join(f"{place.path}.{name}" for place, name, _ in wanted)
        raise InputError(
            f"source must hold {len(wanted)} arrays ({names}), got {len(arrays)}"
        )
    found: dict[str, dict[str, np.ndarray]] = {place.path: {} for place in places}
    for number, (place, name, expected) in enumerate(wanted):
        label = f"source[{number}]"
        array = on_host(arrays[number], label)
        check_shape(f"{label}, {name},", array, place, expected)
        found[place.path][name] = array
    values = dict[str, np.ndarray]()
    for place in places:
        values |= place.taken(found[place.path])
    replace(model, values)
