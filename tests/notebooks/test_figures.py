"""The chapters carry every figure of the source notebooks, and check it.

A figure stands in a chapter as ``check("001.mean", found, 0.385...)``: the row of
``seeds.json``, what the chapter computed, and what the notebook printed.
"""

import ast
import copy
import json
from pathlib import Path

import pytest

from tests.notebooks.chapters import CHAPTERS, evaluate, run, statements_of

SEEDS = Path(__file__).parents[1] / "conformance" / "seeds.json"
ROWS = {row["id"]: row for row in json.loads(SEEDS.read_text())["rows"]}
# The chapters that were written from the notebooks, by the notebook's number.
FROM_NOTEBOOKS = {
    "000": "01_why_a_loss",
    "001": "02_from_one_sample_to_a_class",
    "002": "03_two_layers",
    "003": "04_confidence",
    "004": "05_backward_passes",
}

each_chapter = pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda c: c.stem)


def check_calls(statement):
    """Return the calls of ``check`` in a statement."""
    return [
        node
        for node in ast.walk(statement)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "check"
    ]


def figures_of(chapter):
    """Return each name that a chapter checks, with the figure that it expects."""
    calls = [
        c for statement, _ in statements_of(chapter) for c in check_calls(statement)
    ]
    return [(ast.literal_eval(c.args[0]), ast.literal_eval(c.args[2])) for c in calls]


def tolerance_of(call):
    given = {word.arg: ast.literal_eval(word.value) for word in call.keywords}
    return max(given.get("rtol", 1e-12), given.get("atol", 0.0))


@pytest.mark.parametrize("row", list(ROWS.values()), ids=list(ROWS))
def test_every_row_stands_in_its_chapter(row):
    name = FROM_NOTEBOOKS[row["id"][:3]]
    chapter = {chapter.stem: chapter for chapter in CHAPTERS}[name]
    figures = [figure for name, figure in figures_of(chapter) if name == row["id"]]
    assert figures and all(figure == row["expect"] for figure in figures)


@each_chapter
def test_rows_that_are_named_exist(chapter):
    number = {name: number for number, name in FROM_NOTEBOOKS.items()}.get(chapter.stem)
    for row, _ in figures_of(chapter):
        if row[:3].isdigit():
            assert row in ROWS and row.startswith(f"{number}."), row


@each_chapter
def test_tolerances_are_those_of_the_rows(chapter):
    for statement, _ in statements_of(chapter):
        for call in check_calls(statement):
            row = ROWS.get(ast.literal_eval(call.args[0]), {})
            single = 1e-6 if row.get("id") == "000.f32" else 1e-12
            assert tolerance_of(call) <= max(
                row.get("rtol", single), row.get("atol", 0)
            )


def with_one_number_changed(statement, name):
    """Yield copies of a statement, each with another number in a figure."""
    for place, call in enumerate(check_calls(statement)):
        change = 10 * tolerance_of(call)
        numbers = [n for n in ast.walk(call.args[2]) if isinstance(n, ast.Constant)]
        assert numbers, f"{name}: a check without a figure"
        for index in range(len(numbers)):
            changed = copy.deepcopy(statement)
            figure = check_calls(changed)[place].args[2]
            node = [n for n in ast.walk(figure) if isinstance(n, ast.Constant)][index]
            node.value = node.value * (1 + change) if node.value else change
            yield changed


@each_chapter
def test_a_changed_figure_is_noticed(chapter, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NNFS_XP_BACKEND", "numpy")
    changes = []

    def try_changes(statement, name, namespace):
        for changed in with_one_number_changed(statement, name):
            changes.append(changed)
            with pytest.raises(AssertionError):
                evaluate(changed, name, namespace)

    run(chapter, before=try_changes)
    assert changes or chapter.stem not in FROM_NOTEBOOKS.values()
