"""What the project aims at on a GPU, and whether a report shows that it got there."""

from __future__ import annotations

from typing import Any

from benchmarks.contenders import COMPILED, TORCH_COMPILE
from benchmarks.gpu.place import GPU
from benchmarks.gpu.steps import ratio

# Of the time that the step of torch.compile takes, and of the rate of products.
RATIO_AIMS = {"W1": 0.5, "W2": 0.5, "W3": 0.5, "W4": 0.9}
SHARE_AIM = 0.95
Line = tuple[str, str, str]


def aim_lines(report: dict[str, Any]) -> list[Line]:
    """Return each aim, what was measured, and whether that meets it."""
    return [*(step_aim(report, key) for key in RATIO_AIMS), gemm_aim(report)]


def step_aim(report: dict[str, Any], key: str) -> Line:
    """Compare a training step with the faster of the steps of torch.compile."""
    workload = data_of(report, "steps").get("workloads", {}).get(key, {})
    found = ratio(workload.get("rows", {}), COMPILED, TORCH_COMPILE)
    aim = RATIO_AIMS[key]
    what = (
        f"{key}: at most {aim} times the step time of torch.compile (reduce-overhead)"
    )
    return judged(report, what, found, found is not None and found <= aim)


def gemm_aim(report: dict[str, Any]) -> Line:
    """Compare a step of a wide network with the measured rate of matrix products."""
    found = data_of(report, "limits").get("share_of_gemm")
    what = f"4096-wide network: at least {SHARE_AIM} times the measured GEMM rate"
    return judged(report, what, found, found is not None and found >= SHARE_AIM)


def judged(report: dict[str, Any], what: str, found: float | None, met: bool) -> Line:
    """Return the line; only whole sizes on a real GPU can meet an aim, or miss it."""
    if found is None or report.get("kind") != GPU or report.get("quick"):
        return what, "-", "not measured"
    return what, f"{found:.2f}", "met" if met else "not met"


def data_of(report: dict[str, Any], key: str) -> dict[str, Any]:
    """Return what a section found, which may be nothing."""
    return report.get("sections", {}).get(key, {}).get("data") or {}
