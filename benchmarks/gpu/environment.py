"""Device, driver, CUDA, versions: what the report's numbers depend on."""

from __future__ import annotations

import importlib.metadata
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.gpu.place import EMULATED_DEVICE, REHEARSAL, Place

# Whatever of these is installed is named with its version.
LIBRARIES = ("nvmath-python", "nvidia-cublas", "jaxlib", "triton", "pytest", "numba")


def run(place: Place, save: Callable[[Any], None]) -> dict[str, Any]:
    """Return what is here, or raise if there is no device to report on."""
    import nnfs_xp

    be = nnfs_xp.get_backend(place.backend, device=place.device)
    found = {
        **machine.describe("cpu", 1),
        "versions": {**machine.versions(), **more_versions()},
        "gpu": be.device_name,
    }
    if place.kind != REHEARSAL:
        found.update(cuda_device(be.device.id))
    return found


def cuda_device(number: int) -> dict[str, Any]:
    """Return the properties of a CUDA device, and the versions around it."""
    from cupy.cuda import runtime

    properties = runtime.getDeviceProperties(number)
    return {
        "gpu": properties["name"].decode(),
        "memory_gib": properties["totalGlobalMem"] / 2**30,
        "capability": f"{properties['major']}.{properties['minor']}",
        "multiprocessors": properties["multiProcessorCount"],
        "driver": driver_version(),
        "cuda_of_driver": cuda_version(runtime.driverGetVersion()),
        "cuda_runtime": cuda_version(runtime.runtimeGetVersion()),
    }


def is_emulated(found: dict[str, Any]) -> bool:
    """Return whether what was found is no GPU at all."""
    return found["gpu"] == EMULATED_DEVICE


def cuda_version(number: int) -> str:
    """Return 12.4 for 12040."""
    return f"{number // 1000}.{number % 1000 // 10}"


def driver_version() -> str:
    """Return the version of NVIDIA's driver, as its own tool tells it."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return "unknown"
    query = [tool, "--query-gpu=driver_version", "--format=csv,noheader"]
    done = subprocess.run(query, capture_output=True, text=True, check=False)
    lines = done.stdout.split()
    return lines[0] if done.returncode == 0 and lines else "unknown"


def more_versions() -> dict[str, str]:
    """Return the versions of libraries that are no contenders."""
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def commit_of(root: Path) -> str:
    """Return the commit of a source tree, and whether it was changed since."""
    git = shutil.which("git")
    if git is None:
        return "unknown"

    def said(*words: str) -> str | None:
        done = subprocess.run(
            [git, "-C", str(root), *words], capture_output=True, text=True, check=False
        )
        return done.stdout.strip() if done.returncode == 0 else None

    commit = said("rev-parse", "HEAD")
    if not commit:
        return "unknown"
    return f"{commit} with changes" if said("status", "--porcelain") else commit


def show(found: dict[str, Any]) -> list[str]:
    """Return the lines that say what is here."""
    device = found["gpu"]
    if "capability" in found:
        device += (
            f", {found['memory_gib']:.0f} GiB, compute capability "
            f"{found['capability']}, {found['multiprocessors']} multiprocessors"
        )
    rows = {"device": device}
    if "driver" in found:
        rows["driver"] = f"{found['driver']}, for CUDA {found['cuda_of_driver']}"
        rows["CUDA runtime"] = found["cuda_runtime"]
    rows["processor"] = (
        f"{found['processor']}, {found['cores']} cores, {found['system']}"
    )
    rows["versions"] = ", ".join(f"{k} {v}" for k, v in found["versions"].items())
    return ["| | |", "| --- | --- |", *(f"| {k} | {v} |" for k, v in rows.items())]
