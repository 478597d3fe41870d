"""The step in three kernels is that of the reference, and several are one launch."""

import sys

import numpy as np
import pytest

import nnfs_xp as nx
from nnfs_xp import kernels
from tests.conftest import backend_or_skip

SMALL = (37, 50, 23, 7)
NAMES = ["dense_step_first", "dense_step_rest", "dense_step_update"]
OPTIMIZERS = {
    "Adam": lambda: nx.Adam(nx.CosineDecay(0.02, 50)),
    "Adam of other betas": lambda: nx.Adam(0.01, 0.0, 0.5, 1e-3, decay=0.1),
    "SGD": lambda: nx.SGD(nx.CosineDecay(0.2, 50)),
    "momentum": lambda: nx.SGD(0.02, decay=1e-2, momentum=0.9),
    "Nesterov": lambda: nx.SGD(nx.CosineDecay(0.02, 50), momentum=0.9, nesterov=True),
}


@pytest.fixture(autouse=True)
def usual_mode():
    before = kernels.kernel_mode()
    kernels.set_kernel_mode("auto")
    yield
    kernels.set_kernel_mode(before)


def network(be, sizes=SMALL, optimizer="Adam", first=(), last=(), **options):
    one, two, three, four = sizes
    layers = [
        *first, nx.Dense(one, two), nx.ReLU(), nx.Dense(two, three), nx.ReLU(),
        nx.Dense(three, four), *(last or [nx.Softmax()]),
    ]  # fmt: skip
    if isinstance(optimizer, str):
        optimizer = OPTIMIZERS[optimizer]()
    return nx.Model(
        layers, backend=be, seed=4,
        **{"loss": "categorical_crossentropy", "optimizer": optimizer, **options},
    )  # fmt: skip


def data(rows, sizes=SMALL, images=False):
    random = np.random.default_rng(20251128)
    y = random.integers(0, sizes[-1], rows)
    x = random.standard_normal((rows, sizes[0])) + y[:, None] / sizes[-1]
    if images:
        x = np.clip(60 * x + 100, 0, 255)
    return x.astype("uint8" if images else "float32"), y


class Graphs(nx.Callback):
    """Sees the graphs of a training before they are given up."""

    def on_fit_begin(self, model, epochs, batches):
        self.model = model

    def on_epoch_end(self, record):
        executor = self.model._trainer.executor
        self.single, self.several = dict(executor._graphs), dict(executor._several)


def results(model, history):
    state = {k: np.array(v) for k, v in model._state.export().items()}
    return state, history["loss"], history["accuracy"]


def assert_close(found, expected):
    """To four roots of the precision, each array by its largest number."""
    limit = 4 * np.sqrt(np.finfo("float32").eps)
    assert found[0].keys() == expected[0].keys()
    for name, array in expected[0].items():
        most = max(np.abs(array).max(), 1e-30)
        assert np.abs(found[0][name] - array).max() <= limit * most, name
    np.testing.assert_allclose(found[1], expected[1], rtol=limit)
    np.testing.assert_allclose(found[2], expected[2], atol=2 / 145)


def assert_same(found, expected):
    for name, array in expected[0].items():
        np.testing.assert_array_equal(found[0][name], array, name)
    assert found[1:] == expected[1:]


def trained(be, *, rows=145, batch_size=32, epochs=10, images=False, **options):
    """Train for 50 steps, whose last of an epoch is short."""
    fit = options.pop("fit", {})
    if images:
        options["first"] = [nx.Rescaling(1 / 127.5, -1.0)]
    model = network(be, **options)
    x, y = data(rows, options.get("sizes", SMALL), images)
    history = model.fit(x, y, batch_size=batch_size, epochs=epochs, **fit)
    return model, results(model, history)


@pytest.mark.parametrize(
    ("optimizer", "images"), [*((name, False) for name in OPTIMIZERS), ("Adam", True)]
)
def test_fifty_steps_are_those_of_the_reference(
    cupy32, many_at_once, optimizer, images
):
    model, found = trained(
        cupy32, optimizer=optimizer, images=images, compile="require"
    )
    assert model.executor_note.endswith(", three kernels a step")
    assert model.steps_trained == 50
    _, expected = trained("numpy", optimizer=optimizer, images=images, compile="off")
    assert_close(found, expected)


SHAPES = {
    "the book's": ((784, 128, 128, 10), 300, 128, 3),
    "one of each": ((1, 1, 1, 2), 7, 5, 5),
    "more classes than a warp": ((64, 33, 65, 40), 450, 200, 3),
    "more features than at once": ((1500, 70, 36, 33), 270, 130, 3),
    "one sample a step": ((64, 128, 64, 10), 12, 1, 1),
    "the widest": ((20, 256, 256, 256), 90, 64, 2),
    "a batch of all": ((20, 12, 8, 4), 50, None, 5),
}


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
def test_shapes(cupy32, shape):
    sizes, rows, batch_size, epochs = SHAPES[shape]
    options = {
        "sizes": sizes, "rows": rows, "batch_size": batch_size, "epochs": epochs,
        "optimizer": nx.Adam(0.002),
    }  # fmt: skip
    model, found = trained(cupy32, compile="require", **options)
    assert model.executor_note.endswith(", three kernels a step")
    options["optimizer"] = nx.Adam(0.002)
    assert_close(found, trained("numpy", compile="off", **options)[1])


@pytest.mark.parametrize("shuffle", [True, False])
def test_graphs_that_stay_read_the_next_data(cupy32, many_at_once, shuffle):
    found = []
    for compile in ("require", "off"):
        model = network(cupy32, compile=compile)
        for rows in (17, 65):
            x, y = data(rows)
            before = dict(getattr(model._trainer.executor, "_graphs", {}))
            history = model.fit(x, y, batch_size=4, shuffle=shuffle)
        if compile == "require":
            assert before and model._trainer.executor._graphs == before
        found.append(results(model, history))
    assert_same(*found)


@pytest.mark.parametrize("shuffle", [True, False])
def test_data_that_is_streamed(cupy32, shuffle):
    row = 37 * 4 + 4
    fit = {"shuffle": shuffle, "device_data_limit": 2 * 64 * row}
    _, found = trained(cupy32, epochs=3, fit=fit)
    _, expected = trained(cupy32, epochs=3, fit={"shuffle": shuffle})
    assert_same(found, expected)
    _, reference = trained("numpy", epochs=3, fit={"shuffle": shuffle})
    assert_close(found, reference)


def test_the_same_bits_with_and_without_graphs_and_in_every_order(cupy32, many_at_once):
    _, expected = trained(cupy32, epochs=4, compile="require")
    for compile in ("require", "off"):
        assert_same(trained(cupy32, epochs=4, compile=compile)[1], expected)
    emulated = sys.modules.get("cupy_on_cpu")
    if emulated is None:
        return
    try:
        for order in ("reverse", "random"):
            emulated.set_order(order, 5)
            assert_same(trained(cupy32, epochs=4)[1], expected)
    finally:
        emulated.set_order("forward")


def test_one_launch_is_eight_steps(counted, cupy32, many_at_once):
    """1, 2 and 4 steps one by one, and all others in eights."""
    x, y = data(64 * 16)
    model, graphs = network(cupy32, compile="require"), Graphs()
    model.fit(x[:64], y[:64], batch_size=16)
    with counted() as counts:
        model.fit(x, y, batch_size=16, epochs=2, callbacks=graphs)
    (single,), (several,) = graphs.single.values(), graphs.several.values()
    nodes = sys.modules["cupy_on_cpu"].graph_ops
    assert nodes(single) == NAMES
    assert nodes(several) == 8 * NAMES
    # 64 steps an epoch; the pace is known from the fit before.
    assert counts["graph_launch"] < 128 / 8 + 8


def test_a_model_without_a_metric(cupy32):
    model = network(cupy32, metrics=None, compile="require")
    loss = model.fit(*data(145), batch_size=32, epochs=3)["loss"]
    assert model.executor_note.endswith(", three kernels a step")
    reference = network("numpy", metrics=None)
    expected = reference.fit(*data(145), batch_size=32, epochs=3)["loss"]
    np.testing.assert_allclose(loss, expected, rtol=1e-4)


def test_not_a_number_reaches_the_loss(cupy32):
    x, y = data(145)
    model = network(cupy32, compile="require", optimizer=nx.SGD(1e30))
    with pytest.raises(nx.DivergenceError, match="the loss is nan"):
        model.fit(x, y, batch_size=32, epochs=3)


def test_a_class_that_never_wins_costs_what_it_does(cupy32):
    """Equal scores: the first class is the answer."""
    x, y = data(64)
    zeros = {"weight_initializer": "zeros"}
    for be in (cupy32, "numpy"):
        model = nx.Model(
            [nx.Dense(37, 8, **zeros), nx.ReLU(), nx.Dense(8, 8, **zeros), nx.ReLU(),
             nx.Dense(8, 7, **zeros), nx.Softmax()],
            loss="categorical_crossentropy", optimizer=nx.SGD(0.0), backend=be,
        )  # fmt: skip
        record = model.fit(x, y, batch_size=16)
        assert record["accuracy"] == [np.mean(y == 0)]
        assert record["loss"][0] == pytest.approx(np.log(7), rel=1e-6)


class OwnDense(nx.Dense):
    pass


def with_layers(dense=nx.Dense, activation=nx.ReLU, **options):
    def make(be):
        return nx.Model(
            [dense(37, 8, **options), activation(), nx.Dense(8, 8), nx.ReLU(),
             nx.Dense(8, 7), nx.Softmax()],
            loss="categorical_crossentropy", optimizer="adam", backend=be,
        )  # fmt: skip

    return make


def two_layers(be):
    return nx.Model(
        [nx.Dense(37, 8), nx.ReLU(), nx.Dense(8, 7), nx.Softmax()],
        loss="categorical_crossentropy", optimizer="adam", backend=be,
    )  # fmt: skip


def frozen(be):
    model = network(be)
    model.layers[0].trainable = False
    return model


# A network, and what of it the kernels do not know.
OTHERS = {
    "two layers": (two_layers, "three dense layers"),
    "another activation": (with_layers(activation=nx.Tanh), "three dense layers"),
    "a subclass": (with_layers(OwnDense), "three dense layers"),
    "no biases": (with_layers(use_bias=False), "no biases"),
    "too wide": (lambda be: network(be, (37, 257, 8, 7)), "256 neurons"),
    "frozen": (frozen, "frozen"),
    "clipping": (lambda be: network(be, optimizer=nx.Adam(clip_norm=1.0)), "clipping"),
    "decay": (lambda be: network(be, optimizer=nx.SGD(weight_decay=0.1)), "clipping"),
    "average": (lambda be: network(be, optimizer=nx.Adam(ema=0.9)), "clipping"),
    "batches together": (
        lambda be: network(be, optimizer=nx.Adam(accumulate=2)), "clipping"
    ),
    "AMSGrad": (lambda be: network(be, optimizer=nx.Adam(amsgrad=True)), "clipping"),
    "another optimizer": (
        lambda be: network(be, optimizer=nx.RMSprop()), "neither SGD nor Adam"
    ),
    "smoothing": (
        lambda be: network(
            be, loss=nx.CategoricalCrossEntropy(label_smoothing=0.1)
        ),
        "without options",
    ),
    "weights of classes": (
        lambda be: network(
            be, loss=nx.CategoricalCrossEntropy(class_weight=[2, *[1] * 6])
        ),
        "without options",
    ),
    "another metric": (lambda be: network(be, metrics=["f1"]), "not the accuracy"),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHERS)
def test_what_the_kernels_do_not_know_is_computed_by_others(cupy32, monkeypatch, name):
    make, reason = OTHERS[name]
    said = []
    find = kernels.registry._STEPS["cupy"]

    def noted(*arguments):
        said.append(find(*arguments))
        return said[-1]

    monkeypatch.setitem(kernels.registry._STEPS, "cupy", noted)
    model = make(cupy32)
    loss = model.fit(*data(48), batch_size=16, epochs=1)["loss"]
    assert {reason in one for one in said} == {True}
    assert "three kernels" not in model.executor_note
    expected = make("numpy").fit(*data(48), batch_size=16, epochs=1)["loss"]
    np.testing.assert_allclose(loss, expected, rtol=1e-4)


@pytest.mark.parametrize("change", ["weights", "float64", "rows of targets"])
def test_data_that_the_kernels_do_not_know(cupy32, change):
    x, y = data(48)
    fit, be = {}, cupy32
    if change == "weights":
        fit["sample_weight"] = np.linspace(0.5, 1.5, 48)
    elif change == "float64":
        be = backend_or_skip("cupy", "float64")
    else:
        y = np.eye(7)[y]
    model = network(be, compile="require")
    model.fit(x, y, batch_size=16, **fit)
    assert model.executor_note.startswith("one CUDA graph for each size of a batch")
    assert "three kernels" not in model.executor_note


def test_one_line_turns_it_off(cupy32):
    kernels.set_kernel_mode("no_dense_step")
    model, found = trained(cupy32, epochs=2)
    assert model.executor_note.startswith("one CUDA graph for each size of a batch")
    assert "three kernels" not in model.executor_note
    kernels.set_kernel_mode("auto")
    model, expected = trained(cupy32, epochs=2)
    assert model.executor_note.endswith(", three kernels a step")
    assert_close(found, expected)


def test_several_steps_of_any_network_are_one_launch(counted, cupy, many_at_once):
    """With dropout and a schedule, whose numbers differ from step to step."""
    x, y = data(16 * 40)
    weights = []
    for compile in ("off", "require"):
        model = network(cupy, first=[nx.Dropout(0.2)], compile=compile)
        with counted() as counts:
            model.fit(x, y, batch_size=16, epochs=2)
        weights.append(nx.to_numpy(model.layers[1].weights))
    np.testing.assert_array_equal(*weights)
    assert model.executor_note.startswith("one CUDA graph for each size of a batch")
    assert "three kernels" not in model.executor_note
    assert counts["graph_launch"] < 80 / 8 + 16


def test_a_schedule_that_fails_among_several_steps(cupy32, many_at_once):
    """The steps before it are taken and counted."""

    def rate(step):
        if step == 21:
            raise RuntimeError("no rate")
        return 0.01

    counts, weights = [], []
    for compile in ("off", "require"):
        model = network(cupy32, optimizer=nx.SGD(rate), compile=compile)
        with pytest.raises(RuntimeError, match="no rate"):
            model.fit(*data(16 * 40), batch_size=16)
        counts.append(model.steps_trained)
        weights.append(nx.to_numpy(model.layers[0].weights))
    assert counts == [21, 21]
    np.testing.assert_array_equal(*weights)
