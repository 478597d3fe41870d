"""Whether a model computes the same on several backends, unit by unit."""

from __future__ import annotations

import copy
import dataclasses
import math
from collections.abc import Sequence
from typing import Any

from nnfs_xp.arguments import check_rate
from nnfs_xp.backends import (
    BACKEND_NAMES,
    Array,
    Backend,
    backend_status,
    get_backend,
)
from nnfs_xp.engine.context import Context
from nnfs_xp.engine.draws import HostDraws
from nnfs_xp.engine.program import Program
from nnfs_xp.engine.step import loss_and_gradient
from nnfs_xp.errors import InputError
from nnfs_xp.layers import Sequential
from nnfs_xp.model.inputs import check_data, check_samples
from nnfs_xp.model.model import Model
from nnfs_xp.registry import is_exactly

# Phase, unit and array, and what was computed, in this order.
Trace = dict[tuple[str, str, str], Array]
_HOST = get_backend("numpy", dtype="float64")
_COLUMNS = ("phase", "unit", "array", "backend", "absolute", "relative", "ulp")


@dataclasses.dataclass(frozen=True)
class ParityReport:
    """How much backends differ.

    Attributes
    ----------
    backends : list of str
        The first one is the reference for the others.
    samples : int
    rtol : float
        The largest difference allowed, relative to the largest entry of each array.
    rows : list of dict
        For each array, in the order of computation, and each other backend:
        ``phase``, ``unit``, ``array`` and ``backend``, the largest ``absolute``
        difference, the same as a share of the largest entry, ``relative``, the largest
        in units in the last place, ``ulp``, and whether it ``agrees``.
    """

    backends: list[str]
    samples: int
    rtol: float
    rows: list[dict[str, Any]]

    @property
    def first(self) -> dict[str, Any] | None:
        """The first row that is not within tolerance."""
        return next((row for row in self.rows if not row["agrees"]), None)

    @property
    def agrees(self) -> bool:
        """Whether all are within tolerance."""
        return self.first is None

    def to_dict(self) -> dict[str, Any]:
        """Return everything, ready for JSON."""
        verdict = {"agrees": self.agrees, "first": self.first}
        return {**dataclasses.asdict(self), **verdict}

    def __str__(self) -> str:
        table = [
            _COLUMNS,
            *(tuple(_text(row[c]) for c in _COLUMNS) for row in self.rows),
        ]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines = [
            "  ".join(cell.ljust(n) for cell, n in zip(cells, widths, strict=True))
            for cells in table
        ]
        for number, row in enumerate(self.rows, start=1):
            lines[number] += "" if row["agrees"] else "  *"
        reference, first = self.backends[0], self.first
        verdict = f"all within {self.rtol:g} of {reference}"
        if first is not None:
            verdict = (
                f"* more than {self.rtol:g} from {reference}; first in the "
                f"{first['phase']} pass at {first['unit']}, {first['array']}, on "
                f"{first['backend']}"
            )
        return "\n".join([*(line.rstrip() for line in lines), verdict])


def compare(
    model: Model,
    x: Any,
    y: Any,
    backends: Sequence[str | Backend],
    *,
    rtol: float | None = None,
    training: bool = True,
) -> ParityReport:
    """Return the report of a model; see `nnfs_xp.testing.parity_report`."""
    if not isinstance(model, Model):
        raise InputError(f"model must be a Model, got {model!r}")
    if y is not None and model.loss is None:
        raise InputError("y needs a model with a loss")
    own, dtype = model.backend, model.backend.dtype_name
    if not backends:
        others = (n for n in BACKEND_NAMES if n != own.name and backend_status(n).works)
        backends = [own, *others]
    if isinstance(backends, str) or len(backends) < 2:
        raise InputError(f"backends must name two or more, got {backends!r}")
    precision = own.matmul_precision
    places = [
        get_backend(
            be, dtype=dtype,
            matmul_precision=None if isinstance(be, Backend) else precision,
        )
        for be in backends
    ]  # fmt: skip
    if rtol is None:
        usual = 1e-12 if dtype == "float64" else 1e-4
        rtol = usual if precision == "full" else 0.05
    rtol, rows = check_rate(rtol, "rtol"), []
    traced = [_traced(model, be, x, y, training) for be in places]
    traces, samples = [trace for trace, _ in traced], traced[0][1]
    for key, expected in traces[0].items():
        for be, trace in zip(places[1:], traces[1:], strict=True):
            found = _differences(expected, trace[key])
            names = dict(zip(_COLUMNS, (*key, str(be), *found), strict=True))
            rows.append({**names, "agrees": bool(found[1] <= rtol)})
    return ParityReport(list(map(str, places)), samples, rtol, rows)


class _Recorder(Context):
    """Records what passes through its unit."""

    program: Program
    trace: Trace

    def fwd(self, x: Any) -> tuple[Any, Any]:
        y, residuals = super().fwd(x)
        self._note("forward", "output", y)
        return y, residuals

    def bwd(self, residuals: Any, dy: Any) -> Any:
        dx = super().bwd(residuals, dy)
        for name in self.params:
            path = f"{self.path}.{name}" if self.path else name
            self._note("backward", name, self.program.run.gradients.get(path))
        self._note("backward", "inputs", dx)
        return dx

    def _note(self, phase: str, name: str, value: Any) -> None:
        # A chain has nothing of its own.
        if not is_exactly(self.unit, Sequential):
            unit = f"{self.path} {type(self.unit).__name__}".strip()
            _note(self.trace, self.be, phase, unit, name, value)


def _traced(
    model: Model, be: Backend, x: Any, y: Any, training: bool
) -> tuple[Trace, int]:
    """Return all that a backend computes, on the host in order, and the row count."""
    model = copy.deepcopy(model).to(be)
    state, trace = model._ready, Trace()
    network = state.network
    with be.context():
        data = check_samples(network, x) if y is None else check_data(network, x, y)
        data = data.moved(be)
        program = Program(
            network, training=training, keeps=True, needs_dx=True, absorbs=True,
            context=_Recorder,
        )  # fmt: skip
        for cx, _ in program.contexts:
            cx.program, cx.trace = program, trace  # type: ignore[attr-defined]
        root = program.begin(state.tree, HostDraws(be, 0))
        y_pred, residuals = root.fwd(data.inputs)
        activation = network.absorbed.output_activation
        if activation is not None:
            # The loss is computed without it, but a prediction needs it.
            output, _ = Context(activation, be, keeps=False).fwd(y_pred)
            unit = f"{network.nodes[id(activation)].path} {type(activation).__name__}"
            _note(trace, be, "forward", unit, "output", output)
        if y is not None:
            _, losses, dy = loss_and_gradient(network, y_pred, data.y)
            name = type(network.loss).__name__
            _note(trace, be, "loss", name, "losses", losses)
            _note(trace, be, "loss", name, "gradient", dy)
            root.bwd(residuals, dy)
    return trace, data.samples


def _note(
    trace: Trace, be: Backend, phase: str, unit: str, name: str, value: Any
) -> None:
    if isinstance(value, tuple):
        for number, array in enumerate(value):
            _note(trace, be, phase, unit, f"{name}[{number}]", array)
    elif value is not None:
        key, call = (phase, unit, name), 1
        while key in trace:
            call += 1
            key = phase, unit, f"{name} (call {call})"
        trace[key] = _HOST.xp.asarray(be.to_numpy(value), copy=True)


def _differences(expected: Array, found: Array) -> tuple[float, float, float]:
    """Return the largest difference: absolute, relative, and in ulps."""
    if expected.shape != found.shape or expected.dtype != found.dtype:
        return (math.inf,) * 3
    if 0 in expected.shape:
        return (0.0,) * 3
    xp, kind = _HOST.xp, _HOST.xp.finfo(expected.dtype)
    with _HOST.context():
        same = (expected == found) | (xp.isnan(expected) & xp.isnan(found))
        expected, found = (xp.astype(array, _HOST.dtype) for array in (expected, found))
        apart = xp.abs(expected - found)
        apart = xp.where(xp.isfinite(apart), apart, math.inf)
        apart = xp.where(same, 0.0, apart)
        sizes, others = (
            xp.abs(xp.where(xp.isfinite(array), array, 0.0))
            for array in (expected, found)
        )
        largest, top = float(xp.max(apart)), float(xp.max(sizes))
        # If one number is 0, the other one determines the spacing of numbers.
        least = _HOST.constant(kind.smallest_normal)
        sizes = xp.maximum(xp.maximum(sizes, others), least)
        ulps = float(xp.max(apart / (kind.eps * 2.0 ** xp.floor(xp.log2(sizes)))))
    share = largest / top if top else math.inf
    return largest, share if largest else 0.0, ulps


def _text(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
