"""A network that can be trained, evaluated, used, saved and moved."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Self

from nnfs_xp.arguments import check_count, check_seed
from nnfs_xp.backends import Array, Backend, BackendArray, get_backend
from nnfs_xp.callbacks import Callback
from nnfs_xp.engine.batching import check_batch_size
from nnfs_xp.engine.executors import check_mode, executor_for
from nnfs_xp.engine.network import Network
from nnfs_xp.engine.state import Counters, State, hold
from nnfs_xp.engine.trainer import Trainer
from nnfs_xp.errors import FileFormatError, FixedSettingError, InputError
from nnfs_xp.history import History
from nnfs_xp.io.atomic import checked_path
from nnfs_xp.io.checkpoint import write_arrays, write_checkpoint
from nnfs_xp.kernels import loops_note
from nnfs_xp.layers import Layer, Sequential
from nnfs_xp.layers.nesting import checked_units, leaves
from nnfs_xp.losses import Loss
from nnfs_xp.metrics import Metric
from nnfs_xp.model import (
    assembly,
    batches,
    files,
    fitting,
    inputs,
    inspection,
    layer_values,
)
from nnfs_xp.model.columns import check_columns
from nnfs_xp.model.compile_mode import CompileMode
from nnfs_xp.model.exports import writer_for
from nnfs_xp.model.memory import (
    MemoryEstimate,
    check_sample_shape,
    estimate_for,
    explain_out_of_memory,
)
from nnfs_xp.model.own_units import explain_own_units
from nnfs_xp.model.print_steps import PrintSteps
from nnfs_xp.model.summary import summary_of
from nnfs_xp.optimizers import Optimizer
from nnfs_xp.parallel.communicator import Communicator, told_to_all_ranks
from nnfs_xp.random import fresh_seed
from nnfs_xp.registry import is_exactly, to_config

_PREDICTION_ROWS = 1024
# A unit that `set` leaves as it is.
_KEEP: Any = object()
# Properties that cannot be assigned, and what to use instead.
_FIXED = {
    "layers": "model.add(layer), or make a new model",
    "backend": "model.to(backend)",
    "seed": "make a new model",
    "compile": "make a new model",
    "steps_trained": "model.fit counts it",
}


def _unit(name: str, doc: str) -> Any:
    """Return a property of a model that is assigned by `Model.set`."""
    return property(
        lambda self: getattr(self, f"_{name}"),
        lambda self, value: self.set(**{name: value}),
        doc=doc,
    )


class Model:
    """Layers with a loss and an optimizer.

    Create it in one call, as below, or step by step as in the book, with ``add``,
    ``set`` and ``finalize``.

    Parameters
    ----------
    layers : sequence of Layer, or Layer, optional
        In order, from the inputs to the output; a single layer or block is a sequence
        of one. Values of layers that already have some, such as those of another model,
        are copied. A final `Softmax` with a `CategoricalCrossEntropy` is fused with it,
        and the loss is computed exactly, from the logits; ``predict`` still returns
        probabilities. The same holds for a `Sigmoid` with a `BinaryCrossEntropy`.
    loss : Loss or str, optional
        Such as ``"categorical_crossentropy"``; needed to fit and evaluate.
    optimizer : Optimizer or str, optional
        Such as ``"adam"`` or ``SGD(0.1)``; needed to fit.
    metrics : Metric or str, or a sequence of them, or None, default "auto"
        What ``fit`` and ``evaluate`` report in addition to the loss. ``"accuracy"`` is
        the accuracy that matches the loss; ``"auto"`` means that for classifiers, and
        nothing if the loss compares values.
    backend, device, dtype, matmul_precision : optional
        Where and with which precision the model computes; see `nnfs_xp.get_backend`.
    seed : int or None, default 0
        Seed of initial weights, batch order and dropout. The same seed gives the same
        bits on every backend; None draws a random seed.
    compile : {"auto", "off", "require"}, default "auto"
        Whether the step is compiled: if the backend can (as one program on JAX, as one
        CUDA graph on CuPy), never, or always, with an error if it cannot.
        `executor_note` says how the step is run.

    Attributes
    ----------
    layers : tuple of Layer
        Their ``weights`` and ``biases`` are those of the model.
    leaves : list of Layer
        The same, with each block replaced by its layers.
    loss, optimizer, metrics
        The units; assigning one is equivalent to `set`.
    backend : Backend
    epochs_trained, steps_trained : int
        Epochs and steps since the model was made, across saving and loading.
    stop_training : bool
        Set to True in a callback to end ``fit`` after the current epoch.
    metadata : dict
        Anything JSON can hold; saved with the model.

    Raises
    ------
    InputError
        If the layers do not fit each other or the loss.
    BackendUnavailableError
        If the backend does not work on this machine.

    Examples
    --------
    >>> from nnfs_xp import Dense, Model, ReLU, Softmax
    >>> model = Model(
    ...     [Dense(2, 16), ReLU(), Dense(16, 2), Softmax()],
    ...     loss="categorical_crossentropy",
    ...     optimizer="adam",
    ... )
    >>> history = model.fit([[0, 0], [1, 1]], [0, 1], epochs=200)
    >>> model.evaluate([[0, 0], [1, 1]], [0, 1])["accuracy"]
    1.0
    """

    layers: tuple[Layer, ...]
    backend: Backend
    seed: int
    compile: str

    def __init__(
        self,
        layers: Iterable[Layer] | Layer | None = None,
        *,
        loss: Loss | str | None = None,
        optimizer: Optimizer | str | None = None,
        metrics: Metric | str | Iterable[Metric | str] | None = "auto",
        backend: str | Backend | None = None,
        device: Any = None,
        dtype: str | None = None,
        matmul_precision: str | None = None,
        seed: int | None = 0,
        compile: str = "auto",
    ) -> None:
        if isinstance(layers, Layer):
            layers = layers.layers if is_exactly(layers, Sequential) else [layers]
        vars(self).update(
            layers=() if layers is None else checked_units(layers, "layers"),
            seed=fresh_seed() if seed is None else check_seed(seed),
            compile=CompileMode(compile),
        )
        self._loss: Loss | None = None
        self._optimizer: Optimizer | None = None
        self._metrics: tuple[Metric, ...] = ()
        self._metrics_asked: Any = "auto"
        self._counters = Counters()
        self._state: State | None = None
        self._is_final = False
        self.stop_training = False
        self.metadata: dict[str, Any] = {}
        self.set(loss=loss, optimizer=optimizer, metrics=metrics)
        vars(self)["backend"] = get_backend(
            backend, device=device, dtype=dtype, matmul_precision=matmul_precision
        )
        if layers is not None:
            self.finalize()

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _FIXED:
            raise FixedSettingError(
                f"{name} of a model cannot be assigned: {_FIXED[name]}"
            )
        object.__setattr__(self, name, value)

    # Putting it together.

    loss = _unit("loss", "What is minimized.")
    optimizer = _unit("optimizer", "How parameters follow their gradients.")
    metrics = _unit("metrics", "What is reported beside the loss.")

    @property
    def epochs_trained(self) -> int:
        """Epochs since the model was made, across saving and loading."""
        return self._counters.epochs

    @epochs_trained.setter
    def epochs_trained(self, value: int) -> None:
        self._counters.epochs = check_count(value, "epochs_trained", least=0)

    @property
    def steps_trained(self) -> int:
        """Steps since the model was made, across saving and loading."""
        return self._counters.steps

    @property
    def leaves(self) -> list[Layer]:
        """The layers, with those of each block in its place."""
        return [leaf for layer in self.layers for leaf in leaves(layer)]

    def add(self, layer: Layer) -> None:
        """Append a layer.

        Parameters
        ----------
        layer : Layer

        Raises
        ------
        InputError
            If it is not a layer, or is in the model already.
        """
        self._check_idle("add")
        vars(self)["layers"] = checked_units([*self.layers, layer], "layers")
        self._is_final = False

    def set(
        self,
        *,
        loss: Loss | str | None = _KEEP,
        optimizer: Optimizer | str | None = _KEEP,
        accuracy: Metric | str | None = _KEEP,
        metrics: Any = _KEEP,
    ) -> None:
        """Set loss, optimizer or metrics; omitted arguments stay unchanged.

        Parameters
        ----------
        loss, optimizer, metrics : optional
            As for the class. A new optimizer starts with a state of its own.
        accuracy : Metric or str, optional
            The book's name for `metrics`.

        Raises
        ------
        InputError
            If an argument is of the wrong kind, if they do not fit each other, or if
            ``fit`` is running; the model is then unchanged.
        """
        self._check_idle("set")
        if accuracy is not _KEEP:
            if metrics is not _KEEP:
                raise InputError("metrics and accuracy are the same argument; give one")
            metrics = accuracy
        kept = vars(self).copy()
        try:
            if loss is not _KEEP:
                self._loss = assembly.checked_unit("loss", loss)
            if optimizer is not _KEEP:
                self._optimizer = assembly.checked_unit("optimizer", optimizer)
            if metrics is not _KEEP:
                self._metrics_asked = metrics
            # Metrics are made anew only if "accuracy" may now mean another kind.
            if metrics is not _KEEP or self._loss is not kept["_loss"]:
                self._metrics = assembly.metrics_for(self._metrics_asked, self._loss)
            self._is_final = False
            if self._state is not None:
                self.finalize()
        except Exception:
            vars(self).update(kept)
            raise

    def finalize(self) -> None:
        """Connect layers, loss and optimizer, and draw the initial parameters.

        The book requires this call after ``add`` and ``set``. Here it happens
        automatically when needed, and a second call does nothing.

        Raises
        ------
        InputError
            If the layers do not fit each other or the loss.
        """
        state = self._state
        if self._is_final and state is not None and state.network.is_current():
            return
        self._check_idle("finalize")
        self._place(self.backend)

    def _place(self, be: Backend) -> None:
        """Lay the values out on a backend, and let the layers find them."""
        root, before = Sequential(self.layers), self._state
        assembly.check_chain(root, be)
        network = Network(
            root, be, self.seed,
            loss=self._loss, optimizer=self._optimizer, metrics=self._metrics,
            absorbed=assembly.absorbed_by(root, self._loss),
        )  # fmt: skip
        counters = dataclasses.replace(self._counters)
        goes_on = before is not None and _goes_on(before.network, network)
        if not goes_on:
            counters.steps_before = counters.steps
        state = State(network, counters, before)
        executor = executor_for(network, self.compile)
        if before is not None and goes_on:
            state.restore_learning(before.export_learning(), complete=False)
        outputs = root.output_shape(root.input_shape())
        if outputs is not None:
            with be.context():
                state.reset_totals(outputs)
        # From here on nothing fails.
        hold(state, before)
        self._state, self._counters = state, counters
        self._trainer = Trainer(state, executor)
        self._is_final = True
        vars(self)["backend"] = be

    @property
    def _ready(self) -> State:
        """The state of the finalized model."""
        self.finalize()
        assert self._state is not None
        return self._state

    def _check_idle(self, call: str) -> None:
        if self._state is not None and self._state.in_use:
            raise InputError(
                f"{call} cannot be called while fit runs; set "
                "model.stop_training = True to end it first"
            )

    def _check_reduction(self, call: str) -> None:
        if self._loss is not None and self._loss.reduction == "none":
            raise InputError(f"{call} needs a loss with a reduction of mean or sum")

    @property
    def input_shape(self) -> Any:
        """Shape of a sample that the layers expect, or None if any shape will do."""
        return Sequential(self.layers).input_shape() if self.layers else None

    @property
    def n_features(self) -> int | None:
        """Number of input columns, or None if any number will do."""
        shape = self.input_shape
        return shape[0] if shape is not None and len(shape) == 1 else None

    @property
    def n_outputs(self) -> int | None:
        """Number of output columns, or None if it depends on the inputs."""
        shape = Sequential(self.layers).output_shape(self.input_shape)
        return shape[0] if shape is not None and len(shape) == 1 else None

    # Working with data.

    @told_to_all_ranks
    def fit(
        self,
        x: Any,
        y: Any = None,
        *,
        epochs: int = 1,
        steps_per_epoch: int | None = None,
        batch_size: int | None = 128,
        shuffle: bool = True,
        validation_data: Any = None,
        validation_split: float = 0.0,
        sample_weight: Any = None,
        callbacks: Sequence[Callback] | Callback | None = (),
        verbose: bool = False,
        device_data_limit: int | None = None,
        checkpoint: str | os.PathLike[str] | None = None,
        checkpoint_every: int = 1,
        resume: bool = False,
        on_divergence: str = "raise",
        parallel: Communicator | None = None,
    ) -> History:
        """Train the network.

        Parameters
        ----------
        x : array or array_like, shape (n, ...), or a tuple of them, or iterable
            Samples; a tuple if the network has several inputs. NumPy arrays, lists and
            tables are copied to the model's device once; arrays of other libraries or
            devices are rejected. Alternatively, an iterable of batches ``(x, y)`` or
            ``(x, y, sample_weight)``, such as a generator, a list of such tuples or a
            ``DataLoader`` of PyTorch; see the page on input.
        y : array or array_like
            Targets: integer labels of shape (n,), one-hot or soft targets of shape (n,
            classes), or values of the outputs' shape. Omitted if `x` yields batches.
        epochs : int, default 1
            How often to go through the data.
        steps_per_epoch : int, optional
            Batches per epoch if `x` yields batches; all of them by default. Required
            for an iterable without a length.
        batch_size : int or None, default 128
            Samples per step; all of them if None. The last batch may be shorter.
        shuffle : bool, default True
            Whether each epoch has its own random order.
        validation_data : (x, y) or (x, y, sample_weight) or iterable, optional
            Evaluated after each epoch.
        validation_split : float, default 0
            Fraction of the data to validate on instead: its last rows, which are then
            not used for training.
        sample_weight : array or array_like, shape (n,), optional
            Weight of each sample in the loss; the mean divides by the sum of the
            weights, which must not all be 0.
        callbacks : sequence of Callback, or one, or None
            Called before and after every epoch, and after every batch.
        verbose : bool, default False
            Whether to print a line for each epoch.
        device_data_limit : int, optional
            Bytes that the data may occupy on the device; by default 60 % of its free
            memory. Larger host data stays on the host, and is copied to the device
            piece by piece.
        checkpoint : path, optional
            A file that stores model, optimizer, callbacks and history, so that training
            can be resumed in another process. It is written at the beginning, after
            epochs, every ten minutes, and on Ctrl-C or SIGTERM.
        checkpoint_every : int, default 1
            Epochs between two files.
        resume : bool, default False
            Whether to resume the training of `checkpoint`, up to `epochs` epochs in
            total. Result and history equal those of uninterrupted training. If there is
            no file, training starts from the beginning.
        on_divergence : {"raise", "continue"}, default "raise"
            What to do when the loss or a parameter becomes infinite or NaN: raise an
            error, or continue. This is checked when figures are read, and at the end of
            each epoch.
        parallel : Communicator, optional
            The processes that train the model together, such as `nnfs_xp.parallel.mpi`.
            Each process makes the same call, and processes its part of every batch.
            Losses, parameters and history equal those of one process, up to rounding,
            and are identical on all processes.

        Returns
        -------
        History

        Raises
        ------
        InputError
            If an argument does not fit; the model is then unchanged.
        ParallelError
            If another process has failed, does not respond, or has different
            parameters.
        DeviceMemoryError
            If the memory of the device is too small for the batches.
        DivergenceError
            If training diverges; the model then has its last values, or with
            `EarlyStopping` those of its best epoch.
        """
        if self._loss is None or self._optimizer is None:
            raise InputError("fit needs a model with a loss and an optimizer")
        self._check_reduction("fit")
        self._check_idle("fit")
        settings = fitting.Settings(
            epochs=epochs, steps_per_epoch=steps_per_epoch, batch_size=batch_size,
            validation_data=validation_data, validation_split=validation_split,
            device_data_limit=device_data_limit, checkpoint=checkpoint,
            checkpoint_every=checkpoint_every, resume=resume,
            on_divergence=on_divergence, parallel=parallel, callbacks=callbacks,
            shuffle=shuffle, verbose=verbose,
        )  # fmt: skip
        self.finalize()
        given = x, y, sample_weight, settings
        with fitting.prepared(self, self._trainer, *given) as (trainer, plan, run):
            return trainer.fit(plan, self, run)

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
        """Train the network as in the book: without shuffling, printing its lines.

        Parameters
        ----------
        X, y
            As in `fit`.
        epochs : int, default 1
            How often to go through the data.
        batch_size : int or None, default None
            Samples for each step; all of them if None.
        print_every : int or None, default 1
            Print every `print_every` steps, and after the last step of an epoch; with
            None, only at the end of each epoch.
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
        y: Any = None,
        *,
        sample_weight: Any = None,
        batch_size: int | None = _PREDICTION_ROWS,
    ) -> dict[str, Any]:
        """Return the loss and the metrics, as ``{"loss": ..., ...}``.

        The loss excludes the penalties of regularizers, as in the book.

        Parameters
        ----------
        x, y, sample_weight : array or array_like
            As in `fit`; or `x` alone, an iterable of batches, which are used as they
            are.
        batch_size : int or None, default 1024
            Rows to compute with at a time, all if None. The result does not
            depend on it.
        """
        if self._loss is None:
            raise InputError("evaluate needs a model with a loss")
        self._check_reduction("evaluate")
        batch_size = check_batch_size(batch_size)
        state = self._ready
        with self.backend.context():
            check_columns(self, x)
            data = batches.evaluation_data(state.network, x, y, sample_weight)
            check_columns(self, data)
            explained = explain_own_units(self.backend)
            with explain_out_of_memory(state, data, batch_size), explained:
                return self._trainer.evaluate(data, batch_size)

    def predict(
        self, x: Any, *, batch_size: int | None = _PREDICTION_ROWS
    ) -> BackendArray:
        """Return the output of the last layer for each row of `x`.

        Parameters
        ----------
        x : array or array_like, shape (n, ...), or iterable
            As in `fit`. Batches of an iterable are `x` alone, or begin with it.
        batch_size : int or None, default 1024
            Rows to compute with at a time, all if None. The result does not
            depend on it.

        Returns
        -------
        array, shape (n, outputs)
            On the model's backend; `nnfs_xp.to_numpy` brings it to the host.
        """
        batch_size = check_batch_size(batch_size)
        if self._is_final:
            found = self._trainer.predict_again(x, batch_size)
            if found is not None:
                return found
        state = self._ready
        with self.backend.context():
            check_columns(self, x)
            data = batches.samples(state.network, x)
            check_columns(self, data)
            explained = explain_own_units(self.backend)
            with explain_out_of_memory(state, data, batch_size), explained:
                return self._trainer.predict(data, batch_size)

    def activations(self, x: Any) -> list[Array]:
        """Return the output of every layer, as ``predict`` computes them.

        Parameters
        ----------
        x : array or array_like, shape (n, ...)
            As in `fit`. All rows are computed at once, and all outputs are kept.

        Returns
        -------
        list of array
            On the model's backend, one for each of the `leaves`, in order.

        Raises
        ------
        InputError
            If `x` does not fit the model.

        Examples
        --------
        >>> from nnfs_xp import Dense, Model, ReLU
        >>> model = Model([Dense(2, 3), ReLU()])
        >>> [output.shape for output in model.activations([[1.0, 2.0]])]
        [(1, 3), (1, 3)]
        """
        state = self._ready
        with self.backend.context():
            data = inputs.check_samples(state.network, x).moved(self.backend)
            return inspection.activations(state, data)

    def gradients(self, x: Any, y: Any) -> dict[str, Array]:
        """Return the gradient of the loss with respect to every trained parameter.

        It equals the gradient that a step of ``fit`` on these samples would pass to the
        optimizer, including penalties but without dropout. The model is not changed.

        Parameters
        ----------
        x, y : array or array_like
            As in `fit`. All rows are computed at once.

        Returns
        -------
        dict of str to array
            On the model's backend, under the names of `parameters`.

        Raises
        ------
        InputError
            If the model has no loss, or the data does not fit.

        Examples
        --------
        >>> from nnfs_xp import Dense, Model
        >>> model = Model([Dense(1, 1)], loss="mean_squared_error", dtype="float64")
        >>> model.layers[0].weights = [[2.0]]
        >>> gradients = model.gradients([[3.0]], [[5.0]])  # 2 (2 * 3 - 5) * 3
        >>> print(gradients["0.weights"])
        [[6.]]
        """
        if self._loss is None:
            raise InputError("gradients needs a model with a loss")
        state = self._ready
        with self.backend.context():
            data = inputs.check_data(state.network, x, y).moved(self.backend)
            return inspection.gradients(state, data)

    # Values, and how they are read and replaced.

    @property
    def parameters(self) -> dict[str, Array]:
        """Every parameter by path, such as ``"0.weights"``."""
        return self._ready.parameters()

    @property
    def buffers(self) -> dict[str, Array]:
        """Untrained state of layers by path, such as ``"1.mean"``."""
        return self._ready.buffers()

    def get_parameters(self) -> list[tuple[Array, ...]]:
        """Return copies of the parameters of each layer that has any.

        Untrained state, such as running statistics, follows the parameters of its
        layer.

        Returns
        -------
        list of tuple of array
            Such as ``[(weights, biases), ...]``, on the model's backend.
        """
        return layer_values.copied(self._ready)

    def set_parameters(self, parameters: Sequence[Sequence[Any]]) -> None:
        """Replace all parameters.

        Parameters
        ----------
        parameters : sequence of sequences of array
            As `get_parameters` returns them, of this model or another one with
            layers of the same sizes, on this model's backend or on the host.

        Raises
        ------
        InputError
            If a number or a shape does not fit; the model is then unchanged.
        """
        state = self._ready
        for path, array in layer_values.checked(state, parameters).items():
            state.assign(path, array)

    @property
    def averaged_parameters(self) -> dict[str, Array]:
        """The parameter averages kept by an optimizer with ``ema``, by path."""
        if self._needed_optimizer.ema is None:
            raise InputError(
                f"averages need an optimizer made with ema, got {self._optimizer!r}"
            )
        return self._ready.averages()

    def use_average(self) -> None:
        """Replace the parameters by their averages, which the optimizer keeps.

        Training may continue from there. To keep both, call it on a copy,
        ``copy.deepcopy(model)``.

        Raises
        ------
        InputError
            If the optimizer was made without ``ema``, or ``fit`` runs.

        Examples
        --------
        >>> from nnfs_xp import SGD, Dense, Model
        >>> model = Model(
        ...     [Dense(1, 1, use_bias=False)],
        ...     loss="mean_squared_error", optimizer=SGD(0.5, ema=0.5), dtype="float64",
        ... )
        >>> model.layers[0].weights = [[4.0]]
        >>> _ = model.fit([[0.5]], [[0.0]], epochs=2)
        >>> model.layers[0].weights, model.averaged_parameters["0.weights"]
        (array([[2.25]]), array([[2.625]]))
        >>> model.use_average()
        >>> model.layers[0].weights
        array([[2.625]])
        """
        self._check_idle("use_average")
        for path, array in self.averaged_parameters.items():
            self._ready.assign(path, array)

    @property
    def learning_rate(self) -> float:
        """The optimizer's learning rate, as a number; may be set at any time.

        The value read can be written back. A ``decay`` of the optimizer divides it at
        each step. For a schedule, this is the rate of the next step, and assigning a
        number replaces the schedule.
        """
        optimizer = self._needed_optimizer
        if callable(optimizer.learning_rate):
            return optimizer.rate_at(self._counters.optimizer_steps)
        return optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        self._needed_optimizer.learning_rate = value

    @property
    def _needed_optimizer(self) -> Optimizer:
        if self._optimizer is None:
            raise InputError("the model has no optimizer")
        return self._optimizer

    def to(
        self,
        backend: str | Backend,
        *,
        device: Any = None,
        dtype: str | None = None,
        matmul_precision: str | None = None,
    ) -> Model:
        """Move the model, with its optimizer state, to another backend.

        Parameters
        ----------
        backend, device, dtype, matmul_precision
            See `nnfs_xp.get_backend`. By default the dtype and the precision of
            products are kept, unless a backend object is given, which has its own, or
            `dtype` is float64, which allows only full precision.

        Returns
        -------
        Model
            This model.

        Raises
        ------
        InputError
            If an argument is unknown, or if ``fit`` runs.
        """
        self._check_idle("to")
        dtype = self.backend.dtype_name if dtype is None else dtype
        if matmul_precision is None and not isinstance(backend, Backend):
            matmul_precision = self.backend.like(dtype).matmul_precision
        be = get_backend(
            backend, device=device, dtype=dtype, matmul_precision=matmul_precision
        )
        old = self.backend
        self.finalize()
        self._place(be)
        old.release_memory()
        return self

    # Files.

    def save(
        self, path: str | os.PathLike[str], *, allow_nonfinite: bool = False
    ) -> None:
        """Write the model to a safetensors file, replacing it atomically.

        Parameters
        ----------
        path : path
            The file. It holds parameters, optimizer state, configuration and
            ``metadata``, and no code.
        allow_nonfinite : bool, default False
            Whether parameters may be infinite or NaN.

        Raises
        ------
        DivergenceError
            If a parameter is infinite or NaN; an existing file is unchanged.
        InputError
            If ``metadata`` holds something that JSON cannot, or a unit cannot be
            rebuilt from a file.
        """
        if not isinstance(self.metadata, dict):
            raise InputError(f"metadata must be a dict, got {self.metadata!r}")
        named = self._ready.export()
        write_checkpoint(path, self.config(), named, allow_nonfinite=allow_nonfinite)

    def export(
        self,
        path: str | os.PathLike[str],
        *,
        sample_shape: Sequence[Any] | None = None,
    ) -> None:
        """Write the model for other programs, in the format of the file extension.

        Parameters
        ----------
        path : path
            A file that ends with ``.onnx``; see `nnfs_xp.onnx.export`.
        sample_shape : sequence of int, or of such sequences, optional
            Shape of a sample, of each input if there are several. It is needed only
            where the layers take any.

        Raises
        ------
        InputError
            If the file extension is unknown, `sample_shape` is needed and missing or
            does not fit, a unit computes something that the format cannot express, or
            the library for it is not installed.
        DivergenceError
            If a parameter is infinite or NaN; an existing file is unchanged.
        """
        checked = checked_path(path, "path")
        writer_for(checked)(self, checked, sample_shape=sample_shape)

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        *,
        backend: str | Backend | None = None,
        device: Any = None,
        dtype: str | None = None,
        matmul_precision: str | None = None,
        compile: str = "auto",
    ) -> Self:
        """Read a model that `save` wrote, onto any backend.

        Parameters
        ----------
        path : path
            The file.
        backend, device, dtype, matmul_precision, compile : optional
            As for the class; the dtype is that of the file by default. Files do not
            store the precision of matrix products.

        Raises
        ------
        InputError
            If `matmul_precision` is unknown, or is not for the dtype.
        FileFormatError
            If the file is damaged or was not written by `save`.
        """
        check_mode(compile)
        files.check_precision(matmul_precision)
        config, named = files.read_model(path)
        be = files.backend_for_file(
            path, config["dtype"], backend, device, dtype, matmul_precision
        )
        try:
            model = cls(
                config["layers"],
                loss=config["loss"],
                optimizer=config["optimizer"],
                metrics=config["metrics"],
                backend=be,
                seed=config["seed"],
                compile=compile,
            )
            model.epochs_trained = config["epochs_trained"]
            steps = check_count(config["steps_trained"], "steps_trained", least=0)
            model._counters.steps = steps
            model._ready.restore_learning(named)
        except InputError as error:
            raise FileFormatError(f"{os.fspath(path)}: {error}") from error
        model.metadata = config["metadata"]
        return model

    def config(self) -> dict[str, Any]:
        """Return everything needed to rebuild this model, except its arrays."""
        return {
            "layers": [to_config(layer) for layer in self.layers],
            "loss": self._loss and to_config(self._loss),
            "optimizer": self._optimizer and to_config(self._optimizer),
            "metrics": [to_config(metric) for metric in self._metrics],
            "dtype": self.backend.dtype_name,
            "seed": self.seed,
            "epochs_trained": self.epochs_trained,
            "steps_trained": self.steps_trained,
            "metadata": self.metadata,
        }

    def save_parameters(
        self, path: str | os.PathLike[str], *, allow_nonfinite: bool = False
    ) -> None:
        """Write the parameters alone to a safetensors file, atomically.

        Parameters
        ----------
        path : path
            The file; its arrays are named as in `parameters` and `buffers`.
        allow_nonfinite : bool, default False
            Whether parameters may be infinite or NaN.

        Raises
        ------
        DivergenceError
            If a parameter is infinite or NaN; an existing file is unchanged.
        """
        values = self._ready.export_values()
        write_arrays(path, values, allow_nonfinite=allow_nonfinite)

    def load_parameters(self, path: str | os.PathLike[str]) -> None:
        """Read parameters that `save_parameters` or `save` wrote.

        Parameters
        ----------
        path : path
            The file, of a model with layers of the same sizes.

        Raises
        ------
        FileFormatError
            If the file is damaged, or does not fit; the model is then
            unchanged.
        """
        state, be = self._ready, self.backend
        for own, value in files.read_values(path, state.network).items():
            state.assign(own, be.asarray(value, be.dtype))

    # Looking at it.

    def memory_estimate(
        self, batch_size: int = 128, sample_shape: Sequence[int] | None = None
    ) -> MemoryEstimate:
        """Return the memory that a training step needs, before allocating it.

        Parameters
        ----------
        batch_size : int, default 128
            Samples of the batch.
        sample_shape : sequence of int, optional
            Shape of a sample; needed only if the layers accept any shape.

        Returns
        -------
        MemoryEstimate

        Raises
        ------
        InputError
            If `sample_shape` is needed and missing, or does not fit the layers.
        """
        batch_size = check_count(batch_size, "batch_size")
        shape = check_sample_shape(self._ready.network.root, sample_shape)
        return estimate_for(self._ready, batch_size, shape)

    @property
    def executor_note(self) -> str:
        """How the training step is run, in words, and why.

        Whether it can be captured as a CUDA graph is known from the first
        ``fit`` on.
        """
        self.finalize()
        notes = self._trainer.executor.note, loops_note(self.backend.name)
        return ", ".join(filter(None, notes))

    def summary(
        self,
        print_fn: Callable[[str], Any] = print,
        *,
        batch_size: int | None = None,
    ) -> None:
        """Print the layers, their shapes and numbers of parameters.

        The last lines say how a training step is run. On CuPy, from the first ``fit``
        on, they say how many kernels, products and copies it launches.

        Parameters
        ----------
        print_fn : callable, default print
            Called with the whole text.
        batch_size : int, optional
            If given, also print the memory that a step of this size needs.
        """
        text = summary_of(self._ready.network, self.executor_note)
        if batch_size is not None:
            text += f"\n{self.memory_estimate(batch_size)}"
        print_fn(text)

    def __repr__(self) -> str:
        return f"Model({list(self.layers)!r}, {self.backend})"

    # Copies and pickles hold the values, on the host, and rebuild the rest.

    def __getstate__(self) -> dict[str, Any]:
        """Return everything except what can be made from it."""
        own = {k: v for k, v in vars(self).items() if k not in ("_state", "_trainer")}
        if self._state is not None:
            own["_learning"] = self._state.export_learning()
        return own

    def __setstate__(self, own: dict[str, Any]) -> None:
        """Restore it, and lay the values out again."""
        learning = own.pop("_learning", None)
        vars(self).update(own, _state=None)
        if learning is not None:
            self._place(self.backend)
            self._ready.restore_learning(learning)


def _goes_on(before: Network, network: Network) -> bool:
    """Return whether the optimizer's state of one network applies to another."""
    units, others = (
        {id(node.unit): node.path for node in one if node.path}
        for one in (before, network)
    )
    return units == others and before.optimizer is network.optimizer
