"""The shapes that go into a unit and come out of it, as computed from its cases."""

from __future__ import annotations

from typing import Any

import numpy as np

import nnfs_xp as nx
from nnfs_xp.checks import check_inputs
from nnfs_xp.engine.data import as_inputs, each
from nnfs_xp.engine.network import Network
from nnfs_xp.random import Stream
from nnfs_xp.testing import Bound
from tests.matrix.cases import ALL

NUMPY = nx.get_backend("numpy", dtype="float64")
Rows = list[list[str]]


def shapes_of(kind: str, name: str) -> Rows:
    """Return a table, its head first: a row for each different case."""
    head, row_of = _KINDS[kind]
    rows = [head]
    for case in ALL[kind][name]:
        row = row_of(case)
        if row not in rows:
            rows.append(row)
    return rows


def text(shape: Any) -> str:
    """Return a shape as it is written in Python."""
    return f"``{tuple(int(length) for length in shape)}``"


def texts(arrays: Any) -> str:
    """Return the shapes of one array, or of several inputs or outputs."""
    several = arrays if isinstance(arrays, tuple) else (arrays,)
    return ", ".join(text(array.shape) for array in several)


def bound(case: Any, *, training: bool = False) -> tuple[Any, Any, Bound]:
    """Return a case's unit, its parameters by path, and the unit with both.

    The parameters are normal numbers, so that none hides behind its starting value.
    """
    unit = case.make()
    network = Network(unit, NUMPY, 0, standalone=True)
    paths = [*network.learned.shapes, *network.frozen.shapes]
    params = {p: Stream(0, p).normal(network.shape_of(p)) for p in paths}
    return unit, params, Bound(unit, NUMPY, params, training=training)


def inputs_of(case: Any) -> Any:
    """Return the inputs of a case of a layer as its unit takes them: ids stay so."""
    _, ids, _ = check_inputs(NUMPY, case.make(), case.x, "x")
    return as_inputs(NUMPY, case.x, ids)


def _layer(case: Any) -> list[str]:
    unit, params, of_case = bound(case)
    y, residuals = of_case.fwd(inputs_of(case))
    _, gradients = of_case.bwd(residuals, each(np.ones_like, y))
    assert {path: grad.shape for path, grad in gradients.items()} == {
        path: value.shape for path, value in params.items() if path in gradients
    }
    kept = {**params, **of_case.buffers}
    own = ", ".join(f"{path} {text(value.shape)}" for path, value in kept.items())
    return [f"``{unit!r}``", texts(case.x), own or "none", texts(y)]


def _loss(case: Any) -> list[str]:
    loss = case.make()
    losses, residuals = loss.fwd(NUMPY, case.y_pred, case.y_true)
    gradient = loss.bwd(NUMPY, residuals, 1.0)
    shapes = (case.y_pred.shape, case.y_true.shape, losses.shape, gradient.shape)
    return [text(shape) for shape in shapes]


def _optimizer(case: Any) -> list[str]:
    optimizer = case.make()
    parameters = {"w": np.zeros((4, 3))}
    state = optimizer.init(NUMPY, parameters)
    slots = [
        f"{name} {text(value['w'].shape if isinstance(value, dict) else value.shape)}"
        for name, value in state.items()
    ]
    return [f"``{optimizer!r}``", text((4, 3)), ", ".join(slots)]


def _metric(case: Any) -> list[str]:
    value = case.make().calculate(case.y_pred, case.y_true)
    return [text(case.y_pred.shape), text(case.y_true.shape), text(value.shape)]


def _initializer(case: Any) -> list[str]:
    values = case[0]()(Stream(0, "shapes"), (300, 200))
    return [f"``{case[0]()!r}``", text((300, 200)), text(values.shape)]


def _regularizer(case: Any) -> list[str]:
    unit, w = case[0](), np.ones((4, 3))
    shapes = (w.shape, unit.penalty(NUMPY, w).shape, unit.gradient(NUMPY, w).shape)
    return [text(shape) for shape in shapes]


def _constraint(case: Any) -> list[str]:
    unit, w = case[0](), np.ones((4, 3))
    return [f"``{unit!r}``", text(w.shape), text(unit.project(NUMPY, w).shape)]


def _schedule(case: Any) -> list[str]:
    rate = case[0]()(0)
    return ["a whole number from 0", f"one {type(rate).__name__}"]


_KINDS: dict[str, tuple[list[str], Any]] = {
    "layer": (["layer", "inputs", "parameters and buffers", "output"], _layer),
    "loss": (["predictions", "targets", "losses", "gradient"], _loss),
    "optimizer": (["optimizer", "parameter", "state"], _optimizer),
    "metric": (["predictions", "targets", "result"], _metric),
    "initializer": (["initializer", "shape asked for", "values"], _initializer),
    "regularizer": (["parameter", "penalty", "gradient"], _regularizer),
    "constraint": (["constraint", "parameter", "in its place"], _constraint),
    "schedule": (["step", "rate"], _schedule),
}
