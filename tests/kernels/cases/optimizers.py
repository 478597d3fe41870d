"""One step of each optimizer."""

import functools
import math

import numpy as np

from nnfs_xp.kernels import references
from tests.kernels.cases.launch import HOST, Launch

_random = np.random.default_rng(23)
BLOCK = (256,)
# Of one block and less, of several, and more than all threads of the grid.
SIZES = {"number": (1, 1), "empty": (0, 1), "few": (7, 1), "usual": (1000, 4),
         "more than threads": (1000, 2)}  # fmt: skip
RATE = 0.0625
# That of Nadam with a momentum_decay of 0.004.
FADING = 0.004 * math.log(0.96)
# Gradients of which every entry is this one.
GRADIENTS = {"no gradient": 0.0, "NaN": np.nan, "infinite": np.inf, "huge": 1e15}


def _arrays(size, kept, dtype, gradient=None):
    arrays = _random.standard_normal((2 + kept, size))
    arrays[2:] **= 2
    if gradient is not None:
        arrays[1] = gradient
    return list(arrays.astype(dtype))


def _reference(name, arrays, *scalars):
    """Return what the arrays that a reference overwrites must hold."""
    with np.errstate(all="ignore"):
        found = references()[name](
            HOST, *(a.astype("float64") for a in arrays), *scalars
        )
    return [array for array in found if array is not None]


def _launch(kernel, expected, size, blocks, dtype, arrays, scalars):
    # Parameters are the first array, the gradient the second, what is kept follows.
    positions = [1, *range(3, 1 + len(arrays))]
    assert len(expected) == len(positions), kernel
    return Launch(
        (blocks,), BLOCK, [np.int64(size), *arrays, *scalars],
        {at: e.astype(dtype) for at, e in zip(positions, expected, strict=True)},
    )  # fmt: skip


def _cases(make, kept):
    """Return cases of all sizes and of special gradients.

    ``make(dtype, arrays)`` returns what is expected and the scalars of a launch.
    """

    def case(size, blocks, gradient=None):
        def launch(dtype):
            arrays = _arrays(size, kept, dtype, gradient)
            kernel, expected, scalars = make(dtype, arrays)
            return _launch(kernel, expected, size, blocks, dtype, arrays, scalars)

        return launch

    cases = {kind: case(*size) for kind, size in SIZES.items()}
    cases |= {kind: case(5, 1, gradient) for kind, gradient in GRADIENTS.items()}
    return cases


def _rate(dtype):
    return np.asarray(RATE, dtype)


def _sgd(dtype, arrays):
    return "sgd", _reference("sgd", arrays, None, RATE, 0.0, False), [_rate(dtype)]


def _momentum(nesterov, momentum=0.75):
    def make(dtype, arrays):
        expected = _reference("sgd", arrays, RATE, momentum, nesterov)
        scalars = [_rate(dtype), np.float64(momentum), np.bool_(nesterov)]
        return "sgd_momentum", expected, scalars

    return make


def _adam(name, t, beta_1, beta_2, epsilon, *more):
    def make(dtype, arrays):
        step = np.asarray(t, "int32")
        scalars = beta_1, beta_2, epsilon, *more
        expected = _reference(name, arrays, step, RATE, *scalars)
        given = beta_1, _log(beta_1), beta_2, _log(beta_2), epsilon, *more
        return name, expected, [step, _rate(dtype), *map(np.float64, given)]

    return make


def _log(beta):
    return math.log(beta) if beta else -math.inf


def _nadam(name, t, beta_1, beta_2, epsilon, fading):
    def make(dtype, arrays):
        step, product = np.asarray(t, "int32"), 0.25
        scalars = beta_1, beta_2, epsilon, fading
        expected = _reference(name, arrays, step, product, RATE, *scalars)
        given = beta_1, _log(beta_1), beta_2, _log(beta_2), epsilon, fading
        changing = step, np.asarray(product, dtype), _rate(dtype)
        return name, expected, [*changing, *map(np.float64, given)]

    return make


def _adamax(name, t, beta_1, beta_2, epsilon):
    def make(dtype, arrays):
        step = np.asarray(t, "int32")
        expected = _reference(name, arrays, step, RATE, beta_1, beta_2, epsilon)
        given = beta_1, _log(beta_1), beta_2, epsilon
        return name, expected, [step, _rate(dtype), *map(np.float64, given)]

    return make


def _with_constants(name, *constants):
    def make(dtype, arrays):
        expected = _reference(name, arrays, RATE, *constants)
        return name, expected, [_rate(dtype), *map(np.float64, constants)]

    return make


def _adam_cases(name, *more, made_by=_adam, kept=2):
    cases = _cases(made_by(name, 6, 0.9, 0.999, 1e-7, *more), kept)
    others = {
        "first step": (1, 0.9, 0.999, 1e-7),
        "late": (2_000_000, 0.9, 0.999, 1e-7),
        "no memory": (6, 0.0, 0.0, 1e-7),
        "long memory": (6, 0.9, 0.999999, 1e-7),
        "no epsilon": (6, 0.9, 0.999, 0.0),
    }
    for kind, scalars in others.items():
        cases[kind] = _cases(made_by(name, *scalars, *more), kept)["usual"]
    return cases


def _product(t, blocks, block, dtype):
    given = np.asarray(0.25, dtype)
    expected = references()["nadam_product"](
        HOST, given.astype("float64"), np.asarray(t, "int32"), 0.9, FADING
    )
    scalars = np.asarray(t, "int32"), np.float64(0.9), np.float64(FADING)
    return Launch((blocks,), (block,), [given, *scalars], {0: expected.astype(dtype)})


KERNELS = {
    "sgd": _cases(_sgd, 0),
    "sgd_momentum": {
        **_cases(_momentum(False), 1),
        **{f"{k}, Nesterov": c for k, c in _cases(_momentum(True), 1).items()},
    },
    "adagrad": _cases(_with_constants("adagrad", 1e-7), 1),
    "rmsprop": {
        **_cases(_with_constants("rmsprop", 0.9, 1e-7), 1),
        "no memory": _cases(_with_constants("rmsprop", 0.0, 1e-7), 1)["usual"],
    },
    "adam": _adam_cases("adam"),
    "adamw": _adam_cases("adamw", 0.25),
    "amsgrad": _adam_cases("amsgrad", kept=3),
    "nadam": _adam_cases("nadam", FADING, made_by=_nadam),
    "nadam_product": {
        "usual": functools.partial(_product, 6, 1, 256),
        "late": functools.partial(_product, 2_000_000, 1, 1),
    },
    "adamax": _adam_cases("adamax", made_by=_adamax),
    "adadelta": _cases(_with_constants("adadelta", 0.95, 1e-6), 2),
    "lion": _cases(_with_constants("lion", 0.9, 0.99), 1),
    "centered_rmsprop": _cases(_with_constants("centered_rmsprop", 0.9, 1e-7), 2),
}
