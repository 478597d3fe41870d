"""Every implementation computes what its reference does, and is really called."""

import importlib.util
import os
import subprocess
import sys

import numpy as np
import pytest

import nnfs_xp as nx
from nnfs_xp import kernels
from nnfs_xp.kernels import registry
from tests.conftest import backend_or_skip
from tests.kernels.implementation_cases import CASES, OVERWRITTEN
from tests.kernels.implementation_cases.calling import calling, flat, on_backend

_random = np.random.default_rng(6)
# PyTorch's implementations are functions of PyTorch, which may be absent.
ALL_OWNERS = ("numpy", "loops", "cupy", "torch", "jax")
OWNERS = tuple(
    owner
    for owner in ALL_OWNERS
    if owner != "torch" or importlib.util.find_spec(owner) is not None
)

# The loss is a logarithm of a sum from 1 on: what that is rounded by, it is off by.
ROUNDED_SUMS = ("softmax_cross_entropy", "softmax_cross_entropy_with_gradient")


def backend_for(owner, dtype):
    """Return the backend that an owner's implementations compute for."""
    if owner == "loops" and importlib.util.find_spec("numba") is None:
        pytest.skip("pip install 'nnfs-xp[fast]'")
    return backend_or_skip("numpy" if owner == "loops" else owner, dtype)


@pytest.fixture(autouse=True)
def small_arrays_do(monkeypatch):
    """Let PyTorch's implementations take arrays as small as these."""
    if "torch" in OWNERS:
        monkeypatch.setattr("nnfs_xp.kernels.torch.eager.MANY_VALUES", 1)


@pytest.fixture
def mode():
    before = kernels.kernel_mode()
    yield kernels.set_kernel_mode
    kernels.set_kernel_mode(before)


def test_every_implementation_has_a_reference_and_cases():
    names = {name for owner in OWNERS for name in kernels.implementations(owner)}
    assert names
    assert names <= set(kernels.references())
    assert names <= set(CASES)
    assert names == set(CASES) or OWNERS != ALL_OWNERS


@pytest.mark.parametrize(
    ("owner", "name", "kind"),
    [
        (owner, name, kind)
        for owner in OWNERS
        for name in kernels.implementations(owner)
        for kind in CASES.get(name, ())
    ],
)
def test_implementation_equals_reference(owner, name, kind, dtype):
    be, case = backend_for(owner, dtype), CASES[name][kind]
    rtol = 1e-12 if dtype == "float64" else 1e-5
    with np.errstate(all="ignore"), be.context():
        arguments, given = on_backend(be, case), on_backend(be, case)
        expected = calling(name, kernels.references(), be, on_backend(be, case))
        found = calling(name, kernels.implementations(owner), be, given)
    expected, found = list(flat(expected)), list(flat(found))
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        if isinstance(other, int):
            one = one if isinstance(one, int) else be.to_numpy(one)
            np.testing.assert_array_equal(one, other)
            continue
        assert one.dtype == other.dtype
        assert one.shape == other.shape
        one, other = be.to_numpy(one), be.to_numpy(other)
        finite = np.abs(other[np.isfinite(other)]).astype("float64")
        atol = rtol * float(finite.max(initial=0.0))
        if name in ROUNDED_SUMS:
            atol += 4 * float(np.finfo(dtype).eps)
        np.testing.assert_allclose(one, other, rtol=rtol, atol=atol)
    for position, (old, new) in enumerate(zip(arguments, given, strict=True)):
        if position not in OVERWRITTEN.get(name, ()):
            for before, after in zip(flat(old), flat(new), strict=True):
                if hasattr(before, "dtype"):
                    before, after = be.to_numpy(before), be.to_numpy(after)
                    np.testing.assert_array_equal(after, before)


@pytest.mark.parametrize("owner", ["numpy", "cupy"])
def test_layouts_of_the_cases_are_kept(owner, dtype):
    be, values = backend_or_skip(owner, dtype), np.arange(24.0).reshape(4, 6)
    for case in (values, values.T, values[::2, ::3], values.astype("int32")[:, ::2]):
        with be.context():
            found = on_backend(be, case)
        for order in ("c_contiguous", "f_contiguous"):
            assert getattr(found.flags, order) == getattr(case.flags, order)
        np.testing.assert_array_equal(be.to_numpy(found), case)


@pytest.mark.parametrize(("owner", "usual"), [("numpy", "no_loops"), ("loops", "auto")])
def test_implementation_is_really_called(mode, monkeypatch, owner, usual):
    backend_for(owner, "float64")
    called = []
    implementation = kernels.implementations(owner)["relu_backward"]

    def counting(*arguments):
        called.append(True)
        return implementation(*arguments)

    monkeypatch.setitem(registry._IMPLEMENTATIONS, ("relu_backward", owner), counting)
    for chosen, times in ((usual, 1), ("off", 0), (usual, 1)):
        mode(chosen)
        called.clear()
        relu = nx.ReLU(dtype="float64")
        relu.forward([[1.0, -1.0]])
        assert relu.backward([[2.0, 2.0]]).tolist() == [[2.0, 0.0]]
        assert len(called) == times, chosen


def test_training_is_the_same_with_and_without_implementations(mode):
    x = _random.standard_normal((40, 5))
    y = (x[:, 0] > 0).astype("int64")
    curves = []
    for chosen in ("off", "auto"):
        mode(chosen)
        model = nx.Model(
            [nx.Dense(5, 9), nx.ReLU(), nx.Dense(9, 2), nx.Softmax()],
            loss="categorical_crossentropy", optimizer="adam", dtype="float64",
        )  # fmt: skip
        curves.append(model.fit(x, y, epochs=5, batch_size=16)["loss"])
    np.testing.assert_allclose(curves[0], curves[1], rtol=1e-12)


def test_requiring_a_implementation_that_is_not_there(mode):
    mode("require")
    be = nx.get_backend("array_api_strict", dtype="float64")
    relu = nx.ReLU(backend=be)
    relu.forward([[1.0]])
    with pytest.raises(
        nx.BackendUnavailableError, match="no implementation .* 'relu_backward'"
    ):
        relu.backward([[1.0]])


def test_unknown_modes_are_refused():
    with pytest.raises(nx.InputError, match="mode must be one of"):
        kernels.set_kernel_mode("fast")
    program = "import nnfs_xp as nx; nx.ReLU().backward"
    program += "; r = nx.ReLU(); r.forward([[1.0]]); r.backward([[1.0]])"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"NNFS_XP_KERNELS": "fast", "PATH": ""},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert "NNFS_XP_KERNELS must be one of" in done.stderr


def test_implementations_are_imported_for_the_backend_that_is_used_only():
    program = """
import sys
import nnfs_xp as nx
layer = nx.Embedding(3, 2)
layer.forward([0, 2])
layer.backward([[1.0, 1.0], [2.0, 2.0]])
print({name.split(".")[2] for name in sys.modules if "nnfs_xp.kernels." in name})
print("numba" in sys.modules, "llvmlite" in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "NNFS_XP_KERNELS": "auto"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    loaded, *others = done.stdout.splitlines()
    assert eval(loaded) >= {"numpy", "registry"}
    assert not eval(loaded) & {"cupy", "jax", "torch"}
    assert others == ["False False"]


@pytest.mark.parametrize("owner", ["numpy", "torch", "jax"])
def test_a_row_that_is_no_number_is_one_of_its_own_id(owner, dtype):
    """The reference, a product, takes 0 times infinity for NaN, in every row."""
    be = backend_or_skip(owner, dtype)
    rows = np.array([[np.inf, 1.0], [1.0, 2.0], [np.nan, 3.0]])
    ids = be.asarray(np.array([2, 0, 3]), "int32")
    with be.context():
        found = kernels.implementations(owner)["add_at"](
            be, ids, be.asarray(rows, be.dtype), 4
        )
    expected = [[1.0, 2.0], [0.0, 0.0], [np.inf, 1.0], [np.nan, 3.0]]
    np.testing.assert_array_equal(be.to_numpy(found), expected)


def test_a_function_that_is_forgotten_leaves_no_trace(mode):
    be = nx.get_backend("numpy", dtype="float64")
    before = kernels.references(), kernels.implementations("numpy")

    @kernels.portable
    def tried_out(be, x):
        return x + 1

    @kernels.implements("tried_out", "numpy")
    def implementation(be, x):
        return x + 2

    mode("auto")
    assert tried_out(be, 1) == 3
    kernels.forget("tried_out")
    assert (kernels.references(), kernels.implementations("numpy")) == before
    # It still computes, in every mode that does not want an implementation.
    assert tried_out(be, 1) == 2
    mode("off")
    assert tried_out(be, 1) == 2
    with pytest.raises(nx.InputError, match="portable function.* got 'tried_out'"):
        kernels.forget("tried_out")


def test_a_function_that_is_defined_again_replaces_the_old_one(mode):
    be = nx.get_backend("numpy", dtype="float64")
    mode("auto")
    try:
        for added in (1, 2):

            @kernels.portable
            def tried_out(be, x, added=added):
                return x + added

            assert tried_out(be, 1) == 1 + added
    finally:
        kernels.forget("tried_out")


def test_reference_stays_attached():
    from nnfs_xp.activations.relu import relu_backward
    from nnfs_xp.optimizers.adam import adam

    assert relu_backward.reference is kernels.references()["relu_backward"]
    assert adam.reference is kernels.references()["adam"]


def test_two_references_of_one_name_are_refused():
    def adam(be, x):
        return x

    before = kernels.references()
    with pytest.raises(nx.InputError, match="'adam' already, in nnfs_xp.optimizers"):
        kernels.portable(adam)
    assert kernels.references() == before
