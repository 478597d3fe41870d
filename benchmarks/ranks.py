"""Time training on several ranks, and say what it would take on many more.

``python benchmarks/ranks.py`` starts ``mpiexec`` for each number of ranks. In a job all
ranks train together and rank 0 trains alone, block by block in turn; and the ranks add
up arrays of many sizes. From that a model is fitted, whose assumptions are
those of `Model`.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import sysconfig
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

# Bytes of the arrays that are added up, and how often.
SIZES = [8 * 4**k for k in range(12)]
SUMS = 20
# The ranks that the model is asked for.
MANY = [2**k for k in range(11)]


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


# In a job, on every rank.


def network(sizes: Sequence[int]) -> Any:
    """Return a model of dense layers, as the other benchmarks train them."""
    import itertools

    from nnfs_xp import SGD, Dense, ReLU, Softmax
    from nnfs_xp import Model as Network

    layers: list[Any] = []
    for inputs, outputs in itertools.pairwise(sizes):
        layers += [Dense(inputs, outputs), ReLU()]
    layers[-1] = Softmax()
    return Network(
        layers, loss="categorical_crossentropy", optimizer=SGD(0.01, momentum=0.9)
    )


def seconds_of_step(
    model: Any, x: Any, y: Any, rows: int, steps: int, ranks: Any
) -> float:
    """Return the time of one of some steps of so many rows, all ranks together."""
    history = model.fit(
        x[: rows * steps], y[: rows * steps], batch_size=rows, shuffle=False,
        parallel=ranks,
    )  # fmt: skip
    return history.epochs[0]["seconds"] / steps


def job(options: argparse.Namespace) -> dict[str, Any]:
    """Return what the ranks of a job have measured; the times are those of rank 0."""
    import numpy as np

    from nnfs_xp import parallel

    ranks = parallel.mpi()
    found: dict[str, Any] = {"ranks": ranks.size, "sums": []}
    for size in SIZES if ranks.size > 1 else ():
        array, times = np.zeros(size // 8), []
        for _ in range(SUMS):
            began = time.perf_counter()
            ranks.sum([array])
            times.append(time.perf_counter() - began)
        found["sums"].append((size, ranks.size, statistics.median(times)))
    random = np.random.default_rng(0)
    batch, steps = options.batch, options.steps
    x = random.random((batch * ranks.size * steps, options.network[0]), np.float32)
    y = random.integers(0, options.network[-1], len(x))
    together, alone = network(options.network), network(options.network)
    for name, rows in (("strong", batch), ("weak", batch * ranks.size)):
        pairs = []
        seconds_of_step(together, x, y, rows, 1, ranks)
        for _ in range(options.repeats):
            calls, volume = ranks.calls, ranks.volume
            both = seconds_of_step(together, x, y, rows, steps, ranks)
            calls, volume = ranks.calls - calls, ranks.volume - volume
            # The others wait, and leave the machine alone.
            one = 0.0
            if ranks.is_first:
                one = seconds_of_step(alone, x, y, rows, steps, None)
            ranks.exchange(None)
            pairs.append((both, one))
        found[name] = {
            "rows": rows,
            "seconds": statistics.median(both for both, _ in pairs),
            "alone": statistics.median(one for _, one in pairs),
            "speed-up": statistics.median(one / both for both, one in pairs),
            "calls in an epoch": calls,
            "bytes in an epoch": volume,
        }
    found["parameters"] = sum(math.prod(a.shape) for a in together.parameters.values())
    found["by rows"] = [
        (rows, seconds_of_step(alone, x, y, rows, steps, None))
        for rows in (max(1, batch // 8), max(1, batch // 2), batch)
    ]
    return found if ranks.is_first else {}


# The command.


def measured(options: argparse.Namespace, ranks: int) -> dict[str, Any]:
    """Return what a job of so many ranks has measured."""
    mpiexec = shutil.which("mpiexec", path=sysconfig.get_path("scripts"))
    command = [
        mpiexec or "mpiexec", "-n", str(ranks), sys.executable, __file__, "--job",
        "--network", *map(str, options.network), "--batch", str(options.batch),
        "--steps", str(options.steps), "--repeats", str(options.repeats),
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


def models(
    results: Sequence[dict[str, Any]], options: argparse.Namespace
) -> tuple[Model, Model]:
    """Return the model fitted to this machine, and that with an assumed network."""
    sums = [tuple(one) for result in results for one in result["sums"]]
    here = Model(*fitted_messages(sums), *fitted_steps(results[0]["by rows"]))
    return here, dataclasses.replace(
        here, alpha=options.alpha, beta=1.0 / options.bandwidth
    )


def page(results: Sequence[dict[str, Any]], options: argparse.Namespace) -> str:
    """Return tables of what was measured, and of what the model says."""
    first, (here, there) = results[0], models(results, options)
    name = "-".join(map(str, options.network))
    lines = [
        f"{name}, {first['parameters']:,} parameters, float32, SGD with momentum, one "
        "thread a rank.",
        "",
        "| ranks | batch | a step, ms | alone, ms | speed-up | calls | MB sent |",
        "|-|-|-|-|-|-|-|",
    ]
    for result in results:
        for kind in ("strong", "weak"):
            one = result[kind]
            lines.append(
                f"| {result['ranks']}, {kind} | {one['rows']} | "
                f"{1e3 * one['seconds']:.2f} | {1e3 * one['alone']:.2f} | "
                f"{one['speed-up']:.2f} | {one['calls in an epoch']} | "
                f"{one['bytes in an epoch'] / 1e6:.1f} |"
            )
    messages = [4 * first["parameters"], 8 * 16]
    rows = options.batch
    alone = here.step_seconds(rows, (), 1)
    lines += [
        "",
        f"Fitted here: alpha {1e6 * here.alpha:.1f} us, beta "
        f"{1e9 * here.beta:.3f} ns a byte; a step takes {1e3 * here.fixed:.2f} ms and "
        f"{1e6 * here.row:.2f} us a row.",
        f"Assumed between machines: alpha {1e6 * there.alpha:.1f} us, "
        f"{options.bandwidth / 1e9:g} GB/s.",
        "",
        f"| ranks | speed-up, batch {rows} | between machines | "
        f"efficiency, {rows} rows a rank | between machines |",
        "|-|-|-|-|-|",
    ]
    for ranks in MANY:
        strong, weak = (
            [m.step_seconds(n, messages, ranks) for m in (here, there)]
            for n in (rows / ranks, rows)
        )
        lines.append(
            f"| {ranks} | {alone / strong[0]:.1f} | {alone / strong[1]:.1f} | "
            f"{alone / weak[0]:.0%} | {alone / weak[1]:.0%} |"
        )
    return "\n".join(lines) + "\n"


def draw(results: Sequence[dict[str, Any]], options: argparse.Namespace) -> None:
    """Draw the speed-up for a fixed batch, measured and as the model has it."""
    from matplotlib.figure import Figure

    first, (here, there) = results[0], models(results, options)
    messages, rows = [4 * first["parameters"], 8 * 16], options.batch
    alone = here.step_seconds(rows, (), 1)
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.add_subplot(
        xlabel="ranks", ylabel="times as fast", xscale="log", yscale="log"
    )
    axes.plot(MANY, MANY, ":", color="gray", label="without messages")
    for name, model in (("as here", here), ("between machines", there)):
        times = [model.step_seconds(rows / p, messages, p) for p in MANY]
        axes.plot(MANY, [alone / t for t in times], label=f"model, {name}")
    axes.plot(
        [result["ranks"] for result in results],
        [result["strong"]["speed-up"] for result in results],
        "o", label="measured",
    )  # fmt: skip
    axes.legend()
    figure.savefig(options.picture)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add = parser.add_argument
    add("--job", action="store_true", help=argparse.SUPPRESS)
    add("--ranks", type=int, nargs="+", default=[1, 2, 4], help="1 2 4")
    sizes = "sizes of the layers (those of W3: 784 128 128 10)"
    add("--network", type=int, nargs="+", default=[784, 128, 128, 10], help=sizes)
    add("--batch", type=int, default=128, help="rows of a batch (128)")
    add("--steps", type=int, default=50, help="steps of a block (50)")
    add("--repeats", type=int, default=9, help="blocks (9)")
    alpha = "seconds of a message between machines (2e-6)"
    add("--alpha", type=float, default=2e-6, help=alpha)
    bandwidth = "bytes a second between machines (12.5e9)"
    add("--bandwidth", type=float, default=12.5e9, help=bandwidth)
    add("--out", type=Path, help="file for all numbers, as JSON")
    add("--picture", type=Path, help="file for a picture of the model")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command, and return its exit status."""
    options = parse(arguments)
    if options.job:
        found = job(options)
        if found:
            print(json.dumps(found))
        return 0
    results = [measured(options, ranks) for ranks in sorted({1, *options.ranks})]
    if len(results) < 2:
        raise SystemExit("--ranks must name more than one rank")
    print(page(results, options), end="")
    if options.out:
        options.out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    if options.picture:
        draw(results, options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
