"""Loops of numba: compiled, kept, shared out, planned, and done without."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import nnfs_xp as nx
from nnfs_xp import kernels
from nnfs_xp.kernels.loops import (
    attention,
    compiled,
    dense,
    images,
    launch,
    losses,
    norms,
    optimizers,
    source,
    statistics,
    threads,
)
from tests.kernels.implementation_cases import CASES
from tests.kernels.implementation_cases.calling import flat, on_backend

needs_numba = pytest.mark.skipif(
    not kernels.has_loops("numpy"), reason="no numba, or NNFS_XP_KERNELS"
)
LOOPS = kernels.implementations("loops")
TRAINING = """
import sys, numpy as np, nnfs_xp as nx
x = np.random.default_rng(0).standard_normal((64, 4))
model = nx.Model(
    [nx.Dense(4, 8), nx.ReLU(), nx.Dense(8, 2), nx.Softmax()], backend="numpy",
    loss="categorical_crossentropy", optimizer="adam", seed=1, metrics=["accuracy"],
)
model.predict(x)
model.evaluate(x, np.arange(64) % 2)
print("llvmlite" in sys.modules)
history = model.fit(x, np.arange(64) % 2, epochs=5, batch_size=16)
print("numba" in sys.modules)
print(model.executor_note)
print(*next(iter(model.parameters.values())).reshape(-1).tolist(), history["loss"])
"""


def bits(values):
    return [np.asarray(value).tobytes() for value in flat(values)]


@pytest.fixture
def train(tmp_path):
    """Train in a process of its own, and return what it prints."""

    def trained(**environment):
        done = subprocess.run(
            [sys.executable, "-c", TRAINING], capture_output=True, text=True,
            env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path), **environment},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    return trained


@needs_numba
@pytest.mark.slow
def test_what_is_compiled_is_kept_and_loaded_without_numba(train, tmp_path):
    evaluated, imported, note, *first = train()
    assert (evaluated, imported) == ("False", "True")
    assert note.endswith("with loops of numba")
    files = sorted(tmp_path.rglob("*.loop"))
    assert {"adam", "bias_activation_in_place"} <= {
        file.name.split("-")[0] for file in files
    }
    evaluated, imported, note, *second = train()
    assert (evaluated, imported) == ("False", "False")
    assert first == second
    # A file that was cut off, one that was changed, and one that is none.
    files[0].write_bytes(files[0].read_bytes()[:-100])
    files[1].write_bytes(files[1].read_bytes()[:-1] + b"?")
    files[2].write_bytes(b"")
    assert train() == ["False", "True", note, *first]
    assert train() == ["False", "False", note, *first]


@needs_numba
@pytest.mark.slow
def test_a_cache_that_cannot_be_written_to_ends_no_training(train, tmp_path):
    place = tmp_path / "file"
    place.write_text("no folder")
    _, imported, note, *first = train(NUMBA_CACHE_DIR=str(place))
    assert imported == "True"
    assert note.endswith("with loops of numba")
    assert train()[3:] == first


@needs_numba
def test_a_compiler_that_fails_ends_no_training(train, tmp_path):
    (tmp_path / "llvmlite.py").write_text("raise ImportError('broken on purpose')")
    path = os.pathsep.join([str(tmp_path), *sys.path])
    *_, note, numbers = train(PYTHONPATH=path)
    assert note.endswith("without loops (ImportError: broken on purpose)")
    *_, note, without = train(NNFS_XP_KERNELS="no_loops")
    assert note.endswith("without loops (NNFS_XP_KERNELS=no_loops)")
    assert numbers == without


def test_without_numba_numpy_computes(monkeypatch):
    monkeypatch.setitem(kernels.registry._LAYERS, "numpy", ("loops", "no_such_numba"))
    before = kernels.kernel_mode()
    kernels.set_kernel_mode("auto")
    try:
        assert not kernels.has_loops("numpy")
        assert not kernels.has_implementation("bias_activation", "numpy", True)
        assert kernels.loops_note("numpy") == "without loops (no numba)"
        adam = kernels.registry._resolve("adam", "numpy", None)
        assert adam is kernels.implementations("numpy")["adam"]
    finally:
        kernels.set_kernel_mode(before)


def test_other_backends_have_no_loops():
    assert not kernels.has_loops("torch")
    assert kernels.loops_note("torch") == ""


@needs_numba
def test_dense_layers_are_fused_in_training_alone():
    model = nx.Model(
        [nx.Dense(2, 3), nx.ReLU()], loss="mean_squared_error", backend="numpy"
    )
    executor = (model.summary(print_fn=str), model._trainer.executor)[1]
    names = [
        [type(cx.unit).__name__ for cx in program.root.children.values()]
        for program in (executor.training, executor.evaluation, executor.prediction)
    ]
    assert names == [["DenseActivation"], ["Dense", "ReLU"], ["Dense", "ReLU"]]


@needs_numba
def test_a_convolution_is_fused_with_its_activation():
    """With biases alone, and not with one of whole rows."""
    model = nx.Model(
        [
            nx.Conv2D(1, 2, 3),
            nx.ReLU(),
            nx.Conv2D(2, 2, 3, use_bias=False),
            nx.ReLU(),
            nx.Conv2D(2, 2, 3),
            nx.Softmax(),
        ],
        loss="mean_squared_error", backend="numpy",
    )  # fmt: skip
    executor = (model.summary(print_fn=str), model._trainer.executor)[1]
    names = [
        type(cx.unit).__name__
        for cx in executor.training.root.children.values()
    ]  # fmt: skip
    assert names == [
        "ConvolutionActivation", "Conv2D", "ElementwiseActivation", "Conv2D", "Softmax"
    ]  # fmt: skip


def planned_cases():
    for name in LOOPS:
        for kind in ("usual", "ReLU, usual", "usual, number", "usual, weights"):
            begun = name in ("attention_backward", "layer_norm_backward")
            alone = "activation" in name or name == "accumulate" or begun
            if kind in CASES[name] and not alone:
                yield name, kind


@needs_numba
@pytest.mark.parametrize(("name", "kind"), list(planned_cases()))
def test_a_plan_computes_what_its_arguments_hold_then(name, kind, dtype):
    be, made = nx.get_backend("numpy", dtype=dtype), []

    def new(shape, dtype):
        made.append(np.full(shape, 77, dtype))
        return made[-1]

    one, other = on_backend(be, CASES[name][kind]), on_backend(be, CASES[name][kind])
    results, call = LOOPS[name].planned(be, new, *one)
    # A plan alone computes nothing, and its results are its own arrays or arguments.
    assert bits(one) == bits(other)
    assert all((array == 77).all() for array in made)
    for _ in range(3):
        for given in (one, other):
            for array in flat(given):
                if isinstance(array, np.ndarray) and array.dtype == be.dtype:
                    array *= 0.75
        call()
        expected = LOOPS[name](be, *other)
        assert bits(results) == bits(expected)
        assert bits(one) == bits(other)


@needs_numba
@pytest.mark.parametrize("name", ["attention", "layer_norm"])
def test_plans_of_a_way_back_follow_their_arguments(name, dtype):
    be, random = nx.get_backend("numpy", dtype=dtype), np.random.default_rng(3)
    x, dy = (random.standard_normal((2, 7, k)).astype(dtype) for k in (12, 4))
    gain = be.full((4,), 0.5)
    if name == "attention":
        given, way_back = ((x,), 2, True, None, None, True), ((x,), 2, True)
    else:
        x = x[..., :4].copy()
        given, way_back = (x, gain, gain, 1e-5, True), ()
    begin, end = LOOPS[name], LOOPS[f"{name}_backward"]

    def back(kept):
        return *way_back, kept, None if name == "attention" else gain, dy

    (y, kept), forward = begin.planned(be, np.empty, *given)
    found, backward = end.planned(be, np.empty, *back(kept))
    for factor in (1.0, 0.5, 3.0):
        x *= factor
        dy *= factor
        forward()
        backward()
        expected, residuals = begin(be, *given)
        assert bits(y) == bits(expected)
        assert bits(found) == bits(end(be, *back(residuals)))


@needs_numba
@pytest.mark.parametrize(
    "activation",
    [nx.Linear(), nx.ReLU(), nx.Tanh(), nx.SiLU(), nx.ELU(0.5), nx.GELU()],
    ids=repr,
)
def test_plans_of_an_activation_follow_its_arguments(activation, dtype):
    be, random = nx.get_backend("numpy", dtype=dtype), np.random.default_rng(3)
    z, x, dy = random.standard_normal((3, 5, 7)).astype(dtype)
    b, db = be.full((1, 7), 0.5), be.zeros((1, 7))
    begin, end = LOOPS["bias_activation"], LOOPS["activation_bias_backward"]
    (y, kept), forward = begin.planned(be, np.empty, z, b, activation)
    (dz, sums), backward = end.planned(be, np.empty, kept, dy, activation, db)
    assert sums is db
    for _ in range(2):
        z[...] = x
        forward()
        backward()
        expected, residuals = begin(be, x.copy(), b, activation)
        assert bits(y) == bits(expected)
        assert bits([dz, db]) == bits(end(be, residuals, dy, activation))
        np.testing.assert_allclose(db, dz.sum(axis=0, keepdims=True), 1e-4, 1e-4)
        x, b, dy = (np.multiply(array, 2, out=array) for array in (x, b, dy))


@needs_numba
@pytest.mark.parametrize("activation", [nx.ReLU(), nx.SiLU(), nx.Linear()], ids=repr)
def test_gradients_with_gaps(activation, dtype):
    """What a loop keeps the reference cannot go on from, so they are copied."""
    be, random = nx.get_backend("numpy", dtype=dtype), np.random.default_rng(4)
    z, dy = random.standard_normal((5, 7)).astype(dtype), be.zeros((7, 5))
    dy[...] = random.standard_normal((7, 5))
    _, kept = LOOPS["bias_activation"](be, z, be.zeros((1, 7)), activation)
    backward = LOOPS["activation_bias_backward"]
    assert backward.planned(be, be.full, kept, dy.T, activation) is NotImplemented
    found = backward(be, kept, dy.T, activation)
    assert bits(found) == bits(backward(be, kept, dy.T.copy(), activation))


@needs_numba
@pytest.mark.parametrize(
    "name",
    [
        "adam",
        "adamw",
        "amsgrad",
        "nadam",
        "adamax",
        "sgd",
        "rmsprop",
        "adagrad",
        "centered_rmsprop",
        "adadelta",
        "lion",
    ],
)
def test_threads_give_the_same_bits(name, monkeypatch):
    be = nx.get_backend("numpy")
    random = np.random.default_rng(5)
    arrays = random.standard_normal((5, 2 * launch._ELEMENTS_OF_THREAD + 77)) ** 2
    rate, step = np.asarray(0.1, "float32"), np.asarray(3, "int32")
    given = {
        "adam": (4, step, rate, 0.9, 0.999, 1e-7),
        "adamw": (4, step, rate, 0.9, 0.999, 1e-7, 0.01),
        "amsgrad": (5, step, rate, 0.9, 0.999, 1e-7),
        "nadam": (4, step, rate, rate, 0.9, 0.999, 1e-7, -2e-4),
        "adamax": (4, step, rate, 0.9, 0.999, 1e-7),
        "sgd": (3, rate, 0.9, True),
        "rmsprop": (3, rate, 0.9, 1e-7),
        "adagrad": (3, rate, 1e-7),
        "centered_rmsprop": (4, rate, 0.9, 1e-7),
        "adadelta": (4, rate, 0.95, 1e-6),
        "lion": (3, rate, 0.9, 0.99),
    }[name]
    found = []
    for count in (1, 2):
        monkeypatch.setattr(threads, "count", lambda count=count: count)
        own = [a.astype("float32") for a in arrays[: given[0]]]
        # Moments are left untouched by nobody.
        results, call = LOOPS[name].planned(be, np.empty, *own, *given[1:])
        assert hasattr(call, "func") == (count == 1)
        call()
        found.append(bits(own))
        assert all(a is b for a, b in zip(results, [own[0], *own[2:]], strict=True))
    assert found[0] == found[1]


@needs_numba
def test_a_plan_adds_statistics_up_as_numpy_does_to_the_bit(dtype):
    be, random = nx.get_backend("numpy", dtype=dtype), np.random.default_rng(8)
    for n in (0, 1, 7, 8, 20, 128, 129, 300, 4097):
        losses, count = random.standard_normal(n).astype(dtype), np.asarray(3, "int32")
        kinds = dtype, dtype, "int32", "int32"
        found, expected = ([np.asarray(5, k) for k in kinds] for _ in range(2))
        values, slots = [losses, n, count, 2], [be.zeros(()), None, None, None]
        (totals, added), call = LOOPS["accumulate"].planned(
            be, np.empty, found, slots, values
        )
        assert totals is found
        assert added[0] is slots[0]
        for _ in range(2):
            losses *= 3
            call()
            kernel = kernels.implementations("numpy")["accumulate"]
            _, wanted = kernel(be, expected, [None] * 4, values)
            assert bits(totals) == bits(expected)
            assert [float(a) for a in added] == [float(a) for a in wanted]


@needs_numba
def test_statistics_that_are_no_numbers_have_no_plan():
    be, matrix = nx.get_backend("numpy"), np.zeros((2, 2), "int32")
    number = np.asarray(1.0, "float32")
    for total, value in (
        (matrix, matrix),
        (number, np.arange(4, dtype="int32")),
        (number, np.zeros((2, 4), "float32")[:, ::2]),
        (np.asarray(1, "int64"), 1),
    ):
        given = be, np.empty, [total], [None], [value]
        assert LOOPS["accumulate"].planned(*given) is NotImplemented


@pytest.mark.parametrize("size", [1, 63, 64, 65, 1000, 12345])
@pytest.mark.parametrize("parts", [1, 2, 3])
def test_shares_are_the_whole(size, parts):
    found = threads.shares(size, parts)
    assert [i for s in found for i in range(s.start, s.stop)] == list(range(size))
    assert len(found) <= parts


def test_threads_are_as_many_as_blas_may_take():
    program = "from nnfs_xp.kernels.loops.threads import count; print(count())"
    for given, expected in (
        ({"OPENBLAS_NUM_THREADS": "1"}, 1),
        ({"NUMBA_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "3"}, 1),
        ({"OMP_NUM_THREADS": "no"}, None),
    ):
        names = {f"{n}_NUM_THREADS" for n in ("NUMBA", "OPENBLAS", "OMP", "MKL")}
        rest = {k: v for k, v in os.environ.items() if k not in names}
        done = subprocess.run(
            [sys.executable, "-c", program], env={**rest, **given},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert int(done.stdout) == (expected or len(os.sched_getaffinity(0)))


@needs_numba
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_threads_work_in_a_process_that_was_forked():
    program = """
import os, time
from nnfs_xp.kernels.loops import threads
both = threads.together([lambda: None, lambda: time.sleep(0.01)])
both()
child = os.fork()
if not child:
    both()
    os._exit(7)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.stdout == "7\n", done.stderr


def test_an_error_in_one_thread_is_raised_once_all_have_ended():
    ended = []

    def fail():
        raise ValueError("on purpose")

    call = threads.together([lambda: ended.append(1), fail, lambda: ended.append(2)])
    with pytest.raises(ValueError, match="on purpose"):
        call()
    assert sorted(ended) == [1, 2]


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        *(("numpy", name) for name in ("adam", "sgd", "rmsprop")),
        *(
            pytest.param("loops", name, marks=needs_numba)
            for name in ("adam", "sgd", "rmsprop", "amsgrad", "nadam", "lion", "adamax")
        ),
    ],
)
def test_no_moment_stays_denormal(owner, name, dtype):
    be = nx.get_backend("numpy", dtype=dtype)
    tiny = np.finfo(dtype).smallest_normal
    zeros, fading = be.zeros((300,)), be.full((300,), float(tiny) / 8)
    w, rate = be.full((300,), 1.0), be.constant(0.1)
    step, halves = be.asarray(5, "int32"), be.full((300,), 0.5)
    state, scalars = {
        "adam": ((fading, halves), (step, rate, 0.9, 0.999, 1e-7)),
        "amsgrad": ((fading, halves, halves), (step, rate, 0.9, 0.999, 1e-7)),
        "nadam": ((fading, halves), (step, rate, rate, 0.9, 0.999, 1e-7, -2e-4)),
        "adamax": ((fading, halves), (step, rate, 0.9, 0.999, 1e-7)),
        "lion": ((fading,), (rate, 0.9, 0.99)),
        "sgd": ((fading,), (rate, 0.9, False)),
        "rmsprop": ((fading,), (rate, 0.9, 1e-7)),
    }[name]
    kernels.implementations(owner)[name](be, w, zeros, *state, *scalars)
    np.testing.assert_array_equal(fading, 0.0)
    # Lion goes its way for any momentum but 0.
    np.testing.assert_array_equal(w, np.asarray(0.9, dtype) if name == "lion" else 1.0)
    if name == "adam":
        assert (state[1] > 0.49).all()


@pytest.mark.parametrize("owner", ["numpy", pytest.param("loops", marks=needs_numba)])
def test_normal_moments_are_kept(owner, dtype):
    be, tiny = nx.get_backend("numpy", dtype=dtype), np.finfo(dtype).smallest_normal
    v = np.array([tiny * 2, -tiny * 2, np.inf, -1.0], dtype)
    sgd = kernels.implementations(owner)["sgd"]
    sgd(be, be.zeros((4,)), be.zeros((4,)), v, be.constant(0.1), 0.5, False)
    np.testing.assert_array_equal(v, np.array([tiny, -tiny, np.inf, -0.5], dtype))


@needs_numba
def test_elementary_functions_are_exact_to_the_last_place():
    """The exponential by the gradient of Softplus, which is the sigmoid."""
    be, x = nx.get_backend("numpy"), np.linspace(-87, 20, 20001, dtype="float32")
    dy = np.ones_like(x)
    found = LOOPS["activation_backward"](be, x, dy, nx.Softplus())
    exact = 1.0 / (1.0 + np.exp(-x.astype("float64")))
    units = np.spacing(exact.astype("float32"))
    assert np.max(np.abs(found - exact) / units) < 3
    x = np.linspace(-9, 9, 20001, dtype="float32")
    found, _ = LOOPS["activation_forward"](be, x, nx.Tanh())
    exact = np.tanh(x.astype("float64"))
    units = np.spacing(np.abs(exact).astype("float32"))
    assert np.max(np.abs(found - exact) / units) < 3
    found, _ = LOOPS["activation_forward"](be, x, nx.Softplus())
    exact = np.logaddexp(0, x.astype("float64"))
    assert np.max(np.abs(found - exact) / np.spacing(exact.astype("float32"))) < 3
    assert np.isnan(
        LOOPS["activation_backward"](be, x * np.nan, dy, nx.Softplus())
    ).all()


def test_every_loop_of_the_source_is_used():
    names = {
        name
        for name, function in vars(source).items()
        if getattr(function, "__annotations__", None) and callable(function)
    }
    assert {compiled._kinds(name)[0] for name in names} == {"Count"}
    users = [attention, dense, images, losses, norms, optimizers, statistics]
    text = "".join(Path(user.__file__).read_text(encoding="utf-8") for user in users)
    assert all(f'"{name}"' in text for name in names)


@needs_numba
def test_no_loop_writes_to_an_array_that_must_not_be_written_to(dtype):
    be = nx.get_backend("numpy", dtype=dtype)
    w, dw = be.full((2, 3), 1.0), be.full((2, 3), 0.5)
    w.flags.writeable = False
    relu = nx.ReLU()
    for name, arguments in {
        "sgd": (w, dw, None, be.constant(0.1), 0.0, False),
        "adagrad": (w, dw, be.full((2, 3), 0.0), be.constant(0.1), 1e-7),
        "bias_activation": (w, be.full((1, 3), 1.0), relu),
    }.items():
        assert LOOPS[name](be, *arguments) is NotImplemented, name
    np.testing.assert_array_equal(w, 1.0)
