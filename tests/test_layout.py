"""Both layouts hold the same parameters, and one of them in one buffer."""

import math

import numpy as np
import pytest

import nnfs_xp as nx
from nnfs_xp.engine.layout import FlatLayout, SeparateLayout, layout_for
from nnfs_xp.engine.step import Batch
from tests.conftest import MATRIX

SHAPES = {"0.weights": (3, 4), "0.biases": (1, 4), "2.weights": (4, 2)}
NAMED = {
    "0.weights": np.arange(12.0).reshape(3, 4),
    "0.biases": -np.ones((1, 4)),
    "2.weights": np.arange(8.0).reshape(4, 2) + 100,
}


# The backends whose slices are views to write through.
in_place = pytest.mark.parametrize(
    "backend_name", [name for name in MATRIX if name in ("numpy", "torch", "cupy")]
)


def test_layout_follows_from_the_backend(backend64):
    writable = backend64.name in ("numpy", "torch", "cupy")
    assert backend64.in_place == writable
    layout = layout_for(backend64, SHAPES)
    assert type(layout) is (FlatLayout if writable else SeparateLayout)


def test_round_trip_through_separate_arrays(backend64):
    check_round_trip(SeparateLayout(backend64, SHAPES), backend64)


@in_place
def test_round_trip_through_a_flat_buffer(backend64):
    check_round_trip(FlatLayout(backend64, SHAPES), backend64)


def check_round_trip(layout, backend64):
    blocks = layout.pack(NAMED)
    found = layout.views(blocks)
    assert list(found) == list(NAMED)
    for path, value in NAMED.items():
        np.testing.assert_array_equal(backend64.to_numpy(found[path]), value)
    for path, zeros in layout.views(layout.zeros()).items():
        np.testing.assert_array_equal(backend64.to_numpy(zeros), np.zeros(SHAPES[path]))
    assert layout.shapes == SHAPES
    assert layout.size == 24


def test_a_layout_of_nothing(backend64):
    """As that of the frozen parameters of most networks."""
    layout = layout_for(backend64, {})
    assert layout.size == 0
    assert layout.views(layout.pack({})) == layout.views(layout.zeros()) == {}


@in_place
def test_flat_layout_is_one_buffer_with_views(backend64):
    layout = layout_for(backend64, SHAPES)
    blocks = layout.pack(NAMED)
    assert list(blocks) == ["flat"]
    assert blocks["flat"].shape == (24,)
    blocks["flat"] -= 1.0
    for name, value in layout.views(blocks).items():
        np.testing.assert_array_equal(backend64.to_numpy(value), NAMED[name] - 1)
    layout.views(blocks)["0.biases"][...] = 7.0
    np.testing.assert_array_equal(
        backend64.to_numpy(blocks["flat"])[12:16], [7, 7, 7, 7]
    )


def test_state_of_a_model_lies_as_the_layout_says(backend64):
    frozen = nx.Dense(4, 4)
    frozen.trainable = False
    model = nx.Model(
        [nx.Dense(3, 4, weight_regularizer="l2"), nx.BatchNorm(4), frozen,
         nx.Dense(4, 2), nx.Softmax()],
        loss="categorical_crossentropy", optimizer="adam", backend=backend64,
    )  # fmt: skip
    tree = model._state.tree
    learned = {"0.weights", "0.biases", "1.gamma", "1.beta", "3.weights", "3.biases"}
    parts = {
        "parameters": tree["parameters"],
        "moment_1": tree["optimizer"]["moment_1"],
        "moment_2": tree["optimizer"]["moment_2"],
    }
    # Where arrays cannot be written to, gradients are no part of the state.
    assert ("gradients" in tree) == backend64.in_place
    if backend64.in_place:
        parts["gradients"] = tree["gradients"]
    for part in parts.values():
        assert set(part) == ({"flat"} if backend64.in_place else learned)
        # What is frozen has no place in what the optimizer goes through.
        assert sum(math.prod(block.shape) for block in part.values()) == 34
    still = {"flat"} if backend64.in_place else {"2.weights", "2.biases"}
    assert set(tree["frozen"]) == still
    assert set(tree["buffers"]) == {"1.mean", "1.variance"}
    for scalar in (
        tree["optimizer"]["step"], tree["optimizer"]["learning_rate"],
        tree["penalty"], *totals(tree["totals"]),
    ):  # fmt: skip
        assert scalar.shape == ()
        assert isinstance(scalar, backend64.array_type())


def totals(tree):
    for value in tree.values():
        yield from totals(value) if isinstance(value, dict) else [value]


@in_place
def test_a_step_keeps_every_array_in_its_place(backend64):
    """A captured graph holds addresses: no slot may get a new array."""
    model = nx.Model(
        [nx.Dense(3, 4), nx.BatchNorm(4), nx.ReLU(), nx.Dense(4, 2), nx.Softmax()],
        loss="categorical_crossentropy", optimizer="adam", backend=backend64,
    )  # fmt: skip

    tree = model._state.tree
    values = backend64.to_numpy(tree["buffers"]["1.mean"])
    before = list(totals(tree))
    x, y = (
        backend64.asarray(np.ones((5, 3))),
        backend64.asarray([0, 1, 0, 1, 0], "int32"),
    )
    for step in range(3):
        model._trainer.executor.train(tree, Batch(x, y), step)
    # What is known of the last batch is for reading only.
    del tree["batch"]
    after = list(totals(tree))
    assert len(before) == len(after)
    for old, new in zip(before, after, strict=True):
        assert old is new
    assert not np.array_equal(backend64.to_numpy(tree["buffers"]["1.mean"]), values)


def test_what_cannot_be_packed():
    layout = layout_for(nx.get_backend("numpy"), SHAPES)
    with pytest.raises(nx.InputError, match="there is no 2.weights"):
        layout.pack({k: v for k, v in NAMED.items() if "2" not in k})
    with pytest.raises(nx.InputError, match=r"0.biases must have shape \(1, 4\)"):
        layout.pack({**NAMED, "0.biases": np.ones(4)})
