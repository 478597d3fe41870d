"""A file with one line of JSON for each epoch."""

from __future__ import annotations

import datetime
import json
import os
from typing import Any

from nnfs_xp.arguments import check_choice, check_count
from nnfs_xp.callbacks.base import Callback
from nnfs_xp.errors import InputError
from nnfs_xp.io.atomic import checked_path, errors_of


class JSONLog(Callback):
    """Write the record of each epoch to a file, as one JSON object per line.

    A line contains ``time``, the end of the epoch in UTC in ISO 8601 format, followed
    by the record as in the history. Each line is passed to the operating system
    immediately, so a process that is killed leaves the lines of all completed epochs.
    NaN and infinity, which JSON does not support, become ``null``.

    Parameters
    ----------
    path : path
        Path of the file. The directory must exist.
    append : bool, default True
        Whether to append lines to an existing file. If False, each call to ``fit``
        starts with an empty file.

    Raises
    ------
    InputError
        If `path` is not a path; by ``fit``, if another callback puts something into a
        record that JSON cannot hold. Arrays become lists.
    OSError
        By ``fit``, before any training, if the file cannot be written.

    References
    ----------
    JSON Lines, https://jsonlines.org, and RFC 8259 for each line.

    Examples
    --------
    >>> import json, tempfile
    >>> from nnfs_xp import Dense, JSONLog, Model, Softmax
    >>> model = Model(
    ...     [Dense(2, 2), Softmax()], loss="categorical_crossentropy", optimizer="sgd"
    ... )
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     log = JSONLog(directory + "/epochs.jsonl")
    ...     history = model.fit([[0, 1], [1, 0]], [0, 1], epochs=2, callbacks=log)
    ...     with open(log.path) as file:
    ...         records = [json.loads(line) for line in file]
    >>> [record["loss"] for record in records] == history["loss"]
    True
    """

    on_every_rank = False

    def __init__(self, path: str | os.PathLike[str], *, append: bool = True) -> None:
        self.path = checked_path(path, "path")
        self.append = append

    def on_fit_begin(self, model: Any, epochs: int, batches: int) -> None:
        """Try to write to the file, and end its last line if it is incomplete."""
        with errors_of(self.path), open(self.path, "ab+") as file:
            if self.append and file.tell() > 0:
                file.seek(-1, os.SEEK_END)
                if file.read() != b"\n":
                    file.write(b"\n")
        self._mode = "ab" if self.append else "wb"

    def on_epoch_end(self, record: dict[str, Any]) -> None:
        """Write a line."""
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
        line = json_text({"time": now, **record})
        # Closing hands it to the operating system; a killed process could no longer do
        # so.
        with errors_of(self.path), open(self.path, self._mode) as file:
            file.write(line.encode() + b"\n")
        self._mode = "ab"

    def state_dict(self) -> dict[str, Any]:
        """Return how much of the file there is."""
        return {"mode": self._mode, "size": os.path.getsize(self.path)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Remove lines of epochs that will be trained again."""
        size = check_count(state["size"], "size", least=0)
        self._mode = check_choice(state["mode"], "mode", ("ab", "wb"))
        if os.path.isfile(self.path) and os.path.getsize(self.path) > size:
            os.truncate(self.path, size)


def json_text(value: Any, indent: int | None = None) -> str:
    """Return strictly valid JSON: NaN and infinity become null."""
    text = json.dumps(value, default=_as_lists)
    finite = json.loads(text, parse_constant=lambda word: None)
    return json.dumps(finite, indent=indent)


def _as_lists(value: Any) -> Any:
    """Return an array as lists, and a scalar of NumPy as a number."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise InputError(f"a record must hold what JSON can, got {value!r}")
