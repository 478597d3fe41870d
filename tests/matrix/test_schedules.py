"""Schedules give the rates that they say, and survive being saved."""

import json

import numpy as np
import pytest

import nnfs_xp as nx
from nnfs_xp.registry import resolve, to_config
from tests.matrix.cases import parametrize


@pytest.mark.parametrize("case", **parametrize("schedule"))
def test_rates(case):
    make, rates = case
    schedule = make()
    for step, expected in rates:
        rate = schedule(step)
        assert type(rate) is float
        assert rate == pytest.approx(expected, rel=1e-14, abs=1e-16), step
        assert rate >= 0


@pytest.mark.parametrize("case", **parametrize("schedule"))
def test_round_trip_through_json(case):
    make, rates = case
    schedule = make()
    again = resolve("schedule", json.loads(json.dumps(to_config(schedule))), "name")
    assert [again(step) for step, _ in rates] == [schedule(step) for step, _ in rates]
    assert to_config(again) == to_config(schedule)


@pytest.mark.parametrize("case", **parametrize("schedule"))
def test_repr_makes_an_equal_schedule(case):
    schedule = case[0]()
    again = eval(repr(schedule), vars(nx).copy())
    assert to_config(again) == to_config(schedule)


BAD = {
    "initial negative": (lambda: nx.StepDecay(-1.0, 0.5, 2), "initial .*got -1.0"),
    "initial NaN": (lambda: nx.CosineDecay(np.nan, 10), "initial .*got nan"),
    "initial text": (lambda: nx.InverseTimeDecay("1", 0.1), "initial .*got '1'"),
    "initial function": (lambda: nx.ExponentialDecay(abs, 0.1), "initial .*got <"),
    "decay negative": (lambda: nx.InverseTimeDecay(1.0, -0.1), "decay .*got -0.1"),
    "decay infinite": (lambda: nx.InverseTimeDecay(1.0, np.inf), "decay .*got inf"),
    "factor zero": (lambda: nx.StepDecay(1.0, 0.0, 2), "factor .*above 0, got 0.0"),
    "factor above 1": (lambda: nx.StepDecay(1.0, 1.5, 2), "factor .*at most 1.*1.5"),
    "factor too": (lambda: nx.ExponentialDecay(1.0, 2), "factor .*at most 1, got 2"),
    "factor true": (lambda: nx.ExponentialDecay(1.0, True), "factor .*got True"),
    "every zero": (lambda: nx.StepDecay(1.0, 0.5, 0), "every .*positive.*got 0"),
    "every fraction": (lambda: nx.ExponentialDecay(1.0, 0.5, 1.5), "every .*got 1.5"),
    "steps zero": (lambda: nx.CosineDecay(1.0, 0), "steps .*got 0"),
    "final negative": (lambda: nx.CosineDecay(1.0, 5, -1.0), "final .*got -1.0"),
    "warm-up of 0": (lambda: nx.WarmUp(0, 1.0), "steps .*got 0"),
    "then negative": (lambda: nx.WarmUp(3, -1.0), "then .*0 or more, got -1.0"),
    "then a function": (lambda: nx.WarmUp(3, abs), "then must be a number or a Sch"),
    "then a class": (lambda: nx.WarmUp(3, nx.CosineDecay), "then must be .*got <class"),
    "then unknown": (lambda: nx.WarmUp(3, {"class": "No"}), "then must be one of"),
    "then text": (lambda: nx.WarmUp(3, "CosineDecay"), "then must be .*got 'Cos"),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_arguments(kind):
    make, message = BAD[kind]
    with pytest.raises(nx.InputError, match=message):
        make()


def test_numpy_numbers_are_numbers():
    schedule = nx.CosineDecay(np.float32(0.5), np.int64(4), final=np.float64(0.25))
    assert json.dumps(to_config(schedule))
    assert nx.WarmUp(np.uint8(2), np.float32(0.5))(0) == 0.25


class Own(nx.Schedule):
    def __call__(self, step):
        return 1.0 / (step + 1)


def test_schedules_of_ones_own_are_used_but_not_saved():
    schedule = nx.WarmUp(2, Own())
    assert [schedule(step) for step in range(4)] == [0.5, 1.0, 1.0, 0.5]
    assert "Own()" in repr(schedule)
    optimizer = nx.SGD(Own())
    assert optimizer.rate_at(3) == 0.25
    for unit in (schedule, optimizer):
        with pytest.raises(nx.InputError, match="Own must be registered to be saved"):
            to_config(unit)


def test_a_schedule_without_rates():
    with pytest.raises(NotImplementedError):
        nx.Schedule()(0)


def test_a_rate_of_ones_own_holds_in_a_model():
    class Halved(nx.SGD):
        def rate_at(self, step):
            return super().rate_at(step) / 2

    x, y = np.ones((8, 2)), np.zeros(8, "int64")
    weights = []
    for optimizer in (Halved(0.5), nx.SGD(0.25)):
        model = nx.Model(
            [nx.Dense(2, 2), nx.Softmax()],
            loss="categorical_crossentropy", optimizer=optimizer, backend="numpy",
        )  # fmt: skip
        model.fit(x, y, epochs=5, batch_size=4)
        weights.append(model.layers[0].weights)
    np.testing.assert_array_equal(*weights)
