"""Time every implementation for NumPy against its reference, in interleaved blocks.

``python benchmarks/kernels.py [--repeats 15] [--threads 1] [KERNEL ...]``. An
implementation that does not win where it matters has no business in the library. Loops
are timed as an eager step calls them, and as a recorded one does, which has bound them
to its arrays.
"""

from __future__ import annotations

import argparse
import functools
import os
import statistics
import sys
import time

SHAPES = {"W1": (300, 64, 3), "W2": (64, 128, 10), "W3": (128, 128, 10)}
SIZES = {
    "W1": 387, "W2": 17_226, "W3": 118_282, "1.9 million": 1_863_690,
    "W6": 10_000_000,
}  # fmt: skip
# Samples, positions, features and heads of a GPT's blocks.
SEQUENCES = {"GPT, 64 wide": (16, 64, 64, 4), "GPT, 128 wide": (8, 128, 128, 4)}
SECONDS_PER_BLOCK = 0.01


def cases():
    """Yield the name of a kernel, where it is used, and its arguments."""
    import numpy as np

    import nnfs_xp

    random = np.random.default_rng(0)

    def normal(*shape):
        return random.standard_normal(shape).astype("float32")

    for workload, (rows, hidden, classes) in SHAPES.items():
        y, dy, z = normal(rows, hidden), normal(rows, hidden), normal(rows, classes)
        labels = random.integers(0, classes, rows).astype("int32")
        yield "relu_backward", workload, (np.maximum(y, 0), dy)
        yield "sum_over_samples", workload, (dy,)
        yield "activation_bias_backward", workload, (y, dy, nnfs_xp.ReLU())
        bias = normal(1, hidden)
        yield "bias_activation", workload, (np.abs(dy), bias, nnfs_xp.ReLU())
        yield "softplus", workload, (y,)
        yield "elu_left", workload, (y, 1.0)
        yield "softmax_cross_entropy", workload, (z, labels)
        yield "softmax_cross_entropy_with_gradient", workload, (z, labels, 1.0 / rows)
        yield "count_correct", workload, (z, labels, None)
        p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
        yield "softmax_cross_entropy_backward", workload, (p, labels, 1.0 / rows)
        # As many ids as a text has characters, and as it has words.
        for n_ids in (65, 5000):
            ids = random.integers(0, n_ids, 8 * rows).astype("int32")
            sizes = f"{workload}, {n_ids} ids"
            yield "add_at", sizes, (ids, normal(8 * rows, hidden), n_ids)
        sums = [np.zeros((), "float32") for _ in range(2)]
        counts = [np.zeros((), "int32") for _ in range(3)]
        added = [np.abs(normal(rows)), rows, np.asarray(1, "int32"), rows, 1]
        yield "accumulate", workload, (sums + counts, [None] * 5, added)
    for workload, (n, t, d, heads) in SEQUENCES.items():
        x, dy, gain = normal(n, t, d), normal(n, t, d), normal(d)
        parts, p = (normal(n, t, 3 * d),), normal(n, heads, t, t)
        yield "attention", workload, (parts, heads, True, None, None, True)
        yield "attention_backward", workload, (parts, heads, True, p, None, dy)
        yield "layer_norm", workload, (x, gain, gain, 1e-5, True)
        kept = x, normal(n, t, 1)
        yield "layer_norm_backward", workload, (kept, gain, dy)
    yield from images(normal)
    for workload, size in SIZES.items():
        w, dw, m, v = (np.abs(normal(size)) * 0.01 for _ in range(4))
        scalars = (np.asarray(9, "int32"), np.asarray(1e-3, "float32"))
        yield "adam", workload, (w, dw, m, v, *scalars, 0.9, 0.999, 1e-7)
        yield "adamw", workload, (w, dw, m, v, *scalars, 0.9, 0.999, 1e-7, 0.01)
        yield "sgd", workload, (w, dw, m, scalars[1], 0.9, False)
        yield "rmsprop", workload, (w, dw, v, scalars[1], 0.9, 1e-7)
        yield "adagrad", workload, (w, dw, v, scalars[1], 1e-7)
        zeros = np.zeros_like(w)
        fading = (w, zeros, zeros + 1e-40, v, *scalars, 0.9, 0.999, 1e-7)
        yield "adam", f"{workload}, all of m denormal", fading


def images(normal):
    """Yield the same for the two convolutions of a small network, and its pooling."""
    import numpy as np

    from nnfs_xp.layers.windows import Windows

    window = Windows((3, 3), (1, 1), "same", (1, 1))
    side_by_side = Windows((2, 2), (2, 2), "valid", (1, 1))
    for n, length, channels, filters in ((64, 28, 1, 16), (64, 14, 16, 32)):
        sizes = f"{n} images of {length} x {length} x {channels}"
        x, w = normal(n, length, length, channels), normal(3, 3, channels, filters)
        dy = normal(n, length, length, filters)
        yield "convolve", sizes, (x, w, window, 1)
        yield "convolve_backward", sizes, (x, w, dy, window, 1, True, channels > 1)
        y = np.maximum(dy, 0)
        most = y.reshape(n, length // 2, 2, length // 2, 2, filters).max(axis=(2, 4))
        sizes = f"{n} images of {length} x {length} x {filters}"
        yield "max_pool", sizes, (y, side_by_side)
        yield "max_pool_backward", sizes, (y, most, normal(*most.shape), side_by_side)


def interleaved(functions, repeats):
    """Return the median microseconds of one call of each function."""
    blocks = []
    for function in functions:
        began = time.perf_counter()
        function()
        elapsed = time.perf_counter() - began
        blocks.append(max(1, int(SECONDS_PER_BLOCK / elapsed)))
    times = [[] for _ in functions]
    for _ in range(repeats):
        for function, calls, kept in zip(functions, blocks, times, strict=True):
            began = time.perf_counter()
            for _ in range(calls):
                function()
            kept.append((time.perf_counter() - began) / calls * 1e6)
    return [statistics.median(kept) for kept in times]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("kernels", nargs="*", help="which kernels (all)")
    options = parser.parse_args()
    if os.environ.get("OPENBLAS_NUM_THREADS") != str(options.threads):
        # Read when NumPy is first imported, so this needs a new process.
        os.environ["OPENBLAS_NUM_THREADS"] = str(options.threads)
        os.execv(sys.executable, [sys.executable, *sys.argv])

    import numpy as np

    import nnfs_xp
    from nnfs_xp.kernels import implementations, references

    be = nnfs_xp.get_backend("numpy")
    owners = [references(), implementations("numpy"), implementations("loops")]
    print("| kernel | sizes of | reference, us | NumPy | loops | loops, bound |")
    print("|---|---|---:|---:|---:|---:|")
    for name, workload, arguments in cases():
        if options.kernels and name not in options.kernels:
            continue
        calls = {
            place: functools.partial(owner[name], be, *arguments)
            for place, owner in enumerate(owners)
            if name in owner
        }
        if 2 in calls:
            calls[2]()
            calls[3] = owners[2][name].planned(be, np.empty, *arguments)[1]
        found = interleaved(list(calls.values()), options.repeats)
        times = dict(zip(calls, found, strict=True))
        cells = [f"{times[place]:.1f}" if place in times else "" for place in range(4)]
        print(f"| {name} | {workload} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
