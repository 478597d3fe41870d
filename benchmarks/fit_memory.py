"""How much memory ``fit`` adds, each time in a process of its own.

``python benchmarks/fit_memory.py BACKEND ROWS`` is that process; it prints bytes.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

BACKENDS = ("numpy", "jax", "torch")
ROWS, FEATURES = 60_000, 784


def measured(rows: int = ROWS) -> dict[str, float]:
    """Return the MiB that ``fit`` adds, for each backend that works here."""
    import nnfs_xp

    found = {}
    for backend in BACKENDS:
        try:
            nnfs_xp.get_backend(backend)
        except nnfs_xp.BackendUnavailableError:
            continue
        done = subprocess.run(
            [sys.executable, __file__, backend, str(rows)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"fit on {backend}: {done.stderr}")
        found[backend] = int(done.stdout) / 2**20
    return found


def added_bytes(backend: str, rows: int) -> int:
    """Return by how much the peak of a fit is above what was there before it.

    The same model has been fitted to a few rows by then, so libraries are loaded and
    steps are compiled.
    """
    import numpy as np

    import nnfs_xp

    random = np.random.default_rng(0)
    x = random.random((rows, FEATURES), np.float32)
    y = random.integers(0, 10, rows).astype("int32")
    hidden = [nnfs_xp.Dense(FEATURES, 128), nnfs_xp.ReLU()]
    model = nnfs_xp.Model(
        [*hidden, nnfs_xp.Dense(128, 10), nnfs_xp.Softmax()],
        loss=nnfs_xp.CategoricalCrossEntropy(), optimizer=nnfs_xp.Adam(),
        backend=backend, device="cpu", seed=0,
    )  # fmt: skip
    model.fit(x[:256], y[:256], batch_size=128)
    before = forget_peak()
    model.fit(x, y, batch_size=128)
    return peak() - before


def forget_peak() -> int:
    """Return the bytes in use, and let the peak begin there."""
    Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")


def peak() -> int:
    """Return the most bytes that were in use."""
    return _status("VmHWM")


def _status(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return 1024 * int(line.split()[1])
    raise RuntimeError(f"/proc/self/status has no {name}")


if __name__ == "__main__":
    print(added_bytes(sys.argv[1], int(sys.argv[2])))
