"""Each chapter is a MyST page and the same as a notebook without outputs."""

import importlib.util
import json

import pytest

from tests.notebooks.chapters import CHAPTERS, FOLDER

PAGES = sorted(FOLDER.glob("[0-9][0-9]_*.md"))
AGAIN = "python docs/notebooks/pair.py"

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


@pytest.fixture(scope="module")
def pair():
    reason = "jupytext is not installed: pip install 'nnfs-xp[docs]'"
    pytest.importorskip("jupytext", reason=reason)
    spec = importlib.util.spec_from_file_location("pair", FOLDER / "pair.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_page_has_a_notebook():
    assert PAGES
    assert [page.with_suffix(".ipynb") for page in PAGES] == CHAPTERS, AGAIN


@each_page
def test_notebook_is_that_of_the_page(page, pair):
    assert page.with_suffix(".ipynb").read_text() == pair.notebook_text(page), AGAIN


@each_page
def test_page_is_that_of_the_notebook(page, pair):
    """Nothing of a page is lost on the way; only its header is not compared."""
    notebook = pair.jupytext.read(page.with_suffix(".ipynb"))
    written = pair.jupytext.writes(notebook, fmt="md:myst")
    assert written.split("---\n", 2)[2] == page.read_text().split("---\n", 2)[2]


@each_page
def test_notebook_has_no_outputs(page):
    notebook = json.loads(page.with_suffix(".ipynb").read_text())
    for cell in notebook["cells"]:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
