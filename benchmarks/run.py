"""Time one training step of nnfs_xp beside other ways of taking it.

Run it from anywhere: ``python benchmarks/training_step.py``. The README
beside it says what is measured, and how.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

# The benchmarks are no installed package, and nnfs_xp need not be one either.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

# Nothing that imports NumPy may be imported up here: the number of threads has
# to be set before.
from benchmarks import machine

if TYPE_CHECKING:
    from benchmarks.report import Results


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command, and return its exit status."""
    options = parse(arguments)
    machine.set_environment(options.threads)

    from benchmarks.agreement import DisagreementError
    from benchmarks.contenders import available
    from benchmarks.report import to_json, to_markdown
    from benchmarks.workloads import WORKLOADS

    unknown = [key for key in options.workloads if key not in WORKLOADS]
    if unknown:
        return _fail(f"--workloads: {unknown[0]} is none of {', '.join(WORKLOADS)}")
    if options.device == "cuda":
        reason = why_no_gpu()
        if reason:
            return _fail(f"--device cuda: {reason}")
        machine.use_full_float32()
    entries, left_out = available(options.device)
    machine.set_threads(options.threads)
    try:
        results = measure(options, entries, left_out, _say)
    except DisagreementError as error:
        return _fail(f"contenders disagree, nothing was timed: {error}")

    table = to_markdown(results)
    print(table)
    if options.markdown:
        options.markdown.write_text(table, encoding="utf-8")
    if options.out:
        text = json.dumps(to_json(results), indent=1)
        options.out.write_text(text + "\n", encoding="utf-8")
    return 0


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--repeats", type=_positive, default=15, help="blocks of each contender (15)"
    )
    parser.add_argument(
        "--workloads", nargs="+", default=["W1", "W2", "W3"], metavar="W",
        help="which of W1, W2 and W3 (all)",
    )  # fmt: skip
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument(
        "--threads", type=_positive, default=1, help="for every library (1)"
    )
    parser.add_argument(
        "--out", type=Path, metavar="FILE.json", help="write every block there"
    )
    parser.add_argument(
        "--markdown", type=Path, metavar="FILE.md", help="write the table there too"
    )
    return parser.parse_args(arguments)


def measure(
    options: argparse.Namespace,
    entries: Sequence,
    left_out: dict[str, str],
    say: Callable[[str], None],
) -> Results:
    """Check and time every contender on every workload."""
    from benchmarks import agreement, timing
    from benchmarks.contenders import BASELINE, REFERENCE
    from benchmarks.contenders.book import Book
    from benchmarks.report import Results
    from benchmarks.workloads import WORKLOADS, make_problem

    contenders = {}
    # All of them are checked before any is timed.
    for key in options.workloads:
        problem = make_problem(WORKLOADS[key])
        contenders[key] = {e.label: e.make(problem, options.device) for e in entries}
        # The book's way is compared with even where it is not timed.
        checked = {REFERENCE: Book(problem, "cpu"), **contenders[key]}
        agreement.check_agreement(checked)
        say(f"{key}: all losses agree over {agreement.CHECKED_STEPS} steps")
    timings = {}
    for key in options.workloads:
        timings[key] = timing.time_contenders(
            contenders[key],
            options.repeats,
            timing.BLOCK_SECONDS,
            timing.WARM_UP_SECONDS,
        )
        say(f"{key}: timed")
    return Results(
        machine=machine.describe(options.device, options.threads),
        versions=machine.versions(),
        baseline=BASELINE,
        protocol={
            "repeats": options.repeats,
            "block_seconds": timing.BLOCK_SECONDS,
            "checked_steps": agreement.CHECKED_STEPS,
            "relative_tolerance": agreement.RELATIVE_TOLERANCE,
        },
        timings=timings,
        left_out=left_out,
    )


def why_no_gpu() -> str:
    """Return why nnfs_xp has no GPU here; nothing if it has one."""
    import nnfs_xp

    try:
        nnfs_xp.get_backend("cupy", device="cuda")
    except nnfs_xp.BackendUnavailableError as error:
        return str(error)
    return ""


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not 1 or more")
    return value


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def _fail(text: str) -> int:
    print(f"error: {text}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
