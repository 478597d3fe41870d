"""The numbers that stand for the characters of a text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from nnfs_xp.arguments import check_choice
from nnfs_xp.errors import InputError

UNITS = ("characters", "bytes")
_BYTES = 256
# The most characters that a message names.
_MOST_NAMED = 5


@dataclass(frozen=True)
class Vocabulary:
    """A number for each character, or each byte, that a network may see.

    A network is saved together with the vocabulary it was trained on, so that later
    texts get the same ids.

    Parameters
    ----------
    by : {"characters", "bytes"}
        With ``"bytes"``, a text is its bytes in UTF-8: there are 256 ids, and no
        character is unknown.
    characters : str, optional
        The characters in the order of their ids; empty for bytes.

    Raises
    ------
    InputError
        If there are no characters, or one comes twice.

    Examples
    --------
    >>> from nnfs_xp.data import Vocabulary
    >>> vocabulary = Vocabulary.of("abracadabra")
    >>> vocabulary
    Vocabulary(by='characters', characters='abcdr')
    >>> vocabulary.encode("cab")
    array([2, 0, 1], dtype=int32)
    >>> vocabulary.decode([2, 0, 1])
    'cab'
    >>> Vocabulary("bytes").encode("né")
    array([110, 195, 169], dtype=int32)
    """

    by: str
    characters: str = ""

    def __post_init__(self) -> None:
        """Check that each character has one id."""
        check_choice(self.by, "by", UNITS)
        characters = self.characters
        if not isinstance(characters, str):
            raise InputError(f"characters must be a string, not {characters!r}")
        if self.by == "bytes" and characters:
            raise InputError("characters must be empty if a text is taken by bytes")
        if self.by == "characters" and not characters:
            raise InputError("characters must hold at least one character")
        if len(set(characters)) < len(characters):
            twice = next(c for c in characters if characters.count(c) > 1)
            raise InputError(f"characters must hold each one once; {twice!r} is twice")

    @classmethod
    def of(cls, text: str, by: str = "characters") -> Vocabulary:
        """Return the vocabulary of a text, its characters in the order of Unicode."""
        check_choice(by, "by", UNITS)
        _check_text(text)
        return cls(by, "".join(sorted(set(text))) if by == "characters" else "")

    @property
    def n_ids(self) -> int:
        """Number of ids, which go from 0 to ``n_ids - 1``."""
        return len(self.characters) or _BYTES

    def encode(self, text: str) -> np.ndarray:
        """Return the ids of a text, int32 of shape (n,).

        Raises
        ------
        InputError
            If the text holds characters that are not in the vocabulary; it names them.
        """
        _check_text(text)
        if self.by == "bytes":
            try:
                content = text.encode()
            except UnicodeEncodeError as error:
                half = ord(text[error.start])
                raise InputError(
                    f"text holds U+{half:04X}, half of a character, at place "
                    f"{error.start} (counting from 0)"
                ) from error
            return np.frombuffer(content, np.uint8).astype(np.int32)
        codes, known = _codes(text), _codes(self.characters)
        order = np.argsort(known)
        ids = order[np.searchsorted(known, codes, sorter=order) % len(known)]
        unknown = np.flatnonzero(known[ids] != codes)
        if len(unknown):
            found = list(dict.fromkeys(text[place] for place in unknown))
            named = ", ".join(f"{c!r} (U+{ord(c):04X})" for c in found[:_MOST_NAMED])
            more = len(found) - _MOST_NAMED
            raise InputError(
                f"text holds characters that are not in the vocabulary of {self.n_ids}"
                f": {named}{f' and {more} more' if more > 0 else ''}; the first is at "
                f"place {unknown[0]} (counting from 0)"
            )
        return ids.astype(np.int32)

    def decode(self, ids: ArrayLike) -> str:
        """Return the text that ids stand for.

        Bytes that are not valid UTF-8, which a network may generate, become U+FFFD.

        Raises
        ------
        InputError
            If an id is not one of 0 to ``n_ids - 1``.
        """
        try:
            numbers = np.asarray(ids)
        except ValueError as error:
            raise InputError(f"ids must be integers: {error}") from error
        if numbers.size and numbers.dtype.kind not in "iu":
            raise InputError(f"ids must be integers, not {numbers.dtype}")
        numbers = numbers.reshape(-1)
        if ((numbers < 0) | (numbers >= self.n_ids)).any():
            raise InputError(
                f"ids must be from 0 to {self.n_ids - 1}, got {numbers.min()} to "
                f"{numbers.max()}"
            )
        if self.by == "bytes":
            return numbers.astype(np.uint8).tobytes().decode(errors="replace")
        return "".join(self.characters[number] for number in numbers)

    def to_dict(self) -> dict[str, Any]:
        """Return the vocabulary as a dictionary that JSON can hold."""
        return {"by": self.by, "characters": self.characters}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Vocabulary:
        """Return the vocabulary that `to_dict` described.

        Raises
        ------
        InputError
            If a key is missing or unknown, or a value is not usable.
        """
        if not isinstance(content, Mapping) or set(content) != {"by", "characters"}:
            raise InputError(
                f"a vocabulary has the keys 'by' and 'characters', not {content!r}"
            )
        return cls(content["by"], content["characters"])


def _check_text(text: object) -> None:
    if not isinstance(text, str):
        raise InputError(f"text must be a string, not {text!r}")


def _codes(text: str) -> np.ndarray:
    """Return the numbers that characters have in Unicode."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")
