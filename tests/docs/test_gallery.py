"""The gallery shows every function that draws, in pictures that can be read."""

import pytest

from tests.docs.test_docs import DOCS
from tests.plots.conftest import find_problems

pytest.importorskip("sphinx", reason="pip install 'nnfs-xp[docs]'")
plots = pytest.importorskip("nnfs_xp.plots")
SCRIPTS = sorted((DOCS / "gallery").glob("*.py"))


@pytest.fixture(autouse=True)
def extensions(monkeypatch):
    """Make the modules of ``docs/_ext`` importable."""
    monkeypatch.syspath_prepend(DOCS)


def test_every_function_that_draws_is_shown():
    from _ext.gallery import read

    drawing = {
        name
        for name in plots.__all__
        if getattr(plots, name).__annotations__.get("return")
        in ("Figure", "FuncAnimation")
    }
    shown = {name for script in SCRIPTS for name in read(script).functions}
    assert len(drawing) > 10
    assert drawing - shown == set()


def test_the_page_lists_every_script_once():
    lines = (DOCS / "gallery.md").read_text().splitlines()
    listed = [line.strip() for line in lines if line.startswith("   ")]
    assert sorted(listed) == [script.stem for script in SCRIPTS]


def test_a_script_is_read_into_its_parts():
    from _ext.gallery import read

    entry = read(DOCS / "gallery" / "layer_histograms.py")
    assert entry.title == "Histograms of any arrays"
    assert entry.text.startswith("``layer_histograms`` accepts any arrays.")
    assert entry.code.startswith("from nnfs_xp import Dense")
    assert entry.code.endswith('"weight")')
    assert entry.functions == ["layer_histograms"]


@pytest.mark.slow
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_script_draws_what_can_be_read(script, tmp_path, monkeypatch):
    from _ext import gallery

    drawn = []
    save = gallery.plots.save_figure

    def watched(figure, path):
        drawn.append(figure)
        save(figure, path)

    monkeypatch.setattr(gallery.plots, "save_figure", watched)
    picture = gallery.draw(script, tmp_path)
    assert picture.stat().st_size > 5000
    assert [find_problems(figure) for figure in drawn] == [[]] * len(drawn)
    assert bool(drawn) == (picture.suffix == ".png")
