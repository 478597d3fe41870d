"""Training that can be interrupted and resumed, and the files it leaves."""

from __future__ import annotations

import argparse
import importlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnfs_xp import ctrl_c
from nnfs_xp.callbacks import Callback, Progress
from nnfs_xp.callbacks.checkpoint import size_of
from nnfs_xp.cli.results import (
    CHECKPOINT,
    Run,
    output_directory,
    write_history,
    write_report,
)
from nnfs_xp.errors import InputError
from nnfs_xp.model import Model
from nnfs_xp.parallel import Communicator

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Trained(Callback):
    """Keeps the records of all epochs that ended, even if one is interrupted."""

    def __init__(self) -> None:
        self.epochs: list[dict[str, Any]] = []
        self._began = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Duration of the training, including the time before it was resumed."""
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


def writes(ranks: Communicator | None) -> bool:
    """Return whether this process writes the files of the training."""
    return ranks is None or ranks.is_first


def common_directory(
    options: argparse.Namespace, model: Model, ranks: Communicator | None
) -> Path:
    """Make the directory for the results, the same one for all ranks.

    Raises
    ------
    InputError, OSError
        See `output_directory`.
    """
    out = output_directory(options, size_of(model)) if writes(ranks) else Path()
    if ranks is not None:
        out = ranks.exchange(out)[0]
    if writes(ranks) and not options.no_plot:
        # A package that is needed only at the end is reported missing at the beginning.
        importlib.import_module("nnfs_xp.plots")
    return out


def fit(
    options: argparse.Namespace,
    model: Model,
    train: tuple[Any, Any],
    test: tuple[Any, Any],
    out: Path,
    unit: str,
    ranks: Communicator | None,
) -> tuple[int, Trained]:
    """Train as the options say, and return the exit status and the records.

    Parameters
    ----------
    options : argparse.Namespace
    model : Model
    train, test : tuple
        Samples and targets.
    out : pathlib.Path
        Directory of the checkpoint.
    unit : str
        What a sample is called.
    ranks : Communicator or None
        The ranks that train together, each on its own samples.
    """
    trained = Trained()
    status, kept = 0, options.resume or options.checkpoint_every is not None
    try:
        with ctrl_c.raising():
            model.fit(
                *train,
                epochs=options.epochs,
                batch_size=options.batch_size,
                validation_data=test,
                callbacks=[trained, Progress(unit)],
                checkpoint=out / CHECKPOINT if kept else None,
                checkpoint_every=options.checkpoint_every or 1,
                resume=options.resume,
                parallel=ranks,
            )
    except (KeyboardInterrupt, SystemExit) as error:
        if not trained.epochs:
            raise
        status = ctrl_c.status_of(error)
        epoch = len(trained.epochs) + 1
        way_on = "; --resume continues it" if kept else ""
        print(f"interrupted in epoch {epoch}; keeping what was learned{way_on}")
    return status, trained


def leave(
    options: argparse.Namespace,
    finished: Run,
    out: Path,
    draw: Callable[[], Figure],
    interrupted: bool,
) -> dict[str, Any]:
    """Write model, history and report, print figures, and return what there is."""
    finished.model.save(out / "model.safetensors")
    write_history(finished, out / "history.json")
    written = ["model.safetensors", "history.json"]
    if not options.no_plot:
        try:
            write_report(draw, out / "report.png")
            written.append("report.png")
        except InputError as error:
            # A network that diverged predicts NaN, which cannot be drawn.
            print(f"no report.png: {error}")
    named = [f"test {name} {value:.4f}" for name, value in finished.test.items()]
    print(f"{', '.join(named[1:] + named[:1])}, trained in {finished.seconds:.1f} s")
    print(f"wrote {', '.join(written)} to {out}")
    return {
        "directory": str(out),
        "files": written,
        "epochs": len(finished.epochs),
        "seconds": finished.seconds,
        "interrupted": interrupted,
        **{f"test_{name}": value for name, value in finished.test.items()},
    }
