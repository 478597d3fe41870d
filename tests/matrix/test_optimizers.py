"""Optimizers with changing rates and clipped gradients, on every backend.

What is expected is written out in plain NumPy, in `optimizer_runs` and the cases.
"""

import math

import numpy as np
import pytest

import nnfs_xp as nx
from tests.conftest import backend_or_skip
from tests.matrix.helpers import NUMPY64, assert_agrees, move
from tests.matrix.optimizer_runs import (
    CLIPS,
    FORMULAS,
    GRADIENTS,
    RATES,
    START,
    STEPS,
    WITHOUT_VELOCITY,
    assert_all_agree,
    clipped,
    compiled,
    compiled_for,
    each_with,
    first_cases,
    fresh,
    leaves,
    made_with,
    train,
    train_fast,
)


@each_with(RATES, "warm-up")
def test_rates(backend64, case, kind):
    given, rate = RATES[kind]
    optimizer = case.make()
    optimizer.learning_rate = given
    found, _ = train_fast(backend64, optimizer)
    rates = [rate(t) for t in range(STEPS)]
    assert_all_agree(found, case, backend64, rates)
    for t in range(STEPS):
        assert optimizer.rate_at(t) == pytest.approx(rates[t], rel=1e-12)


@FORMULAS
def test_decay_is_the_books(backend64, case):
    optimizer = case.make()
    initial = optimizer.learning_rate
    optimizer.decay = 0.03
    found, _ = train_fast(backend64, optimizer)
    rates = [initial / (1 + 0.03 * t) for t in range(STEPS)]
    assert_all_agree(found, case, backend64, rates)


@each_with(CLIPS, "value, then norm")
def test_clipping(backend64, case, kind):
    norms = [math.hypot(*np.concatenate([g.ravel() for g in each.values()]))
             for each in GRADIENTS]  # fmt: skip
    assert min(norms) < 11.5 < max(norms)
    optimizer = made_with(case, CLIPS[kind])
    found, _ = train_fast(backend64, optimizer)
    gradients = [clipped(each, **CLIPS[kind]) for each in GRADIENTS]
    assert_all_agree(found, case, backend64, None, gradients)


# Against PyTorch.


def torch_training(torch, optimizer, weights, gradients, clip=None, rate=None):
    scheduler = None
    if rate is not None:
        base = optimizer.param_groups[0]["lr"]
        scheduler = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda t: rate(t) / base
        )
    for each in gradients:
        for weight, gradient in zip(weights, each.values(), strict=True):
            weight.grad = torch.tensor(gradient)
        if clip is not None:
            clip(weights)
        optimizer.step()
        if scheduler is not None:
            scheduler.step()
    return [weight.detach().numpy() for weight in weights]


def torch_weights(torch):
    return [torch.tensor(w.copy(), requires_grad=True) for w in START.values()]


@each_with(RATES, "warm-up", WITHOUT_VELOCITY)
def test_rates_against_pytorch(torch, case, kind):
    optimizer = case.make()
    optimizer.learning_rate, rate = RATES[kind]
    found, _ = train(NUMPY64, optimizer)
    weights = torch_weights(torch)
    rival = case.torch_optimizer(torch, weights)
    expected = torch_training(torch, rival, weights, GRADIENTS, rate=rate)
    for one, other in zip(found.values(), expected, strict=True):
        assert_agrees(one, other, NUMPY64, rtol=1e-12)


def test_decay_against_pytorch(torch):
    found, _ = train(NUMPY64, nx.Adagrad(0.1, epsilon=1e-10, decay=0.03))
    weights = torch_weights(torch)
    rival = torch.optim.Adagrad(weights, lr=0.1, lr_decay=0.03)
    expected = torch_training(torch, rival, weights, GRADIENTS)
    for one, other in zip(found.values(), expected, strict=True):
        assert_agrees(one, other, NUMPY64, rtol=1e-12)


@pytest.mark.parametrize("kind", CLIPS)
def test_clipping_against_pytorch(torch, kind):
    given = CLIPS[kind]

    def clip(weights):
        if "clip_value" in given:
            torch.nn.utils.clip_grad_value_(weights, given["clip_value"])
        if "clip_norm" in given:
            torch.nn.utils.clip_grad_norm_(weights, given["clip_norm"])

    found, _ = train(NUMPY64, nx.SGD(0.1, **given))
    weights = torch_weights(torch)
    rival = torch.optim.SGD(weights, lr=0.1)
    expected = torch_training(torch, rival, weights, GRADIENTS, clip)
    # PyTorch adds 1e-6 to the norm that it divides by.
    rtol = 1e-6 if "clip_norm" in given else 1e-12
    for one, other in zip(found.values(), expected, strict=True):
        assert_agrees(one, other, NUMPY64, rtol=rtol)


# What an update is: pure, free of reads, the same for every layout.


@FORMULAS
@pytest.mark.parametrize("kind", [None, "value, then norm"])
def test_gradients_are_left_as_they_are(backend64, case, kind):
    be, optimizer = backend64, made_with(case, CLIPS.get(kind, {}))
    parameters, gradients = fresh(be, START), fresh(be, GRADIENTS[0])
    kept = dict(gradients)
    with be.context():
        state = optimizer.init(be, parameters)
        for _ in range(3):
            optimizer.update(be, parameters, gradients, state)
    assert gradients.keys() == kept.keys()
    for name, value in GRADIENTS[0].items():
        assert gradients[name] is kept[name]
        np.testing.assert_array_equal(be.to_numpy(gradients[name]), value)


@pytest.mark.parametrize(
    "case", [c for c in first_cases() if not c.values[0].make().by_parameter]
)
@pytest.mark.parametrize("kind", [None, "value, then norm"])
def test_one_flat_buffer_equals_separate_slots(backend64, case, kind):
    be = backend64
    flat = [{"flat": np.concatenate([g.ravel() for g in each.values()])}
            for each in (START, *GRADIENTS[:10])]  # fmt: skip
    made = [made_with(case, CLIPS.get(kind, {})) for _ in range(2)]
    separate, _ = train(be, made[0], START, GRADIENTS[:10])
    one, _ = train(be, made[1], flat[0], flat[1:])
    expected = np.concatenate([be.to_numpy(separate[k]).ravel() for k in START])
    assert_agrees(one["flat"], expected, be, rtol=1e-13)


@FORMULAS
def test_slots_are_written_to_in_place(backend, case):
    """Where arrays can be written to: a captured graph keeps their addresses."""
    be, optimizer = backend, case.make()
    parameters, gradients = fresh(be, START), move(be, GRADIENTS[0])
    with be.context():
        state = optimizer.init(be, parameters)
        before = leaves({"parameters": parameters, **state})
        optimizer.write_rate(be, state, 5, None)
        optimizer.update(be, parameters, gradients, state)
    after = leaves({"parameters": parameters, **state})
    assert before.keys() == after.keys()
    if be.in_place:
        assert all(after[name] is before[name] for name in before)
    for name, array in after.items():
        number = "int32" if name == "step" else be.dtype_name
        assert array.dtype == getattr(be.xp, number), name


def test_no_slot_that_is_not_needed():
    def slots(optimizer):
        return set(optimizer.init(NUMPY64, START)) - {"step", "learning_rate"}

    assert slots(nx.SGD(0.1)) == set()
    assert slots(nx.SGD(0.1, momentum=0.5)) == {"velocity"}
    assert slots(nx.Adagrad()) == {"sum_of_squares"}
    assert slots(nx.RMSprop()) == {"mean_of_squares"}
    assert slots(nx.Adam()) == slots(nx.AdamW()) == {"moment_1", "moment_2"}


@FORMULAS
@pytest.mark.backend("jax")
def test_compiled_equals_eager_and_is_compiled_once(dtype, case):
    be = backend_or_skip("jax", dtype)
    optimizer = made_with(case, CLIPS["value, then norm"])
    optimizer.learning_rate = RATES["inverse time"][0]
    compiled.cache_clear()
    update = compiled_for(optimizer)
    trees = [
        leaves({"parameters": parameters, **state})
        for parameters, state in (
            train(be, optimizer, START, GRADIENTS[:20], update),
            train(be, optimizer, START, GRADIENTS[:20]),
        )
    ]
    assert update.pure._cache_size() == 1
    rtol = 1e-12 if dtype == "float64" else 1e-5
    for name, expected in trees[1].items():
        found = trees[0][name]
        assert found.dtype == expected.dtype
        host = be.to_numpy(expected)
        atol = rtol * float(np.max(np.abs(host)))
        np.testing.assert_allclose(be.to_numpy(found), host, rtol=rtol, atol=atol)


def test_weight_decay_is_not_rounded_away(backend):
    """Of 1 - 1e-6 float32 keeps 1 - 1.01e-6."""
    start = {"w": np.random.default_rng(2).standard_normal(1000)}
    nothing = [{"w": np.zeros(1000)}] * 100
    found, _ = train(backend, nx.AdamW(1e-3, weight_decay=1e-3), start, nothing)
    host = backend.to_numpy(found["w"]).astype("float64")
    given = start["w"].astype(backend.dtype_name).astype("float64")
    lost = 1 - np.sum(host * given) / np.sum(given * given)
    assert lost == pytest.approx(1 - (1 - 1e-6) ** 100, rel=5e-3)
