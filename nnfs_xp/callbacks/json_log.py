"""A file with one line of JSON for each epoch."""

from __future__ import annotations

import datetime
import json
import os
from typing import Any

from nnfs_xp.callbacks.base import Callback
from nnfs_xp.errors import InputError


class JSONLog(Callback):
    """Write the record of each epoch to a file, as one JSON object on a line.

    A line holds ``time``, the end of the epoch in UTC as ISO 8601 writes it,
    and then the record as it enters the history. Each is handed to the
    operating system at once, so a process that is killed leaves the lines of
    all epochs that ended. NaN and infinity, for which JSON has no word, become
    ``null``.

    Parameters
    ----------
    path : path
        The file. Its directory must exist.
    append : bool, default True
        Whether lines go behind those that the file has. If not, each ``fit``
        begins with an empty file.

    Raises
    ------
    InputError
        If `path` is no path.
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

    def __init__(self, path: str | os.PathLike[str], *, append: bool = True) -> None:
        try:
            self.path = os.fspath(path)
        except TypeError as error:
            raise InputError(f"path must be a path, got {path!r}") from error
        self.append = append

    def on_fit_begin(self, model: Any, epochs: int, batches: int) -> None:
        """Try to write to the file, and end its last line if it has no end."""
        with open(self.path, "ab+" if self.append else "wb") as file:
            if self.append and file.tell() > 0:
                file.seek(-1, os.SEEK_END)
                if file.read() != b"\n":
                    file.write(b"\n")

    def on_epoch_end(self, record: dict[str, Any]) -> None:
        """Write a line."""
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
        line = json_text({"time": now, **record})
        # Closing hands it to the operating system, which a killed process
        # would no longer do.
        with open(self.path, "ab") as file:
            file.write(line.encode() + b"\n")


def json_text(value: Any, indent: int | None = None) -> str:
    """Return JSON by the letter: NaN and infinity become null."""
    finite = json.loads(json.dumps(value), parse_constant=lambda word: None)
    return json.dumps(finite, indent=indent)
