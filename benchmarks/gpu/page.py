"""The report as a page of Markdown, made from the tree that the JSON file holds."""

from __future__ import annotations

import importlib
from typing import Any

from benchmarks.gpu import environment
from benchmarks.gpu.aims import aim_lines
from benchmarks.gpu.place import EMULATED, GPU, REHEARSAL
from benchmarks.gpu.plan import SECTIONS, Section
from benchmarks.gpu.runner import SKIPPED
from benchmarks.gpu.text import in_a_cell

COMMAND = "python benchmarks/gpu_report.py"
TITLES = {
    GPU: "Results on a GPU",
    EMULATED: "EMULATED: not a result of a GPU",
    REHEARSAL: "REHEARSAL on a CPU: not a result of a GPU",
}
WARNINGS = {
    EMULATED: (
        "CuPy ran on an EMULATED device, and the rivals on the CPU. This page shows "
        "that the report works; it says nothing about a GPU, and has no times."
    ),
    REHEARSAL: (
        "NumPy ran in CuPy's place, and the rivals on the CPU. This page shows that "
        "the report works; its times are those of a CPU."
    ),
}


def to_markdown(report: dict[str, Any]) -> str:
    """Return the page; of an empty report the one that says how to fill it."""
    lines = head(report) if report else empty_head()
    lines += ["## Goals", "", "| goal | measured | result |", "| --- | ---: | --- |"]
    lines += [f"| {' | '.join(line)} |" for line in aim_lines(report)]
    if report:
        lines += ["", "## Sections", "", *summary(report)]
        for section in SECTIONS:
            if section.key in report["sections"]:
                lines += ["", f"## {section.title}", "", *body(report, section)]
        lines += ["", "## Machine", "", *environment.show(report["environment"])]
    return "\n".join(lines) + "\n"


def empty_head() -> list[str]:
    """Return the beginning of the page before there is a result."""
    return [
        f"# {TITLES[GPU]}",
        "",
        "**Not yet run on a GPU.** On a machine with a CUDA GPU, Python 3.12, CuPy 14, "
        "PyTorch, JAX and pytest, run the following command in the root of the "
        "repository. It takes less than eight minutes and needs no network connection:",
        "",
        "<!-- not run: needs a CUDA GPU -->",
        "```console",
        f"$ {COMMAND}",
        "```",
        "",
        "The command rewrites this page, and writes `gpu.json` to the same folder. "
        "`benchmarks/README.md` explains what the command requires and measures.",
        "",
    ]


def head(report: dict[str, Any]) -> list[str]:
    """Return title, warnings, and where and when it ran."""
    lines = [f"# {TITLES[report['kind']]}", ""]
    if report["kind"] in WARNINGS:
        lines += [f"**{WARNINGS[report['kind']]}**", ""]
    if report["quick"]:
        lines += ["**Small sizes and few repeats, to try the report out.**", ""]
    gpu = report["environment"]["gpu"]
    return [
        *lines,
        f"{gpu}; {report['date']} UTC; commit {report['commit']}. Written by "
        f"`{COMMAND}`; all of it and every block is in `gpu.json`.",
        "",
    ]


def summary(report: dict[str, Any]) -> list[str]:
    """Return the table of what became of each section."""
    lines = ["| section | status | seconds | reason |", "| --- | --- | ---: | --- |"]
    for section in SECTIONS:
        found = report["sections"].get(section.key)
        if found is None:
            lines.append(f"| {section.title} | not asked for | - | |")
            continue
        timed = "seconds" in found and report["kind"] != EMULATED
        seconds = f"{found['seconds']:.0f}" if timed else "-"
        reason = in_a_cell(found["reason"])
        lines.append(f"| {section.title} | {found['status']} | {seconds} | {reason} |")
    return lines


def body(report: dict[str, Any], section: Section) -> list[str]:
    """Return what a section found; what cannot be shown costs its section only."""
    found = report["sections"][section.key]
    if not found["data"]:
        word = "Skipped" if found["status"] == SKIPPED else "Nothing was measured"
        return [f"{word}: {found['reason']}."]
    try:
        return importlib.import_module(section.module).show(found["data"])
    except Exception as error:
        return [f"This section cannot be shown ({type(error).__name__}: {error})."]
