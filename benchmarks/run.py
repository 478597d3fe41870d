"""Time nnfs_xp beside other ways of doing the same.

Run it from anywhere: ``python benchmarks/run.py``. The README beside it says what is
measured, and how.
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
    from benchmarks.sections import Case


SECTIONS = ("steps", "fit", "predict", "growth", "memory")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command, and return its exit status."""
    options = parse(arguments)
    machine.set_environment(options.threads)

    from benchmarks.agreement import DisagreementError
    from benchmarks.report import from_json, to_json
    from benchmarks.workloads import WORKLOADS

    if options.render:
        tree = json.loads(options.render.read_text(encoding="utf-8"))
        _show(options, from_json(tree))
        return 0
    unknown = [key for key in options.workloads or () if key not in WORKLOADS]
    if unknown:
        return _fail(f"--workloads: {unknown[0]} is none of {', '.join(WORKLOADS)}")
    if options.device == "cuda":
        reason = why_no_gpu()
        if reason:
            return _fail(f"--device cuda: {reason}")
        machine.use_full_float32()
    if "memory" in options.sections and not machine.has_peaks():
        return _fail("--sections memory: needs /proc/self/clear_refs, as on Linux")
    machine.set_threads(options.threads)
    busy = machine.busy_cores()
    if busy > machine.QUIET:
        _say(
            f"warning: other processes keep {busy:.1f} cores busy; times that are "
            "taken now are of no use"
        )
    try:
        results = measure(options, busy, _say)
    except DisagreementError as error:
        return _fail(f"contenders disagree, nothing was timed: {error}")

    _show(options, results)
    if options.out:
        text = json.dumps(to_json(results), indent=1)
        options.out.write_text(text + "\n", encoding="utf-8")
    return 0


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--sections", nargs="+", choices=SECTIONS, default=["steps"], metavar="NAME",
        help=f"which of {', '.join(SECTIONS)} (steps)",
    )  # fmt: skip
    parser.add_argument(
        "--workloads", nargs="+", metavar="W",
        help="which of W1 to W7 for steps and fit (W1 W2 W3)",
    )  # fmt: skip
    parser.add_argument(
        "--all", action="store_true", help="every section and every workload"
    )
    parser.add_argument(
        "--contenders", nargs="+", metavar="TEXT",
        help="only those whose label contains one of these",
    )  # fmt: skip
    parser.add_argument(
        "--repeats", type=_positive, default=15, help="blocks of each contender (15)"
    )
    parser.add_argument(
        "--quick", action="store_true",
        help="one short block of each, to try everything: its times say little",
    )  # fmt: skip
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument(
        "--threads", type=_positive, default=1, help="for every library (1)"
    )
    parser.add_argument(
        "--out", type=Path, metavar="FILE.json", help="write every block there"
    )
    parser.add_argument(
        "--markdown", type=Path, metavar="FILE.md", help="write the tables there too"
    )
    parser.add_argument(
        "--page", type=Path, metavar="FILE.md",
        help="write the page of the documentation there",
    )  # fmt: skip
    parser.add_argument(
        "--render", type=Path, metavar="FILE.json",
        help="measure nothing, and show the tables of such a file",
    )  # fmt: skip
    options = parser.parse_args(arguments)
    if options.all:
        options.sections = list(SECTIONS)
    if options.quick:
        options.repeats = 1
    if options.workloads is None:
        names = range(1, 8 if options.all else 4)
        options.workloads = [f"W{number}" for number in names]
    return options


def measure(
    options: argparse.Namespace, busy: float, say: Callable[[str], None]
) -> Results:
    """Check and time every contender on every case of the sections asked for."""
    from benchmarks import agreement, fit_memory, timing
    from benchmarks.contenders import BASELINE
    from benchmarks.report import Results
    from benchmarks.sections import cases_of

    results = Results(
        machine={**machine.describe(options.device, options.threads), "busy": busy},
        versions=machine.versions(),
        baseline=BASELINE,
        protocol={
            "repeats": options.repeats,
            "quick": options.quick,
            "block_seconds": timing.BLOCK_SECONDS,
            "checked_steps": agreement.CHECKED_STEPS,
            "relative_tolerance": agreement.RELATIVE_TOLERANCE,
        },
        timings={},
        left_out={},
    )
    for case in cases_of(options.sections, options.workloads):
        _measure(case, options, results, say)
    if "memory" in options.sections:
        results.memory.update(fit_memory.measured())
        say("memory: measured")
    return results


def _measure(
    case: Case,
    options: argparse.Namespace,
    results: Results,
    say: Callable[[str], None],
) -> None:
    """Check the contenders of a case, and time them if they agree."""
    from benchmarks import agreement, timing
    from benchmarks.contenders import REFERENCE, available
    from benchmarks.contenders.book import Book
    from benchmarks.floor import floor_us
    from benchmarks.workloads import CHECKED_IF_SMALL, make_problem

    workload, key = case.workload, case.key
    entries, left_out = available(options.device, case.entries)
    if options.contenders:
        entries = [e for e in entries if any(t in e.label for t in options.contenders)]
    results.left_out.update(left_out)
    problem = make_problem(workload)
    contenders = {e.label: e.make(problem, options.device) for e in entries}
    checked = dict(contenders)
    steps = workload.checked_steps
    if case.trains and steps == CHECKED_IF_SMALL:
        # The book's way is compared with even where it is not timed.
        checked = {REFERENCE: Book(problem, "cpu"), **checked}
    agreement.check_agreement(checked, steps)
    say(f"{key}: all losses agree over {steps} steps")
    few = workload.heavy or options.quick
    results.timings[key] = timing.time_contenders(
        contenders,
        min(timing.HEAVY, options.repeats) if few else options.repeats,
        0.0 if few else timing.BLOCK_SECONDS,
        0.0 if few else timing.WARM_UP_SECONDS,
        fewest=1 if few else timing.FEWEST,
    )
    results.sections.setdefault(case.section, []).append(key)
    results.titles[key] = workload.title
    if options.device == "cpu":
        rows = len(problem.batches[0][0])
        results.floors[key] = floor_us(workload, rows, case.trains)
    say(f"{key}: timed")


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


def _show(options: argparse.Namespace, results: Results) -> None:
    """Print tables, and write them to the files that are named."""
    from benchmarks.report import to_markdown, to_page

    tables = to_markdown(results)
    print(tables)
    if options.markdown:
        options.markdown.write_text(tables, encoding="utf-8")
    if options.page:
        options.page.write_text(to_page(results), encoding="utf-8")


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def _fail(text: str) -> int:
    print(f"error: {text}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
