"""Read a model from an ONNX file."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from nnfs_xp.backends import Backend
from nnfs_xp.engine.executors import check_mode
from nnfs_xp.errors import FileFormatError, InputError
from nnfs_xp.io.atomic import checked_path
from nnfs_xp.io.checkpoint import read_config
from nnfs_xp.io.kinds import kind_of
from nnfs_xp.layers import Sequential
from nnfs_xp.model import Model, files
from nnfs_xp.onnx.needed import needed
from nnfs_xp.onnx.operators import chain_of
from nnfs_xp.onnx.write import CONFIG_KEY, CONFIG_PARTS, METADATA_KEY, model_proto


def load(
    path: str | os.PathLike[str],
    *,
    backend: str | Backend | None = None,
    device: Any = None,
    dtype: str | None = None,
    matmul_precision: str | None = None,
    compile: str = "auto",
) -> Model:
    """Return the model that an ONNX file holds, on any backend.

    A file of `export` gives the same layers again, with loss, metrics and metadata. Of
    another file the operators are read. It may hold chains, sums, concatenations and
    shortcuts of operators that units of this library compute. Images that it takes with
    their channels first, the model takes with their channels last.

    Parameters
    ----------
    path : path
        The file. No file beside it is read.
    backend, device, dtype, matmul_precision, compile : optional
        See `nnfs_xp.Model`; the dtype is that of the file by default.

    Returns
    -------
    Model
        Without an optimizer: ONNX files hold no state of learning.

    Raises
    ------
    InputError
        If an argument is unknown, or if onnx is not installed.
    FileFormatError
        If the file is damaged, or has operators that no unit computes.
    FileNotFoundError
        If there is no such file.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from nnfs_xp import Dense, Model, ReLU, onnx
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "model.onnx")
    ...     Model([Dense(2, 8), ReLU()]).export(path)
    ...     model = onnx.load(path, dtype="float64")
    >>> model.layers, model.backend.dtype_name
    ((Dense(2, 8), ReLU()), 'float64')
    """
    onnx = needed()
    from onnx import numpy_helper

    path = checked_path(path, "path")
    check_mode(compile)
    files.check_precision(matmul_precision)
    data = Path(path).read_bytes()
    proto = onnx.ModelProto()
    try:
        proto.ParseFromString(data)
        onnx.checker.check_model(proto, full_check=True)
        # The checker does not see lengths that do not fit the data.
        for tensor in proto.graph.initializer:
            numpy_helper.to_array(tensor)
    except Exception as error:
        # protobuf's and onnx's own errors share no base.
        kind = None if proto.graph.node else kind_of(data)
        reason = f"it is {kind}" if kind else str(error).strip()
        raise FileFormatError(f"{path} is not an ONNX model: {reason}") from error
    if len(proto.graph.output) != 1:
        raise FileFormatError(
            f"{path}: it has {len(proto.graph.output)} outputs, and must have one"
        )
    config = _config(proto, path)
    be = files.backend_for_file(
        path, config["dtype"], backend, device, dtype, matmul_precision
    )
    with files.naming(path):
        if _is_ours(proto, config):
            config["layers"] = _own_layers(proto, config)
        else:
            config["layers"] = chain_of(proto)
        model = Model(
            config["layers"],
            loss=config["loss"],
            metrics=config["metrics"],
            backend=be,
            seed=config["seed"],
            compile=compile,
        )
    model.metadata = config["metadata"]
    return model


def _config(proto: Any, path: str) -> dict[str, Any]:
    """Return what a file says of its model beside the graph."""
    from onnx import TensorProto

    texts = {entry.key: entry.value for entry in proto.metadata_props}
    kind = proto.graph.output[0].type.tensor_type.elem_type
    config: dict[str, Any] = {
        "layers": None,
        "loss": None,
        "metrics": None,
        "dtype": "float64" if kind == TensorProto.DOUBLE else "float32",
        "seed": 0,
    }
    if CONFIG_KEY in texts:
        config = read_config(texts[CONFIG_KEY], path, CONFIG_PARTS)
    try:
        config["metadata"] = json.loads(texts.get(METADATA_KEY, "{}"))
    except (RecursionError, ValueError):
        # That of another program need not be JSON.
        config["metadata"] = {}
    if not isinstance(config["metadata"], dict):
        config["metadata"] = {}
    return config


def _is_ours(proto: Any, config: dict[str, Any]) -> bool:
    """Return whether the layers that a file names are those of its graph."""
    if config["layers"] is None:
        return False
    try:
        model = Model(_own_layers(proto, config), dtype=config["dtype"])
        model.metadata = {}
        written = model_proto(model, _sample_shape(proto))
    except InputError:
        return False
    return bool(written.graph == proto.graph)


def _own_layers(proto: Any, config: dict[str, Any]) -> Any:
    """Return the layers that a file names, with their values."""
    from onnx import numpy_helper

    root = Sequential(config["layers"])
    tensors = proto.graph.initializer
    named = {tensor.name: numpy_helper.to_array(tensor) for tensor in tensors}
    files.give_values(root, named)
    return root.layers


def _sample_shape(proto: Any) -> Any:
    shapes = [
        tuple(dim.dim_value for dim in info.type.tensor_type.shape.dim[1:])
        for info in proto.graph.input
    ]
    # One input of several is numbered too.
    return shapes[0] if proto.graph.input[0].name == "input" else tuple(shapes)
