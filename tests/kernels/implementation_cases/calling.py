"""Calling a reference or an implementation with a case, on a backend."""

from __future__ import annotations

import dataclasses

import numpy as np

from nnfs_xp import kernels


@dataclasses.dataclass(frozen=True)
class Exactly:
    """An array whose dtype is kept, also where it is one of floats."""

    array: np.ndarray


def _without_residuals(found):
    y, _, *statistics = found
    return y, *statistics


# How to call what cannot be called alone: f gives a function by its name.
CALLS = {
    "attention": lambda f, be, *given: f("attention")(be, *given)[0],
    "attention_backward": lambda f, be, parts, heads, causal, mask, drop, dy: f(
        "attention_backward"
    )(
        be,
        parts,
        heads,
        causal,
        f("attention")(be, parts, heads, causal, mask, drop, True)[1],
        drop,
        dy,
    ),
    "layer_norm": lambda f, be, *given: f("layer_norm")(be, *given)[0],
    "layer_norm_backward": lambda f, be, x, gamma, beta, eps, dy: f(
        "layer_norm_backward"
    )(be, f("layer_norm")(be, x, gamma, beta, eps, True)[1], gamma, dy),
    "rms_norm": lambda f, be, *given: f("rms_norm")(be, *given)[0],
    "rms_norm_backward": lambda f, be, x, gamma, eps, dy: f("rms_norm_backward")(
        be, f("rms_norm")(be, x, gamma, eps)[1], gamma, dy
    ),
    "group_norm": lambda f, be, *given: f("group_norm")(be, *given)[0],
    "group_norm_backward": lambda f, be, x, gamma, beta, groups, eps, dy: f(
        "group_norm_backward"
    )(be, f("group_norm")(be, x, gamma, beta, groups, eps)[1], gamma, dy, groups),
    "batch_norm": lambda f, be, *given: _without_residuals(f("batch_norm")(be, *given)),
    "batch_norm_backward": lambda f, be, x, gamma, beta, eps, dy: f(
        "batch_norm_backward"
    )(be, f("batch_norm")(be, x, gamma, beta, beta, gamma, 0.1, eps)[1], gamma, dy),
    "bias_activation": lambda f, be, *given: f("bias_activation")(be, *given)[0],
    "dense_activation": lambda f, be, *given: f("dense_activation")(be, *given)[0],
    "activation_bias_backward": lambda f, be, z, biases, dy, activation: f(
        "activation_bias_backward"
    )(be, f("bias_activation")(be, z, biases, activation)[1], dy, activation),
    "activation_forward": lambda f, be, *given: f("activation_forward")(be, *given)[0],
    "activation_backward": lambda f, be, x, dy, activation: f("activation_backward")(
        be, f("activation_forward")(be, x, activation)[1], dy, activation
    ),
}


def calling(name, functions, be, arguments):
    """Return what a function returns, as `CALLS` has it called."""

    def function(wanted):
        reference = kernels.references()[wanted]
        implementation = functions.get(wanted, reference)

        def call(*given):
            found = implementation(*given)
            return reference(*given) if found is NotImplemented else found

        return call

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
    # A cast closes gaps, so the layout is looked at first.
    plain, turned = value.flags.c_contiguous, value.T.flags.c_contiguous
    if value.dtype.kind == "f":
        value = value.astype(be.dtype_name)
    if plain or not be.in_place:
        return be.asarray(value.copy())
    if turned:
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
