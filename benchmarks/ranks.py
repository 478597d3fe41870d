"""Time training on several ranks, and say what it would take on many more.

``python -m benchmarks.ranks`` starts ``mpiexec`` for each workload and number of ranks.
In a job all ranks train together and rank 0 trains alone, block by block in turn; and
the ranks add up arrays of many sizes. From that a model is fitted, whose assumptions
are those of `Model`. Tables and picture go to ``docs/results``.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import math
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

# Bytes of the arrays that are added up, and how often.
SIZES = [8 * 4**k for k in range(12)]
SUMS = 20
# The ranks that the model is asked for.
MANY = [2**k for k in range(11)]
RESULTS = Path(__file__).resolve().parents[1] / "docs" / "results"
# What is between these lines of the page is written anew.
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


@dataclasses.dataclass(frozen=True)
class Model:
    """Seconds of a step, by the alpha-beta model.

    A message costs `alpha` whatever its size, and a byte costs `beta`. A sum over p
    ranks in 2 log2(p) rounds, of n bytes of which each rank sends and receives the
    share (p - 1) / p twice, takes::

        T(n, p) = 2 alpha log2(p) + 2 beta n (p - 1) / p

    That is the algorithm of Rabenseifner for a p that is a power of two. A rank with b
    rows computes for ``fixed + row b`` seconds. Assumed are that all ranks are equally
    fast, that nothing else uses the network, and that no sum goes on while gradients
    are computed.

    References
    ----------
    Thakur, Rabenseifner and Gropp, "Optimization of Collective Communication
    Operations in MPICH", IJHPCA 19, 2005, section 4.5.
    """

    alpha: float
    beta: float
    fixed: float = 0.0
    row: float = 0.0

    def sum_seconds(self, size: int, ranks: int) -> float:
        """Return the time of a sum of so many bytes."""
        share = (ranks - 1) / ranks
        return 2.0 * (self.alpha * math.log2(ranks) + self.beta * size * share)

    def step_seconds(self, rows: float, sizes: Sequence[int], ranks: int) -> float:
        """Return the time of a step with so many rows a rank, and these messages."""
        sums = sum(self.sum_seconds(size, ranks) for size in sizes)
        return self.fixed + self.row * rows + sums


def fitted_messages(times: Sequence[tuple[int, int, float]]) -> tuple[float, float]:
    """Return alpha and beta, from (bytes, ranks, seconds) of sums.

    Least squares of relative errors, so that short sums count as much as long ones.
    """
    import numpy as np

    rows = [
        (2.0 * math.log2(ranks) / t, 2.0 * size * (ranks - 1) / ranks / t)
        for size, ranks, t in times
    ]
    found, *_ = np.linalg.lstsq(np.array(rows), np.ones(len(rows)), rcond=None)
    return float(found[0]), float(found[1])


def fitted_steps(times: Sequence[tuple[int, float]]) -> tuple[float, float]:
    """Return the fixed seconds of a step and those of a row, from (rows, seconds)."""
    import numpy as np

    rows = [(1.0 / t, n / t) for n, t in times]
    found, *_ = np.linalg.lstsq(np.array(rows), np.ones(len(rows)), rcond=None)
    return max(0.0, float(found[0])), float(found[1])


# What is trained.


@dataclasses.dataclass(frozen=True)
class Workload:
    """A network, and how it is trained.

    Attributes
    ----------
    text : str
        It in words.
    layers : callable
        Makes the layers.
    sample : tuple of int
        Shape of a sample.
    classes : int
        Numbers that targets are less than; samples too, if they are ids.
    batch : int
        Rows of a batch.
    rows : int
        Rows of a block, which is as many steps as they allow, and two at least. The
        first of them is not recorded, and takes longer.
    momentum : float or None
        Of SGD; None for Adam.
    is_ids : bool
        Whether samples are ids, of which each has a target.
    repeats : int
        The most blocks that are timed.
    """

    text: str
    layers: Callable[[], list[Any]]
    sample: tuple[int, ...]
    classes: int
    batch: int
    rows: int
    momentum: float | None = None
    is_ids: bool = False
    repeats: int = 100

    def network(self) -> Any:
        """Return a model of it."""
        import nnfs_xp as nx

        optimizer: Any = nx.Adam(1e-3)
        if self.momentum is not None:
            optimizer = nx.SGD(0.01, momentum=self.momentum)
        loss = nx.CategoricalCrossEntropy(from_logits=True)
        return nx.Model(self.layers(), loss=loss, optimizer=optimizer)

    def data(self, rows: int) -> tuple[Any, Any]:
        """Return random samples and targets."""
        import numpy as np

        random, shape = np.random.default_rng(0), (rows, *self.sample)
        if self.is_ids:
            return tuple(random.integers(0, self.classes, shape) for _ in range(2))  # type: ignore[return-value]
        return random.random(shape, np.float32), random.integers(0, self.classes, rows)

    def steps(self, batch: int) -> int:
        """Return the steps of a block."""
        return max(2, self.rows // batch)


def _dense(*sizes: int) -> list[Any]:
    import nnfs_xp as nx

    layers: list[Any] = []
    for inputs, outputs in itertools.pairwise(sizes):
        layers += [nx.Dense(inputs, outputs), nx.ReLU()]
    return layers[:-1]


def _cnn() -> list[Any]:
    import nnfs_xp as nx

    return [
        nx.Conv2D(1, 16, 3, padding="same"), nx.ReLU(), nx.MaxPool2D(2),
        nx.Conv2D(16, 32, 3, padding="same"), nx.ReLU(), nx.MaxPool2D(2),
        nx.Flatten(), nx.Dense(7 * 7 * 32, 10),
    ]  # fmt: skip


def _gpt() -> list[Any]:
    import nnfs_xp as nx

    blocks = [nx.TransformerBlock(128, 4, n_hidden=512, causal=True) for _ in range(2)]
    return [
        nx.Embedding(65, 128), nx.LearnedPositions(64, 128), *blocks, nx.Dense(128, 65)
    ]  # fmt: skip


WORKLOADS = {
    "W3": Workload(
        "784-128-128-10, Adam", lambda: _dense(784, 128, 128, 10), (784,), 10, 128, 6400
    ),
    "W5": Workload(
        "4096-4096-4096-1000, SGD with momentum",
        lambda: _dense(4096, 4096, 4096, 1000), (4096,), 1000, 1024, 6144, 0.9,
        repeats=3,
    ),
    "CNN": Workload(
        "two convolutions with 16 and 32 filters, 28 x 28 images, Adam",
        _cnn, (28, 28, 1), 10, 128, 512,
    ),
    "GPT": Workload(
        "two blocks of width 128, context of 64 characters, Adam",
        _gpt, (64,), 65, 32, 128, is_ids=True,
    ),
    "tiny": Workload("8-6-3, Adam", lambda: _dense(8, 6, 3), (8,), 3, 16, 48),
}  # fmt: skip
# Batches among which that is looked for from which on several ranks are faster.
CROSSOVER = {"W3": (32, 64, 128, 256, 512, 1024, 2048), "tiny": (8, 16)}

# In a job, on every rank.


def seconds_of_block(model: Any, x: Any, y: Any, batch: int, ranks: Any) -> float:
    """Return the time of a step, trained on all rows, all ranks together."""
    history = model.fit(x, y, batch_size=batch, shuffle=False, parallel=ranks)
    return history.epochs[0]["seconds"] / (len(x) // batch)


def compared(
    workload: Workload, batch: int, together: Any, alone: Any, ranks: Any, repeats: int
) -> dict[str, Any]:
    """Return how long a step takes on all ranks, and on one, in turn."""
    steps = workload.steps(batch)
    x, y = workload.data(batch * steps)
    counts = {}
    for number in (1, steps):
        # Both are as warm then as they are later.
        before = ranks.calls, ranks.volume
        rows = batch * number
        seconds_of_block(together, x[:rows], y[:rows], batch, ranks)
        counts[number] = ranks.calls - before[0], ranks.volume - before[1]
    if ranks.is_first:
        seconds_of_block(alone, x, y, batch, None)
    pairs = []
    for _ in range(min(repeats, workload.repeats)):
        both, one = seconds_of_block(together, x, y, batch, ranks), 0.0
        # The others wait, and leave the machine alone.
        if ranks.is_first:
            one = seconds_of_block(alone, x, y, batch, None)
        ranks.exchange(None)
        pairs.append((both, one))
    calls, volume = ((counts[steps][k] - counts[1][k]) / (steps - 1) for k in range(2))
    return {
        "batch": batch,
        "seconds": statistics.median(both for both, _ in pairs),
        "alone": statistics.median(one for _, one in pairs),
        "speed-up": statistics.median(one / both for both, one in pairs),
        "calls": round(calls),
        "bytes": round(volume),
    }


def without_exchanges(ranks: Any) -> None:
    """Count sums alone from now on: what else ranks tell each other varies in size."""
    exchange = ranks.exchange

    def uncounted(value: Any) -> list[Any]:
        before = ranks.calls, ranks.volume
        found = exchange(value)
        ranks.calls, ranks.volume = before
        return found

    ranks.exchange = uncounted


def times_of_sums(ranks: Any) -> list[tuple[int, int, float]]:
    """Return bytes, ranks and seconds of sums."""
    import numpy as np

    found = []
    for size in SIZES if ranks.size > 1 else ():
        array, times = np.zeros(size // 8), []
        for _ in range(SUMS):
            began = time.perf_counter()
            ranks.sum([array])
            times.append(time.perf_counter() - began)
        found.append((size, ranks.size, statistics.median(times)))
    return found


def job(name: str, repeats: int) -> dict[str, Any]:
    """Return what the ranks of a job have measured; the times are those of rank 0."""
    from nnfs_xp import parallel

    ranks, workload = parallel.mpi(), WORKLOADS[name]
    without_exchanges(ranks)
    found: dict[str, Any] = {
        "workload": name, "ranks": ranks.size, "sums": times_of_sums(ranks),
    }  # fmt: skip
    together, alone = workload.network(), workload.network()

    def compare(batch: int) -> dict[str, Any]:
        return compared(workload, batch, together, alone, ranks, repeats)

    found["strong"] = compare(workload.batch)
    found["weak"] = compare(workload.batch * ranks.size)
    found["crossover"] = [compare(batch) for batch in CROSSOVER.get(name, ())]
    found["parameters"] = sum(math.prod(a.shape) for a in together.parameters.values())
    if not ranks.is_first:
        return {}
    by_rows = []
    for batch in (max(1, workload.batch // 8), workload.batch // 2, workload.batch):
        x, y = workload.data(batch * workload.steps(batch))
        repeats = min(repeats, workload.repeats)
        times = [seconds_of_block(alone, x, y, batch, None) for _ in range(repeats)]
        by_rows.append((batch, min(times)))
    return {**found, "by rows": by_rows}


# The command.


def measured(name: str, ranks: int, options: argparse.Namespace) -> dict[str, Any]:
    """Return what a job of so many ranks has measured."""
    mpiexec = shutil.which("mpiexec", path=sysconfig.get_path("scripts"))
    command = [
        mpiexec or "mpiexec", "-n", str(ranks), sys.executable, __file__, "--job", name,
        "--repeats", str(options.repeats),
    ]  # fmt: skip
    done = subprocess.run(
        command, capture_output=True, text=True, check=False,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"mpiexec -n {ranks}: {done.stderr}")
    line = next(one for one in done.stdout.splitlines() if one.startswith("{"))
    found: dict[str, Any] = json.loads(line)
    return found


Results = Sequence[dict[str, Any]]


def models(results: Results, options: argparse.Namespace) -> dict[str, list[Model]]:
    """Return for each workload the model of this machine, and with another network."""
    sums = [tuple(one) for result in results for one in result["sums"]]
    here = Model(*fitted_messages(sums))
    there = Model(options.alpha, 1.0 / options.bandwidth)
    return {
        result["workload"]: [
            Model(one.alpha, one.beta, *fitted_steps(result["by rows"]))
            for one in (here, there)
        ]
        for result in results
    }


def messages_of(result: dict[str, Any]) -> list[int]:
    """Return bytes of the messages of a step, as they were counted."""
    one = result["strong"]
    return [one["bytes"], *[0] * (one["calls"] - 1)]


def speed_ups(model: Model, result: dict[str, Any], weak: bool = False) -> list[float]:
    """Return how many times as fast as one process each number of ranks is.

    With the same batch for all of them, or the same rows for each.
    """
    rows, messages = result["strong"]["batch"], messages_of(result)
    alone = model.step_seconds(rows, (), 1)
    if weak:
        return [p * alone / model.step_seconds(rows, messages, p) for p in MANY]
    # No row is cut: with more ranks than rows some have none.
    return [alone / model.step_seconds(math.ceil(rows / p), messages, p) for p in MANY]


def page(results: Results, options: argparse.Namespace) -> str:
    """Return tables of what was measured, and of what the model says."""
    known = models(results, options)
    firsts: dict[str, dict[str, Any]] = {}
    for result in results:
        firsts.setdefault(result["workload"], result)
    lines = [f"Measured on {machine()}, one thread per rank, float32, MPICH.", ""]
    lines += ["| workload | network | parameters |", "|-|-|-|"]
    for name, result in firsts.items():
        lines.append(f"| {name} | {WORKLOADS[name].text} | {result['parameters']:,} |")
    lines += [
        "",
        "*Strong* means that the ranks share a batch of fixed size, and *weak* that "
        "each rank has a fixed number of rows. The columns `calls` and `MB` are per "
        "step.",
        "",
        "| workload | ranks | batch | step, ms | one process, ms | speedup "
        "| calls | MB |",
        "|-|-|-|-|-|-|-|-|",
    ]
    for result in results:
        for kind in ("strong", "weak"):
            one = result[kind]
            lines.append(
                f"| {result['workload']} | {result['ranks']}, {kind} | "
                f"{one['batch']} | "
                f"{1e3 * one['seconds']:.2f} | {1e3 * one['alone']:.2f} | "
                f"{one['speed-up']:.2f} | {one['calls']} | {one['bytes'] / 1e6:.2f} |"
            )
    for result in results:
        lines += _crossover(result)
    here, there = next(iter(known.values()))
    lines += [
        "",
        "The parameters of [the model](#the-model) were fitted on this machine: alpha "
        f"is {1e6 * here.alpha:.1f} us, and beta is {1e9 * here.beta:.3f} ns per byte. "
        "Between machines, it is assumed that alpha is "
        f"{1e6 * there.alpha:.1f} us and that the bandwidth is "
        f"{options.bandwidth / 1e9:g} GB/s. The time of a step in one process was "
        "fitted as follows:",
        "",
        "| workload | fixed, ms | per row, us |",
        "|-|-|-|",
    ]
    for name, (one, _) in known.items():
        lines.append(f"| {name} | {1e3 * one.fixed:.2f} | {1e6 * one.row:.2f} |")
    columns = {name: speed_ups(known[name][1], firsts[name]) for name in firsts}
    weak = {name: speed_ups(known[name][1], firsts[name], True) for name in firsts}
    names = " | ".join(
        f"{name}, batch {result['strong']['batch']}" for name, result in firsts.items()
    )
    each = " | ".join(
        f"{name}, {result['strong']['batch']} rows per rank"
        for name, result in firsts.items()
    )
    lines += [
        "",
        "The next table shows the speedup over one process that the model predicts if "
        "each rank runs on a separate machine:",
        "",
        f"| ranks | {names} | {each} |",
        "|-|" + "-|" * (2 * len(firsts)),
    ]
    for number, ranks in enumerate(MANY):
        cells = [f"{column[number]:.1f}" for column in columns.values()]
        cells += [f"{column[number]:.0f}" for column in weak.values()]
        lines.append(f"| {ranks} | " + " | ".join(cells) + " |")
    lines.append("")
    for name, column in columns.items():
        best = max(column)
        lines.append(
            f"- With a fixed batch, {name} is fastest on {MANY[column.index(best)]} "
            f"ranks, where it is {best:.1f} times as fast as one process. From "
            f"{_worth(column)} ranks on, doubling their number gains less than 10 %."
        )
    return "\n".join(lines) + "\n"


def _worth(column: Sequence[float]) -> int:
    """Return the ranks of which twice as many are not 10 % faster."""
    pairs = zip(MANY, itertools.pairwise(column), strict=False)
    return next((p for p, (one, two) in pairs if two < 1.1 * one), MANY[-1])


def _crossover(result: dict[str, Any]) -> list[str]:
    """Return a table of the speed-up by batch."""
    rows = result["crossover"]
    if not rows:
        return []
    least = next(
        (
            one["batch"]
            for number, one in enumerate(rows)
            if all(other["speed-up"] > 1.0 for other in rows[number:])
        ),
        None,
    )
    found = (
        f"faster than one process from a batch size of {least} on"
        if least
        else "not faster than one process with any of these batch sizes"
    )
    return [
        "",
        f"On {result['ranks']} ranks, {result['workload']} is {found}:",
        "",
        "| batch | " + " | ".join(str(one["batch"]) for one in rows) + " |",
        "|-|" + "-|" * len(rows),
        "| speedup | " + " | ".join(f"{one['speed-up']:.2f}" for one in rows) + " |",
    ]


def machine() -> str:
    """Return what this machine is, in words."""
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        models_of_cpu = re.findall(r"model name\s*:\s*(.+)", cpuinfo.read_text())
        name = models_of_cpu[0] if models_of_cpu else name
    return f"{name} with {os.cpu_count()} cores"


def draw(results: Results, options: argparse.Namespace) -> None:
    """Draw the speed-up for a fixed batch, measured and as the model has it."""
    from matplotlib import rcParams
    from matplotlib.figure import Figure

    known = models(results, options)
    rcParams["svg.hashsalt"] = "ranks"
    figure = Figure(figsize=(9, 2.5 + 2.5 * (len(known) > 2)), layout="constrained")
    rows = 1 + (len(known) > 2)
    axes = figure.subplots(rows, -(-len(known) // rows), squeeze=False).flat
    for (name, (here, there)), ax in zip(known.items(), axes, strict=False):
        own = [result for result in results if result["workload"] == name]
        ax.plot(MANY, MANY, ":", color="gray", label="without messages")
        for text, model in (("as here", here), ("between machines", there)):
            ax.plot(MANY, speed_ups(model, own[0]), label=f"model, {text}")
        ax.plot(
            [result["ranks"] for result in own],
            [result["strong"]["speed-up"] for result in own], "o", label="measured",
        )  # fmt: skip
        ax.set(
            xscale="log", yscale="log", xlabel="ranks", ylabel="times as fast",
            title=f"{name}, batch {own[0]['strong']['batch']}", ylim=(0.1, 1024),
        )  # fmt: skip
    axes[0].legend(fontsize="small")
    figure.savefig(options.picture, metadata={"Date": None})


def write(results: Results, options: argparse.Namespace) -> None:
    """Write tables to the page, and draw the picture beside it."""
    text = options.page.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    draw(results, options)
    picture = os.path.relpath(options.picture, options.page.parent)
    shown = f"![Speedup over one process, by number of ranks]({picture})\n"
    options.page.write_text(
        f"{before}{BEGIN}\n\n{page(results, options)}\n{shown}\n{END}{after}",
        encoding="utf-8",
    )


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add = parser.add_argument
    add("--job", choices=WORKLOADS, help=argparse.SUPPRESS)
    add("--ranks", type=int, nargs="+", default=[2], help="numbers of ranks (2)")
    usual = [name for name in WORKLOADS if name != "tiny"]
    names = f"what is trained ({' '.join(usual)})"
    add("--workloads", nargs="+", choices=WORKLOADS, default=usual, help=names)
    add("--repeats", type=int, default=9, help="blocks (9)")
    alpha = "seconds of a message between machines (2e-6)"
    add("--alpha", type=float, default=2e-6, help=alpha)
    bandwidth = "bytes a second between machines (12.5e9)"
    add("--bandwidth", type=float, default=12.5e9, help=bandwidth)
    add("--page", type=Path, default=RESULTS / "ranks.md", help="page for the tables")
    picture = "file for the picture (ranks.svg beside the page)"
    add("--picture", type=Path, help=picture)
    add("--out", type=Path, help="file for all numbers, as JSON")
    options = parser.parse_args(arguments)
    options.picture = options.picture or options.page.with_suffix(".svg")
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command, and return its exit status."""
    options = parse(arguments)
    if options.job:
        found = job(options.job, options.repeats)
        if found:
            print(json.dumps(found))
        return 0
    if min(options.ranks) < 2:
        raise SystemExit("--ranks must name numbers from 2 on")
    results = []
    for name in options.workloads:
        for ranks in options.ranks:
            print(f"{name} on {ranks} ranks ...", file=sys.stderr)
            results.append(measured(name, ranks, options))
    print(page(results, options), end="")
    if options.out:
        options.out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    write(results, options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
