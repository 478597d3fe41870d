"""The rules on imports hold, and fail when they are broken."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "nnfs_xp"
# Modules that may touch the host's arrays; all others are portable.
HOST_SIDE = {
    "backends", "book", "cli", "data", "engine/executors/jax_jit",
    "engine/executors/jax_ranks", "engine/executors/recorded_ranks",
    "engine/executors/cuda_fork", "engine/executors/cuda_graph",
    "engine/executors/lasting",
    "engine/executors/recorded", "engine/held",
    "engine/executors/recordings", "engine/ranks", "parallel",
    "engine/executors/torch_compile", "engine/executors/torch_recorded",
    "engine/executors/torch_tape", "engine/recording", "io",
    "onnx", "plots", "random", "sklearn", "testing", "errors", "weights",
    "__init__", "__main__",
    "engine/__init__", "engine/executors/__init__", "kernels/__init__", "kernels/cupy",
    "kernels/heads", "kernels/jax", "kernels/loops", "kernels/numpy",
    "kernels/numpy_images", "kernels/plans", "kernels/torch",
}  # fmt: skip


def lint(root):
    pytest.importorskip("importlinter", reason="not installed: pip install .[lint]")
    program = (
        "from importlinter.cli import lint_imports_command; lint_imports_command()"
    )
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )


def copy_of_the_package(tmp_path):
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    ignore = shutil.ignore_patterns("__pycache__", "*.npz")
    shutil.copytree(PACKAGE, tmp_path / "nnfs_xp", ignore=ignore)
    return tmp_path


def test_contracts_hold():
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout
    assert "Contracts: 2 kept, 0 broken." in done.stdout


@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        ("layers/dense.py", "import numpy as np", "Portable files import no array"),
        ("engine/step.py", "import jax", "Portable files import no array"),
        ("losses/base.py", "from torch import nn", "Portable files import no array"),
        ("layers/base.py", "import nnfs_xp.model", "Imports point one way"),
        ("engine/step.py", "import nnfs_xp.layers", "Imports point one way"),
        ("backends/base.py", "import nnfs_xp.checks", "Imports point one way"),
        ("newcomer.py", "import nnfs_xp.errors", "Imports point one way"),
    ],
)
def test_contracts_fail_when_broken(tmp_path, file, line, contract):
    root = copy_of_the_package(tmp_path)
    path = root / "nnfs_xp" / file
    text = path.read_text() if path.exists() else '"""New."""\n'
    path.write_text(text + f"\n{line}\n")
    done = lint(root)
    assert done.returncode != 0
    assert contract in done.stdout
    assert "BROKEN" in done.stdout


def test_every_module_is_portable_or_named_as_host_side():
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contracts = config["tool"]["importlinter"]["contracts"]
    portable = next(c for c in contracts if c["id"] == "portable")["source_modules"]
    prefixes = [name.removeprefix("nnfs_xp.").replace(".", "/") for name in portable]
    for path in PACKAGE.rglob("*.py"):
        name = path.relative_to(PACKAGE).with_suffix("").as_posix()
        is_portable = any(name == p or name.startswith(p + "/") for p in prefixes)
        is_host = any(name == h or name.startswith(h + "/") for h in HOST_SIDE)
        assert is_portable != is_host, f"{name} must be one of the two"


def test_no_modules_import_each_other():
    """In any circle, however long."""
    grimp = pytest.importorskip("grimp", reason="not installed: pip install .[lint]")
    graph = grimp.build_graph(
        "nnfs_xp", exclude_type_checking_imports=True, cache_dir=None
    )
    imported = {m: graph.find_modules_directly_imported_by(m) for m in graph.modules}
    # Take away what imports nothing that is left, until only circles are left.
    while free := [m for m, names in imported.items() if not names & set(imported)]:
        for module in free:
            del imported[module]
    assert not imported, sorted(imported)


def test_no_unit_has_a_second_forward_or_backward_pass():
    from nnfs_xp.registry import UNITS

    for name, unit in UNITS["layer"].items():
        passes = [n for n in dir(unit) if "fwd" in n or "bwd" in n]
        assert passes == ["bwd", "fwd"], name


def test_a_layer_has_few_public_names():
    from nnfs_xp import Layer

    names = [name for name in dir(Layer) if not name.startswith("_")]
    assert len(names) <= 15, names


def test_package_imports_without_any_optional_library(tmp_path):
    """In a process where importing one of them is an error."""
    program = """
import sys
for name in ("cupy", "torch", "jax", "jaxlib", "array_api_strict", "matplotlib",
             "rich", "safetensors", "pooch", "sklearn"):
    sys.modules[name] = None
import nnfs_xp as nx
model = nx.Model([nx.Dense(2, 16), nx.ReLU(), nx.Dense(16, 2), nx.Softmax()],
                 loss="categorical_crossentropy", optimizer="adam")
history = model.fit([[0.0, 1.0], [1.0, 0.0]], [0, 1], epochs=100)
assert history["loss"][-1] < history["loss"][0]
for name in ("cupy", "torch", "jax"):
    try:
        nx.get_backend(name)
    except nx.BackendUnavailableError as error:
        assert name in str(error) and "pip install" in str(error), error
    else:
        raise AssertionError(name)
be = nx.get_backend("auto")
assert be.name == "numpy" and be.note.startswith("auto selected numpy"), be.note
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (
        "auto selected numpy because no GPU works: cupy: not installed" in done.stderr
    )


def test_importing_the_package_imports_no_backend_and_no_onnx():
    program = (
        "import sys, nnfs_xp\n"
        "heavy = {'cupy', 'torch', 'jax', 'matplotlib', 'rich', 'pooch'}\n"
        "heavy |= {'nnfs_xp.onnx', 'array_api_compat.numpy'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_unit_is_read_on_one_screen():
    """Formula, forward and backward of each unit stand within 60 lines."""
    for folder in ("layers", "activations", "losses"):
        for path in (PACKAGE / folder).glob("*.py"):
            lines = path.read_text().splitlines()
            marks = [
                n for n, line in enumerate(lines) if line.startswith("    def fwd")
            ]
            if path.name in ("base.py", "__init__.py") or not marks:
                continue
            last = max(
                n for n, line in enumerate(lines)
                if line.startswith("    def bwd")
            )  # fmt: skip
            assert last - marks[0] < 60, path
            assert len(lines) < 200, path
