"""Checks of a model's inputs, before anything changes."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Sequence
from typing import Any

from nnfs_xp.arguments import check_decay
from nnfs_xp.backends import Backend, get_backend, library_of
from nnfs_xp.callbacks import Callback
from nnfs_xp.checks import (
    check_finite,
    check_inputs,
    check_sample_weight,
)
from nnfs_xp.checks.classes import check_one_largest
from nnfs_xp.engine.data import Data
from nnfs_xp.engine.network import Network
from nnfs_xp.errors import InputError
from nnfs_xp.losses.targets import as_axes

# The most kinds of samples for which a network remembers that they fit.
_MOST_KINDS = 64


def check_samples(network: Network, x: Any, name: str = "x", *others: Any) -> Data:
    """Return samples on the backend, or on the host if all others are there too."""
    be = network.backend
    kind = be.kind_of(x)
    if kind in network.taken:
        return Data(be, x, None, None, network.taken[kind])
    be = _place_of(be, x, *others)
    with be.context():
        found, ids, outputs = check_inputs(be, network.root, x, name, host_allowed=True)
    if not isinstance(found, tuple) and found.ndim < 2 and not ids[0]:
        wanted = network.root.input_shape()
        lengths = "n" if wanted is None else ", ".join(map(str, wanted))
        raise InputError(
            f"{name} must have shape (samples, {lengths}), got {tuple(found.shape)}"
        )
    if kind is not None and found is x and ids == (False,):
        network.taken[kind] = outputs
        if len(network.taken) > _MOST_KINDS:
            first = next(iter(network.taken))
            del network.taken[first]
            network.predicted.discard(first)
    return Data(be, found, None, None, outputs, ids)


def check_data(
    network: Network,
    x: Any,
    y: Any,
    sample_weight: Any = None,
    *,
    prefix: str = "",
    finite: bool = False,
) -> Data:
    """Return data on the host or the network's backend, or raise an error.

    Parameters
    ----------
    network : Network
    x, y, sample_weight
        As in `Model.fit`.
    prefix : str, optional
        Prefix of the arguments' names in messages.
    finite : bool, default False
        Whether samples must be finite.
    """
    x_name, y_name = f"{prefix}x", f"{prefix}y"
    data = check_samples(network, x, x_name, y, sample_weight)
    be, outputs = data.be, data.outputs
    with be.context():
        if finite:
            for array in data.arrays[:-2]:
                check_finite(be, array, x_name)
        shape = (data.samples, *outputs)
        y = network.loss.check_targets(be, y, y_name, shape, host_allowed=True)
        if sample_weight is not None:
            sample_weight = check_sample_weight(
                be, sample_weight, f"{prefix}sample_weight",
                network.loss.losses_shape(shape), host_allowed=True,
            )  # fmt: skip
    for metric in network.metrics:
        metric.check_outputs(outputs)
        if sample_weight is not None:
            metric.check_weighted()
        kind = network.loss.target_kind
        if metric.target_kind != kind and outputs[-1:] not in ((), (1,)):
            with be.context():
                check_one_largest(be, y, y_name, metric)
        elif not metric.takes(kind):
            raise InputError(
                f"metrics: {metric!r} needs several outputs beside {network.loss!r}, "
                f"got {outputs}"
            )
    return dataclasses.replace(data, y=y, weight=sample_weight)


def some_count(network: Network, data: Data) -> bool:
    """Return whether a sample has a weight above 0.

    Its weight is that in `sample_weight`, times that of its class, or 0 if its label is
    ignored.
    """
    be, loss = data.be, network.loss
    with be.context():
        counts = None if loss.needs_all_targets else loss.sample_counts(be, data.y)
        weights = data.weight
        if counts is not None and weights is not None:
            weights = counts * as_axes(be, weights, counts.ndim)
        elif weights is None:
            weights = counts
        return weights is None or bool(be.xp.any(weights > 0))


def check_some_count(network: Network, data: Data, prefix: str = "") -> None:
    """Raise InputError if all samples have the weight 0: they have no mean."""
    if some_count(network, data):
        return
    if data.weight is not None:
        raise InputError(
            f"{prefix}sample_weight must be above 0 for a sample that counts in "
            f"{network.loss!r}, got only zeros"
        )
    raise InputError(
        f"{prefix}y must hold a label that counts; all have the weight 0 in "
        f"{network.loss!r}"
    )


def check_validation(network: Network, given: Any) -> Data:
    """Return validation data, given as a pair or with weights."""
    if not isinstance(given, (tuple, list)) or len(given) not in (2, 3):
        several = isinstance(given, (tuple, list))
        shown = f"{len(given)} parts" if several else type(given).__name__
        raise InputError(f"validation_data must be a pair (x, y), got {shown}")
    return check_data(network, *given, prefix="validation_data ", finite=True)


def check_validation_split(share: Any, validation_data: Any) -> float:
    """Return the share of the data to validate on."""
    share = check_decay(share, "validation_split")
    if share and validation_data is not None:
        raise InputError("validation_data and validation_split cannot be combined")
    return share


def split(data: Data, share: float) -> tuple[Data, Data]:
    """Return the rows to train on, and the last ones to validate on."""
    count = math.floor(data.samples * (1 - share))
    if not 0 < count < data.samples:
        raise InputError(
            f"validation_split must leave rows to train and to validate on, got "
            f"{share} of {data.samples}"
        )
    return data.rows(slice(0, count)), data.rows(slice(count, data.samples))


def check_monitors(callbacks: Sequence[Callback], names: Sequence[str]) -> None:
    """Raise InputError if a callback needs a figure that records will not have."""
    for callback in callbacks:
        if callback.monitor is not None and callback.monitor not in names:
            raise InputError(
                f"monitor must be one of {list(names)}, got {callback.monitor!r}"
            )


def _place_of(be: Backend, *values: Any) -> Backend:
    """Return the backend to check values on: the host, if all of them are there.

    Nothing is then read back from the device, and what does not fit into
    its memory need not be there.
    """
    for value in values:
        for one in value if isinstance(value, tuple) else (value,):
            if library_of(one) not in (None, "numpy"):
                return be
    return _host(be.dtype_name)


@functools.cache
def _host(dtype: str) -> Backend:
    return get_backend("numpy", dtype=dtype)
