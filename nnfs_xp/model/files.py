"""The part of a model that a file holds, and a model made from a file."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from typing import Any

from nnfs_xp.arguments import check_choice
from nnfs_xp.backends import MATMUL_PRECISIONS, Backend, get_backend
from nnfs_xp.engine.layout import named_array
from nnfs_xp.engine.network import Network, Node
from nnfs_xp.engine.state import LEARNING_STATE
from nnfs_xp.errors import FileFormatError, InputError
from nnfs_xp.io.checkpoint import read_arrays, read_checkpoint
from nnfs_xp.layers import Layer, Sequential
from nnfs_xp.layers.nesting import walk

Named = dict[str, Any]
# Names of format 1, where the units of all chains were numbered together.
_OLD_NAME = re.compile(r"((?:optimizer\.\w+\.)?)layers\.(\d+)\.(\w+)")


def read_model(path: str | os.PathLike[str]) -> tuple[dict[str, Any], Named]:
    """Return configuration and arrays of a file, its layers with their values.

    Raises
    ------
    FileFormatError
        If the file is damaged, or its arrays do not fit its layers.
    """
    config, named = read_checkpoint(path)
    with naming(path):
        root = Sequential(config["layers"])
        config["layers"] = root.layers
        named = renamed(named, root)
        give_values(root, named)
    return config, named


def give_values(root: Layer, named: Named) -> None:
    """Give values to units that no model holds, by path.

    Raises
    ------
    InputError
        If one is missing, or has another shape.
    """
    for prefix, unit in walk(root):
        node = Node(unit, prefix, True)
        unit._values = {
            name: named_array(named, node.key(name), shape)
            for name, shape in node.shapes.items()
        }


@contextlib.contextmanager
def naming(path: str | os.PathLike[str]) -> Iterator[None]:
    """Raise FileFormatError, with the path, for what does not fit inside."""
    try:
        yield
    except InputError as error:
        raise FileFormatError(f"{os.fspath(path)}: {error}") from error
    except RecursionError as error:
        reason = "its layers are nested too deeply"
        raise FileFormatError(f"{os.fspath(path)}: {reason}") from error


def check_precision(value: Any) -> None:
    """Raise InputError if a precision is unknown, before a file is read."""
    if value is not None:
        check_choice(value, "matmul_precision", MATMUL_PRECISIONS)


def backend_for_file(
    path: str | os.PathLike[str],
    saved_dtype: Any,
    backend: str | Backend | None,
    device: Any,
    dtype: str | None,
    matmul_precision: str | None,
) -> Backend:
    """Return the backend for a model from a file, in the file's dtype by default."""
    be = get_backend(backend, device=device, dtype=dtype)
    if dtype is None and not isinstance(backend, Backend):
        with naming(path):
            be = get_backend(be, dtype=saved_dtype)
    return get_backend(be, matmul_precision=matmul_precision)


def read_values(path: str | os.PathLike[str], network: Network) -> Named:
    """Return parameters and buffers of a file for a network.

    Raises
    ------
    FileFormatError
        If the file is damaged, or does not fit.
    """
    named = renamed(read_arrays(path), network.root)
    with naming(path):
        for name in sorted(named.keys() - network.by_path.keys()):
            if not name.startswith((*LEARNING_STATE, "training.")):
                raise InputError(f"this model has no {name}")
        return {
            own: named_array(named, own, network.shape_of(own))
            for own in network.by_path
        }


def renamed(named: Named, root: Layer) -> Named:
    """Return arrays by path, also those of files of format 1."""
    by_number = [path for path, unit in walk(root) if not unit.children]

    def new(name: str) -> str:
        found = _OLD_NAME.fullmatch(name)
        if found is None or int(found[2]) >= len(by_number):
            return name
        return f"{found[1]}{by_number[int(found[2])]}.{found[3]}"

    return {new(name): array for name, array in named.items()}
