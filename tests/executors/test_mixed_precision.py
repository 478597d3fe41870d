"""Mixed precision in whole trainings, on every backend and in captured steps."""

import numpy as np
import pytest

import nnfs_xp as nx
from nnfs_xp.data import load_dataset
from tests.conftest import MATRIX, backend_or_skip
from tests.executors.models import Steps, books_network, images, points, varied_network

PRECISIONS = ("tf32", "bfloat16", "float16")
SEEDS, EPOCHS = 3, 5


def accuracies(matmul_precision):
    """Return the test accuracies of the book's network on images, for some seeds."""
    data = load_dataset("fashion-mnist-mini")
    x, x_test = data.features("train"), data.features("test")
    steps = EPOCHS * -(-len(x) // 128)
    found = []
    for seed in range(SEEDS):
        model = nx.Model(
            [
                nx.Dense(784, 128), nx.ReLU(), nx.Dense(128, 128), nx.ReLU(),
                nx.Dense(128, 10), nx.Softmax(),
            ],
            loss="categorical_crossentropy",
            # A rate that goes to 0 leaves less to chance at the end.
            optimizer=nx.Adam(nx.CosineDecay(0.002, steps)),
            matmul_precision=matmul_precision,
            seed=seed,
        )  # fmt: skip
        model.fit(x, data.y_train, epochs=EPOCHS)
        found.append(model.evaluate(x_test, data.y_test)["accuracy"])
    return found


@pytest.mark.slow
def test_images_are_learned_to_within_half_a_point_of_float32():
    """The means over seeds; over eight of them they differed by 0.0016 at most."""
    full = np.mean(accuracies("full"))
    assert full > 0.85
    for precision in PRECISIONS:
        assert abs(np.mean(accuracies(precision)) - full) <= 0.005, precision


def trained(be, compile="auto", **options):
    x, y = points(9 * 16 + 5)
    model, steps = varied_network(be, compile=compile, **options), Steps()
    model.fit(x, y, epochs=3, batch_size=16, callbacks=steps)
    return model, [figures["loss"] for figures in steps.figures]


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("name", MATRIX)
def test_every_backend_trains_as_numpy_does(name, precision):
    backend_or_skip(name, "float32")
    library, device = MATRIX[name]
    be = nx.get_backend(library, device=device, matmul_precision=precision)
    _, found = trained(be)
    _, expected = trained(nx.get_backend("numpy", matmul_precision=precision), "off")
    # A rounding that falls to the other side moves what follows by 2**-8 at most.
    np.testing.assert_allclose(found, expected, rtol=2e-2)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.backend("cupy")
def test_captured_steps_are_the_eager_ones_on_cupy(precision):
    backend_or_skip("cupy", "float32")
    be = nx.get_backend("cupy", matmul_precision=precision)
    captured, found = trained(be, "require")
    eager, expected = trained(be, "off")
    assert found == expected
    for one, other in zip(
        captured._state.export().values(), eager._state.export().values(), strict=True
    ):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", MATRIX)
def test_a_step_that_overflows_is_left_out(name):
    """It counts for the schedule, and the next one has half the scale."""
    backend_or_skip(name, "float32")
    library, device = MATRIX[name]
    be = nx.get_backend(library, device=device, matmul_precision="float16")
    x, y = points(32)
    model = varied_network(be)
    scaling = model._state.tree["scaling"]
    be.write_number(scaling, "scale", 2.0**24)
    before = {name: be.to_numpy(array) for name, array in model.parameters.items()}
    model.fit(x, y, batch_size=None)
    state = model._state.export()
    assert state["scaling.scale"] == 2.0**23
    assert state["optimizer.step"] == model.steps_trained == 1
    for parameter, array in before.items():
        np.testing.assert_array_equal(state[parameter], array)
    model.fit(x, y, batch_size=None, epochs=20)
    state = model._state.export()
    assert 1.0 <= state["scaling.scale"] < 2.0**23
    assert (state["0.weights"] != before["0.weights"]).any()
    assert np.isfinite(state["0.weights"]).all()


def test_small_gradients_survive_float16():
    """Without scaling they would be rounded to 0 before the products."""
    x, y = images(4096)

    def gradient(matmul_precision):
        model = books_network(
            "numpy", matmul_precision=matmul_precision, optimizer=nx.SGD(1.0),
            loss=nx.CategoricalCrossEntropy(reduction="sum"),
        )  # fmt: skip
        before = nx.to_numpy(model.layers[1].weights)
        # So weighed, the gradient of a logit is at most 1e-7.
        model.fit(x, y, batch_size=None, sample_weight=np.full(len(x), 1e-7))
        return before - nx.to_numpy(model.layers[1].weights)

    full, half = gradient("full"), gradient("float16")
    assert np.linalg.norm(half - full) < 0.02 * np.linalg.norm(full)
