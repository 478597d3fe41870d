"""Time a CNN and a GPT beside PyTorch and JAX, and train the GPT to its end.

``python -m benchmarks.nets``; the README in ``benchmarks`` says what is measured.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

# Nothing that imports NumPy may be imported up here: the number of threads has
# to be set before.
from benchmarks import machine

# Blocks are short, so that others on the machine hit all contenders alike.
FEWEST_STEPS = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command, and return its exit status."""
    options = parse(arguments)
    machine.set_environment(options.threads)

    from benchmarks import agreement, timing
    from benchmarks.nets import contenders, page, to_the_end
    from benchmarks.nets.problems import make_problem

    machine.set_threads(options.threads)
    busy, timings, titles = machine.busy_cores(), {}, {}
    for key in options.networks:
        problem = make_problem(key)
        made = contenders.make(problem, options.contenders)
        agreement.check_agreement(made)
        _say(f"{key}: all losses agree over {agreement.CHECKED_STEPS} steps")
        titles[key] = problem.title
        timings[key] = timing.time_contenders(
            made, options.repeats, 0.0, timing.WARM_UP_SECONDS, FEWEST_STEPS
        )
        _say(f"{key}: timed")
    ends = to_the_end.losses(_say) if options.to_the_end else None
    facts = machine.describe("cpu", options.threads) | {"busy": busy}
    text = page.tables(facts, machine.versions(), titles, timings, ends)
    print(text)
    if options.page:
        options.page.write_text(page.HEAD + text, encoding="utf-8")
    return 0


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.nets", description=__doc__.partition("\n")[0]
    )
    parser.add_argument(
        "--networks", nargs="*", choices=["cnn", "gpt"], default=["cnn", "gpt"],
        help="whose steps to time (both)",
    )  # fmt: skip
    parser.add_argument(
        "--contenders", nargs="+", metavar="TEXT",
        help="only those whose label contains one of these",
    )  # fmt: skip
    parser.add_argument(
        "--to-the-end", action="store_true",
        help="train the GPT to its end, here and in PyTorch; some minutes",
    )  # fmt: skip
    parser.add_argument("--repeats", type=int, default=30, help="blocks of each (30)")
    parser.add_argument("--threads", type=int, default=1, help="for each library (1)")
    parser.add_argument(
        "--page", type=Path, metavar="FILE.md", help="write the tables there too"
    )
    return parser.parse_args(arguments)


def _say(text: str) -> None:
    print(text, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
