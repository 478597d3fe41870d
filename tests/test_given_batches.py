"""Training on batches of an iterable: the same numbers as with arrays."""

import functools
import itertools
import signal

import numpy as np
import pytest

import nnfs_xp as nx
from tests.conftest import backend_or_skip

RNG = np.random.default_rng(0)
X = RNG.normal(size=(22, 4)).astype("float32")
Y = RNG.integers(0, 3, 22)
WEIGHT = RNG.uniform(0.5, 2.0, 22)


def make_model(be="numpy", compile="auto", **options):
    layers = [nx.Dense(4, 6), nx.BatchNorm(6), nx.ReLU(), nx.Dropout(0.2)]
    return nx.Model(
        [*layers, nx.Dense(6, 3), nx.Softmax()],
        loss="categorical_crossentropy",
        optimizer=nx.Adam(0.02),
        backend=be,
        compile=compile,
        **options,
    )


class Loader:
    """Cuts batches like a loader: with a length, and anew for each epoch."""

    def __init__(self, *arrays, size=8, convert=lambda a: a):
        self.arrays, self.size, self.convert = arrays, size, convert

    def __len__(self):
        return -(-len(self.arrays[0]) // self.size)

    def __iter__(self):
        for start in range(0, len(self.arrays[0]), self.size):
            rows = slice(start, start + self.size)
            yield [self.convert(array[rows]) for array in self.arrays]


class ByIndex:
    """Batches that are read by index, as some of Keras are."""

    def __len__(self):
        return 2

    def __getitem__(self, number):
        return X, Y

    def on_epoch_end(self):
        """Do nothing."""


def endless():
    while True:
        yield from Loader(X, Y)


def assert_same(one, other, tolerance=0.0):
    for path, array in one.parameters.items():
        found = nx.to_numpy(other.parameters[path])
        np.testing.assert_allclose(found, nx.to_numpy(array), rtol=0, atol=tolerance)


@pytest.mark.parametrize(
    "compile", ["auto", pytest.param("off", marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("weighted", [False, True])
def test_as_with_arrays(backend_name, compile, weighted):
    """A short last batch, weights, validation: all as if the arrays were given."""
    be = backend_or_skip(backend_name, "float64")
    arrays = (X, Y, WEIGHT) if weighted else (X, Y)
    one, other = make_model(be, compile), make_model(be, compile)
    weight = WEIGHT if weighted else None
    history = one.fit(
        X, Y, sample_weight=weight, epochs=4, batch_size=8, shuffle=False,
        validation_data=arrays,
    )  # fmt: skip
    given = other.fit(Loader(*arrays), epochs=4, validation_data=Loader(*arrays))
    for name in ("loss", "accuracy", "validation_loss", "validation_accuracy"):
        np.testing.assert_allclose(given[name], history[name], rtol=1e-12)
    assert_same(one, other, 1e-14)
    assert one.steps_trained == other.steps_trained == 12
    found = other.evaluate(Loader(*arrays))
    wanted = one.evaluate(X, Y, sample_weight=weight)
    assert found == pytest.approx(wanted, rel=1e-12)
    for loader in (Loader(X, Y), Loader(X), iter(np.split(X, 2))):
        np.testing.assert_allclose(
            nx.to_numpy(other.predict(loader)),
            nx.to_numpy(one.predict(X)),
            rtol=1e-12,
        )


def test_batches_on_the_device(backend):
    one, other = make_model(backend), make_model(backend)
    on_device = (backend.asarray(X), backend.asarray(Y, "int32"))
    first = nx.to_numpy(on_device[0])
    batches = [
        tuple(array[start : min(start + 8, 22), ...] for array in on_device)
        for start in range(0, 22, 8)
    ]

    class Given:
        def __iter__(self):
            return iter(batches)

        def __len__(self):
            return 3

    one.fit(X, Y, epochs=2, batch_size=8, shuffle=False)
    other.fit(Given(), epochs=2)
    assert_same(one, other, 1e-6)
    # What the user has given is not written to.
    np.testing.assert_array_equal(nx.to_numpy(on_device[0]), first)


def test_generators():
    one = make_model()
    one.fit(Loader(X, Y), epochs=3)
    at_once, in_parts = make_model(), make_model()
    at_once.fit(endless(), steps_per_epoch=3, epochs=3)
    assert_same(one, at_once)
    # An epoch goes on where the last one has ended, and an iterable begins anew.
    in_parts.fit(Loader(X, Y), steps_per_epoch=1, epochs=9)
    assert_same(one, in_parts)
    assert in_parts.epochs_trained == 9
    counted = nx.History()
    counted.epochs = make_model().fit(endless(), steps_per_epoch=2, epochs=2).epochs
    assert counted["epoch"] == [1, 2]


def test_what_callbacks_see():
    seen = []

    class Watch(nx.Callback):
        def on_fit_begin(self, model, epochs, batches):
            seen.append((epochs, batches))

        def on_batch_end(self, event):
            seen.append((event.epoch, event.batch, event.batches, event.samples))
            assert event.figures()["loss"] > 0 and event.batch_figures()["loss"] > 0

    make_model().fit(Loader(X, Y), epochs=2, callbacks=Watch())
    assert seen == [
        (2, 3),
        (1, 1, 3, 8), (1, 2, 3, 16), (1, 3, 3, 22),
        (2, 1, 3, 8), (2, 2, 3, 16), (2, 3, 3, 22),
    ]  # fmt: skip


def test_several_inputs_and_ids():
    def model():
        branches = nx.Parallel([nx.Embedding(3, 2), nx.Dense(4, 2)])
        return nx.Model(
            [branches, nx.Concatenate(), nx.Dense(4, 3), nx.Softmax()],
            loss="categorical_crossentropy", optimizer="adam",
        )  # fmt: skip

    ids = Y[::-1].copy()
    one, other = model(), model()
    one.fit((ids, X), Y, epochs=2, batch_size=8, shuffle=False)
    batches = [((i, x), y) for i, x, y in Loader(ids, X, Y)]
    other.fit(itertools.cycle(batches), steps_per_epoch=3, epochs=2)
    assert_same(one, other)
    np.testing.assert_array_equal(
        other.predict(iter([((ids, X),)])), one.predict((ids, X))
    )


@pytest.mark.parametrize(
    ("given", "options", "text"),
    [
        (endless, {}, "steps_per_epoch must say .* x, a generator, has no length"),
        (lambda: iter([]), {"steps_per_epoch": 2}, "x gives no batches"),
        (
            lambda: iter(list(Loader(X, Y))), {"steps_per_epoch": 2, "epochs": 2},
            "x has ended after 3 batches, and 2 are needed for each epoch",
        ),
        (lambda: Loader(X), {}, r"x, batch 1: must be \(x, y\) or .* got 1 parts"),
        (lambda: iter([X]), {"steps_per_epoch": 1}, "x, batch 1: .*, got ndarray"),
        (lambda: Loader(X, Y + 1), {}, "x, batch 1: y must hold labels from 0 to 2"),
        (lambda: Loader(X, Y), {"batch_size": 64}, "batch_size must be omitted"),
        (lambda: Loader(X, Y), {"sample_weight": WEIGHT}, "sample_weight must be omit"),
        (lambda: Loader(X, Y), {"validation_split": 0.5}, "validation_split must be"),
        (lambda: Loader(X, Y), {"y": Y}, "y must be omitted if x yields batches"),
        (lambda: Loader(X, Y), {"checkpoint": "a.safetensors"}, "checkpoint must be"),
        (lambda: Loader(X, Y), {"steps_per_epoch": 0}, "steps_per_epoch must be a pos"),
        (
            lambda: Loader(X, Y), {"validation_data": endless()},
            "validation_data must be an iterable .* a generator, which can be .* once",
        ),
        (lambda: X, {"y": Y, "steps_per_epoch": 2}, "steps_per_epoch must be omitted"),
        (lambda: X, {}, "y: .*it is omitted only if x yields batches"),
        (lambda: X.tolist(), {}, "y: .*it is omitted only if x yields batches"),
        (lambda: [[X, Y]], {}, r"or is a list of them, all tuples \(x, y\)"),
        (lambda: endless, {"steps_per_epoch": 2}, "x is a function; call it, and"),
        (lambda: functools.partial(endless), {}, "x is a partial; call it, and"),
        (lambda: X, {"y": Y, "validation_data": endless}, "validation_data is a func"),
        (lambda: ByIndex(), {}, "x is a ByIndex, .* generator .*steps_per_epoch=len"),
    ],
)  # fmt: skip
def test_what_is_refused(given, options, text):
    model = make_model()
    before = model.get_parameters()
    with pytest.raises(nx.InputError, match=text):
        model.fit(given(), **options)
    if "ended" not in text:
        assert model.steps_trained == 0
        np.testing.assert_array_equal(model.get_parameters()[0][0], before[0][0])


@pytest.mark.parametrize("listed", [list, tuple])
def test_a_list_of_batches(listed):
    batches = listed(tuple(batch) for batch in Loader(X, Y, WEIGHT))
    one, other = make_model(), make_model()
    wanted = one.fit(Loader(X, Y, WEIGHT), epochs=3, validation_data=(X, Y, WEIGHT))
    found = other.fit(batches, epochs=3, validation_data=batches)
    assert found["loss"] == wanted["loss"]
    assert found["validation_loss"] == pytest.approx(wanted["validation_loss"])
    assert_same(one, other)
    assert other.evaluate(batches) == pytest.approx(
        one.evaluate(X, Y, sample_weight=WEIGHT)
    )


def test_a_list_of_two_arrays_is_still_a_pair():
    """Rows in lists, and validation data in a list, are not batches."""
    rows = [tuple(row) for row in X[:, :2]]
    model = nx.Model(
        [nx.Dense(2, 3), nx.Softmax()],
        loss="categorical_crossentropy",
        optimizer="adam",
    )
    history = model.fit(rows, Y, validation_data=[rows, list(Y)])
    assert history["validation_loss"] == [model.evaluate(rows, Y)["loss"]]


def test_data_sets_of_pytorch_need_a_loader():
    data = pytest.importorskip("torch.utils.data")
    from_numpy = pytest.importorskip("torch").from_numpy
    model, samples = make_model(), data.TensorDataset(from_numpy(X), from_numpy(Y))
    text = r"is a (TensorDataset|Subset), which .*torch.utils.data.DataLoader\("
    for call in (
        lambda: model.fit(samples),
        lambda: model.fit(data.Subset(samples, [0, 1])),
        lambda: model.fit(X, Y, validation_data=samples),
        lambda: model.evaluate(samples),
        lambda: model.predict(samples),
    ):
        with pytest.raises(nx.InputError, match=text):
            call()
    assert model.steps_trained == 0
    model.fit(data.DataLoader(samples, batch_size=8))


def test_a_bad_batch_ends_the_training_at_the_one_before():
    bad = X.copy()
    bad[9, 0] = np.nan
    model, good = make_model(), make_model()
    with pytest.raises(nx.InputError, match="x, batch 2: x must be finite"):
        model.fit(Loader(bad, Y), epochs=2)
    good.fit(X[:8], Y[:8], shuffle=False)
    assert model.steps_trained == 1
    assert_same(model, good)
    for loader, text in (
        (itertools.chain(Loader(X, Y), Loader(X, Y, WEIGHT)), "batch 4: must have w"),
        (itertools.chain(Loader(X, Y), Loader(X[:, :3], Y)), "batch 4: x must have sh"),
    ):
        with pytest.raises(nx.InputError, match=text):
            model.evaluate(loader)


def test_what_needs_all_targets():
    balanced = nx.CategoricalCrossEntropy(class_weight="balanced")
    model = nx.Model([nx.Dense(4, 3), nx.Softmax()], loss=balanced, optimizer="adam")
    with pytest.raises(nx.InputError, match="takes a setting from all targets"):
        model.fit(Loader(X, Y))
    model.fit(X, Y)
    # Now the weights are known.
    model.fit(Loader(X, Y))
    tolerant = nx.Model(
        [nx.Dense(4, 1)], loss="mean_squared_error", optimizer="adam",
        metrics="accuracy",
    )  # fmt: skip
    with pytest.raises(nx.InputError, match="RegressionAccuracy.* takes a setting"):
        tolerant.fit(Loader(X, X[:, :1]))


def test_an_interruption_while_the_next_batch_is_awaited():
    def interrupted():
        yield from itertools.islice(Loader(X, Y), 2)
        signal.raise_signal(signal.SIGINT)
        yield X, Y

    model = make_model()
    with pytest.raises(KeyboardInterrupt):
        model.fit(interrupted(), steps_per_epoch=3)
    assert model.steps_trained == 2
    model.fit(Loader(X, Y))


def test_sizes_that_change():
    model, sizes = make_model(), [3, 8, 3, 5, 8, 3]
    stops = np.cumsum([0, *sizes])
    x, y = np.resize(X, (30, 4)), np.resize(Y, 30)
    parts = [(x[a:b], y[a:b]) for a, b in itertools.pairwise(stops)]
    history = model.fit(iter(parts), steps_per_epoch=6)
    assert history.epochs[0]["samples_per_second"] > 0
    other = make_model()
    for part in parts:
        other.fit(*part, shuffle=False)
    assert_same(model, other)


@pytest.mark.backend("torch")
class TestLoadersOfTorch:
    def loader(self, torch, **options):
        data = torch.utils.data.TensorDataset(
            torch.tensor(X), torch.tensor(Y), torch.tensor(WEIGHT)
        )
        return torch.utils.data.DataLoader(data, batch_size=8, **options)

    @pytest.mark.parametrize("name", ["numpy", "strict", "torch", "jax"])
    def test_on_every_backend(self, torch, name):
        be = backend_or_skip(name, "float32")
        one, other = make_model(be), make_model(be)
        one.fit(X, Y, sample_weight=WEIGHT, epochs=2, batch_size=8, shuffle=False)
        loader = self.loader(torch)
        other.fit(loader, epochs=2, validation_data=loader)
        assert_same(one, other, 1e-6)
        assert other.evaluate(loader) == pytest.approx(
            one.evaluate(X, Y, sample_weight=WEIGHT), rel=1e-5
        )
        assert other.predict(loader).shape == (22, 3)

    def test_its_own_order(self, torch):
        orders = torch.Generator().manual_seed(0)
        history = make_model().fit(
            self.loader(torch, shuffle=True, generator=orders), epochs=40
        )
        assert history["loss"][-1] < history["loss"][0]
