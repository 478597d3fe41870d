"""The chapters check every figure that they name.

A figure stands in a chapter as ``check("001.mean", found, 0.385...)``. Those of the
source notebooks are all there: the row of ``seeds.json``, what the chapter computed,
and what the notebook printed.
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
    return [(name_of(c), ast.literal_eval(c.args[2])) for c in calls]


def name_of(call):
    """Return the name of a figure; one made of several parts, as it is written."""
    name = call.args[0]
    return name.value if isinstance(name, ast.Constant) else ast.unparse(name)


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


def bound_of(chapter, name):
    """Return how far a figure may be from what is written."""
    row = ROWS.get(name, {})
    if chapter.stem not in FROM_NOTEBOOKS.values():
        # In a training, rounding is carried on from step to step.
        return 1e-5 if "float32" in str(name) else 1e-8
    single = 1e-6 if row.get("id") == "000.f32" else 1e-12
    return max(row.get("rtol", single), row.get("atol", 0))


@each_chapter
def test_tolerances_are_no_wider_than_they_must_be(chapter):
    for statement, _ in statements_of(chapter):
        for call in check_calls(statement):
            name = name_of(call)
            assert tolerance_of(call) <= bound_of(chapter, name), name


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


@pytest.mark.slow
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
    assert changes
