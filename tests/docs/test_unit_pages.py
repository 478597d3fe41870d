"""Every unit has all that its page needs, and every picture can be read."""

import inspect
import re
import sys

import pytest

from nnfs_xp.registry import UNITS
from tests.docs.test_docs import DOCS
from tests.plots.conftest import find_problems

pytest.importorskip("matplotlib")
ALL_UNITS = [(kind, name) for kind, units in UNITS.items() for name in units]
DERIVED = ("layer", "loss", "optimizer", "regularizer")


@pytest.fixture(scope="module", autouse=True)
def extensions():
    """Make the modules of ``docs/_ext`` importable."""
    sys.path.insert(0, str(DOCS))
    yield
    sys.path.remove(str(DOCS))


@pytest.mark.parametrize(("kind", "name"), ALL_UNITS)
def test_picture_can_be_read(kind, name):
    from _ext.pictures import figure_of

    figure = figure_of(kind, name)
    assert find_problems(figure) == []
    for ax in figure.axes:
        drawn = ax.lines or ax.images or ax.patches or ax.collections
        assert drawn, "an empty panel"


@pytest.mark.parametrize(("kind", "name"), ALL_UNITS)
def test_shapes_are_those_of_the_cases(kind, name):
    from _ext.shapes import shapes_of

    head, *rows = shapes_of(kind, name)
    assert rows
    assert {len(row) for row in rows} == {len(head)}


def test_pictures_are_of_units_only():
    from _ext.pictures import PICTURES

    assert {kind: set(own) for kind, own in PICTURES.items()} == {
        kind: set(units) for kind, units in UNITS.items()
    }


def test_what_is_derived_has_a_derivation():
    derivations = {path.stem for path in (DOCS / "units" / "derivations").glob("*.md")}
    wanted = {name for kind in DERIVED for name in UNITS[kind]}
    assert wanted <= derivations
    assert derivations <= {name for _, name in ALL_UNITS}


@pytest.mark.parametrize(
    "path", sorted((DOCS / "units" / "derivations").glob("*.md")), ids=lambda p: p.stem
)
def test_mathematics_of_derivations_is_closed(path):
    text = path.read_text()
    assert text.count("$$") % 2 == 0
    inline = re.sub(r"\$\$.*?\$\$", "", text, flags=re.DOTALL)
    assert inline.count("$") % 2 == 0
    assert text.count("{") == text.count("}")
    for size in ("left", "bigl", "Bigl"):
        other = size.replace("left", "right").replace("igl", "igr")
        # No letter may follow, as one does in leftarrow.
        opened, closed = (
            len(re.findall(rf"\\{word}(?![a-z])", text)) for word in (size, other)
        )
        assert opened == closed, size


@pytest.mark.parametrize(("kind", "name"), ALL_UNITS)
def test_docstring_has_what_the_page_shows(kind, name):
    docstring = inspect.getdoc(UNITS[kind][name])
    assert "Examples\n--------" in docstring


def test_a_unit_without_its_parts_stops_the_build(monkeypatch):
    pytest.importorskip("sphinx")
    from _ext.unit_pages import missing_parts

    class Unfinished:
        """A layer with no more than this."""

    assert missing_parts(DOCS) == []
    monkeypatch.setitem(UNITS["layer"], "Unfinished", Unfinished)
    assert [problem.split(": ")[1] for problem in missing_parts(DOCS)] == [
        "its docstring has no Examples",
        "there is no units/derivations/Unfinished.md",
        "_ext/pictures has no picture of it",
    ]
