"""The picture of every unit, drawn from what the unit itself computes.

Each kind has a picture that fits any of its units, made of the unit's cases. `PICTURES`
holds those that show more of a unit than that.
"""

from __future__ import annotations

from collections.abc import Callable

from matplotlib.figure import Figure

from _ext.pictures.constraints import of_constraint
from _ext.pictures.initializers import of_initializer
from _ext.pictures.layers import LAYERS, of_layer
from _ext.pictures.losses import LOSSES, of_loss
from _ext.pictures.metrics import METRICS, of_metric
from _ext.pictures.optimizers import OPTIMIZERS, of_optimizer
from _ext.pictures.rates import REGULARIZERS, SCHEDULES, of_regularizer, of_schedule
from tests.matrix.cases import ALL

PICTURES: dict[str, dict[str, Callable[[], Figure]]] = {
    "layer": LAYERS,
    "loss": LOSSES,
    "optimizer": OPTIMIZERS,
    "metric": METRICS,
    "initializer": {},
    "regularizer": REGULARIZERS,
    "constraint": {},
    "schedule": SCHEDULES,
}
# Of the cases of a unit.
DEFAULTS: dict[str, Callable[[list], Figure]] = {
    "layer": of_layer,
    "loss": of_loss,
    "optimizer": of_optimizer,
    "metric": of_metric,
    "initializer": of_initializer,
    "regularizer": of_regularizer,
    "constraint": of_constraint,
    "schedule": of_schedule,
}


def figure_of(kind: str, name: str) -> Figure:
    """Return the picture of a unit; a KeyError if it has no cases."""
    draw = PICTURES[kind].get(name)
    return DEFAULTS[kind](ALL[kind][name]) if draw is None else draw()
