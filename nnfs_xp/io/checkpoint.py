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
_FORMAT = 2
# What this version can read: format 1 numbered the units of all chains together.
_READABLE = (1, 2)
_CONFIG_TYPES: dict[str, tuple[type, ...]] = {
    "layers": (list,),
    "loss": (dict, type(None)),
    "optimizer": (dict, type(None)),
    "metrics": (list,),
    "dtype": (str,),
    "seed": (int,),
    "epochs_trained": (int,),
    "steps_trained": (int,),
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
    try:
        text = json.dumps({"format": _FORMAT, **config})
    except (TypeError, ValueError) as error:
        raise InputError(f"metadata must be what JSON can hold: {error}") from error
    write_arrays(path, named, {_METADATA_KEY: text})


def write_arrays(
    path: str | os.PathLike[str],
    named: dict[str, np.ndarray],
    metadata: dict[str, str] | None = None,
) -> None:
    """Write arrays by name to a safetensors file, replacing it atomically."""
    from safetensors.numpy import save

    # safetensors writes the memory as it lies, so an array that is not
    # contiguous would be scrambled without a word.
    arrays = {name: np.require(array, None, "C") for name, array in named.items()}
    with atomic_write(path) as file:
        file.write(save(arrays, metadata))


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
    data, named = _load(path)
    try:
        # safetensors' own reader of bytes drops this part of the header.
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
        config = json.loads(header["__metadata__"][_METADATA_KEY])
        version = config["format"]
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(path, error) from error
    if version not in _READABLE:
        raise FileFormatError(
            f"{os.fspath(path)} has format {version!r}; this version reads {_READABLE}"
        )
    for key, types in _CONFIG_TYPES.items():
        if not isinstance(config.get(key, ...), types):
            raise FileFormatError(f"{os.fspath(path)} has no usable {key!r}")
    return config, named


def read_arrays(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """Return the arrays of a safetensors file by name.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    FileFormatError
        If it is damaged, or holds something else than floats.
    """
    return _load(path)[1]


def _load(path: str | os.PathLike[str]) -> tuple[bytes, dict[str, np.ndarray]]:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    data = Path(path).read_bytes()
    try:
        named = load(data)
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise _damaged(path, error) from error
    for name, array in named.items():
        if array.dtype.kind != "f" and name != "optimizer.step":
            raise FileFormatError(
                f"{os.fspath(path)}: {name} must hold floats, got {array.dtype}"
            )
    return data, named


def _damaged(path: str | os.PathLike[str], error: Exception) -> FileFormatError:
    return FileFormatError(
        f"{os.fspath(path)} is not a model that nnfs_xp saved: {error!r}"
    )
