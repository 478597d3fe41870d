"""Words that go into the report."""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def without_folders(text: str) -> str:
    """Return a text without the names of the folders that we are in."""
    for folder in (ROOT, Path(sys.prefix), Path.home()):
        if folder != Path("/"):
            text = text.replace(f"{folder}{os.sep}", "")
    return text


def of_error(error: BaseException, most: int = 300) -> str:
    """Return the beginning of what an exception says, in one line."""
    text = " ".join(f"{type(error).__name__}: {error}".split())
    return without_folders(text)[:most]


def in_a_cell(text: str, most: int = 200) -> str:
    """Return a text that keeps within one cell of a table."""
    plain = " ".join(text.split()).replace("|", "/")
    return plain if len(plain) <= most else f"{plain[: most - 3]}..."
