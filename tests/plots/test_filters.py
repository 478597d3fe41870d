"""Tests of the pictures of a first layer's weights."""

from __future__ import annotations

import numpy as np
import pytest

from nnfs_xp import plots
from nnfs_xp.errors import DTypeError, InputError
from nnfs_xp.plots.filters import SIGNED

RANDOM = np.random.default_rng(0)


def images_of(figure):
    return [np.asarray(ax.images[0].get_array()) for ax in figure.axes if ax.images]


def numbers_of(figure):
    return [int(ax.get_title()) for ax in figure.axes if ax.images]


def test_filters_are_columns_the_largest_first():
    weights = RANDOM.normal(size=(12, 5)) * [1.0, 9.0, 0.1, 3.0, 2.0]
    figure = plots.first_layer_filters(weights, (4, 3))
    order = np.argsort(-np.linalg.norm(weights, axis=0))
    assert numbers_of(figure) == order.tolist()
    for image, neuron in zip(images_of(figure), order, strict=True):
        np.testing.assert_array_equal(image, weights[:, neuron].reshape(4, 3))


def test_only_so_many_are_shown():
    figure = plots.first_layer_filters(np.ones((4, 9)), (2, 2), rows=2, columns=3)
    assert numbers_of(figure) == [0, 1, 2, 3, 4, 5]
    assert figure.get_suptitle() == "First-layer weights: 6 of 9 neurons"


def test_all_have_one_scale_around_zero():
    weights = np.array([[1.0, -3.0], [0.5, 4.0]])
    figure = plots.first_layer_filters(weights, (1, 2))
    for ax in figure.axes[:2]:
        assert ax.images[0].get_clim() == (-4.0, 4.0)


def test_both_signs_are_as_strong_and_told_apart():
    def lightness(color):
        return float(np.dot(color[:3], [0.2126, 0.7152, 0.0722]))

    low, middle, high = SIGNED(0.1), SIGNED(0.5), SIGNED(0.9)
    assert abs(lightness(low) - lightness(high)) < 0.1
    assert lightness(middle) > 0.9
    # Blue against orange: the hues that every kind of colour blindness leaves.
    assert low[2] > low[0] and high[0] > high[2]


def test_arrays_of_any_backend(backend64):
    weights = backend64.asarray(np.eye(4))
    assert numbers_of(plots.first_layer_filters(weights, (2, 2))) == [0, 1, 2, 3]


FIGURES = {
    "images": ((784, 128), (28, 28), {}),
    "one": ((4, 1), (2, 2), {}),
    "five": ((64, 5), (8, 8), {}),
    "column": ((64, 9), (8, 8), {"columns": 1}),
    "wide": ((30, 9), (3, 10), {}),
    "many": ((4, 500), (2, 2), {"rows": 10, "columns": 12}),
}


@pytest.mark.parametrize("case", FIGURES.values(), ids=FIGURES.keys())
def test_no_text_is_cut_or_covered(case, layout_problems):
    shape, image_shape, grid = case
    figure = plots.first_layer_filters(RANDOM.normal(size=shape), image_shape, **grid)
    assert layout_problems(figure) == []


def test_zeros_can_be_drawn(layout_problems):
    assert layout_problems(plots.first_layer_filters(np.zeros((4, 2)), (2, 2))) == []


def test_the_shape_may_be_an_array():
    figure = plots.first_layer_filters(np.eye(4), np.array([2, 2]))
    assert len(figure.axes) == 5


@pytest.mark.parametrize(
    ("weights", "image_shape", "grid", "error", "message"),
    [
        (np.ones(4), (2, 2), {}, InputError, r"weights must have shape .* got \(4,\)"),
        (np.ones((4, 0)), (2, 2), {}, InputError, r"got \(4, 0\)"),
        (np.full((4, 1), np.inf), (2, 2), {}, InputError, "weights must be finite"),
        (np.ones((4, 1), complex), (2, 2), {}, DTypeError, "real numbers"),
        (np.ones((5, 1)), (2, 2), {}, InputError, r"5 values, .* got \(2, 2\)"),
        (np.ones((4, 1)), (2, 2, 1), {}, InputError, r"got \(2, 2, 1\)"),
        (np.ones((4, 1)), None, {}, InputError, r"\(height, width\) with 4 values"),
        (np.ones((4, 1)), (2, 2), {"rows": 0}, InputError, "rows must be at least 1"),
    ],
)
def test_bad_input_is_refused(weights, image_shape, grid, error, message):
    with pytest.raises(error, match=message):
        plots.first_layer_filters(weights, image_shape, **grid)
