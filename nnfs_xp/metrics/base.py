"""The shell around a metric's pure functions.

An author writes ``empty``, ``batch`` and ``compute``, and ``combine`` if sums are not
enough. A batch is reduced to a few statistics of fixed shape, such as two counts. Those
of many batches are combined on the device, and the metric is computed from them once,
at the end. It is therefore the same for any mix of batch sizes, unlike a mean of means,
and no batch has to be waited for.
"""

from __future__ import annotations

import inspect
from typing import Any, ClassVar

from nnfs_xp.backends import Array, Backend
from nnfs_xp.checks import check_pair, check_sample_weight, check_settings
from nnfs_xp.errors import BackendMismatchError, InputError
from nnfs_xp.metrics.counts import as_counts, as_weights
from nnfs_xp.placement import asked_backend, backend_for
from nnfs_xp.unit import Unit

Statistics = dict[str, Any]


class Metric(Unit):
    """Base of all metrics.

    Parameters
    ----------
    name : str, optional
        Key of the metric in a `History` and in the result of `Model.evaluate`; by
        default, the attribute of the class.
    backend, device, dtype : optional
        Backend, device and dtype of a metric used on its own; see
        `nnfs_xp.get_backend`. If none is given, those of the predictions are used.

    Attributes
    ----------
    name : str
        Key of the metric.
    target_kind : str
        The targets that the metric accepts: ``"classes"``, ``"probabilities"`` or
        ``"values"``.
    ranks_only : bool
        Whether only the order of the scores in a row matters, so that logits and their
        softmax give the same result.
    lower_is_better : bool
        Whether lower values are better, as those of an error. Callbacks with
        ``mode="auto"`` look at it.

    Examples
    --------
    >>> from nnfs_xp import Metric
    >>> class LargestError(Metric):
    ...     name, target_kind = "largest_error", "values"
    ...     lower_is_better = True
    ...     def empty(self, be, outputs):
    ...         return {"largest": be.zeros(())}
    ...     def batch(self, be, y_pred, y_true):
    ...         return {"largest": be.xp.max(be.xp.abs(y_pred - y_true))}
    ...     def combine(self, be, one, other):
    ...         return {"largest": be.xp.maximum(one["largest"], other["largest"])}
    ...     def compute(self, be, statistics):
    ...         return statistics["largest"]
    >>> float(LargestError(dtype="float64").calculate([[1.0], [4.0]], [[1.5], [2.0]]))
    2.0
    """

    name: str = ""
    target_kind: str = "classes"
    ranks_only: ClassVar[bool] = False
    lower_is_better: ClassVar[bool] = False

    # The state of `update` so far: statistics, shape of a prediction, backend.
    _total: Statistics | None
    _outputs: tuple[int, ...]
    _total_backend: Backend | None
    _weighted: bool

    def __init__(
        self,
        *,
        name: str | None = None,
        backend: str | Backend | None = None,
        device: Any = None,
        dtype: str | None = None,
    ) -> None:
        if name is not None:
            if not isinstance(name, str) or not name:
                raise InputError(f"name must be a non-empty string, got {name!r}")
            self.name = name
        self._backend = asked_backend(backend, device, dtype)
        self.reset()

    # The pure functions, written by the author of a metric.

    def empty(self, be: Backend, outputs: tuple[int, ...]) -> Statistics:
        """Return the statistics of no samples.

        `outputs` is the shape of one prediction, without the sample axis: ``(10,)`` for
        ten classes.
        """
        raise NotImplementedError

    def batch(
        self, be: Backend, y_pred: Array, y_true: Array, weight: Array | None = None
    ) -> Statistics:
        """Return the statistics of one batch.

        Counts are int32, or Python numbers if they follow from shapes. With sample
        weights, they are sums of weights, as floats. A metric that takes no weights
        omits the argument, and raises an error if weights are given.
        """
        raise NotImplementedError

    def combine(self, be: Backend, total: Statistics, batch: Statistics) -> Statistics:
        """Return the combined statistics of two sets of samples: their sums."""
        return {key: value + batch[key] for key, value in total.items()}

    def compute(self, be: Backend, statistics: Statistics) -> Array:
        """Return the metric: counts in int32, everything else in the dtype of `be`."""
        raise NotImplementedError

    # Properties of a metric.

    @property
    def combines_by_sums(self) -> bool:
        """Whether statistics are combined by adding them up."""
        return type(self).combine is Metric.combine

    def check_weighted(self) -> None:
        """Raise InputError if `batch` takes no sample weights."""
        if "weight" not in inspect.signature(self.batch).parameters:
            raise InputError(
                f"metrics: {self!r} takes no sample_weight; its batch must be "
                "batch(be, y_pred, y_true, weight=None)"
            )

    @property
    def needs_all_targets(self) -> bool:
        """Whether `prepare` must see the targets of the whole training data."""
        return type(self).prepare is not Metric.prepare

    def prepare(self, be: Backend, y: Array) -> bool:
        """Compute what the metric needs from the targets of the whole training data.

        `Model.fit` calls it before the first step. It returns whether anything has
        changed, which requires compiled steps to be compiled again.
        """
        return False

    def takes(self, target_kind: str) -> bool:
        """Return whether targets of this kind, as named by losses, can be measured."""
        return target_kind == self.target_kind

    def check_outputs(self, outputs: tuple[int, ...]) -> None:
        """Raise InputError if predictions of this shape cannot be measured."""

    def check_data(self, be: Backend, y_pred: Any, y_true: Any) -> tuple[Array, Array]:
        """Return predictions and targets as `batch` takes them, or raise."""
        return check_pair(be, y_pred, y_true, self.target_kind)

    # The shell.

    def calculate(
        self, y_pred: Any, y_true: Any, *, sample_weight: Any = None
    ) -> Array:
        """Return the metric of one batch, independent of calls of `update`.

        Parameters
        ----------
        y_pred : array or array_like
            Predictions, one row per sample.
        y_true : array or array_like
            Targets, in the form that the metric describes.
        sample_weight : array or array_like, shape (n,), optional
            The weight of each sample, 0 or more.

        Returns
        -------
        array
            0-d, unless the metric says otherwise.
        """
        be = backend_for(self._backend, y_pred)
        with be.context():
            predictions, *others = self._checked(be, y_pred, y_true, sample_weight)
            self.check_outputs(tuple(predictions.shape[1:]))
            self.prepare(be, others[0])
            batch = as_counts(be, self.batch(be, predictions, *others))
            return self.compute(be, batch)

    def update(self, y_pred: Any, y_true: Any, *, sample_weight: Any = None) -> None:
        """Add a batch, which may be of any size; arguments as in `calculate`.

        The statistics stay on the device. Only the check of the targets waits
        for it; `batch` and `combine` read nothing back.

        Raises
        ------
        InputError
            If the batch is invalid, or does not match earlier batches. The statistics
            are then unchanged.
        """
        be = backend_for(self._backend, y_pred)
        with be.context():
            predictions, *others = self._checked(be, y_pred, y_true, sample_weight)
            outputs = tuple(predictions.shape[1:])
            if self._total is None:
                self.check_outputs(outputs)
                total = self.empty(be, outputs)
            else:
                self._check_same(be, outputs)
                total = self._total
            batch = self.batch(be, predictions, *others)
            weighted = self._weighted or sample_weight is not None
            if weighted:
                total, batch = as_weights(be, total), as_weights(be, batch)
            total = self.combine(be, total, batch)
        self._total, self._outputs, self._total_backend = total, outputs, be
        self._weighted = weighted

    def result(self) -> Array:
        """Return the metric of all batches since it was created or reset."""
        if self._total is None or self._total_backend is None:
            raise InputError(f"{self.name}: result needs an update first")
        with self._total_backend.context():
            return self.compute(self._total_backend, self._total)

    def reset(self) -> None:
        """Forget all batches."""
        self._total, self._outputs, self._total_backend = None, (), None
        self._weighted = False

    def _checked(self, be: Backend, y_pred: Any, y_true: Any, weight: Any) -> list[Any]:
        """Return the arguments of `batch`: predictions, targets, weights if given."""
        check_settings(be, self)
        checked = list(self.check_data(be, y_pred, y_true))
        if weight is not None:
            self.check_weighted()
            shape = tuple(checked[0].shape)
            # A sample may have scores of classes at several positions.
            positions = shape[:-1] if self.target_kind == "classes" else shape[:1]
            shape = positions or shape
            checked.append(check_sample_weight(be, weight, "sample_weight", shape))
        return checked

    def _check_same(self, be: Backend, outputs: tuple[int, ...]) -> None:
        """Raise if a batch cannot be added to earlier ones."""
        if be != self._total_backend:
            raise BackendMismatchError(
                f"y_pred is on {be}, and earlier batches on {self._total_backend}; "
                "call reset first"
            )
        if outputs != self._outputs:
            raise InputError(
                f"y_pred must have shape (samples, *{self._outputs}) as in earlier "
                f"batches, got (samples, *{outputs}); call reset first"
            )
