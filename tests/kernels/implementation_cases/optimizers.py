"""Inputs of the optimizers, of gradient clipping, and of L1 and L2."""

import numpy as np

_random = np.random.default_rng(18)
SPECIAL = np.array([0.0, -0.0, 1.0, np.inf, -np.inf, np.nan, 1e30, 1e-30, -1.0])
_square = _random.standard_normal((6, 6))
_sixth = np.asarray(6, "int32")
_rate = np.asarray(0.01)
_fading = float(0.004 * np.log(0.96))


def _arrays(shape, kept, gradient=None):
    """Return parameters, gradients, and so many arrays of state, all above 0."""
    w, dw, *state = _random.standard_normal((2 + kept, *shape))
    dw = dw if gradient is None else np.broadcast_to(gradient, shape).copy()
    # Single numbers, where the shape is (), are no arrays yet.
    return [np.asarray(a) for a in (w, dw, *(s**2 for s in state))]


def _cases(kept, *scalars):
    """Return the cases that make sense for every optimizer."""
    every_other = [a[::2, ::3] for a in _arrays((6, 6), kept)]
    no_gradients = _arrays((5,), kept, 0.0)
    in_their_place = [a.T for a in _arrays((3, 4), kept)]
    mixed = _arrays((3, 3), kept)
    mixed[1] = mixed[1].T
    of_state = _arrays((9,), kept)
    of_state[2:] = [np.zeros(9) for _ in range(kept)]
    inputs = {
        "usual": _arrays((1000,), kept),
        "matrix": _arrays((30, 7), kept),
        "more than one block": _arrays((3, 211), kept),
        "size 1": _arrays((1,), kept),
        "number": _arrays((), kept),
        "empty": _arrays((0,), kept),
        "no gradient": no_gradients,
        "NaN": _arrays((5,), kept, np.nan),
        "infinite": _arrays((5,), kept, np.inf),
        "huge": _arrays((5,), kept, 1e15),
        "tiny": _arrays((5,), kept, 1e-30),
        "not contiguous": every_other,
        "transposed": in_their_place,
        "gradient transposed": mixed,
        "no state yet": of_state,
    }
    return {kind: (*arrays, *scalars) for kind, arrays in inputs.items()}


def _adam_cases(*more, kept=2, rate=(_rate,)):
    """Return cases; before the learning rate there may be other arrays."""
    usual = (*_arrays((50,), kept), _sixth, *rate)
    arrays = usual[: 2 + kept]
    first = np.asarray(1, "int32")
    late = np.asarray(2_000_000, "int32")
    return {
        **_cases(kept, _sixth, *rate, 0.9, 0.999, 1e-7, *more),
        "first step": (*arrays, first, *rate, 0.9, 0.999, 1e-7, *more),
        "late": (*arrays, late, *rate, 0.9, 0.999, 1e-7, *more),
        "no memory": (*usual, 0.0, 0.0, 1e-7, *more),
        "long memory": (*usual, 0.9, 0.999999, 1e-7, *more),
        "no epsilon": (*usual, 0.9, 0.999, 0.0, *more),
    }


def _velocity_cases():
    plain = {
        f"{kind}, no momentum": (w, dw, None, _rate, 0.0, False)
        for kind, (w, dw, *_) in _cases(0).items()
    }
    return {
        **_cases(1, _rate, 0.9, False),
        **{f"{k}, Nesterov": c for k, c in _cases(1, _rate, 0.5, True).items()},
        **plain,
    }


_huge = np.array([1e30, -3e30, 0.0, 1.0])
_norms = {
    "usual": (1.0, _random.standard_normal((30, 7))),
    "small enough": (1e3, _random.standard_normal((30, 7))),
    "several": (0.5, *(_random.standard_normal(n) for n in (700, 1, 12))),
    "several, one empty": (0.5, np.ones((2, 0)), _random.standard_normal(5)),
    "many blocks": (2.0, _random.standard_normal(70_000)),
    "size 1": (0.25, np.array([-3.0])),
    "number": (0.25, np.asarray(3.0)),
    "empty": (1.0, np.ones((0, 4))),
    "none": (1.0,),
    "zeros": (1.0, np.zeros(300), np.array([-0.0])),
    "squares too large": (2.0, _huge),
    "squares too small": (1e-25, np.array([3e-24, -4e-24])),
    "far apart": (1.0, np.full(600, 1e-10), np.array([1e20])),
    "huge limit": (3e38, _huge),
    "NaN": (1.0, np.array([1.0, np.nan]), np.ones(3)),
    "infinite": (1.0, np.array([1.0, np.inf, 0.0]), np.ones(3)),
    "special": (1.0, SPECIAL),
    "not contiguous": (0.5, _square[::2, ::3], np.ones(4)),
    "transposed": (0.5, _square.T),
}

_values = {
    "usual": (_random.standard_normal((33, 17)), 0.5),
    "size 1": (np.array([-3.0]), 0.5),
    "number": (np.asarray(3.0), 0.5),
    "empty": (np.ones((0, 4)), 0.5),
    "special": (SPECIAL, 0.5),
    "huge limit": (SPECIAL, 3e38),
    "not contiguous": (_square[::2, ::3], 0.5),
    "transposed": (_square.T, 0.5),
}

_penalized = {
    "usual": _random.standard_normal((33, 17)),
    "many blocks": _random.standard_normal(70_000),
    "size 1": np.array([[-2.0]]),
    "number": np.asarray(-2.0),
    "empty": np.ones((0, 4)),
    "zeros": np.array([0.0, -0.0]),
    "special": SPECIAL,
    "NaN": np.array([1.0, np.nan]),
    "infinite": np.array([1.0, -np.inf]),
    "huge": np.array([1e30, -1e30]),
    "not contiguous": _square[::2, ::3],
    "transposed": _square.T,
}
_factors = {"both": (0.3, 0.2), "L1": (0.3, 0.0), "L2": (0.0, 0.2), "none": (0.0, 0.0)}

CASES = {
    "sgd": _velocity_cases(),
    "adagrad": _cases(1, _rate, 1e-7),
    "rmsprop": _cases(1, _rate, 0.9, 1e-7),
    "adam": _adam_cases(),
    "adamw": _adam_cases(0.25),
    "amsgrad": _adam_cases(kept=3),
    "nadam": _adam_cases(_fading, rate=(np.asarray(0.25), _rate)),
    "nadam_product": {
        "usual": (np.asarray(0.25), _sixth, 0.9, _fading),
        "first step": (np.asarray(1.0), np.asarray(1, "int32"), 0.9, _fading),
        "no memory": (np.asarray(0.5), _sixth, 0.0, _fading),
        "no decay": (np.asarray(0.5), _sixth, 0.9, 0.0),
        "NaN": (np.asarray(np.nan), _sixth, 0.9, _fading),
    },
    "adamax": _adam_cases(),
    "adadelta": _cases(2, _rate, 0.95, 1e-6),
    "lion": _cases(1, _rate, 0.9, 0.99),
    "centered_rmsprop": _cases(2, _rate, 0.9, 1e-7),
    "clip_to_value": _values,
    "clip_to_norm": _norms,
    "l1l2_penalty": {
        f"{kind}, {which}": (w, *factors)
        for kind, w in _penalized.items()
        for which, factors in _factors.items()
    },
    "add_l1l2_gradient": {
        f"{kind}, {which}, {mode}": (np.cos(np.arange(w.size)).reshape(w.shape), w,
                                     *factors, mode)
        for kind, w in _penalized.items()
        for which, factors in _factors.items()
        for mode in ("exact", "book")
    },
}  # fmt: skip
# Arguments that a kernel may write to.
OVERWRITTEN = {
    "sgd": {0, 2},
    "adagrad": {0, 2},
    "rmsprop": {0, 2},
    "adam": {0, 2, 3},
    "adamw": {0, 2, 3},
    "amsgrad": {0, 2, 3, 4},
    "nadam": {0, 2, 3},
    "nadam_product": {0},
    "adamax": {0, 2, 3},
    "adadelta": {0, 2, 3},
    "lion": {0, 2},
    "centered_rmsprop": {0, 2, 3},
    "add_l1l2_gradient": {0},
}
