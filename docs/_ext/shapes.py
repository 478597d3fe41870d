"""The shapes that go into a unit and come out of it, as computed from its cases."""

from __future__ import annotations

from typing import Any

import numpy as np

import nnfs_xp as nx
from nnfs_xp.random import Stream
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


def _layer(case: Any) -> list[str]:
    layer = case.make()
    stream = Stream(0, "shapes")
    params = {key: start(stream, s) for key, (start, s) in layer.initializers().items()}
    y, residuals = layer.fwd(NUMPY, params, case.x)
    dx, grads = layer.bwd(NUMPY, params, residuals, np.ones(y.shape))
    assert dx.shape == case.x.shape
    own = ", ".join(f"{key} {text(grad.shape)}" for key, grad in grads.items())
    return [f"``{layer!r}``", text(case.x.shape), own or "none", text(y.shape)]


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


def _schedule(case: Any) -> list[str]:
    rate = case[0]()(0)
    return ["a whole number from 0", f"one {type(rate).__name__}"]


_KINDS: dict[str, tuple[list[str], Any]] = {
    "layer": (["layer", "inputs", "parameters", "output"], _layer),
    "loss": (["predictions", "targets", "losses", "gradient"], _loss),
    "optimizer": (["optimizer", "parameter", "state"], _optimizer),
    "metric": (["predictions", "targets", "result"], _metric),
    "initializer": (["initializer", "shape asked for", "values"], _initializer),
    "regularizer": (["parameter", "penalty", "gradient"], _regularizer),
    "schedule": (["step", "rate"], _schedule),
}
