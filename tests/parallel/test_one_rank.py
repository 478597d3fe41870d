"""One rank, on every backend, trains as a process that knows of no ranks."""

import functools
import itertools
import math

import numpy as np
import pytest

from nnfs_xp import (
    Adam,
    BackendUnavailableError,
    Callback,
    Dense,
    InputError,
    Layer,
    Model,
    ReLU,
    Softmax,
    parallel,
)
from nnfs_xp.engine.ranks.buckets import Buckets
from nnfs_xp.engine.ranks.trainer import executor_for_ranks
from nnfs_xp.parallel.bfloat16 import compressed, expanded
from nnfs_xp.parallel.sums import OpenSums, messages
from tests.executors.test_held import (
    Counting,
    Scaled,
    change_factor,
    change_in_dict,
    of_three,
)
from tests.parallel import jobs

pytest.importorskip("mpi4py")


@pytest.mark.parametrize("training", [jobs.plain, jobs.weighted, jobs.normalized])
def test_one_rank_trains_as_no_ranks(training, backend):
    where = {"backend": backend, "dtype": backend.dtype_name}
    alone = jobs.found(*training(None, **where))
    one = jobs.found(*training(parallel.mpi(), **where))
    tolerance = 1e-10 if backend.dtype_name == "float64" else 1e-3
    for record, twin in zip(alone["records"], one["records"], strict=True):
        for name, value in record.items():
            np.testing.assert_allclose(twin[name], value, rtol=tolerance)


def test_a_step_that_waits_for_others_cannot_be_compiled():
    model = jobs.with_batch_norm()
    network, two = model._trainer.state.network, parallel.Communicator(0, 2)
    assert executor_for_ranks(network, two, "auto").name == "ranks"
    with pytest.raises(BackendUnavailableError, match="a synchronized layer"):
        executor_for_ranks(network, two, "require")


def test_sums_wait_for_earlier_ones_and_keep_their_order():
    begun, ended = [], set()

    def stages(number):
        for stage in range(2):
            begun.append((number, stage))
            yield functools.partial(ended.__contains__, (number, stage))

    sums = OpenSums(at_once=2)
    for number in range(4):
        sums.add(stages(number))
    assert not sums.go_on()
    assert begun == [(0, 0), (1, 0)]
    # The second one has ended its stage, but the first one has to begin the next first.
    ended.add((1, 0))
    assert not sums.go_on()
    assert len(begun) == 2
    ended |= {(0, 0), (0, 1)}
    assert not sums.go_on()
    assert begun[2:] == [(0, 1), (1, 1), (2, 0)]
    assert len(sums) == 3
    ended |= {(1, 1), (2, 0), (2, 1), (3, 0), (3, 1)}
    while not sums.go_on():
        pass
    assert begun[5:] == [(2, 1), (3, 0), (3, 1)]
    assert len(sums) == 0


def test_messages_are_consecutive_views_of_an_array():
    array = np.arange(11.0)
    for most, lengths in ((24, [3, 3, 3, 2]), (1, [1] * 11), (math.inf, [11])):
        parts = list(messages(array, most))
        assert [len(part) for part in parts] == lengths
        assert np.concatenate(parts).tolist() == array.tolist()
        assert all(part.base is array for part in parts)
    assert list(messages(array[:0], math.inf)) == []


class Doubled(Layer):
    """Reads a value, which cannot be recorded."""

    def fwd(self, cx, x):
        return x * (2.0 if float(x[0, 0]) else 0.0), None

    def bwd(self, cx, residuals, dy):
        return 2.0 * dy


def executor_of(model):
    return model._trainer.of_ranks.executor


@pytest.mark.parametrize(
    "training",
    [jobs.plain, jobs.weighted, jobs.ignored, jobs.accumulated, jobs.normalized],
)
def test_recorded_steps_have_the_bits_of_steps_made_one_by_one(training):
    model, history = training(parallel.mpi())
    assert executor_of(model).note.startswith("recorded before and after the sum")
    eager, expected = training(parallel.mpi(), compile="off")
    assert executor_of(eager).note.startswith("step by step")
    assert jobs.found(model, history) == jobs.found(eager, expected)


def test_what_cannot_be_recorded_is_run_step_by_step_or_refused():
    x, y, _ = jobs.data()

    def train(**options):
        model = Model(
            [Doubled(), Dense(8, 3), Softmax()], loss="categorical_crossentropy",
            optimizer=Adam(0.01), dtype="float64", **options,
        )  # fmt: skip
        return model, jobs.trained(model, parallel.mpi(), x, y)

    model, history = train()
    note = executor_of(model).note
    assert note.startswith("step by step, on 1 ranks over MPI (not recorded: ")
    assert jobs.found(model, history) == jobs.found(*train(compile="off"))
    with pytest.raises(BackendUnavailableError, match="cannot be recorded"):
        train(compile="require")


@pytest.mark.parametrize("compile", ["auto", "off"])
@pytest.mark.parametrize("training", [jobs.plain, jobs.normalized])
def test_parts_of_the_gradients_are_sent_within_the_pass(
    training, compile, monkeypatch
):
    sent, end = [], Buckets.end

    def watched(buckets, *arguments):
        sent.append((buckets._sent, len(buckets.parts)))
        end(buckets, *arguments)

    monkeypatch.setattr(Buckets, "end", watched)
    parts = parallel.mpi(bucket_bytes=jobs.SMALL)
    model, history = training(parts, compile=compile)
    # The first pass counts writes; that in which calls are recorded sends nothing.
    assert sent[0] == (0, 2)
    assert sum(before == of for before, of in sent) > len(sent) // 2
    together = parallel.mpi(overlap=False)
    assert jobs.found(model, history) == jobs.found(*training(together))


def test_a_users_layer_may_write_as_often_as_it_likes():
    class Twice(Dense):
        """Writes a gradient twice in every second step."""

        def bwd(self, cx, residuals, dy):
            if next(steps) % 2:
                cx.grads["biases"] = 0.0 * dy[:1]
            return super().bwd(cx, residuals, dy)

    steps = itertools.count()

    def train(ranks):
        x, y, _ = jobs.data()
        model = Model(
            [Twice(8, 12), ReLU(), Dense(12, 3), Softmax()], optimizer=Adam(0.01),
            loss="categorical_crossentropy", dtype="float64", compile="off",
        )  # fmt: skip
        return jobs.found(model, jobs.trained(model, ranks, x, y))

    parts, whole = parallel.mpi(bucket_bytes=jobs.SMALL), parallel.mpi(overlap=False)
    assert train(parts) == train(whole)


def test_bfloat16_is_that_of_pytorch():
    torch = pytest.importorskip("torch")
    bits = np.random.default_rng(0).integers(0, 2**32, 10**5, dtype=np.uint32)
    special = [0x3F808000, 0x3F818000, 0x7F7FFFFF, 0x7F800000, 0xFF800001, 0x00000001]
    values = np.concatenate([bits, np.array(special, np.uint32)]).view(np.float32)
    expected = torch.from_numpy(values).to(torch.bfloat16).to(torch.float32).numpy()
    np.testing.assert_array_equal(expanded(compressed(values)), expected)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"compress": "float16"}, "compress must be one of"),
        ({"bucket_bytes": 0}, "bucket_bytes must be"),
        ({"overlap": 1}, "overlap must be"),
    ],
)
def test_bad_settings_are_named(options, text):
    with pytest.raises(InputError, match=text):
        parallel.mpi(**options)


@pytest.mark.parametrize("name", ["numpy", pytest.param("jax", marks=pytest.mark.slow)])
@pytest.mark.parametrize("change", [change_factor, change_in_dict])
def test_what_units_hold_is_followed_on_ranks(name, change):
    x = np.random.RandomState(0).standard_normal((8, 3))

    def losses(compile, ranks):
        layer = Scaled()

        class Change(Callback):
            def on_epoch_end(self, record):
                change(layer)

        model = of_three(layer, backend=name, compile=compile)
        return model.fit(
            x, x[:, :1], batch_size=4, epochs=6, callbacks=Change(), parallel=ranks
        )["loss"]

    found, expected = losses("require", parallel.mpi()), losses("off", None)
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_units_that_change_themselves_on_ranks():
    x = np.random.RandomState(0).standard_normal((8, 3))

    def trained(backend, **options):
        model = of_three(optimizer=Counting(), backend=backend, **options)
        model.fit(x, x[:, :1], batch_size=4, epochs=6, parallel=parallel.mpi())
        return model

    auto, off = trained("numpy"), trained("numpy", compile="off")
    for path, values in off.parameters.items():
        np.testing.assert_array_equal(auto.parameters[path], values)
    assert "(not recorded: Counting changes its _count)" in executor_of(auto).note
    pytest.importorskip("jax")
    with pytest.raises(InputError, match="Counting changes its _count"):
        trained("jax")
