"""The report on a GPU: how it spends its time, what it says, and that it runs.

``gpu_rehearsal.json`` was written by the report itself, on a CPU::

    python benchmarks/gpu_report.py --device cpu --quick --out DIR
"""

from __future__ import annotations

import copy
import functools
import importlib.util
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from benchmarks import gpu_report
from benchmarks.contenders import COMPILED, TORCH_COMPILE
from benchmarks.gpu import page, plan, processes, runner
from benchmarks.gpu.place import EMULATED, GPU, REHEARSAL, Place

FIXTURE = Path(__file__).with_name("gpu_rehearsal.json")
SCRIPT = Path(gpu_report.__file__)
HERE = Place(REHEARSAL, quick=True, seconds=60.0)


@pytest.fixture
def report() -> dict[str, Any]:
    return json.loads(FIXTURE.read_text(encoding="utf-8"))


def section(key: str, least: float = 10, most: float = 50) -> plan.Section:
    return plan.Section(key, key.title(), f"module.{key}", least, most)


class TestTime:
    def test_a_section_gets_at_most_what_it_may(self) -> None:
        assert plan.seconds_for(section("a"), [section("b")], 400) == 50

    def test_what_those_after_it_need_is_kept(self) -> None:
        later = [section("b", least=15), section("c", least=5)]
        assert plan.seconds_for(section("a"), later, 60) == 40

    def test_the_first_go_first_when_there_is_too_little(self) -> None:
        assert plan.seconds_for(section("a"), [section("b", least=30)], 35) == 10

    def test_a_section_without_the_least_time_is_skipped(self) -> None:
        assert plan.seconds_for(section("a"), [], 9.9) == 0

    def test_the_least_times_of_all_are_within_the_budget(self) -> None:
        assert sum(s.least for s in plan.SECTIONS) < plan.BUDGET_SECONDS < 480


class TestSections:
    def run(
        self, tmp_path: Path, seconds: list[float], failing: str = ""
    ) -> tuple[dict[str, Any], list[tuple[str, float]]]:
        """Run three sections; before each, so many seconds are left."""
        calls = []

        def run(module: str, place: Place, scratch: Path) -> dict[str, Any]:
            calls.append((module, place.seconds))
            if module == f"module.{failing}":
                raise ValueError("a reason")
            return runner.outcome(runner.OK, data={"x": 1})

        found = runner.run_sections(
            [section("a"), section("b"), section("c")],
            HERE,
            iter(seconds).__next__,
            tmp_path,
            lambda text: None,
            run,
        )
        return dict(found), calls

    def test_each_gets_what_is_left(self, tmp_path: Path) -> None:
        found, calls = self.run(tmp_path, [100, 55, 12])
        assert calls == [("module.a", 50), ("module.b", 45), ("module.c", 12)]
        assert {found[key]["status"] for key in "abc"} == {"ok"}
        assert found["a"]["data"] == {"x": 1}

    def test_the_skipped_are_named(self, tmp_path: Path) -> None:
        found, calls = self.run(tmp_path, [100, 5, 20])
        assert [module for module, _ in calls] == ["module.a", "module.c"]
        assert found["b"]["status"] == "skipped"
        assert found["b"]["reason"] == "no time was left for it"
        assert not runner.failed({"sections": found})

    def test_after_one_that_fails_the_others_run(self, tmp_path: Path) -> None:
        found, calls = self.run(tmp_path, [100, 100, 100], failing="b")
        assert len(calls) == 3
        assert found["b"]["status"] == "failed"
        assert found["b"]["reason"] == "ValueError: a reason"
        assert found["c"]["status"] == "ok"
        assert runner.failed({"sections": found})


class TestProcess:
    """A section's own process, with sections that do what they should not."""

    def outcome(
        self,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
        body: str,
        seconds: float = 60.0,
    ) -> dict[str, Any]:
        lines = ["def run(place, save):", *(f"    {x}" for x in body.splitlines())]
        (tmp_path / "some_section.py").write_text("\n".join(lines))
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        place = Place(REHEARSAL, quick=True, seconds=seconds)
        return runner.in_a_process("some_section", place, tmp_path)

    def test_returns_what_it_found(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        body = (
            "assert place.left > 0\nreturn {'kind': place.kind, 'quick': place.quick}"
        )
        found = self.outcome(monkeypatch, tmp_path, body)
        assert found["status"] == "ok", found
        assert found["data"] == {"kind": REHEARSAL, "quick": True}

    def test_an_exception_leaves_its_text_and_what_was_saved(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        body = "save({'x': 1})\nraise KeyError('the key')"
        found = self.outcome(monkeypatch, tmp_path, body)
        assert found["status"] == "failed"
        assert found["reason"].startswith("KeyError: 'the key' (")
        assert found["reason"].endswith("some_section.py, line 3)")
        assert found["data"] == {"x": 1}

    def test_a_crash_leaves_its_status_and_last_words(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        body = "import os\nprint('last words', flush=True)\nos._exit(7)"
        found = self.outcome(monkeypatch, tmp_path, body)
        assert found["status"] == "failed"
        assert found["reason"] == "the process ended with status 7: last words"

    @pytest.mark.slow
    def test_one_that_takes_too_long_is_stopped(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        # Deaf to the first signal, as a process waiting in a driver is.
        body = "import signal, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        body += "save({'x': 1})\ntime.sleep(300)"
        monkeypatch.setattr(processes, "GRACE_SECONDS", 0.1)
        found = self.outcome(monkeypatch, tmp_path, body, seconds=5.0)
        assert found["status"] == "stopped"
        assert found["reason"] == "its 5 s were over"
        assert found["data"] == {"x": 1}
        assert runner.failed({"sections": {"x": found}})

    def test_failures_in_what_it_found_are_its_own(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        body = "return {'failures': ['this', 'that']}"
        found = self.outcome(monkeypatch, tmp_path, body)
        assert (found["status"], found["reason"]) == ("failed", "this; that")


class TestPage:
    def test_says_what_it_is(self, report: dict[str, Any]) -> None:
        text = page.to_markdown(report)
        assert text.startswith("# REHEARSAL on a CPU: not a result of a GPU\n")
        for heading in plan.SECTIONS:
            assert f"\n## {heading.title}\n" in text
            assert f"\n| {heading.title} | ok | " in text
        assert report["commit"] in text
        assert "numpy " in text.partition("## Machine")[2]

    def test_every_table_is_whole(self, report: dict[str, Any]) -> None:
        width = 0
        for line in page.to_markdown(report).splitlines():
            cells = line.count("|")
            assert cells == width or not cells or not width, line
            width = cells

    def test_emulated_says_so_and_has_no_times(self, report: dict[str, Any]) -> None:
        report["kind"] = EMULATED
        text = page.to_markdown(report)
        assert text.startswith("# EMULATED: not a result of a GPU\n")
        assert text.count("| not measured |") == 5
        for heading in plan.SECTIONS:
            assert f"\n| {heading.title} | ok | - |" in text

    @pytest.mark.parametrize(("factor", "word"), [(0.5, "met"), (0.51, "not met")])
    def test_aim_is_judged_by_the_faster_rival(
        self, report: dict[str, Any], factor: float, word: str
    ) -> None:
        report |= {"kind": GPU, "quick": False}
        steps = report["sections"]["steps"]["data"]["workloads"]
        rows = steps["W2"]["rows"]
        for label, median in zip(TORCH_COMPILE, (100.0, 50.0), strict=True):
            rows[label]["median_us"] = median
        rows[COMPILED]["median_us"] = factor * 50.0
        lines = page.to_markdown(report).splitlines()
        aim = "W2: at most 0.5 times the step time of torch.compile (reduce-overhead)"
        assert f"| {aim} | {factor:.2f} | {word} |" in lines
        # W3 was no part of it.
        aim = "W3: at most 0.5 times the step time of torch.compile (reduce-overhead)"
        assert f"| {aim} | - | not measured |" in lines

    def test_share_of_the_gemm_rate_is_judged(self, report: dict[str, Any]) -> None:
        report |= {"kind": GPU, "quick": False}
        report["sections"]["limits"]["data"]["share_of_gemm"] = 0.949
        line = (
            "| 4096-wide network: at least 0.95 times the measured GEMM rate | 0.95 | "
        )
        assert f"{line}not met |" in page.to_markdown(report)
        report["sections"]["limits"]["data"]["share_of_gemm"] = 0.95
        assert "| 0.95 | met |" in page.to_markdown(report)

    @pytest.mark.parametrize("kind", [EMULATED, REHEARSAL])
    def test_no_aim_is_met_without_a_gpu(
        self, report: dict[str, Any], kind: str
    ) -> None:
        report |= {"kind": kind, "quick": False}
        report["sections"]["limits"]["data"]["share_of_gemm"] = 0.95
        assert " met |" not in page.to_markdown(report)

    def test_a_section_that_failed_shows_why_and_what_it_had(
        self, report: dict[str, Any]
    ) -> None:
        parity = report["sections"]["parity"]
        parity |= {"status": "failed", "reason": "a | reason\nof two lines"}
        report["sections"]["limits"] = runner.outcome("failed", "its reason")
        text = page.to_markdown(report)
        assert "| Parity with NumPy | failed | " in text
        assert "a / reason of two lines" in text
        assert "| W2 | float64 |" in text
        assert "Nothing was measured: its reason." in text

    def test_what_cannot_be_shown_costs_its_section_only(
        self, report: dict[str, Any]
    ) -> None:
        report["sections"]["parity"]["data"] = {"unknown": 1}
        text = page.to_markdown(report)
        assert "This section cannot be shown (KeyError: 'steps')." in text
        assert "### W2: " in text

    def test_one_that_was_not_asked_for(self, report: dict[str, Any]) -> None:
        del report["sections"]["memory"]
        text = page.to_markdown(report)
        assert "| Memory | not asked for | - | |" in text
        assert "## Memory" not in text

    def test_the_committed_page_is_that_of_the_committed_results(self) -> None:
        file = gpu_report.RESULTS / "gpu.json"
        results = json.loads(file.read_text("utf-8")) if file.exists() else {}
        written = (gpu_report.RESULTS / "gpu.md").read_text(encoding="utf-8")
        assert written == page.to_markdown(results)
        assert results.get("kind", GPU) == GPU
        assert bool(results) == ("Not yet run on a GPU" not in written)


def script(*arguments: str | Path, before: tuple[str, ...] = ()) -> Any:
    """Run the command as somebody would."""
    return subprocess.run(
        [sys.executable, *before, str(SCRIPT), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


def assert_holds_what_was_said(out: Path, chosen: list[str], said: str) -> None:
    """Check that the report has every section whose end was told, and no half one."""
    report = json.loads((out / "gpu.json").read_text("utf-8"))
    sections = report["sections"]
    assert list(sections) == chosen
    done = [key for key in chosen if f"{key}: ok\n" in said]
    told = {key for key, found in sections.items() if found["status"] == "ok"}
    # The last one may have been told of just before it was written.
    assert set(done[:-1]) <= told <= set(done)
    assert {found["status"] for found in sections.values()} <= {"ok", "skipped"}
    text = (out / "gpu.md").read_text("utf-8")
    assert text.startswith("# REHEARSAL on a CPU")


@functools.cache
def why_not_emulated() -> str:
    for name in ("cupy_on_cpu", "cupy"):
        if importlib.util.find_spec(name) is None:
            return f"{name} is not installed"
    return ""


class TestCommand:
    def test_without_a_device_it_says_why(self, tmp_path: Path) -> None:
        if importlib.util.find_spec("cupy"):
            pytest.skip("CuPy is installed")
        done = script("--out", tmp_path / "out")
        assert done.returncode == 2
        assert "error: BackendUnavailableError: backend 'cupy' does not" in done.stderr
        assert "Traceback" not in done.stderr
        assert not (tmp_path / "out").exists()

    def test_results_of_no_gpu_have_no_place_in_the_tree(self) -> None:
        before = sorted(gpu_report.RESULTS.iterdir())
        done = script("--device", "cpu")
        assert done.returncode == 2
        assert "error: this is no GPU" in done.stderr
        assert sorted(gpu_report.RESULTS.iterdir()) == before

    @pytest.mark.slow
    def test_rehearsal_of_some_sections(self, tmp_path: Path) -> None:
        chosen = ["parity", "matrix", "notebooks"]
        options = ["--device", "cpu", "--quick", "--out", tmp_path]
        done = script(*options, "--sections", *chosen)
        assert done.returncode == 0, done.stderr
        report = json.loads((tmp_path / "gpu.json").read_text(encoding="utf-8"))
        assert list(report["sections"]) == chosen
        assert report["sections"]["matrix"]["data"]["passed"] > 20
        assert (tmp_path / "gpu.md").read_text("utf-8") == page.to_markdown(report)
        # The same page again, from the results alone.
        (tmp_path / "gpu.md").unlink()
        assert script("--render", "--out", tmp_path).returncode == 0
        assert (tmp_path / "gpu.md").read_text("utf-8") == page.to_markdown(report)

    def test_ended_it_ends_what_it_had_started(self, tmp_path: Path) -> None:
        words = [sys.executable, str(SCRIPT), "--device", "cpu", "--quick"]
        words += ["--out", str(tmp_path / "out"), "--sections", "steps"]
        env = {**os.environ, "TMPDIR": str(tmp_path)}
        with subprocess.Popen(
            words, env=env, stderr=subprocess.PIPE, text=True
        ) as process:
            assert process.stderr is not None
            assert process.stderr.readline().startswith("steps: at most ")
            process.terminate()
            process.stderr.read()
        assert process.returncode == 128 + signal.SIGTERM
        # The section's folder goes only after the section has been waited for.
        assert list(tmp_path.glob("gpu_report_*")) == []
        report = json.loads((tmp_path / "out" / "gpu.json").read_text("utf-8"))
        assert report["sections"]["steps"]["reason"] == "not reached"

    @pytest.mark.slow
    def test_killed_at_any_moment_it_leaves_what_was_done(self, tmp_path: Path) -> None:
        chosen = ["startup", "parity", "counts", "memory"]
        words = [sys.executable, str(SCRIPT), "--device", "cpu", "--quick"]
        for number, seconds in enumerate([4.0, 7.0, 10.0, 14.0]):
            out = tmp_path / str(number)
            command = [*words, "--out", str(out), "--sections", *chosen]
            with subprocess.Popen(
                command, stderr=subprocess.PIPE, text=True, start_new_session=True
            ) as process:
                assert process.stderr is not None
                begun = process.stderr.readline()
                said: list[str] = [begun]
                reader = threading.Thread(target=said.extend, args=(process.stderr,))
                reader.start()
                time.sleep(seconds)
                os.killpg(process.pid, signal.SIGKILL)
                reader.join()
            assert_holds_what_was_said(out, chosen, "".join(said))

    def test_budget_without_time_for_anything(self, tmp_path: Path) -> None:
        options = ["--device", "cpu", "--quick", "--out", tmp_path, "--budget", "1"]
        done = script(*options)
        assert done.returncode == 0, done.stderr
        text = (tmp_path / "gpu.md").read_text(encoding="utf-8")
        assert text.count("| skipped | - | no time was left for it |") == len(
            plan.SECTIONS
        )

    @pytest.mark.slow
    def test_most_of_it_on_an_emulated_cupy_device(self, tmp_path: Path) -> None:
        """The first run has a test of all others but chapters, which have their own."""
        if why_not_emulated():
            pytest.skip(why_not_emulated())
        before = ("-m", "cupy_on_cpu")
        chosen = ["steps", "counts", "memory", "matrix"]
        # The usual budget is for a GPU, which a busy machine cannot keep up with.
        options = ["--quick", "--budget", "3600", "--sections", *chosen]
        done = script(*options, "--out", tmp_path, before=before)
        assert done.returncode == 0, done.stderr
        report = json.loads((tmp_path / "gpu.json").read_text(encoding="utf-8"))
        assert report["kind"] == EMULATED
        statuses = {key: s["status"] for key, s in report["sections"].items()}
        assert statuses == dict.fromkeys(chosen, "ok")
        text = (tmp_path / "gpu.md").read_text(encoding="utf-8")
        assert text.startswith("# EMULATED")
        for word in ("TFLOP/s", "GB/s", "median_us", '"seconds"', '"rate"'):
            assert word not in text + json.dumps(copy.copy(report)), word
        rows = report["sections"]["steps"]["data"]["workloads"]["W1"]["rows"]
        assert rows[COMPILED]["deviation"] < 1e-5
        counts = report["sections"]["counts"]["data"]["rows"]
        # One graph holds eight steps at most.
        assert all(row["launches"] + row["graph launches"] >= 1 / 8 for row in counts)
        assert report["sections"]["matrix"]["data"]["passed"] > 20
        assert len(report["sections"]["memory"]["data"]["checks"]) == 3

    def test_emulated_cupy_has_no_place_in_the_tree(self) -> None:
        if why_not_emulated():
            pytest.skip(why_not_emulated())
        done = script("--quick", before=("-m", "cupy_on_cpu"))
        assert done.returncode == 2
        assert "error: this is no GPU" in done.stderr
        assert not (gpu_report.RESULTS / "gpu.json").exists()

    def test_leaves_nothing_else_in_the_tree(self) -> None:
        env = processes.environment(Path("/scratch"), EXTRA="1")
        assert env["PYTHONDONTWRITEBYTECODE"] == "1"
        assert env["HYPOTHESIS_STORAGE_DIRECTORY"].startswith("/scratch")
        assert env["EXTRA"] == "1"
        assert env["PYTHONPATH"].split(os.pathsep)[0] == str(processes.ROOT)
