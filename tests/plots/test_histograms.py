"""Tests of the histograms by layer: what they count, and that all can be read."""

from __future__ import annotations

import numpy as np
import pytest

import nnfs_xp as nx
from nnfs_xp import plots
from nnfs_xp.data import spiral_data
from nnfs_xp.errors import DTypeError, InputError

RANDOM = np.random.default_rng(0)


@pytest.fixture(scope="module")
def model():
    layers = [
        nx.Dense(2, 32),
        nx.ReLU(),
        nx.Dropout(0.1),
        nx.Dense(32, 3),
        nx.Softmax(),
    ]
    return nx.Model(layers, loss="categorical_crossentropy", optimizer="adam")


@pytest.fixture(scope="module")
def spiral():
    return spiral_data(40, 3)


def bars_of(ax):
    """Return the heights and the edges of a panel's histogram."""
    data = ax.patches[0].get_data()
    return data.values, data.edges


def titles_of(figure):
    return [ax.get_title(loc="left").replace("\n", " ") for ax in figure.axes]


def test_a_panel_counts_its_values():
    values = np.array([0.0, 0.0, 0.0, 1.0, 4.1])
    (ax,) = plots.layer_histograms({"some": values}, "length (m)").axes
    heights, edges = bars_of(ax)
    np.testing.assert_allclose(heights[heights > 0], [3 / 5, 1 / 5, 1 / 5])
    assert (edges[0], edges[-1]) == (0.0, 4.1)
    assert ax.get_xlabel().split("\n")[0] == "length (m)"
    assert "zeros 60 %" in ax.get_xlabel()
    assert ax.get_ylabel() == "share (%)"


def test_one_value_only_is_shown_as_one_bar():
    (ax,) = plots.layer_histograms({"zeros": np.zeros(7)}, "value").axes
    heights, _ = bars_of(ax)
    assert heights.max() == heights.sum() == 1.0


def test_weights_are_those_of_the_model(model):
    figure = plots.weight_histograms(model)
    assert titles_of(figure) == [
        "0 Dense(2, 32) weights",
        "0 Dense(2, 32) biases",
        "3 Dense(32, 3) weights",
        "3 Dense(32, 3) biases",
    ]
    weights = nx.to_numpy(model.layers[3].weights)
    heights, edges = bars_of(figure.axes[2])
    counts, _ = np.histogram(weights, bins=edges)
    np.testing.assert_allclose(heights, counts / weights.size)


def test_activations_have_a_panel_for_each_layer(model, spiral):
    figure = plots.activation_histograms(model, spiral[0])
    assert len(figure.axes) == len(model.layers)
    # Dropout drops nothing here, so its panel equals that of the ReLU.
    np.testing.assert_array_equal(
        bars_of(figure.axes[1])[0], bars_of(figure.axes[2])[0]
    )
    assert "zeros" in figure.axes[1].get_xlabel()


def test_gradients_are_those_of_the_model(model, spiral):
    figure = plots.gradient_histograms(model, *spiral)
    gradient = nx.to_numpy(model.gradients(*spiral)["3.weights"])
    _, edges = bars_of(figure.axes[2])
    np.testing.assert_allclose(edges[[0, -1]], [gradient.min(), gradient.max()])


def test_units_inside_blocks_are_named_by_their_paths(spiral):
    inner = nx.Sequential([nx.BatchNorm(2), nx.ReLU()])
    model = nx.Model(
        [nx.Residual(inner), nx.Dense(2, 3, use_bias=False), nx.Softmax()],
        loss="categorical_crossentropy",
    )
    assert titles_of(plots.weight_histograms(model)) == [
        "0.inner.0 BatchNorm(n=2, momentum=0.1, eps=1e-05) gamma",
        "0.inner.0 BatchNorm(n=2, momentum=0.1, eps=1e-05) beta",
        "1 Dense(2, 3) weights",
    ]
    figure = plots.activation_histograms(model, spiral[0])
    assert [title.partition("(")[0] for title in titles_of(figure)] == [
        "0.inner.0 BatchNorm", "0.inner.1 ReLU", "1 Dense", "2 Softmax",
    ]  # fmt: skip
    relu = figure.axes[1]
    outputs = nx.to_numpy(model.activations(spiral[0])[1])
    assert bars_of(relu)[1][-1] == pytest.approx(outputs.max())
    assert len(plots.gradient_histograms(model, *spiral).axes) == 3


def test_arrays_of_any_backend(backend64):
    values = backend64.asarray([1.0, 2.0])
    assert len(plots.layer_histograms({"own": values}, "value").axes) == 1


LONG = "0 GELU(approximate='none') with a very long descriptive name"
FIGURES = {
    "one": {"0 Dense(2, 3)": RANDOM.normal(size=50)},
    "two": {"a": RANDOM.normal(size=50), "b": np.zeros(3)},
    "seven": {f"{n} Dense(64, 64) weights": RANDOM.normal(size=99) for n in range(7)},
    "tiny": {"0 ReLU()": 1e-9 * RANDOM.normal(size=99)},
    "huge": {"0 ReLU()": 1e12 * RANDOM.normal(size=99)},
    "long": {LONG: RANDOM.normal(size=9), "x $1 $2": np.ones(2)},
}


@pytest.mark.parametrize("values", FIGURES.values(), ids=FIGURES.keys())
def test_no_text_is_cut_or_covered(values, layout_problems):
    assert layout_problems(plots.layer_histograms(values, "gradient")) == []


def test_whole_models_can_be_read(model, spiral, layout_problems):
    for figure in (
        plots.weight_histograms(model),
        plots.activation_histograms(model, spiral[0]),
        plots.gradient_histograms(model, *spiral),
    ):
        assert layout_problems(figure) == []


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        ({}, InputError, "at least one array"),
        ([1.0], InputError, r"values must be a mapping .* got \[1.0\]"),
        ({"a": []}, InputError, r"values\['a'\] must not be empty"),
        ({"a": [1.0, np.nan]}, InputError, r"values\['a'\] must be finite"),
        ({"a": [1j]}, DTypeError, r"values\['a'\] must hold real numbers"),
    ],
)
def test_bad_values_are_refused(values, error, message):
    with pytest.raises(error, match=message):
        plots.layer_histograms(values, "value")


def test_a_model_without_parameters_has_no_weights():
    with pytest.raises(InputError, match="at least one array"):
        plots.weight_histograms(nx.Model([nx.ReLU()]))
