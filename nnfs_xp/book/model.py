"""The book's ``Model``."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Sequence
from typing import Any, Self

from nnfs_xp import losses
from nnfs_xp import model as own
from nnfs_xp.activations.softmax import Softmax
from nnfs_xp.backends import Array, Backend, backend_of, to_numpy
from nnfs_xp.book import own_units
from nnfs_xp.book.accuracy import Accuracy, accuracy_for
from nnfs_xp.book.combined import Activation_Softmax_Loss_CategoricalCrossentropy
from nnfs_xp.book.layers import Layer_Input
from nnfs_xp.book.losses import Loss, Loss_CategoricalCrossentropy
from nnfs_xp.book.names import give_book_name
from nnfs_xp.book.optimizers import BookOptimizer, hand_over
from nnfs_xp.book.own_loop import OwnLoop
from nnfs_xp.book.settings import here, moved, moved_together
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
        given = {"loss": loss, "optimizer": optimizer, "accuracy": accuracy}
        own = {kind for kind, unit in given.items() if own_units.is_own(unit, kind)}
        kept = vars(self).copy()
        try:
            if accuracy is not None or metrics is not None:
                self._accuracy = None
            for kind in own:
                unit = own_units.check_methods(given.pop(kind), kind)
                setattr(self, f"_{kind}", unit)
                self._is_final = False
            if "accuracy" in own:
                self._metrics_asked = None
            elif isinstance(accuracy, Accuracy):
                self._accuracy, given["accuracy"] = accuracy, accuracy.metric
                if accuracy.metric is None:
                    raise InputError(
                        "accuracy must be Accuracy_Categorical, Accuracy_Regression, "
                        f"a metric, or have a compare of your own, got {accuracy!r}"
                    )
            if own & {"loss", "accuracy"}:
                self._metrics = tuple(metrics_for(self._metrics_asked, self._loss))
            given["metrics"] = metrics
            super().set(**{name: x for name, x in given.items() if x is not None})
        except Exception:
            vars(self).update(kept)
            raise

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
        units = {
            "model": [self],
            "layers": [self._input_layer, *self.layers],
            "loss": [self._loss],
            "optimizer": [self._optimizer],
            "accuracy": [self._accuracy],
        }
        return ", ".join(
            f"{type(unit).__name__} is your own class"
            for kind, given in units.items()
            for unit in given
            if own_units.is_own(unit, kind)
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
            self._state, self._is_final = None, True
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
        how = dict[str, Any](epochs=epochs, batch_size=batch_size)
        how |= {"print_every": print_every, "validation_data": validation_data}
        if self._own:
            return OwnLoop(self).train(X, y, **how)
        return super().train(X, y, **how)

    def fit(self, x: Any, y: Any = None, **options: Any) -> Any:
        """Train; see `nnfs_xp.Model.fit`."""
        self._check_idle("fit")
        x, y = moved_together(self.backend, (x, y))
        if isinstance(given := options.get("validation_data"), (tuple, list)):
            options["validation_data"] = moved_together(self.backend, given)
        optimizer, steps = self._optimizer, self.steps_trained
        if isinstance(optimizer, BookOptimizer):
            hand_over(optimizer, self._ready)
        try:
            return super().fit(x, y, **options)
        finally:
            if optimizer is not None and self.steps_trained > steps:
                optimizer.iterations = self._counters.optimizer_steps
                rate = optimizer.rate_at(optimizer.iterations - 1)
                vars(optimizer)["_current"] = rate

    def evaluate(  # type: ignore[override]
        self, X_val: Any, y_val: Any, *, batch_size: int | None = None
    ) -> dict[str, Any]:
        """Return loss and accuracy as `nnfs_xp.Model.evaluate`, and print them."""
        if self._own:
            return OwnLoop(self).evaluate(X_val, y_val, batch_size)
        data = moved_together(self.backend, (X_val, y_val))
        figures = super().evaluate(*data, batch_size=batch_size)
        print(validation_line(self, figures))
        return figures

    def predict(self, X: Any, *, batch_size: int | None = None) -> Array:
        """Return the output of the last layer; see `nnfs_xp.Model.predict`."""
        if self._own:
            return OwnLoop(self).predict(X, batch_size)
        return super().predict(X, batch_size=batch_size)

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
        return {path: getattr(*place) for path, place in self._places().items()}

    def get_parameters(self) -> list[tuple[Array, ...]]:
        """Return copies of the parameters of each layer that has any."""
        if not self._own:
            return super().get_parameters()
        layers: dict[str, tuple[Array, ...]] = {}
        for path, value in self.parameters.items():
            layer = path.rpartition(".")[0]
            copied = backend_of(value).xp.asarray(value, copy=True)
            layers[layer] = (*layers.get(layer, ()), copied)
        return list(layers.values())

    def set_parameters(self, parameters: Sequence[Sequence[Any]]) -> None:
        """Replace all parameters, in the form of `get_parameters`."""
        if not self._own:
            super().set_parameters(parameters)
            return
        sizes = [len(values) for values in self.get_parameters()]
        if sizes != [len(e) if isinstance(e, (list, tuple)) else 0 for e in parameters]:
            raise InputError(
                f"parameters must hold an entry for each of {len(sizes)} layers, with "
                f"{sizes} arrays"
            )
        values = itertools.chain.from_iterable(parameters)
        self._replace(dict(zip(self._places(), values, strict=True)))

    def save_parameters(
        self, path: str | os.PathLike[str], *, allow_nonfinite: bool = False
    ) -> None:
        """Write the parameters alone; see `nnfs_xp.Model.save_parameters`."""
        if not self._own:
            super().save_parameters(path, allow_nonfinite=allow_nonfinite)
        else:
            named = {name: to_numpy(value) for name, value in self.parameters.items()}
            write_arrays(path, named, allow_nonfinite=allow_nonfinite)

    def load_parameters(self, path: str | os.PathLike[str]) -> None:
        """Read parameters; see `nnfs_xp.Model.load_parameters`."""
        if not self._own:
            super().load_parameters(path)
            return
        named = read_arrays(path)
        if others := named.keys() ^ self._places().keys():
            raise FileFormatError(
                f"{os.fspath(path)}: this model has no {min(others)}, or the file"
            )
        self._replace(named)

    def _places(self) -> dict[str, tuple[Any, str]]:
        """Return by path which layer has a parameter, and in which attribute."""
        self.finalize()
        return {
            f"{path}.{name}": (unit, name)
            for number, layer in enumerate(self.layers)
            for path, unit in own_units.walked(layer, str(number))
            for name in own_units.parameter_names(unit)
        }

    def _replace(self, named: dict[str, Any]) -> None:
        """Replace parameters by path, all or none."""
        checked = {}
        for path, old in self.parameters.items():
            be = backend_of(old)
            new = fitted(be, named[path], path, old.shape, host_allowed=True)
            checked[path] = be.xp.asarray(new, copy=True)
        for path, (layer, name) in self._places().items():
            setattr(layer, name, checked[path])

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
