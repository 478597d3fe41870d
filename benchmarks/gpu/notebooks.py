"""The notebooks of the documentation, with their backend set to CuPy."""

from __future__ import annotations

import importlib.util
import json
import re
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.gpu import processes
from benchmarks.gpu.place import EMULATED, Place
from benchmarks.gpu.text import in_a_cell

FOLDER = processes.ROOT / "docs" / "notebooks"
NEEDED = ("nbclient", "nbformat", "ipykernel")
CELL = re.compile(r"^```\{code-cell\}[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# Options of a cell in MyST, in short and in long.
OPTIONS = re.compile(r"\A(?:(?::[^\n]*\n)+|---\n.*?^---\n)", re.MULTILINE | re.DOTALL)
JUPYTER = """
import sys, nbformat, nbclient
notebook = nbformat.read(sys.argv[1], as_version=4)
nbclient.NotebookClient(notebook, kernel_name="python3", timeout=None).execute()
"""


def run(place: Place, save: Callable[[Any], None], folder: Path = FOLDER) -> Any:
    """Return status and seconds of each notebook."""
    data: dict[str, Any] = {"notebooks": [], "failures": []}
    for file in found(folder):
        kept = {"notebook": file.name, **executed(file, place)}
        data["notebooks"].append(kept)
        if kept["status"] == "failed":
            data["failures"].append(f"{file.name}: {kept['reason']}")
        save(data)
    return data


def found(folder: Path) -> list[Path]:
    """Return the notebooks, of a pair of formats only the ``.ipynb``."""
    pages = [p for p in folder.glob("*.md") if CELL.search(p.read_text("utf-8"))]
    names = {path.stem: path for path in (*pages, *folder.glob("*.ipynb"))}
    return [names[name] for name in sorted(names)]


def executed(file: Path, place: Place) -> dict[str, Any]:
    """Run one notebook in a folder that is thrown away."""
    if place.left < 5:
        return {"status": "skipped", "reason": "no time was left", "how": ""}
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        work = scratch / "work"
        work.mkdir()
        script, how = scratch / "notebook.py", "as a script"
        if in_jupyter(file, place):
            how = "by nbclient"
            script.write_text(JUPYTER, encoding="utf-8")
        else:
            script.write_text(as_script(file), encoding="utf-8")
        env = processes.environment(scratch, NNFS_XP_BACKEND=place.backend)
        command = [*processes.python(), str(script), str(file)]
        began = time.monotonic()
        status = processes.run(
            command, max(1.0, place.left - 2), scratch / "log", env, work
        )
        kept: dict[str, Any] = {"how": how, "reason": ""}
        if place.times_count:
            kept["seconds"] = time.monotonic() - began
        if status is None:
            return {**kept, "status": "stopped", "reason": "its time was over"}
        if status:
            words = processes.last_words(scratch / "log")
            return {**kept, "status": "failed", "reason": words[-400:]}
        return {**kept, "status": "ok"}


def in_jupyter(file: Path, place: Place) -> bool:
    """Return whether a kernel of Jupyter can run it.

    Such a kernel is a process that would not get an emulated device.
    """
    return (
        file.suffix == ".ipynb"
        and place.kind != EMULATED
        and all(importlib.util.find_spec(name) for name in NEEDED)
    )


def as_script(file: Path) -> str:
    """Return the code of a notebook without what only Jupyter understands."""
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".ipynb":
        cells = [
            "".join(cell["source"])
            for cell in json.loads(text)["cells"]
            if cell["cell_type"] == "code"
        ]
    else:
        cells = [OPTIONS.sub("", cell) for cell in CELL.findall(text)]
    lines = "\n\n".join(cells).splitlines()
    plain = ["pass" if x.lstrip().startswith(("%", "!")) else x for x in lines]
    return "\n".join([*plain, ""])


def show(data: dict[str, Any]) -> list[str]:
    """Return the table of notebooks."""
    if not data["notebooks"]:
        return ["There are no notebooks in `docs/notebooks`."]
    lines = ["| notebook | status | seconds | |", "| --- | --- | ---: | --- |"]
    for kept in data["notebooks"]:
        seconds = f"{kept['seconds']:.1f}" if "seconds" in kept else "-"
        said = in_a_cell("; ".join(filter(None, (kept["how"], kept["reason"]))))
        lines.append(f"| {kept['notebook']} | {kept['status']} | {seconds} | {said} |")
    return lines
