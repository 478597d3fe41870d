"""``nnfs-xp train``: from a name of a data set to a trained, saved network."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import importlib
import math
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nnfs_xp import ctrl_c
from nnfs_xp.backends import get_backend
from nnfs_xp.callbacks import Callback, Progress
from nnfs_xp.callbacks.checkpoint import size_of
from nnfs_xp.cli.network import (
    hidden_sizes,
    layers_for,
    optimizer_for,
    with_what_suits,
)
from nnfs_xp.cli.results import (
    CHECKPOINT,
    Run,
    output_directory,
    placement,
    write_history,
    write_report,
)
from nnfs_xp.cli.standard import answer, chat
from nnfs_xp.cli.tasks import data_options, figures, metadata_of
from nnfs_xp.data import Dataset, load_dataset
from nnfs_xp.errors import InputError
from nnfs_xp.losses import CategoricalCrossEntropy, MeanSquaredError
from nnfs_xp.model import Model
from nnfs_xp.parallel import Communicator
from nnfs_xp.parallel.launch import communicator


def run(options: argparse.Namespace) -> int:
    """Train, evaluate, and leave model, history and report in a directory."""
    with chat(options), _ranks(options) as ranks:
        status, left = _run(options, ranks)
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
        # A rank that has ended may take the others with it.
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
    writes = ranks is None or ranks.is_first
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
    out = output_directory(options, size_of(model)) if writes else Path()
    if ranks is not None:
        out = ranks.exchange(out)[0]
    _introduce(data, model, options)
    if writes and not options.no_plot:
        # What is needed at the end is missed at the beginning.
        importlib.import_module("nnfs_xp.plots")
    recorder = _Recorder()
    status = _train(options, ranks, model, data, out, recorder)
    return status, _write(options, model, data, out, recorder, status) if writes else {}


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
    print("at the end of each epoch, training figures (test figures in brackets):")


def _train(
    options: argparse.Namespace,
    ranks: Communicator | None,
    model: Model,
    data: Dataset,
    out: Path,
    recorder: _Recorder,
) -> int:
    be = model.backend
    own = data if ranks is None else _of_rank(data, ranks)
    status, kept = 0, options.resume or options.checkpoint_every is not None
    try:
        with ctrl_c.raising():
            model.fit(
                own.features("train", be.dtype_name),
                own.targets("train", be.dtype_name),
                epochs=options.epochs,
                batch_size=options.batch_size,
                validation_data=(
                    own.features("test", be.dtype_name),
                    own.targets("test", be.dtype_name),
                ),
                callbacks=[recorder, Progress(_unit(data))],
                checkpoint=out / CHECKPOINT if kept else None,
                checkpoint_every=options.checkpoint_every or 1,
                resume=options.resume,
                parallel=ranks,
            )
    except (KeyboardInterrupt, SystemExit) as error:
        if not recorder.epochs:
            raise
        status = ctrl_c.status_of(error)
        epoch = len(recorder.epochs) + 1
        way_on = "; --resume goes on with it" if kept else ""
        print(f"interrupted in epoch {epoch}; keeping what was learned{way_on}")
    return status


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
    recorder: _Recorder,
    status: int,
) -> dict[str, Any]:
    """Evaluate the model, write all files, and return what is in them."""
    be, seconds = model.backend, recorder.seconds
    x_test = data.features("test", be.dtype_name)
    y_test = data.targets("test", be.dtype_name)
    test = figures(model, x_test, y_test)
    sizes, batch_size = hidden_sizes(options), options.batch_size
    finished = Run(model, data, recorder.epochs, seconds, batch_size, sizes, test)
    model.save(out / "model.safetensors")
    write_history(finished, out / "history.json")
    written = ["model.safetensors", "history.json"]
    if not options.no_plot:
        try:
            write_report(finished, x_test, out / "report.png")
            written.append("report.png")
        except InputError as error:
            # A network that diverged predicts NaN, which cannot be drawn.
            print(f"no report.png: {error}")
    named = [f"test {name} {value:.4f}" for name, value in test.items()]
    print(f"{', '.join(named[1:] + named[:1])}, trained in {seconds:.1f} s")
    print(f"wrote {', '.join(written)} to {out}")
    return {
        "directory": str(out),
        "files": written,
        "epochs": len(recorder.epochs),
        "seconds": seconds,
        "interrupted": status != 0,
        **{f"test_{name}": value for name, value in test.items()},
    }


def _unit(data: Dataset) -> str:
    return "images" if data.image_shape else "samples"


class _Recorder(Callback):
    """Keeps the records of all epochs that ended, also if one is interrupted."""

    def __init__(self) -> None:
        self.epochs: list[dict[str, Any]] = []
        self._began = time.perf_counter()

    @property
    def seconds(self) -> float:
        """What the training has taken, also before it was resumed."""
        return time.perf_counter() - self._began

    def state_dict(self) -> dict[str, Any]:
        """Return both."""
        return {"epochs": self.epochs, "seconds": self.seconds}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take both over."""
        self.epochs = state["epochs"]
        self._began = time.perf_counter() - state["seconds"]

    def on_epoch_end(self, record: dict[str, Any]) -> None:
        """Keep the record."""
        self.epochs.append(record)
