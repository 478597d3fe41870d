"""One rank, on every backend, trains as a process that knows of no ranks."""

import numpy as np
import pytest

from nnfs_xp import (
    Adam,
    BackendUnavailableError,
    Dense,
    Layer,
    Model,
    Softmax,
    parallel,
)
from nnfs_xp.engine.ranks.trainer import executor_for_ranks
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
