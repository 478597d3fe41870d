"""The sections of the report on a GPU, each tried on the CPU."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import contenders
from benchmarks.contenders.book import Book
from benchmarks.gpu import (
    counters,
    environment,
    limits,
    matrix,
    notebooks,
    outcomes,
    parity,
    processes,
    steps,
)
from benchmarks.gpu.place import EMULATED, GPU, REHEARSAL, Place
from benchmarks.workloads import WORKLOADS, Workload, make_problem

HERE = Place(REHEARSAL, quick=True, seconds=300.0)


def nothing(data: Any) -> None:
    """Save nothing."""


class HalfTheLoss(Book):
    """A contender that learns something else."""

    def read(self, loss: float) -> float:
        return loss / 2


class TestParity:
    def test_gradients_are_those_of_the_loss(self) -> None:
        problem = make_problem(WORKLOADS["W1"])
        found = parity.computed(problem, "numpy", "cpu", "float64", 1)
        book = Book(problem, "cpu")
        book.reset()
        book.step(*problem.batches[0])
        expected = [
            array
            for layer in book.layers[::2]
            for array in (layer.dweights, layer.dbiases)
        ]
        for gradient, of_the_book in zip(found["gradients"], expected, strict=True):
            np.testing.assert_allclose(gradient, of_the_book, rtol=1e-3, atol=1e-7)

    @pytest.mark.parametrize("kind", ["outputs", "gradients", "losses"])
    @pytest.mark.parametrize("wrong", [1.0 + 1e-6, float("nan")])
    def test_deviations_beyond_the_limits_are_failures(
        self, monkeypatch: pytest.MonkeyPatch, kind: str, wrong: float
    ) -> None:
        right = {"outputs": [np.ones(2)], "gradients": [np.ones(2)]}
        right["losses"] = [np.ones(1)]

        def computed(
            problem: Any, backend: str, device: str, dtype: str, steps: int
        ) -> dict[str, list[np.ndarray]]:
            # The first answer of each pair is that of the device.
            calls.append(dtype)
            if len(calls) == 1:
                return {**right, kind: [wrong * right[kind][0]]}
            return right

        calls: list[str] = []
        monkeypatch.setattr(parity, "computed", computed)
        found = parity.run(HERE, nothing)
        assert len(found["failures"]) == 1
        assert found["failures"][0].startswith(f"W1, float64: {kind} deviate by ")

    def test_deviation_is_relative_to_the_largest_magnitude(self) -> None:
        found = parity.deviation([np.array([4.0, -7.5])], [np.array([4.0, -8.0])])
        assert found == 0.5 / 8


class TestSteps:
    @pytest.fixture
    def rows(self, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
        """Rows with a rival that is missing, one that is wrong, and one that works."""
        missing = contenders.Entry("missing", "sklearn", "book.Book")
        wrong = contenders.Entry("wrong", "numpy", "book.Book")
        works = contenders.Entry("works", "numpy", "book.Book")

        def made(entry: contenders.Entry, problem: Any, device: str) -> Any:
            if entry is wrong:
                return HalfTheLoss(problem, device)
            return Book(problem, device)

        monkeypatch.setattr(contenders.Entry, "why_not", lambda entry, device: (
            "it is not here" if entry is missing else ""
        ))  # fmt: skip
        monkeypatch.setattr(contenders.Entry, "make", made)
        monkeypatch.setattr(steps, "RIVALS", (missing, wrong, works))
        return steps.rows_of(make_problem(WORKLOADS["W1"]), HERE, 2)

    def test_rivals_that_fail_are_rows_with_a_reason(
        self, rows: dict[str, Any]
    ) -> None:
        assert rows["missing"]["reason"] == "RuntimeError: it is not here"
        assert "where the median of all is" in rows["wrong"]["reason"]
        assert "median_us" not in rows["missing"]
        assert "median_us" not in rows["wrong"]
        for label in ("works", contenders.COMPILED, contenders.FIT):
            assert rows[label]["reason"] == ""
            assert len(rows[label]["blocks_us"]) == 2
            assert rows[label]["deviation"] < 1e-6

    def test_they_are_shown(self, rows: dict[str, Any]) -> None:
        workload = {"title": "a title", "rows": rows}
        lines = steps.show({"repeats": 2, "workloads": {"W1": workload}})
        assert "### W1: a title" in lines
        missing = "| missing | not measured | - | - | - | - | RuntimeError: "
        assert f"{missing}it is not here |" in lines

    def test_only_our_own_failures_fail_the_section(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rows = {
            "ours": {"own": True, "reason": "ours is wrong"},
            "theirs": {"own": False, "reason": "theirs is wrong"},
        }
        monkeypatch.setattr(steps, "rows_of", lambda *arguments: rows)
        monkeypatch.setattr(steps.machine, "set_threads", lambda threads: None)
        monkeypatch.setattr(steps.machine, "use_full_float32", lambda: None)
        found = steps.run(HERE, nothing)
        assert found["failures"] == [
            "ours on W1: ours is wrong",
            "ours on W2: ours is wrong",
        ]

    def test_ratio_is_to_the_fastest_that_was_timed(self) -> None:
        rows = {"a": {"median_us": 3.0}, "b": {"median_us": 4.0}, "c": {"reason": "x"}}
        assert steps.ratio(rows, "a", ["b", "c", "d"]) == 0.75
        assert steps.ratio(rows, "a", ["c"]) is None
        assert steps.ratio(rows, "c", ["a"]) is None

    def test_no_times_of_an_emulated_device(self) -> None:
        book = Book(make_problem(WORKLOADS["W1"]), "cpu")
        found = steps.times_of({"book": book}, Place(EMULATED, quick=True), 1)
        assert found == {"book": {"note": ""}}


class TestLimits:
    def test_operations_of_a_step(self) -> None:
        # Forward, weights and inputs of 3-2 and of 5-3, but not the inputs of 5.
        expected = 7 * (2 * 3 * 2 * 3 + 2 * 5 * 3 * 2)
        assert limits.step_flops(Workload("w", "random", (5, 3, 2), 7)) == expected

    def test_share_is_of_the_best_rate(self) -> None:
        rows = [
            {"what": "be.matmul", "limit": "", "rate": 8.0},
            {"what": "cupy.matmul", "limit": "", "rate": 10.0},
            {"what": "step", "limit": "GEMM", "rate": 9.0},
        ]
        assert limits.share(rows, "GEMM", "matmul") == 0.9
        assert limits.share(rows, "copy", "copy on the device") is None

    def test_rates_and_shares_belong_together(self) -> None:
        found = limits.run(HERE, nothing)
        for row in found["rows"]:
            assert row["rate"] > 0
        by_name = {
            row["what"].split(",")[0].split(" of")[0]: row for row in found["rows"]
        }
        step, gemm = by_name["training step"], by_name["be.matmul"]
        assert found["share_of_gemm"] == pytest.approx(step["rate"] / gemm["rate"])
        assert by_name["Adam"]["rate"] * by_name["Adam"]["seconds"] == pytest.approx(
            28 * limits.QUICK_ELEMENTS
        )


class TestCounters:
    def test_events_of_a_trace(self) -> None:
        calls = [
            ("cuda_runtime", "cudaLaunchKernel"),
            ("cuda_runtime", "cudaLaunchKernelExC"),
            ("cuda_driver", "cuLaunchKernel"),
            ("cuda_runtime", "cudaGraphLaunch"),
            ("cuda_runtime", "cudaDeviceSynchronize"),
            ("cuda_runtime", "cudaStreamIsCapturing"),
            ("cuda_runtime", "cudaMemcpyAsync"),
            ("gpu_memcpy", "Memcpy HtoD (Pinned -> Device)"),
            ("gpu_memcpy", "Memcpy DtoH (Device -> Pageable)"),
            ("gpu_memcpy", "Memcpy DtoD (Device -> Device)"),
            ("gpu_memset", "Memset (Device)"),
            ("kernel", "adam"),
            ("cpu_op", "aten::add"),
        ]
        events = [{"cat": category, "name": name} for category, name in calls]
        assert counters.of_trace([*events, {"ph": "M"}]) == {
            "launches": 3,
            "graph launches": 1,
            "copies to device": 1,
            "copies to host": 1,
            "copies on device": 1,
            "fills": 1,
            "waits": 1,
        }

    def test_without_a_gpu_it_says_why(self) -> None:
        if importlib.util.find_spec("cupy"):
            pytest.skip("CuPy is installed")
        assert "No module named 'cupy'" in counters.why_not_profiled()


class TestMatrix:
    def outcomes_of(self, tmp_path: Path, tests: str, seconds: float = 60) -> Any:
        """Run tests with the plugin, and return what it wrote."""
        (tmp_path / "test_some.py").write_text(tests)
        file = tmp_path / "outcomes"
        words = [sys.executable, "-m", "pytest", "-q", "-p", "benchmarks.gpu.outcomes"]
        env = processes.environment(tmp_path, **{outcomes.VARIABLE: str(file)})
        env.pop("PYTEST_ADDOPTS", None)
        words += ["-p", "no:cacheprovider", "--rootdir", str(tmp_path), str(tmp_path)]
        processes.run(words, seconds, tmp_path / "log", env, tmp_path)
        return matrix.counted(file)

    def test_counts_outcomes_and_names_failures(self, tmp_path: Path) -> None:
        found = self.outcomes_of(
            tmp_path,
            "import pytest\n"
            "def test_good(): pass\n"
            "def test_bad(): assert 1 == 2, 'a reason'\n"
            "@pytest.fixture\n"
            "def broken(): raise ValueError('of the fixture')\n"
            "def test_not_begun(broken): pass\n"
            "def test_not_here(): pytest.skip('why')\n",
        )
        counts = {name: found[name] for name in ("passed", "failed", "skipped")}
        assert counts == {"passed": 1, "failed": 2, "skipped": 1}
        assert found["selected"] == 4
        bad, not_begun = found["failures"]
        assert bad.startswith("test_some.py::test_bad: AssertionError: a reason")
        assert not_begun.startswith("test_some.py::test_not_begun: ValueError: of the")

    def test_files_that_cannot_be_read_are_failures(self, tmp_path: Path) -> None:
        found = self.outcomes_of(tmp_path, "import no_such_module\n")
        assert len(found["failures"]) == 1
        assert "No module named 'no_such_module'" in found["failures"][0]

    @pytest.mark.slow
    def test_what_ran_before_the_time_was_over_is_counted(self, tmp_path: Path) -> None:
        tests = "import time\ndef test_a(): pass\ndef test_b(): time.sleep(300)\n"
        found = self.outcomes_of(tmp_path, tests, seconds=5)
        assert (found["passed"], found["selected"]) == (1, 2)

    def test_nothing_that_ran_is_a_failure(self, tmp_path: Path) -> None:
        assert matrix.counted(tmp_path / "none")["failures"] == ["no test ran at all"]

    def test_a_real_device_is_tested_by_several_processes(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(matrix.os, "cpu_count", lambda: 16)
        words = matrix.command(Place(GPU))
        assert ("-n" in words) == bool(importlib.util.find_spec("xdist"))
        assert words[words.index("-k") + 1] == "cupy"
        assert "--ignore=tests/benchmarks" in words
        emulated = matrix.command(Place(EMULATED))
        assert "cupy_on_cpu.plugin" in emulated and "-n" not in emulated


class TestNotebooks:
    def run(self, folder: Path) -> dict[str, Any]:
        return notebooks.run(HERE, nothing, folder)

    def write(self, folder: Path, name: str, *cells: str) -> None:
        """Write a notebook of Jupyter with some cells of code."""
        code = [
            {"cell_type": "code", "id": str(n), "metadata": {}, "outputs": [],
             "execution_count": None, "source": cell.splitlines(keepends=True)}
            for n, cell in enumerate(cells)
        ]  # fmt: skip
        text = {"cell_type": "markdown", "id": "t", "metadata": {}, "source": ["# T"]}
        tree = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}}
        (folder / name).write_text(json.dumps({**tree, "cells": [text, *code]}))

    def test_each_has_a_status(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # What Jupyter does with them is tested where they are documented.
        monkeypatch.setattr(notebooks, "NEEDED", ("no_such_module",))
        self.write(tmp_path, "good.ipynb", "%matplotlib inline\nx = 1", "assert x == 1")
        self.write(tmp_path, "bad.ipynb", "raise ValueError('its reason')")
        (tmp_path / "page.md").write_text(
            "# T\n\n```{code-cell} ipython3\n:tags: [hide]\n\nimport os\n```\n\n"
            "```{code-cell}\nassert os.environ['NNFS_XP_BACKEND'] == 'numpy'\n```\n"
        )
        (tmp_path / "text.md").write_text("no notebook\n\n```python\n1 / 0\n```\n")
        found = self.run(tmp_path)
        statuses = {x["notebook"]: x["status"] for x in found["notebooks"]}
        assert statuses == {"bad.ipynb": "failed", "good.ipynb": "ok", "page.md": "ok"}
        assert len(found["failures"]) == 1
        assert found["failures"][0].startswith("bad.ipynb: ")
        assert found["failures"][0].endswith("ValueError: its reason")
        lines = notebooks.show(found)
        assert any(line.startswith("| good.ipynb | ok | ") for line in lines)

    def test_of_a_pair_only_one_is_run(self, tmp_path: Path) -> None:
        self.write(tmp_path, "one.ipynb", "1")
        (tmp_path / "one.md").write_text("```{code-cell}\n1 / 0\n```\n")
        assert notebooks.found(tmp_path) == [tmp_path / "one.ipynb"]

    @pytest.mark.slow
    def test_by_jupyter_where_it_is_installed(self, tmp_path: Path) -> None:
        if not all(importlib.util.find_spec(name) for name in notebooks.NEEDED):
            pytest.skip("Jupyter is not installed")
        self.write(tmp_path, "good.ipynb", "%matplotlib inline\nx = 1", "assert x == 1")
        self.write(tmp_path, "bad.ipynb", "raise ValueError('its reason')")
        bad, good = self.run(tmp_path)["notebooks"]
        assert (good["status"], good["how"]) == ("ok", "by nbclient"), good
        assert bad["status"] == "failed"
        assert "ValueError: its reason" in bad["reason"]

    def test_a_folder_without_any(self, tmp_path: Path) -> None:
        found = self.run(tmp_path / "none")
        assert notebooks.show(found) == ["There are no notebooks in `docs/notebooks`."]


class TestEnvironment:
    def test_cuda_versions(self) -> None:
        assert environment.cuda_version(12040) == "12.4"
        assert environment.cuda_version(13000) == "13.0"

    def test_commit_of_no_repository(self, tmp_path: Path) -> None:
        assert environment.commit_of(tmp_path) == "unknown"

    def test_what_is_here(self) -> None:
        found = environment.run(HERE, nothing)
        assert found["versions"]["numpy"] == np.__version__
        assert not environment.is_emulated(found)
        lines = environment.show(found)
        assert any(f"numpy {np.__version__}" in line for line in lines)
