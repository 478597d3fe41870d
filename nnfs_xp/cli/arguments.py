"""Command-line arguments: how texts are checked and converted."""

from __future__ import annotations

import argparse
from typing import Any

from nnfs_xp.backends import BACKEND_NAMES

# More neurons than any memory has room for.
_LARGEST = 10**9


class Once(argparse.Action):
    """Stores a value that has two spellings, and rejects a second one."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Store it."""
        if getattr(namespace, self.dest, None) is not None:
            raise argparse.ArgumentError(self, "is given twice")
        setattr(namespace, self.dest, values)


class Completion(argparse.Action):
    """Prints a shell's completion script for the command, made by the package shtab."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Print it, and leave."""
        try:
            import shtab
        except ImportError:
            parser.error(
                f"{option_string} needs the package shtab: pip install "
                "'nnfs-xp[completion]'"
            )
        _complete_paths(parser, {"FILE": shtab.FILE, "DIR": shtab.DIRECTORY})
        print(shtab.complete(parser, shell=values))
        parser.exit()


def _complete_paths(parser: argparse.ArgumentParser, kinds: dict[str, Any]) -> None:
    """Tell shtab which arguments are paths: those whose metavar says it."""
    files = {"MODEL": kinds["FILE"], "DATA": kinds["FILE"], **kinds}
    for action in parser._actions:
        if action.metavar in files:
            action.complete = files[action.metavar]  # type: ignore[attr-defined]
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                _complete_paths(command, kinds)


def count(text: str) -> int:
    """Parse a positive integer."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a positive integer, got {text!r}")
    return int(text)


def number(text: str) -> float:
    """Parse a number; its user checks the range."""
    try:
        return float(text)
    except ValueError:
        message = f"must be a number, got {text!r}"
        raise argparse.ArgumentTypeError(message) from None


def delimiter(text: str) -> str:
    r"""Return what stands between columns; ``\t`` is a tab, as few shells write one."""
    return "\t" if text == r"\t" else text


def seed(text: str) -> int:
    """Parse an integer; its user checks the range."""
    if not text.removeprefix("-").isdecimal():
        raise argparse.ArgumentTypeError(f"must be an integer, got {text!r}")
    return int(text)


def backends(text: str) -> list[str]:
    """Parse ``numpy,jax``."""
    names = text.split(",")
    if len(names) < 2 or not set(names) <= set(BACKEND_NAMES):
        message = f"must be two or more of {', '.join(BACKEND_NAMES)}, got {text!r}"
        raise argparse.ArgumentTypeError(message)
    return names


def shape(text: str) -> tuple[int, ...]:
    """Parse ``28x28``."""
    sizes = text.lower().split("x")
    if not all(size.isdecimal() and int(size) for size in sizes):
        raise argparse.ArgumentTypeError(f"must be sizes such as 28x28, got {text!r}")
    return tuple(map(int, sizes))


def height_and_width(text: str) -> list[int]:
    """Parse ``28x28``."""
    sizes = [count(part) for part in text.lower().split("x")]
    if len(sizes) != 2:
        raise argparse.ArgumentTypeError(f"{text} is not like 28x28")
    return sizes


def sizes(text: str) -> list[int]:
    """Parse ``128`` or ``128,64``."""
    parts = text.split(",")
    if not all(part.isdecimal() and int(part) <= _LARGEST for part in parts):
        message = (
            f"must be numbers from 0 to {_LARGEST:,}, such as 128,64, got {text!r}"
        )
        raise argparse.ArgumentTypeError(message)
    return [int(part) for part in parts]
