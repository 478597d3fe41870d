"""Loss and metric sums of batches, added up on the device and read at the end.

Dividing once, at the end, is exact over any mix of batch sizes, where a mean of means
is not; and no batch is waited for.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from typing import Any

from nnfs_xp.backends import Array, Backend, get_backend
from nnfs_xp.engine.context import Context
from nnfs_xp.engine.network import Network
from nnfs_xp.kernels import portable
from nnfs_xp.trees import leaves, map_leaves

Tree = dict[str, Any]


def empty_statistics(
    network: Network, outputs: tuple[int, ...], weighted: bool = False
) -> Tree:
    """Return the statistics of no sample, for outputs of a shape.

    For weighted samples, all of them are floats, because weights are summed instead of
    samples being counted.
    """
    be = network.backend
    metrics = {m.name: m.empty(be, outputs) for m in network.metrics}
    if weighted:
        metrics = map_leaves(lambda leaf: be.xp.astype(leaf, be.dtype), metrics)
    return {"loss": be.zeros(()), "count": be.zeros(()), "metrics": metrics}


def statistics(
    network: Network,
    losses: Array,
    count: Array | int,
    y_pred: Array,
    y: Array,
    weight: Array | None,
) -> Tree:
    """Return loss and metric sums of one batch, without reading any of them.

    The losses are those of all samples, to be summed. Predictions are those from which
    the training loss is computed.
    """
    weights = () if weight is None else (weight,)
    be, activation = network.backend, network.absorbed.output_activation
    if network.metrics_need_activation and activation is not None:
        y_pred, _ = Context(activation, be, keeps=False).fwd(y_pred)
    return {
        "loss": losses if losses.ndim == 1 else be.xp.reshape(losses, (-1,)),
        "count": count,
        "metrics": {
            metric.name: metric.batch(be, y_pred, y, *weights)
            for metric in network.metrics
        },
    }


def add_statistics(
    network: Network,
    totals: Tree,
    values: Tree,
    kept: Tree | None = None,
    counters: Sequence[tuple[Tree, str, int]] = (),
) -> Tree:
    """Add the statistics of one batch to the totals, and counts to counters.

    Parameters
    ----------
    network : Network
        Whose statistics they are.
    totals : dict
        The statistics of all batches; its slots are written to.
    values : dict
        The statistics of one batch.
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
    batch: Tree = kept or {"metrics": {m.name: {} for m in network.metrics}}
    # Totals, slots for the batch, key, and value of everything that is summed.
    sums = [(totals, batch, key, values[key]) for key in ("loss", "count")]
    for metric in network.metrics:
        of_all, of_batch = totals["metrics"][metric.name], batch["metrics"][metric.name]
        found = values["metrics"][metric.name]
        if metric.combines_by_sums:
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


def batch_sums(network: Network, totals: Tree, values: Tree) -> Tree:
    """Return the statistics of a batch, with what is summed in the shapes of totals."""
    be = network.backend

    def summed(of_all: Tree, found: Tree, keys: Iterable[str]) -> Tree:
        return {
            key: found[key]
            if isinstance(found[key], (int, float))
            else _of_batch(be, of_all[key], found[key])
            for key in keys
        }

    metrics = {}
    for metric in network.metrics:
        found = values["metrics"][metric.name]
        if metric.combines_by_sums:
            found = summed(totals["metrics"][metric.name], found, found)
        metrics[metric.name] = found
    return {**summed(totals, values, ("loss", "count")), "metrics": metrics}


def _keep(be: Backend, slots: Tree, key: str, value: Any) -> None:
    """Put a value into a slot: into its array, if it has one."""
    if key not in slots:
        slots[key] = value
    elif value is not slots[key]:
        be.assign(slots, key, value)


def figures_of(
    network: Network, statistics: Tree, penalties: Array | None = None
) -> dict[str, Any]:
    """Read statistics back, and return loss and metrics as Python numbers."""
    more = {} if penalties is None else {"penalties": penalties}
    return computed(network, read_back(network.backend, {**statistics, **more}))


def read_back(be: Backend, tree: Tree) -> Tree:
    """Return a tree with all its arrays on the host, in one transfer."""
    numbers = iter(be.read(list(leaves(tree))))
    return map_leaves(lambda _: next(numbers), tree)


def computed(network: Network, read: Tree) -> dict[str, Any]:
    """Return the figures of statistics, and of penalties, that were read back.

    The division is done in float64 on the host, so that a share of counts is as exact
    as it can be.
    """
    host = host_backend()
    # A user's loss may compute with NumPy's numbers.
    loss = float(network.loss.finish(float(read["loss"]), float(read["count"])))
    figures: dict[str, Any] = {"loss": loss}
    for metric in network.metrics:
        own = map_leaves(host.asarray, read["metrics"][metric.name])
        with host.context():
            figures[metric.name] = metric.compute(host, own).tolist()
    if "penalties" in read:
        figures["data_loss"] = loss
        figures["regularization_loss"] = float(read["penalties"])
        figures["loss"] = loss + figures["regularization_loss"]
    return figures


@functools.cache
def host_backend() -> Backend:
    """Return the backend that computes figures on the host, in float64."""
    return get_backend("numpy", dtype="float64")


@portable
def accumulate(
    be: Backend,
    totals: list[Array],
    batch: list[Array | None],
    values: list[Array | int],
) -> tuple[list[Array], list[Array | int]]:
    """Add the statistics of a batch to their totals.

    Parameters
    ----------
    be : Backend
        Where the arrays are.
    totals : list of array
        The sums so far, floats or int32 of any shape. They may be overwritten.
    batch : list of array or None
        For each total an array for the batch's own value, to which a kernel
        writes, or None.
    values : list of array or int
        What the batch adds: a number, an array of the total's shape, or one
        with an axis more in front, over which it is summed.

    Returns
    -------
    totals : list of array
        The new sums.
    batch : list of array or int
        What was added to each.
    """
    added = [
        value if isinstance(value, int) else _of_batch(be, total, value)
        for total, value in zip(totals, values, strict=True)
    ]
    new = list(totals)
    for index, value in enumerate(added):
        # In place, if arrays can be written to.
        new[index] += value
    return new, added


def _of_batch(be: Backend, total: Array, value: Array) -> Array:
    """Return what is added to a total, an array like it."""
    xp = be.xp
    if value.dtype != total.dtype:
        value = xp.astype(value, total.dtype)
    if value.ndim == total.ndim:
        return value
    return xp.sum(value, axis=0, dtype=total.dtype)
