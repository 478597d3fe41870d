"""The step that torch.compile makes is the one that PyTorch runs eagerly."""

import shutil

import numpy as np
import pytest

import nnfs_xp as nx
from tests.conftest import backend_or_skip
from tests.executors.models import Steps, points, varied_network
from tests.executors.test_new_engine import assert_near, data_for, make

needs_compiler = pytest.mark.skipif(
    shutil.which("g++") is None, reason="torch.compile needs a C++ compiler on a CPU"
)


@needs_compiler
@pytest.mark.slow
# Of the compiler itself, and its tools.
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_compiled_steps_are_the_eager_ones():
    be = backend_or_skip("torch", "float64")
    import torch

    x, y = points(37)
    torch.compiler.reset()
    torch._dynamo.utils.counters.clear()
    found = {}
    for compile in ("off", "require"):
        model, steps = varied_network(be, compile=compile), Steps()
        for _ in range(2):
            model.fit(x, y, epochs=2, batch_size=16, callbacks=steps)
        model.learning_rate = 0.5
        model.fit(x, y, epochs=1, batch_size=16, callbacks=steps)
        found[compile] = [figures["loss"] for figures in steps.figures]
        rest = [{k: v for k, v in f.items() if "loss" not in k} for f in steps.figures]
        found[compile, "counts"] = rest
    assert model._trainer.executor.name == "torch.compile"
    assert "compiled by torch.compile" in model.executor_note
    np.testing.assert_allclose(found["require"], found["off"], rtol=1e-12)
    assert found["require", "counts"] == found["off", "counts"]
    # Batches of 16 and of 5 rows, however many steps, fits and learning rates.
    compiled = torch._dynamo.utils.counters["stats"]["unique_graphs"]
    assert compiled == 2


@needs_compiler
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_blocks_ids_and_running_statistics_are_compiled():
    be = backend_or_skip("torch", "float64")
    import torch

    torch.compiler.reset()
    torch._dynamo.utils.counters.clear()
    found = {}
    for compile in ("off", "require"):
        model, steps = make("two_inputs", be, compile), Steps()
        model.fit(*data_for("two_inputs"), epochs=2, batch_size=16, callbacks=steps)
        found[compile] = [figures["loss"] for figures in steps.figures]
        found[compile, "state"] = model._state.export()
    np.testing.assert_allclose(found["require"], found["off"], rtol=1e-12)
    assert_near(found["require", "state"], found["off", "state"])
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] == 2


@needs_compiler
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_any_number_of_shapes_and_models_is_compiled():
    """PyTorch's limit, by default eight, counts what all of them would share."""
    be = backend_or_skip("torch", "float64")
    import torch

    x, y = points(9)
    torch.compiler.reset()
    for number in range(3):
        found = {}
        for compile in ("off", "require"):
            model = nx.Model(
                [nx.Dense(5, 2 + number), nx.Dense(2 + number, 3), nx.Softmax()],
                loss="categorical_crossentropy", optimizer="sgd", backend=be, seed=1,
                compile=compile,
            )  # fmt: skip
            with torch._dynamo.config.patch(recompile_limit=2):
                for rows in (4, 7, 9, 4) if number == 2 else (4,):
                    model.fit(x[:rows], y[:rows])
            found[compile] = nx.to_numpy(model.predict(x))
        assert "compiled by torch.compile" in model.executor_note
        np.testing.assert_allclose(found["require"], found["off"], rtol=1e-12)


def test_on_a_cpu_auto_compiles_nothing():
    be = backend_or_skip("torch", "float32")
    on_cpu = be.device.type == "cpu"
    assert varied_network(be).executor_note.startswith("recorded") == on_cpu


class ReadsBack(nx.Layer):
    """A layer that looks at its data, which cannot be traced."""

    def fwd(self, cx, x):
        return (x if float(cx.xp.max(x)) < 1e9 else x * 0), None

    def bwd(self, cx, residuals, dy):
        return dy


@pytest.mark.parametrize("required", [True, False])
def test_what_cannot_be_compiled(required):
    be = backend_or_skip("torch", "float32")
    model = nx.Model(
        [nx.Dense(5, 3), ReadsBack(), nx.Softmax()],
        loss="categorical_crossentropy", optimizer="sgd", backend=be,
        compile="require",
    )  # fmt: skip
    model._trainer.executor.required = required
    x, y = points(32)
    before = nx.to_numpy(model.layers[0].weights)
    if required:
        with pytest.raises(nx.BackendUnavailableError, match=r"torch\.compile cannot"):
            model.fit(x, y)
        np.testing.assert_array_equal(nx.to_numpy(model.layers[0].weights), before)
        return
    model.fit(x, y, epochs=2, batch_size=16)
    assert "step by step (not compiled by torch.compile" in model.executor_note
    assert (nx.to_numpy(model.layers[0].weights) != before).any()
