"""The gallery: pictures that the library draws, each with the script that drew it.

``.. gallery::`` lists scripts of ``docs/gallery`` by name. A build runs them. The
docstring of a script is a title and a text, and its ``figure`` is the picture: a figure
of matplotlib, or a film.
"""

from __future__ import annotations

import ast
import runpy
from pathlib import Path
from typing import NamedTuple

from docutils import nodes
from docutils.statemachine import StringList
from matplotlib.figure import Figure
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import nested_parse_with_titles

from nnfs_xp import plots

SCRIPTS = Path("gallery")
PICTURES = SCRIPTS / "generated"


class Entry(NamedTuple):
    """What the page says of one script."""

    name: str
    title: str
    text: str
    code: str
    functions: list[str]


def read(script: Path) -> Entry:
    """Return the title, text and code of a script."""
    source = script.read_text(encoding="utf-8")
    module = ast.parse(source)
    title, _, text = (ast.get_docstring(module) or "").partition("\n\n")
    code = "\n".join(source.splitlines()[module.body[0].end_lineno :])
    functions = [
        alias.name
        for statement in module.body
        if isinstance(statement, ast.ImportFrom) and statement.module == plots.__name__
        for alias in statement.names
        if alias.name in plots.__all__
    ]
    return Entry(script.stem, title, text, code.strip(), functions)


def draw(script: Path, folder: Path) -> Path:
    """Run a script, and return the file of its picture."""
    figure = runpy.run_path(str(script))["figure"]
    if isinstance(figure, Figure):
        path = folder / f"{script.stem}.png"
        plots.save_figure(figure, path)
    else:
        path = folder / f"{script.stem}.gif"
        plots.save_animation(figure, path)
    return path


def draw_all(app: Sphinx) -> None:
    """Draw the pictures of all scripts."""
    folder = Path(app.srcdir, PICTURES)
    folder.mkdir(exist_ok=True)
    wanted = {draw(s, folder) for s in Path(app.srcdir, SCRIPTS).glob("*.py")}
    for path in set(folder.iterdir()) - wanted:
        path.unlink()


class Gallery(SphinxDirective):
    """Small pictures that lead to large ones, each with its text and code."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Return a grid of small pictures, and a section for each."""
        source = Path(self.env.srcdir)
        small, large = [".. container:: gallery", ""], []
        for name in self.content:
            script = source / SCRIPTS / f"{name}.py"
            self.env.note_dependency(str(script))
            entry = read(script)
            (picture,) = (source / PICTURES).glob(f"{name}.*")
            address = f"/{picture.relative_to(source).as_posix()}"
            small += [f"   {line}" for line in thumbnail(entry, address)]
            large += section(entry, address)
        node = nodes.section(document=self.state.document)
        lines = StringList([*small, "", *large], "gallery")
        nested_parse_with_titles(self.state, lines, node)
        return node.children


def thumbnail(entry: Entry, address: str) -> list[str]:
    """Return a small picture that leads to its section."""
    return [
        f".. figure:: {address}",
        f"   :alt: {entry.title}",
        f"   :target: #{label(entry)}",
        "",
        f"   {entry.title}",
        "",
    ]


def label(entry: Entry) -> str:
    """Return the name of a section in an address."""
    return f"gallery-{entry.name.replace('_', '-')}"


def section(entry: Entry, address: str) -> list[str]:
    """Return a heading, the text, the picture and, folded away, the code."""
    links = ", ".join(f":obj:`~nnfs_xp.plots.{name}`" for name in entry.functions)
    begin = "<details class='checks'><summary>code of this figure</summary>"
    return [
        f".. _{label(entry)}:",
        "",
        entry.title,
        "-" * len(entry.title),
        "",
        *entry.text.splitlines(),
        "",
        f"Drawn by {links}." if links else "",
        "",
        ".. container:: picture",
        "",
        f"   .. image:: {address}",
        f"      :alt: {entry.title}",
        "",
        ".. raw:: html",
        "",
        f"   {begin}",
        "",
        ".. code-block:: python",
        "",
        *(f"   {line}" for line in entry.code.splitlines()),
        "",
        ".. raw:: html",
        "",
        "   </details>",
        "",
    ]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("builder-inited", draw_all)
    app.add_directive("gallery", Gallery)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
