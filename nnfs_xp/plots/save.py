"""Writing figures and films to files, whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from matplotlib.animation import FuncAnimation, PillowWriter
from matplotlib.figure import Figure

from nnfs_xp.errors import InputError
from nnfs_xp.io.atomic import atomic_write, checked_path

DOTS_PER_INCH = 150
_FILM_DOTS_PER_INCH = 90


def save_figure(figure: Figure, path: str | os.PathLike[str]) -> None:
    """Write a figure as a PNG file, at 150 dots per inch.

    The file appears under its name only when it is complete. If writing fails, an
    existing file is unchanged, and nothing is left behind.

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
    with atomic_write(_path_ending_in(".png", path)) as file:
        figure.savefig(file, format="png", dpi=DOTS_PER_INCH)


def save_animation(animation: FuncAnimation, path: str | os.PathLike[str]) -> None:
    """Write an animation as a looping GIF file.

    The file appears under its name only when it is complete.

    Parameters
    ----------
    animation : matplotlib.animation.FuncAnimation
        Such as `boundary_animation` returns.
    path : str or path-like
        Where to; the name must end in ``.gif`` and its directory must exist.

    Raises
    ------
    InputError
        If the name of `path` does not end in ``.gif``.
    OSError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from matplotlib.animation import FuncAnimation
    >>> from matplotlib.figure import Figure
    >>> from nnfs_xp.plots import save_animation
    >>> figure = Figure()
    >>> text = figure.text(0.5, 0.5, "")
    >>> film = FuncAnimation(figure, lambda number: text.set_text(str(number)), 3)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_animation(film, Path(folder, "film.gif"))
    ...     [path.name for path in Path(folder).iterdir()]
    ['film.gif']
    """
    path = _path_ending_in(".gif", path)
    # Pillow writes to a name; it gets one of its own, apart from the result's.
    with tempfile.TemporaryDirectory() as folder, atomic_write(path) as file:
        whole = Path(folder, "film.gif")
        rate = 1000.0 / animation._interval  # type: ignore[attr-defined]
        animation.save(whole, writer=PillowWriter(fps=rate), dpi=_FILM_DOTS_PER_INCH)
        file.write(whole.read_bytes())


def _path_ending_in(suffix: str, path: str | os.PathLike[str]) -> Path:
    """Return a path, or raise InputError if its name does not end in the suffix."""
    path = Path(checked_path(path, "path"))
    if path.suffix.lower() != suffix:
        raise InputError(f"path must end in {suffix}, got '{path}'")
    return path
