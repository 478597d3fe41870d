"""However an array lies in memory, a unit computes the same, and leaves it alone.

Hypothesis draws the number of samples, the dtype and the layout. Each result is that of
NumPy, from contiguous float64. What a program has set for a whole library is set the
worst way: NumPy raises every error, and JAX has no 64-bit types for float64.
"""

import contextlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import nnfs_xp as nx
from nnfs_xp.engine.data import each
from tests.matrix.cases import ALL
from tests.matrix.cases.types import STEP
from tests.matrix.helpers import (
    NUMPY64,
    assert_agrees,
    bound,
    gradient_like,
    host_buffers,
    host_params,
    is_ids,
    learned_paths,
    move,
    placed,
    set_values,
)

FLOATS = ("float32", "float64")
INTEGERS = ("int8", "uint8", "int16", "int32", "int64")
examples = settings(
    max_examples=8,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
STRANGE_HOST = {
    "big-endian": lambda a: a.astype(a.dtype.newbyteorder(">")),
    "unaligned": lambda a: _unaligned(a),
    "Fortran's order": np.asfortranarray,
    "reversed": lambda a: np.ascontiguousarray(a[..., ::-1])[..., ::-1],
    "of a subclass": lambda a: a.view(type("Own", (np.ndarray,), {})),
    "read-only": lambda a: _read_only(a),
    "a list": lambda a: a.tolist(),
}


def _unaligned(a):
    new = np.ndarray(a.shape, a.dtype, bytearray(a.nbytes + 1), 1)
    new[...] = a
    return new


def _read_only(a):
    a = a.copy()
    a.setflags(write=False)
    return a


# Of a backend's own arrays. `part` cuts the array out of a larger one.
def _contiguous(be, a):
    return be.asarray(a.copy())


def _transposed(be, a):
    turned = be.asarray(np.ascontiguousarray(a.T))
    return be.xp.permute_dims(turned, tuple(reversed(range(a.ndim))))


def _reversed(be, a):
    return be.xp.flip(be.asarray(a[::-1].copy()), axis=0)


def _part(step):
    def cut(be, a):
        larger = np.full([step * length + 2 for length in a.shape], 99, a.dtype)
        place = tuple(slice(1, 1 + step * length, step) for length in a.shape)
        larger[place] = a
        return be.asarray(larger)[place]

    return cut


LAYOUTS = {
    "contiguous": _contiguous,
    "transposed": _transposed,
    "reversed": _reversed,
    "inside": _part(1),
    "every other": _part(2),
}


class Draw:
    """Draws rows of given arrays, and arrays of a backend that hold them."""

    def __init__(self, data, be):
        self.data, self.be = data, be

    def rows(self, length):
        # JAX compiles everything anew for each number.
        counts = st.sampled_from((1, 4)) if self.be.name == "jax" else st.integers(1, 9)
        count = self.data.draw(counts, "samples")
        return np.arange(count) % length

    def array(self, host):
        """Return the array as it lies on the backend, and its values."""
        kinds = INTEGERS if host.dtype.kind in "iu" else FLOATS
        if host.dtype.kind in "iu" and host.min() < 0:
            kinds = ("int16", "int32", "int64")
        dtype = self.data.draw(st.sampled_from(kinds), "dtype")
        layout = self.data.draw(st.sampled_from(sorted(LAYOUTS)), "layout")
        host = host.astype(dtype)
        with self.be.context():
            array = LAYOUTS[layout](self.be, host)
        self.given = [*getattr(self, "given", []), (array, host.copy())]
        return array, host

    def arrays(self, hosts):
        pairs = [self.array(host) for host in hosts]
        return tuple(a for a, _ in pairs), tuple(h for _, h in pairs)

    def answers(self, case):
        """Return predictions and targets of a case, and those of the reference."""
        rows = self.rows(len(case.y_pred))
        given, (y_pred, y_true) = self.arrays([case.y_pred[rows], case.y_true[rows]])
        labels = y_true if y_true.dtype.kind in "iu" else as_float(y_true)
        return given, (as_float(y_pred), labels)

    def check_untouched(self):
        for array, host in self.given:
            found = self.be.to_numpy(array)
            np.testing.assert_array_equal(found, host.astype(found.dtype))


@contextlib.contextmanager
def worst_settings(be):
    with contextlib.ExitStack() as stack:
        stack.enter_context(np.errstate(all="raise"))
        # With float32, int64 arrays are there only if the flag is set.
        if be.name == "jax" and be.dtype_name == "float64":
            import jax

            stack.enter_context(jax.enable_x64(False))
        yield


def of_kind(kind):
    names = [name for name, cases in ALL[kind].items() if cases]
    return pytest.mark.parametrize("unit", names)


def drawn_case(data, kind, unit):
    return data.draw(st.sampled_from(ALL[kind][unit]), "case")


def as_float(values):
    """Return contiguous float64; ids, which are integers, as they are."""
    return each(lambda a: a.astype("int64" if is_ids(a) else "float64"), values)


@of_kind("layer")
@examples
@given(data=st.data())
def test_layers(backend, unit, data):
    be, case = backend, drawn_case(data, "layer", unit)
    draw, training = Draw(data, be), data.draw(st.booleans(), "training")
    several = isinstance(case.x, tuple)
    rows = draw.rows(len(case.x[0] if several else case.x))
    x, x_host = draw.arrays([a[rows] for a in (case.x if several else (case.x,))])
    if not several:
        (x,), (x_host,) = x, x_host
    host = bound(case.make(), NUMPY64, training)
    expected, residuals = host.fwd(as_float(x_host))
    dy = gradient_like(expected)
    several_outputs = isinstance(dy, tuple)
    dy, dy_host = draw.arrays(dy if several_outputs else (dy,))
    if not several_outputs:
        (dy,), (dy_host,) = dy, dy_host
    expected_dx, expected_grads = host.bwd(residuals, as_float(dy_host))

    layer = placed(case.make(), be)
    set_values(layer, move(be, {**host_params(layer), **host_buffers(layer)}))
    layer._draws = STEP
    with worst_settings(be):
        y = layer.forward(x, training=training)
        dx = layer.backward(dy)
    assert_agrees(y, expected, be)
    assert_agrees(dx, expected_dx, be)
    assert set(expected_grads) == learned_paths(layer)
    draw.check_untouched()


@of_kind("loss")
@examples
@given(data=st.data())
def test_losses(backend, unit, data):
    be, case, draw = backend, drawn_case(data, "loss", unit), Draw(data, backend)
    (y_pred, y_true), host = draw.answers(case)
    weights, weights_host = draw.array(np.linspace(0.5, 2.0, len(host[0])))
    expected = case.make(backend=NUMPY64)
    loss = case.make(backend=be)
    with worst_settings(be):
        value = loss.calculate(y_pred, y_true, sample_weight=weights)
        gradient = loss.backward(y_pred, y_true)
    own = {"sample_weight": as_float(weights_host)}
    assert_agrees(value, expected.calculate(*host, **own), be)
    assert_agrees(gradient, expected.backward(*host), be)
    draw.check_untouched()


@of_kind("metric")
@examples
@given(data=st.data())
def test_metrics(backend, unit, data):
    be, case, draw = backend, drawn_case(data, "metric", unit), Draw(data, backend)
    (y_pred, y_true), host = draw.answers(case)
    expected = case.make(backend=NUMPY64).calculate(*host)
    with worst_settings(be):
        value = case.make(backend=be).calculate(y_pred, y_true)
    np.testing.assert_allclose(
        be.to_numpy(value), expected, rtol=1e-12 if be.dtype_name == "float64" else 1e-4
    )
    draw.check_untouched()


@of_kind("optimizer")
@examples
@given(data=st.data())
def test_optimizers(backend, unit, data):
    be, case, draw = backend, drawn_case(data, "optimizer", unit), Draw(data, backend)
    random = np.random.default_rng(1)
    n, k = (data.draw(st.integers(1, 5), name) for name in ("inputs", "neurons"))
    values = {"weights": random.standard_normal((n, k)), "biases": np.ones((1, k))}
    gradients = [draw.array(random.standard_normal(v.shape)) for v in values.values()]
    after = []
    for place, which in ((be, 0), (NUMPY64, 1)):
        layer, optimizer = nx.Dense(n, k, backend=place), case.make()
        set_values(layer, move(place, values))
        layer.dweights, layer.dbiases = (g[which] for g in gradients)
        if which:
            layer.dweights, layer.dbiases = map(as_float, (g[1] for g in gradients))
        with worst_settings(be):
            optimizer.step(layer)
            optimizer.step(layer)
        after.append([place.to_numpy(a) for a in (layer.weights, layer.biases)])
    for found, expected in zip(*after, strict=True):
        assert found.dtype == be.dtype_name
        rtol = 1e-12 if be.dtype_name == "float64" else 1e-4
        np.testing.assert_allclose(found, expected, rtol=rtol, atol=rtol)
    draw.check_untouched()


@examples
@given(data=st.data())
@pytest.mark.parametrize("kind", STRANGE_HOST)
def test_models_take_any_host_array(backend, kind, data):
    """And give the same from it as from a plain one, to the bit."""
    draw = Draw(data, backend)
    rows = draw.rows(9)
    dtype = data.draw(st.sampled_from([*FLOATS, "float16", "int8", "uint16"]), "dtype")
    if kind in ("a list", "big-endian"):
        dtype = "float64"
    x = (np.random.default_rng(2).standard_normal((9, 4))[rows] * 20).astype(dtype)
    y = (rows % 3).astype(data.draw(st.sampled_from(INTEGERS), "dtype of labels"))
    given = [STRANGE_HOST[kind](a) for a in (x, y)]
    found = []
    for x_given, y_given in ((x, y), given):
        model = nx.Model(
            [nx.Dense(4, 5), nx.Tanh(), nx.Dense(5, 3), nx.Softmax()],
            loss="categorical_crossentropy", optimizer="adam", backend=backend, seed=1,
            compile="off",
        )  # fmt: skip
        with worst_settings(backend):
            model.fit(x_given, y_given, batch_size=4)
            model.evaluate(x_given, y_given)
            found.append(backend.to_numpy(model.predict(x_given)))
    np.testing.assert_array_equal(*found)
    for array, before in zip(given, (x, y), strict=True):
        np.testing.assert_array_equal(np.asarray(array), before)


@pytest.mark.parametrize("kind", ["layer", "loss", "metric"])
def test_no_samples_are_refused_everywhere(backend, kind):
    for case in (cases[0] for cases in ALL[kind].values()):
        if kind == "layer":
            given = [each(lambda a: backend.asarray(a[:0]), case.x)]
            call = placed(case.make(), backend).forward
        else:
            given = [backend.asarray(a[:0]) for a in (case.y_pred, case.y_true)]
            call = case.make(backend=backend).calculate
        with worst_settings(backend), pytest.raises(nx.InputError, match="is empty"):
            call(*given)
