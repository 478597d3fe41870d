"""A training whose numbers are no longer finite ends, and says where."""

import pickle

import numpy as np
import pytest

import nnfs_xp as nx
from tests.engine.variants import every_variant, where

random = np.random.default_rng(4)
X = random.standard_normal((30, 4)).astype("float32")
LABELS = np.arange(30) % 3
# Beyond float32, a rate that no number survives.
WILD = 1e38


def make_model(variant="numpy", rate=WILD, **options):
    return nx.Model(
        [nx.Dense(4, 8), nx.ReLU(), nx.Dense(8, 3), nx.Softmax()],
        loss="categorical_crossentropy",
        optimizer=nx.SGD(rate),
        **{**where(variant, "float32"), **options},
    )


class Poison(nx.Callback):
    """Makes one number of a layer NaN after an epoch."""

    def __init__(self, epoch, layer=2):
        self.epoch, self.layer = epoch, layer

    def on_fit_begin(self, model, epochs, batches):
        self.model = model

    def on_epoch_end(self, record):
        if record["epoch"] == self.epoch:
            layer = self.model.layers[self.layer]
            values = nx.to_numpy(layer.weights)
            values[1, 2] = np.nan
            layer.weights = layer.backend.asarray(values)


@every_variant
def test_the_epoch_the_steps_and_a_layer_are_told(variant):
    model = make_model(variant)
    with pytest.raises(nx.DivergenceError) as caught:
        model.fit(X, LABELS, epochs=9, batch_size=10)
    assert str(caught.value).startswith(
        "training has diverged in epoch 1, steps 1 to 3: the loss is nan, "
        "3 of 3 numbers in 2.biases of Dense(8, 3) are not finite, such as nan, "
        "and some in 3 of 3 others; use a learning rate below 1e+38, or clip_norm"
    )
    assert (caught.value.epoch, caught.value.step) == (1, 3)
    assert len(caught.value.history) == 0
    assert (model.epochs_trained, model.steps_trained) == (1, 3)


@every_variant
def test_parameters_are_looked_at_after_the_last_step(variant):
    """The only loss there is was finite."""
    with pytest.raises(nx.DivergenceError, match="not finite, such as -?(inf|nan)"):
        nx.Model(
            [nx.Dense(1, 1)],
            loss="mean_squared_error",
            optimizer=nx.SGD(3e38),
            **where(variant, "float32"),
        ).fit([[3.0]], [[-4.0]])


@every_variant
def test_epochs_before_are_in_the_error(variant):
    model = make_model(variant, rate=0.1)
    with pytest.raises(nx.DivergenceError) as caught:
        model.fit(X, LABELS, epochs=9, batch_size=10, callbacks=Poison(2))
    assert caught.value.history["epoch"] == [1, 2]
    assert "in epoch 3, steps 7 to 9" in str(caught.value)


def test_whoever_reads_figures_between_hears_of_it_earlier():
    class Read(nx.Callback):
        def on_batch_end(self, event):
            if event.batch % 2 == 0:
                event.figures()

    model = make_model(rate=0.1)
    with pytest.raises(nx.DivergenceError, match="epoch 2, steps 11 to 12:"):
        model.fit(X, LABELS, epochs=3, batch_size=3, callbacks=[Read(), Poison(1)])

    class ReadEach(nx.Callback):
        def on_batch_end(self, event):
            event.batch_figures()

    model = make_model(rate=0.1)
    with pytest.raises(nx.DivergenceError, match="epoch 2, step 11:"):
        model.fit(X, LABELS, epochs=3, batch_size=3, callbacks=[ReadEach(), Poison(1)])


def test_a_loss_alone_may_be_infinite():
    model = nx.Model([nx.Dense(1, 1)], loss="mean_squared_error", optimizer="sgd")
    model.layers[0].weights = [[1e25]]
    with pytest.raises(
        nx.DivergenceError, match=r"the loss is inf, [^;]*Dense\(1, 1\)"
    ):
        model.fit([[1.0]], [[0.0]], epochs=9)
    without = nx.Model([nx.ReLU()], loss="mean_squared_error", optimizer="sgd")
    with pytest.raises(nx.DivergenceError, match="there are no parameters"):
        without.fit([[1e25]], [[0.0]])


def test_the_largest_number_is_told_where_all_are_finite():
    class Blind(nx.MeanSquaredError):
        """Whose gradient is always 0."""

        def bwd(self, be, residuals, dlosses):
            return 0.0 * super().bwd(be, residuals, dlosses)

    model = nx.Model([nx.Dense(1, 1)], loss=Blind(), optimizer="sgd", dtype="float64")
    model.layers[0].weights = [[1e160]]
    wanted = r"the largest number, 1e\+160, is in 0.weights of Dense\(1, 1\)"
    with pytest.raises(nx.DivergenceError, match=wanted):
        model.fit([[1.0]], [[0.0]])


def test_it_may_go_on():
    model = make_model()
    history = model.fit(X, LABELS, epochs=3, on_divergence="continue")
    assert not np.isfinite(history["loss"][-1]) and len(history) == 3
    with pytest.raises(nx.InputError, match="on_divergence must be one of"):
        model.fit(X, LABELS, on_divergence="ignore")


def test_a_loss_of_nothing_is_no_divergence():
    model, seen = make_model(rate=0.1), []

    class Read(nx.Callback):
        def on_batch_end(self, event):
            seen.append(event.figures()["loss"])

    history = model.fit(
        X, LABELS, sample_weight=np.arange(30) // 10, batch_size=10, shuffle=False,
        callbacks=Read(),
    )  # fmt: skip
    assert list(np.isnan(seen)) == [True, False, False]
    assert history["loss"] == seen[-1:]


def test_a_sum_that_is_too_large_is_no_divergence():
    model = nx.Model([nx.Dense(2, 1)], loss="mean_squared_error", optimizer=nx.SGD(0.0))
    model.layers[0].weights = [[3e38], [3e38]]
    assert model.fit([[0.0, 0.0]], [[0.0]])["loss"] == [0.0]


@every_variant
def test_the_best_parameters_come_back(variant):
    best = []

    class Keep(nx.Callback):
        def on_fit_begin(self, model, epochs, batches):
            self.model = model

        def on_epoch_end(self, record):
            best.append(nx.to_numpy(self.model.layers[0].weights))

    model = make_model(variant, rate=0.1)
    stop = nx.EarlyStopping("loss", patience=9)
    with pytest.raises(nx.DivergenceError):
        model.fit(X, LABELS, epochs=9, callbacks=[Keep(), stop, Poison(3)])
    assert stop.best_epoch == 3
    np.testing.assert_array_equal(nx.to_numpy(model.layers[0].weights), best[-1])
    assert np.isfinite(model.evaluate(X, LABELS)["loss"])


def test_no_good_file_is_overwritten(tmp_path):
    path = tmp_path / "model.safetensors"
    keep = nx.Checkpoint(path)
    model = make_model(rate=0.1)
    for end in ("raise", "continue"):
        path.unlink(missing_ok=True)
        model = make_model(rate=0.1)
        try:
            model.fit(
                X, LABELS, epochs=4, callbacks=[keep, Poison(2)], on_divergence=end
            )
        except nx.DivergenceError:
            assert end == "raise"
        assert keep.saved == path
        assert nx.Model.load(path).epochs_trained == 2


def test_the_file_to_go_on_with_stays_good(tmp_path):
    for end in ("raise", "continue"):
        path, model = tmp_path / end, make_model(rate=0.1)
        how = {"checkpoint": path, "on_divergence": end}
        try:
            model.fit(X, LABELS, epochs=4, callbacks=Poison(2), **how)
        except nx.DivergenceError:
            assert end == "raise"
        again = make_model(rate=0.1)
        history = again.fit(X, LABELS, epochs=4, resume=True, **how)
        assert len(history) == 4 and np.isfinite(history["loss"]).all()


def test_what_is_not_finite_is_saved_if_asked(tmp_path):
    path = tmp_path / "model.safetensors"
    model = make_model(rate=0.1)
    model.save(path)
    good = path.read_bytes()
    weights = np.zeros((8, 3), "float32")
    weights[0, 0] = np.inf
    model.layers[2].weights = weights
    for save in (model.save, model.save_parameters):
        with pytest.raises(nx.DivergenceError, match="2.weights holds inf; allow"):
            save(path)
        assert path.read_bytes() == good
    model.save(path, allow_nonfinite=True)
    assert nx.Model.load(path).layers[2].weights[0, 0] == np.inf
    model.save_parameters(path, allow_nonfinite=True)
    other = make_model(rate=0.1)
    other.load_parameters(path)
    assert other.layers[2].weights[0, 0] == np.inf


def test_the_error_can_be_pickled():
    with pytest.raises(nx.DivergenceError) as caught:
        make_model().fit(X, LABELS, epochs=3)
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (str(copy), copy.epoch, copy.step) == (str(caught.value), 2, 2)


@every_variant
def test_the_best_epoch_is_one_that_left_finite_parameters(variant):
    """The last step of an epoch is in no figure of it."""
    stop = nx.EarlyStopping("loss", patience=9)
    kept = []

    class Keep(nx.Callback):
        def on_fit_begin(self, model, epochs, batches):
            self.model = model

        def on_epoch_end(self, record):
            kept.append(self.model.get_parameters())

    model = make_model(variant, rate=0.1)
    history = model.fit(
        X, LABELS, epochs=3, callbacks=[Keep(), Poison(3), stop],
        on_divergence="continue",
    )  # fmt: skip
    losses = history["loss"]
    assert losses[2] < losses[1] < losses[0]
    assert (stop.best_epoch, stop.best) == (2, losses[1])
    for found, expected in zip(model.get_parameters(), kept[1], strict=True):
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_array_equal(nx.to_numpy(one), nx.to_numpy(other))
