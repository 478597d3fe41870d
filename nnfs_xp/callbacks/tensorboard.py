"""Write a training for TensorBoard, by the package tensorboardX."""

from __future__ import annotations

import math
import os
from typing import Any

from nnfs_xp.arguments import check_flag
from nnfs_xp.backends import to_numpy
from nnfs_xp.callbacks.base import Callback
from nnfs_xp.errors import InputError
from nnfs_xp.io.atomic import checked_path

_VALIDATION = "validation_"
# Entries of a record that describe time, and are not drawn as curves.
_NO_CURVES = {"epoch", "seconds"}


class TensorBoard(Callback):
    """Write the figures of each epoch as TensorBoard curves.

    The training and validation curves of a figure have a common prefix, such as
    ``loss/training`` and ``loss/validation``, so TensorBoard shows them together.
    ``tensorboard --logdir DIRECTORY`` shows the curves during training.

    This callback requires the package tensorboardX, which writes the files:
    ``pip install 'nnfs-xp[tensorboard]'``. A resumed run continues the curves.

    Parameters
    ----------
    directory : path
        Directory of the files, which is created if it does not exist. Each run should
        have its own directory.
    histograms : bool, default False
        Whether to also write histograms of the finite values of all parameters after
        each epoch.

    Raises
    ------
    InputError
        If an argument does not fit, or tensorboardX is not installed.

    Examples
    --------
    >>> import os, tempfile
    >>> from nnfs_xp import Dense, Model, Softmax, TensorBoard
    >>> model = Model(
    ...     [Dense(2, 2), Softmax()], loss="categorical_crossentropy", optimizer="adam"
    ... )
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     board = TensorBoard(directory + "/first")
    ...     _ = model.fit([[0, 1], [1, 0]], [0, 1], epochs=2, callbacks=board)
    ...     [name.split(".")[0] for name in os.listdir(directory + "/first")]
    ['events']
    """

    on_every_rank = False

    def __init__(
        self, directory: str | os.PathLike[str], *, histograms: bool = False
    ) -> None:
        self.directory = checked_path(directory, "directory")
        self.histograms = check_flag(histograms, "histograms")
        self._writer: Any = None
        try:
            import tensorboardX
        except ImportError as error:
            raise InputError(
                "TensorBoard needs the package tensorboardX: pip install "
                f"'nnfs-xp[tensorboard]' ({error})"
            ) from error
        self._new_writer = tensorboardX.SummaryWriter

    def on_fit_begin(self, model: Any, epochs: int, batches: int) -> None:
        """Remember the model."""
        self._model = model

    def on_epoch_begin(self, epoch: int) -> None:
        """Open the file before the first epoch."""
        if self._writer is None:
            # Curves of epochs that are trained again are no longer shown.
            begin = epoch if epoch > 1 else None
            # Files of the same second would have the same name.
            suffix = f".{epoch:06d}"
            self._writer = self._new_writer(
                self.directory, purge_step=begin, filename_suffix=suffix
            )

    def on_epoch_end(self, record: dict[str, Any]) -> None:
        """Write the figures."""
        epoch = record["epoch"]
        for name, value in record.items():
            if isinstance(value, float) and name not in _NO_CURVES:
                self._writer.add_scalar(_curve(name, record), value, epoch)
        if self.histograms:
            for path, array in self._model.parameters.items():
                values = to_numpy(array)
                # The writer fails at an array that has no finite values.
                if (finite := values[abs(values) < math.inf]).size:
                    self._writer.add_histogram(path, finite, epoch)
        self._writer.flush()

    def on_fit_end(self) -> None:
        """Close the file."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def _curve(name: str, record: dict[str, Any]) -> str:
    """Return TensorBoard's name for a figure, with its data set after a slash."""
    if name.startswith(_VALIDATION):
        return f"{name.removeprefix(_VALIDATION)}/validation"
    return f"{name}/training" if _VALIDATION + name in record else name
