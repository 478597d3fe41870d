"""What every optimizer can do: weight decay, averages, steps of several batches."""

import copy

import numpy as np
import pytest

import nnfs_xp as nx
from nnfs_xp.engine.layout import layout_for
from nnfs_xp.optimizers.learning_rate import HasLearningRate
from tests.matrix.helpers import NUMPY64, assert_agrees
from tests.matrix.optimizer_runs import (
    FORMULAS,
    GRADIENTS,
    START,
    first_cases,
    fresh,
    made_with,
    moves,
    train,
)

STEPS = 8
SHAPES = {path: w.shape for path, w in START.items()}


def assert_same(be, found, expected, rtol=1e-12):
    assert set(found) == set(expected)
    for name, value in expected.items():
        assert_agrees(found[name], be.to_numpy(value), be, rtol=rtol)


def in_blocks(be, optimizer, start, gradients):
    """Train as a model does, with the layout of the backend."""
    layout, written = layout_for(be, SHAPES), None
    with be.context():
        parameters = layout.pack(fresh(be, start))
        state = optimizer.init(be, parameters)
        for step, each in enumerate(moves(be, gradients)):
            written = optimizer.write_rate(be, state, step, written)
            packed = layout.pack(each)
            optimizer.update(be, parameters, packed, state, layout=layout)
        return layout.views(parameters), state


# Weight decay.


@pytest.mark.parametrize(
    # Of LAMB it is a part of the step, and of the recurrence among the cases.
    "case",
    [c for c in first_cases() if type(c.values[0].make()) is not nx.LAMB],
)
def test_weight_decay_is_a_share_before_each_step(backend64, case):
    be = backend64
    decaying = made_with(case, {"learning_rate": 0.05, "weight_decay": 0.5})
    plain = made_with(case, {"learning_rate": 0.05, "weight_decay": 0.0})
    found, _ = train(be, decaying, START, GRADIENTS[:STEPS])
    parameters = fresh(be, START)
    with be.context():
        state = plain.init(be, parameters)
        for each in moves(be, GRADIENTS[:STEPS]):
            for key, w in parameters.items():
                be.assign(parameters, key, w - 0.025 * w)
            plain.update(be, parameters, each, state)
    assert_same(be, found, parameters)


@FORMULAS
def test_single_parameters_may_be_left_out(backend64, case):
    """By name or path, in every layout: each is as if it were alone."""
    be, options = backend64, {"learning_rate": 0.05, "weight_decay": 0.5}
    gradients = GRADIENTS[:STEPS]
    all_decay, _ = train(be, made_with(case, options), START, gradients)
    without = {**options, "weight_decay": 0.0}
    none_decay, _ = train(be, made_with(case, without), START, gradients)
    if type(case.make()).__name__ == "LAMB":
        # Those are updated as by Adam.
        adam = nx.Adam(0.05, epsilon=1e-6)
        none_decay, _ = train(be, adam, START, gradients)
    assert not np.allclose(be.to_numpy(all_decay["0.b"]), START["0.b"])
    for names in (["b"], ["0.b"], ["gamma", "b"]):
        masked = made_with(case, {**options, "undecayed": names})
        for training in (train, in_blocks):
            found, _ = training(be, masked, START, gradients)
            assert_agrees(found["0.w"], be.to_numpy(all_decay["0.w"]), be, 1e-12)
            assert_agrees(found["0.b"], be.to_numpy(none_decay["0.b"]), be, 1e-12)


@FORMULAS
def test_the_layout_of_a_model_changes_nothing(backend64, case):
    be, optimizer = backend64, made_with(case, {"clip_norm": 7.0})
    found, _ = in_blocks(be, optimizer, START, GRADIENTS[:STEPS])
    expected, _ = train(be, optimizer, START, GRADIENTS[:STEPS])
    assert_same(be, found, expected)


def test_what_decays():
    optimizer = nx.AdamW(undecayed=("biases", "3.weights"))
    assert optimizer.undecayed == ("biases", "3.weights")
    paths = ("0.weights", "0.biases", "3.weights", "3.inner.biases", "biases", "13.w")
    assert [optimizer.decays(path) for path in paths] == [
        True, False, False, False, False, True,
    ]  # fmt: skip


# Several batches for a step.


@FORMULAS
@pytest.mark.parametrize("layouts", [False, True])
def test_three_batches_are_one_large_one(backend64, case, layouts):
    """Rates, clipping and averages too; a batch that is left over changes nothing."""
    be, training = backend64, in_blocks if layouts else train
    common = {
        "learning_rate": nx.ExponentialDecay(0.05, 0.8), "clip_norm": 5.0, "ema": 0.5
    }  # fmt: skip
    found, state = training(
        be, made_with(case, {**common, "accumulate": 3}), START, GRADIENTS[:13]
    )
    large = [
        {k: sum(each[k] for each in GRADIENTS[i : i + 3]) / 3 for k in START}
        for i in range(0, 12, 3)
    ]
    expected, other = training(be, made_with(case, common), START, large)
    assert_same(be, found, expected)
    assert int(be.to_numpy(state["step"])) == 13
    for name, kept in other.items():
        if isinstance(kept, dict):
            assert_same(be, state[name], kept)
        elif name not in ("step", "learning_rate"):
            assert_same(be, {name: state[name]}, {name: kept})
    # The one that is left over waits.
    waiting = {key: g / 3 for key, g in GRADIENTS[12].items()}
    if layouts:
        waiting = layout_for(be, SHAPES).pack(fresh(be, waiting))
        assert_same(be, state["accumulated"], waiting)
    else:
        assert_same(be, state["accumulated"], fresh(be, waiting))


def test_until_a_step_is_due_not_a_bit_changes(backend):
    be, optimizer = backend, nx.Nadam(0.1, accumulate=4, weight_decay=0.1)
    found, state = train(be, optimizer, START, GRADIENTS[:3])
    for name, w in fresh(be, START).items():
        np.testing.assert_array_equal(be.to_numpy(found[name]), be.to_numpy(w))
        assert not np.any(be.to_numpy(state["moment_1"][name]))
    assert float(be.to_numpy(state["product"])) == 1.0


def test_a_schedule_counts_steps_and_not_batches():
    optimizer = nx.SGD(nx.StepDecay(1.0, 0.5, every=2), accumulate=3)
    rates = [optimizer.rate_at(batch) for batch in range(13)]
    assert rates == [1.0] * 6 + [0.5] * 6 + [0.25]
    assert HasLearningRate.accumulate == 1


def learned(be, batch_size, **options):
    random = np.random.default_rng(5)
    x, y = random.standard_normal((24, 4)), random.standard_normal((24, 2))
    model = nx.Model(
        [nx.Dense(4, 5), nx.Tanh(), nx.Dense(5, 2, weight_regularizer=nx.L2(0.01))],
        loss="mean_squared_error",
        optimizer=nx.Nadam(nx.CosineDecay(0.1, 20), ema=0.9, **options),
        backend=be, seed=3,
    )  # fmt: skip
    model.fit(x, y, epochs=3, batch_size=batch_size, shuffle=False)
    return model


def test_a_model_learns_from_several_batches_as_from_a_large_one(backend64):
    be = backend64
    found, expected = learned(be, 4, accumulate=3), learned(be, 12)
    assert (found.steps_trained, expected.steps_trained) == (18, 6)
    assert_same(be, found.parameters, expected.parameters)
    assert_same(be, found.averaged_parameters, expected.averaged_parameters)


@pytest.mark.backend("torch")
def test_a_batch_that_overflows_is_left_out_of_a_step():
    """In float16 the others of the step still count."""
    be = nx.get_backend("torch", dtype="float32", matmul_precision="float16")
    model = nx.Model(
        [nx.Dense(1, 1, use_bias=False)], loss="mean_squared_error",
        optimizer=nx.SGD(0.25, accumulate=2), backend=be,
    )  # fmt: skip
    model.layers[0].weights = [[1.0]]
    # The gradient of the first is infinite where it is rounded.
    x, y = np.array([[6e4], [1.0]]), np.array([[0.0], [0.875]])
    model.fit(x, y, batch_size=1, shuffle=False)
    # 1 - 0.25 * (0 + 2 * 0.125) / 2
    np.testing.assert_allclose(be.to_numpy(model.layers[0].weights), 0.96875)


# Averages.


@FORMULAS
def test_averages(backend64, case):
    be, optimizer = backend64, made_with(case, {"ema": 0.75})
    _, state = train(be, optimizer, START, GRADIENTS[:STEPS])
    each = [train(be, case.make(), START, GRADIENTS[: n + 1])[0] for n in range(STEPS)]
    for name in START:
        weights = [0.75 ** (STEPS - 1), *(0.25 * 0.75**n for n in range(STEPS - 1))]
        after = [be.to_numpy(parameters[name]) for parameters in each]
        ordered = [after[0], *after[:0:-1]]
        expected = sum(w * a for w, a in zip(weights, ordered, strict=True))
        assert_agrees(state["average"][name], expected, be)


def test_averages_are_pytorchs(torch):
    from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

    _, state = train(NUMPY64, nx.SGD(0.1, ema=0.9))
    module = torch.nn.ParameterList([torch.tensor(w.copy()) for w in START.values()])
    averaged = AveragedModel(module, multi_avg_fn=get_ema_multi_avg_fn(0.9))
    rival = torch.optim.SGD(module.parameters(), lr=0.1)
    for gradients in GRADIENTS:
        for weight, gradient in zip(module, gradients.values(), strict=True):
            weight.grad = torch.tensor(gradient)
        rival.step()
        averaged.update_parameters(module)
    for name, expected in zip(START, averaged.module, strict=True):
        found = state["average"][name]
        assert_agrees(found, expected.detach().numpy(), NUMPY64, rtol=1e-12)


def test_a_model_uses_its_average(backend64, tmp_path):
    be, model = backend64, learned(backend64, 12)
    average = {k: be.to_numpy(v) for k, v in model.averaged_parameters.items()}
    assert list(average) == list(model.parameters)
    model.save(tmp_path / "model")
    again = nx.Model.load(tmp_path / "model", backend=be)
    for kept in (model, again):
        kept.use_average()
        for path, expected in average.items():
            np.testing.assert_array_equal(be.to_numpy(kept.parameters[path]), expected)
    # The average is not what is trained next.
    model.fit(np.ones((2, 4)), np.ones((2, 2)))
    now, average = model.parameters, model.averaged_parameters
    assert (be.to_numpy(now["0.weights"]) != be.to_numpy(average["0.weights"])).all()


def test_a_model_without_an_average():
    model = nx.Model([nx.Dense(1, 1)], loss="mean_squared_error", optimizer="sgd")
    with pytest.raises(nx.InputError, match="averages need an optimizer made with ema"):
        model.use_average()
    with pytest.raises(nx.InputError, match="the model has no optimizer"):
        nx.Model([nx.Dense(1, 1)]).averaged_parameters  # noqa: B018


def test_before_the_first_step_the_average_is_what_a_model_starts_with():
    optimizer = nx.SGD(0.1, ema=0.9)
    model = nx.Model([nx.Dense(2, 2)], loss="mean_squared_error", optimizer=optimizer)
    for path, value in model.averaged_parameters.items():
        np.testing.assert_array_equal(value, model.parameters[path])


# Files and copies.


def in_training(be, case, **how):
    """Return a model with an optimizer that keeps all it can, and its data."""
    random = np.random.default_rng(8)
    x, y = random.standard_normal((12, 3)), random.standard_normal((12, 2))
    common = {"ema": 0.5, "accumulate": 2, "weight_decay": 0.1, "undecayed": ["biases"]}
    model = nx.Model(
        [nx.Dense(3, 4, weight_constraint=nx.MaxNorm(1.0)), nx.Tanh(), nx.Dense(4, 2)],
        loss="mean_squared_error", optimizer=made_with(case, common),
        backend=be, seed=1, **how,
    )  # fmt: skip
    # Three batches: the second step waits for one more.
    model.fit(x, y, batch_size=4)
    return model, (x, y)


@FORMULAS
def test_a_saved_model_and_a_copy_go_on_to_the_bit(case, tmp_path):
    model, data = in_training(NUMPY64, case)
    model.save(tmp_path / "model")
    others = nx.Model.load(tmp_path / "model", backend=NUMPY64), copy.deepcopy(model)
    for one in (model, *others):
        one.fit(*data, batch_size=4, epochs=2)
    expected = model._state.export()
    kept = {name.split(".")[1] for name in expected if name.startswith("optimizer.")}
    assert kept >= {"average", "accumulated", "step", *model.optimizer.moments()}
    for other in others:
        found = other._state.export()
        assert found.keys() == expected.keys()
        for name, value in expected.items():
            np.testing.assert_array_equal(found[name], value, err_msg=name)


@FORMULAS
def test_a_recorded_step_is_the_eager_one_to_the_bit(case):
    """On NumPy; what is kept, decay, constraints and steps of two batches are in it."""
    exported = []
    for compile in ("require", "off"):
        model, data = in_training(NUMPY64, case, compile=compile)
        model.fit(*data, batch_size=4, epochs=4)
        exported.append(model._state.export())
    found, expected = exported
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value, err_msg=name)
