"""The benchmark: its checks and its output, not its times."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import importlib.util
import itertools
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from benchmarks import agreement, contenders, floor, machine, run, sections, timing
from benchmarks.book_style import DenseLayer, ReluActivation
from benchmarks.contenders.base import Contender
from benchmarks.contenders.book import Book
from benchmarks.report import Results, from_json, to_json, to_markdown, to_page
from benchmarks.workloads import WORKLOADS, Problem, Workload, make_problem

STEPS = 10
ENTRIES = {entry.label: entry for entry in contenders.ENTRIES}
NUMPY_ONLY = tuple(entry for entry in ENTRIES.values() if entry.library == "numpy")
SMALL = ("W1", "W2", "W3")
# Whoever compiles for seconds waits for the second tier.
SLOW = ("PyTorch, torch.compile", "Keras on JAX")


def labels_of(entries):
    """Return labels as parameters of a test."""
    # Of the libraries themselves.
    kinds = ("DeprecationWarning", "ResourceWarning", "UserWarning")
    warns = [f"ignore::{kind}" for kind in kinds]
    marks = [pytest.mark.slow, pytest.mark.filterwarnings(*warns)]
    return [
        pytest.param(e.label, marks=marks if e.label in SLOW else []) for e in entries
    ]


LABELS = labels_of(ENTRIES.values())


@functools.cache
def problem_of(key: str) -> Problem:
    return make_problem(WORKLOADS[key])


@functools.cache
def made(label: str, key: str) -> Contender:
    """Return a contender, compiled once for all tests, or skip."""
    entry = ENTRIES[label]
    # CuPy has a GPU only; everybody else is tested on the CPU.
    device = entry.devices[0]
    reason = entry.why_not(device)
    if reason:
        pytest.skip(reason)
    return entry.make(problem_of(key), device)


@functools.cache
def losses_of_the_book(key: str) -> np.ndarray:
    return agreement.loss_curve(Book(problem_of(key), "cpu"), STEPS)


class ForgetsReLU(Book):
    """A gradient that passes dead units."""

    def reset(self) -> None:
        super().reset()
        for layer in self.layers:
            if isinstance(layer, ReluActivation):
                layer.backward = functools.partial(setattr, layer, "dinputs")


class ForgetsBiases(Book):
    """A gradient of biases that is always 0."""

    def reset(self) -> None:
        super().reset()
        for layer in self.layers:
            if isinstance(layer, DenseLayer):
                layer.backward = functools.partial(self.without_biases, layer)

    @staticmethod
    def without_biases(layer: DenseLayer, dvalues: np.ndarray) -> None:
        DenseLayer.backward(layer, dvalues)
        layer.dbiases[...] = 0.0


class BecomesNaN(Book):
    """Losses that compare with nothing."""

    def read(self, loss: float) -> float:
        return float("nan")


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Keep threads from waiting for each other on a busy machine."""
    with contextlib.ExitStack() as stack:
        if importlib.util.find_spec("threadpoolctl"):
            import threadpoolctl

            stack.enter_context(threadpoolctl.threadpool_limits(1))
        if importlib.util.find_spec("torch"):
            import torch

            stack.callback(torch.set_num_threads, torch.get_num_threads())
            torch.set_num_threads(1)
        yield


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Make the command short, and keep it from changing this process."""
    monkeypatch.setattr(timing, "BLOCK_SECONDS", 0.001)
    monkeypatch.setattr(timing, "WARM_UP_SECONDS", 0.001)
    monkeypatch.setattr(machine, "set_environment", lambda threads: None)
    monkeypatch.setattr(machine, "set_threads", lambda threads: None)
    monkeypatch.setattr(machine, "busy_cores", lambda: 0.0)
    monkeypatch.setattr(floor, "_SECONDS", 0.0)
    monkeypatch.setattr(contenders, "ENTRIES", NUMPY_ONLY)
    return monkeypatch


class TestContenders:
    @pytest.mark.parametrize("key", SMALL)
    @pytest.mark.parametrize("label", LABELS)
    def test_learns_what_the_book_learns(self, label: str, key: str) -> None:
        losses = agreement.loss_curve(made(label, key), STEPS)
        np.testing.assert_allclose(losses, losses_of_the_book(key), rtol=1e-4)
        assert losses[-1] < losses[0]

    @pytest.mark.parametrize("label", LABELS)
    def test_reset_begins_again(self, label: str) -> None:
        contender = made(label, "W2")
        first = agreement.loss_curve(contender, STEPS)
        np.testing.assert_array_equal(agreement.loss_curve(contender, STEPS), first)

    def test_one_that_is_missing_is_left_out(self, quick: pytest.MonkeyPatch) -> None:
        absent = contenders.Entry("absent", "cupy", "nnfs.NnfsXp")
        quick.setattr(contenders.Entry, "why_not", lambda self, device: "not here")
        quick.setattr(contenders, "ENTRIES", (absent,))
        assert contenders.available("cpu") == ([], {"absent": "not here"})


class TestAgreement:
    @pytest.mark.parametrize("wrong", [ForgetsReLU, ForgetsBiases, BecomesNaN])
    @pytest.mark.parametrize("key", SMALL)
    def test_a_wrong_contender_is_named(self, key: str, wrong: type[Book]) -> None:
        rivals = {e.label: made(e.label, key) for e in NUMPY_ONLY}
        rivals["wrong"] = wrong(problem_of(key), "cpu")
        with pytest.raises(
            agreement.DisagreementError, match="^wrong: loss "
        ) as raised:
            agreement.check_agreement(rivals)
        assert not any(e.label in str(raised.value) for e in NUMPY_ONLY)

    def test_a_problem_has_whole_batches_of_its_data(self) -> None:
        for key, rows, features in (("W1", 300, 2), ("W2", 64, 64), ("W3", 128, 784)):
            problem = problem_of(key)
            for x, y in problem.batches:
                assert (x.shape, y.shape) == ((rows, features), (rows,))
                assert (x.dtype, y.dtype) == (np.float32, np.int64)
            shapes = [weights.shape for weights, _ in problem.weights]
            assert shapes == list(itertools.pairwise(WORKLOADS[key].sizes))


class TestSections:
    @pytest.fixture
    def small(self) -> Problem:
        """A few whole batches, for those who go through epochs."""
        workload = dataclasses.replace(WORKLOADS["W2"], batches=3, whole=True)
        return make_problem(workload)

    @pytest.mark.parametrize("label", labels_of(contenders.EPOCHS))
    def test_epochs_train(self, label: str, small: Problem) -> None:
        entry = {e.label: e for e in contenders.EPOCHS}[label]
        reason = entry.why_not(entry.devices[0])
        if reason:
            pytest.skip(reason)
        contender = entry.make(small, entry.devices[0])
        losses = agreement.loss_curve(contender, 6)
        expected = agreement.loss_curve(Book(small, "cpu"), 6)
        np.testing.assert_allclose(losses, expected, rtol=3e-4)
        assert contender.whole == 3
        with contender.context():
            contender.reset()
            before = contender.read(contender.step(*contender.batches[0]))
            contender.take(30)
            contender.synchronize()
            after = contender.read(contender.step(*contender.batches[0]))
        assert after < before

    @pytest.mark.parametrize("label", labels_of(contenders.PREDICTS))
    def test_predictions_are_the_same(self, label: str) -> None:
        entry = {e.label: e for e in contenders.PREDICTS}[label]
        reason = entry.why_not(entry.devices[0])
        if reason:
            pytest.skip(reason)
        problem = make_problem(dataclasses.replace(WORKLOADS["W2"], batches=2))
        weights = 2.0 + np.cos(np.arange(640))
        expected = []
        for x, _ in problem.batches:
            for w, b in problem.weights[:-1]:
                x = np.maximum(x @ w + b, 0)
            w, b = problem.weights[-1]
            p = np.exp(x @ w + b)
            expected.append((p / p.sum(1, keepdims=True)).reshape(-1) @ weights)
        found = agreement.loss_curve(entry.make(problem, entry.devices[0]), 2)
        np.testing.assert_allclose(found, expected, rtol=1e-5)

    @pytest.mark.parametrize("label", LABELS)
    def test_momentum_is_the_same_everywhere(self, label: str) -> None:
        entry = ENTRIES[label]
        workload = Workload("S", "random", (6, 8, 5), 16, optimizer="momentum")
        if not entry.takes(workload):
            assert entry.adam_only
            return
        reason = entry.why_not(entry.devices[0])
        if reason:
            pytest.skip(reason)
        problem = make_problem(workload)
        found = agreement.loss_curve(entry.make(problem, entry.devices[0]), STEPS)
        own = ENTRIES["nnfs_xp, NumPy"].make(problem, "cpu")
        np.testing.assert_allclose(found, agreement.loss_curve(own, STEPS), rtol=1e-4)

    def test_every_section_and_workload_has_cases(self) -> None:
        cases = sections.cases_of(run.SECTIONS, list(WORKLOADS))
        keys = [case.key for case in cases]
        assert len(set(keys)) == len(keys)
        assert set(WORKLOADS) < set(keys)
        assert {case.section for case in cases} == set(sections.TITLES)
        assert 9.9e6 < WORKLOADS["W6"].parameters < 10.1e6
        steps = [case for case in cases if case.section == "steps"]
        assert [case.key for case in steps if case.entries is contenders.EPOCHS] == []
        heavy = {case.key: [e.label for e in case.entries] for case in steps}
        assert contenders.REFERENCE not in heavy["W5"]
        assert contenders.SCAN in heavy["W7"]

    def test_the_floor_grows_with_products_and_parameters(
        self, quick: pytest.MonkeyPatch
    ) -> None:
        quick.setattr(floor, "product_seconds", lambda m, k, n: 1e-6 * m * k * n)
        quick.setattr(floor, "bytes_per_second", lambda size: 1e6)
        small = Workload("S", "random", (2, 3, 4), 5)
        # Forward 5 (2 3 + 3 4), the weights as much, and back through the second.
        products = 2 * 5 * (6 + 12) + 5 * 12
        moved = 5 * 7 * 24 + (9 + 16) * 28
        assert floor.floor_us(small, 5) == pytest.approx(products + moved)
        predicting = 5 * (6 + 12) + 5 * 7 * 8
        assert floor.floor_us(small, 5, trains=False) == pytest.approx(predicting)


class TestReport:
    @pytest.fixture
    def results(self) -> Results:
        blocks = [timing.Block(s, 2 * s) for s in (0.001, 0.002, 0.003, 0.004, 0.005)]
        half = [timing.Block(b.seconds / 2, b.seconds / 2) for b in blocks]
        return Results(
            machine={
                "processor": "Some CPU",
                "cores": 2,
                "threads": 1,
                "system": "S",
                "device": "cpu",
            },
            versions={"numpy": "2.4"},
            baseline="slow",
            protocol={"repeats": 5},
            timings={
                "W1": {
                    "nnfs_xp, fast": timing.Timing(10, half),
                    "slow": timing.Timing(10, blocks),
                },
                "W3": {"slow": timing.Timing(10, blocks)},
            },
            left_out={"absent": "not installed"},
            sections={"steps": ["W1", "W3"]},
            titles={key: WORKLOADS[key].title for key in ("W1", "W3")},
            floors={"W1": 50.0},
            memory={"numpy": 12.4},
            date="2026-01-02 03:04",
        )

    def test_table(self, results: Results) -> None:
        assert to_markdown(results).splitlines() == [
            "Some CPU, 2 cores, 1 thread, S; device: CPU; numpy 2.4; "
            "2026-01-02 03:04 UTC",
            "",
            "| one training step | W1: spiral 2-64-3, all rows | "
            "W3: fashion-mnist-mini 784-128-128-10, batch 128 |",
            "| --- | ---: | ---: |",
            "| nnfs_xp, fast | 150 [100, 200] 0.50x | - |",
            "| slow | 300 [200, 400] 1.00x | 300 [200, 400] 1.00x |",
            "| nnfs_xp, fast / best rival | 0.50x of slow | - |",
            "| estimated minimum | 50 (nnfs_xp: 3.00x) | - |",
            "",
            "Each cell shows the time of one step in microseconds, as median "
            '[quartiles] over 5 blocks, and the ratio to the median of "slow".',
            "",
            "Training on 60,000 rows of 784 float32 features needs 12 MiB on numpy "
            "(goal: at most 100).",
            "",
            "slow on W1: kept 2.0 cores busy, although limited to 1 thread.",
            "",
            "slow on W3: kept 2.0 cores busy, although limited to 1 thread.",
            "",
            "Not measured: absent: not installed",
        ]

    def test_json_holds_every_block(self, results: Results) -> None:
        tree = json.loads(json.dumps(to_json(results)))
        fast = tree["timings"]["W1"]["contenders"]["nnfs_xp, fast"]
        assert fast["median_us"] == pytest.approx(150.0)
        assert fast["ratio"] == pytest.approx(0.5)
        assert [block["seconds"] for block in fast["blocks"]] == [
            0.0005, 0.001, 0.0015, 0.002, 0.0025
        ]  # fmt: skip

    def test_tables_are_made_of_the_json_as_well(self, results: Results) -> None:
        tree = json.loads(json.dumps(to_json(results)))
        assert to_markdown(from_json(tree)) == to_markdown(results)

    def test_page_of_the_documentation(self, results: Results) -> None:
        page = to_page(results)
        assert page.startswith("# Speed")
        assert to_markdown(results) in page
        # The page in the tree is one of no results, or of those in the file beside it.
        folder = Path(__file__).parents[2] / "docs" / "results"
        measured = folder / "speed.json"
        found = None
        if measured.exists():
            found = from_json(json.loads(measured.read_text(encoding="utf-8")))
        assert (folder / "speed.md").read_text(encoding="utf-8") == to_page(found)

    def test_table_warns_of_a_busy_machine(self, results: Results) -> None:
        results.timings["W3"]["slow"] = timing.Timing(10, [timing.Block(1.0, 0.5)])
        assert "slow on W3 got only 0.50 of a core." in to_markdown(results)
        results.machine["busy"] = 1.5
        assert "other processes kept 1.5 cores busy" in to_markdown(results)
        # Whoever waits for a GPU uses little of a core.
        results.machine["device"] = "cuda"
        assert "of a core" not in to_markdown(results)

    def test_without_the_baseline_there_are_no_ratios(self, results: Results) -> None:
        for timings in results.timings.values():
            timings["other"] = timings.pop("slow")
        table = to_markdown(results)
        assert "| 300 [200, 400] |" in table
        assert "ratio" not in table


class TestCommand:
    def test_writes_table_and_blocks(
        self,
        quick: pytest.MonkeyPatch,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        out, table = tmp_path / "r.json", tmp_path / "r.md"
        arguments = ["--repeats", "3", "--workloads", "W1", "W2"]
        arguments += ["--out", str(out), "--markdown", str(table)]
        assert run.main(arguments) == 0
        printed = capsys.readouterr()
        assert "W1: all losses agree over 20 steps" in printed.err
        assert printed.out.strip() == table.read_text(encoding="utf-8").strip()
        tree = json.loads(out.read_text(encoding="utf-8"))
        assert list(tree["timings"]) == ["W1", "W2"]
        for workload in tree["timings"].values():
            assert list(workload["contenders"]) == [e.label for e in NUMPY_ONLY]
            for found in workload["contenders"].values():
                assert len(found["blocks"]) == 3

    def test_renders_what_was_measured(
        self,
        quick: pytest.MonkeyPatch,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        out, again = tmp_path / "r.json", tmp_path / "again.md"
        arguments = ["--repeats", "1", "--workloads", "W1", "--contenders", "nnfs_xp"]
        assert run.main([*arguments, "--out", str(out)]) == 0
        printed = capsys.readouterr().out
        assert contenders.REFERENCE not in printed
        assert run.main(["--render", str(out), "--markdown", str(again)]) == 0
        assert capsys.readouterr().out == printed
        assert again.read_text(encoding="utf-8").strip() == printed.strip()

    def test_times_nothing_if_a_contender_is_wrong(
        self, quick: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        passes = functools.partialmethod(setattr, "dinputs")
        quick.setattr(ReluActivation, "backward", passes)
        assert run.main(["--repeats", "1", "--workloads", "W1"]) == 1
        printed = capsys.readouterr()
        assert printed.out == ""
        assert "contenders disagree, nothing was timed" in printed.err

    def test_names_an_unknown_workload(
        self, quick: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run.main(["--workloads", "W9"]) == 1
        assert "W9 is none of W1, W2, W3, W4" in capsys.readouterr().err

    def test_as_a_script_without_a_gpu(self) -> None:
        if not run.why_no_gpu():
            pytest.skip("there is a GPU")
        script = Path(run.__file__)
        done = subprocess.run(
            [sys.executable, script, "--device", "cuda"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1
        assert done.stdout == ""
        assert "error: --device cuda: " in done.stderr
        assert "Traceback" not in done.stderr


def test_who_predicts_takes_no_training_steps() -> None:
    pytest.importorskip("jax")
    from benchmarks.contenders.nnfs import NnfsPredicts

    problem = make_problem(dataclasses.replace(WORKLOADS["W1"], batch_size=2))
    contender = NnfsPredicts(problem, "cpu", "jax")
    with contender.context():
        contender.take(3)
    assert contender.model.steps_trained == 0
