"""The table of what works where, made of what the tests have recorded.

``tests/capabilities.py`` writes ``docs/data/capabilities.json`` in a run of the
matrix; nothing here adds to it. A unit that no run has seen yet was not tried.
"""

from __future__ import annotations

import json
from pathlib import Path

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import nested_parse_with_titles

from _ext.tables import list_table
from _ext.unit_lists import ref
from nnfs_xp import BACKEND_NAMES
from nnfs_xp.registry import UNITS

DATA = Path("data", "capabilities.json")
TITLES = {"numpy": "NumPy", "cupy": "CuPy", "torch": "PyTorch", "jax": "JAX"}
DTYPES = ("float64", "float32")


def title(backend: str) -> str:
    """Return the name of a library as it is written."""
    return TITLES.get(backend, backend.replace("_", "-"))


def load(source: Path) -> dict:
    """Return what was recorded."""
    return json.loads((source / DATA).read_text(encoding="utf-8"))


def results_of(source: Path, kind: str) -> dict[str, dict]:
    """Return what was recorded of each registered unit of a kind, by name."""
    recorded = load(source)["results"].get(kind, {})
    nothing = {"passed": 0, "failed": 0}
    empty = {b: dict.fromkeys(DTYPES, nothing) for b in BACKEND_NAMES}
    if kind == "schedule":
        empty = {"host": {"float64": nothing}}
    return {name: recorded.get(name, empty) for name in sorted(UNITS[kind])}


def entry(counts: dict[str, int]) -> str:
    """Return what the table says of one unit on one backend."""
    if not counts["passed"] + counts["failed"]:
        return "not tried"
    if counts["failed"]:
        return f"**{counts['failed']} failed**, {counts['passed']} passed"
    return f"{counts['passed']} passed"


def rows_of_unit(source: Path, kind: str, name: str) -> list[list[str]]:
    """Return the table of one unit: a row for each backend."""
    by_backend = results_of(source, kind)[name]
    if "host" in by_backend:
        return [
            ["computed", "tests"],
            ["on the host", entry(by_backend["host"]["float64"])],
        ]
    return [
        ["backend", *DTYPES],
        *(
            [title(backend), *(entry(by_backend[backend][dtype]) for dtype in DTYPES)]
            for backend in BACKEND_NAMES
        ),
    ]


def rows_of_kind(source: Path, kind: str) -> list[list[str]]:
    """Return the table of a kind of unit: a row for each unit."""
    units = results_of(source, kind)
    if all("host" in by_backend for by_backend in units.values()):
        head = ["unit", "on the host"]
        body = [[ref(n), entry(b["host"]["float64"])] for n, b in units.items()]
        return [head, *body]
    head = ["unit", *map(title, BACKEND_NAMES)]
    return [
        head,
        *(
            [ref(name), *(both(by_backend[backend]) for backend in BACKEND_NAMES)]
            for name, by_backend in units.items()
        ),
    ]


def both(by_dtype: dict[str, dict[str, int]]) -> str:
    """Return the numbers of both precisions, and words where something failed."""
    if not any(sum(counts.values()) for counts in by_dtype.values()):
        return "not tried"
    if any(counts["failed"] for counts in by_dtype.values()):
        return " / ".join(entry(by_dtype[dtype]) for dtype in DTYPES)
    return " / ".join(str(by_dtype[dtype]["passed"]) for dtype in DTYPES)


class CapabilityTable(SphinxDirective):
    """``.. capability-table:: KIND``, and without a kind the libraries."""

    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the table."""
        source = Path(self.env.srcdir)
        self.env.note_dependency(str(source / DATA))
        if self.arguments:
            rows = rows_of_kind(source, self.arguments[0])
        else:
            libraries = load(source)["libraries"]
            rows = [["library", "version"]]
            rows += [[title(name), version] for name, version in libraries.items()]
        node = nodes.section(document=self.state.document)
        lines = StringList(list_table(rows).splitlines(), "capability-table")
        nested_parse_with_titles(self.state, lines, node)
        return node.children


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.add_directive("capability-table", CapabilityTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
