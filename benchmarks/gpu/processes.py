"""Start Python again: for a section, for pytest, for a notebook."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.gpu.text import ROOT, without_folders

# How long a process that is told to stop has for putting down what it knows.
GRACE_SECONDS = 5.0
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def is_emulated() -> bool:
    """Return whether this process has CuPy's driver replaced by an emulation."""
    return "cupy_on_cpu" in sys.modules


def python() -> list[str]:
    """Return the start of a command line; an emulated device is passed on."""
    return [sys.executable, *(["-m", "cupy_on_cpu"] if is_emulated() else [])]


def environment(scratch: Path, **more: str) -> dict[str, str]:
    """Return variables with which a process leaves nothing in the source tree."""
    paths = [str(ROOT), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(dict.fromkeys(filter(None, paths))),
        "PYTHONDONTWRITEBYTECODE": "1",
        "HYPOTHESIS_STORAGE_DIRECTORY": str(scratch / "hypothesis"),
        "MPLBACKEND": "Agg",
        # JAX would take most of the GPU's memory, and others need some too.
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
        **more,
    }


def run(
    command: Sequence[str],
    seconds: float,
    log: Path,
    env: dict[str, str],
    cwd: Path = ROOT,
    grace: float = GRACE_SECONDS,
) -> int | None:
    """Run a command in at most so many seconds, with its output in a file.

    Returns
    -------
    int or None
        Its exit status; None if it was stopped, with all that it had started.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=cwd, env=env, stdout=output, stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            _stop(process, grace)
            return None
        except BaseException:
            _stop(process, grace)
            raise


def _stop(process: subprocess.Popen[bytes], grace: float) -> None:
    """End a process and its children, which are a group of their own."""
    for number in (signal.SIGINT, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(grace)
        except ProcessLookupError:
            break
        except subprocess.TimeoutExpired:
            continue
    process.wait()


def last_words(log: Path, lines: int = 3) -> str:
    """Return the end of an output, as one line that names no folder of this machine."""
    text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    lines_said = COLOUR.sub("", text).splitlines()
    said = [line.strip() for line in lines_said if line.strip()]
    return without_folders(" / ".join(said[-lines:]))
