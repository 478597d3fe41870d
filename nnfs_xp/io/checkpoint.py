"""Models as safetensors files: arrays, a configuration, and no code."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from nnfs_xp.errors import FileFormatError, InputError
from nnfs_xp.io.atomic import atomic_write

_METADATA_KEY = "nnfs_xp"
_FORMAT = 1
_CONFIG_TYPES: dict[str, tuple[type, ...]] = {
    "layers": (list,),
    "loss": (dict, type(None)),
    "optimizer": (dict, type(None)),
    "metric": (dict, type(None)),
    "dtype": (str,),
    "seed": (int,),
    "epochs_trained": (int,),
    "metadata": (dict,),
}


def write_checkpoint(
    path: str | os.PathLike[str], config: dict[str, Any], named: dict[str, np.ndarray]
) -> None:
    """Write arrays and a configuration, replacing the file atomically.

    Parameters
    ----------
    path : path
        The file.
    config : dict
        Anything JSON can hold.
    named : dict of numpy.ndarray
        Arrays by name.

    Raises
    ------
    InputError
        If JSON cannot hold the configuration.
    """
    from safetensors.numpy import save

    try:
        text = json.dumps({"format": _FORMAT, **config})
    except (TypeError, ValueError) as error:
        raise InputError(f"metadata must be what JSON can hold: {error}") from error
    # safetensors writes the memory as it lies, so an array that is not
    # contiguous would be scrambled without a word.
    arrays = {
        name: np.require(array, requirements="C") for name, array in named.items()
    }
    data = save(arrays, metadata={_METADATA_KEY: text})
    with atomic_write(path) as file:
        file.write(data)


def read_checkpoint(
    path: str | os.PathLike[str],
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return configuration and arrays of a file that `write_checkpoint` wrote.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    FileFormatError
        If it is damaged, or was written by something else.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    data = Path(path).read_bytes()
    try:
        named = load(data)
        config = json.loads(_header(data)["__metadata__"][_METADATA_KEY])
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise FileFormatError(
            f"{os.fspath(path)} is not a model that nnfs_xp saved: {error!r}"
        ) from error
    _check_config(path, config)
    for name, array in named.items():
        if array.dtype.kind != "f" and name != "optimizer.step":
            raise FileFormatError(
                f"{os.fspath(path)}: {name} must hold floats, got {array.dtype}"
            )
    return config, named


def _header(data: bytes) -> Any:
    """Return the JSON header; safetensors' own reader of bytes drops it."""
    length = int.from_bytes(data[:8], "little")
    return json.loads(data[8 : 8 + length])


def _check_config(path: str | os.PathLike[str], config: Any) -> None:
    if not isinstance(config, dict) or config.get("format") != _FORMAT:
        found = config.get("format") if isinstance(config, dict) else config
        raise FileFormatError(
            f"{os.fspath(path)} has format {found!r}; this version reads {_FORMAT}"
        )
    for key, types in _CONFIG_TYPES.items():
        if not isinstance(config.get(key, ...), types):
            raise FileFormatError(f"{os.fspath(path)} has no usable {key!r}")
