"""Reads damaged files: ``python -m tests.hostile.fuzz TARGET --count 1000000``.

A reader may read such a file, or raise an error of the library. Anything else is
printed with the number of its case: another exception, a case that takes long, more
memory than it should, or a warning of neither the library nor the one that decodes
pictures. ``--begin NUMBER --count 1`` does that case again, ``--write FILE`` keeps
its file.
"""

import argparse
import contextlib
import gc
import resource
import sys
import tempfile
import time
import traceback
import tracemalloc
import warnings
from pathlib import Path

import nnfs_xp as nx
from nnfs_xp.errors import DataWarning
from tests.hostile.mutations import Chance
from tests.hostile.targets import TARGETS

# Of the processor, for others may use it too.
SECONDS, MEGABYTES = 20.0, 100
# What a reader may raise; InputError has all kinds of bad files below it.
ALLOWED = (nx.InputError, nx.DivergenceError, nx.BackendUnavailableError)
_MOST_SHOWN = 20


def peak():
    """Return the most memory that the process has had, in megabytes."""
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def problems(target, path, number, seed, trace=False):
    """Read one damaged file, and return what was wrong and whether it was read."""
    content = target.case(Chance(seed, number))
    path.write_bytes(content)
    began, found, read = time.process_time(), [], False
    if trace:
        tracemalloc.reset_peak()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            target.read(path, number)
            read = True
        except ALLOWED:
            pass
        except Exception:
            found.append(traceback.format_exc())
    seconds = time.process_time() - began
    if seconds > SECONDS:
        found.append(f"it took {seconds:.1f} s")
    if trace and (taken := tracemalloc.get_traced_memory()[1] / 2**20) > MEGABYTES:
        found.append(f"it took {taken:.0f} MB")
    found += [
        f"{warning.filename}:{warning.lineno}: {warning.message!r}"
        for warning in caught
        if not (issubclass(warning.category, DataWarning) or "PIL" in warning.filename)
    ]
    return found, read


def check(name, numbers, seed=0, trace=False, show=print):
    """Read damaged files, and return how many were read, and what was wrong.

    Parameters
    ----------
    name : str
        One of `TARGETS`.
    numbers : sequence of int
        The cases.
    seed : int
    trace : bool
        Whether to look at the memory that each case takes, which is slower.
    show : callable
        Is told of each problem as it is found, and of the progress.
    """
    read, wrong = 0, []
    memory = Path("/dev/shm")
    with contextlib.ExitStack() as stack:
        folder = Path(
            stack.enter_context(
                tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None)
            )
        )
        target = TARGETS[name](Path(stack.enter_context(tempfile.TemporaryDirectory())))
        path = folder / target.file
        for beside, content in target.beside.items():
            (folder / beside).parent.mkdir(exist_ok=True)
            (folder / beside).write_bytes(content)
        path.parent.mkdir(exist_ok=True)
        for sound in target.sounds:
            # Some are refused, such as arrays that do not fit, but none crashes.
            path.write_bytes(sound.pack(sound.content))
            with contextlib.suppress(ALLOWED), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                target.read(path, 0)
                read += 1
        assert read, "no sound file can be read"
        read, highest, began = 0, peak(), time.monotonic()
        if trace:
            tracemalloc.start()
            stack.callback(tracemalloc.stop)
        for done, number in enumerate(numbers, 1):
            found, was_read = problems(target, path, number, seed, trace)
            read += was_read
            if (now := peak()) > highest + MEGABYTES:
                found.append(f"{now - highest:.0f} MB more")
                highest = now
            for problem in found:
                wrong.append(f"{name}, seed {seed}, case {number}: {problem}")
                if len(wrong) <= _MOST_SHOWN:
                    show(wrong[-1])
            if done % 100_000 == 0:
                gc.collect()
                seconds = time.monotonic() - began
                show(
                    f"{name}: {done} cases, {read} read, {len(wrong)} wrong, "
                    f"{seconds:.0f} s, at most {peak():.0f} MB"
                )
    return read, wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--begin", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", type=Path)
    given = parser.parse_args()
    numbers = range(given.begin, given.begin + given.count)
    if given.write:
        with tempfile.TemporaryDirectory() as folder:
            target = TARGETS[given.target](Path(folder))
            given.write.write_bytes(target.case(Chance(given.seed, given.begin)))
    start = peak()

    def show(line):
        print(line, flush=True)

    began = time.monotonic()
    read, wrong = check(given.target, numbers, given.seed, show=show)
    print(
        f"{given.target}: {given.count} cases from {given.begin}, seed {given.seed}: "
        f"{read} read, {len(wrong)} wrong, {time.monotonic() - began:.0f} s, "
        f"{peak() - start:.0f} MB more than at the start"
    )
    raise SystemExit(1 if wrong else 0)


if __name__ == "__main__":
    main()
