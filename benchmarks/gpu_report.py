"""Write the report on a GPU: ``python benchmarks/gpu_report.py``.

The README beside this file says what it needs, measures and writes.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

# The benchmarks are no installed package, and nnfs_xp need not be one either.
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
# Nothing but the two files of the report is left in the tree.
sys.dont_write_bytecode = True

from benchmarks.gpu import environment, page, runner  # noqa: E402
from benchmarks.gpu.place import EMULATED, GPU, REHEARSAL, Place  # noqa: E402
from benchmarks.gpu.plan import BUDGET_SECONDS, SECTIONS  # noqa: E402
from nnfs_xp.io.atomic import atomic_write  # noqa: E402

RESULTS = ROOT / "docs" / "results"
LOOK_SECONDS = 60.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command, and return its exit status."""
    began = time.monotonic()
    options = parse(arguments)
    if options.render:
        return render(options.out or RESULTS)
    with tempfile.TemporaryDirectory(prefix="gpu_report_") as temporary:
        scratch = Path(temporary)
        place, found, reason = look(options, scratch)
        if not reason and place.kind != GPU and options.out is None:
            reason = (
                "this is no GPU, and docs/results/ is for results of one: name another "
                "folder with --out"
            )
        if reason:
            print(f"error: {reason}", file=sys.stderr)
            return 2
        chosen = [s for s in SECTIONS if s.key in options.sections]
        commit = environment.commit_of(ROOT)
        report = runner.new_report(chosen, place, found, options.budget, commit)
        folder = options.out or RESULTS
        if options.add:
            reason = take_over(report, folder)
            if reason:
                print(f"error: {reason}", file=sys.stderr)
                return 2
        # Whatever ends this process, what was found so far is there.
        write(report, folder)
        for key, outcome in runner.run_sections(
            chosen,
            place,
            lambda: options.budget - (time.monotonic() - began),
            scratch,
            say,
        ):
            report["sections"][key] = outcome
            write(report, folder)
    say(f"written: {folder / 'gpu.json'} and {folder / 'gpu.md'}")
    ran = {section.key: report["sections"][section.key] for section in chosen}
    return 1 if runner.failed({"sections": ran}) else 0


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the options of the command line."""
    keys = [section.key for section in SECTIONS]
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--sections", nargs="+", choices=keys, default=keys, metavar="SECTION",
        help=f"which of {', '.join(keys)} (all)",
    )  # fmt: skip
    parser.add_argument(
        "--budget", type=_seconds, default=BUDGET_SECONDS, metavar="SECONDS",
        help=f"for everything together ({BUDGET_SECONDS:.0f})",
    )  # fmt: skip
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="where to write (docs/results)"
    )
    parser.add_argument(
        "--add", action="store_true",
        help="keep what a report in the folder has of other sections",
    )  # fmt: skip
    parser.add_argument(
        "--quick", action="store_true", help="small sizes, to try the report out"
    )
    parser.add_argument(
        "--device", choices=["cuda", "cpu"], default="cuda",
        help="cpu: a rehearsal with NumPy, which needs --out",
    )  # fmt: skip
    parser.add_argument(
        "--render", action="store_true",
        help="run nothing; write the page of the gpu.json that is there, or of none",
    )  # fmt: skip
    return parser.parse_args(arguments)


def look(
    options: argparse.Namespace, scratch: Path
) -> tuple[Place, dict[str, Any], str]:
    """Return where this is, what is here, and why nothing can be reported on."""
    kind = REHEARSAL if options.device == "cpu" else GPU
    place = Place(kind, options.quick, LOOK_SECONDS)
    seen = runner.in_a_process("benchmarks.gpu.environment", place, scratch)
    if seen["status"] != runner.OK:
        return place, {}, seen["reason"]
    found = seen["data"]
    if environment.is_emulated(found):
        place = Place(EMULATED, options.quick, LOOK_SECONDS)
    return place, found, ""


def take_over(report: dict[str, Any], folder: Path) -> str:
    """Take sections of an earlier part of a report over, or return why not."""
    file = folder / "gpu.json"
    if not file.exists():
        return ""
    earlier = json.loads(file.read_text(encoding="utf-8"))
    for name in ("kind", "quick", "commit", "environment"):
        if earlier[name] != report[name]:
            return (
                f"the report in {folder} has another {name}, so nothing can be added "
                "to it: name another folder with --out"
            )
    report["sections"] = {**earlier["sections"], **report["sections"]}
    report["budget_seconds"] += earlier["budget_seconds"]
    return ""


def render(folder: Path) -> int:
    """Write the page of the JSON file in a folder, or the one before any result."""
    file = folder / "gpu.json"
    report = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_write(folder / "gpu.md") as page_file:
        page_file.write(page.to_markdown(report).encode())
    return 0


def write(report: dict[str, Any], folder: Path) -> None:
    """Write the JSON file and the page, each whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_write(folder / "gpu.json") as file:
        file.write(f"{json.dumps(report, indent=1)}\n".encode())
    render(folder)


def say(text: str) -> None:
    """Tell of the progress."""
    print(text, file=sys.stderr, flush=True)


def _seconds(text: str) -> float:
    value = float(text)
    if not value > 0:
        raise argparse.ArgumentTypeError(f"{text} is not more than 0")
    return value


if __name__ == "__main__":
    # Whoever ends this process ends the section that runs, too.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    sys.exit(main())
