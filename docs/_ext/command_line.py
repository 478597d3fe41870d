"""The options of every command and the exit statuses, made from the parser."""

from __future__ import annotations

import argparse
import re

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import nested_parse_with_titles

from _ext.tables import list_table
from nnfs_xp.cli.parser import EXIT_STATUSES, make_parser


def commands() -> dict[str, argparse.ArgumentParser]:
    """Return the parser of each command."""
    (found,) = (
        action
        for action in make_parser()._actions
        if isinstance(action, argparse._SubParsersAction)
    )
    return found.choices


def options_of(command: str) -> list[list[str]]:
    """Return a row for each argument of a command, below a head."""
    rows = [["argument", "meaning"]]
    for action in commands()[command]._actions:
        if action.dest == "help":
            continue
        name = action.option_strings[0] if action.option_strings else ""
        words = f"{name} {values_of(action)}".strip()
        rows.append([f"``{words}``", plain(action.help or "")])
    return rows


def values_of(action: argparse.Action) -> str:
    """Return what follows an option, as the help shows it."""
    if action.nargs == 0:
        return ""
    if action.choices:
        return "|".join(map(str, action.choices))
    if isinstance(action.metavar, tuple):
        first, more = action.metavar
        return f"{first} [{more} ...]"
    shown = action.metavar or action.dest.upper()
    return f"{shown} [{shown} ...]" if action.nargs == "+" else shown


def plain(text: str) -> str:
    """Return a text of the help with names of options as code."""
    return re.sub(r"(?<![\w-])(--?[a-z][\w-]*|-(?= ))", r"``\1``", text)


def rows_of_statuses() -> list[list[str]]:
    """Return a row for each exit status, below a head."""
    rows = [["status", "meaning"]]
    for status, meaning in EXIT_STATUSES.items():
        rows.append([str(status), meaning.replace("`", "``")])
    return rows


class _Table(SphinxDirective):
    def rows(self) -> list[list[str]]:
        raise NotImplementedError

    def run(self) -> list[nodes.Node]:
        """Return the table."""
        node = nodes.section(document=self.state.document)
        lines = StringList(list_table(self.rows()).splitlines(), "command-line")
        nested_parse_with_titles(self.state, lines, node)
        return node.children


class CommandOptions(_Table):
    """``.. command-options:: train``."""

    required_arguments = 1

    def rows(self) -> list[list[str]]:
        """Return its rows."""
        return options_of(self.arguments[0])


class ExitStatuses(_Table):
    """``.. exit-statuses::``."""

    def rows(self) -> list[list[str]]:
        """Return its rows."""
        return rows_of_statuses()


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.add_directive("command-options", CommandOptions)
    app.add_directive("exit-statuses", ExitStatuses)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
