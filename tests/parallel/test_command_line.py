"""``mpiexec -n 3 nnfs-xp train --parallel mpi``."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from nnfs_xp.cli import main
from nnfs_xp.io.checkpoint import read_checkpoint
from tests.parallel.test_mpi import MPIEXEC, ROOT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(MPIEXEC is None, reason="there is no mpiexec"),
]
COMMAND = [
    "train", "--data", "digits", "--batch-size", "50", "--hidden", "16",
    "--dtype", "float64", "--no-plot", "--seed", "3",
]  # fmt: skip


def train(size, *more):
    command = [MPIEXEC, "-n", str(size), sys.executable, "-m", "nnfs_xp", *COMMAND]
    return subprocess.run(
        [*command, "--parallel", "mpi", *more], cwd=ROOT, capture_output=True,
        text=True, timeout=120, env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
    )  # fmt: skip


def losses(folder):
    history = json.loads((folder / "history.json").read_text())
    names = ("loss", "accuracy", "validation_loss", "validation_accuracy")
    return [[epoch[name] for name in names] for epoch in history["epochs"]]


def test_ranks_train_and_resume_as_one_process(tmp_path):
    alone, together = tmp_path / "alone", tmp_path / "together"
    assert main([*COMMAND, "--epochs", "4", "--out", str(alone)]) == 0
    options = ["--out", str(together), "--checkpoint-every", "1"]
    first = train(3, "--epochs", "2", *options)
    assert first.returncode == 0, first.stdout + first.stderr
    assert first.stdout.count("epoch 2/2") == 1
    # Another number of ranks goes on on the same curve.
    second = train(2, "--epochs", "4", *options, "--resume")
    assert second.returncode == 0, second.stdout + second.stderr
    np.testing.assert_allclose(losses(together), losses(alone), rtol=1e-12)
    _, expected = read_checkpoint(alone / "model.safetensors")
    _, found = read_checkpoint(together / "model.safetensors")
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-6, atol=1e-12)


def test_what_rank_0_refuses_ends_all(tmp_path):
    (tmp_path / "model.safetensors").write_text("a result")
    done = train(3, "--epochs", "2", "--out", str(tmp_path))
    assert done.returncode != 0
    assert "has a model.safetensors already" in done.stderr
    assert (tmp_path / "model.safetensors").read_text() == "a result"
