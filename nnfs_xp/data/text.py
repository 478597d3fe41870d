"""Texts that a network learns to continue: ids, and windows of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path

import numpy as np

from nnfs_xp.arguments import check_count, check_share
from nnfs_xp.data.packaged import TEXT_FILE, read_packaged
from nnfs_xp.data.vocabulary import UNITS, Vocabulary
from nnfs_xp.errors import FileFormatError, InputError

TEXT_NAME = "text"
_PACKAGED_NOTE = "Coriolanus and Richard III by William Shakespeare"


# Without eq=False the generated __eq__ would compare arrays and raise.
@dataclass(frozen=True, eq=False)
class Text:
    """A text as ids, split into a training and a test part.

    Parameters
    ----------
    name : str
        Name of the text, or path of the file it came from.
    ids_train, ids_test : numpy.ndarray
        Ids of the two parts, int32 of shape (n,).
    vocabulary : Vocabulary
        What the ids stand for.
    context : int
        Length of the windows.
    note : str
        Where the text came from.

    Examples
    --------
    >>> from nnfs_xp.data import load_text
    >>> text = load_text("text", context=64)
    >>> x, y = text.windows("train")
    >>> x.shape, y.shape, text.n_ids
    ((4458, 64), (4458, 64), 63)
    >>> text.vocabulary.decode(x[0, :14]), text.vocabulary.decode(y[0, :13])
    ('First Citizen:', 'irst Citizen:')
    """

    name: str
    ids_train: np.ndarray = field(repr=False)
    ids_test: np.ndarray = field(repr=False)
    vocabulary: Vocabulary
    context: int
    note: str

    @property
    def n_ids(self) -> int:
        """Number of ids."""
        return self.vocabulary.n_ids

    def windows(
        self, split: str, stride: int | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return windows of the text, and the id that follows each of their characters.

        Parameters
        ----------
        split : {"train", "test"}
            Which part.
        stride : int, optional
            Distance between the beginnings of consecutive windows. By default windows
            do not overlap, so each character is predicted once. A remainder at the end
            of the part is dropped.

        Returns
        -------
        x : numpy.ndarray
            Ids of shape (n, context).
        y : numpy.ndarray
            For each of them the id that comes next, of the same shape.

        Raises
        ------
        InputError
            If `split` is neither of the two, or `stride` is not a positive integer.
        """
        if split not in ("train", "test"):
            raise InputError(f"split must be 'train' or 'test', not {split!r}")
        step = self.context if stride is None else check_count(stride, "stride")
        ids = getattr(self, f"ids_{split}")
        both = np.lib.stride_tricks.sliding_window_view(ids, self.context + 1)[::step]
        return both[:, :-1].copy(), both[:, 1:].copy()


def load_text(
    name_or_path: str | PathLike[str] = TEXT_NAME,
    *,
    context: int = 64,
    by: str | None = None,
    vocabulary: Vocabulary | None = None,
    test_share: float = 0.1,
) -> Text:
    """Return the packaged text, or one of the user's own, as ids.

    Parameters
    ----------
    name_or_path : str or path, default "text"
        ``"text"`` is the packaged one, two plays by Shakespeare. Anything else is a
        file in UTF-8, with the line endings of any system.
    context : int, default 64
        Length of the windows that a network is given.
    by : {"characters", "bytes"}, optional
        The unit of text that has an id, by default that of `vocabulary`, or
        characters.
    vocabulary : Vocabulary, optional
        The vocabulary of a trained model; by default that of the text.
    test_share : float, default 0.1
        Fraction of the text, at its end, that is held out for testing.

    Returns
    -------
    Text

    Raises
    ------
    InputError
        If there is no such file, an argument does not fit, the text is too short for
        a window in each part, or has characters that are not in `vocabulary`.
    FileFormatError
        If the file is not in UTF-8.

    Examples
    --------
    >>> from nnfs_xp.data import load_text
    >>> load_text(by="bytes").vocabulary
    Vocabulary(by='bytes', characters='')
    """
    check_count(context, "context")
    check_share(test_share, "test_share")
    if not isinstance(vocabulary, Vocabulary | None):
        raise InputError(f"vocabulary must be a Vocabulary, got {vocabulary!r}")
    if by is not None and vocabulary is not None and by != vocabulary.by:
        raise InputError(
            f"by must be omitted or {vocabulary.by!r}, as vocabulary says, got {by!r}"
        )
    name, content, note = _content(name_or_path)
    if vocabulary is None:
        if not content:
            raise InputError(f"{name}: is empty")
        vocabulary = Vocabulary.of(content, UNITS[0] if by is None else by)
    try:
        ids = vocabulary.encode(content)
    except InputError as error:
        raise InputError(f"{name}: {error}") from None
    cut = len(ids) - round(len(ids) * test_share)
    parts = ids[:cut], ids[cut:]
    if min(map(len, parts)) <= context:
        raise InputError(
            f"{name}: has {len(parts[0])} ids to train on and {len(parts[1])} to test; "
            f"a window of {context} needs {context + 1} in each"
        )
    return Text(name, *parts, vocabulary, context, note)


def _content(name_or_path: str | PathLike[str]) -> tuple[str, str, str]:
    """Return what to call a text, its content, and where it came from."""
    if name_or_path == TEXT_NAME:
        array = read_packaged(TEXT_FILE)["text"]
        return TEXT_NAME, array.tobytes().decode(), _PACKAGED_NOTE
    if not isinstance(name_or_path, (str, PathLike)):
        raise InputError(f"name_or_path must be a name or a path, got {name_or_path!r}")
    path = Path(name_or_path)
    # An empty name would mean the working directory.
    if name_or_path == "" or not path.is_file():
        raise InputError(
            f"no file is called '{name_or_path}'; the packaged text is '{TEXT_NAME}'"
        )
    try:
        content = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise FileFormatError(
            f"{path}: is not in UTF-8: byte {error.start} is {byte}"
        ) from error
    return str(path), content, f"read from {path}"
