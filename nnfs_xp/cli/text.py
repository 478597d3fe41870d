"""``--net gpt``: from a text to a network that continues it."""

from __future__ import annotations

import argparse
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from nnfs_xp.backends import get_backend
from nnfs_xp.cli.fitting import common_directory, fit, leave, writes
from nnfs_xp.cli.network import Preset, optimizer_for, with_preset
from nnfs_xp.cli.results import (
    Run,
    model_path,
    placement,
    subtitle,
)
from nnfs_xp.cli.tasks import figures
from nnfs_xp.data import Text, load_text, sample_text
from nnfs_xp.errors import InputError
from nnfs_xp.losses import SoftmaxCrossEntropy
from nnfs_xp.model import Model
from nnfs_xp.nets import gpt
from nnfs_xp.parallel import Communicator

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Windows = tuple[np.ndarray, np.ndarray]
_PRESET = Preset((), 10, 32, 0.003, schedule="cosine_decay")
_CONTEXT, _BY = 64, "characters"
# Default settings for writing, also used at the end of a training.
WRITING = {"length": 300, "temperature": 0.8, "seed": 0}


def train(
    options: argparse.Namespace, ranks: Communicator | None
) -> tuple[int, dict[str, Any]]:
    """Train a GPT, save it in a directory, and let it write."""
    be = get_backend(options.backend, **placement(options))
    context, by = options.context or _CONTEXT, options.by or _BY
    data = load_text(options.data, context=context, by=by)
    options = with_preset(_PRESET, options)
    x, y = data.windows("train")
    steps = options.epochs * math.ceil(len(x) / options.batch_size)
    model = Model(
        gpt(data.n_ids, context),
        loss=SoftmaxCrossEntropy(),
        optimizer=optimizer_for(options, steps),
        metrics=["accuracy", "perplexity"],
        backend=be,
        seed=options.seed,
    )
    model.metadata = {
        "data": data.name,
        "vocabulary": data.vocabulary.to_dict(),
        "context": context,
    }
    out = common_directory(options, model, ranks)
    test = data.windows("test")
    _introduce(data, model, options, len(x), len(test[0]))
    own = _of_rank((x, y), ranks), _of_rank(test, ranks)
    status, trained = fit(options, model, *own, out, "windows", ranks)
    if not writes(ranks):
        return status, {}
    finished = Run(
        model,
        data.name,
        data.note,
        (len(x), len(test[0])),
        trained.epochs,
        trained.seconds,
        options.batch_size,
        [],
        figures(model, *test),
        options.net,
    )

    def draw() -> Figure:
        from nnfs_xp.plots import learning_curves

        figure = learning_curves(trained.epochs)
        figure.suptitle(subtitle(finished, "windows"), fontsize="small")
        return figure

    left = leave(options, finished, out, draw, status != 0)
    prompt = data.vocabulary.decode(data.ids_test[: context // 2])
    written = sample_text(model, prompt, **{**WRITING, "seed": options.seed})
    print(f"it continues {prompt!r}:\n{prompt}{written}")
    return status, {**left, "prompt": prompt, "text": written}


def _introduce(
    data: Text, model: Model, options: argparse.Namespace, train: int, test: int
) -> None:
    """Print what is trained, on what and how."""
    assert model.optimizer is not None
    print(f"{data.name}: {data.note}")
    print(
        f"{train:,} training and {test:,} test windows of {data.context} "
        f"{data.vocabulary.by}, a vocabulary of {data.n_ids}"
    )
    print(
        f"{options.epochs} epochs of batches of {options.batch_size}, learning rate "
        f"{model.optimizer.learning_rate}"
    )
    model.summary()
    print("at the end of each epoch, training metrics (test metrics in parentheses):")


def _of_rank(windows: Windows, ranks: Communicator | None) -> Windows:
    """Return the windows of a rank, all of them if there is one process."""
    x, y = windows
    rows = slice(None) if ranks is None else ranks.rows(len(x))
    return x[rows], y[rows]


def go_on(options: argparse.Namespace) -> str:
    """Return what a saved model writes after a prompt.

    Raises
    ------
    InputError
        If there is data to predict for, or the model does not write text.
    """
    if options.data is not None:
        raise InputError("prompt: a model predicts for data, or continues a text")
    model = Model.load(
        model_path(options), backend=options.backend, **placement(options)
    )
    given = {name: getattr(options, name) for name in WRITING}
    asked = {name: value for name, value in given.items() if value is not None}
    return sample_text(model, options.prompt, **{**WRITING, **asked})
