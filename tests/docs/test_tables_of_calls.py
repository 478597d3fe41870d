"""The tables of calls: what stands in them runs, on both sides where it can."""

import ast
import contextlib
import importlib.util
import io
import re
from pathlib import Path

import pytest

from tests.docs.test_docs import DOCS, blocks_of

PAGES = sorted(DOCS.glob("coming-from-*.md"))
ROW = re.compile(r"^\| (?P<there>.*`.*) \| (?P<here>.*) \|$", re.MULTILINE)
CODE = re.compile(r"`([^`]+)`")
LEAST_ROWS = 25

PYTORCH = """
import torch
from torch import nn
from torch.nn import functional as F
inputs, targets = torch.zeros(6, 4), torch.tensor([0, 1, 2, 0, 1, 2])
linear = nn.Linear(4, 3)
net = nn.Sequential(linear)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
"""


def rows_of(page):
    return [(row["there"], row["here"]) for row in ROW.finditer(page.read_text())]


def page_namespace(page):
    namespace = {}
    for block in blocks_of(page):
        if block["language"] == "python":
            exec(block["text"], namespace)
    return namespace


def run_cells(cells, namespace):
    for cell in cells:
        found = CODE.findall(cell)
        assert found, f"no code in {cell!r}"
        # The first is the call; what follows in brackets explains it.
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(found[0], cell, "exec"), namespace)


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NNFS_XP_BACKEND", raising=False)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_right_hand_sides_run(page):
    rows = rows_of(page)
    assert len(rows) >= LEAST_ROWS
    run_cells([here for _, here in rows], page_namespace(page))


def test_the_books_side_runs():
    page = DOCS / "coming-from-the-book.md"
    run_cells([there for there, _ in rows_of(page)], page_namespace(page))


def test_pytorchs_side_runs(torch):
    namespace = {}
    exec(PYTORCH, namespace)
    rows = rows_of(DOCS / "coming-from-pytorch.md")
    run_cells([there for there, _ in rows], namespace)


def test_both_sides_of_a_step_of_the_book_agree():
    """Row by row, until the weights have changed."""
    page = DOCS / "coming-from-the-book.md"
    namespace = page_namespace(page)
    section = page.read_text().split("## A training step")[1].split("\n## ")[0]
    pairs = [(row["there"], row["here"]) for row in ROW.finditer(section)]
    exec("dense.weights = layer.weights", namespace)
    for there, here in pairs:
        run_cells([there], namespace)
        run_cells([here], namespace)
    for name in ("output", "dinputs", "dweights", "dbiases", "weights", "biases"):
        found = getattr(namespace["dense"], name)
        expected = getattr(namespace["layer"], name)
        assert abs(found - expected).max() < 1e-6, name
    assert abs(namespace["layer"].dweights).max() > 1e-4


def test_both_sides_of_a_step_of_pytorch_agree(torch):
    page = DOCS / "coming-from-pytorch.md"
    ours, theirs = page_namespace(page), {}
    exec(PYTORCH, theirs)
    theirs["inputs"] = torch.tensor(ours["x"])
    theirs["targets"] = torch.tensor(ours["y"])
    dense, linear = ours["dense"], theirs["linear"]
    dense.weights = linear.weight.detach().numpy().T
    dense.biases = linear.bias.detach().numpy()[None]
    section = page.read_text().split("## A manual training step")[1].split("\n## ")[0]
    for row in ROW.finditer(section):
        run_cells([row["there"]], theirs)
        run_cells([row["here"]], ours)
    found = linear.weight.detach().numpy().T
    assert abs(dense.weights - found).max() < 1e-6
    assert float(ours["value"]) == pytest.approx(theirs["value"].item(), rel=1e-5)


def public_names(package):
    """Return the names that a package offers, as its ``__init__`` says, unimported."""
    library, _, rest = package.partition(".")
    found = importlib.util.find_spec(library)
    if found is None:
        pytest.skip(f"{library} is not installed")
    (folder,) = found.submodule_search_locations
    source = Path(folder, *rest.split("."), "__init__.py").read_text()
    imports = [n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.ImportFrom)]
    return {alias.asname or alias.name for node in imports for alias in node.names}


def assert_named(page, names):
    """Each is there as a word in code, in a table or among what is left out."""
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    words = set(re.findall(r"\w+", " ".join(CODE.findall(text))))
    assert len(names) > 15
    assert sorted(set(names) - words) == []


@pytest.mark.parametrize("package", ["activations", "losses", "metrics"])
def test_every_name_of_keras_is_on_its_page(package):
    names = public_names(f"keras.{package}")
    helpers = {"get", "serialize", "deserialize"}
    # In losses and metrics, what is written in small letters is a function of its own.
    if package != "activations":
        names = {name for name in names if name[0].isupper()}
    assert_named(DOCS / "coming-from-keras.md", names - helpers)


def test_every_activation_and_loss_of_pytorch_is_on_its_page(torch):
    for module in (torch.nn.modules.activation, torch.nn.modules.loss):
        assert_named(DOCS / "coming-from-pytorch.md", module.__all__)
