"""Matrix products of CuPy through cuBLAS: eager, and captured as a CUDA graph."""

import threading

import numpy as np
import pytest

import nnfs_xp as nx
from nnfs_xp.backends import cublas
from tests.conftest import backend_or_skip, required_backends

SHAPES = [(1, 1, 1), (1, 5, 3), (4, 1, 3), (4, 5, 1), (33, 17, 9), (64, 128, 10)]
random = np.random.default_rng(11)


@pytest.fixture(
    params=[
        pytest.param(dtype, marks=pytest.mark.backend("cupy"))
        for dtype in ("float64", "float32")
    ]
)
def be(request):
    be = backend_or_skip("cupy", request.param)
    if reason := cublas.why_unusable():
        if "cupy" in required_backends():
            pytest.fail(f"NNFS_XP_REQUIRE names cupy, and {reason}")
        pytest.skip(reason)
    return be


@pytest.fixture
def stream(be):
    """A stream on which something was multiplied already."""
    import cupy

    stream = cupy.cuda.Stream(non_blocking=True)
    with stream:
        be.matmul(be.full((2, 2), 1.0), be.full((2, 2), 1.0))
    stream.synchronize()
    return stream


def matrices(be, m, k, n):
    shapes = (m, k), (k, n)
    return [be.asarray(random.standard_normal(shape), be.dtype) for shape in shapes]


def views(be, a):
    """Return the values of a matrix as they may lie in memory."""
    import cupy

    rows, columns = a.shape
    wide = cupy.full((rows, columns + 3), np.nan, a.dtype)
    wide[:, :columns] = a
    scattered = cupy.full((2 * rows, 3 * columns), np.nan, a.dtype)
    scattered[::2, ::3] = a
    return {
        "rows": a,
        "columns": cupy.asfortranarray(a),
        "part of rows": wide[:, :columns],
        "part of columns": cupy.asfortranarray(wide)[:, :columns],
        "scattered": scattered[::2, ::3],
        "reversed": cupy.ascontiguousarray(a[::-1, ::-1])[::-1, ::-1],
    }


def assert_equals_cupy(found, a, b):
    import cupy

    expected = cupy.matmul(a, b)
    assert found.dtype == expected.dtype
    rtol = 1e-12 if a.dtype == np.float64 else 1e-6
    np.testing.assert_allclose(found.get(), expected.get(), rtol=rtol, atol=rtol)


@pytest.mark.parametrize(("m", "k", "n"), SHAPES)
def test_cupy_products_equal_cupys_own(be, m, k, n):
    a, b = matrices(be, m, k, n)
    for left in views(be, a).values():
        for right in views(be, b).values():
            assert_equals_cupy(be.matmul(left, right), a, b)


def test_cupy_broadcast_rows_are_copied(be):
    import cupy

    a, b = matrices(be, 4, 5, 3)
    same = cupy.broadcast_to(a[:1], a.shape)
    assert_equals_cupy(be.matmul(same, b), cupy.ascontiguousarray(same), b)


@pytest.mark.parametrize(("m", "k", "n"), SHAPES)
def test_cupy_products_are_written_where_they_belong(be, m, k, n):
    a, b = matrices(be, m, k, n)
    buffer = be.full((m * n + 7,), -1.0)
    out = buffer[4 : 4 + m * n].reshape(m, n)
    assert be.matmul(a, b, out) is out
    assert_equals_cupy(out, a, b)
    assert (buffer[:4] == -1).all() and (buffer[4 + m * n :] == -1).all()
    for target in views(be, be.zeros((m, n))).values():
        assert be.matmul(a, b, target) is target
        assert_equals_cupy(target, a, b)


def test_cupy_empty_matrices(be):
    for m, k, n in [(0, 4, 3), (2, 4, 0), (0, 0, 0)]:
        assert be.matmul(be.zeros((m, k)), be.zeros((k, n))).shape == (m, n)
    out = be.full((2, 3), np.nan)
    assert be.matmul(be.zeros((2, 0)), be.zeros((0, 3)), out) is out
    assert (out == 0).all()


@pytest.mark.parametrize("turned", ["neither", "first", "second", "both"])
@pytest.mark.parametrize("shape", [(1, 1, 1), (5, 1, 3), (4, 5, 1), (9, 17, 8)])
def test_cupy_products_of_stacks_can_be_captured(be, stream, shape, turned):
    """As they lie, transposed, and with gaps, as the heads of attention are."""
    import cupy

    m, k, n = shape
    a, b = random.standard_normal((2, 3, m, k)), random.standard_normal((2, 3, k, n))
    expected = a @ b
    a, b = (be.asarray(one, be.dtype) for one in (a, b))
    if turned in ("first", "both"):
        a = cupy.ascontiguousarray(a.swapaxes(2, 3)).swapaxes(2, 3)
    if turned in ("second", "both"):
        b = cupy.ascontiguousarray(b.swapaxes(2, 3)).swapaxes(2, 3)
    by_heads = cupy.ascontiguousarray(a.swapaxes(1, 2)).swapaxes(1, 2)
    with stream:
        for first in (a, by_heads):
            stream.begin_capture()
            found = be.matmul(first, b)
            graph = stream.end_capture()
            found[...] = 0
            graph.launch(stream)
            rtol = 1e-12 if be.dtype_name == "float64" else 1e-4
            host = be.to_numpy(found)
            np.testing.assert_allclose(host, expected, rtol=rtol, atol=rtol)


def test_cupy_stacks_that_do_not_fit_go_to_cupy(be):
    a, b = be.full((2, 1, 3, 4), 0.5), be.full((1, 5, 4, 2), 2.0)
    found = be.to_numpy(be.matmul(a, b))
    np.testing.assert_array_equal(found, np.full((2, 5, 3, 2), 4.0))
    empty = be.to_numpy(
        be.matmul(be.full((2, 2, 3, 0), 1.0), be.full((2, 2, 0, 2), 1.0))
    )
    np.testing.assert_array_equal(empty, np.zeros((2, 2, 3, 2)))
    with pytest.raises(ValueError, match="aligned|matmul"):
        be.matmul(be.full((2, 3, 4), 1.0), be.full((2, 3, 4), 1.0))


def test_cupy_vectors_go_to_cupy(be):
    a, b = matrices(be, 4, 5, 3)
    assert be.matmul(a, b[:, 0]).shape == (4,)
    assert be.matmul(a[0], b).shape == (3,)


def test_cupy_bad_operands_are_refused(be):
    a, b = matrices(be, 4, 5, 3)
    other = "float32" if be.dtype_name == "float64" else "float64"
    with pytest.raises(nx.DTypeError, match="one dtype, got float"):
        be.matmul(a, b.astype(other))
    with pytest.raises(nx.InputError, match=r"shapes \(4, 5\) and \(4, 5\) cannot"):
        be.matmul(a, a)
    with pytest.raises(nx.InputError, match=r"out must have shape \(4, 3\), got"):
        be.matmul(a, b, be.zeros((3, 4)))
    with pytest.raises(nx.DTypeError, match="out must be float"):
        be.matmul(a, b, be.zeros((4, 3)).astype(other))


def captured(stream, function):
    """Return the graph of what a function enqueues on a stream."""
    with stream:
        stream.begin_capture()
        try:
            function()
        finally:
            graph = stream.end_capture()
    return graph


@pytest.mark.parametrize(("m", "k", "n"), SHAPES)
def test_cupy_products_can_be_captured(be, stream, m, k, n):
    a, b = matrices(be, m, k, n)
    dy = be.asarray(random.standard_normal((m, n)), be.dtype)
    y, dx, dw = be.zeros((m, n)), be.zeros((m, k)), be.zeros((k, n))

    def products():
        be.matmul(a, b, y)
        be.matmul(dy, b.T, dx)
        be.matmul(a.T, dy, dw)

    graph = captured(stream, products)
    assert not y.any() and not dx.any() and not dw.any()
    for _ in range(3):
        # New values in the same memory.
        for array in (a, b, dy):
            array[...] = be.asarray(random.standard_normal(array.shape), be.dtype)
        be.synchronize()
        with stream:
            graph.launch()
        stream.synchronize()
        assert_equals_cupy(y, a, b)
        assert_equals_cupy(dx, dy, b.T)
        assert_equals_cupy(dw, a.T, dy)


@pytest.mark.parametrize("precision", ["tf32", "bfloat16", "float16"])
def test_cupy_rounded_products_can_be_captured(stream, precision):
    be = nx.get_backend("cupy", matmul_precision=precision)
    x = be.asarray(random.standard_normal((9, 7)), be.dtype)
    w = be.asarray(random.standard_normal((7, 5)), be.dtype)
    y, dw = be.zeros((9, 5)), be.zeros((7, 5))
    kept = []

    def products():
        operand = be.operand(x)
        be.matmul(operand, w, y)
        be.matmul(operand.T, y, dw)
        kept.append(operand)

    be.synchronize()
    with stream:
        products()
    stream.synchronize()
    eager = y.get(), dw.get()
    graph = captured(stream, products)
    y[...], dw[...] = 0, 0
    be.synchronize()
    graph.launch(stream)
    stream.synchronize()
    np.testing.assert_array_equal(y.get(), eager[0])
    np.testing.assert_array_equal(dw.get(), eager[1])


def test_cupy_an_operand_is_rounded_by_one_launch():
    cupy_on_cpu = pytest.importorskip("cupy_on_cpu", reason="no emulated device")
    for precision, launches in [("tf32", 0), ("bfloat16", 1), ("float16", 1)]:
        be = nx.get_backend("cupy", matmul_precision=precision)
        x = be.full((9, 7), 1.5)
        be.operand(x)
        before = cupy_on_cpu.stats()["launches"]
        be.operand(x)
        assert cupy_on_cpu.stats()["launches"] - before == launches


def test_cupy_a_stream_must_be_used_before_it_is_captured(be):
    import cupy

    a, b = matrices(be, 4, 5, 3)
    out = be.zeros((4, 3))
    fresh = cupy.cuda.Stream(non_blocking=True)
    # Streams of other tests may have had the same address.
    for known in cublas._own.handles.values():
        known._workspaces.pop(fresh.ptr, None)
        known._stream = None
    with pytest.raises(nx.BackendUnavailableError, match="before the capture begins"):
        captured(fresh, lambda: be.matmul(a, b, out))
    with fresh:
        be.matmul(a, b, out)
    fresh.synchronize()
    assert_equals_cupy(out, a, b)


def test_cupy_a_thread_must_multiply_before_it_captures(be):
    import cupy

    a, b = matrices(be, 4, 5, 3)
    out, caught, handles = be.zeros((4, 3)), [], []

    def work():
        with be.context():
            try:
                captured(
                    cupy.cuda.Stream(non_blocking=True), lambda: be.matmul(a, b, out)
                )
            except nx.BackendUnavailableError as error:
                caught.append(str(error))
            handles.extend(cublas._own.handles)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert "in the same thread" in caught[0]
    assert not handles  # making one allocates


def test_cupy_streams_do_not_share_a_workspace(be, stream):
    a, b = matrices(be, 4, 5, 3)
    be.matmul(a, b)
    (handle,) = cublas._own.handles.values()
    spaces = [space.ptr for space in handle._workspaces.values()]
    assert len(set(spaces)) == len(spaces) >= 2


def test_cupy_threads_have_handles_of_their_own(be):
    a, b = matrices(be, 4, 5, 3)
    found = {}

    def work(name):
        with be.context():
            found[name] = be.matmul(a, b), dict(cublas._own.handles)

    threads = [threading.Thread(target=work, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    handles = [next(iter(own.values())) for _, own in found.values()]
    assert handles[0] is not handles[1]
    for product, _ in found.values():
        assert_equals_cupy(product, a, b)


@pytest.fixture
def without_nvmath(monkeypatch):
    """A process in which nvmath-python is not installed."""
    import sys

    backend_or_skip("cupy", "float32")
    for name in ("nvmath", "nvmath.bindings"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setattr(cublas, "_own", threading.local())
    cublas.why_unusable.cache_clear()
    yield
    cublas.why_unusable.cache_clear()


@pytest.mark.parametrize("precision", ["full", "tf32", "bfloat16", "float16"])
def test_cupy_products_without_nvmath(without_nvmath, precision):
    be = nx.get_backend("cupy", matmul_precision=precision)
    host = nx.get_backend("numpy", matmul_precision=precision)
    assert "nvmath-python is not installed" in be.why_no_capture()
    a = random.standard_normal((4, 5)).astype("float32")
    b = random.standard_normal((5, 3)).astype("float32")
    out = be.zeros((4, 3))
    assert be.matmul(be.asarray(a), be.asarray(b), out) is out
    np.testing.assert_allclose(out.get(), host.matmul(a, b), rtol=1e-5, atol=1e-5)


def test_cupy_products_can_be_captured_with_nvmath(be):
    assert be.why_no_capture() == ""


def test_other_backends_capture_nothing():
    assert "captures no CUDA graphs" in nx.get_backend("numpy").why_no_capture()
