"""What a model does with data: ``fit``, ``evaluate``, ``predict``, ``train``."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

from nnfs_xp.arguments import check_count
from nnfs_xp.backends import Array, Backend, get_backend, library_of
from nnfs_xp.batching import batch_slices, check_batch_size, iterate_rows
from nnfs_xp.callbacks import Callback, PrintEpochs, check_callbacks
from nnfs_xp.checks import (
    check_array,
    check_finite,
    check_same_library,
    check_sample_weight,
)
from nnfs_xp.errors import InputError
from nnfs_xp.executors import executor_for
from nnfs_xp.history import History
from nnfs_xp.model.assembly import output_shape
from nnfs_xp.model.building import Building
from nnfs_xp.model.data import Data, placed
from nnfs_xp.model.fitting import FitPlan, figures_of, run_fit
from nnfs_xp.model.memory import told_of_memory
from nnfs_xp.model.print_steps import PrintSteps
from nnfs_xp.step import empty_statistics

_PREDICTION_ROWS = 1024


class Learning(Building):
    """The part of `Model` that works with data."""

    epochs_trained: int
    steps_trained: int
    stop_training: bool

    def fit(
        self,
        x: Any,
        y: Any,
        *,
        epochs: int = 1,
        batch_size: int | None = 128,
        shuffle: bool = True,
        validation_data: Sequence[Any] | None = None,
        validation_split: float = 0.0,
        sample_weight: Any = None,
        callbacks: Sequence[Callback] | Callback | None = (),
        verbose: bool = False,
        device_data_limit: int | None = None,
    ) -> History:
        """Train the network.

        Parameters
        ----------
        x : array or array_like, shape (n, ...)
            NumPy arrays and lists are moved to the model's device, once;
            arrays of any other library or device are refused.
        y : array or array_like
            What the loss compares with: integer labels of shape (n,), or
            one-hot or soft targets of shape (n, classes), or values of the
            outputs' shape.
        epochs : int, default 1
            How often to go through the data.
        batch_size : int or None, default 128
            Samples for each step; all of them if None. A last batch may be
            shorter.
        shuffle : bool, default True
            Whether each epoch has its own random order.
        validation_data : (x, y) or (x, y, sample_weight), optional
            Evaluated after each epoch.
        validation_split : float, default 0
            Share of the data to validate on instead: its last rows, which are
            then not trained on.
        sample_weight : array or array_like, shape (n,), optional
            What each sample counts in the loss; the mean divides by the sum of
            the weights.
        callbacks : sequence of Callback, or one, or None
            Told of every batch and epoch.
        verbose : bool, default False
            Whether to print a line for each epoch.
        device_data_limit : int, optional
            Bytes that the data may take on the device; by default 60 % of its
            free memory. Host data that is larger stays where it is, and is
            brought to the device piece by piece.

        Returns
        -------
        History

        Raises
        ------
        InputError
            If an argument does not fit; the model is then unchanged.
        DeviceMemoryError
            If the memory of the device is too small for the batches.
        """
        if self.loss is None or self.optimizer is None:
            raise InputError("fit needs a model with a loss and an optimizer")
        if self.loss.reduction == "none":
            raise InputError("fit needs a loss with a reduction of mean or sum")
        epochs = check_count(epochs, "epochs")
        batch_size = check_batch_size(batch_size)
        share = _check_split(validation_split, validation_data)
        limit = device_data_limit
        if limit is not None:
            limit = check_count(limit, "device_data_limit")
        watchers = check_callbacks(callbacks)
        if verbose:
            watchers.append(PrintEpochs())
        self.finalize()
        with self.backend.context():
            data = self._check_data(x, y, sample_weight, finite=True)
            validation = None
            if validation_data is not None:
                if not isinstance(validation_data, (tuple, list)) or len(
                    validation_data
                ) not in (2, 3):
                    raise InputError("validation_data must be a pair (x, y)")
                validation = self._check_data(
                    *validation_data, prefix="validation_data "
                )
            elif share:
                data, validation = _split(data, share)
            plan = FitPlan(data, epochs, batch_size, bool(shuffle), validation, limit)
            _check_monitors(watchers, plan.figure_names(self))
            with told_of_memory(self, batch_size or data.samples, data.sample):
                plan = self._placed(plan)
                self._prepare_metrics(data)
                return run_fit(self, plan, watchers)

    def train(
        self,
        X: Any,
        y: Any,
        *,
        epochs: int = 1,
        batch_size: int | None = None,
        print_every: int | None = 1,
        validation_data: Sequence[Any] | None = None,
    ) -> History:
        """Train the network as the book does: rows in their order, and prints.

        Parameters
        ----------
        X, y
            As in `fit`.
        epochs : int, default 1
            How often to go through the data.
        batch_size : int or None, default None
            Samples for each step; all of them if None.
        print_every : int or None, default 1
            Print every so many steps, and the last of an epoch; with None, only
            at the end of each epoch.
        validation_data : (X, y), optional
            Evaluated after each epoch.

        Returns
        -------
        History

        Raises
        ------
        InputError
            If an argument does not fit; the model is then unchanged.
        """
        every = None if print_every is None else check_count(print_every, "print_every")
        return self.fit(
            X,
            y,
            epochs=epochs,
            batch_size=batch_size,
            shuffle=False,
            validation_data=validation_data,
            callbacks=PrintSteps(every),
        )

    def evaluate(
        self,
        x: Any,
        y: Any,
        *,
        sample_weight: Any = None,
        batch_size: int | None = _PREDICTION_ROWS,
    ) -> dict[str, Any]:
        """Return the loss and the metrics, as ``{"loss": ..., ...}``.

        The loss is that of the data. Penalties of regularizers are no part of
        it, as in the book.

        Parameters
        ----------
        x, y, sample_weight : array or array_like
            As in `fit`.
        batch_size : int or None, default 1024
            Rows to compute with at a time, all if None. The result does not
            depend on it.
        """
        if self.loss is None:
            raise InputError("evaluate needs a model with a loss")
        if self.loss.reduction == "none":
            raise InputError("evaluate needs a loss with a reduction of mean or sum")
        batch_size = check_batch_size(batch_size)
        self.finalize()
        with self.backend.context():
            data = self._check_data(x, y, sample_weight)
            with told_of_memory(self, batch_size or data.samples, data.sample):
                return self.evaluate_checked(data, batch_size)

    def predict(self, x: Any, *, batch_size: int | None = _PREDICTION_ROWS) -> Array:
        """Return the output of the last layer for each row of `x`.

        Parameters
        ----------
        x : array or array_like, shape (n, ...)
            As in `fit`.
        batch_size : int or None, default 1024
            Rows to compute with at a time, all if None. The result does not
            depend on it.

        Returns
        -------
        array, shape (n, outputs)
            On the model's backend; `nnfs_xp.to_numpy` brings it to the host.
        """
        batch_size = check_batch_size(batch_size)
        parameters = self._ready.tree["parameters"]
        be = self.backend
        with be.context():
            x, _ = self._check_samples(self._place_of(x), x, "x")
            parts = []
            with told_of_memory(self, batch_size or x.shape[0], tuple(x.shape[1:])):
                for rows in iterate_rows(x, batch_size):
                    rows = be.asarray(rows, be.dtype)
                    output = self._executor.predict(parameters, rows)
                    for layer in self._head:
                        output, _ = layer.fwd(be, {}, output)
                    parts.append(output)
                return parts[0] if len(parts) == 1 else be.xp.concat(parts, axis=0)

    def evaluate_checked(
        self, data: Data, batch_size: int | None = _PREDICTION_ROWS
    ) -> dict[str, Any]:
        """Evaluate on data that is checked already, as `fit` has."""
        be, network = self.backend, self._ready.network
        totals = empty_statistics(network, data.outputs)
        parameters = self._ready.tree["parameters"]
        for rows in batch_slices(data.samples, batch_size):
            part = data.rows(rows).moved(be)
            x = be.asarray(part.x, be.dtype)
            self._executor.evaluate(parameters, totals, x, part.y, part.weight)
        return figures_of(network, totals)

    # Checks, before anything changes.

    def _place_of(self, *values: Any) -> Backend:
        """Return the backend to check values on: the host, where all are there.

        Nothing is then read back from the device, and what does not fit into
        its memory need not be there.
        """
        if any(library_of(value) not in (None, "numpy") for value in values):
            return self.backend
        return get_backend("numpy", dtype=self.backend.dtype_name)

    def _check_samples(
        self, be: Backend, x: Any, name: str
    ) -> tuple[Array, tuple[int, ...]]:
        """Return samples on a backend, and the shape of an output."""
        x = check_array(be, x, name, host_allowed=True)
        sample = tuple(x.shape[1:])
        wanted = self.input_shape
        if not sample or (wanted is not None and sample != wanted):
            lengths = "n" if wanted is None else ", ".join(map(str, wanted))
            raise InputError(
                f"{name} must have shape (samples, {lengths}), got {tuple(x.shape)}"
            )
        outputs = output_shape(self.leaves, sample, name)
        assert outputs is not None
        return x, outputs

    def _check_data(
        self,
        x: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        prefix: str = "",
        finite: bool = False,
    ) -> Data:
        """Return data on the host or the model's backend, or raise an error."""
        assert self.loss is not None
        be = self._place_of(x, y, sample_weight)
        x_name, y_name = f"{prefix}x", f"{prefix}y"
        check_same_library({x_name: x, y_name: y})
        with be.context():
            x, outputs = self._check_samples(be, x, x_name)
            if finite:
                check_finite(be, x, x_name)
            shape = (x.shape[0], *outputs)
            y = self.loss.check_targets(be, y, y_name, shape, host_allowed=True)
            if sample_weight is not None:
                sample_weight = check_sample_weight(
                    be, sample_weight, f"{prefix}sample_weight", x.shape[0],
                    host_allowed=True,
                )  # fmt: skip
        for metric in self.metrics:
            metric.check_outputs(outputs)
            if metric.target_kind != self.loss.target_kind and outputs != (1,):
                # Rows of answers would be taken for the scores of one class.
                raise InputError(
                    f"metrics: {metric!r} is for classes, and {self.loss!r} has "
                    f"{outputs} answers for each sample"
                )
        return Data(be, x, y, sample_weight, outputs)

    def _placed(self, plan: FitPlan) -> FitPlan:
        """Return the plan with its data where training will find it."""
        be, limit, validation = self.backend, plan.data_limit, plan.validation
        data = placed(plan.data, be, limit)
        if validation is not None:
            validation = placed(validation, be, limit)
        return dataclasses.replace(plan, data=data, validation=validation)

    def _prepare_metrics(self, data: Data) -> None:
        # A list, as every metric must have its turn.
        if any([metric.prepare(data.be, data.y) for metric in self.metrics]):
            self._executor = executor_for(self._ready.network, self.compile)


def _check_split(share: Any, validation_data: Any) -> float:
    if isinstance(share, bool) or not isinstance(share, (int, float)):
        raise InputError(f"validation_split must be a number, got {share!r}")
    if not 0 <= share < 1:
        raise InputError(
            f"validation_split must be from 0 up to, not including, 1, got {share!r}"
        )
    if share and validation_data is not None:
        raise InputError("validation_data and validation_split exclude each other")
    return float(share)


def _split(data: Data, share: float) -> tuple[Data, Data]:
    """Return the rows to train on, and the last ones to validate on."""
    count = math.floor(data.samples * (1 - share))
    if not 0 < count < data.samples:
        raise InputError(
            f"validation_split must leave rows to train and to validate on, got "
            f"{share} of {data.samples}"
        )
    return data.rows(slice(0, count)), data.rows(slice(count, data.samples))


def _check_monitors(callbacks: Sequence[Callback], names: Sequence[str]) -> None:
    for callback in callbacks:
        if callback.monitor is not None and callback.monitor not in names:
            raise InputError(
                f"monitor must be one of {list(names)}, got {callback.monitor!r}"
            )
