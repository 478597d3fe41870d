"""Trainings that the tests of optimizers share, and what is expected of them."""

from __future__ import annotations

import copy
import functools
import json
import math

import numpy as np
import pytest

import nnfs_xp as nx
from nnfs_xp.registry import resolve, to_config
from tests.matrix.cases.optimizers import OPTIMIZERS
from tests.matrix.helpers import assert_agrees, move

STEPS = 200
_random = np.random.default_rng(31)
START = {"0.w": _random.standard_normal((4, 3)), "0.b": _random.standard_normal((1, 3))}
GRADIENTS = [
    {name: _random.standard_normal(w.shape) * 3 for name, w in START.items()}
    for _ in range(STEPS)
]


def cosine(t, initial, steps, final=0.0):
    """The formula with a square in the place of 1 + cos."""
    wave = math.cos(math.pi * min(t, steps) / steps / 2)
    return final + (initial - final) * wave**2


# What an optimizer is given, and the rate of each step.
RATES = {
    "inverse time": (nx.InverseTimeDecay(0.1, 0.03), lambda t: 0.1 / (1 + 0.03 * t)),
    "steps": (nx.StepDecay(0.1, 0.5, 60), lambda t: 0.1 / 2 ** math.floor(t / 60)),
    "exponential": (
        nx.ExponentialDecay(0.1, 0.5, 40), lambda t: 0.1 * math.exp2(-t / 40),
    ),
    "cosine": (nx.CosineDecay(0.1, 150, 0.01), lambda t: cosine(t, 0.1, 150, 0.01)),
    "warm-up": (
        nx.WarmUp(20, nx.CosineDecay(0.1, 150)),
        lambda t: 0.1 * (t + 1) / 20 if t < 20 else cosine(t - 20, 0.1, 150),
    ),
    "a function": (
        lambda step: [0.1, 0.02, 0.0][step % 3], lambda t: [0.1, 0.02, 0.0][t % 3],
    ),
}  # fmt: skip


def clipped(gradients, clip_value=None, clip_norm=None):
    """Clip one step's gradients in float64."""
    if clip_value is not None:
        low, high = -clip_value, clip_value
        gradients = {k: np.clip(g, low, high) for k, g in gradients.items()}
    if clip_norm is not None:
        norm = math.sqrt(sum(float((g**2).sum()) for g in gradients.values()))
        factor = min(1.0, clip_norm / norm)
        gradients = {k: g * factor for k, g in gradients.items()}
    return gradients


# The norms of GRADIENTS lie around 11.6, and around 7.5 after the values have been
# clipped: some of them are clipped and some not.
CLIPS = {
    "value": {"clip_value": 2.5},
    "norm": {"clip_norm": 11.5},
    "value, then norm": {"clip_value": 2.5, "clip_norm": 7.0},
}


def made_with(case, options):
    """Return the optimizer of a case with other settings, which are fixed once made."""
    optimizer = case.make()
    return type(optimizer)(**{**optimizer.config(), **options})


def fresh(be, values):
    """Move values to arrays that may be written to."""
    return {k: be.xp.asarray(v, copy=True) for k, v in move(be, values).items()}


def moves(be, gradients):
    return [fresh(be, each) for each in gradients]


@functools.cache
def moved_gradients(be):
    return moves(be, GRADIENTS)


def train(be, optimizer, start=START, gradients=GRADIENTS, update=None):
    """Take a step with each of the gradients, and return parameters and state."""
    parameters, written = fresh(be, start), None
    update = update or optimizer.update
    moved = moved_gradients(be) if gradients is GRADIENTS else moves(be, gradients)
    with be.context():
        state = optimizer.init(be, parameters)
        for step, each in enumerate(moved):
            written = optimizer.write_rate(be, state, step, written)
            update(be, parameters, each, state)
    return parameters, state


@functools.cache
def compiled(config):
    """Return `update` compiled by JAX, once for all optimizers of a configuration.

    It is given as JSON, and without the rate, which is an input.
    """
    import jax

    optimizer = resolve("optimizer", json.loads(config), "optimizer")

    @functools.partial(jax.jit, static_argnums=0)
    def pure(be, parameters, gradients, state):
        parameters = dict(parameters)
        state = {k: dict(v) if isinstance(v, dict) else v for k, v in state.items()}
        optimizer.update(be, parameters, gradients, state)
        return parameters, state

    def update(be, parameters, gradients, state):
        new = pure(be, parameters, gradients, state)
        parameters.update(new[0])
        state.update(new[1])

    update.pure = pure
    return update


def compiled_for(optimizer):
    config = {**to_config(type(optimizer)()), **settings(optimizer)}
    return compiled(json.dumps(config))


def settings(optimizer):
    """Return what does not belong to the rate."""
    rateless = copy.copy(optimizer)
    rateless.decay = 0.0
    rateless.learning_rate = 0.0
    return rateless.config()


def train_fast(be, optimizer):
    """Train as a model does: compiled on JAX, where single operations are slow."""
    update = compiled_for(optimizer) if be.name == "jax" else None
    return train(be, optimizer, update=update)


def assert_all_agree(found, case, be, rates, gradients=GRADIENTS):
    for name, w in START.items():
        expected = case.recurrence(w, [each[name] for each in gradients], rates)
        assert_agrees(found[name], expected, be)


def first_cases():
    """Return the cases that differ in their formula."""
    for name, cases in OPTIMIZERS.items():
        others = [case for case in cases[1:] if case.other_formula]
        for number, case in enumerate([cases[0], *others]):
            yield pytest.param(case, id=f"{name}-{number}")


FORMULAS = pytest.mark.parametrize("case", list(first_cases()))
# The rate is no part of PyTorch's velocity, but of ours.
WITHOUT_VELOCITY = [
    c for c in first_cases() if not getattr(c.values[0].make(), "momentum", 0)
]


def each_with(kinds, usual, cases=None):
    """Return every case with every kind; the first tier has all kinds of two of them.

    Of the others it has the usual kind: the way of a rate into a step is the same.
    """
    return pytest.mark.parametrize(
        ("case", "kind"),
        [
            pytest.param(
                *case.values, kind, id=f"{case.id}-{kind}",
                marks=[]
                if kind == usual or case.id in ("SGD-0", "Adam-0")
                else pytest.mark.slow,
            )
            for case in cases or first_cases()
            for kind in kinds
        ],
    )  # fmt: skip


def leaves(tree, prefix=""):
    found = {}
    for name, value in tree.items():
        if isinstance(value, dict):
            found |= leaves(value, f"{prefix}{name}.")
        else:
            found[prefix + name] = value
    return found
