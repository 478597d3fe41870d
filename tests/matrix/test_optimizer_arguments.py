"""The learning rate's way into a step, the shell, arguments and configuration."""

import numpy as np
import pytest

import nnfs_xp as nx
from nnfs_xp.registry import resolve, to_config
from tests.matrix.cases import parametrize
from tests.matrix.helpers import NUMPY64, move
from tests.matrix.optimizer_runs import START, leaves

# The learning rate's way into a state.


def test_write_rate_writes_what_is_new(backend):
    optimizer = nx.SGD(nx.StepDecay(0.5, 0.5, every=2))
    parameters = move(backend, START)
    state = optimizer.init(backend, parameters)

    def rate():
        assert state["learning_rate"].dtype == backend.dtype
        return float(backend.to_numpy(state["learning_rate"]))

    assert rate() == 0.5
    backend.assign(state, "learning_rate", backend.constant(7.0))
    assert optimizer.write_rate(backend, state, 1, written=0.5) == 0.5
    assert rate() == 7.0
    assert optimizer.write_rate(backend, state, 1, written=None) == 0.5
    assert rate() == 0.5
    assert optimizer.write_rate(backend, state, 2, written=0.5) == 0.25
    assert rate() == 0.25


@pytest.mark.parametrize("value", [np.nan, np.inf, -0.1, "fast", None, True, [0.1]])
def test_a_function_that_returns_no_rate(backend, value):
    """It is named with its step, before anything changes."""
    optimizer = nx.Adam(lambda step: 0.1 if step < 2 else value)
    layer = nx.Dense(2, 2, backend=backend)
    layer.forward([[1.0, 2.0]])
    layer.backward([[1.0, 1.0]])
    optimizer.step(layer)
    optimizer.step(layer)
    state = leaves(optimizer._state)
    before = {name: backend.to_numpy(array) for name, array in state.items()}
    weights = backend.to_numpy(layer.weights)
    for call in (
        lambda: optimizer.step(layer),
        lambda: optimizer.rate_at(2),
        lambda: optimizer.write_rate(backend, optimizer._state, 2, None),
        lambda: optimizer.current_learning_rate,
    ):
        with pytest.raises(nx.InputError, match="learning_rate at step 2 must be"):
            call()
    assert optimizer.iterations == 2
    np.testing.assert_array_equal(backend.to_numpy(layer.weights), weights)
    for name, array in leaves(optimizer._state).items():
        np.testing.assert_array_equal(backend.to_numpy(array), before[name])


def test_a_function_that_returns_no_first_rate():
    optimizer = nx.SGD(lambda step: -1.0)
    layer = nx.Dense(1, 1, dtype="float64")
    layer.forward([[1.0]])
    layer.backward([[1.0]])
    weights = layer.weights.copy()
    with pytest.raises(nx.InputError, match="learning_rate at step 0 .*got -1.0"):
        optimizer.step(layer)
    with pytest.raises(nx.InputError, match="learning_rate at step 0"):
        optimizer.init(NUMPY64, START)
    np.testing.assert_array_equal(layer.weights, weights)
    optimizer.learning_rate = 1.0
    optimizer.step(layer)
    np.testing.assert_allclose(layer.weights, weights - 1.0)
    assert optimizer.iterations == 1


def test_numbers_that_a_function_may_return():
    for value in (1, 0, np.float32(0.5), np.float64(0.5), np.int64(1)):
        rate = nx.SGD(lambda step, value=value: value).rate_at(0)
        assert type(rate) is float and rate == value


# The shell.


def test_step_counts_and_follows_the_schedule(backend64):
    be = backend64
    rates = nx.WarmUp(2, nx.InverseTimeDecay(0.2, 0.5))
    layer, optimizer = nx.Dense(1, 2, backend=be), nx.SGD(rates)
    layer.weights = [[0.0, 0.0]]
    layer.forward([[1.0]])
    layer.backward([[1.0, -1.0]])
    total = 0.0
    for number in range(6):
        assert optimizer.iterations == number
        assert optimizer.current_learning_rate == rates(number)
        optimizer.step(layer)
        total += rates(number)
        expected = np.array([[-total, total]])
        np.testing.assert_allclose(be.to_numpy(layer.weights), expected, rtol=1e-14)
    optimizer.learning_rate = 0.5
    optimizer.decay = 0.25
    optimizer.step(layer)
    total += 0.5 / (1 + 0.25 * 6)
    found = be.to_numpy(layer.weights)
    np.testing.assert_allclose(found, [[-total, total]], rtol=1e-14)
    assert int(be.to_numpy(optimizer._state["step"])) == optimizer.iterations == 7


def test_step_clips_over_all_layers(backend64):
    be = backend64
    layers = [nx.Dense(1, 1, backend=be), nx.Dense(1, 1, backend=be)]
    for layer, gradient in zip(layers, (3.0, 4.0), strict=True):
        layer.weights = [[0.0]]
        layer.forward([[1.0]])
        layer.backward([[gradient]])
        layer.dbiases = be.zeros((1, 1))
    nx.SGD(1.0, clip_norm=1.0).step(*layers)
    for layer, expected in zip(layers, (-0.6, -0.8), strict=True):
        assert float(be.to_numpy(layer.weights)[0, 0]) == pytest.approx(expected)


# Arguments and configuration.

BAD = {
    "rate negative": (lambda: nx.SGD(-0.1), "learning_rate .*0 or more, got -0.1"),
    "rate NaN": (lambda: nx.Adam(np.nan), "learning_rate .*got nan"),
    "rate text": (lambda: nx.Adam("fast"), "learning_rate .*a Schedule.*got 'fast'"),
    "rate none": (lambda: nx.Adam(None), "learning_rate .*got None"),
    "rate true": (lambda: nx.RMSprop(True), "learning_rate .*got True"),
    "rate a class": (lambda: nx.SGD(nx.CosineDecay), "learning_rate .*got <class"),
    "rate of a file": (lambda: nx.SGD({"class": "Adam"}), "learning_rate must be one"),
    "rate an array": (lambda: nx.SGD(np.ones(1)), "learning_rate .*got array"),
    "decay negative": (lambda: nx.SGD(1.0, decay=-1), "decay .*0 or more, got -1"),
    "decay of a schedule": (
        lambda: nx.SGD(nx.CosineDecay(0.1, 5), decay=0.1),
        "decay must be 0 if learning_rate is not a number, got 0.1 with Cosine",
    ),
    "decay of a function": (lambda: nx.Adam(lambda t: 1.0, decay=0.1), "decay must"),
    "momentum of 1": (lambda: nx.SGD(momentum=1.0), "momentum must be less than 1"),
    "momentum negative": (lambda: nx.SGD(momentum=-0.5), "momentum .*got -0.5"),
    "nesterov alone": (lambda: nx.SGD(nesterov=True), "nesterov needs a momentum"),
    "nesterov a number": (lambda: nx.SGD(momentum=0.5, nesterov=1), "nesterov .*got 1"),
    "rho of 1": (lambda: nx.RMSprop(rho=1.0), "rho must be less than 1"),
    "epsilon": (lambda: nx.Adagrad(epsilon=-1.0), "epsilon .*got -1.0"),
    "epsilon too": (lambda: nx.RMSprop(epsilon=np.inf), "epsilon .*got inf"),
    "beta_1": (lambda: nx.AdamW(beta_1=1.0), "beta_1 must be less than 1"),
    "weight decay": (lambda: nx.AdamW(weight_decay=-0.1), "weight_decay .*got -0.1"),
    "clip value zero": (lambda: nx.SGD(clip_value=0.0), "clip_value .*above 0, got 0"),
    "clip value text": (lambda: nx.Adam(clip_value="1"), "clip_value .*got '1'"),
    "clip norm negative": (lambda: nx.Adagrad(clip_norm=-1.0), "clip_norm .*got -1"),
    "clip norm NaN": (lambda: nx.RMSprop(clip_norm=np.nan), "clip_norm .*got nan"),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_arguments(kind):
    make, message = BAD[kind]
    with pytest.raises(nx.InputError, match=message):
        make()


def test_bad_settings_leave_the_old_ones():
    schedule = nx.CosineDecay(0.1, 5)
    optimizer = nx.SGD(0.5, decay=1.0)
    for name, value in (("learning_rate", schedule), ("decay", -1.0)):
        with pytest.raises(nx.InputError, match="decay"):
            setattr(optimizer, name, value)
    assert (optimizer.learning_rate, optimizer.decay) == (0.5, 1.0)
    assert optimizer.rate_at(1) == 0.25
    optimizer.decay = 0
    optimizer.learning_rate = schedule
    assert optimizer.learning_rate is schedule
    with pytest.raises(nx.InputError, match="decay must be 0"):
        optimizer.decay = 0.5
    assert optimizer.rate_at(0) == 0.1


@pytest.mark.parametrize("case", **parametrize("optimizer"))
def test_round_trip_of_everything_in_common(case):
    common = {
        "learning_rate": nx.WarmUp(3, then=nx.CosineDecay(0.1, steps=9)),
        "clip_value": 2,
        "clip_norm": 0.5,
    }
    made = case.make()
    optimizer = type(made)(**{**made.config(), **common})
    again = resolve("optimizer", to_config(optimizer), "optimizer")
    assert type(again) is type(made)
    assert to_config(again) == to_config(optimizer) != to_config(made)
    assert [again.rate_at(t) for t in range(15)] == [
        optimizer.rate_at(t) for t in range(15)
    ]
    assert (again.clip_value, again.clip_norm) == (2.0, 0.5)
    assert repr(again) == repr(optimizer)
    again = resolve("optimizer", to_config(made), "optimizer")
    assert attributes(again) == attributes(made)
    again = type(made)(**{**made.config(), "decay": 0.5})
    assert resolve("optimizer", to_config(again), "optimizer").decay == 0.5


def attributes(unit):
    return {k: value for k, value in vars(unit).items() if not k.startswith("_")}


def test_repr_leaves_out_what_is_not_set():
    assert repr(nx.SGD(0.5)) == "SGD(learning_rate=0.5)"
    shown = repr(nx.RMSprop(nx.StepDecay(0.5, 0.5, 2), clip_norm=1))
    assert shown == (
        "RMSprop(learning_rate=StepDecay(initial=0.5, factor=0.5, every=2), "
        "rho=0.9, epsilon=1e-07, clip_norm=1.0)"
    )
    assert "epsilon=1e-07, decay=0.1)" in repr(nx.Adam(decay=0.1))


def test_a_plain_function_cannot_be_saved():
    optimizer = nx.Adam(abs)
    for call in (optimizer.config, lambda: to_config(optimizer)):
        with pytest.raises(nx.InputError, match="learning_rate is a function, which"):
            call()
    with pytest.raises(nx.InputError, match="subclass of nnfs_xp.Schedule"):
        optimizer.config()
    assert repr(optimizer).startswith("Adam(learning_rate=<built-in function abs>, ")
    assert optimizer.learning_rate is abs
