"""Every example of the documentation runs, and prints what it says it prints.

In the pages, ``# -> `` stands before what a block of Python prints, and what a
command prints stands below it; ``...`` matches anything. A block that cannot
run on every machine has a comment ``<!-- not run: reason -->`` above it.
"""

import contextlib
import copy
import doctest
import importlib
import importlib.util
import inspect
import io
import os
import re
import shlex
from pathlib import Path

import pytest

import nnfs_xp
import nnfs_xp.book
import nnfs_xp.data
import nnfs_xp.parallel
import nnfs_xp.plots
import nnfs_xp.testing
import nnfs_xp.weights
from nnfs_xp.cli.main import main
from nnfs_xp.registry import UNITS

DOCS = Path(__file__).parents[2] / "docs"
# Neither what a build writes, nor notebooks, which run as a whole.
ELSEWHERE = {"_build", "generated", "notebooks"}
PAGES = [page for page in sorted(DOCS.rglob("*.md")) if not ELSEWHERE & set(page.parts)]
NOT_RUN = "<!-- not run: "
PRINTS = "# -> "
BLOCK = re.compile(
    r"^(?:<!-- not run: (?P<reason>[^\n]*) -->\n)?"
    r"```(?P<language>[^\n]*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
# Whatever else a block is, it is not an example that somebody could run.
LANGUAGES = {"python", "console", "text", "{eval-rst}", "{toctree}"}
# What a block must contain to be left out for each of the reasons.
REASONS = {
    "installs packages": r"^\$ .*\bpip install ",
    "runs the tests": r"^\$ .*\bpytest",
    "runs other libraries": r"^\$ python -m benchmarks\.",
    "takes long": r"^\$ python -m tests\.hostile\.fuzz ",
    "needs mlflow": r"^import mlflow$",
    "needs wandb": r"^import wandb$",
    "needs a CUDA GPU": r"cupy|cuda|gpu_report",
    "starts several processes": r"^\$ (mpiexec|torchrun) |dask.distributed",
}


def name_of(page):
    return page.relative_to(DOCS).with_suffix("").as_posix()


def blocks_of(page):
    return list(BLOCK.finditer(page.read_text()))


def printed_by(text):
    """Return what a block of Python says that it prints."""
    lines = text.splitlines(keepends=True)
    return "".join(line.removeprefix(PRINTS) for line in lines if PRINTS in line)


def console_steps(text):
    """Return each command of the block, and what it prints."""
    steps = []
    for line in text.replace("\\\n", " ").splitlines(keepends=True):
        if line.startswith("$ "):
            steps.append((line.removeprefix("$ ").strip(), ""))
        else:
            command, printed = steps[-1]
            steps[-1] = (command, printed + line)
    return steps


def run_command(command, monkeypatch):
    """Run a line such as ``NAME=value nnfs-xp train ...``."""
    words = shlex.split(command)
    with monkeypatch.context() as patch:
        while "=" in words[0]:
            name, _, value = words.pop(0).partition("=")
            patch.setenv(name, value)
        assert words[0] == "nnfs-xp", command
        return main(words[1:])


def assert_prints(found, expected, where):
    checker = doctest.OutputChecker()
    if not checker.check_output(expected, found, doctest.ELLIPSIS):
        pytest.fail(f"{where}\nexpected:\n{expected}\nfound:\n{found}", pytrace=False)


@pytest.fixture
def own_registry(monkeypatch):
    """Forget the units that a page registers."""
    for kind, units in copy.deepcopy(UNITS).items():
        monkeypatch.setitem(UNITS, kind, units)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_examples_run(page, tmp_path, monkeypatch, own_registry):
    if page.stem == "scikit-learn":
        pytest.importorskip("sklearn", reason="pip install 'nnfs-xp[sklearn]'")
    if page.stem == "weights":
        pytest.importorskip("torch", reason="pip install 'nnfs-xp[torch]'")
    monkeypatch.chdir(tmp_path)
    for name in ("NNFS_XP_BACKEND", "NNFS_XP_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)
    namespace = {"__name__": f"docs_{page.stem.replace('-', '_')}"}
    for block in blocks_of(page):
        if block["reason"] is not None:
            continue
        line = page.read_text().count("\n", 0, block.start("text"))
        where = f"{page.name}, line {line + 1}"
        if block["language"] == "python":
            # Newlines put the block where it stands in the page.
            code = compile("\n" * line + block["text"], str(page), "exec")
            with contextlib.redirect_stdout(io.StringIO()) as output:
                exec(code, namespace)
            assert_prints(output.getvalue(), printed_by(block["text"]), where)
        elif block["language"] == "console":
            for command, expected in console_steps(block["text"]):
                with (
                    contextlib.redirect_stdout(io.StringIO()) as output,
                    contextlib.redirect_stderr(output),
                ):
                    status = run_command(command, monkeypatch)
                refused = expected.startswith("nnfs-xp: error: ")
                assert status == (2 if refused else 0), output.getvalue()
                if expected:
                    assert_prints(output.getvalue(), expected, where)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_only_what_cannot_run_here_is_left_out(page):
    blocks = blocks_of(page)
    left_out = [block for block in blocks if block["reason"] is not None]
    assert len(left_out) == page.read_text().count(NOT_RUN), "a stray comment"
    assert 2 * len(blocks) == len(re.findall(r"^\s*```", page.read_text(), re.M))
    for block in blocks:
        assert block["language"] in LANGUAGES, block["language"]
    for block in left_out:
        assert block["language"] in ("python", "console")
        assert re.search(REASONS[block["reason"]], block["text"], re.M), block[0]


def test_there_is_something_to_run():
    run = [
        block["language"]
        for page in PAGES
        for block in blocks_of(page)
        if block["reason"] is None
    ]
    assert run.count("python") >= 20
    assert run.count("console") >= 4


def documented_names(groups):
    """Return the full name of everything that the API page documents."""
    names, module = [], ""
    for line in (DOCS / "api.md").read_text().splitlines():
        if match := re.fullmatch(r"\.\. currentmodule:: (\S+)", line):
            module = match[1]
        elif match := re.fullmatch(r"\.\. unit-list:: (.+)", line):
            of_groups = [n for group in match[1].split() for n in groups[group]]
            names += [f"{module}.{name}" for name in of_groups]
        elif match := re.fullmatch(r"(?:\.\. py:data:: |   )(\w+)", line):
            names.append(f"{module}.{match[1]}")
    return names


def public_names():
    """Return the full name of everything that users may import."""
    modules = [nnfs_xp, nnfs_xp.data, nnfs_xp.onnx, nnfs_xp.parallel, nnfs_xp.plots]
    modules += [nnfs_xp.nets, nnfs_xp.weights]
    if importlib.util.find_spec("sklearn"):
        modules.append(importlib.import_module("nnfs_xp.sklearn"))
    names = [f"{m.__name__}.{name}" for m in modules for name in m.__all__]
    # A class with a second spelling is documented under its own name.
    names += [
        f"nnfs_xp.book.{name}"
        for name in nnfs_xp.book.__all__
        if getattr(nnfs_xp.book, name).__name__ == name
    ]
    return names + [
        f"nnfs_xp.testing.{name}"
        for name, value in vars(nnfs_xp.testing).items()
        if getattr(value, "__module__", "") == "nnfs_xp.testing"
        and not name.startswith("_")
    ]


def test_api_page_has_every_public_name_once(monkeypatch):
    pytest.importorskip("sphinx", reason="pip install 'nnfs-xp[docs]'")
    pytest.importorskip("sklearn", reason="pip install 'nnfs-xp[sklearn]'")
    monkeypatch.syspath_prepend(DOCS)
    from _ext.unit_lists import groups

    documented = documented_names(groups())
    assert sorted(documented) == sorted(public_names())


@pytest.mark.parametrize("full_name", public_names())
def test_public_names_have_a_docstring_with_an_example(full_name):
    """The examples run as doctests, and so must be there for each name."""
    module, _, name = full_name.rpartition(".")
    value = getattr(importlib.import_module(module), name)
    if isinstance(value, str | tuple | dict):
        # A constant has no docstring; its line on the page says what it is.
        assert f".. py:data:: {name}" in (DOCS / "api.md").read_text()
        return
    # Its own, not one that a base class has lent.
    docstring = (
        value.__dict__.get("__doc__") if isinstance(value, type) else value.__doc__
    )
    assert docstring, f"{full_name} has no docstring"
    assert doctest.DocTestParser().get_examples(docstring), f"{full_name}: no example"


def test_links_between_pages_lead_somewhere():
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text()):
            if "://" not in target:
                assert os.path.exists(page.parent / target), f"{page.name}: {target}"


def test_signatures_are_those_of_the_constructors():
    """What help and the API page show of a unit."""
    for units in UNITS.values():
        for name, unit in units.items():
            made = inspect.signature(unit).parameters
            if unit.__init__ is not object.__init__:
                own = list(inspect.signature(unit.__init__).parameters)[1:]
                assert list(made) == own, name
    assert list(inspect.signature(nnfs_xp.Dense).parameters)[:2] == [
        "n_inputs",
        "n_neurons",
    ]
    assert not inspect.signature(nnfs_xp.Zeros).parameters
