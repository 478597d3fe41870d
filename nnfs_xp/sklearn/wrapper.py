"""Estimators made from a function that builds any model."""

from __future__ import annotations

import dataclasses
import inspect
from typing import Any, Self

from nnfs_xp.backends import Backend
from nnfs_xp.errors import InputError
from nnfs_xp.model import Model
from nnfs_xp.sklearn.base import ModelEstimator
from nnfs_xp.sklearn.kinds import Classifier, Regressor

_PREFIX = "arguments__"


@dataclasses.dataclass(eq=False, repr=False, kw_only=True)
class Wrapper(ModelEstimator):
    """An estimator whose model a function builds."""

    build: Any = dataclasses.field(default=None, kw_only=False)
    arguments: dict[str, Any] | None = None

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return all parameters, with `arguments` also one by one if `deep`.

        Parameters
        ----------
        deep : bool, default True

        Returns
        -------
        dict
        """
        found = super().get_params(deep)
        if deep and isinstance(self.arguments, dict):
            found |= {f"{_PREFIX}{key}": value for key, value in self.arguments.items()}
        return found

    def set_params(self, **params: Any) -> Self:
        """Set parameters; ``arguments__width=32`` sets one of the arguments.

        Parameters
        ----------
        **params

        Returns
        -------
        self
        """
        inner = {
            name.removeprefix(_PREFIX): params.pop(name)
            for name in list(params)
            if name.startswith(_PREFIX)
        }
        super().set_params(**params)
        if inner:
            self.arguments = {**(self.arguments or {}), **inner}
        return self

    def _built(
        self, n_inputs: int, n_outputs: int, seed: int | None, place: Backend, x: Any,
        batch: float,
    ) -> Model:  # fmt: skip
        """Call the function."""
        if not callable(self.build):
            raise InputError(
                f"build must be a function that returns a Model, got {self.build!r}"
            )
        if not isinstance(self.arguments, dict | None):
            raise InputError(f"arguments must be a dict, got {self.arguments!r}")
        arguments = dict(self.arguments or {})
        if seed is not None:
            if not _takes(self.build, "seed"):
                raise InputError(
                    "random_state needs a function build that takes a seed, and hands "
                    f"it to the Model: {self.build!r} takes none"
                )
            arguments.setdefault("seed", seed)
        model = self.build(n_inputs, n_outputs, **arguments)
        if not isinstance(model, Model):
            raise InputError(f"build must return a Model, got {model!r}")
        asked, device, dtype = self.backend, self.device, self.dtype
        if asked is None and place.name != "numpy":
            asked, device = place.name, place.device if device is None else device
        if any(given is not None for given in (asked, device, dtype)):
            dtype = model.backend.dtype_name if dtype is None else dtype
            asked = model.backend.name if asked is None else asked
            model.to(asked, device=device, dtype=dtype)
        return model


def _takes(function: Any, name: str) -> bool:
    """Return whether a function can be given an argument by this name."""
    parameters = inspect.signature(function).parameters.values()
    return any(p.name == name or p.kind is p.VAR_KEYWORD for p in parameters)


@dataclasses.dataclass(eq=False, repr=False, kw_only=True)
class ModelClassifier(Classifier, Wrapper):
    """Any classification model, as a scikit-learn estimator.

    Parameters
    ----------
    build : callable
        ``build(n_inputs, n_outputs, **arguments)`` returns a new `nnfs_xp.Model` with
        loss and optimizer, where `n_outputs` is the number of classes. For two classes
        and a `nnfs_xp.BinaryCrossEntropy` the model may have one output. A module-level
        function can be pickled, which a search with several processes requires.
    arguments : dict, optional
        Keyword arguments of `build`. A search sets one of them as ``arguments__width``.
    random_state : int, RandomState or None, default None
        If given, a seed drawn from it is handed to `build` as ``seed``.
    backend, device, dtype : optional
        Where the model is moved after it is built. By default it stays where `build`
        put it, or moves to where X is if scikit-learn dispatches arrays.
    batch_size, max_iter, shuffle, tol, n_iter_no_change : optional
        See `MLPClassifier`.
    early_stopping, validation_fraction, warm_start, verbose : optional
        See `MLPClassifier`.
    callbacks, class_weight : optional
        See `MLPClassifier`.
    compile : {"auto"}
        Not used: `build` says how the model is compiled.

    Raises
    ------
    InputError
        By ``fit``, if a parameter, the model or the data does not fit.

    Examples
    --------
    >>> import nnfs_xp as nx
    >>> from nnfs_xp.sklearn import ModelClassifier
    >>> from sklearn.datasets import load_iris
    >>> def build(n_inputs, n_outputs, width=16, seed=0):
    ...     return nx.Model(
    ...         [nx.BatchNorm(n_inputs), nx.Dense(n_inputs, width), nx.ReLU(),
    ...          nx.Dense(width, n_outputs), nx.Softmax()],
    ...         loss="categorical_crossentropy", optimizer=nx.Adam(0.02), seed=seed,
    ...     )
    >>> X, y = load_iris(return_X_y=True)
    >>> estimator = ModelClassifier(
    ...     build, arguments={"width": 32}, max_iter=50, tol=None
    ... )
    >>> estimator.fit(X, y).score(X, y) > 0.95
    True
    """


@dataclasses.dataclass(eq=False, repr=False, kw_only=True)
class ModelRegressor(Regressor, Wrapper):
    """Any regression model, as a scikit-learn estimator.

    It has the parameters and attributes of `ModelClassifier`, except `class_weight` and
    `classes_`. The loss must be one of numbers, such as `nnfs_xp.MeanSquaredError`.

    Parameters
    ----------
    build : callable
        ``build(n_inputs, n_outputs, **arguments)`` returns a new `nnfs_xp.Model`.
    arguments, random_state, backend, device, dtype : optional
        See `ModelClassifier`.
    batch_size, max_iter, shuffle, tol, n_iter_no_change : optional
        See `MLPClassifier`.
    early_stopping, validation_fraction, warm_start, verbose : optional
        See `MLPClassifier`.
    callbacks, compile : optional
        See `ModelClassifier`.

    Raises
    ------
    InputError
        By ``fit``, if a parameter, the model or the data does not fit.

    Examples
    --------
    >>> import nnfs_xp as nx
    >>> from nnfs_xp.sklearn import ModelRegressor
    >>> def build(n_inputs, n_outputs):
    ...     return nx.Model(
    ...         [nx.Dense(n_inputs, n_outputs)],
    ...         loss="mean_squared_error", optimizer=nx.SGD(0.1),
    ...     )
    >>> estimator = ModelRegressor(build, max_iter=100, tol=None)
    >>> float(estimator.fit([[0.0], [1.0]], [1.0, 3.0]).predict([[2.0]])[0].round(1))
    5.0
    """
