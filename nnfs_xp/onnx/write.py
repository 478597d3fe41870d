"""Write a model as an ONNX file."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from nnfs_xp.backends import Array
from nnfs_xp.backends.numpy import NumpyBackend
from nnfs_xp.engine.context import Context
from nnfs_xp.engine.network import Network
from nnfs_xp.engine.program import Program
from nnfs_xp.errors import DivergenceError, InputError
from nnfs_xp.io.atomic import atomic_write, checked_path
from nnfs_xp.io.checkpoint import config_text, not_finite
from nnfs_xp.layers import Sequential
from nnfs_xp.layers.parallel import is_several
from nnfs_xp.model import Model
from nnfs_xp.onnx.forms import form_of
from nnfs_xp.onnx.functions import Namespace
from nnfs_xp.onnx.graph import IR_VERSION, OPSET, Graph, dimensions
from nnfs_xp.onnx.needed import needed
from nnfs_xp.onnx.traced import NoFormError, Traced

# Of the two texts of a file that are ours.
CONFIG_KEY, METADATA_KEY = "nnfs_xp", "metadata"
CONFIG_PARTS = ("layers", "loss", "metrics", "dtype", "seed")
# A message of protocol buffers is smaller.
_LARGEST = 2**31 - 1


def export(
    model: Model,
    path: str | os.PathLike[str],
    *,
    sample_shape: Sequence[Any] | None = None,
) -> None:
    """Write a model as an ONNX file, replacing it atomically.

    The file computes what ``model.predict`` does. Its input is ``input``, or
    ``input_0``, ``input_1`` and so on, its output is ``output``, and the first axis is
    that of the samples, of which there may be any number.

    Parameters
    ----------
    model : Model
    path : path
        The file.
    sample_shape : sequence of int, or of such sequences, optional
        Shape of a sample, of each input if there are several. It is needed only if the
        layers accept any shape.

    Raises
    ------
    InputError
        If `sample_shape` is needed and missing, or does not fit the layers; if a unit
        computes something that ONNX export does not support; if onnx is not installed.
    DivergenceError
        If a parameter is infinite or NaN; a file that is there stays as it is.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from nnfs_xp import Dense, Model, ReLU, Softmax, onnx
    >>> model = Model([Dense(2, 8), ReLU(), Dense(8, 3), Softmax()])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "model.onnx")
    ...     onnx.export(model, path)
    ...     again = onnx.load(path)
    >>> again.layers
    (Dense(2, 8), ReLU(), Dense(8, 3), Softmax())
    """
    path = checked_path(path, "path")
    wrong = next(not_finite(model._ready.export_values()), None)
    if wrong is not None:
        raise DivergenceError(
            f"the model is not exported: {wrong[0]} holds {wrong[1][0]}"
        )
    data = model_proto(model, sample_shape).SerializeToString(deterministic=True)
    with atomic_write(path) as file:
        file.write(data)


def model_proto(model: Model, sample_shape: Any = None) -> Any:
    """Return a model as onnx has it, checked by its checker."""
    onnx = needed()
    shape = _sample_shape(model, sample_shape)
    values = model._ready.export_values()
    if sum(array.nbytes for array in values.values()) > _LARGEST:
        raise InputError("model: an ONNX file holds at most 2 GB, and this is larger")
    graph, output = _traced(model, shape, values)
    helper = onnx.helper
    proto = helper.make_model(
        _graph_proto(graph, output),
        producer_name="nnfs_xp",
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    helper.set_model_props(proto, _texts(model))
    onnx.checker.check_model(proto, full_check=True)
    return proto


def _texts(model: Model) -> dict[str, str]:
    """Return what a file says beside the graph."""
    try:
        texts = {METADATA_KEY: json.dumps(model.metadata)}
    except (TypeError, ValueError) as error:
        raise InputError(f"metadata must be serializable as JSON: {error}") from error
    try:
        config = model.config()
    except InputError:
        # A unit of a user's own that no file can name. Its operators are there.
        return texts
    return {
        CONFIG_KEY: config_text({key: config[key] for key in CONFIG_PARTS}),
        **texts,
    }


def _sample_shape(model: Model, given: Any) -> Any:
    """Return the shape of a sample, or of each of several."""
    if not isinstance(given, (list, tuple)) and given is not None:
        raise InputError(f"sample_shape must be a tuple of integers, got {given!r}")
    shape = model.input_shape if given is None else _tuples(given)
    if shape is None:
        raise InputError(
            "sample_shape is needed, as the layers take samples of any shape"
        )
    try:
        Sequential(model.layers).output_shape(shape)
    except InputError as error:
        raise InputError(
            f"sample_shape must be {model.input_shape or 'one that fits'}, got {shape} "
            f"({error})"
        ) from error
    return shape


def _tuples(shape: Any) -> Any:
    if isinstance(shape, (list, tuple)):
        return tuple(_tuples(part) for part in shape)
    if type(shape) is not int or shape < 1:
        raise InputError(f"sample_shape must hold positive integers, got {shape!r}")
    return shape


def _graph_proto(graph: Graph, output: Traced) -> Any:
    from onnx import helper, numpy_helper

    def info(array: Traced) -> Any:
        kind = helper.np_dtype_to_tensor_dtype(array.dtype)
        return helper.make_tensor_value_info(array.name, kind, dimensions(array.shape))

    return helper.make_graph(
        graph.nodes,
        "model",
        [info(array) for array in graph.inputs],
        [info(output)],
        [numpy_helper.from_array(a, name) for name, a in graph.constants.items()],
    )


# Following the layers.


def _traced(
    model: Model, shape: Any, values: dict[str, np.ndarray]
) -> tuple[Graph, Traced]:
    """Return the graph of all layers, and its output."""
    graph = Graph(model.backend.dtype_name, values)
    several = is_several(shape)
    shapes = shape if several else (shape,)
    root = Sequential(model.layers)
    ids = root.integer_inputs
    each = ids if isinstance(ids, tuple) and ids else (ids,)
    inputs = tuple(
        graph.input(
            f"input_{number}" if several else "input",
            own,
            "int64" if each[number % len(each)] else graph.dtype,
        )
        for number, own in enumerate(shapes)
    )
    be = _GraphBackend(graph)
    network = Network(root, be, model.seed, standalone=True)
    program = Program(network, context=_FormContext)
    arrays = {
        name: Traced(graph, array.shape, array.dtype, name=name)
        for name, array in values.items()
    }
    program.bind_arrays(arrays, arrays)
    y, _ = program.root.fwd(inputs if several else inputs[0])
    return graph, graph.output(y, "output")


class _FormContext(Context):
    """Writes a unit by its form, or else by its ``fwd``."""

    def fwd(self, x: Any) -> tuple[Any, Any]:
        """Return what the unit outputs."""
        unit, graph = self.unit, self.be.graph  # type: ignore[attr-defined]
        written = form_of(unit)
        with graph.scope(self.path):
            try:
                y = NotImplemented if written is None else written(graph, self, x)
                return super().fwd(x) if y is NotImplemented else (y, ())
            except InputError:
                raise
            except (NoFormError, AttributeError, TypeError) as error:
                raise InputError(
                    f"layers: {unit!r} cannot be exported to ONNX: {error}; write "
                    "an export function and decorate it with "
                    f"@nnfs_xp.onnx.form({type(unit).__name__})"
                ) from error


class _GraphBackend(NumpyBackend):
    """Where constants are NumPy's, and everything else is written to a graph."""

    name = "onnx"
    # What is written to an array would be lost.
    in_place = False

    def __init__(self, graph: Graph) -> None:
        vars(self).update(vars(NumpyBackend(dtype=graph.dtype.name)))
        self.graph, self.xp = graph, Namespace(graph)
        self.zero = self.constant(0.0)
        # The bound method is that of the other.
        self.matmul = self.full_matmul  # type: ignore[method-assign]

    def array_type(self) -> Any:
        """Return the class of traced arrays."""
        return Traced

    def full(self, shape: tuple[int, ...], value: float) -> Array:
        """Return an array filled with one value."""
        return self.xp.full(shape, value, dtype=self.dtype)

    def put(self, host: np.ndarray) -> Array:
        """Return a constant."""
        return self.graph.constant(host)

    def replaced(self, array: Array, key: Any, values: Array) -> Array:
        """Return an array with other values in a part that slices without steps cut."""
        for axis in range(array.ndim - 1, -1, -1):
            length = array.shape[axis]
            if key[axis] == slice(None):
                continue
            start, stop, _ = key[axis].indices(length)
            before, after = (
                array[(*key[:axis], side, ...)]
                for side in (slice(0, start), slice(stop, length))
            )
            parts = [part for part in (before, values, after) if part.shape[axis]]
            values = self.xp.concat(parts, axis=axis)
        return values
