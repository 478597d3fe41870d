"""A network that can be trained, evaluated, used, saved and moved."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from nnfs_xp.arguments import check_count, check_seed
from nnfs_xp.assembly import (
    initial_parameters,
    sizes_of,
    split_head,
    take_parameters,
)
from nnfs_xp.backends import Array, Backend, get_backend
from nnfs_xp.batching import check_batch_size, iterate_rows
from nnfs_xp.callbacks import Callback, PrintEpochs, check_callbacks
from nnfs_xp.checks import (
    check_features,
    check_finite,
    check_same_library,
    check_targets,
)
from nnfs_xp.errors import FileFormatError, InputError
from nnfs_xp.executors import check_mode, executor_for
from nnfs_xp.fitting import FitPlan, figures_of, run_fit
from nnfs_xp.history import History
from nnfs_xp.layers import Layer
from nnfs_xp.layout import layout_for
from nnfs_xp.losses import Loss
from nnfs_xp.model_state import ModelState, Named
from nnfs_xp.optimizers import Optimizer
from nnfs_xp.random import fresh_seed
from nnfs_xp.registry import resolve, to_config
from nnfs_xp.step import Network, initial_totals
from nnfs_xp.summary import summary_of

_PREDICTION_ROWS = 1024


class Model:
    """A stack of layers with a loss and an optimizer.

    Parameters
    ----------
    layers : sequence of Layer
        From the inputs to the output. A `Softmax` at the end, before a
        `CategoricalCrossEntropy`, is learned through together with it, from
        the logits and exactly; ``predict`` still returns its probabilities.
    loss : Loss or str, optional
        Such as ``"categorical_crossentropy"``; needed to fit and evaluate.
    optimizer : Optimizer or str, optional
        Such as ``"adam"`` or ``SGD(0.1)``; needed to fit.
    metric : object or str or None, default "accuracy"
        What ``fit`` and ``evaluate`` report beside the loss.
    backend, device, dtype : optional
        Where and in which precision the model computes; see
        `nnfs_xp.get_backend`.
    seed : int or None, default 0
        Seed of initial weights and batch order. The same seed gives the same
        bits on every backend; None draws one.
    compile : {"auto", "off", "require"}, default "auto"
        Whether the step is compiled: where the backend has a compiler (JAX),
        never, or else an error.

    Attributes
    ----------
    layers : list of Layer
        Their ``weights`` and ``biases`` are those of the model.
    backend : Backend
    epochs_trained : int
        Epochs since the model was made, also over saving and loading.
    metadata : dict
        Anything JSON can hold; saved with the model.

    Raises
    ------
    InputError
        If the layers do not fit each other or the loss.
    BackendUnavailableError
        If the backend does not work here.

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

    def __init__(
        self,
        layers: Iterable[Layer],
        *,
        loss: Loss | str | None = None,
        optimizer: Optimizer | str | None = None,
        metric: Any = "accuracy",
        backend: str | Backend | None = None,
        device: Any = None,
        dtype: str | None = None,
        seed: int | None = 0,
        compile: str = "auto",
    ) -> None:
        self.layers = list(layers)
        if not self.layers:
            raise InputError("layers must hold at least one layer")
        for layer in self.layers:
            if not isinstance(layer, Layer):
                raise InputError(f"layers must hold layers only, got {layer!r}")
        if len(set(map(id, self.layers))) < len(self.layers):
            raise InputError("layers must hold each layer once")
        # Units of a user's own need no entry in the registry to be used.
        self.loss: Loss | None = (
            loss
            if loss is None or isinstance(loss, Loss)
            else resolve("loss", loss, "loss")
        )
        self.optimizer: Optimizer | None = (
            optimizer
            if optimizer is None or isinstance(optimizer, Optimizer)
            else resolve("optimizer", optimizer, "optimizer")
        )
        self.metric = None if metric is None else resolve("metric", metric, "metric")
        self.n_features, self.n_outputs = sizes_of(self.layers)
        self.seed = fresh_seed() if seed is None else check_seed(seed)
        self.compile = compile
        self._rate_written = self.optimizer.learning_rate if self.optimizer else None
        self.epochs_trained = 0
        self.metadata: dict[str, Any] = {}
        self._learned, self._head, self._step_loss = split_head(self.layers, self.loss)
        be = get_backend(backend, device=device, dtype=dtype)
        self._place(be, initial_parameters(self.layers, be, self.seed))

    def _place(self, be: Backend, parameters: Named) -> None:
        """Lay the parameters out on a backend, and let the layers find them."""
        shapes = [
            {name: shape for name, (_, shape) in layer.initializers().items()}
            for layer in self.layers
        ]
        network = Network(
            backend=be,
            layers=tuple(self._learned),
            loss=self._step_loss,
            optimizer=self.optimizer,
            metric=self.metric,
            layout=layout_for(be, shapes),
        )
        self._executor = executor_for(network, self.compile)
        self._state = ModelState(network, parameters)
        self.backend = be
        for index, layer in enumerate(self.layers):
            layer.bind(self._state, index, be)

    # Training.

    def fit(
        self,
        x: Any,
        y: Any,
        *,
        epochs: int = 1,
        batch_size: int | None = 128,
        shuffle: bool = True,
        validation_data: tuple[Any, Any] | None = None,
        callbacks: Sequence[Callback] | Callback | None = (),
        verbose: bool = False,
    ) -> History:
        """Train the network.

        Parameters
        ----------
        x : array or array_like, shape (n, features)
            NumPy arrays and lists are moved to the model's device, once;
            arrays of any other library or device are refused.
        y : array or array_like
            Integer labels of shape (n,), or one-hot or soft targets of shape
            (n, classes).
        epochs : int, default 1
            How often to go through the data.
        batch_size : int or None, default 128
            Samples for each step; all of them if None. A last batch may be
            shorter.
        shuffle : bool, default True
            Whether each epoch has its own random order.
        validation_data : (x, y), optional
            Evaluated after each epoch.
        callbacks : sequence of Callback, or one, or None
            Told of every batch and epoch.
        verbose : bool, default False
            Whether to print a line for each epoch.

        Returns
        -------
        History

        Raises
        ------
        InputError
            If an argument does not fit; the model is then unchanged.
        """
        if self.loss is None or self.optimizer is None:
            raise InputError("fit needs a model with a loss and an optimizer")
        epochs = check_count(epochs, "epochs")
        batch_size = check_batch_size(batch_size)
        watchers = check_callbacks(callbacks)
        if verbose:
            watchers.append(PrintEpochs())
        with self.backend.context():
            x, y = self._check_data(x, y, "x", "y", finite=True)
            self._take_learning_rate()
            if validation_data is not None:
                if not isinstance(validation_data, (tuple, list)) or (
                    len(validation_data) != 2
                ):
                    raise InputError("validation_data must be a pair (x, y)")
                validation_data = self._check_data(
                    *validation_data, "validation_data x", "validation_data y"
                )
            plan = FitPlan(x, y, epochs, batch_size, shuffle, validation_data)
            return run_fit(self, plan, watchers)

    def evaluate(
        self, x: Any, y: Any, *, batch_size: int | None = _PREDICTION_ROWS
    ) -> dict[str, float]:
        """Return the mean loss and the accuracy, as ``{"loss": ..., ...}``.

        Parameters
        ----------
        x, y : array or array_like
            As in `fit`.
        batch_size : int or None, default 1024
            Rows to compute with at a time, all if None. The result does not
            depend on it.
        """
        if self.loss is None:
            raise InputError("evaluate needs a model with a loss")
        batch_size = check_batch_size(batch_size)
        with self.backend.context():
            x, y = self._check_data(x, y, "x", "y")
            return self.evaluate_checked(x, y, batch_size)

    def predict(self, x: Any, *, batch_size: int | None = _PREDICTION_ROWS) -> Array:
        """Return the output of the last layer for each row of `x`.

        Parameters
        ----------
        x : array or array_like, shape (n, features)
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
        be = self.backend
        with be.context():
            x = check_features(be, x, "x", self.n_features, host_allowed=True)
            parameters = self._state.tree["parameters"]
            parts = []
            for rows in iterate_rows(x, batch_size):
                output = self._executor.predict(parameters, be.asarray(rows, be.dtype))
                for layer in self._head:
                    output, _ = layer.fwd(be, {}, output)
                parts.append(output)
            return parts[0] if len(parts) == 1 else be.xp.concat(parts, axis=0)

    def evaluate_checked(
        self, x: Array, y: Array, batch_size: int | None = _PREDICTION_ROWS
    ) -> dict[str, float]:
        """Evaluate on data that is checked already, as `fit` has."""
        be = self.backend
        totals = initial_totals(be)
        parameters = self._state.tree["parameters"]
        for rows, targets in zip(
            iterate_rows(x, batch_size), iterate_rows(y, batch_size), strict=True
        ):
            batch = be.asarray(rows, be.dtype)
            self._executor.evaluate(parameters, totals, batch, targets)
        return figures_of(be, totals, self.metric)

    def _check_data(
        self, x: Any, y: Any, x_name: str, y_name: str, finite: bool = False
    ) -> tuple[Array, Array]:
        """Return data on the model's backend, or raise before using any."""
        check_same_library({x_name: x, y_name: y})
        be = self.backend
        x = check_features(be, x, x_name, self.n_features, host_allowed=True)
        if finite:
            check_finite(be, x, x_name)
        y = check_targets(
            be, y, y_name, x.shape[0], self.n_outputs or x.shape[1], host_allowed=True
        )
        return x, y

    # Looking at it, moving it, keeping it.

    @property
    def parameters(self) -> dict[str, Array]:
        """Every parameter by name, such as ``"layers.0.weights"``."""
        return self._state.parameters()

    @property
    def learning_rate(self) -> float:
        """The optimizer's learning rate; may be set at any time."""
        if self.optimizer is None:
            raise InputError("the model has no optimizer")
        self._take_learning_rate()
        return float(self.backend.to_numpy(self._optimizer_state["learning_rate"]))

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        if self.optimizer is None:
            raise InputError("the model has no optimizer")
        self.optimizer.learning_rate = value
        self._take_learning_rate()

    def _take_learning_rate(self) -> None:
        """Let the state follow a learning rate set on the optimizer."""
        if self.optimizer is None:
            return
        self._rate_written = self.optimizer.write_rate(
            self.backend, self._optimizer_state, self._rate_written
        )

    @property
    def _optimizer_state(self) -> dict[str, Any]:
        return self._state.tree["optimizer"]

    def to(
        self,
        backend: str | Backend,
        *,
        device: Any = None,
        dtype: str | None = None,
    ) -> Model:
        """Move the model, with its optimizer state, to another backend.

        Parameters
        ----------
        backend, device, dtype
            See `nnfs_xp.get_backend`. The dtype stays as it is by default.

        Returns
        -------
        Model
            This model.
        """
        be = get_backend(backend, device=device, dtype=dtype or self.backend.dtype_name)
        self._restore(be, self._export())
        return self

    def _export(self) -> Named:
        """Return all arrays by name, on the host."""
        self._take_learning_rate()
        return self._state.export()

    def _restore(self, be: Backend, named: Named) -> None:
        self._place(be, named)
        with be.context():
            self._state.restore_optimizer(named)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model to a safetensors file, replacing it atomically.

        Parameters
        ----------
        path : path
            The file. It holds parameters, optimizer state, configuration and
            ``metadata``, and no code.

        Raises
        ------
        InputError
            If ``metadata`` holds something that JSON cannot.
        """
        from nnfs_xp.io.checkpoint import write_checkpoint

        if not isinstance(self.metadata, dict):
            raise InputError(f"metadata must be a dict, got {self.metadata!r}")
        write_checkpoint(path, self.config(), self._export())

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        *,
        backend: str | Backend | None = None,
        device: Any = None,
        dtype: str | None = None,
        compile: str = "auto",
    ) -> Model:
        """Read a model that `save` wrote, onto any backend.

        Parameters
        ----------
        path : path
            The file.
        backend, device, dtype, compile : optional
            As for the class; the dtype is that of the file by default.

        Raises
        ------
        FileFormatError
            If the file is damaged or is not one of `save`.
        """
        from nnfs_xp.io.checkpoint import read_checkpoint

        check_mode(compile)
        config, named = read_checkpoint(path)
        be = get_backend(backend, device=device, dtype=dtype)
        try:
            if dtype is None and not isinstance(backend, Backend):
                be = get_backend(be, dtype=config["dtype"])
            return cls._from_config(config, named, be, compile)
        except InputError as error:
            raise FileFormatError(f"{os.fspath(path)}: {error}") from error

    def config(self) -> dict[str, Any]:
        """Return everything but arrays that makes this model again."""

        def unit(value: Any) -> dict[str, Any] | None:
            return None if value is None else to_config(value)

        return {
            "layers": [to_config(layer) for layer in self.layers],
            "loss": unit(self.loss),
            "optimizer": unit(self.optimizer),
            "metric": unit(self.metric),
            "dtype": self.backend.dtype_name,
            "seed": self.seed,
            "epochs_trained": self.epochs_trained,
            "metadata": self.metadata,
        }

    @classmethod
    def _from_config(
        cls, config: dict[str, Any], named: Named, be: Backend, compile: str
    ) -> Model:
        """Return the model of a configuration, with arrays by name."""
        layers = [resolve("layer", layer, "layers") for layer in config["layers"]]
        take_parameters(layers, named)
        model = cls(
            layers,
            loss=config["loss"],
            optimizer=config["optimizer"],
            metric=config["metric"],
            backend=be,
            seed=config["seed"],
            compile=compile,
        )
        model._restore(model.backend, named)
        model.epochs_trained = check_count(
            config["epochs_trained"], "epochs_trained", least=0
        )
        model.metadata = config["metadata"]
        return model

    def summary(self, print_fn: Callable[[str], Any] = print) -> None:
        """Print the layers, their shapes and numbers of parameters.

        Parameters
        ----------
        print_fn : callable, default print
            Given the whole text.
        """
        print_fn(summary_of(self))

    def __repr__(self) -> str:
        return f"Model({self.layers!r}, {self.backend})"
