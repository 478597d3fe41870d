"""Lines of a chapter that only check its figures are folded away on the site.

They run with the chapter, and a notebook shows them. A reader of the site sees what is
computed and printed, and opens the rest with a click.
"""

from __future__ import annotations

import ast

from docutils import nodes
from sphinx.application import Sphinx

# Functions whose calls check something, and others that are defined beside them.
CHECKS = {"check"}
HELPERS = {"check", "error_of"}


def split(source: str) -> tuple[str, str]:
    """Return the lines of a cell that are shown, and those that are folded away."""
    lines = source.splitlines()
    # A magic of IPython is no Python.
    plain = ["" if line.startswith("%") else line for line in lines]
    folded: set[int] = set()
    for statement in ast.parse("\n".join(plain)).body:
        if _only_checks(statement):
            assert statement.end_lineno is not None
            folded |= set(range(statement.lineno - 1, statement.end_lineno))
    parts = ([], [])
    for number, line in enumerate(lines):
        parts[number in folded].append(line)
    shown, checks = ("\n".join(part).strip("\n") for part in parts)
    return shown, checks


def _only_checks(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.FunctionDef):
        return statement.name in HELPERS
    call = statement.value if isinstance(statement, ast.Expr) else None
    return (
        isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id in CHECKS
    )


def fold(app: Sphinx, doctree: nodes.document) -> None:
    """Fold the checks of the cells of a chapter."""
    if not app.env.docname.startswith("notebooks/"):
        return
    for block in list(doctree.findall(nodes.literal_block)):
        cell = block.parent
        if "cell_input" not in cell.get("classes", ()):
            continue
        shown, checks = split(block.astext())
        if not checks:
            continue
        begin = "<details class='checks'><summary>checks</summary>"
        parts: list[nodes.Node] = [nodes.raw("", begin, format="html")]
        parts += [_like(block, checks), nodes.raw("", "</details>", format="html")]
        if shown:
            parts.insert(0, _like(block, shown))
        cell.replace(block, parts)


def _like(block: nodes.literal_block, text: str) -> nodes.literal_block:
    """Return a block of the same kind with another text."""
    attributes = {key: v for key, v in block.attributes.items() if key != "ids"}
    return nodes.literal_block(text, text, **attributes)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("doctree-read", fold)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
