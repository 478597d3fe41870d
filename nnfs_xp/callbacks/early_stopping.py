"""End a training run when it no longer gets better."""

from __future__ import annotations

from typing import Any

from nnfs_xp.backends import Array, Backend, backend_of
from nnfs_xp.callbacks.best import Best, Patient
from nnfs_xp.errors import InputError


class EarlyStopping(Patient):
    """Stop training when a figure has not improved for over `patience` epochs.

    An epoch is an improvement if its figure is smaller (or larger, depending on `mode`)
    than the best figure so far by more than `min_delta`. NaN is not an improvement.
    With `restore_best`, an epoch that ends with parameters that are not finite is not
    an improvement either. A second call to ``fit`` starts over.

    Parameters
    ----------
    monitor : str, default "validation_loss"
        Name of the figure in the records of the history.
    patience : int, default 0
        Number of epochs without improvement that are tolerated, 0 or more. With 0,
        training stops after the first such epoch.
    min_delta : float, default 0.0
        An improvement must be larger than this; 0 or more.
    mode : {"auto", "min", "max"}, default "auto"
        Whether a smaller or a larger value is better. With ``"auto"``, smaller is
        better for names that end in ``loss`` and for metrics with
        ``lower_is_better``, and larger for all others.
    restore_best : bool, default True
        Whether to restore the parameters of the best epoch at the end of ``fit``, even
        if ``fit`` reached its last epoch or was interrupted. The state of the optimizer
        and ``epochs_trained`` are not restored.

    Attributes
    ----------
    best : float or None
        The best value of the figure, None before the first.
    best_epoch : int or None
        The epoch with the best value.
    stopped_epoch : int or None
        The epoch after which this callback stopped the training.

    Raises
    ------
    InputError
        If an argument does not fit; by ``fit``, if the run has no such figure.

    References
    ----------
    Prechelt, "Early Stopping - But When?", in "Neural Networks: Tricks of the
    Trade", 1998, on stopping by the loss on held-out data.

    Examples
    --------
    >>> from nnfs_xp import SGD, Dense, EarlyStopping, Model, Softmax
    >>> model = Model(
    ...     [Dense(1, 2), Softmax()],
    ...     loss="categorical_crossentropy",
    ...     optimizer=SGD(0.1),
    ...     backend="numpy",
    ...     dtype="float64",
    ... )
    >>> x, y = [[-2], [-1], [1], [2]], [0, 0, 1, 1]
    >>> held_out = [[-2], [-1], [0.5]], [0, 0, 0]  # the last label is wrong
    >>> stop = EarlyStopping(patience=2)
    >>> history = model.fit(
    ...     x, y, epochs=100, validation_data=held_out, callbacks=stop
    ... )
    >>> len(history) == stop.stopped_epoch == stop.best_epoch + 3
    True
    >>> model.evaluate(*held_out)["loss"] == stop.best
    True
    """

    def __init__(
        self,
        monitor: str = "validation_loss",
        *,
        patience: int = 0,
        min_delta: float = 0.0,
        mode: str = "auto",
        restore_best: bool = True,
    ) -> None:
        super().__init__(Best(monitor, mode, min_delta), patience)
        self.restore_best = restore_best
        self.stopped_epoch: int | None = None
        self._parameters: Any = None

    def on_fit_begin(self, model: Any, epochs: int, batches: int) -> None:
        """Start over."""
        super().on_fit_begin(model, epochs, batches)
        self._parameters = self.stopped_epoch = None

    def on_epoch_end(self, record: dict[str, Any]) -> None:
        """Keep the parameters of a better epoch, or stop."""
        better = self._best.update(record, self._keep)
        if not better and self._best.waited > self.patience:
            self._model.stop_training = True
            self.stopped_epoch = record["epoch"]

    def _keep(self) -> bool:
        """Keep the parameters, and return whether all of them are finite.

        An epoch's figures do not yet show its last step.
        """
        if not self.restore_best:
            return True
        parameters = self._model.get_parameters()
        arrays = [array for entry in parameters for array in entry]
        if arrays and not _are_finite(backend_of(arrays[0]), arrays):
            return False
        self._parameters = parameters
        return True

    def state_dict(self) -> dict[str, Any]:
        """Return what is known of the figure, and the best parameters."""
        arrays = {
            f"parameters.{i}.{j}": array
            for i, entry in enumerate(self._parameters or ())
            for j, array in enumerate(entry)
        }
        return {**super().state_dict(), "stopped": self.stopped_epoch, **arrays}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take that over."""
        super().load_state_dict(state)
        self.stopped_epoch = state["stopped"]
        if "parameters.0.0" in state:
            own = self._model.get_parameters()
            best = [
                tuple(state[f"parameters.{i}.{j}"] for j in range(len(entry)))
                for i, entry in enumerate(own)
            ]
            for mine, given in zip(own, best, strict=True):
                if [a.shape for a in mine] != [getattr(a, "shape", ()) for a in given]:
                    raise InputError("the best parameters are those of another model")
            self._parameters = best

    def on_fit_end(self) -> None:
        """Give the best parameters back."""
        if self._parameters is not None:
            self._model.set_parameters(self._parameters)
            self._parameters = None


def _are_finite(be: Backend, arrays: list[Array]) -> bool:
    """Return whether all numbers of arrays are finite, with a single read."""
    with be.context():
        return all(be.read([be.xp.all(be.xp.isfinite(array)) for array in arrays]))
