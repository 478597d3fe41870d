"""Loss scaling, as a pure part of the step, and in files."""

import numpy as np
import pytest

import nnfs_xp as nx
from nnfs_xp.engine import loss_scaling
from nnfs_xp.io.checkpoint import read_arrays
from tests.conftest import MATRIX, backend_or_skip

random = np.random.default_rng(8)


@pytest.fixture
def be(backend_name):
    """Every backend, with products of float16."""
    backend_or_skip(backend_name, "float32")
    name, device = MATRIX[backend_name]
    be = nx.get_backend(name, device=device, matmul_precision="float16")
    with be.context():
        yield be


def slots(be, *shapes):
    return {
        str(number): be.asarray(random.standard_normal(shape), be.dtype)
        for number, shape in enumerate(shapes)
    }


def values(be, tree):
    if isinstance(tree, dict):
        return {key: values(be, value) for key, value in tree.items()}
    return be.to_numpy(tree)


def scaling_of(be, scale, good_steps=0.0):
    return {"scale": be.constant(scale), "good_steps": be.constant(good_steps)}


def test_only_float16_needs_it():
    needed = {
        name: loss_scaling.needed(nx.get_backend("numpy", matmul_precision=name))
        for name in ("full", "tf32", "bfloat16", "float16")
    }
    assert [name for name, value in needed.items() if value] == ["float16"]


def test_scaling_is_undone_exactly(be):
    scaling = loss_scaling.init(be)
    assert float(scaling["scale"]) == 65536.0 and float(scaling["good_steps"]) == 0.0
    gradients = slots(be, (50,), (3, 4))
    before = values(be, gradients)
    larger = {k: loss_scaling.scaled(be, scaling, v) for k, v in gradients.items()}
    np.testing.assert_array_equal(be.to_numpy(larger["0"]), before["0"] * 65536)
    finite = loss_scaling.unscale(be, scaling, larger)
    assert finite.shape == () and bool(finite)
    for key, value in before.items():
        np.testing.assert_array_equal(be.to_numpy(larger[key]), value)
        # Whoever scaled them still has the gradients.
        np.testing.assert_array_equal(be.to_numpy(gradients[key]), value)


def test_gradients_are_unscaled_where_they_are(be):
    gradients = slots(be, (5,))
    array = gradients["0"]
    loss_scaling.unscale(be, loss_scaling.init(be), gradients)
    assert (gradients["0"] is array) == be.in_place


@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("key", ["0", "1"])
def test_one_bad_gradient_of_many_is_seen(be, bad, key):
    gradients = slots(be, (50,), (3, 4))
    host = be.to_numpy(gradients[key])
    host.flat[-1] = bad
    gradients[key] = be.asarray(host)
    assert not bool(loss_scaling.unscale(be, loss_scaling.init(be), gradients))


def test_no_gradients_are_finite_ones(be):
    assert bool(loss_scaling.unscale(be, loss_scaling.init(be), {}))


@pytest.mark.parametrize(
    "optimizer", [nx.SGD(0.1, momentum=0.9), nx.Adam(), nx.AdamW()]
)
@pytest.mark.parametrize("good", [True, False])
def test_a_step_that_overflows_is_left_out(be, optimizer, good):
    parameters = slots(be, (20,), (3, 4))
    state = optimizer.init(be, parameters)
    optimizer.update(be, parameters, slots(be, (20,), (3, 4)), state)
    before = values(be, parameters), values(be, state)
    arrays = dict(parameters)
    gradients = slots(be, (20,), (3, 4))
    if not good:
        gradients["0"] = gradients["0"] * np.inf
    expected = {k: be.xp.asarray(v, copy=True) for k, v in parameters.items()}
    expected_state = {
        k: {n: be.xp.asarray(a, copy=True) for n, a in v.items()}
        if isinstance(v, dict)
        else be.xp.asarray(v, copy=True)
        for k, v in state.items()
    }
    finite = loss_scaling.unscale(be, scaling_of(be, 1.0), gradients)
    saved = loss_scaling.snapshot(be, parameters, state)
    optimizer.update(be, parameters, gradients, state)
    loss_scaling.keep(be, finite, saved, parameters, state)
    assert float(state["step"]) == 2
    if good:
        optimizer.update(be, expected, gradients, expected_state)
        before = values(be, expected), values(be, expected_state)
    found = values(be, parameters), values(be, state)
    for key in parameters:
        np.testing.assert_array_equal(found[0][key], before[0][key])
        # A captured step knows their addresses.
        assert not be.in_place or parameters[key] is arrays[key]
    for name, slot in before[1].items():
        if isinstance(slot, dict):
            for key, value in slot.items():
                np.testing.assert_array_equal(found[1][name][key], value)


@pytest.mark.parametrize(
    ("scale", "good_steps", "finite", "expected"),
    [
        (1024.0, 0, True, (1024.0, 1)),
        (1024.0, 1998, True, (1024.0, 1999)),
        (1024.0, 1999, True, (2048.0, 0)),
        (2.0**24, 1999, True, (2.0**24, 0)),
        (1024.0, 1999, False, (512.0, 0)),
        (1024.0, 7, False, (512.0, 0)),
        (1.0, 7, False, (1.0, 0)),
    ],
)
def test_the_scale_follows_what_happened(be, scale, good_steps, finite, expected):
    scaling = scaling_of(be, scale, good_steps)
    arrays = dict(scaling)
    loss_scaling.adapt(be, scaling, be.asarray(finite))
    assert (float(scaling["scale"]), float(scaling["good_steps"])) == expected
    for key, array in scaling.items():
        assert array.dtype == be.dtype and array.shape == ()
        assert not be.in_place or array is arrays[key]


def test_the_scale_is_that_of_pytorch(torch):
    """Step by step, for a random run of overflows, with the same numbers."""
    be = nx.get_backend("numpy", matmul_precision="float16")
    scaling, factor = loss_scaling.init(be), torch.tensor(65536.0)
    tracker = torch.tensor(0, dtype=torch.int32)
    for overflows in random.uniform(size=9000) < 0.0003:
        loss_scaling.adapt(be, scaling, be.asarray(not overflows))
        torch._amp_update_scale_(
            factor, tracker, torch.tensor(float(overflows)), 2.0, 0.5, 2000
        )
        assert float(scaling["scale"]) == float(factor)
        assert float(scaling["good_steps"]) == float(tracker)


def test_a_compiled_step_can_scale():
    jax = pytest.importorskip("jax")
    be = nx.get_backend("jax", matmul_precision="float16")
    optimizer = nx.Adam()

    def step(parameters, state, scaling, dy):
        parameters, scaling = dict(parameters), dict(scaling)
        state = {k: dict(v) if isinstance(v, dict) else v for k, v in state.items()}
        gradients = {"0": loss_scaling.scaled(be, scaling, dy)}
        finite = loss_scaling.unscale(be, scaling, gradients)
        before = loss_scaling.snapshot(be, parameters, state)
        optimizer.update(be, parameters, gradients, state)
        loss_scaling.keep(be, finite, before, parameters, state)
        loss_scaling.adapt(be, scaling, finite)
        return parameters, state, scaling

    parameters = slots(be, (6,))
    arguments = parameters, optimizer.init(be, parameters), loss_scaling.init(be)
    compiled = jax.jit(step)
    learned = compiled(*arguments, be.full((6,), 0.5))
    assert not np.array_equal(learned[0]["0"], parameters["0"])
    assert float(learned[2]["good_steps"]) == 1
    # Finite before it is scaled.
    skipped = compiled(*learned, be.full((6,), 3e38))
    np.testing.assert_array_equal(skipped[0]["0"], learned[0]["0"])
    assert float(skipped[2]["scale"]) == 32768
    assert float(skipped[1]["step"]) == 2


@pytest.mark.backend("cupy")
def test_cupy_scaling_reads_nothing_back_and_can_be_captured():
    be = backend_or_skip("cupy", "float32")
    import cupy

    gradients, scaling = slots(be, (6,)), loss_scaling.init(be)
    parameters = slots(be, (6,))
    moments = {"velocity": slots(be, (6,))}
    first = values(be, gradients)["0"], values(be, parameters)["0"]

    def step():
        finite = loss_scaling.unscale(be, scaling, gradients)
        before = loss_scaling.snapshot(be, parameters, moments)
        parameters["0"] -= gradients["0"]
        moments["velocity"]["0"] += gradients["0"]
        loss_scaling.keep(be, finite, before, parameters, moments)
        loss_scaling.adapt(be, scaling, finite)

    pool = cupy.cuda.MemoryPool()
    stream = cupy.cuda.Stream(non_blocking=True)
    with stream, cupy.cuda.using_allocator(pool.malloc):
        # Whatever has to be compiled or allocated comes before the capture.
        step()
        stream.synchronize()
        gradients["0"][...], parameters["0"][...] = map(be.asarray, first)
        scaling["scale"][...] = 65536.0
        stream.begin_capture()
        step()
        graph = stream.end_capture()
        graph.launch()
        stream.synchronize()
        expected = first[1] - first[0] / 65536
        np.testing.assert_array_equal(parameters["0"].get(), expected)
        gradients["0"][...] = cupy.inf
        graph.launch()
        stream.synchronize()
    np.testing.assert_array_equal(parameters["0"].get(), expected)
    assert float(scaling["scale"]) == 32768


# In a model, and in its file.


def make(**where):
    return nx.Model(
        [nx.Dense(4, 8), nx.ReLU(), nx.Dense(8, 3), nx.Softmax()],
        loss="categorical_crossentropy",
        optimizer="adam",
        **where,
    )


def with_scale(scale, good_steps):
    model = make(backend="numpy", matmul_precision="float16")
    model._ready.tree["scaling"]["scale"][...] = scale
    model._ready.tree["scaling"]["good_steps"][...] = good_steps
    return model


def scale_of(model):
    scaling = model._ready.tree["scaling"]
    return float(scaling["scale"]), float(scaling["good_steps"])


def test_files_keep_the_scale(tmp_path):
    file = tmp_path / "model.safetensors"
    with_scale(4096.0, 17).save(file)
    assert float(read_arrays(file)["scaling.scale"]) == 4096
    loaded = nx.Model.load(file, backend="numpy", matmul_precision="float16")
    assert scale_of(loaded) == (4096, 17)
    assert scale_of(loaded.to("array_api_strict")) == (4096, 17)
    # Without float16 nothing is scaled, and its state is of no use.
    plain = nx.Model.load(file, backend="numpy")
    assert "scaling" not in plain._ready.tree
    assert not any(name.startswith("scaling") for name in plain._ready.export())


def test_files_without_a_scale_load_too(tmp_path):
    file = tmp_path / "model.safetensors"
    make(backend="numpy").save(file)
    loaded = nx.Model.load(file, backend="numpy", matmul_precision="float16")
    assert scale_of(loaded) == (65536, 0)


def test_parameters_alone_can_be_read_from_such_a_file(tmp_path):
    model = with_scale(4096.0, 17)
    model.save(tmp_path / "model.safetensors")
    other = make(backend="numpy", seed=7)
    other.load_parameters(tmp_path / "model.safetensors")
    for name, value in model.parameters.items():
        np.testing.assert_array_equal(other.parameters[name], value)


def test_a_damaged_scale_is_refused(tmp_path):
    from nnfs_xp.io.checkpoint import read_checkpoint, write_checkpoint

    file = tmp_path / "model.safetensors"
    with_scale(4096.0, 17).save(file)
    config, named = read_checkpoint(file)
    named["scaling.scale"] = np.ones(3, "float32")
    write_checkpoint(file, config, named)
    with pytest.raises(nx.FileFormatError, match="scaling.scale must have shape"):
        nx.Model.load(file, backend="numpy", matmul_precision="float16")


def test_another_loss_keeps_the_scale():
    model = with_scale(4096.0, 17)
    model.set(metrics=None)
    assert scale_of(model) == (4096, 17)
    model.set(optimizer="sgd")
    assert scale_of(model) == (65536, 0)


def test_a_model_without_an_optimizer_scales_nothing():
    model = nx.Model([nx.Dense(2, 2)], matmul_precision="float16", backend="numpy")
    assert "scaling" not in model._ready.tree
