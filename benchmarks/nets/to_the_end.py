"""The GPT of ``--net gpt`` trained to its end, here and in PyTorch, side by side."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch

import nnfs_xp as nx
from benchmarks.nets.by_pytorch import loss_of, made_gpt
from benchmarks.nets.problems import CONTEXT, make_problem
from benchmarks.workloads import BETA_1, BETA_2, EPSILON
from nnfs_xp.data import load_text

EPOCHS, BATCH, SEED = 10, 32, 0


class End(NamedTuple):
    """What a training has come to.

    Attributes
    ----------
    training : list of float
        Mean loss of each epoch.
    test : float
        Loss on the windows for tests.
    seconds : float
        Of the training.
    """

    training: list[float]
    test: float
    seconds: float


def losses(say: Callable[[str], None], epochs: int = EPOCHS) -> dict[str, End]:
    """Return how both trainings end: one start, one order of batches, one schedule.

    Parameters
    ----------
    say : callable
        Called with a line after each epoch.
    epochs : int
    """
    text = load_text("text", context=CONTEXT)
    x, y = (array.astype(np.int64) for array in text.windows("train"))
    test = [array.astype(np.int64) for array in text.windows("test")]
    problem = make_problem("gpt")
    steps = epochs * math.ceil(len(x) / BATCH)
    schedule = nx.CosineDecay(problem.rate, steps=steps)
    ours = problem.model("numpy", schedule)
    theirs = made_gpt(problem.values)
    adam = torch.optim.Adam(
        theirs.parameters(), problem.rate, (BETA_1, BETA_2), EPSILON
    )
    # By PyTorch's own schedule, which knows nothing of ours.
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(adam, steps)
    curves: tuple[list[float], list[float]] = [], []
    seconds = [0.0, 0.0]
    for epoch in range(epochs):
        order = np.random.default_rng((SEED, epoch)).permutation(len(x))
        began = time.perf_counter()
        history = ours.fit(x[order], y[order], batch_size=BATCH, shuffle=False)
        curves[0].append(history["loss"][0])
        between = time.perf_counter()
        total = 0.0
        for rows in np.array_split(order, range(BATCH, len(order), BATCH)):
            loss = loss_of(theirs(torch.tensor(x[rows])), torch.tensor(y[rows]))
            adam.zero_grad()
            loss.backward()
            adam.step()
            falling.step()
            total += loss.item() * len(rows)
        curves[1].append(total / len(x))
        seconds[0] += between - began
        seconds[1] += time.perf_counter() - between
        say(f"epoch {epoch + 1}/{epochs}: {curves[0][-1]:.4f}, {curves[1][-1]:.4f}")
    with torch.no_grad():
        expected = loss_of(theirs(torch.tensor(test[0])), torch.tensor(test[1])).item()
    return {
        "nnfs_xp, NumPy": End(curves[0], ours.evaluate(*test)["loss"], seconds[0]),
        "PyTorch eager": End(curves[1], expected, seconds[1]),
    }
