"""``nnfs-xp train``: from a name of a data set to a trained, saved network."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnfs_xp.backends import get_backend
from nnfs_xp.cli import text
from nnfs_xp.cli.fitting import Trained, common_directory, fit, leave, writes
from nnfs_xp.cli.nets import check_net
from nnfs_xp.cli.network import (
    hidden_sizes,
    layers_for,
    optimizer_for,
    with_what_suits,
)
from nnfs_xp.cli.results import Run, draw_report, placement, titles
from nnfs_xp.cli.standard import answer, chat
from nnfs_xp.cli.tasks import data_options, figures, metadata_of
from nnfs_xp.data import Dataset, Examples, load_dataset
from nnfs_xp.losses import CategoricalCrossEntropy, MeanSquaredError
from nnfs_xp.model import Model
from nnfs_xp.parallel import Communicator
from nnfs_xp.parallel.launch import communicator

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def run(options: argparse.Namespace) -> int:
    """Train, evaluate, and save model, history and report in a directory."""
    check_net(options)
    way = text.train if options.net == "gpt" else _run
    with chat(options), _ranks(options) as ranks:
        status, left = way(options, ranks)
    if options.json and left:
        answer(options, left, "")
    return status


@contextlib.contextmanager
def _ranks(options: argparse.Namespace) -> Iterator[Communicator | None]:
    """Yield the ranks that train together, if there are any; rank 0 alone prints."""
    if options.parallel is None:
        yield None
        return
    if options.parallel == "nccl":
        _use_own_device(options)
    ranks = communicator(options.parallel, sharded=True)
    with contextlib.ExitStack() as stack:
        stack.enter_context(ranks.together())
        processes = ", ".join(map(str, ranks.exchange(os.getpid())))
        if not ranks.is_first:
            nowhere = stack.enter_context(open(os.devnull, "w"))
            stack.enter_context(contextlib.redirect_stdout(nowhere))
        print(f"{ranks.size} ranks over {ranks.name}, processes {processes}")
        yield ranks
        # A rank that ends may end the others too.
        ranks.exchange(None)


def _use_own_device(options: argparse.Namespace) -> None:
    """Let each rank compute on the device of its number, unless one is named."""
    be = get_backend(options.backend, **placement(options))
    if options.device is None and be.name == "cupy":
        rank = communicator("mpi").rank
        options.device = f"cuda:{rank % len(be.devices())}"
        be = get_backend(options.backend, **placement(options))
    if be.name == "cupy":
        be.device.use()


def _run(
    options: argparse.Namespace, ranks: Communicator | None
) -> tuple[int, dict[str, Any]]:
    be = get_backend(options.backend, **placement(options))
    data = load_dataset(
        options.data, data_dir=options.data_dir, seed=options.seed,
        **data_options(options),
    )  # fmt: skip
    options = with_what_suits(data, options)
    steps = options.epochs * math.ceil(len(data.y_train) / options.batch_size)
    classes = data.task == "classification"
    model = Model(
        layers_for(data, options),
        loss=CategoricalCrossEntropy() if classes else MeanSquaredError(),
        optimizer=optimizer_for(options, steps),
        metrics="auto" if classes else "r2",
        backend=be,
        seed=options.seed,
    )
    model.metadata = metadata_of(data, options)
    out = common_directory(options, model, ranks)
    _introduce(data, model, options)
    own = data if ranks is None else _of_rank(data, ranks)
    train, test = (
        (own.features(part, be.dtype_name), own.targets(part, be.dtype_name))
        for part in ("train", "test")
    )
    status, trained = fit(options, model, train, test, out, _unit(data), ranks)
    if not writes(ranks):
        return status, {}
    return status, _write(options, model, data, out, trained, status)


def _introduce(data: Dataset, model: Model, options: argparse.Namespace) -> None:
    """Print what is trained, on what and how."""
    kind = f"{data.n_classes} classes" if data.n_classes else "a number to predict"
    answers = "" if data.label is None else f" (column {data.label!r})"
    assert model.optimizer is not None
    rate, decay = model.optimizer.learning_rate, model.optimizer.weight_decay
    print(f"{data.name}: {data.note}")
    print(
        f"{len(data.y_train):,} training and {len(data.y_test):,} test {_unit(data)}, "
        f"{data.n_features} features, {kind}{answers}"
    )
    print(
        f"{data.task}, {options.epochs} epochs of batches of {options.batch_size}, "
        f"learning rate {f'{rate:g}' if isinstance(rate, float) else rate}"
        f"{f', weight decay {decay:g}' if decay else ''}"
    )
    model.summary()
    print("at the end of each epoch, training metrics (test metrics in parentheses):")


def _of_rank(data: Dataset, ranks: Communicator) -> Dataset:
    """Return the data with the rows of a rank alone."""
    train, test = ranks.rows(len(data.x_train)), ranks.rows(len(data.x_test))
    return dataclasses.replace(
        data,
        x_train=data.x_train[train], y_train=data.y_train[train],
        x_test=data.x_test[test], y_test=data.y_test[test],
    )  # fmt: skip


def _write(
    options: argparse.Namespace,
    model: Model,
    data: Dataset,
    out: Path,
    trained: Trained,
    status: int,
) -> dict[str, Any]:
    """Evaluate the model, write all files, and return what is in them."""
    dtype = model.backend.dtype_name
    x_test, y_test = data.features("test", dtype), data.targets("test", dtype)
    finished = Run(
        model,
        data.name,
        data.note,
        (len(data.y_train), len(data.y_test)),
        trained.epochs,
        trained.seconds,
        options.batch_size,
        hidden_sizes(options),
        figures(model, x_test, y_test),
        options.net,
    )
    rows = Examples(data.x_test, data.y_test, data.class_names, data.image_shape)

    def draw() -> Figure:
        shown = titles(finished, rows)
        return draw_report(model, trained.epochs, rows, x_test, *shown)

    return leave(options, finished, out, draw, status != 0)


def _unit(data: Dataset) -> str:
    return "images" if data.image_shape else "samples"
