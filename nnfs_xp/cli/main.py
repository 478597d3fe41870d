"""Arguments of the command line, and the way errors leave it."""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import sys
import textwrap
import warnings
from collections.abc import Sequence
from typing import Any

import nnfs_xp
from nnfs_xp import ctrl_c
from nnfs_xp.backends import (
    BACKEND_NAMES,
    DTYPE_NAMES,
    MATMUL_PRECISIONS,
    backend_status,
)
from nnfs_xp.cli import train, use
from nnfs_xp.data import DATASET_NAMES
from nnfs_xp.data.tables import MISSING
from nnfs_xp.data.targets import TASKS
from nnfs_xp.errors import (
    BackendUnavailableError,
    DataWarning,
    DivergenceError,
    DownloadError,
    InputError,
)
from nnfs_xp.kernels import loops_note

_BROKEN_PIPE = 141
# More neurons than any memory has room for.
_LARGEST = 10**9
_REFUSED = (
    InputError, BackendUnavailableError, DivergenceError, DownloadError, MemoryError,
    OSError,
)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command, and return its exit status.

    Parameters
    ----------
    arguments : sequence of str, optional
        Those of the command line if not given.

    Returns
    -------
    int
        0 if all went well, 2 if an argument, a file or a backend cannot be
        used or a training diverges, 130 if interrupted, 141 if nobody reads the
        output any more.
    """
    try:
        _prepare_streams()
        status = _run(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        _say("interrupted")
        status = ctrl_c.INTERRUPTED
    except BrokenPipeError:
        # Whoever read the output has seen enough, as `head` has.
        status = _BROKEN_PIPE
    except _REFUSED as error:
        _say(f"error: {str(error) or type(error).__name__}")
        status = 2
    finally:
        _close(sys.stdout)
        _close(sys.stderr)
    if status == ctrl_c.INTERRUPTED and ctrl_c.is_command():
        # Python ends by the signal itself if Ctrl-C came where it runs text as code.
        os._exit(status)
    return status


def _run(arguments: Sequence[str] | None) -> int:
    options = _parser().parse_args(arguments)
    with warnings.catch_warnings():
        warnings.simplefilter("always", DataWarning)
        warnings.showwarning = lambda message, *_: _say(f"warning: {message}")
        status: int = options.command(options)
    return status


def _say(text: str) -> None:
    with contextlib.suppress(OSError):
        print(f"nnfs-xp: {text}", file=sys.stderr)


def _prepare_streams() -> None:
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            # It was closed before Python began, or there never was one.
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115
        # A class name in another script must not end the program.
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _close(stream: Any) -> None:
    """Write what is left, if anybody reads it; Python would complain at exit."""
    try:
        stream.flush()
    except OSError:
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="nnfs-xp",
        description="Neural networks from scratch, on every array library.",
    )
    version = f"nnfs-xp {nnfs_xp.__version__}"
    parser.add_argument("--version", action="version", version=version)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_train(commands)

    command = commands.add_parser("evaluate", help="loss and accuracy of a saved model")
    _add_model_and_data(command)
    command.add_argument("--json", action="store_true", help="print one JSON object")
    command.set_defaults(command=use.evaluate)

    command = commands.add_parser("predict", help="classes of new data, as CSV")
    _add_model_and_data(command)
    command.add_argument("--out", metavar="FILE", help="file to write, instead of here")
    command.set_defaults(command=use.predict)

    command = commands.add_parser(
        "parity",
        help="does a model compute the same on several backends?",
        description="Compare forward and backward pass, unit by unit, on the first "
        "rows of the data. The exit status is 1 if they differ too much.",
    )
    _add_model_and_data(command, several=True)
    rows = "rows to compute with (default: 128)"
    command.add_argument("--rows", type=_count, default=128, metavar="N", help=rows)
    rtol = "difference to allow, relative to the largest entry of an array"
    command.add_argument("--rtol", type=_rate, metavar="NUMBER", help=rtol)
    command.add_argument("--json", action="store_true", help="print one JSON object")
    command.set_defaults(command=use.parity, backend=None, device=None)

    command = commands.add_parser("backends", help="list every backend: does it work?")
    command.set_defaults(command=_list_backends)
    return parser


def _add_train(commands: argparse._SubParsersAction) -> None:
    parser = commands.add_parser(
        "train",
        help="train the book's network",
        description="Train a network of dense layers with ReLU, softmax and Adam, and "
        "leave model.safetensors, history.json and report.png in a directory.",
    )
    parser.add_argument(
        "--data",
        default="fashion-mnist-mini",
        metavar="DATA",
        help=f"one of {', '.join(DATASET_NAMES)}, or your own .npz, .npy, .csv or IDX "
        "file, or a folder of pictures (default: fashion-mnist-mini)",
    )
    _add_where(parser)
    _add_reading(parser)
    layers = "neurons of each hidden layer, such as 128 128; 0 for none"
    for name, kind, metavar, text in (
        ("--hidden", _sizes, "N", layers),
        ("--epochs", _count, "N", "times to go through the data"),
        ("--batch-size", _count, "N", "samples of each step"),
        ("--lr", _rate, "RATE", "Adam's learning rate"),
    ):
        parser.add_argument(
            name,
            type=kind,
            metavar=metavar,
            nargs="+" if kind is _sizes else None,
            help=f"{text} (default: as suits the data)",
            # Absent unless given, so that what suits the data shows through.
            default=argparse.SUPPRESS,
        )
    seed = "seed of weights and batch order (default: 0)"
    parser.add_argument("--seed", type=_seed, default=0, help=seed)
    out = "directory for the results (default: a new one in runs/)"
    parser.add_argument("--out", metavar="DIR", help=out, default=argparse.SUPPRESS)
    every = "epochs after which checkpoint.safetensors is written to --out"
    parser.add_argument("--checkpoint-every", type=_count, metavar="N", help=every)
    resume = "go on with the training whose checkpoint is in --out"
    parser.add_argument("--resume", action="store_true", help=resume)
    force = "replace the results that are in --out"
    parser.add_argument("--force", action="store_true", help=force)
    parser.add_argument("--no-plot", action="store_true", help="leave out report.png")
    parser.set_defaults(command=train.run)


def _add_model_and_data(parser: argparse.ArgumentParser, several: bool = False) -> None:
    model = "a model.safetensors, or its directory"
    parser.add_argument("model", metavar="MODEL", help=model)
    data = f"one of {', '.join(DATASET_NAMES)} (its test part), or a file"
    parser.add_argument("data", metavar="DATA", help=data)
    scaling = "how to scale features, where the model does not say: not at all, or as "
    parser.add_argument(
        "--scaling",
        choices=("none", "data"),
        help=f"{scaling}a training on this data would",
    )
    _add_where(parser, several)
    _add_reading(parser)


def _add_reading(parser: argparse.ArgumentParser) -> None:
    """Add how to read a file of the user's own."""
    add = parser.add_argument
    task = "what to learn (default: by the labels)"
    add("--task", choices=TASKS, help=task)
    label = "name or number of the column of labels; 0 is the first, -1 the last"
    add("--label", metavar="COLUMN", help=label)
    delimiter = "what stands between columns (default: found for comma, ; and tab)"
    add("--delimiter", metavar="CHAR", help=delimiter)
    missing = "put the mean of its column for a missing value, or leave out the row"
    add("--missing", choices=MISSING, help=missing)
    resize = "height and width that pictures are brought to"
    add("--resize", metavar="HxW", type=_height_and_width, help=resize)


def _add_where(parser: argparse.ArgumentParser, several: bool = False) -> None:
    """Add where the data is, and where and how precisely to compute."""
    add = parser.add_argument
    files = "where the four files of fashion-mnist are, instead of downloading them"
    add("--data-dir", metavar="DIR", help=files)
    if several:
        libraries = "array libraries, such as numpy,jax (default: all that work)"
        add("--backends", type=_backends, metavar="NAMES", help=libraries)
    else:
        library = "array library (default: $NNFS_XP_BACKEND, else numpy)"
        add("--backend", choices=(*BACKEND_NAMES, "auto"), help=library)
        add("--device", help="device of that library, such as cuda:0")
    precision = "precision (default: float32, or the model's)"
    add("--dtype", choices=DTYPE_NAMES, help=precision)
    products = "format of the operands of matrix products (default: full, no rounding)"
    add("--matmul-precision", choices=MATMUL_PRECISIONS, help=products)


def _list_backends(options: argparse.Namespace) -> int:
    """Print one paragraph for each backend: does it work here, and why not."""
    for name in BACKEND_NAMES:
        status = backend_status(name)
        works = "works" if status.works else "does not work"
        print(f"{name:<17} {status.version or '-':<14} {works}")
        note = loops_note(name)
        devices = f"devices: {', '.join(status.devices)}" + (note and f"; {note}")
        text = devices if status.works else textwrap.fill(status.reason, 84)
        print(textwrap.indent(text, "    "))
    return 0


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a positive integer, got {text!r}")
    return int(text)


def _backends(text: str) -> list[str]:
    """Parse ``numpy,jax``."""
    names = text.split(",")
    if len(names) < 2 or not set(names) <= set(BACKEND_NAMES):
        message = f"must be two or more of {', '.join(BACKEND_NAMES)}, got {text!r}"
        raise argparse.ArgumentTypeError(message)
    return names


def _rate(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        message = f"must be a number, got {text!r}"
        raise argparse.ArgumentTypeError(message) from None


def _seed(text: str) -> int:
    if not text.removeprefix("-").isdecimal():
        raise argparse.ArgumentTypeError(f"must be an integer, got {text!r}")
    return int(text)


def _height_and_width(text: str) -> list[int]:
    """Parse ``28x28``."""
    sizes = [_count(part) for part in text.lower().split("x")]
    if len(sizes) != 2:
        raise argparse.ArgumentTypeError(f"{text} is not like 28x28")
    return sizes


def _sizes(text: str) -> list[int]:
    """Parse ``128`` or ``128,64``."""
    sizes = text.split(",")
    if not all(size.isdecimal() and int(size) <= _LARGEST for size in sizes):
        message = (
            f"must be numbers from 0 to {_LARGEST:,}, such as 128,64, got {text!r}"
        )
        raise argparse.ArgumentTypeError(message)
    return [int(size) for size in sizes]
