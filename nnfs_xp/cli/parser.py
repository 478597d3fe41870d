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
from nnfs_xp.data.tables import MISSING
from nnfs_xp.data.targets import TASKS
from nnfs_xp.data.vocabulary import UNITS
from nnfs_xp.parallel.launch import PARALLEL_NAMES

# Exit statuses, which tell a shell or a calling program how the command ended.
EXIT_STATUSES = {
    0: "all went well",
    1: "`parity`: the backends differ by more than is allowed",
    2: "an argument, a file or a backend cannot be used, or the training diverged",
    130: "interrupted by Ctrl-C",
    141: "nobody reads the output any more, as after `| head -1`",
    143: "ended by SIGTERM",
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
        "Train a network, by default the book's, and leave model.safetensors, "
        "history.json and report.png in a directory. A GPT writes at the end.",
        [
            "nnfs-xp train --data digits --epochs 3 --out runs/digits",
            "nnfs-xp train --data spiral --optimizer sgd momentum=0.9 --lr 0.3",
        ],
    )
    parser.add_argument(
        "--data",
        metavar="DATA",
        help=f"one of {', '.join(DATASET_NAMES)}, or your own .npz, .npy, .csv or IDX "
        "file, or a folder of pictures, or - for CSV from standard input (default: "
        "fashion-mnist-mini); for --net gpt a text file, or text, the packaged one "
        "and default",
    )
    _add_reading(parser, encodes=True)
    _add_network(parser)
    _add_training(parser)
    _add_where(parser)
    add = parser.add_argument
    out = "directory for the results (default: a new one in runs/)"
    add("--out", metavar="DIR", help=out, default=argparse.SUPPRESS)
    every = "epochs after which checkpoint.safetensors is written to --out"
    add("--checkpoint-every", type=count, metavar="N", help=every)
    resume = "continue the training whose checkpoint is in --out"
    add("--resume", action="store_true", help=resume)
    add("--force", action="store_true", help="replace the results in --out")
    add("--no-plot", action="store_true", help="do not write report.png")
    ranks = "train on all processes that a launcher such as mpiexec has started"
    add("--parallel", choices=PARALLEL_NAMES, help=ranks)


def _add_network(parser: argparse.ArgumentParser) -> None:
    """Add the options for the layers of the network."""
    add = parser.add_argument_group("the network").add_argument
    net = "layers: dense ones, or cnn for pictures, or gpt for a text (default: dense)"
    add("--net", choices=NETS, default="dense", help=net)
    hidden = "neurons of each hidden layer, such as 128 128; 0 for none (default: as "
    add(
        "--hidden",
        type=sizes,
        metavar="N",
        nargs="+",
        help=f"{hidden}suits the data)",
        # Absent unless given, so that the settings for the data apply.
        default=argparse.SUPPRESS,
    )
    activation = "activation after each hidden layer, such as relu or tanh"
    add("--activation", default="relu", metavar="NAME", help=f"{activation} (relu)")
    context = "for gpt: number of characters it sees (default: 64)"
    add("--context", type=count, metavar="N", help=context)
    add("--by", choices=UNITS, help="for gpt: unit of text (default: characters)")
    dropout = "fraction of the neurons of each hidden layer to drop (default: 0)"
    add("--dropout", type=number, default=0.0, metavar="RATE", help=dropout)


def _add_training(parser: argparse.ArgumentParser) -> None:
    """Add the options for training the network."""
    add = parser.add_argument_group("the training").add_argument
    for name, text in (
        ("--epochs", "passes over the training data"),
        ("--batch-size", "samples per step"),
    ):
        add(
            name,
            type=count,
            metavar="N",
            help=f"{text} (default: as suits the data)",
            default=argparse.SUPPRESS,
        )
    rate = "learning rate (default: as suits the data, or that of --optimizer)"
    add("--lr", type=number, metavar="RATE", help=rate, default=argparse.SUPPRESS)
    words = ("NAME", "KEY=VALUE")
    optimizer = "optimizer and its settings, such as sgd momentum=0.9 (default: adam)"
    add("--optimizer", nargs="+", metavar=words, help=optimizer)
    schedule = "how the learning rate changes over the steps, such as cosine_decay or "
    schedule += "step_decay factor=0.5 every=100 (default: not at all)"
    add("--schedule", nargs="+", metavar=words, help=schedule)
    text = "seed of weights and batch order (default: 0)"
    add("--seed", type=seed, default=0, metavar="N", help=text)


def _add_evaluate(commands: Commands) -> None:
    parser = _add_command(
        commands,
        "evaluate",
        use.evaluate,
        "loss and accuracy of a saved model",
        "Compute loss and metrics of a saved model on labelled data.",
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
        "classes of new data, as CSV",
        "Predict a class or a number for each row of data, and write CSV; or continue "
        "a text.",
        [
            "nnfs-xp predict runs/digits --data digits --out classes.csv",
            "nnfs-xp predict runs/digits --data - < new.csv",
        ],
    )
    _add_model_and_data(parser)
    out = "file to write (default: -, standard output)"
    parser.add_argument("--out", metavar="FILE", help=out, default="-")
    add = parser.add_argument_group(
        "for a model that was trained on a text"
    ).add_argument
    add("--prompt", metavar="TEXT", help="the text to continue, instead of data")
    length = "number of characters to write (default: 300)"
    add("--length", type=count, metavar="N", help=length)
    heat = "below 1 favours the most probable characters (default: 0.8)"
    add("--temperature", type=number, metavar="NUMBER", help=heat)
    draws = "seed of the draws (default: 0)"
    add("--seed", type=seed, metavar="N", help=draws)


def _add_info(commands: Commands) -> None:
    parser = _add_command(
        commands,
        "info",
        look.info,
        "what a model file holds",
        "Show the layers of a saved model, and what it knows of its training and "
        "its data.",
        ["nnfs-xp info runs/digits", "nnfs-xp info runs/digits --json"],
    )
    _add_model(parser)


def _add_plot(commands: Commands) -> None:
    parser = _add_command(
        commands,
        "plot",
        look.plot,
        "a picture of a network, or of its results",
        "Draw the network of a saved model; with --data, draw how well it does there: "
        "learning curves, confusion matrix and sample predictions.",
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
        "write a saved model as an ONNX file",
        "Write a saved model for other programs. The file extension selects the "
        "format: .onnx. The scaling of the features and the names of the classes are "
        "in the file's metadata.",
        [
            "nnfs-xp export runs/digits digits.onnx",
            "nnfs-xp export runs/digits digits.onnx --sample-shape 64 --json",
        ],
    )
    _add_model(parser)
    add = parser.add_argument
    add("file", metavar="FILE", help="the file to write: model.onnx")
    text = "shape of a sample, such as 28x28, if the layers accept any"
    add("--sample-shape", type=shape, metavar="AxB", help=text)


def _add_parity(commands: Commands) -> None:
    parser = _add_command(
        commands,
        "parity",
        use.parity,
        "check that backends compute the same",
        "Compare forward and backward pass, unit by unit, on the first rows of the "
        "data. The exit status is 1 if they differ too much.",
        [
            "nnfs-xp parity runs/digits --data digits --backends numpy,jax",
            "nnfs-xp parity runs/digits --data digits --rows 16 --json",
        ],
    )
    _add_model_and_data(parser, several=True)
    add = parser.add_argument
    rows = "rows to compute with (default: 128)"
    add("--rows", type=count, default=128, metavar="N", help=rows)
    rtol = "tolerance relative to the largest entry of an array"
    add("--rtol", type=number, metavar="NUMBER", help=rtol)
    parser.set_defaults(backend=None, device=None)


def _add_backends(commands: Commands) -> None:
    _add_command(
        commands,
        "backends",
        look.backends,
        "list every backend, and whether it works",
        "Try every array library, and say why any of them do not work.",
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
    add("--quiet", action="store_true", help="print no progress and no notes")
    add("--json", action="store_true", help="print one JSON object to standard output")
    parser.set_defaults(command=command)
    return parser


def _add_model(parser: argparse.ArgumentParser) -> None:
    model = "a model.safetensors, or its directory, or - for standard input"
    parser.add_argument("model", metavar="MODEL", help=model)


def _add_model_and_data(
    parser: argparse.ArgumentParser, several: bool = False, short: bool = True
) -> None:
    _add_model(parser)
    add = parser.add_argument
    data = f"one of {', '.join(DATASET_NAMES)} (its test part), or a file, or - for "
    data += "CSV from standard input"
    add("--data", metavar="DATA", help=data, action=Once)
    if short:
        add(
            "data",
            nargs="?",
            metavar="DATA",
            help="the same without --data",
            action=Once,
            default=argparse.SUPPRESS,
        )
    scaling = "how to scale features, if the model does not say: not at all, or as "
    add(
        "--scaling",
        choices=("none", "data"),
        help=f"{scaling}training on this data would",
    )
    _add_where(parser, several)
    _add_reading(parser)


def _add_reading(parser: argparse.ArgumentParser, encodes: bool = False) -> None:
    """Add the options for reading a user's file."""
    add = parser.add_argument_group("how to read data").add_argument
    files = "where the four files of fashion-mnist are, instead of downloading them"
    add("--data-dir", metavar="DIR", help=files)
    task = "what to learn (default: by the labels)"
    add("--task", choices=TASKS, help=task)
    label = "name or number of the column of labels; 0 is the first, -1 the last"
    add("--label", metavar="COLUMN", help=label)
    text = r"separator of columns, \t for a tab (default: detected among comma, ; and "
    add("--delimiter", type=delimiter, metavar="CHAR", help=f"{text}tab)")
    missing = "replace a missing value by the mean of its column, or drop the row"
    add("--missing", choices=MISSING, help=missing)
    drop = "names or numbers of columns to leave out"
    add("--drop", nargs="+", metavar="COLUMN", default=(), help=drop)
    if encodes:
        one_hot = "columns of categories; each of their values becomes a feature that "
        one_hot += "is 0 or 1"
        add("--one-hot", nargs="+", metavar="COLUMN", default=(), help=one_hot)
    resize = "height and width to which pictures are resized"
    add("--resize", metavar="HxW", type=height_and_width, help=resize)


def _add_where(parser: argparse.ArgumentParser, several: bool = False) -> None:
    """Add the options for backend, device and precision."""
    add = parser.add_argument_group("where and how precisely to compute").add_argument
    if several:
        libraries = "array libraries, such as numpy,jax (default: all that work)"
        add("--backends", type=backends, metavar="NAMES", help=libraries)
    else:
        library = "array library (default: $NNFS_XP_BACKEND, else numpy)"
        add("--backend", choices=(*BACKEND_NAMES, "auto"), help=library)
        add("--device", help="device of that library, such as cuda:0")
    precision = "precision (default: float32, or the model's)"
    add("--dtype", choices=DTYPE_NAMES, help=precision)
    products = "format of the operands of matrix products (default: full, no rounding)"
    add("--matmul-precision", choices=MATMUL_PRECISIONS, help=products)
