"""Tests of the pictures: what they show, and that nothing is cut or covered."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.image import imread

import nnfs_xp as nx
from nnfs_xp import plots
from nnfs_xp.data import spiral_data
from nnfs_xp.errors import DTypeError, InputError
from nnfs_xp.plots.confusion import readable_on
from nnfs_xp.plots.samples import choose
from nnfs_xp.plots.style import INK, SHARES, PercentTicks, text_width, wrap

RANDOM = np.random.default_rng(0)
PETS = ["cat", "dog", "bird"]
CLOTHES = [
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
]
LONG_NAMES = [
    "Pullover with a very long descriptive name",
    "Other",
    "Internationalization-of-everything",
    "price in $ or $US",
    "Ankle boot, leather, black, size 42",
]
LETTERS = [chr(ord("A") + place) for place in range(26)]
HEADER = {"title": "Pets: 4-8-3, test accuracy 80.0 %", "subtitle": "numpy, float32"}


def make_history(epochs, *, validation=True):
    history = []
    for epoch in range(1, epochs + 1):
        record = {"epoch": epoch, "loss": 2 / epoch, "accuracy": 1 - 0.6 / epoch}
        if validation:
            record["validation_loss"] = 2.2 / epoch
            record["validation_accuracy"] = 1 - 0.7 / epoch
        history.append(record)
    return history


def many_metrics(epochs):
    """Return a history without an accuracy, and with metrics of long names."""
    names = ["f1", "r2", "macro_average_of_the_f1_score", "price in $ or $US", "recall"]
    return [
        {"epoch": n, "loss": 1 / n}
        | {name: -1e-5 * n for name in names}
        | {f"validation_{name}": 123.456 * n for name in names}
        for n in range(1, epochs + 1)
    ]


def make_predictions(classes, count):
    """Return labels, of which a fifth is drawn anew, and a confidence each."""
    true = RANDOM.integers(0, classes, count)
    anew = RANDOM.random(count) < 0.2
    predicted = np.where(anew, RANDOM.integers(0, classes, count), true)
    return true, predicted, RANDOM.random(count)


def make_predict(classes):
    """Return a classifier that cuts the plane into sectors."""
    directions = np.linspace(0, 2 * np.pi, classes, endpoint=False)
    axes = np.stack([np.cos(directions), np.sin(directions)])

    def predict(x):
        scores = np.exp(x @ axes)
        return scores / scores.sum(axis=1, keepdims=True)

    return predict


def make_report(classes, names, epochs=20, *, kind="bars", history=None, **header):
    true, predicted, confidence = make_predictions(classes, 40 * classes)
    extra = {}
    if kind == "images":
        extra = {
            "images": RANDOM.random((len(true), 64)),
            "image_shape": (8, 8),
        }
    elif kind == "boundary":
        extra = {
            "predict": make_predict(classes),
            "x": RANDOM.normal(size=(len(true), 2)),
        }
    return plots.report(
        history or make_history(epochs),
        true,
        predicted,
        confidence,
        names,
        **{**HEADER, **header},
        **extra,
    )


def make_samples(names, count=200, **grid):
    true, predicted, confidence = make_predictions(len(names), count)
    images = RANDOM.random((count, 8, 8))
    return plots.sample_predictions(
        images, true, predicted, confidence, names, (8, 8), **grid
    )


def make_matrix(names, count=500):
    true, predicted, _ = make_predictions(len(names), count)
    return plots.confusion_matrix(true, predicted, names)


def make_scores(names, count=500):
    true, predicted, _ = make_predictions(len(names), count)
    return plots.class_scores(true, predicted, names)


def make_boundary(names, count=300):
    return plots.decision_boundary(
        make_predict(len(names)),
        RANDOM.normal(size=(count, 2)),
        RANDOM.integers(0, len(names), count),
        names,
    )


def make_reliability(classes, count=500, **options):
    p = RANDOM.dirichlet(np.ones(classes), count)
    labels = RANDOM.integers(0, classes, count)
    return plots.reliability(labels, p, **options)


def title_of(ax):
    return ax.get_title(loc="left")


def texts_of(ax):
    return [text.get_text() for text in ax.texts]


def lines_of(ax):
    """Return the points of each line by the first word of its legend entry."""
    return {
        line.get_label().split()[0]: np.asarray(line.get_xydata())
        for line in ax.get_lines()
    }


# Layout


def test_layout_helper_sees_cut_and_overlapping_text(layout_problems):
    figure = Figure(figsize=(4, 3))
    FigureCanvasAgg(figure)
    figure.text(0.95, 0.5, "beyond the edge")
    figure.text(0.3, 0.5, "one text")
    figure.text(0.32, 0.51, "another")
    figure.text(0.2, 0.1, "turned text", rotation=45)
    figure.text(0.25, 0.2, "across it")
    assert layout_problems(figure) == [
        "cut: 'beyond the edge'",
        "overlap: 'one text' and 'another'",
        "overlap: 'turned text' and 'across it'",
    ]


def test_layout_helper_sees_text_over_another_axes(layout_problems):
    figure = Figure(figsize=(4, 3))
    FigureCanvasAgg(figure)
    upper, lower = figure.subplots(2, 1)
    upper.set_axis_off()
    lower.set_axis_off()
    figure.subplots_adjust(hspace=0.01)
    lower.set_title("no room for me")
    assert layout_problems(figure) == ["over an axes: 'no room for me'"]


def test_layout_helper_lets_turned_neighbours_pass(layout_problems):
    figure = Figure(figsize=(4, 3))
    FigureCanvasAgg(figure)
    for x in (0.3, 0.4):
        figure.text(x, 0.3, "a turned name", rotation=45)
    assert layout_problems(figure) == []


FIGURES = {
    "reliability": lambda: make_reliability(10),
    "reliability of one bin": lambda: make_reliability(2, 3, bins=1),
    "curves of 1 epoch": lambda: plots.learning_curves(make_history(1)),
    "curves of 2 epochs": lambda: plots.learning_curves(make_history(2)),
    "curves of 20 epochs": lambda: plots.learning_curves(make_history(20)),
    "curves of 200 epochs": lambda: plots.learning_curves(make_history(200)),
    "curves without validation": lambda: plots.learning_curves(
        make_history(5, validation=False)
    ),
    "curves of one figure": lambda: plots.learning_curves([{"epoch": 1, "loss": 1.0}]),
    "curves of 5 metrics": lambda: plots.learning_curves(many_metrics(20)),
    "matrix of 2": lambda: make_matrix(["cat", "dog"]),
    "matrix of 2, large counts": lambda: make_matrix(["cat", "dog"], 2_000_000),
    "matrix of 3": lambda: make_matrix(PETS),
    "matrix of 10": lambda: make_matrix(CLOTHES, 10_000),
    "matrix of 26": lambda: make_matrix(LETTERS),
    "matrix of 26 words": lambda: make_matrix([f"letter {name}" for name in LETTERS]),
    "matrix of 100": lambda: make_matrix([f"class {n}" for n in range(100)], 9000),
    "matrix, long names": lambda: make_matrix(LONG_NAMES),
    "scores of 3": lambda: make_scores(PETS),
    "scores of 26": lambda: make_scores(LETTERS),
    "scores, long names": lambda: make_scores(LONG_NAMES),
    "samples": lambda: make_samples(CLOTHES),
    "samples, long names": lambda: make_samples(LONG_NAMES),
    "samples, narrow": lambda: make_samples(PETS, columns=1),
    "samples, few": lambda: make_samples(PETS, 5),
    "boundary of 2": lambda: make_boundary(["inside", "outside"]),
    "boundary of 26": lambda: make_boundary(LETTERS),
    "boundary, long names": lambda: make_boundary(LONG_NAMES),
    "report, images": lambda: make_report(10, CLOTHES, kind="images"),
    "report, boundary": lambda: make_report(3, PETS, 200, kind="boundary"),
    "report, bars": lambda: make_report(3, PETS, 1),
    "report of 26": lambda: make_report(26, LETTERS),
    "report of 26 words": lambda: make_report(26, [f"letter {n}" for n in LETTERS]),
    "report, long names": lambda: make_report(5, LONG_NAMES, kind="images"),
    "report, long boundary names": lambda: make_report(5, LONG_NAMES, kind="boundary"),
    "report of 5 metrics": lambda: make_report(3, PETS, history=many_metrics(20)),
    "report, long header": lambda: make_report(
        2, ["a", "b"], title="A title with many words. " * 9, subtitle="words " * 90
    ),
}


@pytest.mark.parametrize("build", FIGURES.values(), ids=FIGURES.keys())
def test_no_text_is_cut_or_covered(build, layout_problems):
    assert layout_problems(build()) == []


def test_pyplot_is_never_imported():
    code = (
        "import sys, numpy as np\n"
        "from nnfs_xp import plots\n"
        "plots.report([{'epoch': 1, 'loss': 1.0, 'accuracy': 0.5}],\n"
        "    np.array([0, 1]), np.array([0, 0]), np.array([0.5, 0.9]),\n"
        "    ['a', 'b'], title='t', subtitle='s')\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


def test_settings_of_matplotlib_stay_as_they_are():
    import matplotlib

    before = dict(matplotlib.rcParams)
    make_report(3, PETS, kind="images")
    assert dict(matplotlib.rcParams) == before


# Learning curves


def test_learning_curves_show_what_went_in():
    history = make_history(7)
    loss_ax, accuracy_ax = plots.learning_curves(history).axes
    for ax, key in ((loss_ax, "loss"), (accuracy_ax, "accuracy")):
        lines = lines_of(ax)
        epochs = [record["epoch"] for record in history]
        for name, series in (("training", key), ("validation", f"validation_{key}")):
            values = [record[series] for record in history]
            np.testing.assert_array_equal(lines[name].T, [epochs, values])
        assert ax.get_xlabel() == "epoch"
    assert title_of(loss_ax) == "Loss"
    assert title_of(accuracy_ax) == "Accuracy"
    assert accuracy_ax.get_ylabel() == "accuracy (%)"


def test_learning_curves_leave_out_epochs_without_validation():
    history = make_history(4, validation=False)
    history[1]["validation_loss"] = 0.5
    history[3]["validation_loss"] = 0.25
    loss_ax, accuracy_ax = plots.learning_curves(history).axes
    validation = lines_of(loss_ax)["validation"]
    np.testing.assert_array_equal(validation, [[2, 0.5], [4, 0.25]])
    assert list(lines_of(accuracy_ax)) == ["training"]


@pytest.mark.parametrize("missing", [float("nan"), None])
def test_nan_is_a_gap(missing):
    """None stands for it in a file of JSON."""
    history = make_history(3)
    history[1]["loss"] = history[2]["validation_accuracy"] = missing
    loss_ax, accuracy_ax = plots.learning_curves(history).axes
    training = [[1, 2], [2, np.nan], [3, 2 / 3]]
    np.testing.assert_array_equal(lines_of(loss_ax)["training"], training)
    assert np.isnan(lines_of(accuracy_ax)["validation"][-1, 1])
    assert accuracy_ax.get_lines()[1].get_label() == "validation nan %"


CLASSES = {
    "layers": lambda: [nx.Dense(2, 3), nx.Softmax()],
    "loss": "categorical_crossentropy",
}
VALUES = {"layers": lambda: [nx.Dense(2, 3)], "loss": "mean_squared_error"}


@pytest.mark.parametrize(
    ("kind", "metrics", "titles"),
    [
        (CLASSES, "auto", ["Loss", "Accuracy"]),
        (CLASSES, None, ["Loss"]),
        (CLASSES, "f1", ["Loss", "F1"]),
        (CLASSES, [nx.TopKAccuracy(2), nx.F1(name="mean_of_f1"), nx.ConfusionMatrix(3)],
         ["Loss", "Top k accuracy", "Mean of f1"]),
        (VALUES, "auto", ["Loss"]),
        (VALUES, "accuracy", ["Loss", "Accuracy"]),
        (VALUES, "r2", ["Loss", "R2"]),
    ],
)  # fmt: skip
def test_every_training_is_drawn(kind, metrics, titles, tmp_path, layout_problems):
    """From what ``fit`` returns, and from the file of a log."""
    x, labels = spiral_data(20, 3)
    y = labels if kind is CLASSES else np.eye(3)[labels]
    layers, loss = kind["layers"](), kind["loss"]
    model = nx.Model(layers, loss=loss, optimizer="adam", metrics=metrics)
    log = nx.JSONLog(tmp_path / "log")
    history = model.fit(x, y, epochs=3, validation_data=(x, y), callbacks=log)
    with open(log.path) as file:
        read = [json.loads(line) for line in file]
    for given in (history, history.epochs, read):
        figure = plots.learning_curves(given)
        assert [title_of(ax).replace("\n", " ") for ax in figure.axes] == titles
        for ax in figure.axes:
            name = title_of(ax).replace("\n", " ").replace(" ", "_").lower()
            for line, key in (("training", name), ("validation", f"validation_{name}")):
                np.testing.assert_array_equal(
                    lines_of(ax)[line].T, [[1, 2, 3], history[key]]
                )
    assert layout_problems(figure) == []


def test_a_training_that_diverges_is_read_back_from_its_log(tmp_path):
    x, y = spiral_data(20, 3)
    model = nx.Model(
        [nx.Dense(2, 3), nx.Softmax()],
        loss="categorical_crossentropy",
        optimizer=nx.SGD(1e30),
    )
    log = nx.JSONLog(tmp_path / "log")
    model.fit(1e10 * x, y, epochs=3, callbacks=log, on_divergence="continue")
    with open(log.path) as file:
        read = [json.loads(line) for line in file]
    assert read[-1]["loss"] is None
    _, losses = lines_of(plots.learning_curves(read).axes[0])["training"].T
    np.testing.assert_array_equal(np.isnan(losses), [False, True, True])


def test_only_accuracies_are_in_percent():
    record = {"epoch": 1, "loss": 0.5, "recall": 0.25, "balanced_accuracy": 0.75}
    _, recall, accuracy = plots.learning_curves([record]).axes
    assert (recall.get_ylabel(), accuracy.get_ylabel()) == (
        "recall", "balanced accuracy (%)"
    )  # fmt: skip
    labels = [ax.get_lines()[0].get_label() for ax in (recall, accuracy)]
    assert labels == ["training 0.25", "training 75.0 %"]


def test_single_epoch_is_a_marker_with_one_tick():
    for ax in plots.learning_curves(make_history(1)).axes:
        assert all(line.get_marker() in ("o", "s") for line in ax.get_lines())
        low, high = ax.get_xlim()
        assert [tick for tick in ax.get_xticks() if low <= tick <= high] == [1]


@pytest.mark.parametrize("epochs", [1, 2, 3, 20, 57, 200])
def test_epoch_ticks_are_epochs(epochs):
    ax = plots.learning_curves(make_history(epochs)).axes[0]
    low, high = ax.get_xlim()
    shown = [tick for tick in ax.get_xticks() if low <= tick <= high]
    assert shown
    assert all(tick == int(tick) and 1 <= tick <= epochs for tick in shown)


def test_accuracy_axis_ends_at_100_percent():
    history = [{"epoch": 1, "loss": 0.0, "accuracy": 1.0}]
    assert plots.learning_curves(history).axes[1].get_ylim()[1] == 1.0


def test_training_that_diverged_is_drawn(layout_problems):
    history = make_history(3)
    history[1]["loss"] = float("inf")
    history[2]["loss"] = float("nan")
    assert layout_problems(plots.learning_curves(history)) == []


def test_numpy_numbers_are_accepted():
    history = [{"epoch": np.int64(1), "loss": np.float32(1), "accuracy": np.array(0.5)}]
    np.testing.assert_array_equal(
        lines_of(plots.learning_curves(history).axes[1])["training"], [[1, 0.5]]
    )


@pytest.mark.parametrize(
    ("history", "message"),
    [
        ([], "history must have at least one epoch"),
        ("history", "history must be a sequence"),
        ({"epoch": [1]}, "history must be a sequence"),
        ([1.0], r"history\[0\] must be a mapping"),
        ([{"loss": 1.0}], r"history\[0\] must be a mapping with an epoch, got {'loss'"),
        ([{"epoch": 1, "seconds": 1.0}], "a loss or a metric, got only epoch, seconds"),
        (
            [{"epoch": "first"}],
            r"\['epoch'\] must be a number, got 'first'",
        ),
        ([{"epoch": None, "loss": 1.0}], r"\['epoch'\] must be finite, got nan"),
        (
            [{"epoch": 1, "loss": "low", "accuracy": 1.0}],
            r"history\[0\]\['loss'\] must be a number, got 'low'",
        ),
        (make_history(2)[::-1], "rising epochs, got 1 after 2"),
        (
            [{"epoch": float("nan"), "loss": 1.0, "accuracy": 1.0}],
            r"history\[0\]\['epoch'\] must be finite",
        ),
    ],
)
def test_bad_history_is_refused(history, message):
    with pytest.raises(InputError, match=message):
        plots.learning_curves(history)


# Confusion matrix


def test_confusion_matrix_counts():
    true = np.array([0, 0, 0, 1, 2, 2], dtype=np.uint8)
    predicted = np.array([0, 0, 1, 1, 0, 2])
    figure = plots.confusion_matrix(true, predicted, PETS)
    ax, bar = figure.axes
    assert texts_of(ax) == ["2", "1", "0", "0", "1", "0", "1", "0", "1"]
    np.testing.assert_allclose(
        ax.images[0].get_array(), [[2 / 3, 1 / 3, 0], [0, 1, 0], [0.5, 0, 0.5]]
    )
    assert title_of(ax) == "Confusion matrix: accuracy 66.7 % (4 of 6)"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("predicted class", "true class")
    assert [label.get_text() for label in ax.get_xticklabels()] == PETS
    assert [label.get_text() for label in ax.get_yticklabels()] == PETS
    assert bar.get_ylabel() == "share of the true class (%)"


def test_row_of_an_absent_class_is_masked():
    figure = plots.confusion_matrix(np.array([0, 0]), np.array([0, 2]), PETS)
    ax = figure.axes[0]
    shares = ax.images[0].get_array()
    np.testing.assert_array_equal(shares.mask.all(axis=1), [False, True, True])
    assert texts_of(ax) == ["1", "0", "1", *"000000"]


def test_labels_of_a_narrow_dtype_do_not_overflow():
    labels = np.arange(26, dtype=np.uint8)
    ax = plots.confusion_matrix(labels, labels, LETTERS).axes[0]
    np.testing.assert_array_equal(ax.images[0].get_array(), np.eye(26))


def test_numbers_are_hidden_in_small_cells():
    assert len(make_matrix(LETTERS).axes[0].texts) == 26 * 26
    names = [str(place) for place in range(100)]
    assert len(make_matrix(names).axes[0].texts) == 0


@pytest.mark.parametrize("names", [PETS, CLOTHES, LONG_NAMES, LETTERS])
def test_cells_are_square(names):
    figure = make_matrix(names)
    figure.draw_without_rendering()
    area = figure.axes[0].get_window_extent()
    assert area.width == pytest.approx(area.height, rel=0.02)


def test_every_name_or_every_nth_is_shown():
    def shown(names):
        ax = make_matrix(names).axes[0]
        return [label.get_text() for label in ax.get_yticklabels()]

    assert shown(LETTERS) == LETTERS
    assert "".join(shown(LONG_NAMES)).replace("\n", " ").count("Ankle boot, leather,")
    names = [f"class {place}" for place in range(100)]
    assert shown(names) == names[:: names.index(shown(names)[1])]


def test_name_with_dollars_or_underscore_is_no_markup():
    ax = make_matrix(["$x$", "_hidden"]).axes[0]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["$x$", "_hidden"]
    assert not ax.get_xticklabels()[0].get_parse_math()


def test_numbers_stand_out_from_their_cells():
    assert readable_on(SHARES(0.0)) == INK
    assert readable_on(SHARES(1.0)) == "white"
    assert readable_on(to_rgb("yellow")) == INK
    ax = plots.confusion_matrix(
        np.array([0, 0, 1]), np.array([0, 0, 1]), ["a", "b"]
    ).axes[0]
    colors = [text.get_color() for text in ax.texts]
    assert colors == ["white", INK, INK, "white"]


def test_color_map_has_even_lightness_steps():
    rgb = SHARES(np.linspace(0, 1, 11))[:, :3]
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    lightness = 116 * np.cbrt(linear @ [0.2126, 0.7152, 0.0722]) - 16
    steps = np.diff(lightness)
    assert (steps < 0).all()
    np.testing.assert_allclose(steps, steps.mean(), atol=0.6)


@pytest.mark.parametrize(
    ("true", "predicted", "names", "error", "message"),
    [
        ([0, 1], [0], PETS, InputError, "y_pred must have one entry for each of the 2"),
        ([], [], PETS, InputError, "y_true must have at least one label"),
        ([[0]], [0], PETS, InputError, r"y_true must have shape \(n,\)"),
        ([0, 3], [0, 1], PETS, InputError, "y_true must hold labels .*got 3"),
        ([0, 1], [0, -1], PETS, InputError, "y_pred must hold labels .*got -1"),
        ([0.0], [0], PETS, DTypeError, "y_true must hold integer labels"),
        ([0], [0], [], InputError, "class_names must have"),
        ([0], [0], "cat", InputError, "class_names must be a sequence"),
        ([0], [0], None, InputError, "class_names must be a sequence .* got None"),
        ([0], [0], 3, InputError, "class_names must be a sequence of names, got 3"),
    ],
)
@pytest.mark.parametrize("plot", [plots.confusion_matrix, plots.class_scores])
def test_bad_labels_are_refused(plot, true, predicted, names, error, message):
    dtype = None if true else np.int64
    with pytest.raises(error, match=message):
        plot(np.array(true, dtype), np.array(predicted, dtype), names)


# Scores per class


def test_class_scores_are_recall_and_precision():
    true = np.array([0, 0, 0, 1, 1, 2])
    predicted = np.array([0, 0, 1, 1, 1, 0])
    ax = plots.class_scores(true, predicted, PETS).axes[0]
    np.testing.assert_allclose(
        [bar.get_width() for bar in ax.patches],
        [2 / 3, 1, 0, 2 / 3, 2 / 3, 0],
    )
    assert texts_of(ax) == [
        *("66.7 %", "100.0 %", "0.0 %"),
        *("66.7 %", "66.7 %", "never predicted"),
    ]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "recall",
        "precision",
    ]
    assert ax.get_xlabel() == "share (%)"


def test_class_without_examples_says_so():
    ax = plots.class_scores(np.array([0, 1]), np.array([0, 2]), PETS).axes[0]
    assert "no examples" in texts_of(ax)


# Sample predictions


def test_samples_are_right_ones_of_each_class_and_the_surest_wrong_ones():
    true = np.array([0, 0, 0, 1, 1, 2, 0, 1, 2])
    predicted = np.array([0, 0, 0, 1, 1, 2, 1, 2, 0])
    confidence = np.array([0.5, 0.6, 0.7, 0.8, 0.9, 0.5, 0.4, 0.99, 0.6])
    right, wrong = choose(true, predicted, confidence, rows=2, columns=4)
    assert right.tolist() == [0, 3, 5, 1]
    assert wrong.tolist() == [7, 8, 6]


@pytest.mark.parametrize(
    ("mistakes", "rows", "shown"),
    [(50, 4, (8, 8)), (3, 4, (12, 3)), (0, 4, (16, 0)), (100, 4, (0, 16)), (50, 1, 4)],
)
def test_rows_go_to_those_who_can_fill_them(mistakes, rows, shown):
    true = np.zeros(100, dtype=np.int64)
    predicted = (np.arange(100) < mistakes).astype(np.int64)
    right, wrong = choose(true, predicted, np.full(100, 0.5), rows, columns=4)
    if rows == 1:
        assert len(right) + len(wrong) == shown
    else:
        assert (len(right), len(wrong)) == shown


def test_samples_show_their_images_and_captions():
    images = RANDOM.integers(0, 256, (4, 6), dtype=np.uint8)
    images[0, 0], images[1, 0] = 0, 255
    figure = plots.sample_predictions(
        images,
        np.array([0, 0, 1, 1]),
        np.array([0, 0, 1, 0]),
        np.array([0.9, 0.8, 0.701, 0.6]),
        PETS,
        (2, 3),
    )
    captions = [ax.get_title() for ax in figure.axes]
    assert captions == [
        "cat (90 %)",
        "dog (70 %)",
        "cat (80 %)",
        "\N{MULTIPLICATION SIGN} cat (60 %)\ntrue: dog",
    ]
    for ax, place in zip(figure.axes, [0, 2, 1, 3], strict=True):
        np.testing.assert_allclose(
            ax.images[0].get_array(), images[place].reshape(2, 3) / 255
        )
    headings = [part.get_suptitle() for part in figure.subfigs]
    assert headings == ["Right: 3 of 4", "Wrong: 1 of 4, the most confident first"]


def test_wrong_samples_differ_in_color_mark_and_frame():
    figure = make_samples(PETS)
    marked = {True: set(), False: set()}
    for ax in figure.axes:
        spine = ax.spines["left"]
        look = (
            ax.title.get_color(),
            to_hex(spine.get_edgecolor()),
            spine.get_linewidth(),
        )
        marked["true:" in ax.get_title()].add(look)
    (right,), (wrong,) = marked[False], marked[True]
    assert all(one != other for one, other in zip(right, wrong, strict=True))


@pytest.mark.parametrize("shape", [(4, 3), (4, 3, 1), (4, 3, 3)])
@pytest.mark.parametrize("flat", [True, False])
@pytest.mark.parametrize("dtype", ["uint8", "float32", "float16", "bool"])
def test_images_of_every_kind_are_scaled_to_0_and_1(shape, flat, dtype):
    images = (2 * RANDOM.random((6, *shape))).astype(dtype)
    images[0].flat[0], images[0].flat[1] = 0, 1
    labels = np.zeros(6, dtype=np.int64)
    figure = plots.sample_predictions(
        images.reshape(6, -1) if flat else images,
        labels,
        labels,
        np.ones(6),
        ["only"],
        shape,
    )
    shown = np.stack([np.asarray(ax.images[0].get_array()) for ax in figure.axes])
    assert len(figure.axes) == 6
    assert (shown.min(), shown.max()) == (0, 1)


def test_images_of_one_value_are_black():
    one = np.zeros(1, dtype=np.int64)
    figure = plots.sample_predictions(
        np.full((1, 4), 7.0), one, one, np.ones(1), ["a"], (2, 2)
    )
    assert not figure.axes[0].images[0].get_array().any()


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"images": np.zeros((4, 5))}, InputError, r"images must have shape \(n, 4\)"),
        ({"images": np.zeros((3, 4))}, InputError, "images must have one entry"),
        ({"images": np.full((4, 4), "a")}, DTypeError, "images must hold real"),
        ({"images": np.full((4, 4), np.nan)}, InputError, "images must be finite"),
        ({"image_shape": (4,)}, InputError, "image_shape must be"),
        ({"image_shape": (1, 2, 2)}, InputError, "image_shape must be"),
        ({"image_shape": (0, 2)}, InputError, "image_shape must be"),
        ({"confidence": np.ones(3)}, InputError, "confidence must have one entry"),
        ({"confidence": np.ones((4, 1))}, InputError, r"must have shape \(4,\)"),
        ({"confidence": np.full(4, 97.0)}, InputError, "from 0 to 1, got 97"),
        ({"confidence": np.full(4, np.nan)}, InputError, "from 0 to 1, got nan"),
        ({"confidence": np.full(4, "a")}, DTypeError, "confidence must hold"),
        ({"y_pred": np.zeros(5, int)}, InputError, "y_pred must have one entry"),
        ({"rows": 0}, InputError, "rows must be at least 1"),
        ({"columns": 0}, InputError, "columns must be at least 1"),
    ],
)
def test_bad_samples_are_refused(change, error, message):
    arguments = {
        "images": np.eye(4),
        "y_true": np.zeros(4, int),
        "y_pred": np.zeros(4, int),
        "confidence": np.ones(4),
        "class_names": PETS,
        "image_shape": (2, 2),
    }
    with pytest.raises(error, match=message):
        plots.sample_predictions(**{**arguments, **change})


# Decision boundary


def left_or_right(x):
    right = 1 / (1 + np.exp(-4 * x[:, 0]))
    return np.stack([1 - right, right], axis=1)


def test_decision_boundary_shows_points_and_regions():
    x = np.array([[-1.0, 0.0], [1.0, 0.0], [-0.8, 1.0], [0.9, -1.0]])
    y = np.array([0, 1, 1, 1])
    ax, bar = plots.decision_boundary(left_or_right, x, y, ["left", "right"]).axes
    points = ax.collections[-2:]
    np.testing.assert_array_equal(points[0].get_offsets(), x[y == 0])
    np.testing.assert_array_equal(points[1].get_offsets(), x[y == 1])
    rims = [to_hex(rim) for rim in points[1].get_edgecolors()]
    assert rims == ["#ffffff", INK, "#ffffff"]

    shades = np.asarray(ax.images[0].get_array())
    left, middle, right = shades[0, 0], shades[0, 120], shades[0, -1]
    assert left[2] > left[0]  # blue
    assert right[0] > right[2]  # orange
    assert middle.min() > 0.95  # undecided, so nearly white

    assert title_of(ax) == "Decision boundary: 75.0 % of 4 points right"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("feature 1", "feature 2")
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "left",
        "right",
        "dark rim: wrong",
    ]
    assert "confidence" in bar.get_xlabel()


def test_predict_gets_the_precision_of_the_data():
    seen = set()

    def predict(x):
        seen.add(x.dtype)
        return left_or_right(x)

    y = np.array([0, 1])
    plots.decision_boundary(predict, np.eye(2, dtype=np.float32), y, ["a", "b"])
    assert seen == {np.dtype("float32")}
    seen.clear()
    plots.decision_boundary(predict, np.eye(2, dtype=np.int8), y, ["a", "b"])
    assert seen == {np.dtype("float64")}


def test_boundary_of_one_point_one_class_and_no_border():
    figure = plots.decision_boundary(
        lambda x: np.ones((len(x), 1)), np.zeros((1, 2)), np.array([0]), ["only"]
    )
    low, high = figure.axes[0].get_xlim()
    assert low < 0 < high
    plots.decision_boundary(
        lambda x: np.tile([0.2, 0.8], (len(x), 1)),
        np.zeros((1, 2)),
        np.array([0]),
        ["a", "b"],
    )


def test_legend_keeps_odd_names():
    names = ["$x$", "_hidden"]
    figure = plots.decision_boundary(left_or_right, np.eye(2), np.array([0, 1]), names)
    texts = figure.axes[0].get_legend().get_texts()
    assert [text.get_text() for text in texts][:2] == names


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"x": np.zeros((2, 3))}, InputError, r"x must have shape \(2, 2\)"),
        ({"x": np.zeros((3, 2))}, InputError, r"x must have shape \(2, 2\)"),
        ({"x": np.full((2, 2), "a")}, DTypeError, "x must hold real"),
        ({"x": np.full((2, 2), np.inf)}, InputError, "x must be finite"),
        ({"y": np.array([0, 2])}, InputError, "y must hold labels from 0 to 1"),
        ({"class_names": PETS}, InputError, r"predict must return shape .*, 3\)"),
        (
            {"predict": lambda x: np.full((len(x), 2), np.nan)},
            InputError,
            "predict must return finite",
        ),
    ],
)
def test_bad_boundary_is_refused(change, error, message):
    arguments = {
        "predict": left_or_right,
        "x": np.eye(2),
        "y": np.array([0, 1]),
        "class_names": ["a", "b"],
    }
    with pytest.raises(error, match=message):
        plots.decision_boundary(**{**arguments, **change})


# Report


def titles_of(figure):
    return [title_of(ax).split(":")[0] for ax in figure.axes if title_of(ax)]


def test_report_of_images():
    figure = make_report(3, PETS, kind="images")
    assert titles_of(figure) == ["Loss", "Accuracy", "Confusion matrix"]
    # Two panels of curves, the matrix with its bar, and 4 rows of 5 images.
    assert len(figure.axes) == 2 + 2 + 20


def test_report_of_two_features():
    figure = make_report(3, PETS, kind="boundary")
    assert set(titles_of(figure)) == {
        "Loss",
        "Accuracy",
        "Decision boundary",
        "Confusion matrix",
    }


def test_report_of_a_training_without_accuracy():
    figure = make_report(3, PETS, history=[{"epoch": 1, "loss": 1.0, "f1": 0.5}])
    assert titles_of(figure)[:2] == ["Loss", "F1"]


def test_report_of_anything_else():
    figure = make_report(3, PETS)
    assert "Recall and precision per class" in titles_of(figure)


def test_report_has_a_header():
    header, *_ = make_report(3, PETS).subfigs
    title, subtitle = header.texts
    assert [title.get_text(), subtitle.get_text()] == list(HEADER.values())
    assert title.get_size() > subtitle.get_size()
    assert title.get_color() != subtitle.get_color()


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ({"images": np.eye(2)}, "images must be given together with image_shape"),
        ({"image_shape": (1, 2)}, "image_shape must be given together with images"),
        ({"x": np.eye(2)}, "x must be given together with predict"),
        ({"predict": left_or_right}, "predict must be given together with x"),
        ({"predict": left_or_right, "x": np.eye(3)}, r"x must have shape \(2, 2\)"),
        (
            {
                "predict": left_or_right,
                "x": np.eye(2),
                "images": np.eye(2),
                "image_shape": (1, 2),
            },
            "either images or predict must be None",
        ),
        ({"confidence": np.ones(3)}, "confidence must have one entry"),
        ({"history": []}, "history must have"),
        ({"images": np.eye(2), "image_shape": (2, 2)}, "images must have shape"),
    ],
)
def test_bad_report_is_refused(extra, message):
    arguments = {
        "history": make_history(1),
        "y_true": np.array([0, 1]),
        "y_pred": np.array([0, 1]),
        "confidence": np.ones(2),
        "class_names": ["a", "b"],
    }
    with pytest.raises(InputError, match=message):
        plots.report(**{**arguments, **extra}, **HEADER)


def test_pictures_can_be_drawn_into_a_figure_of_ones_own(layout_problems):
    figure = Figure(figsize=(12, 9), layout="constrained")
    FigureCanvasAgg(figure)
    upper, lower = figure.subfigures(2, 1)
    plots.draw_learning_curves(upper, make_history(3))
    left, right = lower.subplots(1, 2)
    true, predicted, _ = make_predictions(3, 60)
    plots.draw_class_scores(right, true, predicted, PETS)
    plots.draw_confusion_matrix(left, true, predicted, PETS)
    assert layout_problems(figure) == []


# Text


def test_wrap_breaks_lines_that_are_too_long():
    text = "Fashion-MNIST (mini): 784-128-128-10, test accuracy 85.3 %, and_so_on/etc"
    for width in (0.5, 0.8, 1.2, 2.0):
        lines = wrap(text, width, 8).split("\n")
        assert all(text_width(line, 8) <= width for line in lines)
        assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert wrap(text, 20, 8) == text


def test_wrap_breaks_after_hyphens_and_not_before_percent_signs():
    assert wrap("self-evident", 0.6, 8) == "self-\nevident"
    assert wrap("confidence 97 %", text_width("confidence 97", 8), 8) == (
        "confidence\n97 %"
    )
    assert wrap("abcdef", 1e-6, 8) == "a\nb\nc\nd\ne\nf"
    assert wrap("", 1.0, 8) == ""


def test_percent_ticks_have_equal_decimals():
    assert PercentTicks().format_ticks([0.8, 0.85, 0.9]) == ["80", "85", "90"]
    assert PercentTicks().format_ticks([0.99, 0.995]) == ["99.0", "99.5"]
    assert PercentTicks()(0.5) == "50"


# Saving


@pytest.fixture
def figure():
    return plots.learning_curves(make_history(2))


def test_saved_file_is_a_png_of_150_dots_per_inch(figure, tmp_path):
    plots.save_figure(figure, tmp_path / "curves.png")
    width, height = figure.get_size_inches()
    pixels = imread(tmp_path / "curves.png")
    assert pixels.shape[:2] == (round(150 * height), round(150 * width))
    assert [path.name for path in tmp_path.iterdir()] == ["curves.png"]


def test_saving_replaces_a_file(figure, tmp_path):
    path = tmp_path / "curves.PNG"
    path.write_bytes(b"old")
    plots.save_figure(figure, str(path))
    assert path.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("failing", ["write", "replace"])
def test_failed_saving_leaves_everything_as_it_was(
    figure, tmp_path, monkeypatch, failing
):
    path = tmp_path / "curves.png"
    path.write_bytes(b"old")

    def fail(*arguments, **keywords):
        raise OSError("disk full")

    def fail_half_way(file, *arguments, **keywords):
        file.write(b"\x89PNG")
        fail()

    if failing == "write":
        monkeypatch.setattr(figure, "savefig", fail_half_way)
    else:
        monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        plots.save_figure(figure, path)
    assert path.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["curves.png"]


def test_other_formats_are_refused(figure, tmp_path):
    with pytest.raises(InputError, match=r"path must end in \.png"):
        plots.save_figure(figure, tmp_path / "curves.pdf")


def test_missing_directory_is_an_error(figure, tmp_path):
    with pytest.raises(FileNotFoundError):
        plots.save_figure(figure, tmp_path / "nowhere" / "curves.png")


def test_reliability_bars_are_shares_of_bins():
    p = np.array([0.1, 0.1, 0.35, 0.9, 0.9, 0.9, 0.9])
    y = np.array([0, 1, 0, 1, 1, 1, 0])
    figure = plots.reliability(y, p, bins=4)
    above, below = figure.axes
    heights = [bar.get_height() for bar in above.patches]
    np.testing.assert_allclose(heights, [0.5, 0.0, 0.0, 0.75])
    counts = [bar.get_height() for bar in below.patches]
    np.testing.assert_allclose(counts, np.array([2, 1, 0, 4]) / 7)
    (points,) = [line for line in above.lines if line.get_marker() == "o"]
    np.testing.assert_allclose(points.get_xdata(), [0.1, 0.35, 0.9])
    error = (abs(0.2 - 1) + 0.35 + abs(3.6 - 3)) / 7
    assert title_of(above) == f"Reliability: calibration error {100 * error:.1f} %"
    with pytest.raises(nx.InputError, match="bins must be a positive integer"):
        plots.reliability(y, p, bins=0)
    with pytest.raises(nx.InputError, match="^y_true"):
        plots.reliability(y[:3], p)


@pytest.mark.parametrize("value", [None, 3, [], "model"])
def test_what_is_no_model_is_refused(value):
    for draw, kind in (
        (plots.plot_model, "Model"),
        (plots.weight_histograms, "Model"),
        (lambda model: plots.activation_histograms(model, [[1.0]]), "Model"),
        (lambda model: plots.gradient_histograms(model, [[1.0]], [[1.0]]), "Model"),
        (plots.learning_rate_curve, "LearningRateRange"),
    ):
        with pytest.raises(InputError, match=f"^(model|found) must be a {kind}, got"):
            draw(value)
