"""The decision boundary as it forms: recorded in training, and played."""

from __future__ import annotations

import dataclasses
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.animation import FuncAnimation, PillowWriter
from matplotlib.contour import ContourSet

from nnfs_xp.arguments import check_count, check_positive
from nnfs_xp.backends import to_numpy
from nnfs_xp.callbacks import Callback
from nnfs_xp.errors import InputError
from nnfs_xp.io.atomic import atomic_write
from nnfs_xp.plots.boundary import check_points, map_figure
from nnfs_xp.plots.boundary_parts import (
    draw_borders,
    draw_color_bar,
    draw_legend,
    draw_map,
    draw_points,
    mark_wrong,
    mesh_of,
    probabilities,
    shades,
    span,
)
from nnfs_xp.plots.save import path_ending_in
from nnfs_xp.plots.style import percent, set_labels, set_title, style_axes

# A coarser map than that of a single picture: there are many of them.
_STEPS = 120
_DOTS_PER_INCH = 90
# Seconds for which the last frame stays.
_PAUSE = 2.0


@dataclasses.dataclass(frozen=True)
class BoundaryFrame:
    """What a network predicts after an epoch.

    Attributes
    ----------
    epoch : int
        Epochs trained so far; 0 before the first.
    probabilities : numpy.ndarray of shape (height, width, classes)
        Those of every place of the map, from the lowest line upwards.
    predicted : numpy.ndarray of shape (n,)
        The predicted class of every point.

    Examples
    --------
    >>> import numpy as np
    >>> from nnfs_xp.plots import BoundaryFrame
    >>> BoundaryFrame(3, np.ones((1, 1, 1)), np.array([0])).epoch
    3
    """

    epoch: int
    probabilities: np.ndarray
    predicted: np.ndarray


class BoundaryRecorder(Callback):
    """Record what a network of two features predicts where, while it learns.

    A frame is kept before the first epoch, after every so many, and after the
    last one. `boundary_animation` makes a film of them.

    Parameters
    ----------
    x : array_like, shape (n, 2)
        The points that the film will show; the map reaches around them.
    every : int, default 1
        Keep a frame after every so many epochs.

    Attributes
    ----------
    frames : list of BoundaryFrame
        Those of the last ``fit``.

    Raises
    ------
    InputError
        If `x` does not have two finite features, or `every` is no positive
        integer; from ``fit``, before it begins, if the model's outputs are not
        the scores of classes.

    Examples
    --------
    >>> from nnfs_xp import Adam, Dense, Model, Softmax
    >>> from nnfs_xp.data import vertical_data
    >>> from nnfs_xp.plots import BoundaryRecorder
    >>> x, y = vertical_data(50, 3)
    >>> model = Model(
    ...     [Dense(2, 3), Softmax()], loss="categorical_crossentropy",
    ...     optimizer=Adam(0.1),
    ... )
    >>> recorder = BoundaryRecorder(x, every=5)
    >>> history = model.fit(x, y, epochs=12, callbacks=recorder)
    >>> [frame.epoch for frame in recorder.frames]
    [0, 5, 10, 12]
    """

    def __init__(self, x: Any, every: int = 1) -> None:
        points = np.asarray(to_numpy(x))
        # Labels play no part here; the check wants some.
        labels = np.zeros(len(points) if points.ndim else 0, dtype=np.int64)
        self.x, _, _ = check_points(points, labels, ["any"])
        self.every = check_count(every, "every")
        self.frames: list[BoundaryFrame] = []
        self.horizontal = span(self.x[:, 0], _STEPS)
        self.vertical = span(self.x[:, 1], _STEPS)
        self._model: Any = None

    def on_fit_begin(self, model: Any, epochs: int, batches: int) -> None:
        """Forget older frames, and keep one of the network as it is."""
        self._model, self.frames = model, []
        self._keep()

    def on_epoch_end(self, record: dict[str, Any]) -> None:
        """Keep a frame, if it is its turn."""
        if record["epoch"] % self.every == 0:
            self._keep()

    def on_fit_end(self) -> None:
        """Keep a frame of what was reached, if there is none yet."""
        if self.frames and self.frames[-1].epoch != self._model.epochs_trained:
            self._keep()

    def _keep(self) -> None:
        model = self._model
        mesh = mesh_of(self.horizontal, self.vertical)

        def predict(points: np.ndarray) -> np.ndarray:
            # In the model's own precision, the only one it may take.
            return to_numpy(model.predict(points.astype(model.backend.dtype_name)))

        scores = predict(self.x)
        if scores.ndim != 2 or scores.shape[1] < 2:
            raise InputError(
                "BoundaryRecorder needs a model with a score for each of several "
                f"classes, got outputs of shape {scores.shape}"
            )
        classes = scores.shape[1]
        everywhere = probabilities(predict, mesh, classes).astype(np.float32)
        self.frames.append(
            BoundaryFrame(
                epoch=model.epochs_trained,
                probabilities=everywhere.reshape(_STEPS, _STEPS, classes),
                predicted=scores.argmax(axis=1),
            )
        )


def boundary_animation(
    recorder: BoundaryRecorder,
    y: np.ndarray,
    class_names: Sequence[str],
    *,
    frames_per_second: float = 10.0,
) -> FuncAnimation:
    """Return a film of the decision boundary as it formed.

    Every frame is a map as in `decision_boundary`. In a notebook,
    ``HTML(animation.to_jshtml())`` shows it with buttons to play it.

    Parameters
    ----------
    recorder : BoundaryRecorder
        After a ``fit`` that it watched.
    y : numpy.ndarray of shape (n,)
        True labels of the recorder's points, integers from 0.
    class_names : sequence of str
        The names of the classes.
    frames_per_second : float, default 10
        Speed of the film; its last frame stays for two seconds.

    Returns
    -------
    matplotlib.animation.FuncAnimation
        The film, to be saved or shown.

    Raises
    ------
    InputError
        If nothing was recorded, or labels and names do not fit the frames.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from nnfs_xp import Adam, Dense, Model, Softmax
    >>> from nnfs_xp.data import vertical_data
    >>> from nnfs_xp.plots import (
    ...     BoundaryRecorder, boundary_animation, save_animation,
    ... )
    >>> x, y = vertical_data(50, 2)
    >>> model = Model(
    ...     [Dense(2, 2), Softmax()], loss="categorical_crossentropy",
    ...     optimizer=Adam(0.1),
    ... )
    >>> recorder = BoundaryRecorder(x)
    >>> history = model.fit(x, y, epochs=2, callbacks=recorder)
    >>> animation = boundary_animation(recorder, y, ["left", "right"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_animation(animation, Path(folder, "film.gif"))
    ...     Path(folder, "film.gif").stat().st_size > 1000
    True
    """
    rate = check_positive(frames_per_second, "frames_per_second")
    points, labels, names = check_points(recorder.x, y, class_names)
    frames = recorder.frames
    if not frames:
        raise InputError("recorder has no frames: give it to fit as a callback first")
    classes = frames[0].probabilities.shape[-1]
    if classes != len(names):
        raise InputError(
            f"class_names must have one name for each of the {classes} classes, "
            f"got {len(names)}"
        )

    figure = map_figure(names)
    ax = figure.subplots()
    style_axes(ax, grid=None)
    horizontal, vertical = recorder.horizontal, recorder.vertical
    picture = draw_map(ax, horizontal, vertical, shades(frames[0].probabilities))
    borders: list[ContourSet] = []
    marks = draw_points(ax, points, labels, np.zeros(len(labels), bool), names)
    set_labels(ax, "feature 1", "feature 2")
    draw_legend(ax, names)
    draw_color_bar(ax, classes)

    def show(number: int) -> list[Any]:
        frame = frames[number]
        picture.set_data(shades(frame.probabilities))
        while borders:
            borders.pop().remove()
        borders.extend(draw_borders(ax, horizontal, vertical, frame.probabilities))
        wrong = frame.predicted != labels
        for label, of_class in enumerate(marks):
            mark_wrong(of_class, wrong[labels == label])
        right = percent(1.0 - float(np.mean(wrong)))
        when = f"Epoch {frame.epoch}" if frame.epoch else "Before training"
        set_title(ax, f"{when}: {right} of {len(labels):,} points right")
        return []

    show(0)
    # Laid out once: neither room nor title changes from frame to frame.
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    order = list(range(len(frames)))
    order += [len(frames) - 1] * round(_PAUSE * rate)
    return FuncAnimation(figure, show, frames=order, interval=1000.0 / rate, blit=False)


def save_animation(animation: FuncAnimation, path: str | os.PathLike[str]) -> None:
    """Write a film as a GIF file that plays for ever.

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
    path = path_ending_in(".gif", path)
    # Pillow writes to a name; it gets one of its own, apart from the result's.
    with tempfile.TemporaryDirectory() as folder, atomic_write(path) as file:
        whole = Path(folder, "film.gif")
        rate = 1000.0 / animation._interval  # type: ignore[attr-defined]
        animation.save(whole, writer=PillowWriter(fps=rate), dpi=_DOTS_PER_INCH)
        file.write(whole.read_bytes())
