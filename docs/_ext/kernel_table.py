"""The table of kernels: portable references, and who has an implementation of each."""

from __future__ import annotations

import inspect
from pathlib import Path

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import nested_parse_with_titles

import nnfs_xp
from _ext.capability_table import title
from _ext.tables import list_table
from nnfs_xp.kernels import implementations, references

ROOT = Path(nnfs_xp.__file__).parent
# A place where a browser may break a long name, and nobody sees it.
BREAK = "\u200b"


def rows_of_kernels() -> list[list[str]]:
    """Return a row for each portable function, below a head."""
    rows = [["kernel", "what it computes", "reference in nnfs_xp", "implemented for"]]
    for name, reference in sorted(references().items()):
        owners = [title(b) for b in nnfs_xp.BACKEND_NAMES if name in implementations(b)]
        owners += ["NumPy by a loop"] if name in implementations("loops") else []
        summary = (inspect.getdoc(reference) or "").partition("\n\n")[0]
        file = Path(inspect.getfile(reference)).relative_to(ROOT).as_posix()
        rows.append(
            [
                name.replace("_", f"\\_{BREAK}"),
                " ".join(summary.split()),
                file.replace("_", "\\_").replace("/", f"/{BREAK}"),
                ", ".join(owners) or "none",
            ]
        )
    return rows


class KernelTable(SphinxDirective):
    """``.. kernel-table::``, made of the registry."""

    def run(self) -> list[nodes.Node]:
        """Return the table."""
        node = nodes.section(document=self.state.document)
        lines = StringList(list_table(rows_of_kernels()).splitlines(), "kernel-table")
        nested_parse_with_titles(self.state, lines, node)
        return node.children


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.add_directive("kernel-table", KernelTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
