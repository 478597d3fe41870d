"""The book's ``Model``."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any, Self

from nnfs_xp import losses
from nnfs_xp import model as own
from nnfs_xp.activations.softmax import Softmax
from nnfs_xp.arguments import check_count
from nnfs_xp.backends import Array, Backend, backend_of, to_numpy
from nnfs_xp.book import own_units
from nnfs_xp.book.accuracy import Accuracy, accuracy_for
from nnfs_xp.book.combined import Activation_Softmax_Loss_CategoricalCrossentropy
from nnfs_xp.book.layers import Layer_Input
from nnfs_xp.book.losses import Loss, Loss_CategoricalCrossentropy
from nnfs_xp.book.names import give_book_name
from nnfs_xp.book.optimizers import BookOptimizer, begin_anew
from nnfs_xp.book.own_loop import OwnLoop
from nnfs_xp.book.settings import here, moved
from nnfs_xp.engine.batching import check_batch_size
from nnfs_xp.engine.shell import asked_backend_of, check_units, fitted, home_of
from nnfs_xp.engine.state import State
from nnfs_xp.errors import (
    BackendMismatchError,
    BackendUnavailableError,
    FileFormatError,
    InputError,
)
from nnfs_xp.io.checkpoint import read_arrays, write_arrays
from nnfs_xp.layers.base import Layer
from nnfs_xp.model.assembly import metrics_for
from nnfs_xp.model.print_steps import validation_line
from nnfs_xp.registry import is_exactly


class Model(own.Model):
    """`nnfs_xp.Model` as the book builds and calls it.

    Its units may also be a reader's own: subclasses of the book's classes with methods
    of the book overridden, or classes that inherit nothing and have these methods. With
    one of them inside, the book's own loop runs, object by object; `executor_note`
    says so. Without, a step is compiled where the backend can.

    Attributes
    ----------
    input_layer : Layer_Input
    trainable_layers : list of Layer
        Those with parameters.
    output_layer_activation : Layer
        The last layer.
    accuracy : Accuracy

    Examples
    --------
    >>> import nnfs_xp.book as nnfs
    >>> nnfs.init()
    >>> X, y = nnfs.spiral_data(samples=100, classes=3)
    >>> model = nnfs.Model()
    >>> model.add(nnfs.Layer_Dense(2, 64))
    >>> model.add(nnfs.Activation_ReLU())
    >>> model.add(nnfs.Layer_Dense(64, 3))
    >>> model.add(nnfs.Activation_Softmax())
    >>> model.set(
    ...     loss=nnfs.Loss_CategoricalCrossentropy(),
    ...     optimizer=nnfs.Optimizer_Adam(learning_rate=0.05),
    ...     accuracy=nnfs.Accuracy_Categorical(),
    ... )
    >>> model.finalize()
    >>> _ = model.train(X, y, epochs=2, print_every=None)
    epoch: 1
    training, acc: 0.360, loss: 1.099 (data_loss: 1.099, reg_loss: 0.000), lr: 0.05
    epoch: 2
    training, acc: 0.330, loss: 1.096 (data_loss: 1.096, reg_loss: 0.000), lr: 0.05
    """

    _accuracy: Any = None
    _input_layer: Any = None
    softmax_classifier_output: Any = None

    def __init__(
        self, layers: Iterable[Layer] | Layer | None = None, **options: Any
    ) -> None:
        options.setdefault("backend", here())
        super().__init__(None, **options)
        if layers is not None:
            given = [layers] if isinstance(layers, Layer) else layers
            vars(self)["layers"] = own_units.checked_layers(given)
            self.finalize()

    # Putting it together.

    def add(self, layer: Any) -> None:
        """Append a layer, of the library or of your own.

        Parameters
        ----------
        layer : Layer or object
            A layer of your own has ``forward(inputs, training)`` and
            ``backward(dvalues)``, which set ``.output`` and ``.dinputs`` or return
            them. It learns if it has ``weights``.
        """
        self._check_idle("add")
        vars(self)["layers"] = own_units.checked_layers([*self.layers, layer])
        self._is_final = False

    def set(
        self,
        *,
        loss: Any = None,
        optimizer: Any = None,
        accuracy: Any = None,
        metrics: Any = None,
    ) -> None:
        """Set loss, optimizer or accuracy; None leaves what is there.

        Parameters
        ----------
        loss, optimizer, accuracy : optional
            Units of the book, of the library, or of your own.
        metrics : optional
            See `nnfs_xp.Model`.
        """
        self._check_idle("set")
        if own_units.is_own(loss, own_units.LOSS):
            needed = ("forward", "calculate"), ("backward",)
            self._loss = own_units.check_methods(loss, "loss", *needed)
            self._metrics = tuple(metrics_for(self._metrics_asked, loss))
            self._is_final, loss = False, None
        if own_units.is_own(optimizer, own_units.OPTIMIZER):
            own_units.check_methods(optimizer, "optimizer", ("update_params",))
            self._optimizer, self._is_final, optimizer = optimizer, False, None
        if own_units.is_own(accuracy, own_units.ACCURACY):
            either = "compare", "calculate"
            self._accuracy = own_units.check_methods(accuracy, "accuracy", either)
            self._metrics_asked, self._metrics = None, ()
            self._is_final, accuracy = False, None
        given = accuracy
        if isinstance(accuracy, Accuracy):
            given = accuracy.metric
            if given is None:
                raise InputError(
                    "accuracy must be Accuracy_Categorical, Accuracy_Regression, a "
                    f"metric, or have a compare of your own, got {accuracy!r}"
                )
        units = {
            "loss": loss,
            "optimizer": optimizer,
            "accuracy": given,
            "metrics": metrics,
        }
        super().set(**{name: x for name, x in units.items() if x is not None})
        if isinstance(accuracy, Accuracy):
            self._accuracy = accuracy
        elif accuracy is not None or metrics is not None:
            self._accuracy = None

    @property
    def accuracy(self) -> Any:
        """The accuracy of the book, or of your own, if there is one."""
        known = isinstance(self._loss, losses.Loss) or self._metrics_asked != "auto"
        if self._accuracy is None and known:
            self._accuracy = next(filter(None, map(accuracy_for, self._metrics)), None)
        return self._accuracy

    @accuracy.setter
    def accuracy(self, value: Any) -> None:
        self.set(accuracy=value)

    @property
    def _own(self) -> str:
        """Why the book's own loop runs, empty where the engine does."""
        units = (
            (self, own_units.MODEL),
            (self._input_layer, own_units.LAYER),
            *((layer, own_units.LAYER) for layer in self.layers),
            (self._loss, own_units.LOSS),
            (self._optimizer, own_units.OPTIMIZER),
            (self._accuracy, own_units.ACCURACY),
        )
        return ", ".join(
            f"{type(unit).__name__} is your own class"
            for unit, names in units
            if own_units.is_own(unit, names)
        )

    @property
    def input_layer(self) -> Any:
        """What gives the inputs to the first layer; may be set to one of your own."""
        return self._input_layer or Layer_Input()

    @input_layer.setter
    def input_layer(self, value: Any) -> None:
        self._check_idle("assigning input_layer")
        self._input_layer = own_units.checked_layers([value])[0]

    def _place(self, be: Backend) -> None:
        if why := self._own:
            if self.compile == "require":
                raise BackendUnavailableError(f"compile='require', and {why}")
            if be != self.backend:
                raise InputError(f"to cannot move units of your own: {why}")
            for layer in self.layers:
                if isinstance(layer, Layer):
                    check_units(layer, called=True)
                    if asked_backend_of(layer) not in (None, be):
                        raise BackendMismatchError(
                            f"layers: {layer!r} is on {layer.backend}, and the model "
                            f"on {be}"
                        )
                    home_of(layer, be)
            if self._state is not None:
                # What the engine has kept for the optimizer is of another form.
                if self._optimizer is not None:
                    begin_anew(self._optimizer)
                self._state = None
            self._is_final = True
        else:
            super()._place(be)
        self._connect()

    def finalize(self) -> None:
        """Put the model together; see `nnfs_xp.Model.finalize`."""
        if not self._is_final or not self._own:
            super().finalize()

    @property
    def _ready(self) -> State:
        if why := self._own:
            raise InputError(f"no engine runs units of your own: {why}")
        return super()._ready

    def _connect(self) -> None:
        """Name the parts as the book does."""
        self.trainable_layers = [x for x in self.leaves if own_units.learns(x)]
        self.output_layer_activation = last = self.leaves[-1]
        # As in the book, and only if both are exactly the book's.
        both = last is self.layers[-1] and is_exactly(last, Softmax)
        self.softmax_classifier_output = None
        if both and type(self._loss) is Loss_CategoricalCrossentropy:
            combined = Activation_Softmax_Loss_CategoricalCrossentropy()
            self.softmax_classifier_output = combined
        if self._loss is not None:
            remember = own_units.method(self._loss, "remember_trainable_layers", Loss)
            remember(self.trainable_layers)

    @property
    def leaves(self) -> list[Any]:
        """The layers, with those of each block in its place."""
        return [leaf for layer in self.layers for leaf in own_units.parts(layer)]

    @property
    def executor_note(self) -> str:
        """How the training step is run, in words, and why so."""
        return f"object by object ({self._own})" if self._own else super().executor_note

    # Working with data.

    def train(
        self,
        X: Any,
        y: Any,
        *,
        epochs: int = 1,
        batch_size: int | None = None,
        print_every: int | None = 1,
        validation_data: Any = None,
    ) -> Any:
        """Train and print; see `nnfs_xp.Model.train`."""
        if self._own:
            self._needed_loop("train", self._optimizer)
            if print_every is not None:
                print_every = check_count(print_every, "print_every")
            epochs, size = check_count(epochs, "epochs"), check_batch_size(batch_size)
            loop = OwnLoop(self)
            return loop.train(X, y, epochs, size, print_every, validation_data)
        history = super().train(
            X,
            y,
            epochs=epochs,
            batch_size=batch_size,
            print_every=print_every,
            validation_data=validation_data,
        )
        optimizer = self._needed_optimizer
        optimizer.iterations = self._counters.optimizer_steps
        if isinstance(optimizer, BookOptimizer):
            optimizer.current_learning_rate = history["learning_rate"][-1]
        return history

    def evaluate(  # type: ignore[override]
        self, X_val: Any, y_val: Any, *, batch_size: int | None = None
    ) -> dict[str, Any]:
        """Return loss and accuracy as `nnfs_xp.Model.evaluate`, and print them."""
        if self._own:
            self._needed_loop("evaluate")
            return OwnLoop(self).evaluate(X_val, y_val, check_batch_size(batch_size))
        figures = super().evaluate(X_val, y_val, batch_size=batch_size)
        print(validation_line(self, figures))
        return figures

    def predict(self, X: Any, *, batch_size: int | None = None) -> Array:
        """Return the output of the last layer; see `nnfs_xp.Model.predict`."""
        if self._own:
            return OwnLoop(self).predict(X, check_batch_size(batch_size))
        return super().predict(X, batch_size=batch_size)

    def _needed_loop(self, call: str, optimizer: Any = True) -> None:
        if self._loss is None or optimizer is None:
            raise InputError(f"{call} needs a model with a loss and an optimizer")
        self.finalize()

    def forward(self, X: Any, training: bool) -> Array:
        """Return the output of the last layer, computed layer by layer."""
        self.finalize()
        output = moved(self.backend, X)
        for layer in (*filter(None, [self._input_layer]), *self.layers):
            output = own_units.forward(layer, output, training)
        return output

    def backward(self, output: Any, y: Any) -> None:
        """Let every layer compute its gradients, after a `forward`."""
        layers, combined = list(self.layers), self.softmax_classifier_output
        if combined is not None:
            dvalues = layers.pop().dinputs = combined.backward(output, y)
        else:
            dvalues = own_units.backward(self._loss, output, y)
        for layer in reversed(layers):
            dvalues = own_units.backward(layer, dvalues)

    # Values, and files.

    @property
    def parameters(self) -> dict[str, Array]:
        """Every parameter by path, such as ``"0.weights"``."""
        if not self._own:
            return super().parameters
        return {
            f"{path}.{name}": value
            for path, _, values in self._own_values()
            for name, value in values.items()
        }

    def get_parameters(self) -> list[tuple[Array, ...]]:
        """Return copies of the parameters of each layer that has any."""
        if not self._own:
            return super().get_parameters()
        return [
            tuple(backend_of(v).xp.asarray(v, copy=True) for v in values.values())
            for _, _, values in self._own_values()
        ]

    def set_parameters(self, parameters: Sequence[Sequence[Any]]) -> None:
        """Replace all parameters, in the form of `get_parameters`."""
        if not self._own:
            super().set_parameters(parameters)
            return
        found = self._own_values()
        if [len(e) for e in parameters] != [len(values) for *_, values in found]:
            raise InputError(
                f"parameters must hold an entry for each of {len(found)} layers"
            )
        named = {
            f"{path}.{name}": new
            for (path, _, values), entry in zip(found, parameters, strict=True)
            for name, new in zip(values, entry, strict=True)
        }
        self._set_own_values(named)

    def save_parameters(self, path: str | os.PathLike[str]) -> None:
        """Write the parameters alone; see `nnfs_xp.Model.save_parameters`."""
        if not self._own:
            super().save_parameters(path)
        else:
            named = self.parameters
            write_arrays(path, {name: to_numpy(value) for name, value in named.items()})

    def load_parameters(self, path: str | os.PathLike[str]) -> None:
        """Read parameters; see `nnfs_xp.Model.load_parameters`."""
        if not self._own:
            super().load_parameters(path)
            return
        named, known = read_arrays(path), self.parameters
        if named.keys() != known.keys():
            other = min(named.keys() ^ known.keys())
            raise FileFormatError(
                f"{os.fspath(path)}: this model has no {other}, or the file"
            )
        self._set_own_values(named)

    def _own_values(self) -> list[tuple[str, Any, dict[str, Array]]]:
        """Return paths, layers with parameters, and these by name."""
        self.finalize()
        found = []
        for number, layer in enumerate(self.layers):
            for path, unit in own_units.walked(layer, str(number)):
                names: Any = ("weights", "biases")
                if isinstance(unit, Layer) and unit.parameters():
                    names = (*unit.parameters(), *unit.state())
                values = {n: getattr(unit, n) for n in names if hasattr(unit, n)}
                if values:
                    found.append((path, unit, values))
        return found

    def _set_own_values(self, named: dict[str, Any]) -> None:
        checked = [
            (
                unit,
                name,
                fitted(backend_of(old), named[key], key, old.shape, host_allowed=True),
            )
            for path, unit, values in self._own_values()
            for name, old in values.items()
            for key in [f"{path}.{name}"]
        ]
        for unit, name, new in checked:
            setattr(unit, name, backend_of(new).xp.asarray(new, copy=True))

    def config(self) -> dict[str, Any]:
        """Return everything but arrays that makes this model again."""
        if self._own:
            raise InputError(
                f"the model cannot be saved, no file holds code: {self._own}"
            )
        return super().config()

    @classmethod
    def load(cls, path: str | os.PathLike[str], **options: Any) -> Self:
        """Read a model, of the book or of the library, from a file.

        Its units are then those of the book, and compute on the backend of
        ``init`` in the precision of the file.

        Parameters
        ----------
        path : path
            A file that ``save`` wrote.
        **options : optional
            See `nnfs_xp.Model.load`.
        """
        if options.get("backend") is None:
            be = here()
            options["backend"] = be.name
            options.setdefault("device", be.device)
        model = super().load(path, **options)
        for unit in (*model.leaves, model.loss, model.optimizer):
            give_book_name(unit)
        if model.optimizer is not None:
            model.optimizer.iterations = model._counters.optimizer_steps
        model._connect()
        return model
