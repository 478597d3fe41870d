"""The captured step is the eager one: the same bits, fewer launches."""

import gc
import sys
import threading

import numpy as np
import pytest

import nnfs_xp as nx
from nnfs_xp import kernels
from tests.executors.models import (
    Steps,
    books_network,
    images,
    points,
    varied_network,
)


def trained(be, compile, **fit):
    # 10 batches an epoch, the last of them of 5 rows; 50 steps.
    x, y = points(9 * 16 + 5)
    model = varied_network(be, compile=compile)
    steps = Steps()
    weights = np.linspace(0.5, 1.5, len(x))
    model.fit(
        x, y, epochs=5, batch_size=16, callbacks=steps, sample_weight=weights, **fit
    )
    assert len(steps.figures) == 50
    return model, steps.figures


def test_fifty_replayed_steps_are_those_of_the_eager_executor(cupy):
    captured, found = trained(cupy, "require")
    assert captured._trainer.executor.name == "cuda graph"
    eager, expected = trained(cupy, "off")
    assert found == expected
    for one, other in zip(
        captured._state.export().values(), eager._state.export().values(), strict=True
    ):
        np.testing.assert_array_equal(one, other)


def test_there_is_a_graph_for_each_size_while_it_is_needed(cupy32):
    class Graphs(nx.Callback):
        def on_fit_begin(self, model, epochs, batches):
            self.sizes = [rows.size for rows in model._trainer.executor._graphs]

    graphs = Graphs()
    x, y = images(300)
    model = books_network(cupy32)
    model.fit(x, y, batch_size=128, callbacks=graphs)
    assert graphs.sizes == [44, 128]
    model.fit(x, y, batch_size=100, callbacks=graphs)
    assert graphs.sizes == [100]


def test_the_captured_step_is_that_of_numpy(cupy):
    _, found = trained(cupy, "require")
    numpy = nx.get_backend("numpy", dtype=cupy.dtype_name)
    _, expected = trained(numpy, "off")
    rtol = 1e-9 if cupy.dtype_name == "float64" else 2e-3
    for one, other in zip(found, expected, strict=True):
        assert one["loss"] == pytest.approx(other["loss"], rel=rtol)


def test_what_a_step_of_the_books_network_costs(counted, cupy32, one_at_a_time):
    """At most 20 launches and products, or one graph; nothing else is waited for."""
    x, y = images(10 * 128)
    steps = {}
    for compile in ("off", "require"):
        model = books_network(cupy32, compile=compile)
        model.fit(x, y, epochs=1)
        with counted() as two:
            model.fit(x, y, epochs=2)
        with counted() as five:
            model.fit(x, y, epochs=5)
        # 30 steps and three epochs more.
        steps[compile] = {name: five[name] - two[name] for name in two}
    eager, captured = steps["off"], steps["require"]
    per_epoch = 3 * 12
    assert eager["launches"] + eager["gemm"] <= 30 * 20 + per_epoch
    assert eager["gemm"] == 30 * 8
    assert captured["graph_launch"] == 30
    assert captured["launches"] + captured["gemm"] <= per_epoch
    for counts in (eager, captured):
        # The learning rate of each step, and the order of each epoch.
        assert counts["h2d"] <= 2 * 30
        assert counts["d2h"] <= 3


def test_fit_reads_once_for_each_interval_of_the_log(counted, cupy32):
    x, y = images(600)
    for compile in ("off", "require"):
        model = books_network(cupy32, compile=compile)
        with counted() as counts:
            model.fit(x, y, epochs=4)
        assert counts["d2h"] == 4
        with counted() as counts:
            model.fit(x, y, epochs=4, validation_data=(x[:100], y[:100]))
        assert counts["d2h"] == 8


def test_data_on_the_device_is_read_twice_more_to_be_checked(counted, cupy32):
    x, y = images(600)
    x, y = cupy32.asarray(x, "float32"), cupy32.asarray(y)
    with counted() as counts:
        books_network(cupy32).fit(x, y, epochs=4)
    assert counts["d2h"] == 4 + 2
    # Bytes cannot be NaN.
    with counted() as counts:
        books_network(cupy32).fit(cupy32.asarray(x, "uint8"), y, epochs=4)
    assert counts["d2h"] == 4 + 1


def test_a_rate_set_between_steps_holds_from_the_next_one(cupy32):
    x, y = images(256)

    class Halve(nx.Callback):
        def on_fit_begin(self, model, epochs, batches):
            self.model, self.rates = model, []

        def on_batch_end(self, event):
            self.rates.append(event.learning_rate)
            self.model.learning_rate = event.learning_rate / 2

    weights = []
    for compile in ("off", "require"):
        model = books_network(cupy32, compile=compile, optimizer=nx.SGD(0.1))
        halve = Halve()
        model.fit(x, y, epochs=2, callbacks=halve)
        assert halve.rates == [0.1, 0.05, 0.025, 0.0125]
        weights.append(nx.to_numpy(model.layers[1].weights))
    np.testing.assert_array_equal(*weights)


def test_parameters_set_in_a_callback_are_learned_on(cupy32):
    x, y = images(256)

    class Restore(nx.Callback):
        def on_fit_begin(self, model, epochs, batches):
            self.model, self.first = model, model.get_parameters()

        def on_epoch_end(self, record):
            self.model.set_parameters(self.first)

    weights = []
    for compile in ("off", "require"):
        model = books_network(cupy32, compile=compile)
        before = nx.to_numpy(model.layers[1].weights)
        model.fit(x, y, epochs=2, callbacks=Restore())
        np.testing.assert_array_equal(nx.to_numpy(model.layers[1].weights), before)
        model.fit(x, y, epochs=1)
        weights.append(nx.to_numpy(model.layers[1].weights))
    np.testing.assert_array_equal(*weights)


class ReadsBack(nx.Layer):
    """A layer that looks at its data, which a graph cannot."""

    def fwd(self, cx, x):
        return (x if float(cx.xp.max(x)) < 1e9 else x * 0), None

    def bwd(self, cx, residuals, dy):
        return dy


class MovesItsState(nx.SGD):
    """An optimizer that puts a new array in the place of the old one."""

    def apply(self, be, parameters, gradients, state):
        super().apply(be, parameters, gradients, state)
        for key in parameters:
            parameters[key] = parameters[key] * 1.0


class OwnNoise(nx.Layer):
    """A noisy layer of one's own."""

    def fwd(self, cx, x):
        if cx.training:
            x = x + cx.random.uniform(x.shape) * cx.random.normal(x.shape)
        return x, None

    def bwd(self, cx, residuals, dy):
        return dy


UNFIT = {
    "reads back": ({"layer": ReadsBack}, "not captured"),
    "moves its state": (
        {"optimizer": MovesItsState},
        "parameters.flat was given a new array",
    ),
    "draws on the host": ({"layer": OwnNoise}, "draws its random numbers on the host"),
}


def augmented():
    pictures = [
        nx.RandomFlip("horizontal"), nx.RandomTranslation(0.2, 0.2),
        nx.RandomCrop(4, 4), nx.Flatten(), nx.Dense(32, 8), OwnNoise(),
    ]  # fmt: skip
    return pictures, np.random.default_rng(1).standard_normal((40, 5, 6, 2))


def attending():
    attention = nx.MultiHeadAttention(4, 2, dropout=0.3)
    layers = [attention, nx.GaussianNoise(0.1), nx.Flatten(), nx.Dense(20, 8)]
    return layers, np.random.default_rng(2).standard_normal((40, 5, 4))


@pytest.mark.parametrize("make", [augmented, attending])
def test_captured_steps_draw_what_others_draw(cupy, make):
    def trained(be, compile):
        layers, x = make()
        model = nx.Model(
            [*layers, nx.ReLU(), nx.Dense(8, 3), nx.Softmax()],
            loss="categorical_crossentropy", optimizer=nx.Adam(0.01), backend=be,
            compile=compile, seed=3,
        )  # fmt: skip
        history = model.fit(
            x.astype(be.dtype_name), np.arange(40) % 3, epochs=5, batch_size=16
        )
        return history["loss"], nx.to_numpy(model.layers[-2].weights)

    captured, eager = trained(cupy, "require"), trained(cupy, "off")
    assert captured[0] == eager[0]
    np.testing.assert_array_equal(captured[1], eager[1])
    expected = trained(nx.get_backend("numpy", dtype=cupy.dtype_name), "auto")
    rtol = 1e-9 if cupy.dtype_name == "float64" else 1e-3
    np.testing.assert_allclose(captured[0], expected[0], rtol=rtol)
    np.testing.assert_allclose(captured[1], expected[1], rtol=rtol, atol=rtol)


@pytest.mark.parametrize("name", UNFIT)
def test_what_cannot_be_captured_is_run_step_by_step(cupy32, name, monkeypatch):
    if name == "draws on the host":
        kernels.has_implementation("draw", "cupy")
        monkeypatch.delitem(kernels.registry._IMPLEMENTATIONS, ("draw", "cupy"))
    units, reason = UNFIT[name]
    layer, optimizer = units.get("layer", nx.Linear), units.get("optimizer", nx.SGD)
    x, y = points(40)

    def model(compile, be=cupy32):
        return nx.Model(
            [nx.Dense(5, 8), nx.ReLU(), layer(), nx.Dense(8, 3), nx.Softmax()],
            loss="categorical_crossentropy", optimizer=optimizer(0.1),
            backend=be, compile=compile,
        )  # fmt: skip

    fallen_back = model("auto")
    history = fallen_back.fit(x, y, epochs=3, batch_size=16)
    assert "step by step" in fallen_back.executor_note
    assert reason in fallen_back.executor_note
    expected = model("off", "numpy").fit(x, y, epochs=3, batch_size=16)
    np.testing.assert_allclose(history["loss"], expected["loss"], rtol=1e-4)
    with pytest.raises(nx.BackendUnavailableError, match="compile='require'"):
        train_required(model, x, y)


def train_required(model, x, y):
    """Train where a graph is required; if that fails, nothing was learned."""
    unfit = model("require")
    before = nx.to_numpy(unfit.layers[0].weights)
    try:
        unfit.fit(x, y)
    finally:
        assert unfit.steps_trained == 0
        after = nx.to_numpy(unfit.layers[0].weights)
        np.testing.assert_array_equal(after, before)


def test_without_nvmath_python_steps_are_run_one_by_one(cupy32, monkeypatch):
    monkeypatch.setattr(
        type(cupy32), "why_no_capture", lambda self: "nvmath-python is not installed"
    )
    assert "nvmath-python" in books_network(cupy32).executor_note
    with pytest.raises(nx.BackendUnavailableError, match="nvmath-python"):
        books_network(cupy32, compile="require")


def test_without_kernels_steps_are_run_one_by_one(cupy32):
    from nnfs_xp import kernels

    x, y = images(200)
    histories = []
    before = kernels.kernel_mode()
    try:
        for mode in ("off", "auto"):
            kernels.set_kernel_mode(mode)
            model = books_network(cupy32)
            histories.append(model.fit(x, y, epochs=2)["loss"])
            assert ("kernels are off" in model.executor_note) is (mode == "off")
    finally:
        kernels.set_kernel_mode(before)
    np.testing.assert_allclose(*histories, rtol=1e-4)


def test_several_models_on_one_device(cupy32):
    """Each has its graphs and its memory, and trains as if it were alone."""
    x, y = images(256)
    alone = [books_network(cupy32, seed=s).fit(x, y, epochs=2)["loss"] for s in (1, 2)]
    one, two = (books_network(cupy32, seed=seed) for seed in (1, 2))
    together = [[], []]
    for _ in range(2):
        for model, losses in zip((one, two), together, strict=True):
            losses += model.fit(x, y)["loss"]
    assert together == alone


def test_a_graph_outlives_arrays_that_others_free(cupy32):
    """Memory of the captured step is its own, whatever else is allocated."""
    x, y = images(256)

    class Litter(nx.Callback):
        def on_batch_end(self, event):
            cupy32.release_memory()
            junk = [cupy32.full((128, n), float("nan")) for n in (10, 128, 784)]
            del junk

    clean = books_network(cupy32).fit(x, y, epochs=3)["loss"]
    littered = books_network(cupy32).fit(x, y, epochs=3, callbacks=Litter())["loss"]
    assert clean == littered


@pytest.mark.parametrize("spare", [30, 22, 19, 16])
def test_graphs_within_a_limit(cupy32, spare):
    """What one graph writes to is given to nobody else, however little is left."""
    import cupy

    x, y = images(512 + 375, 64)
    x = (x / 256).astype("float32")

    def trained():
        layers = [nx.Dense(64, 128), nx.ReLU(), nx.Dense(128, 128), nx.ReLU()]
        model = nx.Model(
            [*layers, nx.Dense(128, 10), nx.Softmax()],
            loss="categorical_crossentropy", optimizer=nx.SGD(0.1), backend=cupy32,
        )  # fmt: skip
        model.fit(x, y, epochs=3, batch_size=512)
        return nx.to_numpy(model.layers[2].weights)

    expected = trained()
    pool = cupy.get_default_memory_pool()
    pool.free_all_blocks()
    pool.set_limit(size=pool.used_bytes() + x.nbytes + y.size * 4 + spare * 10**5)
    try:
        found = trained()
    except nx.DeviceMemoryError:
        return
    finally:
        pool.set_limit(size=0)
    np.testing.assert_array_equal(found, expected)


class ChangesWhatItWrote(nx.Layer):
    """A gain of one's own, whose gradient array is used again."""

    def __init__(self, n):
        super().__init__()
        self.n = n

    def parameters(self):
        return {"gain": ("ones", (self.n,))}

    def fwd(self, cx, x):
        return x * cx.params["gain"], x

    def bwd(self, cx, x, dy):
        gradient = cx.xp.sum(x * dy, axis=0)
        cx.grads["gain"] = gradient
        gradient *= 0.0
        return dy * cx.params["gain"]


class CalledTwice(nx.Layer):
    """A normalization that is applied again to its own output."""

    def __init__(self, n):
        super().__init__()
        self.n = n
        self.children = {"norm": nx.LayerNorm(n)}

    def fwd(self, cx, x):
        x, first = cx["norm"].fwd(x)
        y, second = cx["norm"].fwd(cx.xp.tanh(x))
        return y, (x, first, second)

    def bwd(self, cx, kept, dy):
        x, first, second = kept
        dx = cx["norm"].bwd(second, dy) * (1.0 - cx.xp.tanh(x) ** 2)
        return cx["norm"].bwd(first, dx)


@pytest.mark.parametrize("kind", [CalledTwice, ChangesWhatItWrote])
def test_gradients_are_what_was_written(cupy, kind):
    """Copies that wait for each other come before what is added, or changed."""
    x, y = points(32)

    def trained(be):
        model = nx.Model(
            [nx.Dense(5, 8), kind(8), nx.Dense(8, 3), nx.Softmax()],
            loss="categorical_crossentropy", optimizer=nx.SGD(0.5), backend=be,
        )  # fmt: skip
        model.fit(x, y, batch_size=8, epochs=2)
        return model._state.export()

    expected = trained(nx.get_backend("numpy", dtype=cupy.dtype_name))
    rtol = 1e-9 if cupy.dtype_name == "float64" else 1e-4
    for name, array in trained(cupy).items():
        np.testing.assert_allclose(array, expected[name], rtol, rtol, err_msg=name)


def test_a_step_that_takes_more_memory_when_captured(cupy32):
    class Grows(nx.Layer):
        calls = 0

        def fwd(self, cx, x):
            Grows.calls += 1
            size = 10**5 * Grows.calls
            return x + cx.xp.zeros(size, dtype=x.dtype)[0], None

        def bwd(self, cx, residuals, dy):
            return dy

    x, y = points(64)
    model = nx.Model(
        [nx.Dense(5, 3), Grows(), nx.Softmax()],
        loss="categorical_crossentropy", optimizer=nx.SGD(0.1), backend=cupy32,
    )  # fmt: skip
    model.fit(x, y)
    assert "its memory changed in every trial" in model.executor_note


@pytest.mark.parametrize("captures", [0, 2, 100])
def test_a_pool_that_must_grow_while_a_step_is_captured(cupy32, captures):
    """Free blocks of a pool can be given in another order than in a rehearsal.

    After so many captured steps, more is wanted than the device has.
    """
    import cupy

    captured = []

    class TakesMore(nx.Layer):
        def fwd(self, cx, x):
            if cupy.cuda.get_current_stream().is_capturing():
                much = 10**11 if len(captured) >= captures else 10**4
                captured.append(much)
                cx.xp.empty(much, dtype=x.dtype)
            return x + 1, None

        def bwd(self, cx, residuals, dy):
            return dy

    def trained(compile):
        model = nx.Model(
            [nx.Dense(5, 3), TakesMore(), nx.Softmax()],
            loss="categorical_crossentropy", optimizer=nx.SGD(0.1), backend=cupy32,
            compile=compile,
        )  # fmt: skip
        # Several steps in one graph come after graphs of one step.
        model.fit(*points(640), batch_size=10, epochs=3)
        return model, nx.to_numpy(model.layers[0].weights)

    model, found = trained("auto")
    _, expected = trained("off")
    np.testing.assert_array_equal(found, expected)
    assert captured
    given_up = "bytes are left on the device" in model.executor_note
    assert given_up == (captures == 0)


def test_the_summary_says_what_a_step_launches(counted, cupy32):
    x, y = points(40)
    model = varied_network(cupy32, compile="require")
    model.fit(x, y, batch_size=20)
    (graph,) = model._trainer.executor._graphs.values()
    nodes = sys.modules["cupy_on_cpu"].graph_ops(graph)
    lines = []
    model.summary(lines.append)
    said = f"batch, {len(nodes)} kernels, products and copies a step"
    assert said in lines[0]


def captures(counted, function):
    with counted() as counts:
        function()
    return counts["captures"]


def test_a_second_training_captures_nothing(counted, cupy32):
    """Whatever rows it has, where the batches are the same."""
    data = [points(n) for n in (37, 69, 37)]
    kept, anew = (varied_network(cupy32, compile=c) for c in ("require", "off"))
    found = []
    for number, (x, y) in enumerate(data):
        found.append(captures(counted, lambda x=x, y=y: kept.fit(x, y, batch_size=16)))
        anew.fit(x, y, batch_size=16)
        for one, other in zip(
            kept._state.export().values(), anew._state.export().values(), strict=True
        ):
            np.testing.assert_array_equal(one, other, err_msg=str(number))
    assert found == [2, 0, 0]


CHANGES = {
    "a batch size": {"batch_size": 8},
    "weights": {"sample_weight": np.linspace(0.5, 1.5, 32)},
    "without an order": {"shuffle": False},
}


@pytest.mark.parametrize("change", CHANGES)
def test_other_batches_are_captured_anew(counted, cupy32, change):
    x, y = points(32)
    kept, anew = (varied_network(cupy32, compile=c) for c in ("require", "off"))
    for model in (kept, anew):
        model.fit(x, y, batch_size=16)
    given, losses = {"batch_size": 16, **CHANGES[change]}, []
    again = captures(counted, lambda: losses.append(kept.fit(x, y, **given)["loss"]))
    assert again == 1
    assert losses == [anew.fit(x, y, **given)["loss"]]


def test_another_thread_captures_anew(counted, cupy32):
    """Its products have a workspace of their own."""
    x, y = points(32)
    model = varied_network(cupy32, compile="require")
    model.fit(x, y, batch_size=16)

    thread = threading.Thread(target=model.fit, args=(x, y), kwargs={"batch_size": 16})

    def in_a_thread():
        thread.start()
        thread.join()

    assert captures(counted, in_a_thread) == 1
    assert model.epochs_trained == 2


def test_what_a_user_holds_is_not_written_to(counted, cupy32):
    x, y = points(32)
    model = varied_network(cupy32, compile="require")
    model.fit(x, y, batch_size=16)
    held = model.layers[0].weights
    before = nx.to_numpy(held).copy()
    assert captures(counted, lambda: model.fit(x, y, batch_size=16)) == 0
    np.testing.assert_array_equal(nx.to_numpy(held), before)
    assert not np.array_equal(nx.to_numpy(model.layers[0].weights), before)


def test_values_that_are_set_between_trainings_are_learned_on(counted, cupy32):
    x, y = points(32)
    kept, anew = (varied_network(cupy32, compile=c) for c in ("require", "off"))
    first = kept.get_parameters()
    for model in (kept, anew):
        model.fit(x, y, batch_size=16)
        model.set_parameters(first)
        model.learning_rate = 0.01
    assert captures(counted, lambda: kept.fit(x, y, batch_size=16)) == 0
    anew.fit(x, y, batch_size=16)
    for one, other in zip(kept.get_parameters(), anew.get_parameters(), strict=True):
        for a, b in zip(one, other, strict=True):
            np.testing.assert_array_equal(nx.to_numpy(a), nx.to_numpy(b))


class Twice(nx.Layer):
    """A layer of one's own whose factor nobody keeps from changing."""

    def __init__(self):
        super().__init__()
        self._factor = 2.0

    def fwd(self, cx, x):
        return x * self._factor, None

    def bwd(self, cx, residuals, dy):
        return dy * self._factor


def test_settings_and_units_of_ones_own_are_captured_anew(counted, cupy32):
    x, y = points(32)
    model = varied_network(cupy32, compile="require")
    model.fit(x, y, batch_size=16)
    model.layers[0].trainable = False
    assert captures(counted, lambda: model.fit(x, y, batch_size=16)) == 1
    model.set(optimizer=nx.SGD(0.1))
    assert captures(counted, lambda: model.fit(x, y, batch_size=16)) == 1
    own = Twice()
    model = nx.Model(
        [nx.Dense(5, 3), own, nx.Softmax()],
        loss="categorical_crossentropy", optimizer=nx.SGD(0.1), backend=cupy32,
    )  # fmt: skip
    model.fit(x, y)
    own._factor = 3.0
    assert captures(counted, lambda: model.fit(x, y)) == 1


def test_models_and_large_steps_keep_no_memory(cupy32, monkeypatch):
    from nnfs_xp.engine.executors import cuda_graph

    x, y = points(64)
    device = cupy32.device

    def free():
        gc.collect()
        cupy32.release_memory()
        return device.mem_info[0]

    def train():
        model = varied_network(cupy32, compile="require")
        for _ in range(2):
            model.fit(x, y, batch_size=16)
        return model

    train()
    before = free()
    models = [train() for _ in range(3)]
    assert free() < before
    models[0].to("numpy")
    del models
    assert free() == before
    monkeypatch.setattr(cuda_graph, "MOST_KEPT_BYTES", 0)
    model = train()
    assert not model._trainer.executor._graphs
    assert not model._trainer.executor._pools
