"""The book's ``Model``."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, Self

from nnfs_xp import model as own
from nnfs_xp.backends import Array
from nnfs_xp.book.accuracy import Accuracy, accuracy_for
from nnfs_xp.book.combined import Activation_Softmax_Loss_CategoricalCrossentropy
from nnfs_xp.book.layers import Layer_Input
from nnfs_xp.book.losses import Loss
from nnfs_xp.book.names import give_book_name
from nnfs_xp.book.optimizers import BookOptimizer
from nnfs_xp.book.settings import here, moved
from nnfs_xp.errors import InputError
from nnfs_xp.layers import Layer
from nnfs_xp.model.assembly import split_head
from nnfs_xp.model.print_steps import validation_line


class Model(own.Model):
    """`nnfs_xp.Model` as the book builds and calls it.

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

    def __init__(self, layers: Iterable[Layer] | None = None, **options: Any) -> None:
        options.setdefault("backend", here())
        self.accuracy: Accuracy | None = None
        super().__init__(layers, **options)

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
            Units of the book, or of the library.
        metrics : optional
            See `nnfs_xp.Model`.
        """
        own_accuracy = accuracy
        if isinstance(accuracy, Accuracy):
            if accuracy.metric is None:
                raise InputError(
                    "accuracy must be Accuracy_Categorical, Accuracy_Regression or a "
                    f"metric, got {accuracy!r}"
                )
            own_accuracy = accuracy.metric
        units = {
            "loss": loss,
            "optimizer": optimizer,
            "accuracy": own_accuracy,
            "metrics": metrics,
        }
        super().set(**{name: x for name, x in units.items() if x is not None})
        if isinstance(accuracy, Accuracy):
            self.accuracy = accuracy

    def finalize(self) -> None:
        """Put the model together; see `nnfs_xp.Model.finalize`."""
        if self._is_final:
            return
        super().finalize()
        self._connect()

    def _connect(self) -> None:
        """Name the parts as the book does."""
        self.input_layer = Layer_Input()
        self.trainable_layers = [x for x in self.leaves if x.initializers()]
        self.output_layer_activation = self.leaves[-1]
        if isinstance(self.loss, Loss):
            self.loss.remember_trainable_layers(self.trainable_layers)

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
        history = super().train(
            X,
            y,
            epochs=epochs,
            batch_size=batch_size,
            print_every=print_every,
            validation_data=validation_data,
        )
        self._optimizer.iterations = self._ready.steps
        if isinstance(self._optimizer, BookOptimizer):
            rate = history["learning_rate"][-1]
            self._optimizer.current_learning_rate = rate
        return history

    def evaluate(  # type: ignore[override]
        self, X_val: Any, y_val: Any, *, batch_size: int | None = None
    ) -> dict[str, Any]:
        """Return loss and accuracy as `nnfs_xp.Model.evaluate`, and print them."""
        figures = super().evaluate(X_val, y_val, batch_size=batch_size)
        print(validation_line(self, figures))
        return figures

    def predict(self, X: Any, *, batch_size: int | None = None) -> Array:
        """Return the output of the last layer; see `nnfs_xp.Model.predict`."""
        return super().predict(X, batch_size=batch_size)

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
            model.optimizer.iterations = model._ready.steps
        model.accuracy = next(map(accuracy_for, model.metrics), None)
        model._connect()
        return model

    def forward(self, X: Any, training: bool) -> Array:
        """Return the output of the last layer, computed layer by layer."""
        self.finalize()
        output = moved(self.backend, X)
        for layer in self.leaves:
            output = layer.forward(output, training)
        return output

    def backward(self, output: Any, y: Any) -> None:
        """Let every layer compute its gradients, after a `forward`."""
        learned, head, _ = split_head(self.leaves, self.loss)
        if head and isinstance(self.loss, Loss):
            combined = Activation_Softmax_Loss_CategoricalCrossentropy()
            dvalues = combined.backward(output, y)
            self.output_layer_activation.dinputs = dvalues
        else:
            learned = self.leaves
            dvalues = self.loss.backward(output, y)  # type: ignore[union-attr]
        for layer in reversed(learned):
            dvalues = layer.backward(dvalues)
