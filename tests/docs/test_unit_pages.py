"""Every unit has all that its page needs, and every picture can be read."""

import inspect
import re
import sys

import numpy as np
import pytest

import nnfs_xp as nx
from nnfs_xp.registry import UNITS, export_units
from tests.docs.test_docs import DOCS
from tests.matrix.cases import ALL
from tests.matrix.cases.types import LayerCase
from tests.plots.conftest import find_problems

pytest.importorskip("matplotlib")
ALL_UNITS = [(kind, name) for kind, units in UNITS.items() for name in units]


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


@pytest.mark.slow
@pytest.mark.parametrize("kind", UNITS)
def test_every_kind_has_a_picture_for_any_of_its_units(kind):
    """Also for those that have a better one."""
    from _ext.pictures import DEFAULTS

    # It predicts two numbers for each target, so no curve over one can show it.
    for name in [n for n in UNITS[kind] if n != "GaussianNegativeLogLikelihood"]:
        figure = DEFAULTS[kind](ALL[kind][name])
        assert find_problems(figure) == [], name
        for ax in figure.axes:
            assert ax.lines or ax.images or ax.patches or ax.collections, name


def test_what_is_derived_has_a_derivation():
    from _ext.unit_pages import DERIVED, has_parts, missing_parts

    pages = {path.stem for path in (DOCS / "units" / "derivations").glob("*.md")}
    of_layers = {n for n, cases in ALL["layer"].items() if has_parts(cases[0].make())}
    assert {"Dense", "BatchNorm", "Embedding", "Residual", "Parallel"} <= of_layers
    assert of_layers | {name for kind in DERIVED for name in UNITS[kind]} <= pages
    assert pages <= {name for _, name in ALL_UNITS}
    assert missing_parts(DOCS) == []


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
    from _ext.pictures import PICTURES
    from _ext.unit_pages import missing_parts

    class Unfinished(nx.Layer):
        """A layer with no more than this."""

    def parts():
        return [problem.partition(": ")[2] for problem in missing_parts(DOCS)]

    monkeypatch.setitem(UNITS["layer"], "Unfinished", Unfinished)
    no_example = "its docstring has no Examples"
    assert parts() == [no_example, "there is no case in tests/matrix/cases"]
    case = LayerCase(Unfinished, np.zeros((1, 1)), None)
    monkeypatch.setitem(ALL["layer"], "Unfinished", [case])
    page = "units/derivations/Unfinished.md"
    stated = f"neither its docstring states the gradient, nor is there a {page}"
    assert parts() == [no_example, stated]
    Unfinished.__doc__ = "A layer. Its gradient is ``dx = dy``."
    assert parts() == [no_example]
    # One with parameters is derived, whatever its docstring says.
    monkeypatch.setattr(Unfinished, "parameters", lambda self: {"w": ("ones", (1,))})
    assert parts() == [no_example, f"there is no {page}"]
    monkeypatch.setitem(PICTURES["layer"], "Nobody", None)
    assert parts()[-1] == "a picture of no unit"


TANH_SHRINK = '''
from nnfs_xp.layers import Layer
from nnfs_xp.registry import register


@register("layer")
class TanhShrink(Layer):
    """Subtract the hyperbolic tangent from the inputs, ``y = x - tanh(x)``.

    Its gradient is ``dx = dy tanh(x)^2``. Inputs may have any shape.

    Examples
    --------
    >>> from nnfs_xp import TanhShrink
    >>> TanhShrink(dtype="float64").forward([[-3.0, 0.0, 1.0]]).round(4)
    array([[-2.0049,  0.    ,  0.2384]])
    """

    def fwd(self, cx, x):
        t = cx.xp.tanh(x)
        return x - t, t

    def bwd(self, cx, t, dy):
        return dy * t * t
'''


def test_an_activation_is_its_file_and_its_case(tmp_path, monkeypatch):
    """Lists, tables, page and picture come from these two, and from nothing else."""
    pytest.importorskip("sphinx")
    from _ext.pictures import figure_of
    from _ext.unit_lists import groups, rows_of_group, rows_of_index
    from _ext.unit_pages import missing_parts, page_of

    monkeypatch.setitem(UNITS, "layer", dict(UNITS["layer"]))
    monkeypatch.setitem(ALL, "layer", dict(ALL["layer"]))
    (tmp_path / "tanh_shrink.py").write_text(TANH_SHRINK)
    package = nx.activations
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    before = set(nx.activations.__all__)
    assert set(export_units(package.__name__)) == before | {"TanhShrink"}
    # For good: monkeypatch would put both back.
    del package.TanhShrink, sys.modules["nnfs_xp.activations.tanh_shrink"]
    unit = UNITS["layer"]["TanhShrink"]
    x = np.random.default_rng(0).standard_normal((6, 5))
    ALL["layer"]["TanhShrink"] = [LayerCase(unit, x, lambda torch, p, x: None)]

    assert missing_parts(DOCS) == []
    assert "TanhShrink" in groups()["activation"]
    assert "TanhShrink" not in groups()["layer"]
    link = ":ref:`TanhShrink <unit-TanhShrink>`"
    rows = {row[0]: row[1:] for row in rows_of_group("activation")}
    assert rows[link] == [
        "Subtract the hyperbolic tangent from the inputs, ``y = x - tanh(x)``.",
        "``dx = dy tanh(x)^2``",
    ]
    assert any(link in units for _, units in rows_of_index())
    page = page_of(DOCS, "layer", "TanhShrink", unit)
    for part in ("Shapes\n---", "``(6, 5)``", "TanhShrink.png", "Where it works\n---"):
        assert part in page
    # No derivation is included, as the docstring states the gradient.
    assert "Derivation" not in page
    (ax,) = figure_of("layer", "TanhShrink").axes
    y, slope = (line.get_ydata() for line in ax.lines[-2:])
    at = ax.lines[-1].get_xdata()
    np.testing.assert_allclose(y, at - np.tanh(at), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(slope, np.tanh(at) ** 2, rtol=1e-5, atol=1e-6)


def test_pages_list_units_by_the_registry_only():
    """A table that is typed would have to be touched for every new unit."""
    for page in ("index", "layers", "activations", "losses", "metrics", "optimizers"):
        text = (DOCS / f"{page}.md").read_text()
        assert "{eval-rst}" in text, page
        for kind, name in ALL_UNITS:
            assert not re.search(rf"^\| \[?`{name}[(`]", text, re.M), (page, kind, name)
    listed = re.findall(r"^\.\. unit-list:: (.+)$", (DOCS / "api.md").read_text(), re.M)
    from _ext.unit_lists import groups

    assert sorted(" ".join(listed).split()) == sorted(groups())
