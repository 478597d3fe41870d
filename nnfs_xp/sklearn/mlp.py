"""Multilayer perceptrons with the parameters of scikit-learn's."""

from __future__ import annotations

import copy
import dataclasses
from typing import Any, ClassVar

from nnfs_xp.activations import Sigmoid, Softmax
from nnfs_xp.arguments import check_count, check_rate, check_share
from nnfs_xp.backends import Array, Backend
from nnfs_xp.layers import Dense, Dropout, Layer
from nnfs_xp.model import Model
from nnfs_xp.optimizers import SGD, Optimizer
from nnfs_xp.registry import find, resolve, resolve_activation
from nnfs_xp.regularizers import L2
from nnfs_xp.schedules.base import check_learning_rate
from nnfs_xp.sklearn.base import ModelEstimator
from nnfs_xp.sklearn.kinds import Classifier, Regressor

# scikit-learn's names for them.
_ACTIVATIONS = {"identity": "linear", "logistic": "sigmoid"}


@dataclasses.dataclass(eq=False, repr=False, kw_only=True)
class MLP(ModelEstimator):
    """Dense layers, each but the last with an activation."""

    hidden_layer_sizes: Any = dataclasses.field(default=(100,), kw_only=False)
    activation: Any = "relu"
    solver: Any = "adam"
    alpha: float = 1e-4
    learning_rate_init: Any = 1e-3
    dropout: float = 0.0

    def _end(self) -> tuple[list[Layer], Any]:
        """Return the activation after the last dense layer, or none, and the loss."""
        raise NotImplementedError

    def _check_parameters(self) -> None:
        super()._check_parameters()
        check_rate(self.alpha, "alpha")
        check_share(self.dropout, "dropout")
        check_learning_rate(self.learning_rate_init, "learning_rate_init")
        # Each of them checks its own settings when it is made.
        self._hidden_sizes(), self._activation(), self._optimizer()

    def _built(
        self, n_inputs: int, n_outputs: int, seed: int | None, place: Backend, x: Any,
        batch: float,
    ) -> Model:  # fmt: skip
        """Return a new network."""
        # scikit-learn adds alpha / 2 sum w^2 to the sum of the losses of a batch.
        penalty = L2(self.alpha / 2 / batch) if self.alpha else None
        layers: list[Layer] = []
        for size in self._hidden_sizes():
            layers += [Dense(n_inputs, size, weight_regularizer=penalty)]
            layers += [self._activation()]
            layers += [Dropout(self.dropout)] if self.dropout else []
            n_inputs = size
        last, loss = self._end()
        backend: Any = self.backend
        if backend is None and place.name != "numpy":
            backend = place
        return Model(
            [*layers, Dense(n_inputs, n_outputs, weight_regularizer=penalty), *last],
            loss=loss,
            optimizer=self._optimizer(),
            metrics=None,
            backend=backend,
            device=self.device,
            dtype=str(x.dtype).rpartition(".")[2] if self.dtype is None else self.dtype,
            seed=seed,
            compile=self.compile,
        )

    def _hidden_sizes(self) -> list[int]:
        sizes = self.hidden_layer_sizes
        sizes = sizes if hasattr(sizes, "__iter__") else [sizes]
        return [check_count(size, "hidden_layer_sizes") for size in sizes]

    def _activation(self) -> Layer:
        given = self.activation
        if isinstance(given, str):
            given = _ACTIVATIONS.get(given, given)
        # Each layer has its own, and the parameter stays as it is.
        return copy.deepcopy(resolve_activation(given, "activation", Layer))

    def _optimizer(self) -> Optimizer:
        if not isinstance(self.solver, str):
            return copy.deepcopy(resolve("optimizer", self.solver, "solver", Optimizer))
        unit_class = find("optimizer", self.solver, "solver")
        momentum = {"momentum": 0.9, "nesterov": True} if unit_class is SGD else {}
        return unit_class(self.learning_rate_init, **momentum)

    @property
    def coefs_(self) -> list[Array]:
        """Weights of the dense layers, on the backend of the model."""
        return [layer.weights for layer in self._dense_layers()]

    @property
    def intercepts_(self) -> list[Array]:
        """Biases of the dense layers, each of shape (outputs,)."""
        xp = self.model_.backend.xp
        return [xp.reshape(layer.biases, (-1,)) for layer in self._dense_layers()]

    def _dense_layers(self) -> list[Any]:
        return [layer for layer in self.model_.layers if isinstance(layer, Dense)]


@dataclasses.dataclass(eq=False, repr=False, kw_only=True)
class MLPClassifier(Classifier, MLP):
    """Multilayer perceptron that classifies, an estimator of scikit-learn.

    Parameters with the same meaning have the same names as in
    ``sklearn.neural_network.MLPClassifier``. The network ends with a softmax, or with a
    sigmoid for each label if ``y`` has several labels per sample.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default (100,)
        Neurons of each hidden layer.
    activation : str or Layer, default "relu"
        Activation after each hidden layer: any of the library's, ``"identity"`` or
        ``"logistic"``.
    solver : str or Optimizer, default "adam"
        Any optimizer of the library. ``"sgd"`` has Nesterov's momentum of 0.9, as in
        scikit-learn; an `nnfs_xp.Optimizer` has its own settings and learning rate.
    alpha : float, default 0.0001
        Strength of the L2 penalty: ``alpha / 2 sum w^2``, divided by the number of
        samples of a batch, or by their total weight.
    learning_rate_init : float or Schedule, default 0.001
        Learning rate of a solver that is given by name.
    dropout : float, default 0.0
        Fraction of the outputs of each hidden layer to drop in training.
    batch_size : int, "auto" or None, default "auto"
        Samples for each step. ``"auto"`` is ``min(200, n)``, None is all.
    max_iter : int, default 200
        Maximum number of epochs.
    shuffle : bool, default True
        Whether each epoch has its own random order.
    random_state : int, RandomState or None, default None
        Source of initial weights, batches and dropout.
    tol : float or None, default 0.0001
        Training ends when the loss has not improved by more than `tol` for more than
        `n_iter_no_change` epochs. With None it runs for all epochs.
    n_iter_no_change : int, default 10
        See `tol`.
    early_stopping : bool, default False
        Whether `tol` applies to the loss on held-out data. The model then gets the
        parameters of its best epoch. scikit-learn looks at the score instead.
    validation_fraction : float, default 0.1
        Share of the data to hold out for `early_stopping`, stratified by classes.
    warm_start : bool, default False
        Whether `fit` continues with the existing model.
    verbose : bool, default False
        Whether to print a line for each epoch.
    callbacks : Callback or sequence of Callback, optional
        As in `nnfs_xp.Model.fit`.
    backend, device : optional
        Where the model computes; see `nnfs_xp.get_backend`. By default the model is
        where X is, if scikit-learn dispatches arrays, and otherwise on NumPy.
    dtype : {"float32", "float64"}, optional
        By default float32 if X is float32, else float64, as in scikit-learn.
    compile : {"auto", "off", "require"}, default "auto"
        As for `nnfs_xp.Model`.
    class_weight : dict, "balanced" or None, default None
        Weight of each class in the loss.

    Attributes
    ----------
    classes_ : array, shape (classes,)
    n_features_in_ : int
    feature_names_in_ : numpy.ndarray
        Only if all columns of X have names.
    n_outputs_ : int
    n_iter_ : int
        Epochs since the model was new.
    loss_curve_ : list of float
        The loss of each epoch, penalties included.
    loss_, best_loss_ : float
        The last and the lowest of them.
    best_validation_loss_ : float or None
        The lowest loss on held-out data in the last ``fit`` with `early_stopping`.
    history_ : History
        All figures of each epoch.
    coefs_, intercepts_ : list of array
        Parameters of each dense layer.
    model_ : Model
        The trained network.

    Raises
    ------
    InputError
        By ``fit``, if a parameter or the data does not fit.

    Examples
    --------
    >>> from sklearn.datasets import make_moons
    >>> from sklearn.model_selection import cross_val_score
    >>> from nnfs_xp.sklearn import MLPClassifier
    >>> X, y = make_moons(200, noise=0.1, random_state=0)
    >>> estimator = MLPClassifier((16, 16), learning_rate_init=0.02, random_state=0)
    >>> bool(cross_val_score(estimator, X, y, cv=3).mean() > 0.95)
    True
    """

    _several_labels: ClassVar[bool] = True

    def _end(self) -> tuple[list[Layer], Any]:
        """Return an activation that gives probabilities, and its cross-entropy."""
        if self._is_multilabel:
            return [Sigmoid()], "binary_cross_entropy"
        return [Softmax()], "categorical_cross_entropy"


@dataclasses.dataclass(eq=False, repr=False, kw_only=True)
class MLPRegressor(Regressor, MLP):
    """Multilayer perceptron that predicts numbers, an estimator of scikit-learn.

    Its last layer has no activation. It has the parameters and attributes of
    `MLPClassifier` without `class_weight` and `classes_`, and these:

    Parameters
    ----------
    hidden_layer_sizes, activation, solver, alpha, learning_rate_init, dropout
        See `MLPClassifier`.
    batch_size, max_iter, shuffle, random_state, tol, n_iter_no_change : optional
        See `MLPClassifier`.
    early_stopping, validation_fraction, warm_start, verbose, callbacks : optional
        See `MLPClassifier`.
    backend, device, dtype, compile : optional
        See `MLPClassifier`.
    loss : Loss or str, default "mean_squared_error"
        Any loss of numbers. The default is twice that of scikit-learn, which halves
        the squares.

    Raises
    ------
    InputError
        By ``fit``, if a parameter or the data does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from nnfs_xp.sklearn import MLPRegressor
    >>> X = np.linspace(-1, 1, 50).reshape(-1, 1)
    >>> estimator = MLPRegressor(32, learning_rate_init=0.02, random_state=0)
    >>> estimator.fit(X, X[:, 0] ** 2).predict([[0.5]]).round(1)
    array([0.3])
    """

    loss: Any = "mean_squared_error"

    def _end(self) -> tuple[list[Layer], Any]:
        """Return the loss."""
        return [], copy.deepcopy(self.loss)
