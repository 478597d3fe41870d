"""A plugin of pytest that writes each outcome as it comes.

``pytest -p benchmarks.gpu.outcomes`` with the file's name in NNFS_XP_OUTCOMES. What
was written before the time ran out, or before a crash, stays.
"""

from __future__ import annotations

import json
import os
from typing import Any

import pytest

VARIABLE = "NNFS_XP_OUTCOMES"


def enter(line: dict[str, Any]) -> None:
    """Add a line to the file."""
    with open(os.environ[VARIABLE], "a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


class Outcomes:
    """Tells of every test, and of files that cannot be collected."""

    def pytest_collection_finish(self, session: Any) -> None:
        """Tell how many tests there will be, where one process runs them all."""
        if getattr(session, "items", ()):
            enter({"selected": len(session.items)})

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: list[str]) -> None:
        """Tell how many tests there will be, where several processes run them."""
        enter({"selected": len(ids)})

    def pytest_collectreport(self, report: Any) -> None:
        """Tell of a file that could not be collected."""
        if report.failed:
            enter({"test": report.nodeid, "outcome": "failed", "why": why(report)})

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Tell of a test, once: of its call, or of what kept it from that."""
        if report.when == "call" or report.outcome != "passed":
            line = {"test": report.nodeid, "outcome": report.outcome}
            enter({**line, "why": why(report) if report.failed else ""})


def why(report: Any) -> str:
    """Return the last line of a failure that says something."""
    crash = getattr(report.longrepr, "reprcrash", None)
    text = crash.message if crash is not None else report.longreprtext
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return (lines[0] if crash is not None else lines[-1])[:300] if lines else ""


def pytest_configure(config: Any) -> None:
    """Listen in the process that hears of all tests."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Outcomes(), "nnfs_xp_outcomes")
