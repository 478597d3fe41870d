"""The same networks on the device and on NumPy, from the same seed."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import cycle, islice
from typing import Any

import numpy as np

import nnfs_xp
from benchmarks.gpu.place import Place
from benchmarks.workloads import WORKLOADS, Problem, make_problem, nnfs_model

STEPS, QUICK_STEPS = 50, 5
# What the project promises of every backend: outputs and gradients to 1e-12 in
# float64 and 4 sqrt(eps) in float32; losses of a training as the benchmarks check.
LIMITS = {
    "float64": {"outputs": 1e-12, "gradients": 1e-12, "losses": 1e-9},
    "float32": {
        "outputs": 4 * math.sqrt(np.finfo("float32").eps),
        "gradients": 4 * math.sqrt(np.finfo("float32").eps),
        "losses": 1e-4,
    },
}
# So large a step of plain descent leaves the gradient where the parameters were.
# A power of two, so that dividing by it again is exact.
RATE = 2.0**20


def run(place: Place, save: Callable[[Any], None]) -> dict[str, Any]:
    """Return the largest deviations of each workload in each precision."""
    steps = QUICK_STEPS if place.quick else STEPS
    keys = ["W1", "W2"] if place.quick else ["W1", "W2", "W3"]
    data: dict[str, Any] = {"steps": steps, "rows": [], "failures": []}
    for key in keys:
        problem = make_problem(WORKLOADS[key])
        for dtype, limits in LIMITS.items():
            ours = computed(problem, place.backend, place.device, dtype, steps)
            numpy = computed(problem, "numpy", "cpu", dtype, steps)
            found = {kind: deviation(ours[kind], numpy[kind]) for kind in limits}
            data["rows"].append({"workload": key, "dtype": dtype, **found})
            data["failures"] += [
                f"{key}, {dtype}: {kind} deviate by {found[kind]:.1e}"
                for kind, limit in limits.items()
                # Not ">", which is false for NaN.
                if not found[kind] <= limit
            ]
            save(data)
    return data


def computed(
    problem: Problem, backend: str, device: str, dtype: str, steps: int
) -> dict[str, list[np.ndarray]]:
    """Return outputs and gradients of the first batch, and the losses of all steps."""

    def model(**more: Any) -> nnfs_xp.Model:
        return nnfs_model(problem.workload, backend, device, dtype=dtype, **more)

    x, y = problem.batches[0]
    learner = model()
    outputs = nnfs_xp.to_numpy(learner.predict(x, batch_size=None))
    losses = [
        learner.fit(x, y, batch_size=None, shuffle=False)["loss"][-1]
        for x, y in islice(cycle(problem.batches), steps)
    ]
    return {
        "outputs": [outputs],
        "gradients": gradients(model(optimizer=nnfs_xp.SGD(RATE)), x, y),
        "losses": [np.array([loss]) for loss in losses],
    }


def gradients(model: nnfs_xp.Model, x: Any, y: Any) -> list[np.ndarray]:
    """Return the gradients of all parameters, as a training step computes them."""
    before = host_parameters(model)
    model.fit(x, y, batch_size=None, shuffle=False)
    after = host_parameters(model)
    return [(b - a) / RATE for b, a in zip(before, after, strict=True)]


def host_parameters(model: nnfs_xp.Model) -> list[np.ndarray]:
    """Return copies of the parameters on the host."""
    return [np.array(nnfs_xp.to_numpy(p)) for p in model.parameters.values()]


def deviation(found: list[np.ndarray], expected: list[np.ndarray]) -> float:
    """Return the largest difference over the largest magnitude of its array."""
    return float(
        max(
            np.max(np.abs(f - e)) / np.max(np.abs(e))
            for f, e in zip(found, expected, strict=True)
        )
    )


def show(data: dict[str, Any]) -> list[str]:
    """Return the table of deviations."""
    lines = [
        f"Outputs and gradients of the first batch, and the losses of {data['steps']} "
        "steps of Adam, from the same seed. Each number is the largest difference "
        "over the largest magnitude in the same array.",
        "",
        "| | dtype | outputs | gradients | losses |",
        "| --- | --- | ---: | ---: | ---: |",
    ]
    for row in data["rows"]:
        numbers = (row["outputs"], row["gradients"], row["losses"])
        cells = " | ".join(f"{number:.1e}" for number in numbers)
        lines.append(f"| {row['workload']} | {row['dtype']} | {cells} |")
    limits = "; ".join(
        f"{dtype} " + ", ".join(f"{kind} {limit:.1e}" for kind, limit in own.items())
        for dtype, own in LIMITS.items()
    )
    return [*lines, "", f"Allowed: {limits}."]
