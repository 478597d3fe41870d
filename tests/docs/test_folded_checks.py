"""What the site folds away in the chapters are their checks, and nothing else."""

import sys

import pytest

from tests.docs.test_docs import DOCS
from tests.notebooks.chapters import CHAPTERS, cells_of

CELL = """%matplotlib inline
def check(name, found, expected):
    assert found == expected

total = sum(
    [1, 2]
)
check(
    "total", total, 3
)
print(check, total)
check("again", total, 3)"""


@pytest.fixture
def split(monkeypatch):
    pytest.importorskip("sphinx", reason="pip install 'nnfs-xp[docs]'")
    monkeypatch.setattr(sys, "path", [str(DOCS), *sys.path])
    from _ext.folded_checks import split

    return split


def test_calls_and_the_function_are_folded(split):
    shown, checks = split(CELL)
    assert shown == (
        "%matplotlib inline\n\ntotal = sum(\n    [1, 2]\n)\nprint(check, total)"
    )
    assert checks.startswith("def check(name")
    assert checks.endswith('    "total", total, 3\n)\ncheck("again", total, 3)')


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.stem)
def test_no_line_of_a_chapter_is_lost(chapter, split):
    folded = 0
    for source in cells_of(chapter):
        shown, checks = split(source)
        lines = [line for line in source.splitlines() if line]
        kept = [line for line in (shown + "\n" + checks).splitlines() if line]
        assert sorted(kept) == sorted(lines)
        assert not any(line.startswith("check(") for line in shown.splitlines())
        folded += bool(checks)
    assert folded > 3
