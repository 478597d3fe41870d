"""The page of the command line has every command, and its tables every option."""

import sys

import pytest

from tests.docs.test_docs import DOCS
from tests.test_cli_options import commands


@pytest.fixture
def extension(monkeypatch):
    pytest.importorskip("sphinx", reason="pip install 'nnfs-xp[docs]'")
    monkeypatch.setattr(sys, "path", [str(DOCS), *sys.path])
    from _ext import command_line

    return command_line


def test_every_command_has_its_section_and_its_table():
    text = (DOCS / "command-line.md").read_text()
    for name in commands():
        assert f"\n## {name}\n" in text
        assert f".. command-options:: {name}\n" in text
    assert ".. exit-statuses::" in text


@pytest.mark.parametrize("name", commands())
def test_tables_have_every_option_that_the_help_shows(name, extension):
    head, *rows = extension.options_of(name)
    assert head == ["argument", "meaning"]
    shown = {cell.strip("`").split()[0] for cell, _ in rows}
    for action in commands()[name]._actions:
        if action.dest == "help":
            continue
        assert (action.option_strings or [action.metavar])[0] in shown
    assert all(meaning for _, meaning in rows)
