"""The training step: one pure function over a tree of arrays.

The tree ``state`` is a plain dict::

    parameters   blocks of the layout
    gradients    blocks of the same form
    optimizer    what the optimizer's ``init`` returned
    loss         0-d, loss and penalties of the last batch
    penalty      0-d, the penalties alone, before the batch was learned
    batch        statistics of the last batch: loss, count, metrics
    totals       those of all batches since they were last reset

A step only writes to slots of this tree. There is no branch on data and no
value is read back, so an executor may run it as it is, trace it with
``jax.jit``, or capture it as a CUDA graph. Random numbers come in as an
argument, drawn by whoever calls the step.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any

from nnfs_xp.backends import Array, Backend
from nnfs_xp.layers.base import Layer, with_penalties
from nnfs_xp.layout import LayerParams, Layout
from nnfs_xp.losses.base import Loss
from nnfs_xp.metrics import Metric
from nnfs_xp.optimizers.base import Optimizer

State = dict[str, Any]
# What the noisy layers draw for a batch, by the number of the layer.
Noise = Mapping[int, Array]
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
        "loss": be.zeros(()),
        "penalty": be.zeros(()),
    }
    if network.optimizer is not None:
        state["optimizer"] = network.optimizer.init(be, parameters)
    return state


def forward(network: Network, params: LayerParams, x: Array) -> Array:
    """Return the output of the last layer that learns."""
    for layer, layer_params in zip(network.layers, params, strict=False):
        x, _ = layer.fwd(network.backend, layer_params, x)
    return x


def training_forward(
    network: Network, params: LayerParams, x: Array, noise: Noise
) -> tuple[Array, list[Any]]:
    """Return the output of the last layer, and the residuals of each."""
    be, residuals = network.backend, []
    for index, layer in enumerate(network.layers):
        if layer.noisy:
            x, kept = layer.training_fwd(be, params[index], x, noise[index])
        else:
            x, kept = layer.fwd(be, params[index], x)
        residuals.append(kept)
    return x, residuals


def backward(
    network: Network, params: LayerParams, residuals: list[Any], dy: Array
) -> LayerParams:
    """Return the gradients of the parameters of each layer, with penalties."""
    be, first = network.backend, network.first_trained
    gradients: LayerParams = [{} for _ in params]
    for index in range(len(network.layers) - 1, first, -1):
        dy, gradients[index] = network.layers[index].bwd(
            be, params[index], residuals[index], dy
        )
    if first < len(network.layers):
        # Nobody needs the gradient of this layer's inputs.
        gradients[first] = network.layers[first].parameter_gradients(
            be, params[first], residuals[first], dy
        )
    if network.regularized:
        for index, layer in enumerate(network.layers):
            gradients[index] = with_penalties(
                be, layer, params[index], gradients[index]
            )
    return gradients


def penalty(network: Network, params: LayerParams) -> Array:
    """Return the sum of the penalties of all parameters, a 0-d array."""
    be = network.backend
    total = be.zero
    for layer, own in zip(network.layers, params, strict=False):
        for name, regularizer in layer.regularizers().items():
            total = total + regularizer.penalty(be, own[name])
    return total


def train_step(
    network: Network,
    state: State,
    x: Array,
    y: Array,
    weight: Array | None = None,
    noise: Noise = NO_NOISE,
) -> None:
    """Take one training step on a batch, writing to the slots of `state`."""
    be, layout, loss = network.backend, network.layout, network.loss
    assert loss is not None and network.optimizer is not None
    params = layout.views(state["parameters"])
    y_pred, residuals = training_forward(network, params, x, noise)
    losses, loss_residuals = loss.fwd(be, y_pred, y)
    total, count, dlosses = loss.weigh(be, losses, y, weight)
    dy = loss.bwd(be, loss_residuals, dlosses)
    gradients = backward(network, params, residuals, dy)
    batch_loss = loss.finish(total, count)
    if network.regularized:
        be.assign(state, "penalty", penalty(network, params))
        batch_loss = batch_loss + state["penalty"]
    be.assign(state, "loss", batch_loss)
    layout.write(state["gradients"], gradients)
    network.optimizer.update(
        be, state["parameters"], state["gradients"], state["optimizer"]
    )
    state["batch"] = statistics(network, total, count, y_pred, y)
    add_statistics(network, state["totals"], state["batch"])


def evaluation_step(
    network: Network,
    parameters: dict[str, Array],
    totals: State,
    x: Array,
    y: Array,
    weight: Array | None = None,
) -> None:
    """Add the loss and the metrics of a batch to the totals."""
    be, loss = network.backend, network.loss
    assert loss is not None
    y_pred = forward(network, network.layout.views(parameters), x)
    losses, _ = loss.fwd(be, y_pred, y)
    total, count, _ = loss.weigh(be, losses, y, weight)
    add_statistics(network, totals, statistics(network, total, count, y_pred, y))


def statistics(
    network: Network, total: Array, count: Array | int, y_pred: Array, y: Array
) -> State:
    """Return what is to be known of one batch, without reading any of it."""
    be = network.backend
    if network.metrics_need_head:
        for layer in network.head:
            y_pred, _ = layer.fwd(be, {}, y_pred)
    return {
        "loss": total,
        "count": count,
        "metrics": {
            metric.name: metric.batch(be, y_pred, y) for metric in network.metrics
        },
    }


def add_statistics(network: Network, totals: State, batch: State) -> None:
    """Add the statistics of one batch.

    Dividing once at the end is exact over any mix of batch sizes, where a mean
    of means is not.
    """
    be = network.backend
    totals["loss"] += batch["loss"]
    totals["count"] += batch["count"]
    for metric in network.metrics:
        slots = totals["metrics"][metric.name]
        new = metric.combine(be, slots, batch["metrics"][metric.name])
        for key, value in new.items():
            be.assign(slots, key, value)
