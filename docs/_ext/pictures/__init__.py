"""The picture of every unit, drawn from what the unit itself computes."""

from __future__ import annotations

from collections.abc import Callable

from matplotlib.figure import Figure

from _ext.pictures.initializers import INITIALIZERS
from _ext.pictures.layers import LAYERS
from _ext.pictures.losses import LOSSES
from _ext.pictures.metrics import METRICS
from _ext.pictures.optimizers import OPTIMIZERS
from _ext.pictures.rates import REGULARIZERS, SCHEDULES

PICTURES: dict[str, dict[str, Callable[[], Figure]]] = {
    "layer": LAYERS,
    "loss": LOSSES,
    "optimizer": OPTIMIZERS,
    "metric": METRICS,
    "initializer": INITIALIZERS,
    "regularizer": REGULARIZERS,
    "schedule": SCHEDULES,
}


def figure_of(kind: str, name: str) -> Figure:
    """Return the picture of a unit; a KeyError if there is none."""
    return PICTURES[kind][name]()
