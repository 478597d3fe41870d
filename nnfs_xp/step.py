"""The training step: one pure function over a tree of arrays.

The tree ``state`` is a plain dict::

    parameters   blocks of the layout
    gradients    blocks of the same form
    optimizer    what the optimizer's ``init`` returned
    loss         0-d, the mean loss of the last batch
    totals       0-d sums since they were last reset: loss, correct, count

A step only writes to slots of this tree. There is no branch on data and no
value is read back, so an executor may run it as it is, trace it with
``jax.jit``, or capture it as a CUDA graph.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from nnfs_xp.backends import Array, Backend
from nnfs_xp.layers.base import Layer
from nnfs_xp.layout import LayerParams, Layout
from nnfs_xp.losses.base import Loss
from nnfs_xp.optimizers.base import Optimizer

State = dict[str, Any]


@dataclasses.dataclass(frozen=True, eq=False)
class Network:
    """Everything about a step that is not an array, fixed when it is compiled.

    Attributes
    ----------
    backend : Backend
    layers : tuple of Layer
        Those between the inputs and the loss; a softmax that the loss takes
        over is not among them.
    loss : Loss or None
    optimizer : Optimizer or None
    metric : object or None
        A metric whose ``fwd`` gives one integer for each sample.
    layout : Layout
    """

    backend: Backend
    layers: tuple[Layer, ...]
    loss: Loss | None
    optimizer: Optimizer | None
    metric: Any
    layout: Layout


def initial_totals(be: Backend) -> dict[str, Array]:
    """Return sums of nothing."""
    return {
        "loss": be.zeros(()),
        "correct": be.zeros((), be.xp.int32),
        "count": be.zeros((), be.xp.int32),
    }


def initial_state(network: Network, parameters: dict[str, Array]) -> State:
    """Return the tree before the first step, around given parameters."""
    be = network.backend
    state: State = {
        "parameters": parameters,
        "gradients": network.layout.zeros(),
        "loss": be.zeros(()),
        "totals": initial_totals(be),
    }
    if network.optimizer is not None:
        state["optimizer"] = network.optimizer.init(be, parameters)
    return state


def forward(network: Network, params: LayerParams, x: Array) -> tuple[Array, list[Any]]:
    """Return the output of the last layer, and the residuals of each."""
    residuals = []
    for layer, layer_params in zip(network.layers, params, strict=False):
        x, kept = layer.fwd(network.backend, layer_params, x)
        residuals.append(kept)
    return x, residuals


def backward(
    network: Network, params: LayerParams, residuals: list[Any], dy: Array
) -> LayerParams:
    """Return the gradients of the parameters of each layer."""
    be = network.backend
    gradients: LayerParams = [{} for _ in params]
    for index in range(len(network.layers) - 1, 0, -1):
        dy, gradients[index] = network.layers[index].bwd(
            be, params[index], residuals[index], dy
        )
    # Nobody needs the gradient of the data.
    gradients[0] = network.layers[0].parameter_gradients(
        be, params[0], residuals[0], dy
    )
    return gradients


def train_step(network: Network, state: State, x: Array, y: Array) -> None:
    """Take one training step on a batch, writing to the slots of `state`."""
    be, layout, loss = network.backend, network.layout, network.loss
    assert loss is not None and network.optimizer is not None
    params = layout.views(state["parameters"])
    y_pred, residuals = forward(network, params, x)
    losses, loss_residuals = loss.fwd(be, y_pred, y)
    n = x.shape[0]
    dy = loss.bwd(be, loss_residuals, 1.0 / n)
    layout.write(state["gradients"], backward(network, params, residuals, dy))
    network.optimizer.update(
        be, state["parameters"], state["gradients"], state["optimizer"]
    )
    total = be.xp.sum(losses)
    be.assign(state, "loss", total / n)
    add_totals(network, state["totals"], total, y_pred, y)


def evaluation_step(
    network: Network,
    parameters: dict[str, Array],
    totals: dict[str, Array],
    x: Array,
    y: Array,
) -> None:
    """Add the loss and the metric of a batch to the totals."""
    be, loss = network.backend, network.loss
    assert loss is not None
    y_pred, _ = forward(network, network.layout.views(parameters), x)
    losses, _ = loss.fwd(be, y_pred, y)
    add_totals(network, totals, be.xp.sum(losses), y_pred, y)


def add_totals(
    network: Network, totals: dict[str, Array], loss: Array, y_pred: Array, y: Array
) -> None:
    """Add the sums of one batch.

    Dividing once at the end is exact over any mix of batch sizes, where a mean
    of means is not.
    """
    be = network.backend
    totals["loss"] += loss
    totals["count"] += y_pred.shape[0]
    if network.metric is not None:
        hits = network.metric.fwd(be, y_pred, y)
        totals["correct"] += be.xp.sum(hits, dtype=be.xp.int32)
