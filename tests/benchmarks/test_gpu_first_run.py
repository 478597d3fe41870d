"""The scripts of a first run on a GPU, on an emulated device."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import gpu_report
from benchmarks.gpu import plan, runner
from benchmarks.gpu.first_run import checks
from benchmarks.gpu.place import EMULATED, GPU, Place
from tests.benchmarks.test_gpu_report import script, why_not_emulated

FOLDER = Path(checks.__file__).parent
PLACE = Place(GPU, quick=True)


def bash(name: str, out: Path, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", str(FOLDER / name), str(out)],
        env={**os.environ, **more},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_all_parts_on_an_emulated_device(tmp_path: Path) -> None:
    if why_not_emulated():
        pytest.skip(why_not_emulated())
    python = f"{sys.executable} -W ignore::ResourceWarning -m cupy_on_cpu"
    options = {"PYTHON": python, "REPORT_OPTIONS": "--quick", "SHORT": "1"}
    options["SLOWER"] = "10"
    done = bash("run.sh", tmp_path / "out", **options)
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "out" / "gpu.json").read_text("utf-8"))
    assert report["kind"] == EMULATED
    left_out = {"matrix", "notebooks"}
    assert set(report["sections"]) == {s.key for s in plan.SECTIONS} - left_out
    assert {s["status"] for s in report["sections"].values()} == {"ok"}
    asked = report["sections"]["checks"]["data"]["checks"]
    assert len(asked) == len(checks.CHECKS)
    assert all(check["passed"] for check in asked)
    rows = report["sections"]["timings"]["data"]["rows"]
    # The names of what would be timed, and no times.
    assert {number for row in rows for number in row["numbers"].values()} == {None}
    assert "| **not as" not in (tmp_path / "out" / "gpu.md").read_text("utf-8")


def test_tools_that_are_missing_are_named(tmp_path: Path) -> None:
    if shutil.which("compute-sanitizer") or shutil.which("ncu"):
        pytest.skip("they are not missing")
    done = bash("tools.sh", tmp_path / "out")
    assert done.returncode == 0
    for name in ("racecheck", "memcheck", "ncu"):
        written = (tmp_path / "out" / f"{name}.txt").read_text()
        assert written.startswith(f"{name}: left out, there is no ")
        assert written in done.stdout


def test_a_tool_that_complains_is_a_failure(tmp_path: Path) -> None:
    tool = tmp_path / "bin" / "compute-sanitizer"
    tool.parent.mkdir()
    tool.write_text("#!/bin/sh\necho one hazard\nexit 1\n")
    tool.chmod(0o755)
    done = bash("tools.sh", tmp_path, PATH=f"{tool.parent}:{os.environ['PATH']}")
    assert done.returncode == 1
    assert "racecheck: one hazard" in done.stdout


def test_checks_go_on_after_one_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(place: Place) -> checks.Seen:
        """It breaks."""
        raise ValueError("a reason")

    def passes(place: Place) -> checks.Seen:
        """It passes."""
        return True, "seen"

    monkeypatch.setattr(checks, "CHECKS", (breaks, passes))
    saved: list[int] = []
    data = checks.run(PLACE, lambda data: saved.append(len(data["checks"])))
    assert saved == [1, 2]
    assert data["failures"] == ["It breaks: ValueError: a reason"]
    assert "| It breaks | **not as expected** | ValueError: a reason |" in checks.show(
        data
    )
    assert "| It passes | as expected | seen |" in checks.show(data)


class TestParts:
    """A report that is written in several parts."""

    def rehearse(self, out: Path, *options: str) -> subprocess.CompletedProcess[str]:
        return script("--device", "cpu", "--quick", "--out", out, *options)

    @pytest.mark.slow
    def test_sections_of_both_are_there(self, tmp_path: Path) -> None:
        assert self.rehearse(tmp_path, "--sections", "checks").returncode == 0
        done = self.rehearse(tmp_path, "--add", "--sections", "memory")
        assert done.returncode == 0, done.stderr
        report = json.loads((tmp_path / "gpu.json").read_text("utf-8"))
        statuses = {key: s["status"] for key, s in report["sections"].items()}
        assert statuses == {"checks": runner.OK, "memory": runner.OK}

    def test_of_another_commit_is_refused(self, tmp_path: Path) -> None:
        report = {"kind": "rehearsal", "quick": True, "commit": "another"}
        (tmp_path / "gpu.json").write_text(json.dumps(report))
        now = {"kind": "rehearsal", "quick": True, "commit": "this"}
        assert "has another commit" in gpu_report.take_over(now, tmp_path)
