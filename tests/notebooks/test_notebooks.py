"""Every chapter runs from top to bottom, on every backend.

On one backend only, such as that of a GPU machine::

    $ NNFS_XP_BACKEND=cupy python -m pytest tests/notebooks
"""

import ast
import re
import shutil
import subprocess
import sys
import types

import pytest

import nnfs_xp as nx
from tests.notebooks.chapters import CHAPTERS, FOLDER, cells_of, run, statements_of
from tests.plots.conftest import find_problems

# Where the project will be published; the badges lead there.
REPOSITORY = "nnfs-xp/nnfs-xp"

each_chapter = pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda c: c.stem)


@each_chapter
def test_runs(chapter, chapter_backend, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    figures, _ = run(chapter)
    assert figures, "a chapter draws what it talks about"


@each_chapter
def test_pictures_are_whole(chapter, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NNFS_XP_BACKEND", "numpy")
    figures, _ = run(chapter)
    for number, figure in enumerate(figures, start=1):
        assert not find_problems(figure), f"figure {number}"
        for ax in figure.axes:
            # What has axes to read numbers from says what they are.
            if ax.axison and ax.get_label() != "<colorbar>":
                assert any(ax.get_title(loc=side) for side in ("left", "center"))
                assert ax.get_xlabel() and ax.get_ylabel(), ax.get_title(loc="left")


@each_chapter
def test_begins_with_badge_and_runtime(chapter):
    first = cells_of(chapter, "markdown")[0]
    address = f"{REPOSITORY}/blob/main/docs/notebooks/{chapter.name}"
    colab = f"https://colab.research.google.com/github/{address}"
    # A picture of our own, so that the pages are whole without the network.
    assert f"[![Open in Colab](colab.svg)]({colab})" in first
    assert "Runtime > Change runtime type" in first


@pytest.mark.parametrize("has_gpu", [True, False], ids=["with a GPU", "without"])
@each_chapter
def test_the_first_cell_sets_colab_up(chapter, has_gpu, monkeypatch):
    """It installs the package, chooses a backend, and has it multiply."""
    commands, asked = [], []
    monkeypatch.setitem(sys.modules, "google.colab", types.ModuleType("google.colab"))
    tool = "/usr/bin/nvidia-smi" if has_gpu else None
    monkeypatch.setattr(shutil, "which", lambda name: tool)
    monkeypatch.setattr(
        subprocess, "run", lambda command, check: commands.append((command, check))
    )
    monkeypatch.setattr(nx, "get_backend", lambda name, **options: asked.append(name))
    monkeypatch.setenv("NNFS_XP_BACKEND", "jax")
    exec(cells_of(chapter)[0], {})
    package = "nnfs-xp[cuda12]" if has_gpu else "nnfs-xp"
    wanted = f"{package} @ git+https://github.com/{REPOSITORY}"
    pip = [sys.executable, "-m", "pip", "install", "-q", wanted]
    assert commands == [(pip, True)]
    assert asked == ["cupy" if has_gpu else "numpy"]


@each_chapter
def test_the_first_cell_installs_nothing_elsewhere(chapter, monkeypatch):
    monkeypatch.setattr(subprocess, "run", None)
    monkeypatch.setenv("NNFS_XP_BACKEND", "numpy")
    names = {}
    exec(cells_of(chapter)[0], names)
    assert names["be"].name == "numpy"


@each_chapter
def test_one_cell_chooses_the_backend(chapter):
    asked = [cell for cell in cells_of(chapter) if "NNFS_XP_BACKEND" in cell]
    assert len(asked) == 1
    assert asked[0] == cells_of(chapter)[0]


def test_helpers_are_the_same_in_all_chapters():
    """A chapter stands by itself, so it defines what it checks with."""
    written = {"check": set(), "error_of": set()}
    for chapter in CHAPTERS:
        for statement, _ in statements_of(chapter):
            if isinstance(statement, ast.FunctionDef) and statement.name in written:
                written[statement.name].add(ast.unparse(statement))
    assert {name: len(texts) for name, texts in written.items()} == {
        "check": 1,
        "error_of": 1,
    }


def test_index_lists_every_chapter():
    index = (FOLDER / "index.md").read_text()
    toctree = index.split("```{toctree}")[1].split("```")[0]
    listed = re.findall(r"^\d\d_\w+$", toctree, re.MULTILINE)
    assert listed == [chapter.stem for chapter in CHAPTERS]
