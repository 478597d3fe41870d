"""What all estimators share: checked data, training, and outputs."""

from __future__ import annotations

import dataclasses
import warnings
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from nnfs_xp.arguments import (
    check_count,
    check_decay,
    check_flag,
    check_positive,
    check_rate,
)
from nnfs_xp.backends import Array, Backend
from nnfs_xp.callbacks import EarlyStopping, check_callbacks
from nnfs_xp.engine.batching import check_batch_size
from nnfs_xp.errors import InputError
from nnfs_xp.history import History
from nnfs_xp.model import Model
from nnfs_xp.sklearn.places import is_same_place, on_host, place_of, returned, rows

_LARGEST_SEED = 2**32 - 1


# scikit-learn reads parameters from the signature of the constructor, so each of them
# is a field, written once for all estimators.
@dataclasses.dataclass(eq=False, repr=False, kw_only=True)
class ModelEstimator(BaseEstimator):
    """An estimator around a `Model`.

    A kind of estimator defines how targets are read, and in which form the model needs
    them; a subclass for building defines the model.
    """

    batch_size: Any = "auto"
    max_iter: int = 200
    shuffle: bool = True
    random_state: Any = None
    tol: float | None = 1e-4
    n_iter_no_change: int = 10
    early_stopping: bool = False
    validation_fraction: float = 0.1
    warm_start: bool = False
    verbose: bool = False
    callbacks: Any = None
    backend: Any = None
    device: Any = None
    dtype: str | None = None
    compile: str = "auto"

    # Whether targets are numbers, not classes.
    _values: ClassVar[bool] = False

    def _read(
        self, y: Any, place: Backend, anew: bool, classes: Any
    ) -> tuple[Any, int]:
        """Return targets in one form, and how many outputs they need."""
        raise NotImplementedError

    def _for_loss(self, targets: Any, model: Model) -> Any:
        """Return targets in the form that the model's loss needs."""
        raise NotImplementedError

    def _weights(self, sample_weight: Any, targets: Any) -> Any:
        """Return the weights of samples on the host, or None."""
        return sample_weight

    def _built(
        self, n_inputs: int, n_outputs: int, seed: int | None, place: Backend, x: Any,
        batch: float,
    ) -> Model:  # fmt: skip
        """Return a new model.

        Parameters
        ----------
        n_inputs, n_outputs : int
        seed : int or None
            None if no `random_state` is given.
        place : Backend
            Where the samples are.
        x : array
            The samples.
        batch : float
            Total weight of the samples of a batch.
        """
        raise NotImplementedError

    # Training.

    def _train(
        self, X: Any, y: Any, sample_weight: Any, anew: bool, once: bool = False,
        classes: Any = None,
    ) -> Any:  # fmt: skip
        """Train a new model or continue with the current one, and return the estimator.

        If `once`, train for one epoch; otherwise until training ends.
        """
        self._check_parameters()
        place, x, y = self._checked(X, y, reset=anew)
        targets, n_outputs = self._read(y, place, anew, classes)
        weight = self._weights(_checked_weight(sample_weight, x.shape[0]), targets)
        draws = check_random_state(self.random_state)
        seed = int(draws.randint(_LARGEST_SEED, dtype=np.int64))
        size = self._batch_size(x.shape[0])
        if anew:
            total = x.shape[0] if weight is None else float(weight.sum())
            batch = total * min(size / x.shape[0], 1.0)
            asked = None if self.random_state is None else seed
            model = self._built(x.shape[1], n_outputs, asked, place, x, batch)
        else:
            model = self.model_
        data = x, self._for_loss(targets, model), weight
        held_out, stop = None, None if once else self._stop()
        if self.early_stopping and not once:
            data, held_out = self._split(place, data, targets, seed)
        history = model.fit(
            data[0],
            data[1],
            sample_weight=data[2],
            epochs=1 if once else self.max_iter,
            batch_size=size,
            shuffle=self.shuffle,
            validation_data=held_out,
            callbacks=[*check_callbacks(self.callbacks), *([stop] if stop else [])],
            verbose=self.verbose,
        )
        self.model_: Model = model
        self._fit_place = place
        self._note(history, anew)
        if stop and stop.stopped_epoch is None and len(history) == self.max_iter:
            warnings.warn(
                f"the training has not converged within {self.max_iter} epochs",
                ConvergenceWarning,
            )
        return self

    def _check_parameters(self) -> None:
        """Raise InputError if a parameter is invalid, under its name here."""
        if self.batch_size != "auto":
            check_batch_size(self.batch_size)
        check_count(self.max_iter, "max_iter")
        check_count(self.n_iter_no_change, "n_iter_no_change")
        if self.tol is not None:
            check_rate(self.tol, "tol")
        for name in ("shuffle", "early_stopping", "warm_start", "verbose"):
            check_flag(getattr(self, name), name)
        share, name = self.validation_fraction, "validation_fraction"
        check_decay(check_positive(share, name), name)

    def _checked(self, X: Any, y: Any, reset: bool) -> tuple[Backend, Any, Any]:
        """Return where X is, and X and y as scikit-learn checks them."""
        place = place_of(X)
        if y is not None and not is_same_place(place, place_of(y)):
            y = on_host(y)
        x, y = validate_data(
            self,
            X,
            y,
            reset=reset,
            multi_output=True,
            y_numeric=self._values,
            dtype=[place.xp.float64, place.xp.float32],
        )
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        return place, x, y

    def _batch_size(self, n_samples: int) -> int:
        if self.batch_size == "auto":
            return min(200, n_samples)
        return check_batch_size(self.batch_size) or n_samples

    def _stop(self) -> EarlyStopping | None:
        """Return the callback that stops training when it no longer improves."""
        if self.tol is None:
            return None
        return EarlyStopping(
            "validation_loss" if self.early_stopping else "loss",
            patience=self.n_iter_no_change,
            min_delta=self.tol,
            restore_best=self.early_stopping,
        )

    def _split(self, place: Backend, data: Any, targets: Any, seed: int) -> Any:
        """Return what to train on, and what to validate on."""
        labels = None if self._values or targets.ndim > 1 else targets
        parts = train_test_split(
            np.arange(data[0].shape[0]),
            test_size=self.validation_fraction,
            random_state=seed,
            stratify=labels,
        )
        trained, held_out = (
            tuple(rows(place, array, np.sort(numbers)) for array in data)
            for numbers in parts
        )
        return trained, held_out if held_out[2] is not None else held_out[:2]

    def _note(self, history: History, anew: bool) -> None:
        """Keep the results of training."""
        if anew or not hasattr(self, "history_"):
            self.history_ = History()
        self.history_.epochs += history.epochs
        self.loss_curve_ = self.history_["loss"]
        self.loss_, self.best_loss_ = self.loss_curve_[-1], min(self.loss_curve_)
        self.n_iter_ = len(self.loss_curve_)
        self.n_outputs_ = self.model_.n_outputs
        held_out = history.history.get("validation_loss")
        self.best_validation_loss_ = min(held_out) if held_out else None

    # Use.

    def _outputs(self, X: Any, method: str) -> tuple[Backend, Array]:
        """Return where X is, and the outputs of the model there."""
        check_is_fitted(self, "model_")
        place = place_of(X)
        x = validate_data(
            self, X, reset=False, dtype=[place.xp.float64, place.xp.float32]
        )
        if not is_same_place(place, self._fit_place):
            name = type(self).__name__
            raise InputError(
                f"inputs of {name}.{method}() must use the same namespace and device "
                f"as those of {name}.fit(): got {place}, expected {self._fit_place}"
            )
        return place, returned(self.model_.backend, self.model_.predict(x), place)

    def __sklearn_is_fitted__(self) -> bool:
        """Return whether there is a trained model."""
        return hasattr(self, "model_")

    def __sklearn_tags__(self) -> Any:
        """Declare support for Array API arrays."""
        tags = super().__sklearn_tags__()
        tags.array_api_support = True
        return tags


def _checked_weight(value: Any, n_samples: int) -> np.ndarray | None:
    """Return weights of samples on the host, or None."""
    if value is None:
        return None
    weight = check_array(
        on_host(value), dtype=[np.float64, np.float32], ensure_2d=False,
        input_name="sample_weight",
    )  # fmt: skip
    if weight.shape != (n_samples,):
        raise InputError(
            f"sample_weight must have shape ({n_samples},), got {weight.shape}"
        )
    if weight.min() < 0:
        raise InputError(
            f"sample_weight must hold numbers of 0 or more, got {weight.min()}"
        )
    if not weight.any():
        raise InputError("sample_weight must hold a number above zero, got zeros")
    return weight
