"""Save the model while it is trained."""

from __future__ import annotations

import collections
import contextlib
import math
import os
import string
from pathlib import Path
from typing import Any

from nnfs_xp.arguments import check_count
from nnfs_xp.callbacks.base import Callback
from nnfs_xp.callbacks.best import Best
from nnfs_xp.errors import DivergenceError, InputError
from nnfs_xp.io.atomic import check_writable
from nnfs_xp.io.checkpoint import config_text


class Checkpoint(Callback):
    """Save the model every few epochs, or whenever a figure improves.

    Each file is written atomically, as by ``Model.save``, and training can continue
    from it after ``Model.load``. A model whose parameters are not finite is not saved.

    Parameters
    ----------
    path : path
        Path of the file. The name may contain ``str.format`` fields with the names used
        in the records of the history:
        ``"run-{epoch:03d}-{validation_loss:.4f}.safetensors"``. Without fields, each
        file replaces the previous file. The directory must exist.
    monitor : str, optional
        The figure that must improve. The first epoch of a ``fit`` counts as an
        improvement, unless the figure is NaN.
    mode : {"auto", "min", "max"}, default "auto"
        Whether a smaller or a larger value is better. With ``"auto"``, smaller is
        better for names that end in ``loss`` and for metrics with
        ``lower_is_better``, and larger for all others.
    every : int, default 1
        Save after each epoch whose number is a multiple of this. This argument cannot
        be combined with `monitor`.

    Attributes
    ----------
    saved : Path or None
        The last file that was written.

    Raises
    ------
    InputError
        If an argument does not fit; by ``fit``, if the run has no such figure, or a
        unit cannot be saved.
    OSError
        By ``fit``, before any training, if a file as large as the model cannot be
        written there.

    Examples
    --------
    >>> import tempfile
    >>> from nnfs_xp import Checkpoint, Dense, Model, Softmax
    >>> model = Model(
    ...     [Dense(2, 2), Softmax()], loss="categorical_crossentropy", optimizer="sgd"
    ... )
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     keep = Checkpoint(directory + "/epoch-{epoch}.safetensors", every=2)
    ...     history = model.fit([[0, 1], [1, 0]], [0, 1], epochs=5, callbacks=keep)
    ...     keep.saved.name, Model.load(keep.saved).epochs_trained
    ('epoch-4.safetensors', 4)
    """

    on_every_rank = False

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        monitor: str | None = None,
        mode: str = "auto",
        every: int = 1,
    ) -> None:
        self.directory, self._name = os.path.split(_checked_path(path))
        # Without a monitor the loss stands in, so that the mode is checked.
        self._best = Best("loss" if monitor is None else monitor, mode)
        self.monitor = monitor
        self.every = check_count(every, "every")
        if monitor is not None and self.every != 1:
            raise InputError(f"every must be 1 with a monitor, got {every!r}")
        self.saved: Path | None = None

    def on_fit_begin(self, model: Any, epochs: int, batches: int) -> None:
        """Start over, if there is a directory to write to."""
        # A model that cannot be saved is found before anything is trained.
        config_text(model.config())
        check_writable(Path(self.directory, _sample_of(self._name)), size_of(model))
        self._model = model
        self._best.restart(model.metrics)
        self.saved = None

    def on_epoch_end(self, record: dict[str, Any]) -> None:
        """Save the model, if it is time to."""
        # The name is made even if nothing is saved, so that a bad name fails in the
        # first epoch.
        path = Path(self.directory, self._file_name(record))
        better = self.monitor is None or self._best.update(record)
        if better and record["epoch"] % self.every == 0:
            # A model that has diverged does not replace a good one.
            with contextlib.suppress(DivergenceError):
                self._model.save(path)
                self.saved = path

    def state_dict(self) -> dict[str, Any]:
        """Return what is known of the figure, and the last file."""
        saved = None if self.saved is None else os.fspath(self.saved)
        return {"best": self._best.known, "saved": saved}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take that over."""
        self._best.known = state["best"]
        self.saved = None if state["saved"] is None else Path(state["saved"])

    def _file_name(self, record: dict[str, Any]) -> str:
        try:
            return self._name.format_map(record)
        except KeyError as error:
            raise InputError(
                f"path must have fields of {sorted(record)} only, got {self._name!r}"
            ) from error


def _checked_path(path: Any) -> str:
    """Return a path as text, if the fields in the name of its file can be filled."""
    wanted = "path must be that of a file, with fields such as {epoch} in its name"
    try:
        text = os.fspath(path)
        name = os.path.basename(text)
        fields = [field for _, field, _, _ in string.Formatter().parse(name)]
        _sample_of(name)
    except (TypeError, ValueError, LookupError, AttributeError) as error:
        raise InputError(f"{wanted}, got {path!r}: {error}") from error
    # A figure has no attributes or entries to ask for.
    wrong = any(set(field or "") & set(".[") for field in fields)
    if not name or wrong or "\0" in text:
        raise InputError(f"{wanted}, got {path!r}")
    return text


def _sample_of(name: str) -> str:
    """Return the name of a file for a possible epoch."""
    # An epoch is an integer, and a figure is not.
    return name.format_map(collections.defaultdict[str, float](float, {"epoch": 1}))


def size_of(model: Any) -> int:
    """Return the approximate size of a model's file in bytes, with its optimizer.

    Examples
    --------
    >>> from nnfs_xp import Dense, Model
    >>> from nnfs_xp.callbacks.checkpoint import size_of
    >>> size_of(Model([Dense(3, 2)], dtype="float64"))
    64
    """
    arrays = (*model.parameters.values(), *model.buffers.values())
    kept = () if model.optimizer is None else model.optimizer.kept()
    size = 4 if model.backend.dtype_name == "float32" else 8
    return (1 + len(kept)) * size * sum(math.prod(a.shape) for a in arrays)
