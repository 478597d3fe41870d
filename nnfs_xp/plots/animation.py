"""The decision boundary as it forms: recorded in training, and played."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.animation import FuncAnimation

from nnfs_xp.arguments import check_count, check_positive
from nnfs_xp.backends import to_numpy
from nnfs_xp.callbacks import Callback
from nnfs_xp.errors import InputError
from nnfs_xp.plots import boundary
from nnfs_xp.plots.checks import check_is

# A coarser map than for a single picture, because there are many of them.
_STEPS = 120
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
        Those of every place on the map, from the lowest line upwards.
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
    """Record the predictions of a network of two features while it learns.

    A frame is kept before the first epoch, after every `every` epochs, and after the
    last one. `boundary_animation` turns them into an animation.

    Parameters
    ----------
    x : array_like, shape (n, 2)
        The points to show; the map extends beyond them.
    every : int, default 1
        Number of epochs between frames.

    Attributes
    ----------
    frames : list of BoundaryFrame
        Those of the last ``fit``.

    Raises
    ------
    InputError
        If `x` does not have two finite features, or `every` is not a positive
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
        # Labels play no part here, but the check requires some.
        labels = np.zeros(len(points) if points.ndim else 0, dtype=np.int64)
        self.x, _, _ = boundary.check_points(points, labels, ["any"])
        self.every = check_count(every, "every")
        self.frames: list[BoundaryFrame] = []
        self.horizontal, self.vertical = boundary.places_around(self.x, _STEPS)
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
        """Keep a frame of the final state, if there is none yet."""
        if self.frames and self.frames[-1].epoch != self._model.epochs_trained:
            self._keep()

    def _keep(self) -> None:
        model = self._model
        mesh = boundary.mesh_of(self.horizontal, self.vertical)

        def predict(points: np.ndarray) -> np.ndarray:
            # In the model's own precision, which may be the only one it accepts.
            return to_numpy(model.predict(points.astype(model.backend.dtype_name)))

        scores = predict(self.x)
        if scores.ndim != 2 or scores.shape[1] < 2:
            raise InputError(
                "BoundaryRecorder needs a model with a score for each of several "
                f"classes, got outputs of shape {scores.shape}"
            )
        classes = scores.shape[1]
        everywhere = boundary.probabilities(predict, mesh, classes).astype(np.float32)
        everywhere = everywhere.reshape(_STEPS, _STEPS, classes)
        frame = BoundaryFrame(model.epochs_trained, everywhere, scores.argmax(axis=1))
        self.frames.append(frame)


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
    check_is("BoundaryRecorder", recorder, "recorder", "x", "frames")
    rate = check_positive(frames_per_second, "frames_per_second")
    data, frames = boundary.check_points(recorder.x, y, class_names), recorder.frames
    if not frames:
        raise InputError("recorder has no frames: give it to fit as a callback first")
    names, classes = data[-1], frames[0].probabilities.shape[-1]
    if classes != len(names):
        raise InputError(
            f"class_names must have one name for each of the {classes} classes, "
            f"got {len(names)}"
        )

    figure = boundary.map_figure(names)
    places = recorder.horizontal, recorder.vertical
    picture = boundary.BoundaryMap(figure.subplots(), places, data)

    def show(number: int) -> list[Any]:
        frame = frames[number]
        when = f"Epoch {frame.epoch}" if frame.epoch else "Before training"
        picture.show(frame.probabilities, frame.predicted, when)
        return []

    show(0)
    # Laid out once: the space and the title do not change from frame to frame.
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    order = [*range(len(frames)), *[len(frames) - 1] * round(_PAUSE * rate)]
    return FuncAnimation(figure, show, frames=order, interval=1000.0 / rate, blit=False)
