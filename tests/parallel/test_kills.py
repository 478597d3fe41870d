"""A random rank is killed at a random moment, and the training goes on from there.

NNFS_XP_KILLS says how often.
"""

import os
import random
import signal
import subprocess
import sys
import time

import pytest

from nnfs_xp.io.checkpoint import read_checkpoint
from tests.parallel import jobs
from tests.parallel.test_mpi import MPIEXEC, ROOT, assert_same_curve, run, same

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(MPIEXEC is None, reason="there is no mpiexec"),
]


def wait_for(condition, seconds, what):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


def numbers_of_processes(folder, size):
    files = [folder / f"process-{rank}" for rank in range(size)]
    texts = [f.read_text() if f.exists() else "" for f in files]
    return [int(text) for text in texts if text]


@pytest.mark.parametrize("number", range(int(os.environ.get("NNFS_XP_KILLS", "3"))))
def test_a_killed_rank_costs_no_more_than_what_followed_the_checkpoint(
    number, tmp_path
):
    choose = random.Random(number)
    size, rank = (2, 3, 4)[number % 3], choose.randrange(2)
    command = [
        MPIEXEC, "-n", str(size), sys.executable, "-m", "tests.parallel.jobs",
        "slowly", str(tmp_path),
    ]  # fmt: skip
    job = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
    )  # fmt: skip
    try:
        wait_for(
            lambda: len(numbers_of_processes(tmp_path, size)) == size, 60, "no start"
        )
        # An epoch takes some 0.15 s.
        time.sleep(choose.uniform(0.0, 1.5))
        os.kill(numbers_of_processes(tmp_path, size)[rank], signal.SIGKILL)
        output, _ = job.communicate(timeout=30)
    finally:
        job.kill()
    assert job.returncode != 0, output
    if (tmp_path / "run.st").exists():
        read_checkpoint(tmp_path / "run.st")
    resumed = same(run(choose.randint(1, 4), "quickly", tmp_path)[0])
    x, y, _ = jobs.data()
    model = jobs.with_batch_norm()
    alone = jobs.found(model, jobs.trained(model, None, x, y, epochs=10))
    assert_same_curve(alone, resumed)
