"""The training loop of the book's chapters 18 to 22, object by object.

`Model` runs it where a unit is a reader's own. Every method is called on the object
itself, in the book's order, and nothing is compiled or fused.
"""

from __future__ import annotations

import time
from typing import Any

from nnfs_xp.arguments import check_count
from nnfs_xp.backends import Array, backend_of, library_of, to_numpy
from nnfs_xp.book.accuracy import Accuracy
from nnfs_xp.book.losses import Loss, all_penalties
from nnfs_xp.book.own_units import learns, method, predictions, update
from nnfs_xp.book.settings import moved
from nnfs_xp.checks.arrays import check_extent, check_length
from nnfs_xp.engine.batching import batch_slices, check_batch_size, rows_of
from nnfs_xp.engine.interrupts import DeferredInterrupts
from nnfs_xp.errors import InputError
from nnfs_xp.history import History
from nnfs_xp.unit import overridden


class OwnLoop:
    """Trains, evaluates and uses a model of the book, by calls of its units.

    Parameters
    ----------
    model : Model
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        # Beside the accuracy, which is computed in place of its metric.
        in_place_of = getattr(model.accuracy, "metric", None)
        self.metrics = [m for m in model.metrics if m is not in_place_of]

    def train(
        self,
        X: Any,
        y: Any,
        epochs: int,
        batch_size: int | None,
        print_every: int | None,
        validation_data: Any,
    ) -> History:
        """Train as the book does, and return a record of each epoch."""
        model, history, counters = self.model, History(), self.model._counters
        if model.loss is None or model.optimizer is None:
            raise InputError("train needs a model with a loss and an optimizer")
        epochs = check_count(epochs, "epochs")
        if print_every is not None:
            print_every = check_count(print_every, "print_every")
        X, y = self._data(X, y)
        if model.accuracy is not None:
            method(model.accuracy, "init", Accuracy)(y)
        for metric in self.metrics:
            metric.prepare(model.backend, y)
        batches = _batches(batch_size, X, y)
        with DeferredInterrupts() as interrupts:
            for epoch in range(counters.epochs + 1, counters.epochs + epochs + 1):
                print(f"epoch: {epoch}")
                began = time.perf_counter()
                self._new_pass()
                for step, batch in enumerate(batches):
                    interrupts.begin()
                    figures = self._step(*batch)
                    counters.steps += 1
                    interrupts.end()
                    last = step == len(batches) - 1
                    if print_every is not None and (not step % print_every or last):
                        print(f"step: {step}, {self._line(figures)}")
                counters.epochs = epoch
                record = {"epoch": epoch, **self._accumulated(penalties=True)}
                print(f"training, {self._line(record)}")
                record["seconds"] = time.perf_counter() - began
                record["samples_per_second"] = X.shape[0] / record["seconds"]
                record["learning_rate"] = self._rate
                if validation_data is not None:
                    found = model.evaluate(*validation_data, batch_size=batch_size)
                    record |= {f"validation_{k}": v for k, v in (found or {}).items()}
                history.epochs.append(record)
        return history

    def _step(self, batch_X: Array, batch_y: Array) -> dict[str, Any]:
        """Learn from a batch, and return its figures."""
        model = self.model
        output = model.forward(batch_X, training=True)
        figures = self._figures(output, batch_y, penalties=True)
        model.backward(output, batch_y)
        self._rate = update(model.optimizer, [x for x in model.leaves if learns(x)])
        return figures

    def evaluate(self, X: Any, y: Any, batch_size: int | None) -> dict[str, Any]:
        """Return loss and accuracy of data, and print them."""
        if self.model.loss is None:
            raise InputError("evaluate needs a model with a loss")
        batches = _batches(batch_size, *self._data(X, y))
        self._new_pass()
        for batch_X, batch_y in batches:
            output = self.model.forward(batch_X, training=False)
            self._figures(output, batch_y, penalties=False)
        figures = self._accumulated(penalties=False)
        print(f"validation, {_accuracy(figures)}loss: {figures['loss']:.3f}")
        return figures

    def predict(self, X: Any, batch_size: int | None) -> Array:
        """Return the output of the last layer for each row of `X`."""
        outputs = [
            self.model.forward(batch, training=False)
            for (batch,) in _batches(batch_size, self._array(X, "X"))
        ]
        return backend_of(outputs[0]).xp.concat(outputs, axis=0)

    # Loss and accuracy.

    def _new_pass(self) -> None:
        self._batches: list[tuple[Any, ...]] = []
        method(self.model.loss, "new_pass", Loss)()
        if self.model.accuracy is not None:
            method(self.model.accuracy, "new_pass", Accuracy)()
        for metric in self.metrics:
            metric.reset()

    def _figures(self, output: Array, y: Array, *, penalties: bool) -> dict[str, Any]:
        """Return loss and accuracy of a batch."""
        model = self.model
        loss = method(model.loss, "calculate", Loss)(output, y)
        figures = _losses(loss, all_penalties(model.loss) if penalties else 0.0)
        if model.accuracy is not None:
            predicted = predictions(model.output_layer_activation, output)
            predicted = moved(model.backend, predicted)
            calculate = method(model.accuracy, "calculate", Accuracy)
            figures["accuracy"] = _number(calculate(predicted, y))
        for metric in self.metrics:
            figures[metric.name] = _number(metric.calculate(output, y))
            metric.update(output, y)
        self._batches.append((figures, output.shape[0], _count(model.loss, output)))
        return figures

    def _accumulated(self, *, penalties: bool) -> dict[str, Any]:
        """Return loss and accuracy of all batches of the pass."""
        loss, accuracy = self.model.loss, self.model.accuracy
        data_loss = self._mean(loss, "data_loss")
        figures = _losses(data_loss, all_penalties(loss) if penalties else 0.0)
        if not penalties:
            figures = {"loss": figures["loss"]}
        if accuracy is not None:
            figures["accuracy"] = _number(self._mean(accuracy, "accuracy"))
        return figures | {m.name: _number(m.result()) for m in self.metrics}

    def _mean(self, unit: Any, name: str) -> Any:
        """Return a figure of the pass, which most units of the book add up."""
        # One whose `calculate` was changed, and not what adds up, adds up the old.
        changed = overridden(unit, ("calculate", "calculate_accumulated"))
        if hasattr(unit, "calculate_accumulated") and changed != ["calculate"]:
            return unit.calculate_accumulated()
        place = 2 if name == "data_loss" else 1
        values = [(batch[0][name], batch[place]) for batch in self._batches]
        return sum(v * n for v, n in values) / sum(n for _, n in values)

    def _line(self, figures: dict[str, Any]) -> str:
        return (
            f"{_accuracy(figures)}loss: {figures['loss']:.3f} "
            f"(data_loss: {figures['data_loss']:.3f}, "
            f"reg_loss: {figures['regularization_loss']:.3f}), "
            f"lr: {self._rate}"
        )

    def _data(self, X: Any, y: Any) -> tuple[Array, Array]:
        X, y = self._array(X, "X"), self._array(y, "y")
        check_length(y, "y", X.shape[0])
        return X, y

    def _array(self, values: Any, name: str) -> Array:
        """Return an array where the model computes, in the precision it came in."""
        be = self.model.backend
        found = moved(be, values if library_of(values) else be.asarray(values))
        check_extent(found, name)
        return found


def _batches(batch_size: int | None, *arrays: Array) -> list[tuple[Array, ...]]:
    """Return the rows of some arrays, batch by batch."""
    size = check_batch_size(batch_size)
    return [
        tuple(rows_of(array, rows) for array in arrays)
        for rows in batch_slices(arrays[0].shape[0], size)
    ]


def _losses(data_loss: Any, penalty: Any) -> dict[str, float]:
    # Added in the precision of the losses, as the book does.
    figures = {
        "loss": data_loss + penalty,
        "data_loss": data_loss,
        "regularization_loss": penalty,
    }
    return {name: float(value) for name, value in figures.items()}


def _accuracy(figures: dict[str, Any]) -> str:
    return f"acc: {figures['accuracy']:.3f}, " if "accuracy" in figures else ""


def _count(loss: Any, output: Array) -> Any:
    """Return what the last batch counts in the mean of a pass."""
    last = getattr(loss, "_last", None)
    if last is None or overridden(loss, ("forward", "calculate")):
        return output.shape[0]
    be, losses, y, weights, _ = last
    return loss.factors(be, tuple(losses.shape), y, weights)[0]


def _number(value: Any) -> Any:
    """Return a figure as Python number."""
    return to_numpy(value).tolist()
