"""A graph of ONNX operators while it is written."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from nnfs_xp.onnx.traced import Rows, Shape, Traced

# Gelu came with it. onnxruntime reads it from version 1.17 on.
OPSET = 20
IR_VERSION = 10
# Of the operators that units have, those that onnxruntime computes in float64.
_IN_FLOAT64 = {
    "BatchNormalization", "Identity", "LayerNormalization", "LogSoftmax", "Relu",
    "Sigmoid", "Softmax", "Tanh",
}  # fmt: skip


class Graph:
    """Nodes and constants, in the order in which they are made.

    Parameters
    ----------
    dtype : {"float32", "float64"}
        That of the model.
    values : dict of str to numpy.ndarray
        Parameters and buffers of the model, by path.
    """

    def __init__(self, dtype: str, values: dict[str, np.ndarray]) -> None:
        self.dtype = np.dtype(dtype)
        self.nodes: list[Any] = []
        self.constants = dict(values)
        self._known: dict[tuple[Any, ...], str] = {}
        self._names: set[str] = set(values)
        self._scope = ""
        self.inputs: list[Traced] = []

    def input(self, name: str, shape: Shape, dtype: Any) -> Traced:
        """Add an input for samples of a shape, and return it."""
        self._names.add(name)
        found = Traced(self, (Rows(), *shape), np.dtype(dtype), name=name)
        self.inputs.append(found)
        return found

    @contextlib.contextmanager
    def scope(self, path: str) -> Iterator[None]:
        """Let the names of nodes begin with the path of a unit."""
        before, self._scope = self._scope, path
        yield
        self._scope = before

    def op(
        self,
        kind: str,
        *inputs: Any,
        shape: Shape | None = None,
        dtype: Any = None,
        place: int = 0,
        outputs: int = 1,
        **attributes: Any,
    ) -> Any:
        """Add a node, and return its output, or a tuple of several.

        Parameters
        ----------
        kind : str
            The operator, such as ``"Relu"``.
        *inputs : Traced, array, number or None
            Numbers get the dtype of the first input. None is an input left out.
        shape, dtype : optional
            Those of the output; those of the first input if not given.
        place : int, default 0
            Which output of the operator is the first to be used.
        outputs : int, default 1
            How many are used, all of one shape.
        **attributes
            Those of the operator.
        """
        from onnx import helper

        first = next(item for item in inputs if isinstance(item, Traced))
        names = [self._new_name(kind) for _ in range(outputs)]
        node = helper.make_node(
            kind,
            [self._name_of(item, first.dtype) for item in inputs],
            [*[""] * place, *names],
            name=names[0],
            **attributes,
        )
        self.nodes.append(node)
        shape = first.shape if shape is None else tuple(shape)
        dtype = np.dtype(dtype or first.dtype)
        found = tuple(Traced(self, shape, dtype, name=name) for name in names)
        return found if outputs > 1 else found[0]

    def native(self, kind: str, *inputs: Any, **attributes: Any) -> Any:
        """Add a node, if this operator computes the same as the unit does.

        In float64 an operator is taken only where onnxruntime computes it, and where
        its numbers, which ONNX holds in float32, are not rounded. Otherwise the result
        is NotImplemented.
        """
        numbers = [value for value in attributes.values() if isinstance(value, float)]
        exact = all(float(np.float32(number)) == number for number in numbers)
        if self.dtype == np.float64 and not (exact and kind in _IN_FLOAT64):
            return NotImplemented
        return self.op(kind, *inputs, **attributes)

    def constant(self, value: Any, dtype: Any = None) -> Traced:
        """Return a constant, which is written once it is used."""
        array = np.asarray(value, dtype)
        return Traced(self, array.shape, array.dtype, value=array)

    def output(self, found: Traced, name: str) -> Traced:
        """Give the output of a node its name as that of the whole graph."""
        if not any(found.name in node.output for node in self.nodes):
            found = self.op("Identity", found)
        for node in self.nodes:
            for names in (node.input, node.output):
                for place, known in enumerate(names):
                    if known == found.name:
                        names[place] = name
        self._leave_out_what_nobody_uses(name)
        return Traced(self, found.shape, found.dtype, name=name)

    def _leave_out_what_nobody_uses(self, output: str) -> None:
        """Drop nodes and constants of residuals, which ``fwd`` computes too."""
        used, kept = {output}, []
        for node in reversed(self.nodes):
            if used & set(node.output):
                used |= set(node.input)
                kept.append(node)
        self.nodes = kept[::-1]
        for name in self._known.values():
            if name not in used:
                del self.constants[name]

    def lengths(self, shape: Any) -> Traced:
        """Return a shape as integers, of which the number of samples is one."""
        if not any(isinstance(length, Rows) for length in shape):
            return self.constant(shape, "int64")
        first = self.inputs[0]
        n = self.op("Shape", first, shape=(1,), dtype="int64", start=0, end=1)
        parts = [
            n * length.count if isinstance(length, Rows) else self.constant([length])
            for length in shape
        ]
        return self.op("Concat", *parts, shape=(len(parts),), dtype="int64", axis=0)

    def _new_name(self, kind: str) -> str:
        start = f"{self._scope}/{kind}" if self._scope else kind
        name, number = start, 1
        while name in self._names:
            name, number = f"{start}_{number}", number + 1
        self._names.add(name)
        return name

    def _name_of(self, item: Any, dtype: np.dtype) -> str:
        if item is None:
            return ""
        if not isinstance(item, Traced):
            item = self.constant(item, None if hasattr(item, "dtype") else dtype)
        if item.name is None:
            item.name = self._constant_name(item.value)
        return item.name

    def _constant_name(self, value: np.ndarray) -> str:
        key = value.dtype.str, value.shape, value.tobytes()
        if key not in self._known:
            name = self._known[key] = f"constant_{len(self._known)}"
            self.constants[name] = value
        return self._known[key]


def dimensions(shape: Shape) -> list[Any]:
    """Return a shape as ONNX writes it, with a name for what is not known."""
    return [
        ("samples" if length.count == 1 else f"{length.count}*samples")
        if isinstance(length, Rows)
        else int(length)
        for length in shape
    ]
