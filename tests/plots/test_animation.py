"""Tests of the film of the decision boundary: what is recorded and what is shown."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from matplotlib.colors import to_hex
from PIL import Image

import nnfs_xp as nx
from nnfs_xp import plots
from nnfs_xp.data import spiral_data
from nnfs_xp.errors import InputError
from nnfs_xp.plots.boundary import mesh_of, shades
from nnfs_xp.plots.style import INK

NAMES = ["first arm", "second arm", "third arm"]
FEW_A_SECOND = 2


def make_model(**where):
    return nx.Model(
        [nx.Dense(2, 16), nx.ReLU(), nx.Dense(16, 3), nx.Softmax()],
        loss="categorical_crossentropy",
        optimizer=nx.Adam(0.02),
        **where,
    )


@pytest.fixture(scope="module")
def spiral():
    return spiral_data(20, 3)


@pytest.fixture(scope="module")
def recorded(spiral):
    """A model, and a recorder that watched it for seven epochs."""
    model, recorder = make_model(), plots.BoundaryRecorder(spiral[0], every=3)
    model.fit(*spiral, epochs=7, callbacks=recorder)
    return model, recorder


@pytest.fixture
def film(recorded, spiral):
    film = plots.boundary_animation(
        recorded[1], spiral[1], NAMES, frames_per_second=FEW_A_SECOND
    )
    yield film
    # Matplotlib warns of films that were never played.
    film._draw_was_started = True


def show(film, number):
    film._func(number)
    return film._fig


def test_frames_are_kept_at_the_right_epochs(recorded):
    assert [frame.epoch for frame in recorded[1].frames] == [0, 3, 6, 7]


def test_last_frame_is_what_the_model_predicts(recorded, spiral):
    model, recorder = recorded
    frame = recorder.frames[-1]
    mesh = mesh_of(recorder.horizontal, recorder.vertical).astype("float32")
    expected = nx.to_numpy(model.predict(mesh))
    shape = (len(recorder.vertical), len(recorder.horizontal), 3)
    np.testing.assert_allclose(frame.probabilities, expected.reshape(shape))
    predicted = nx.to_numpy(model.predict(spiral[0])).argmax(axis=1)
    np.testing.assert_array_equal(frame.predicted, predicted)


def test_map_has_feature_1_across_and_feature_2_upwards():
    assert mesh_of(np.array([1, 2, 3]), np.array([8, 9])).tolist() == [
        [1, 8], [2, 8], [3, 8],
        [1, 9], [2, 9], [3, 9],
    ]  # fmt: skip


def test_frames_differ_and_training_does_not(recorded, spiral):
    model, recorder = recorded
    first, last = recorder.frames[0], recorder.frames[-1]
    assert np.abs(first.probabilities - last.probabilities).max() > 0.05
    alone = make_model()
    alone.fit(*spiral, epochs=7)
    np.testing.assert_array_equal(
        nx.to_numpy(alone.layers[0].weights), nx.to_numpy(model.layers[0].weights)
    )


def test_every_backend_can_be_recorded(backend, spiral):
    x = backend.asarray(spiral[0], backend.dtype)
    recorder = plots.BoundaryRecorder(x)
    model = make_model(backend=backend)
    model.fit(*spiral, epochs=1, callbacks=recorder)
    assert [frame.epoch for frame in recorder.frames] == [0, 1]


def test_a_second_fit_begins_a_new_film(spiral):
    model, recorder = make_model(), plots.BoundaryRecorder(spiral[0])
    model.fit(*spiral, epochs=2, callbacks=recorder)
    model.fit(*spiral, epochs=1, callbacks=recorder)
    assert [frame.epoch for frame in recorder.frames] == [2, 3]


def test_film_shows_every_frame_and_holds_the_last(film):
    assert list(film.new_frame_seq()) == [0, 1, 2, 3] + 2 * FEW_A_SECOND * [3]


def test_a_frame_shows_what_was_recorded(film, recorded, spiral):
    frame = recorded[1].frames[2]
    ax = show(film, 2).axes[0]
    wrong = frame.predicted != spiral[1]
    right = f"{100 * (1 - wrong.mean()):.1f} %"
    assert ax.get_title(loc="left") == f"Epoch 6: {right} of 60 points right"
    colors = np.asarray(ax.images[0].get_array())
    np.testing.assert_array_equal(colors, shades(frame.probabilities))
    # Twenty marks of each arm; the lines of the borders are fewer.
    rims = np.concatenate(
        [m.get_edgecolors() for m in ax.collections if len(m.get_offsets()) == 20]
    )
    dark = np.sum([to_hex(rim) == INK for rim in rims])
    assert dark == int(wrong.sum())
    assert show(film, 0).axes[0].get_title(loc="left").startswith("Before training: ")


def test_borders_of_one_frame_do_not_stay_in_the_next(film):
    ax = show(film, 3).axes[0]
    drawn = len(ax.collections)
    show(film, 1)
    show(film, 3)
    assert len(ax.collections) == drawn


def test_no_text_is_cut_or_covered(film, layout_problems):
    for number in (0, 3):
        assert layout_problems(show(film, number)) == []


def test_gif_has_the_frames_and_their_speed(film, tmp_path):
    plots.save_animation(film, tmp_path / "film.gif")
    assert [path.name for path in tmp_path.iterdir()] == ["film.gif"]
    with Image.open(tmp_path / "film.gif") as gif:
        durations = []
        for number in range(gif.n_frames):
            gif.seek(number)
            durations.append(gif.info["duration"])
        assert gif.info["loop"] == 0
    # Pillow joins equal frames, so the last one stays by its duration.
    assert durations[0] == 1000 / FEW_A_SECOND
    assert sum(durations) == (4 + 2 * FEW_A_SECOND) * 1000 / FEW_A_SECOND


def test_only_gifs_are_written(film, tmp_path):
    with pytest.raises(InputError, match=r"path must end in \.gif, got 'film\.mp4'"):
        plots.save_animation(film, "film.mp4")
    with pytest.raises(OSError, match="no such directory"):
        plots.save_animation(film, tmp_path / "absent" / "film.gif")


def test_pyplot_is_not_imported():
    code = (
        "import sys; from nnfs_xp import plots; "
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


@pytest.mark.parametrize(
    ("x", "every", "message"),
    [
        ([[1.0], [2.0]], 1, r"x must have shape \(2, 2\)"),
        (1.0, 1, r"must have at least one label|x must have shape"),
        ([[1.0, np.nan]], 1, "x must be finite"),
        ([[1.0, 2.0]], 0, "every must be"),
    ],
)
def test_bad_arguments_of_the_recorder_are_refused(x, every, message):
    with pytest.raises(InputError, match=message):
        plots.BoundaryRecorder(x, every)


def test_a_model_without_classes_is_refused_before_it_learns(spiral):
    model = nx.Model([nx.Dense(2, 1)], loss="mean_squared_error", optimizer="adam")
    before = nx.to_numpy(model.layers[0].weights)
    with pytest.raises(InputError, match=r"score for each .* got outputs .* \(60, 1\)"):
        model.fit(
            spiral[0],
            spiral[1][:, None].astype("float32"),
            callbacks=plots.BoundaryRecorder(spiral[0]),
        )
    np.testing.assert_array_equal(nx.to_numpy(model.layers[0].weights), before)
    assert model.epochs_trained == 0


def test_what_does_not_fit_the_film_is_refused(recorded, spiral):
    recorder, y = recorded[1], spiral[1]
    with pytest.raises(InputError, match="recorder has no frames"):
        plots.boundary_animation(plots.BoundaryRecorder(spiral[0]), y, NAMES)
    with pytest.raises(InputError, match="one name for each of the 3 classes, got 4"):
        plots.boundary_animation(recorder, y, [*NAMES, "fourth arm"])
    with pytest.raises(InputError, match="frames_per_second must be"):
        plots.boundary_animation(recorder, y, NAMES, frames_per_second=0)


@pytest.mark.parametrize("given", [3, None, [1.0]])
def test_only_a_recorder_has_a_film(given):
    with pytest.raises(InputError, match="recorder must be a BoundaryRecorder, got"):
        plots.boundary_animation(given, [0], ["a"])
