"""The commands, their options and their examples."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Callable, Sequence

import nnfs_xp
from nnfs_xp.backends import BACKEND_NAMES, DTYPE_NAMES, MATMUL_PRECISIONS
from nnfs_xp.cli import export, look, train, use
from nnfs_xp.cli.arguments import (
    Completion,
    Once,
    backends,
    count,
    delimiter,
    height_and_width,
    number,
    seed,
    shape,
    sizes,
)
from nnfs_xp.cli.nets import NETS
from nnfs_xp.data import DATASET_NAMES
from nnfs_xp.data.columns import MISSING
from nnfs_xp.data.targets import TASKS
from nnfs_xp.data.vocabulary import UNITS
from nnfs_xp.parallel.launch import PARALLEL_NAMES

# Exit statuses, which tell a shell or a calling program how the command ended.
EXIT_STATUSES = {
    0: "success",
    1: "`parity`: the backends differ by more than the tolerance",
    2: "an argument, a file or a backend cannot be used, or training diverged",
    130: "interrupted by Ctrl-C",
    141: "the output pipe was closed, for example by `| head -1`",
    143: "terminated by SIGTERM",
}

Commands = argparse._SubParsersAction


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    statuses = (
        f"  {n:<4} {text.replace('`', '')}" for n, text in EXIT_STATUSES.items()
    )
    parser = argparse.ArgumentParser(
        prog="nnfs-xp",
        description="Neural networks from scratch, on every array library.",
        epilog="\n".join(["exit status:", *statuses]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    version = f"nnfs-xp {nnfs_xp.__version__}"
    parser.add_argument("--version", action="version", version=version)
    parser.add_argument(
        "--print-completion",
        action=Completion,
        choices=("bash", "zsh", "tcsh"),
        help="print a completion script for this shell",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_train(commands)
    _add_evaluate(commands)
    _add_predict(commands)
    _add_info(commands)
    _add_plot(commands)
    _add_export(commands)
    _add_parity(commands)
    _add_backends(commands)
    return parser


def _add_train(commands: Commands) -> None:
    parser = _add_command(
        commands,
        "train",
        train.run,
        "train a network on data",
        "Train a network, by default the book's, and write model.safetensors, "
        "history.json and report.png to a directory. For a GPT, also print generated "
        "text at the end.",
        [
            "nnfs-xp train --data digits --epochs 3 --out runs/digits",
            "nnfs-xp train --data spiral --optimizer sgd momentum=0.9 --lr 0.3",
        ],
    )
    parser.add_argument(
        "--data",
        metavar="DATA",
        help=f"one of {', '.join(DATASET_NAMES)}, a .npz, .npy, .csv or IDX file, a "
        "folder of images, or - for standard input (default: fashion-mnist-mini); for "
        "--net gpt, a text file, or text for the text that comes with the package "
        "(default: text)",
    )
    _add_reading(parser, encodes=True)
    _add_network(parser)
    _add_training(parser)
    _add_where(parser)
    add = parser.add_argument
    out = "directory for the results (default: a new directory in runs/)"
    add("--out", metavar="DIR", help=out, default=argparse.SUPPRESS)
    every = "number of epochs between writes of checkpoint.safetensors to --out"
    add("--checkpoint-every", type=count, metavar="N", help=every)
    resume = "continue training from the checkpoint in --out"
    add("--resume", action="store_true", help=resume)
    add("--force", action="store_true", help="replace the results in --out")
    add("--no-plot", action="store_true", help="do not write report.png")
    ranks = "train on all processes started by a launcher such as mpiexec"
    add("--parallel", choices=PARALLEL_NAMES, help=ranks)


def _add_network(parser: argparse.ArgumentParser) -> None:
    """Add the options for the layers of the network."""
    add = parser.add_argument_group("the network").add_argument
    net = "dense, cnn for images, or gpt for text (default: dense)"
    add("--net", choices=NETS, default="dense", help=net)
    hidden = "neurons in each hidden layer, such as 128 128; 0 for none (default: "
    add(
        "--hidden",
        type=sizes,
        metavar="N",
        nargs="+",
        help=f"{hidden}depends on the data)",
        # Absent unless given, so that the settings for the data apply.
        default=argparse.SUPPRESS,
    )
    activation = "activation after each hidden layer, such as tanh (default: relu)"
    add("--activation", default="relu", metavar="NAME", help=activation)
    context = "for gpt: context length in characters (default: 64)"
    add("--context", type=count, metavar="N", help=context)
    add("--by", choices=UNITS, help="for gpt: unit of the text (default: characters)")
    dropout = "fraction of the outputs of each hidden layer to drop (default: 0)"
    add("--dropout", type=number, default=0.0, metavar="RATE", help=dropout)


def _add_training(parser: argparse.ArgumentParser) -> None:
    """Add the options for training the network."""
    add = parser.add_argument_group("training").add_argument
    for name, text in (
        ("--epochs", "passes over the training data"),
        ("--batch-size", "samples per step"),
    ):
        add(
            name,
            type=count,
            metavar="N",
            help=f"{text} (default: depends on the data)",
            default=argparse.SUPPRESS,
        )
    rate = "learning rate (default: depends on the data, or on --optimizer)"
    add("--lr", type=number, metavar="RATE", help=rate, default=argparse.SUPPRESS)
    words = ("NAME", "KEY=VALUE")
    optimizer = "optimizer and its settings, such as sgd momentum=0.9 (default: adam)"
    add("--optimizer", nargs="+", metavar=words, help=optimizer)
    schedule = "learning rate schedule, such as cosine_decay or "
    schedule += "step_decay factor=0.5 every=100 (default: constant)"
    add("--schedule", nargs="+", metavar=words, help=schedule)
    text = "seed for the initial weights and the order of batches (default: 0)"
    add("--seed", type=seed, default=0, metavar="N", help=text)


def _add_evaluate(commands: Commands) -> None:
    parser = _add_command(
        commands,
        "evaluate",
        use.evaluate,
        "compute loss and accuracy of a saved model",
        "Compute the loss and metrics of a saved model on labelled data.",
        [
            "nnfs-xp evaluate runs/digits --data digits",
            "nnfs-xp evaluate runs/digits --data digits --json",
        ],
    )
    _add_model_and_data(parser)


def _add_predict(commands: Commands) -> None:
    parser = _add_command(
        commands,
        "predict",
        use.predict,
        "predict the classes of new data, as CSV",
        "Predict a class or a number for each row of data and write CSV, or continue "
        "a text.",
        [
            "nnfs-xp predict runs/digits --data digits --out classes.csv",
            "nnfs-xp predict runs/digits --data - < new.csv",
        ],
    )
    _add_model_and_data(parser)
    out = "file to write: CSV, or JSON with --json (default: -, standard output)"
    parser.add_argument("--out", metavar="FILE", help=out, default="-")
    add = parser.add_argument_group("for a model that was trained on text").add_argument
    add("--prompt", metavar="TEXT", help="text to continue, instead of data")
    length = "number of characters to generate (default: 300)"
    add("--length", type=count, metavar="N", help=length)
    heat = "values below 1 favour the most probable characters (default: 0.8)"
    add("--temperature", type=number, metavar="NUMBER", help=heat)
    draws = "seed for sampling (default: 0)"
    add("--seed", type=seed, metavar="N", help=draws)


def _add_info(commands: Commands) -> None:
    parser = _add_command(
        commands,
        "info",
        look.info,
        "show the contents of a model file",
        "Show the layers of a saved model, and information about its training and "
        "its data.",
        ["nnfs-xp info runs/digits", "nnfs-xp info runs/digits --json"],
    )
    _add_model(parser)


def _add_plot(commands: Commands) -> None:
    parser = _add_command(
        commands,
        "plot",
        look.plot,
        "plot a network or its results",
        "Draw the network of a saved model. With --data, plot learning curves, a "
        "confusion matrix and sample predictions for this data.",
        [
            "nnfs-xp plot runs/digits --out network.png",
            "nnfs-xp plot runs/digits --data digits --out report.png",
        ],
    )
    _add_model_and_data(parser, short=False)
    out = "PNG file to write, or - for standard output"
    parser.add_argument("--out", metavar="FILE", help=out, required=True)


def _add_export(commands: Commands) -> None:
    parser = _add_command(
        commands,
        "export",
        export.run,
        "export a saved model to an ONNX file",
        "Export a saved model for use in other programs. The file extension selects "
        "the format: .onnx. The scaling of the features and the names of the classes "
        "are stored in the file's metadata.",
        [
            "nnfs-xp export runs/digits digits.onnx",
            "nnfs-xp export runs/digits digits.onnx --sample-shape 64 --json",
        ],
    )
    _add_model(parser)
    add = parser.add_argument
    add("file", metavar="FILE", help="file to write, such as model.onnx")
    text = "shape of a sample, such as 28x28, if the layers accept any shape"
    add("--sample-shape", type=shape, metavar="AxB", help=text)


def _add_parity(commands: Commands) -> None:
    parser = _add_command(
        commands,
        "parity",
        use.parity,
        "compare the results of several backends",
        "Compare the forward and backward pass on several backends, unit by unit, on "
        "the first rows of the data. The exit status is 1 if a difference exceeds the "
        "tolerance.",
        [
            "nnfs-xp parity runs/digits --data digits --backends numpy,jax",
            "nnfs-xp parity runs/digits --data digits --rows 16 --json",
        ],
    )
    _add_model_and_data(parser, several=True)
    add = parser.add_argument
    rows = "number of rows to use (default: 128)"
    add("--rows", type=count, default=128, metavar="N", help=rows)
    rtol = "tolerance relative to the largest element of an array"
    add("--rtol", type=number, metavar="NUMBER", help=rtol)
    parser.set_defaults(backend=None, device=None)


def _add_backends(commands: Commands) -> None:
    _add_command(
        commands,
        "backends",
        look.backends,
        "list all backends and whether they work",
        "Test every array library, and show why a library does not work.",
        ["nnfs-xp backends", "nnfs-xp backends --json"],
    )


def _add_command(
    commands: Commands,
    name: str,
    command: Callable[[argparse.Namespace], int],
    summary: str,
    description: str,
    examples: Sequence[str],
) -> argparse.ArgumentParser:
    """Add a command with the options that all have."""
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=textwrap.fill(description, 79),
        epilog="\n  ".join(["examples:", *examples]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--quiet", action="store_true", help="do not print progress and notes")
    add("--json", action="store_true", help="print one JSON object to standard output")
    parser.set_defaults(command=command)
    return parser


def _add_model(parser: argparse.ArgumentParser) -> None:
    model = "a model file, its directory, or - for standard input"
    parser.add_argument("model", metavar="MODEL", help=model)


def _add_model_and_data(
    parser: argparse.ArgumentParser, several: bool = False, short: bool = True
) -> None:
    _add_model(parser)
    add = parser.add_argument
    data = f"test data of one of {', '.join(DATASET_NAMES)}, or a file, or - for "
    data += "standard input"
    add("--data", metavar="DATA", help=data, action=Once)
    if short:
        add(
            "data",
            nargs="?",
            metavar="DATA",
            help="the same as --data",
            action=Once,
            default=argparse.SUPPRESS,
        )
    scaling = "how to scale the features if the model file does not specify it: not "
    add(
        "--scaling",
        choices=("none", "data"),
        help=f"{scaling}at all, or as in training on this data",
    )
    _add_where(parser, several)
    _add_reading(parser)


def _add_reading(parser: argparse.ArgumentParser, encodes: bool = False) -> None:
    """Add the options for reading a user's file."""
    add = parser.add_argument_group("reading data").add_argument
    files = "directory with the four files of fashion-mnist, to avoid downloading them"
    add("--data-dir", metavar="DIR", help=files)
    task = "kind of task (default: inferred from the labels)"
    add("--task", choices=TASKS, help=task)
    label = "name or index of the label column; 0 is the first, -1 the last"
    add("--label", metavar="COLUMN", help=label)
    text = r"column separator, \t for a tab (default: detected among comma, ; and "
    add("--delimiter", type=delimiter, metavar="CHAR", help=f"{text}tab)")
    missing = "replace missing values with the mean of their column, or drop their rows"
    add("--missing", choices=MISSING, help=missing)
    drop = "names or indices of columns to drop"
    add("--drop", nargs="+", metavar="COLUMN", default=(), help=drop)
    if encodes:
        one_hot = "names or indices of categorical columns; each of their values "
        one_hot += "becomes a feature that is 0 or 1"
        add("--one-hot", nargs="+", metavar="COLUMN", default=(), help=one_hot)
    resize = "height and width to which images are resized"
    add("--resize", metavar="HxW", type=height_and_width, help=resize)


def _add_where(parser: argparse.ArgumentParser, several: bool = False) -> None:
    """Add the options for backend, device and precision."""
    add = parser.add_argument_group("backend and precision").add_argument
    if several:
        libraries = "array libraries, such as numpy,jax (default: all available ones)"
        add("--backends", type=backends, metavar="NAMES", help=libraries)
    else:
        library = "array library (default: $NNFS_XP_BACKEND, else numpy)"
        add("--backend", choices=(*BACKEND_NAMES, "auto"), help=library)
        add("--device", help="device of that library, such as cuda:0")
    precision = "precision (default: float32, or the model's)"
    add("--dtype", choices=DTYPE_NAMES, help=precision)
    products = "format of the operands of matrix products (default: full precision)"
    add("--matmul-precision", choices=MATMUL_PRECISIONS, help=products)
