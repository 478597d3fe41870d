"""Results as Markdown tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.machine import QUIET
from benchmarks.nets.contenders import (
    CHANNELS_LAST,
    EAGER,
    FAST,
    JAX,
    JIT,
    PLAIN,
    TORCH,
)
from benchmarks.nets.to_the_end import End
from benchmarks.timing import Timing

HEAD = """# Speed of a CNN and a GPT

This page compares the time of one training step in nnfs_xp, PyTorch and JAX, for the
networks that `nnfs-xp train --net cnn` and `nnfs-xp train --net gpt` train.
`benchmarks/README.md` explains what is measured. The first table lists medians, with
the quartiles in brackets. The second table lists ratios of these medians, with the
highest accepted ratio in parentheses. The following command writes this page:

<!-- not run: runs other libraries -->
```console
$ python -m benchmarks.nets --to-the-end --page docs/results/nets.md
```

"""
# Ours, whose time counts as 1, and the most that the ratio may be, for each network.
_LIMITS: list[tuple[str, str, dict[str, float]]] = [
    (PLAIN, EAGER, {"cnn": 1.2, "gpt": 1.2}),
    (FAST, EAGER, {"cnn": 0.9, "gpt": 0.85}),
    (TORCH, EAGER, {"cnn": 1.0, "gpt": 1.0}),
    (JAX, JIT, {"cnn": 1.0, "gpt": 1.0}),
    (PLAIN, CHANNELS_LAST, {"cnn": 1.9}),
    (FAST, CHANNELS_LAST, {"cnn": 1.5}),
]


def tables(
    facts: Mapping[str, Any],
    versions: Mapping[str, str],
    titles: Mapping[str, str],
    timings: Mapping[str, Mapping[str, Timing]],
    ends: Mapping[str, End] | None,
) -> str:
    """Return all that was found, with the machine in front."""
    named = ", ".join(f"{name} {version}" for name, version in versions.items())
    threads = f"{facts['threads']} thread{'s' if facts['threads'] > 1 else ''}"
    parts = [f"{facts['processor']}, {facts['cores']} cores, {threads}; {named}."]
    if facts["busy"] > QUIET:
        parts.append(
            f"**Other processes kept {facts['busy']:.1f} cores busy;** only the ratios "
            "are meaningful."
        )
    parts += [_times(titles, timings), _ratios(timings)] if timings else []
    parts += [_ends(ends)] if ends else []
    return "\n\n".join(parts) + "\n"


def _times(
    titles: Mapping[str, str], timings: Mapping[str, Mapping[str, Timing]]
) -> str:
    """Return the median of each contender, and where the middle half lies."""
    labels = list(dict.fromkeys(x for key in timings for x in timings[key]))
    rows = [
        ["milliseconds", *(titles[key] for key in timings)],
        ["---", *["---:"] * len(timings)],
        *(
            [label, *(_cell(timings[key], label) for key in timings)]
            for label in labels
        ),
    ]
    return _table(rows)


def _cell(timings: Mapping[str, Timing], label: str) -> str:
    if label not in timings:
        return ""
    low, median, high = (1e-3 * value for value in timings[label].quartiles)
    return f"{median:.2f} [{low:.2f}, {high:.2f}]"


def _ratios(timings: Mapping[str, Mapping[str, Timing]]) -> str:
    """Return ratios of medians, each with the most that it should be."""
    rows = [["ratio of medians", *timings], ["---", *["---:"] * len(timings)]]
    for ours, base, limits in _LIMITS:
        cells = [
            f"{_median(found, ours) / _median(found, base):.2f} (at most {limits[key]})"
            if key in limits and {ours, base} <= set(found)
            else ""
            for key, found in timings.items()
        ]
        if any(cells):
            rows.append([f"{ours} / {base}", *cells])
    return _table(rows)


def _median(timings: Mapping[str, Timing], label: str) -> float:
    return timings[label].quartiles[1]


def _ends(ends: Mapping[str, End]) -> str:
    """Return what both trainings of the GPT have come to."""
    text = (
        "In addition, nnfs_xp and PyTorch trained the GPT for all epochs on the text "
        "that comes with nnfs_xp, with the same initial weights, the same order of "
        "batches, and Adam with the same cosine learning rate schedule:"
    )
    rows = [
        ["", "loss, first epoch", "loss, last epoch", "test loss", "seconds"],
        ["---", *["---:"] * 4],
    ]
    for label, end in ends.items():
        numbers = end.training[0], end.training[-1], end.test
        rows.append([label, *(f"{n:.4f}" for n in numbers), f"{end.seconds:.0f}"])
    return f"{text}\n\n{_table(rows)}"


def _table(rows: list[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
