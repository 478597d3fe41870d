"""Classifiers and regressors: their targets, and what they predict."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from nnfs_xp.backends import Array, Backend, to_numpy
from nnfs_xp.errors import InputError
from nnfs_xp.model import Model
from nnfs_xp.sklearn.base import ModelEstimator
from nnfs_xp.sklearn.places import place_of
from nnfs_xp.special import log_softmax, sigmoid


@dataclasses.dataclass(eq=False, repr=False, kw_only=True)
class Classifier(ClassifierMixin, ModelEstimator):
    """An estimator of classes, or of several labels for each sample."""

    class_weight: Any = None

    # Whether a model can be built that gives a probability to each of several labels.
    _several_labels: ClassVar[bool] = False

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train a new model; with ``warm_start``, continue with the current one.

        Parameters
        ----------
        X : array-like, shape (n, features)
            Samples.
        y : array-like, shape (n,)
            Classes, as numbers or as strings.
        sample_weight : array-like, shape (n,), optional
            Weight of each sample in the loss.

        Returns
        -------
        self
        """
        anew = not (self.warm_start and hasattr(self, "model_"))
        return self._train(X, y, sample_weight, anew)

    def partial_fit(
        self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None
    ) -> Self:
        """Continue the training for one epoch.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`.
        classes : array-like, optional
            All classes that will occur; needed only at the first call.

        Returns
        -------
        self
        """
        if self.class_weight == "balanced":
            raise InputError(
                "class_weight='balanced' needs all samples, and partial_fit sees only "
                "some; give the weights as a dict"
            )
        anew = not hasattr(self, "model_")
        if anew and classes is None:
            raise InputError("classes must be given at the first call of partial_fit")
        return self._train(X, y, sample_weight, anew, once=True, classes=classes)

    def predict(self, X: Any) -> Array:
        """Return the most probable class of each sample.

        Parameters
        ----------
        X : array-like, shape (n, features)

        Returns
        -------
        array, shape (n,)
            In the library of X, or of NumPy where classes are strings.
        """
        place, probabilities = self._probabilities(X, "predict")
        xp = place.xp
        if self._is_multilabel:
            return xp.astype(probabilities > 0.5, xp.int64)
        codes = xp.argmax(probabilities, axis=-1)
        if isinstance(self.classes_, np.ndarray):
            return self.classes_[to_numpy(codes)]
        return xp.take(self.classes_, codes, axis=0)

    def predict_proba(self, X: Any) -> Array:
        """Return the probability of each class.

        Parameters
        ----------
        X : array-like, shape (n, features)

        Returns
        -------
        array, shape (n, classes)
            In the library of X, in the order of ``classes_``.
        """
        return self._probabilities(X, "predict_proba")[1]

    def predict_log_proba(self, X: Any) -> Array:
        """Return the logarithm of the probability of each class.

        Parameters
        ----------
        X : array-like, shape (n, features)

        Returns
        -------
        array, shape (n, classes)
        """
        place, probabilities = self._probabilities(X, "predict_log_proba")
        with place.context():
            return place.xp.log(probabilities)

    def _probabilities(self, X: Any, method: str) -> Any:
        place, outputs = self._outputs(X, method)
        loss, xp = self.model_.loss, place.xp
        with place.context():
            if loss.target_kind == "classes":
                if loss.from_logits:
                    outputs = xp.exp(log_softmax(place, outputs))
                return place, outputs
            if loss.from_logits:
                outputs = sigmoid(place, outputs)
            if outputs.shape[-1] == 1:
                outputs = xp.concat([1 - outputs, outputs], axis=-1)
        return place, outputs

    def _read(
        self, y: Any, place: Backend, anew: bool, classes: Any
    ) -> tuple[Any, int]:
        """Return numbers of classes, or rows of 0 and 1 for several labels."""
        y = to_numpy(y)
        check_classification_targets(y)
        several = type_of_target(y) == "multilabel-indicator"
        if y.ndim > 1 and not (several and self._several_labels):
            raise InputError(
                f"y must hold one class for each sample, of shape ({y.shape[0]},), "
                f"got {y.shape}"
            )
        known = None if anew else to_numpy(self.classes_)
        if anew:
            known = np.arange(y.shape[1]) if several else np.unique(y)
            if classes is not None:
                known = np.unique(to_numpy(classes))
        assert known is not None
        if (
            not anew
            and classes is not None
            and not np.array_equal(np.unique(classes), known)
        ):
            raise InputError(
                f"classes must be those of the first call, {known}, got {classes}"
            )
        if several:
            targets = y
        else:
            found = np.unique(y)
            if not np.isin(found, known).all():
                raise InputError(f"y must hold the classes {known}, got {found}")
            targets = np.searchsorted(known, y)
        if known.shape[0] < 2:
            raise InputError(f"y must hold at least 2 classes, got one class: {known}")
        if anew:
            self._is_multilabel = several
            # Strings are NumPy's, wherever X is.
            numbers = known.dtype.kind in "biuf" and place.name != "numpy"
            self.classes_: Array = place.asarray(known) if numbers else known
        return targets, known.shape[0]

    def _weights(self, sample_weight: Any, targets: Any) -> Any:
        """Return the weights of samples, times those of their classes."""
        if self.class_weight is None:
            return sample_weight
        # By the names of the classes, as `class_weight` has them.
        labels = targets if self._is_multilabel else to_numpy(self.classes_)[targets]
        weight = compute_sample_weight(self.class_weight, labels)
        if not (np.isfinite(weight).all() and weight.min() >= 0 and weight.any()):
            raise InputError(
                "class_weight must hold finite numbers of 0 or more, not all of them "
                f"0, got {self.class_weight!r}"
            )
        return weight if sample_weight is None else weight * sample_weight

    def _for_loss(self, targets: Any, model: Model) -> Any:
        kind = getattr(model.loss, "target_kind", None)
        if kind not in ("classes", "probabilities"):
            raise InputError(f"a classifier needs a loss of classes, got {model.loss}")
        n_classes = self.classes_.shape[0]
        wanted = {n_classes, 1} if kind == "probabilities" else {n_classes}
        if n_classes > 2 or self._is_multilabel:
            wanted -= {1}
        if model.n_outputs not in wanted:
            raise InputError(
                f"the model must have {n_classes} outputs, one for each class, got "
                f"{model.n_outputs}"
            )
        if kind == "classes" or self._is_multilabel:
            return targets
        if model.n_outputs == 1:
            return targets[:, None]
        return np.eye(n_classes)[targets]

    def __sklearn_tags__(self) -> Any:
        """Say whether there may be several labels for each sample."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = self._several_labels
        return tags


@dataclasses.dataclass(eq=False, repr=False, kw_only=True)
class Regressor(RegressorMixin, ModelEstimator):
    """An estimator of numbers, one or several for each sample."""

    _values: ClassVar[bool] = True

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train a new model; with ``warm_start``, continue with the current one.

        Parameters
        ----------
        X : array-like, shape (n, features)
            Samples.
        y : array-like, shape (n,) or (n, outputs)
            Numbers.
        sample_weight : array-like, shape (n,), optional
            Weight of each sample in the loss.

        Returns
        -------
        self
        """
        anew = not (self.warm_start and hasattr(self, "model_"))
        return self._train(X, y, sample_weight, anew)

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Continue the training for one epoch.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`.

        Returns
        -------
        self
        """
        anew = not hasattr(self, "model_")
        return self._train(X, y, sample_weight, anew, once=True)

    def predict(self, X: Any) -> Array:
        """Return the numbers for each sample.

        Parameters
        ----------
        X : array-like, shape (n, features)

        Returns
        -------
        array, shape (n,) or (n, outputs)
            As `y` of `fit`, in the library of X.
        """
        place, outputs = self._outputs(X, "predict")
        return place.xp.reshape(outputs, (-1,)) if self._is_flat else outputs

    def _read(
        self, y: Any, place: Backend, anew: bool, classes: Any
    ) -> tuple[Any, int]:
        n_outputs = 1 if y.ndim == 1 else y.shape[1]
        if not anew and n_outputs != self.n_outputs_:
            raise InputError(
                f"y must have {self.n_outputs_} outputs as before, got {n_outputs}"
            )
        self._is_flat = y.ndim == 1
        return y, n_outputs

    def _for_loss(self, targets: Any, model: Model) -> Any:
        if getattr(model.loss, "target_kind", None) != "values":
            raise InputError(f"a regressor needs a loss of numbers, got {model.loss}")
        if targets.ndim == 2:
            return targets
        return place_of(targets).xp.reshape(targets, (-1, 1))

    def __sklearn_tags__(self) -> Any:
        """Say that there may be several numbers for each sample."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
