"""The training step: one pure function over a tree of arrays.

The tree ``state`` is a plain dict::

    parameters   blocks of the layout
    gradients    blocks of the same form
    optimizer    what the optimizer's ``init`` returned
    penalty      0-d, the penalties alone, before the last batch was learned
    batch        statistics of the last batch: loss, count, metrics
    totals       those of all batches since they were last reset
    scaling      only in float16: what gradients are scaled by
    clock        only where batches are gathered on the device: ``row``, the
                 next row of the epoch, and ``step``, the number of the step

A step only writes to slots of this tree. There is no branch on data and no
value is read back, so an executor may run it as it is, trace it with
``jax.jit``, or capture it as a CUDA graph. Random numbers come in as an
argument, drawn by whoever calls the step, or as the streams to draw from.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import Any

from nnfs_xp import loss_scaling
from nnfs_xp.backends import Array, Backend
from nnfs_xp.layers.base import Layer, with_penalties
from nnfs_xp.layout import LayerParams, Layout
from nnfs_xp.losses.base import Loss
from nnfs_xp.losses.reduction import weighted_losses
from nnfs_xp.metrics import Metric
from nnfs_xp.metrics.accumulation import accumulate
from nnfs_xp.optimizers.base import Optimizer
from nnfs_xp.random import Stream

State = dict[str, Any]
# What the noisy layers draw for a batch, or where to draw it from, by the
# number of the layer.
Noise = Mapping[int, Array | Stream]
NO_NOISE: Noise = {}


@dataclasses.dataclass(frozen=True, eq=False)
class Network:
    """Everything about a step that is not an array, fixed when it is compiled.

    Attributes
    ----------
    backend : Backend
    layers : tuple of Layer
        Those between the inputs and the loss.
    head : tuple of Layer
        A softmax or sigmoid at the end that the loss has taken over.
    loss : Loss or None
    optimizer : Optimizer or None
    metrics : tuple of Metric
    layout : Layout
    """

    backend: Backend
    layers: tuple[Layer, ...]
    head: tuple[Layer, ...]
    loss: Loss | None
    optimizer: Optimizer | None
    metrics: tuple[Metric, ...]
    layout: Layout

    @functools.cached_property
    def first_trained(self) -> int:
        """Number of the first layer with parameters; below it nothing learns."""
        numbers = (i for i, layer in enumerate(self.layers) if layer.initializers())
        return next(numbers, len(self.layers))

    @functools.cached_property
    def regularized(self) -> bool:
        """Whether any parameter has a penalty."""
        return any(layer.regularizers() for layer in self.layers)

    @functools.cached_property
    def metrics_need_head(self) -> bool:
        """Whether a metric looks at more than the order of the outputs."""
        return any(not metric.ranks_only for metric in self.metrics)


@dataclasses.dataclass(frozen=True)
class Batch:
    """What a step learns from.

    Attributes
    ----------
    x, y : array
    weight : array or None
        Weights of the samples.
    noise : mapping
        What the noisy layers draw, by their number.
    layers_done : int
        How many of the first layers have seen ``x`` already.
    """

    x: Array
    y: Array
    weight: Array | None = None
    noise: Noise = dataclasses.field(default_factory=dict)
    layers_done: int = 0


def empty_statistics(network: Network, outputs: tuple[int, ...]) -> State:
    """Return the statistics of no sample, for outputs of a shape."""
    be = network.backend
    return {
        "loss": be.zeros(()),
        "count": be.zeros(()),
        "metrics": {
            metric.name: metric.empty(be, outputs) for metric in network.metrics
        },
    }


def initial_state(network: Network, parameters: dict[str, Array]) -> State:
    """Return the tree before the first step, around given parameters."""
    be = network.backend
    state: State = {
        "parameters": parameters,
        "gradients": network.layout.zeros(),
        "penalty": be.zeros(()),
    }
    if network.optimizer is not None:
        state["optimizer"] = network.optimizer.init(be, parameters)
        if loss_scaling.needed(be):
            state["scaling"] = loss_scaling.init(be)
    return state


def forward(network: Network, params: LayerParams, x: Array) -> Array:
    """Return the output of the last layer that learns."""
    for layer, layer_params in zip(network.layers, params, strict=False):
        x, _ = layer.fwd(network.backend, layer_params, x)
    return x


def training_forward(
    network: Network, params: LayerParams, batch: Batch
) -> tuple[Array, list[Any]]:
    """Return the output of the last layer, and the residuals of each."""
    be, x = network.backend, batch.x
    residuals: list[Any] = [None] * batch.layers_done
    for index in range(batch.layers_done, len(network.layers)):
        layer = network.layers[index]
        if layer.noisy:
            x, kept = layer.training_fwd(be, params[index], x, batch.noise[index])
        else:
            x, kept = layer.fwd(be, params[index], x)
        residuals.append(kept)
    return x, residuals


def backward(
    network: Network,
    params: LayerParams,
    residuals: list[Any],
    dy: Array,
    slots: LayerParams,
) -> None:
    """Write the gradients of the parameters of each layer to slots.

    Nobody needs the gradient of the inputs of the first layer that learns.
    """
    be, first = network.backend, network.first_trained
    for index in range(len(network.layers) - 1, first - 1, -1):
        dy = network.layers[index].write_gradients(
            be, params[index], residuals[index], dy, slots[index], index > first
        )


def add_penalties(network: Network, params: LayerParams, slots: LayerParams) -> None:
    """Add the gradients of the penalties to those in the slots."""
    be = network.backend
    for layer, own, gradients in zip(network.layers, params, slots, strict=False):
        for name, gradient in with_penalties(be, layer, own, gradients).items():
            if gradient is not gradients[name]:
                be.assign(gradients, name, gradient)


def penalty(network: Network, params: LayerParams) -> Array:
    """Return the sum of the penalties of all parameters, a 0-d array."""
    be = network.backend
    total = be.zero
    for layer, own in zip(network.layers, params, strict=False):
        for name, regularizer in layer.regularizers().items():
            total = total + regularizer.penalty(be, own[name])
    return total


def train_step(network: Network, state: State, batch: Batch) -> None:
    """Take one training step on a batch, writing to the slots of `state`."""
    be, layout, loss = network.backend, network.layout, network.loss
    optimizer = network.optimizer
    assert loss is not None and optimizer is not None
    params = layout.views(state["parameters"])
    slots = layout.views(state["gradients"])
    scaling = state.get("scaling")

    y_pred, residuals = training_forward(network, params, batch)
    n = y_pred.shape[0]
    count, dlosses = loss.factors(be, n, batch.y, batch.weight)
    losses, dy = loss.value_and_gradient(be, y_pred, batch.y, dlosses)
    if scaling is not None:
        dy = loss_scaling.scaled(be, scaling, dy)
    backward(network, params, residuals, dy, slots)
    if not be.in_place:
        layout.write(state["gradients"], slots)
    if scaling is not None:
        finite = loss_scaling.unscale(be, scaling, state["gradients"])
    if network.regularized:
        be.assign(state, "penalty", penalty(network, params))
        slots = layout.views(state["gradients"])
        add_penalties(network, params, slots)
        if not be.in_place:
            layout.write(state["gradients"], slots)

    values = statistics(
        network, weighted_losses(be, losses, batch.weight), count, y_pred, batch.y
    )
    counters, kept = [(state["optimizer"], "step", 1)], None
    if "clock" in state:
        counters += [(state["clock"], "row", n), (state["clock"], "step", 1)]
        kept = state["batch"]
    state["batch"] = add_statistics(network, state["totals"], values, kept, counters)

    learned = state["parameters"], state["optimizer"]
    if scaling is not None:
        before = loss_scaling.snapshot(be, *learned)
    optimizer.update(
        be, state["parameters"], state["gradients"], state["optimizer"], counted=True
    )
    if scaling is not None:
        loss_scaling.keep(be, finite, before, *learned)
        loss_scaling.adapt(be, scaling, finite)


def batch_loss(network: Network, state: State) -> Array:
    """Return loss and penalties of the last batch, as it was learned, 0-d."""
    assert network.loss is not None
    batch = state["batch"]
    loss = network.loss.finish(batch["loss"], batch["count"])
    return loss + state["penalty"] if network.regularized else loss


def evaluation_step(
    network: Network, parameters: dict[str, Array], totals: State, batch: Batch
) -> None:
    """Add the loss and the metrics of a batch to the totals."""
    be, loss = network.backend, network.loss
    assert loss is not None
    y_pred = forward(network, network.layout.views(parameters), batch.x)
    losses, _ = loss.fwd(be, y_pred, batch.y)
    count, _ = loss.factors(be, y_pred.shape[0], batch.y, batch.weight)
    weighted = weighted_losses(be, losses, batch.weight)
    values = statistics(network, weighted, count, y_pred, batch.y)
    add_statistics(network, totals, values)


def statistics(
    network: Network, losses: Array, count: Array | int, y_pred: Array, y: Array
) -> State:
    """Return what is to be known of one batch, without reading any of it.

    The losses are those of all samples, to be summed.
    """
    be = network.backend
    if network.metrics_need_head:
        for layer in network.head:
            y_pred, _ = layer.fwd(be, {}, y_pred)
    return {
        "loss": losses,
        "count": count,
        "metrics": {
            metric.name: metric.batch(be, y_pred, y) for metric in network.metrics
        },
    }


def add_statistics(
    network: Network,
    totals: State,
    values: State,
    kept: State | None = None,
    counters: Sequence[tuple[State, str, int]] = (),
) -> State:
    """Add the statistics of one batch to the totals, and counts to counters.

    Dividing once at the end is exact over any mix of batch sizes, where a mean
    of means is not.

    Parameters
    ----------
    network : Network
        Whose statistics they are.
    totals : dict
        Of all batches; its slots are written to.
    values : dict
        Of one batch.
    kept : dict, optional
        Those of the last batch, as this function has returned them.
    counters : sequence of (dict, str, int)
        Further slots, and what is added to each.

    Returns
    -------
    dict
        The statistics of this batch, with its losses summed.
    """
    be = network.backend
    batch: State = kept or {"metrics": {m.name: {} for m in network.metrics}}
    # Totals, slots for the batch, key, and value of everything that is summed.
    sums = [(totals, batch, key, values[key]) for key in ("loss", "count")]
    for metric in network.metrics:
        of_all, of_batch = totals["metrics"][metric.name], batch["metrics"][metric.name]
        found = values["metrics"][metric.name]
        if type(metric).combine is Metric.combine:
            sums += [(of_all, of_batch, key, value) for key, value in found.items()]
            continue
        for key, value in metric.combine(be, of_all, found).items():
            be.assign(of_all, key, value)
        for key, value in found.items():
            _keep(be, of_batch, key, value)
    sums += [(slots, {}, key, number) for slots, key, number in counters]
    of_all, of_batch = accumulate(
        be,
        [slots[key] for slots, _, key, _ in sums],
        [slots.get(key) for _, slots, key, _ in sums],
        [value for *_, value in sums],
    )
    for (total_slots, batch_slots, key, _), total, one in zip(
        sums, of_all, of_batch, strict=True
    ):
        if total is not total_slots[key]:
            be.assign(total_slots, key, total)
        _keep(be, batch_slots, key, one)
    return batch


def _keep(be: Backend, slots: State, key: str, value: Any) -> None:
    """Put a value into a slot: into its array, if it has one."""
    if key not in slots:
        slots[key] = value
    elif value is not slots[key]:
        be.assign(slots, key, value)
