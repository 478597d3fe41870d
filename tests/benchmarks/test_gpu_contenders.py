"""What the report on a GPU adds to the contenders, tried on the CPU."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from benchmarks import agreement, contenders, timing
from benchmarks.contenders.book import Book
from benchmarks.contenders.nnfs import NnfsFit
from benchmarks.workloads import (
    GPU_WORKLOADS,
    WORKLOADS,
    Workload,
    make_problem,
    random_problem,
)

STEPS = 10
ENTRIES = {e.label: e for e in (*contenders.own_entries("numpy"), *contenders.RIVALS)}


def made(label: str, key: str) -> contenders.Contender:
    entry = ENTRIES[label]
    reason = entry.why_not("cpu")
    if not reason and "compiled" in entry.factory and not shutil.which("g++"):
        reason = "torch.compile needs a compiler"
    if reason:
        pytest.skip(reason)
    return entry.make(make_problem(WORKLOADS[key]), "cpu")


@pytest.mark.slow
@pytest.mark.parametrize("label", ENTRIES)
# The compiler of PyTorch uses parts of PyTorch that are to go, and looks where
# PyTorch warns of looking.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor")
def test_learns_what_the_book_learns_and_begins_again(label: str) -> None:
    contender = made(label, "W1")
    expected = agreement.loss_curve(Book(make_problem(WORKLOADS["W1"]), "cpu"), STEPS)
    losses = agreement.loss_curve(contender, STEPS)
    np.testing.assert_allclose(losses, expected, rtol=1e-4)
    np.testing.assert_array_equal(agreement.loss_curve(contender, STEPS), losses)
    assert isinstance(contender.note, str)


class TestFit:
    @pytest.fixture
    def fit(self) -> NnfsFit:
        return made(contenders.FIT, "W2")

    def test_takes_whole_epochs_of_the_batches(self, fit: NnfsFit) -> None:
        fit.reset()
        fit.take(fit.whole + 1)
        assert fit.model.steps_trained == 2 * fit.whole
        assert fit.model.epochs_trained == 2

    def test_every_block_has_whole_epochs(self, fit: NnfsFit) -> None:
        eager = made(contenders.EAGER, "W2")
        pair = {"fit": fit, "eager": eager}
        for timed in timing.time_contenders(pair, 2, 0.0001, 0.0001).values():
            assert timed.steps % fit.whole == 0
            assert len(timed.blocks) == 2


def test_the_largest_workload_is_no_part_of_the_table_of_a_cpu() -> None:
    assert list(GPU_WORKLOADS) == ["W1", "W2", "W3", "W4"]
    problem = make_problem(GPU_WORKLOADS["W4"])
    assert {x.shape for x, _ in problem.batches} == {(512, 784)}


@pytest.mark.slow
def test_all_agree_on_the_largest_workload_as_long_as_they_are_compared() -> None:
    problem = make_problem(GPU_WORKLOADS["W4"])
    labels = (contenders.EAGER, contenders.BASELINE, contenders.JAX_JIT)
    found = {x: ENTRIES[x] for x in labels if not ENTRIES[x].why_not("cpu")}
    rivals = {label: entry.make(problem, "cpu") for label, entry in found.items()}
    steps = problem.workload.checked_steps
    curves = agreement.check_agreement(rivals, steps, rtol=5e-5)
    assert {len(curve) for curve in curves.values()} == {steps}


def test_random_problem_fits_its_network() -> None:
    problem = random_problem(Workload("w", "random", (6, 5, 3), 4))
    (x, y), *others = problem.batches
    assert not others
    assert (x.shape, x.dtype, y.shape) == ((4, 6), np.float32, (4,))
    assert set(y) <= {0, 1, 2}
    assert [w.shape for w, _ in problem.weights] == [(6, 5), (5, 3)]


def test_disagreement_names_the_first_step() -> None:
    curve, expected = np.array([1.0, 2.0, 4.0]), np.array([1.0, 2.0, 3.0])
    assert agreement.disagreement(expected, expected, "theirs") == ""
    assert agreement.disagreement(curve, expected, "theirs") == (
        "loss 4 at step 3, where theirs is 3"
    )
