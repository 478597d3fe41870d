"""State dicts of PyTorch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

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
from nnfs_xp.registry import library_class
from nnfs_xp.weights.channels import orders_of
from nnfs_xp.weights.forms import Arrays, Cross, Form, Part, Reordered, TwoBiases
from nnfs_xp.weights.places import (
    Place,
    check_shape,
    checked_model,
    on_host,
    places_of,
    replace,
)

if TYPE_CHECKING:
    import torch

_NORM = Part("gamma", "weight"), Part("beta", "bias")
_RECURRENT = (
    Part("weights", "weight_ih_l0", (1, 0)),
    Part("recurrent", "weight_hh_l0", (1, 0)),
    Part("biases", "bias_ih_l0"),
)
FORMS: dict[type, Form] = {
    Dense: Form(Part("weights", "weight", (1, 0)), Part("biases", "bias")),
    Embedding: Form(Part("weights", "weight")),
    BatchNorm: Form(
        *_NORM,
        Part("mean", "running_mean"),
        Part("variance", "running_var"),
        num_batches_tracked=0,
    ),
    LayerNorm: Form(*_NORM),
    PReLU: Form(Part("slopes", "weight")),
    Conv1D: Form(Part("weights", "weight", (2, 1, 0)), Part("biases", "bias")),
    Conv2D: Form(Part("weights", "weight", (3, 2, 0, 1)), Part("biases", "bias")),
    GroupNorm: Form(*_NORM),
    RMSNorm: Form(Part("gamma", "weight")),
    LearnedPositions: Form(Part("weights", "weight")),
    MultiHeadAttention: Form(
        Part("qkv.weights", "in_proj_weight", (1, 0)),
        Part("qkv.biases", "in_proj_bias"),
        Part("out.weights", "out_proj.weight", (1, 0)),
        Part("out.biases", "out_proj.bias"),
    ),
    CrossAttention: Cross(),
    SimpleRNN: TwoBiases(*_RECURRENT),
    LSTM: TwoBiases(*_RECURRENT),
    # r, z, n there, and z, r, n here.
    GRU: Reordered((1, 0, 2), *_RECURRENT, Part("recurrent_biases", "bias_hh_l0")),
}
# The modules of PyTorch whose arrays a unit takes. Others compute something else, from
# arrays of the same names, and sometimes the same shapes.
MODULES: dict[type, tuple[str, ...]] = {
    Dense: ("Linear",),
    Embedding: ("Embedding", "EmbeddingBag"),
    BatchNorm: ("BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "SyncBatchNorm"),
    LayerNorm: ("LayerNorm",),
    PReLU: ("PReLU",),
    Conv1D: ("Conv1d",),
    Conv2D: ("Conv2d",),
    GroupNorm: ("GroupNorm",),
    RMSNorm: ("RMSNorm",),
    LearnedPositions: ("Embedding",),
    MultiHeadAttention: ("MultiheadAttention",),
    CrossAttention: ("MultiheadAttention",),
    SimpleRNN: ("RNN",),
    LSTM: ("LSTM",),
    GRU: ("GRU",),
}


def to_torch(
    model: Model,
    names: Mapping[str, str] | None = None,
    *,
    sample_shape: Sequence[int] | None = None,
) -> dict[str, torch.Tensor]:
    """Return the parameters and buffers of a model as a state dict of PyTorch.

    Its keys are those of an ``nn.Sequential`` with a module for each layer of the
    model: ``0.weight`` belongs to the first one.

    Parameters
    ----------
    model : Model
    names : mapping of str to str, optional
        Names of modules by the paths of the units here, such as ``{"0": "fc1"}``.
    sample_shape : sequence of int, optional
        Shape of a sample; needed only where images are flattened, which PyTorch does
        channel by channel: the weights of the next `nnfs_xp.Dense` come in that order.

    Returns
    -------
    dict of str to torch.Tensor
        Copies, on the CPU, in the dtype of the model.

    Raises
    ------
    InputError
        If a unit has arrays, and PyTorch has no such module; if `names` has a path that
        no unit with arrays has; if `sample_shape` is needed and missing.
    ModuleNotFoundError
        If PyTorch is not installed.

    Examples
    --------
    >>> from torch import nn
    >>> from nnfs_xp import Dense, Model, ReLU
    >>> from nnfs_xp.weights import to_torch
    >>> model = Model([Dense(2, 8), ReLU(), Dense(8, 1)])
    >>> network = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1))
    >>> network.load_state_dict(to_torch(model))
    <All keys matched successfully>
    """
    import torch

    modules = _modules(_places(model, sample_shape), names)
    if len({module for _, module in modules}) < len(modules):
        raise InputError(f"names must give each unit a name of its own, got {names}")
    return {
        # Copied, and no transposed view: safetensors writes no such.
        key: torch.from_numpy(np.array(value, order="C"))
        for place, module in modules
        for key, value in _keyed(place, module).items()
    }


def from_torch(
    model: Model,
    source: Any,
    names: Mapping[str, str] | None = None,
    *,
    sample_shape: Sequence[int] | None = None,
) -> None:
    """Replace all parameters and buffers of a model by those of PyTorch.

    If the keys are those of `to_torch`, arrays are found by name. Otherwise they are
    matched in order: the first module with arrays belongs to the first unit with
    arrays, and so on.

    Parameters
    ----------
    model : Model
    source : torch.nn.Module, or mapping of str to torch.Tensor
        A module, or a state dict, as ``torch.load(path, weights_only=True)`` or
        ``safetensors.torch.load_file(path)`` returns it.
    names, sample_shape : optional
        As for `to_torch`.

    Raises
    ------
    InputError
        If an array is missing, is left over, or has another shape than the unit needs,
        or the module that it is from computes something else, such as an
        ``nn.ConvTranspose2d``, which a state dict does not tell; the model is then
        unchanged.

    Examples
    --------
    NumPy's arrays do as well, as ``safetensors.numpy.load_file`` returns them:

    >>> import numpy as np
    >>> from nnfs_xp import Dense, Model
    >>> from nnfs_xp.weights import from_torch
    >>> state = {"fc.weight": np.array([[1.0], [2.0]]), "fc.bias": np.array([3.0, 4.0])}
    >>> model = Model([Dense(1, 2)], dtype="float64")
    >>> from_torch(model, state)
    >>> model.layers[0].forward([[10.0]])
    array([[13., 24.]])
    """
    state = source.state_dict() if hasattr(source, "state_dict") else source
    if not isinstance(state, Mapping):
        raise InputError(f"source must be a module or a state dict, got {source!r}")
    for key in state:
        if not isinstance(key, str):
            raise InputError(f"source must have texts as keys, got {key!r}")
    places = _places(model, sample_shape)
    modules = _modules(places, names)
    wanted = {key for place, module in modules for key in _keyed(place, module)}
    if names is None and wanted - state.keys() - _ignored(wanted):
        modules = _in_order(places, state)
    if hasattr(source, "named_modules"):
        _check_modules(modules, dict(source.named_modules()))
    left, values = set(state), dict[str, np.ndarray]()
    for place, module in modules:
        expected = place.theirs()
        found = {}
        for name, array in expected.items():
            key = _key(module, name)
            left.discard(key)
            if name in place.form.ignored:
                continue
            if key not in state:
                raise InputError(
                    f"source has no {key}, for {place.unit!r} at {place.path}"
                )
            found[name] = on_host(state[key], key)
            check_shape(key, found[name], place, array)
        values |= place.taken(found)
    if left:
        raise InputError(f"source has {sorted(left)}, which the model lacks")
    replace(model, values)


def _check_modules(modules: list[tuple[Place, str]], known: Mapping[str, Any]) -> None:
    """Raise InputError if a module of PyTorch computes something else than its unit."""
    for place, name in modules:
        own = [
            cls.__name__
            for cls in type(known.get(name)).__mro__
            if cls.__module__.startswith("torch.nn.modules.")
            and cls.__module__.rpartition(".")[2] not in ("module", "container")
        ]
        wanted = MODULES[library_class(place.unit)]
        # A module of a user's own may compute anything; its arrays are taken.
        if own and not set(own) & set(wanted):
            raise InputError(
                f"source has a {own[0]} at {name or 'its root'}, and {place.unit!r} at "
                f"{place.path} takes the arrays of {' or '.join(wanted)}"
            )


def _places(model: Model, sample_shape: Any) -> list[Place]:
    orders = orders_of(checked_model(model), sample_shape)
    return places_of(model, FORMS, "PyTorch", orders)


def _key(module: str, name: str) -> str:
    return f"{module}.{name}" if module else name


def _keyed(place: Place, module: str) -> Arrays:
    return {_key(module, name): value for name, value in place.theirs().items()}


def _ignored(keys: set[str]) -> set[str]:
    return {key for key in keys if key.endswith("num_batches_tracked")}


def _modules(
    places: list[Place], names: Mapping[str, str] | None
) -> list[tuple[Place, str]]:
    """Return each unit with the name of its module."""
    if not isinstance(names, Mapping | None):
        raise InputError(f"names must be a mapping of paths to names, got {names!r}")
    unknown = set(names or {}) - {place.path for place in places}
    if unknown:
        raise InputError(
            f"names must hold paths of units with arrays, "
            f"{[place.path for place in places]}, got {sorted(unknown)}"
        )
    modules = {place.path: place.path for place in places} | dict(names or {})
    for name in modules.values():
        if not isinstance(name, str):
            raise InputError(f"names must be texts, got {name!r}")
    return [(place, modules[place.path]) for place in places]


def _in_order(places: list[Place], state: Mapping[str, Any]) -> list[tuple[Place, str]]:
    """Return each unit with the module that stands in its place in a state dict."""
    left, found = list(state), []
    for place in places:
        names = place.theirs()
        key = left[0] if left else ""
        ending = next((n for n in names if key == n or key.endswith(f".{n}")), None)
        if ending is None:
            raise InputError(
                f"source: the next array must be one of {list(names)}, for "
                f"{place.unit!r} at {place.path}, got {key or 'nothing'}"
            )
        module = key.removesuffix(ending).removesuffix(".")
        found.append((place, module))
        taken = {_key(module, name) for name in names}
        left = [key for key in left if key not in taken]
    return found
