"""Lists and tables of units, made of the registry.

A page that names units says which group it wants, and has all of them: those that are
added later too. The lists of the API reference are ``.. unit-list::``, tables with what
each unit computes ``.. unit-table::``, and the table of all groups ``.. unit-index::``.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from numpydoc.docscrape import NumpyDocString
from sphinx.application import Sphinx
from sphinx.ext.autosummary import Autosummary
from sphinx.ext.autosummary.generate import generate_autosummary_docs
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import nested_parse_with_titles

from _ext.tables import list_table
from nnfs_xp.registry import UNITS

# Where the pages of classes are written, and how `unit-list` has to call it.
STUBS = "api/generated"
ACTIVATIONS = "nnfs_xp.activations."


def is_activation(unit: type) -> bool:
    """Return whether a layer is one of the activations."""
    return unit.__module__.startswith(ACTIVATIONS)


def groups() -> dict[str, dict[str, type]]:
    """Return the units of each group by name, sorted: layers without activations."""
    found: dict[str, dict[str, type]] = {}
    for kind, units in UNITS.items():
        if kind == "layer":
            found["layer"] = {n: u for n, u in units.items() if not is_activation(u)}
            found["activation"] = {n: u for n, u in units.items() if is_activation(u)}
        else:
            found[kind] = dict(units)
    return {group: dict(sorted(units.items())) for group, units in found.items()}


def plural(group: str) -> str:
    """Return the word for several units of a group."""
    return "losses" if group == "loss" else f"{group}s"


def ref(name: str) -> str:
    """Return a link to a unit's page."""
    return f":ref:`{name} <unit-{name}>`"


def summary_of(unit: type) -> str:
    """Return the first sentence of a docstring."""
    return " ".join(NumpyDocString(inspect.getdoc(unit) or "")["Summary"])


def stated_gradient(unit: type) -> str:
    """Return the gradient that a docstring states, empty if it states none.

    It is a sentence such as "The gradient is ...", or a formula such as ``dx = dy``.
    """
    doc = NumpyDocString(inspect.getdoc(unit) or "")
    text = "\n".join([*doc["Summary"], *doc["Extended Summary"]])
    pattern = r"\b(?:The|Its)\s+gradient\b[^.]*?\sis\s(.+?)(?:\.|::)(?:\s|$)"
    sentence = re.search(pattern, text, re.DOTALL)
    if sentence:
        return " ".join(sentence[1].split())
    formula = re.search(r"\bd[xz] = [^`\n]+", text)
    return f"``{formula[0].strip()}``" if formula else ""


# What the tables of some groups say besides: a title, and a function of the unit.
_FURTHER: dict[str, list[tuple[str, Callable[[Any], str]]]] = {
    "activation": [("gradient", stated_gradient)],
    "loss": [("targets", lambda unit: unit.target_kind)],
    "metric": [
        ("targets", lambda unit: unit.target_kind),
        ("key", lambda unit: f"``{unit.name}``"),
    ],
}


def rows_of_group(group: str) -> list[list[str]]:
    """Return a row for each unit of a group, below a head."""
    further = _FURTHER.get(group, [])
    rows = [[group, "description", *(title for title, _ in further)]]
    for name, unit in groups()[group].items():
        cells = [ref(name), summary_of(unit)]
        rows.append([*cells, *(cell(unit) for _, cell in further)])
    return rows


def rows_of_index() -> list[list[str]]:
    """Return a row for each group, with links to all of its units."""
    return [
        ["kind", "units"],
        *([plural(g), ", ".join(map(ref, units))] for g, units in groups().items()),
    ]


def write_stubs(app: Sphinx) -> None:
    """Write the page of every class, as autosummary does for lists that it can see."""
    lines = [".. currentmodule:: nnfs_xp", "", ".. autosummary::", "   :toctree: ."]
    lines += ["", *(f"   {name}" for units in UNITS.values() for name in units)]
    source = Path(app.doctreedir, "units.rst")
    source.parent.mkdir(parents=True, exist_ok=True)
    source.write_text("\n".join(lines) + "\n", encoding="utf-8")
    generate_autosummary_docs([str(source)], Path(app.srcdir, STUBS), app=app)


class UnitList(Autosummary):
    """``.. unit-list:: GROUP ...``: the names of all units of these groups."""

    required_arguments = 1
    final_argument_whitespace = True
    has_content = False

    def run(self) -> list[nodes.Node]:
        """Return the list, and let the pages of the classes follow."""
        names = [n for group in self.arguments[0].split() for n in groups()[group]]
        self.content = StringList(names, "unit-list")
        self.options["toctree"] = STUBS
        return super().run()


class _Table(SphinxDirective):
    def rows(self) -> list[list[str]]:
        raise NotImplementedError

    def run(self) -> list[nodes.Node]:
        """Return the table."""
        node = nodes.section(document=self.state.document)
        lines = StringList(list_table(self.rows()).splitlines(), self.name)
        nested_parse_with_titles(self.state, lines, node)
        return node.children


class UnitTable(_Table):
    """``.. unit-table:: GROUP``: a row for each unit."""

    required_arguments = 1

    def rows(self) -> list[list[str]]:
        """Return the rows of the group."""
        return rows_of_group(self.arguments[0])


class UnitIndex(_Table):
    """``.. unit-index::``: a row for each group."""

    def rows(self) -> list[list[str]]:
        """Return the rows of all groups."""
        return rows_of_index()


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.add_directive("unit-list", UnitList)
    app.add_directive("unit-table", UnitTable)
    app.add_directive("unit-index", UnitIndex)
    app.connect("builder-inited", write_stubs)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
