"""The picture of a network has its units, its shapes and its branches."""

import itertools

import numpy as np
import pytest

import nnfs_xp as nx
from nnfs_xp.errors import InputError
from nnfs_xp.plots import plot_model


def boxes_of(figure):
    texts = figure.axes[0].texts
    return {t.get_text(): t.get_position() for t in texts if t.get_bbox_patch()}


def arrows_of(figure):
    """Return the boxes at both ends of each arrow, and what is written at it."""
    at = {place: text for text, place in boxes_of(figure).items()}
    texts = figure.axes[0].texts
    found = []
    for arrow, label in itertools.pairwise(texts):
        if getattr(arrow, "arrow_patch", None) is not None:
            found.append((at[arrow.xyann], at[arrow.xy], label.get_text()))
    return found


def branched():
    residual = nx.Residual(nx.Sequential([nx.Dense(8, 8), nx.ReLU()]))
    branches = [nx.Dense(8, 3), nx.Sequential([nx.Dense(8, 5), nx.Tanh()])]
    return nx.Model(
        [nx.Dense(4, 8), residual, nx.Parallel(branches), nx.Concatenate()],
        loss="mean_squared_error",
    )


def test_a_chain_has_a_box_for_each_layer():
    model = nx.Model([nx.Dense(4, 8), nx.ReLU(), nx.Dense(8, 3), nx.Softmax()])
    figure = plot_model(model)
    assert arrows_of(figure) == [
        ("input", "0 Dense\n40 parameters", "4"),
        ("0 Dense\n40 parameters", "1 ReLU", "8"),
        ("1 ReLU", "2 Dense\n27 parameters", "8"),
        ("2 Dense\n27 parameters", "3 Softmax", "3"),
    ]
    assert figure.axes[0].get_title(loc="left") == "67 parameters"


def test_branches_part_and_come_together():
    figure = plot_model(branched())
    before, sum_ = "0 Dense\n40 parameters", "1 Residual\nsum"
    arrows = arrows_of(figure)
    assert (before, "1 shortcut", "8") in arrows
    assert ("1 shortcut", sum_, "8") in arrows
    assert ("1.inner.1 ReLU", sum_, "8") in arrows
    assert (sum_, "2.0 Dense\n27 parameters", "8") in arrows
    assert (sum_, "2.1.0 Dense\n45 parameters", "8") in arrows
    assert ("2.0 Dense\n27 parameters", "3 Concatenate", "3") in arrows
    assert ("2.1.1 Tanh", "3 Concatenate", "5") in arrows
    assert ("3 Concatenate", "loss\nMeanSquaredError", "8") in arrows
    boxes = boxes_of(figure)
    assert (
        boxes["2.0 Dense\n27 parameters"][1] == boxes["2.1.0 Dense\n45 parameters"][1]
    )
    assert len(set(boxes.values())) == len(boxes)


def test_shapes_of_pictures_may_be_unknown():
    inner = nx.Sequential([nx.BatchNorm(4), nx.Conv2D(4, 4, 3, padding="same")])
    first = nx.Conv2D(1, 4, 3, padding="same")
    model = nx.Model([first, nx.Residual(inner), nx.GlobalAveragePool2D()])
    boxes = boxes_of(plot_model(model))
    assert {"1 Residual\nsum", "1.inner.1 Conv2D\n148 parameters"} <= set(boxes)


def test_nothing_is_computed_or_changed():
    model = branched()
    before = model.get_parameters()
    plot_model(model)
    for own, other in zip(before, model.get_parameters(), strict=True):
        for a, b in zip(own, other, strict=True):
            np.testing.assert_array_equal(a, b)
    assert model.epochs_trained == 0


def test_no_text_is_cut_or_covered(layout_problems):
    assert layout_problems(plot_model(branched())) == []


def test_a_model_without_layers_is_refused():
    with pytest.raises(InputError):
        plot_model(nx.Model())
