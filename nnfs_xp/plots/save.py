"""Writing a figure to a file, whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from matplotlib.figure import Figure

from nnfs_xp.errors import InputError
from nnfs_xp.io.atomic import atomic_write

DOTS_PER_INCH = 150


def save_figure(figure: Figure, path: str | os.PathLike[str]) -> None:
    """Write a figure as a PNG file, at 150 dots per inch.

    The file appears under its name only when it is complete. When writing
    fails, a file that was there before stays as it was, and nothing is left
    behind.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        What to save.
    path : str or path-like
        Where to; the name must end in ``.png`` and its directory must exist.

    Raises
    ------
    InputError
        If the name of `path` does not end in ``.png``.
    OSError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from nnfs_xp.plots import learning_curves, save_figure
    >>> figure = learning_curves([{"epoch": 1, "loss": 0.5, "accuracy": 0.8}])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_figure(figure, Path(folder, "curves.png"))
    ...     [path.name for path in Path(folder).iterdir()]
    ['curves.png']
    """
    with atomic_write(path_ending_in(".png", path)) as file:
        figure.savefig(file, format="png", dpi=DOTS_PER_INCH)


def path_ending_in(suffix: str, path: str | os.PathLike[str]) -> Path:
    """Return a path, or raise InputError if its name does not end in the suffix."""
    path = Path(path)
    if path.suffix.lower() != suffix:
        raise InputError(f"path must end in {suffix}, got '{path}'")
    return path
