"""Models as safetensors files: arrays, a configuration, and no code."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nnfs_xp.errors import DivergenceError, FileFormatError, InputError
from nnfs_xp.io.atomic import atomic_write, checked_path
from nnfs_xp.io.kinds import kind_of

_METADATA_KEY = "nnfs_xp"
# Whole numbers take part in sums of floats, whose largest has 309.
_MOST_DIGITS = 300
_CHECKSUM_KEY = "checksum"
_CHECKSUM = re.compile("[0-9a-f]{64}")
_NO_CHECKSUM = "0" * 64
_FORMAT = 2
# What this version can read: format 1 numbered the units of all chains together.
_READABLE = (1, 2)
# Steps are counted in 32 bits.
MOST_STEPS = 2**31 - 1
# Prefixes of the names of further arrays, beside parameters and buffers.
_NO_VALUES = ("optimizer.", "scaling.", "training.")
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


def config_text(config: dict[str, Any]) -> str:
    """Return a configuration as text for a file.

    Raises
    ------
    InputError
        If JSON cannot hold it.
    """
    try:
        return json.dumps({"format": _FORMAT, **config})
    except (TypeError, ValueError) as error:
        raise InputError(f"metadata must be serializable as JSON: {error}") from error


def write_checkpoint(
    path: str | os.PathLike[str],
    config: dict[str, Any],
    named: dict[str, np.ndarray],
    *,
    allow_nonfinite: bool = False,
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
    allow_nonfinite : bool, default False
        Whether parameters may be infinite or NaN.

    Raises
    ------
    InputError
        If JSON cannot hold the configuration.
    DivergenceError
        If a parameter is infinite or NaN, and that was not allowed.
    """
    metadata = {_METADATA_KEY: config_text(config)}
    write_arrays(path, named, metadata, allow_nonfinite=allow_nonfinite)


def not_finite(named: Mapping[str, np.ndarray]) -> Iterator[tuple[str, np.ndarray]]:
    """Yield names of arrays with numbers that are not finite, and these numbers."""
    for name, array in named.items():
        wrong = array[~np.isfinite(array)]
        if wrong.size:
            yield name, wrong


def write_arrays(
    path: str | os.PathLike[str],
    named: dict[str, np.ndarray],
    metadata: dict[str, str] | None = None,
    *,
    allow_nonfinite: bool = False,
) -> None:
    """Write arrays by name to a safetensors file, replacing it atomically.

    The metadata of the file holds a SHA-256 checksum of all its bytes, in which 64
    zeros take the place of the checksum itself.

    Raises
    ------
    DivergenceError
        If a parameter is infinite or NaN, and that was not allowed.
    """
    from safetensors.numpy import save

    values = {name: x for name, x in named.items() if not name.startswith(_NO_VALUES)}
    wrong = next(not_finite(values), None)
    if wrong is not None and not allow_nonfinite:
        raise DivergenceError(
            f"the model is not saved: {wrong[0]} holds {wrong[1][0]}; "
            "allow_nonfinite=True writes it anyway"
        )
    # safetensors writes memory as it is, so an array that is not contiguous would be
    # scrambled silently.
    arrays = {name: np.require(array, None, "C") for name, array in named.items()}
    data = save(arrays)
    size = _header_size(data)
    # safetensors could put metadata in any order.
    metadata = {**(metadata or {}), _CHECKSUM_KEY: _NO_CHECKSUM}
    header = {"__metadata__": metadata, **json.loads(data[8:size])}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    head, body = len(text).to_bytes(8, "little") + text, memoryview(data)[size:]
    with atomic_write(checked_path(path, "path")) as file:
        file.write(_with_checksum(head, _NO_CHECKSUM, _digest(head, body)))
        file.write(body)


def _int(digits: str) -> int:
    """Return a whole number, or raise ValueError if no float could hold it."""
    if len(digits) > _MOST_DIGITS:
        raise ValueError(f"a number has {len(digits)} digits")
    return int(digits)


def read_checkpoint(
    path: str | os.PathLike[str],
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return configuration and arrays of a file that `write_checkpoint` wrote.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    FileFormatError
        If it is damaged, or was written by another program.
    """
    metadata, named = _load(path)
    if _METADATA_KEY not in metadata:
        raise _not_ours(
            path,
            "it is a safetensors file of another program, or of save_parameters; "
            "model.load_parameters reads one that has the names of model.parameters",
        )
    return read_config(metadata[_METADATA_KEY], path), named


def read_config(
    text: str, path: str | os.PathLike[str], known: Iterable[str] = ()
) -> dict[str, Any]:
    """Return the configuration of a model from its text.

    Parameters
    ----------
    text : str
        The result of `config_text`.
    path : path
        The file, named in errors.
    known : iterable of str, optional
        The parts that the text must have; all of them if not given.

    Raises
    ------
    FileFormatError
        If it is damaged, or of another version.
    """
    try:
        config: dict[str, Any] = json.loads(text, parse_int=_int)
        version = config["format"]
    except (KeyError, RecursionError, TypeError, ValueError) as error:
        raise _not_ours(path, repr(error)) from error
    if version not in _READABLE:
        newer = isinstance(version, int) and version > _FORMAT
        raise FileFormatError(
            f"{os.fspath(path)} has format {version!r}; this version reads {_READABLE}"
            f"{', and a newer nnfs_xp wrote the file' if newer else ''}"
        )
    names = set(known) or set(_CONFIG_TYPES)
    for key in sorted(names):
        if not isinstance(config.get(key, ...), _CONFIG_TYPES[key]):
            raise FileFormatError(f"{os.fspath(path)} has no usable {key!r}")
    for key in names & {"epochs_trained", "steps_trained"}:
        if not 0 <= config[key] <= MOST_STEPS:
            raise FileFormatError(f"{os.fspath(path)} has no usable {key!r}")
    return config


def read_arrays(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """Return the arrays of a safetensors file by name.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    FileFormatError
        If it is damaged, or holds something other than floats.
    """
    return _load(path)[1]


def _load(
    path: str | os.PathLike[str],
) -> tuple[dict[str, str], dict[str, np.ndarray]]:
    """Return metadata and arrays."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    data = Path(checked_path(path, "path")).read_bytes()
    try:
        # safetensors' own reader of bytes drops the metadata.
        header = json.loads(data[8 : _header_size(data)])
        metadata = header.pop("__metadata__", {})
        _check_checksum(data, metadata)
        _check_types(header)
        named = load(data)
    except _Damaged as error:
        raise _not_ours(path, str(error)) from error
    except (
        SafetensorError, AttributeError, KeyError, RecursionError, TypeError, ValueError
    ) as error:  # fmt: skip
        kind = kind_of(data)
        raise _not_ours(path, f"it is {kind}" if kind else repr(error)) from error
    for name, array in named.items():
        known = name == "optimizer.step" or name.startswith("training.")
        if array.dtype.kind != "f" and not known:
            raise FileFormatError(
                f"{os.fspath(path)}: {name} must hold floats, got {array.dtype}"
            )
    return metadata, named


class _Damaged(Exception):
    """The content of a file has changed since it was written, or cannot be read."""


def _check_checksum(data: bytes, metadata: dict[str, str]) -> None:
    """Raise _Damaged if a file's checksum is wrong; old files have none."""
    checksum = metadata.get(_CHECKSUM_KEY)
    if checksum is None:
        # The name of the checksum may be damaged, too. Other programs write their own.
        if any(_is_nearly_ours(*entry) for entry in metadata.items()):
            raise _Damaged("it is damaged: its checksum has lost its name")
        return
    if _METADATA_KEY not in metadata and len(checksum) != len(_NO_CHECKSUM):
        return
    size = _header_size(data)
    head = _with_checksum(data[:size], checksum, _NO_CHECKSUM)
    if _digest(head, memoryview(data)[size:]) != checksum:
        raise _Damaged(
            "it is damaged, or was changed by another program: its checksum does not "
            "fit its content"
        )


def _is_nearly_ours(key: str, value: str) -> bool:
    """Return whether an entry is our checksum, but for one letter of its name."""
    pairs = zip(key, _CHECKSUM_KEY, strict=False)
    others = sum(one != other for one, other in pairs)
    alike = len(key) == len(_CHECKSUM_KEY) and others <= 1
    return alike and _CHECKSUM.fullmatch(value) is not None


def _check_types(header: dict[str, Any]) -> None:
    """Raise _Damaged for an array of a dtype that NumPy has not."""
    for name, entry in header.items():
        kind = entry["dtype"]
        if re.fullmatch("BF16|F[468]_.+", kind):
            raise _Damaged(f"{name} has dtype {kind}; F16, F32 and F64 can be read")


def _digest(head: bytes, body: memoryview) -> str:
    digest = hashlib.sha256(head)
    digest.update(body)
    return digest.hexdigest()


def _with_checksum(head: bytes, old: str, new: str) -> bytes:
    """Return the beginning of a file with a different checksum."""
    # Quotes within metadata have a backslash before them, so this is not found there.
    before, after = (f'"{_CHECKSUM_KEY}":"{value}"'.encode() for value in (old, new))
    return head.replace(before, after, 1)


def _header_size(data: bytes) -> int:
    return 8 + int.from_bytes(data[:8], "little")


def _not_ours(path: str | os.PathLike[str], reason: str) -> FileFormatError:
    return FileFormatError(
        f"{os.fspath(path)} is not a model that nnfs_xp saved: {reason}"
    )
