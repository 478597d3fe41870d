"""Write a page for every registered unit when the documentation is built.

Formula, example and references come out of the docstring, shapes and picture out of the
cases of the tests, and the derivation, where there is one, out of
``docs/units/derivations/NAME.md``. A unit that lacks a part it should have fails the
build.
"""

from __future__ import annotations

import inspect
from pathlib import Path

from numpydoc.docscrape import NumpyDocString
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

from _ext.capability_table import rows_of_unit
from _ext.pictures import PICTURES, figure_of
from _ext.shapes import shapes_of
from _ext.tables import list_table
from _ext.unit_lists import stated_gradient
from nnfs_xp.plots import save_figure
from nnfs_xp.registry import UNITS
from tests.matrix.cases import ALL

# A unit of these kinds has a gradient or an update that is derived.
DERIVED = ("loss", "optimizer", "regularizer")
DERIVATIONS = Path("units", "derivations")
PAGES = Path("units", "generated")


def write_pages(app: Sphinx) -> None:
    """Write the pages and pictures of all units."""
    source = Path(app.srcdir)
    problems = missing_parts(source)
    if problems:
        raise ExtensionError("units without a complete page:\n" + "\n".join(problems))
    wanted = set()
    for kind, units in UNITS.items():
        folder = source / PAGES / kind
        folder.mkdir(parents=True, exist_ok=True)
        for name, unit in units.items():
            page, picture = folder / f"{name}.rst", folder / f"{name}.png"
            wanted |= {page, picture}
            save_figure(figure_of(kind, name), picture)
            write_if_changed(page, page_of(source, kind, name, unit))
    for path in (source / PAGES).rglob("*.*"):
        if path not in wanted:
            path.unlink()


def has_parts(unit: object) -> bool:
    """Return whether a layer has parameters, or units inside."""
    return bool(unit.parameters() or unit.children)  # type: ignore[attr-defined]


def lacks_derivation(source: Path, kind: str, name: str) -> str:
    """Return what of a derivation is missing, empty if nothing is.

    A loss, an optimizer, a regularizer, and a layer with parameters or units inside
    have a page where it is derived. For an activation and other small layers a
    docstring that states the gradient will do.
    """
    page = DERIVATIONS / f"{name}.md"
    if (source / page).exists():
        return ""
    if kind in DERIVED or (kind == "layer" and has_parts(ALL[kind][name][0].make())):
        return f"there is no {page}"
    if kind == "layer" and not stated_gradient(UNITS[kind][name]):
        return f"neither its docstring states the gradient, nor is there a {page}"
    return ""


def missing_parts(source: Path) -> list[str]:
    """Return what units lack, and pictures and derivations of no unit."""
    problems = []
    for kind, units in UNITS.items():
        for name, unit in units.items():
            doc = NumpyDocString(inspect.getdoc(unit) or "")
            for part in ("Summary", "Examples"):
                if not doc[part]:
                    problems.append(f"{name}: its docstring has no {part}")
            if not ALL[kind].get(name):
                problems.append(f"{name}: there is no case in tests/matrix/cases")
            elif lacking := lacks_derivation(source, kind, name):
                problems.append(f"{name}: {lacking}")
        surplus = set(PICTURES[kind]) - set(units)
        problems += [f"{name}: a picture of no unit" for name in sorted(surplus)]
    known = {name for units in UNITS.values() for name in units}
    pages = {path.stem for path in (source / DERIVATIONS).glob("*.md")}
    problems += [f"{name}: a derivation of no unit" for name in sorted(pages - known)]
    return problems


def page_of(source: Path, kind: str, name: str, unit: type) -> str:
    """Return the page of one unit, as reStructuredText."""
    doc = NumpyDocString(inspect.getdoc(unit) or "")
    parts = [
        f".. _unit-{name}:\n\n.. currentmodule:: nnfs_xp",
        heading(name, "="),
        f"{'An' if kind[0] in 'aeiou' else 'A'} {kind}. Its arguments are in the API "
        f"reference: :class:`{name}`.",
        "\n".join(doc["Summary"]),
        "\n".join(doc["Extended Summary"]),
        f".. container:: picture\n\n   .. image:: {name}.png\n"
        f"      :alt: {alt_text(kind, name)}",
        heading("Shapes", "-"),
        list_table(shapes_of(kind, name)),
    ]
    if (source / DERIVATIONS / f"{name}.md").exists():
        parts += [
            heading("Derivation", "-"),
            f".. include:: /{DERIVATIONS.as_posix()}/{name}.md\n"
            "   :parser: myst_parser.sphinx_",
        ]
    parts += [heading("Example", "-"), "\n".join(doc["Examples"])]
    if doc["References"]:
        parts += [heading("References", "-"), "\n".join(doc["References"])]
    parts += [
        heading("Where it works", "-"),
        "This table shows how many tests of the matrix passed; :doc:`/capabilities` "
        "explains how they are run.",
        list_table(rows_of_unit(source, kind, name)),
    ]
    return "\n\n".join(part for part in parts if part.strip()) + "\n"


def heading(text: str, line: str) -> str:
    """Return a heading."""
    return f"{text}\n{line * len(text)}"


def alt_text(kind: str, name: str) -> str:
    """Return what stands for the picture where it cannot be seen."""
    what = {
        "layer": "what it makes of its inputs, and its derivative",
        "loss": "loss and gradient against the prediction",
        "optimizer": "its path down a narrow valley",
        "metric": "what it measures",
        "initializer": "the values it draws",
        "regularizer": "penalty and gradient against the parameter",
        "constraint": "where it moves columns of two weights",
        "schedule": "the learning rate over the steps",
    }
    return f"{name}: {what[kind]}"


def write_if_changed(path: Path, text: str) -> None:
    """Write a page only if it is new, so that Sphinx reads only what changed."""
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("builder-inited", write_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
