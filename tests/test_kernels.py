"""Every twin computes what its reference does, and is really called."""

import subprocess
import sys

import numpy as np
import pytest

import nnfs_xp as nx
from nnfs_xp import kernels
from nnfs_xp.kernels import registry
from tests.conftest import backend_or_skip
from tests.kernel_cases import optimizers
from tests.kernels.twins import CALLS, MORE_CASES, MORE_OVERWRITTEN, Exactly

_random = np.random.default_rng(6)


def _pairs(shape):
    y = np.maximum(_random.standard_normal(shape), 0)
    return y, _random.standard_normal(shape)


_special = np.array([0.0, -0.0, 1.0, np.inf, np.nan, 1e300, 5e-324, -1.0])
_square = _random.standard_normal((6, 6))


def _classes(rows, columns, scale=3.0):
    z = _random.standard_normal((rows, columns)) * scale
    return z, _random.integers(0, columns, rows).astype("int32")


_z, _labels = _classes(20, 4)
_rows = np.abs(_random.standard_normal((20, 4)))
_weights = _random.uniform(0, 1, 20)
_far = np.array([[1e9, -1e9, 0.0], [-np.inf, 0.0, 1.0], [1e-300, 0.0, 0.0]])

# Inputs of every kernel that has a twin anywhere: usual, empty, of size 1,
# not contiguous, NaN, infinite and huge.
CASES = {
    "relu_backward": {
        "usual": _pairs((33, 17)),
        "one axis": _pairs((50,)),
        "three axes": _pairs((3, 4, 5)),
        "size 1": _pairs((1, 1)),
        "empty": _pairs((0, 4)),
        "not contiguous": (_square.T, _random.standard_normal((12, 6))[::2]),
        "Fortran order": (np.asfortranarray(_square), np.asfortranarray(_square)),
        "special y": (_special, np.ones(8)),
        "special dy": (np.array([0.0, 1.0] * 4), _special),
        "all pairs": (np.repeat(_special, 8), np.tile(_special, 8)),
    },
    "sum_over_samples": {
        "usual": (_random.standard_normal((128, 33)),),
        "size 1": (np.ones((1, 1)),),
        "no rows": (np.ones((0, 3)),),
        "not contiguous": (_random.standard_normal((12, 9))[::2, ::3],),
        "transposed": (_random.standard_normal((5, 7)).T,),
        "special": (_special[:, None],),
        "huge": (np.full((4, 2), 1e30),),
    },
    "softmax_cross_entropy": {
        "usual": (_z, _labels),
        "many classes": _classes(7, 100),
        "one class": _classes(3, 1),
        "one row": _classes(1, 5),
        "rows of targets": (_z, _rows),
        "not contiguous": (np.repeat(_z, 2, axis=1)[:, ::2], _labels),
        "transposed": (np.asfortranarray(_z), _labels),
        "far apart": (_far, np.array([1, 1, 0], dtype="int32")),
        "NaN": (np.array([[np.nan, 0.0], [0.0, 1.0]]), np.array([0, 1], "int32")),
    },
    "softmax_cross_entropy_backward": {
        "usual": (np.abs(_z), _labels, 0.25),
        "weights": (np.abs(_z), _labels, _weights),
        "rows of targets": (np.abs(_z), _rows, 0.25),
        "rows and weights": (np.abs(_z), _rows, _weights),
        "one row": (np.ones((1, 3)), np.array([2], "int32"), 1.0),
        "not contiguous": (np.abs(_z).T.copy().T, _labels, 0.5),
        "NaN": (np.array([[np.nan, 0.0]]), np.array([1], "int32"), 1.0),
    },
    "softplus": {
        "usual": (_random.standard_normal((33, 17)) * 10,),
        "small": (_random.standard_normal((33, 17)) * 1e-3,),
        "far below 0": (-np.linspace(15.0, 80.0, 50),),
        "size 1": (np.zeros((1, 1)),),
        "number": (np.asarray(-3.0),),
        "empty": (np.ones((0, 4)),),
        "not contiguous": (_square[::2, ::3],),
        "transposed": (_square.T,),
        "special": (_special,),
        "infinite": (np.array([-np.inf, np.inf]),),
    },
    "elu_left": {
        "usual": (_random.standard_normal((33, 17)) * 5, 1.0),
        "small": (_random.standard_normal((33, 17)) * 1e-3, 2.5),
        "far below 0": (-np.linspace(15.0, 1e4, 50), 1.0),
        "no alpha": (_square, 0.0),
        "negative alpha": (_square, -0.5),
        "size 1": (np.zeros((1, 1)), 1.0),
        "number": (np.asarray(-3.0), 1.0),
        "empty": (np.ones((0, 4)), 1.0),
        "not contiguous": (_square[::2, ::3], 1.0),
        "transposed": (_square.T, 1.0),
        "special": (_special, 1.0),
        "infinite": (np.array([-np.inf, np.inf]), 1.0),
    },
    **optimizers.CASES,
}
CASES |= MORE_CASES
# Arguments that a kernel may write to.
OVERWRITTEN = {**optimizers.OVERWRITTEN, **MORE_OVERWRITTEN}
OWNERS = ("numpy", "cupy", "torch", "jax")


@pytest.fixture
def mode():
    before = kernels.kernel_mode()
    yield kernels.set_kernel_mode
    kernels.set_kernel_mode(before)


def test_every_twin_has_a_reference_and_cases():
    names = {name for owner in OWNERS for name in kernels.twins(owner)}
    assert names
    assert names <= set(kernels.references())
    assert names == set(CASES)


@pytest.mark.parametrize(
    ("owner", "name", "kind"),
    [
        (owner, name, kind)
        for owner in OWNERS
        for name in kernels.twins(owner)
        for kind in CASES[name]
    ],
)
def test_twin_equals_reference(owner, name, kind, dtype):
    be, case = backend_or_skip(owner, dtype), CASES[name][kind]
    rtol = 1e-12 if dtype == "float64" else 1e-5
    with np.errstate(all="ignore"), be.context():
        arguments, given = on_backend(be, case), on_backend(be, case)
        expected = calling(name, kernels.references(), be, on_backend(be, case))
        found = calling(name, kernels.twins(owner), be, given)
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
        np.testing.assert_allclose(one, other, rtol=rtol, atol=atol)
    for position, (old, new) in enumerate(zip(arguments, given, strict=True)):
        if position not in OVERWRITTEN.get(name, ()):
            for before, after in zip(flat(old), flat(new), strict=True):
                if hasattr(before, "dtype"):
                    before, after = be.to_numpy(before), be.to_numpy(after)
                    np.testing.assert_array_equal(after, before)


def calling(name, functions, be, arguments):
    """Return what a function returns, as `CALLS` has it called."""

    def function(wanted):
        return functions.get(wanted) or kernels.references()[wanted]

    if name in CALLS:
        return CALLS[name](function, be, *arguments)
    return function(name)(be, *arguments)


def on_backend(be, value):
    """Return a new argument; its floats take the dtype, its layout is kept."""
    if isinstance(value, (tuple, list)):
        return type(value)(on_backend(be, part) for part in value)
    if isinstance(value, Exactly):
        # A backend widens half precision, and CuPy's kernels take it as it is.
        here = be.xp.asarray if be.name == "cupy" else be.asarray
        return here(value.array.copy())
    if isinstance(value, np.generic):
        value = np.asarray(value)
    if not isinstance(value, np.ndarray):
        return value
    if value.dtype.kind == "f":
        value = value.astype(be.dtype_name, order="K", subok=False)
    if value.flags.c_contiguous or not be.in_place:
        return be.asarray(value.copy())
    if value.T.flags.c_contiguous:
        return be.asarray(value.T.copy()).T
    return be.asarray(np.stack([value, value], axis=-1))[..., 0]


def flat(values):
    """Yield the arrays and numbers of nested tuples, lists and dicts."""
    if isinstance(values, dict):
        values = [values[key] for key in sorted(values)]
    if isinstance(values, (tuple, list)):
        for value in values:
            yield from flat(value)
    elif values is not None:
        yield values


def test_twin_is_really_called(mode, monkeypatch):
    called = []
    twin = kernels.twins("numpy")["relu_backward"]

    def counting(*arguments):
        called.append(True)
        return twin(*arguments)

    monkeypatch.setitem(registry._TWINS, ("relu_backward", "numpy"), counting)
    for chosen, times in (("auto", 1), ("off", 0), ("require", 1)):
        mode(chosen)
        called.clear()
        relu = nx.ReLU(dtype="float64")
        relu.forward([[1.0, -1.0]])
        assert relu.backward([[2.0, 2.0]]).tolist() == [[2.0, 0.0]]
        assert len(called) == times, chosen


def test_training_is_the_same_with_and_without_twins(mode):
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


def test_requiring_a_twin_that_is_not_there(mode):
    mode("require")
    be = nx.get_backend("array_api_strict", dtype="float64")
    relu = nx.ReLU(backend=be)
    relu.forward([[1.0]])
    with pytest.raises(nx.BackendUnavailableError, match="no twin .* 'relu_backward'"):
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


def test_a_function_that_is_forgotten_leaves_no_trace(mode):
    be = nx.get_backend("numpy", dtype="float64")
    before = kernels.references(), kernels.twins("numpy")

    @kernels.portable
    def tried_out(be, x):
        return x + 1

    @kernels.twin_of("tried_out", "numpy")
    def twin(be, x):
        return x + 2

    mode("auto")
    assert tried_out(be, 1) == 3
    kernels.forget("tried_out")
    assert (kernels.references(), kernels.twins("numpy")) == before
    # It still computes, in every mode that does not want a twin.
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
