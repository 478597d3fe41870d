"""The table of what works where is whole, and comes from a run of the matrix."""

import collections
import json
import subprocess
import sys
from pathlib import Path

import pytest

from nnfs_xp.registry import UNITS
from tests.capabilities import DTYPES, HOST, places, write
from tests.docs.test_docs import DOCS

DATA = DOCS / "data" / "capabilities.json"
RECORDED = json.loads(DATA.read_text())
PASSED, FAILED = collections.Counter(passed=2), collections.Counter(failed=1)


@pytest.fixture(autouse=True)
def extensions(monkeypatch):
    monkeypatch.syspath_prepend(DOCS)


@pytest.mark.parametrize("kind", UNITS)
def test_every_unit_has_its_entries_and_no_other_does(kind):
    pytest.importorskip("sphinx", reason="pip install 'nnfs-xp[docs]'")
    from _ext.capability_table import results_of

    assert set(RECORDED["results"].get(kind, {})) <= set(UNITS[kind]), "of no unit"
    found = results_of(DOCS, kind)
    assert set(found) == set(UNITS[kind])
    for name, by_backend in found.items():
        entries = [(b, d) for b, by_dtype in by_backend.items() for d in by_dtype]
        assert sorted(entries) == sorted(places(kind)), name


def test_a_unit_that_no_run_has_seen_was_not_tried(monkeypatch):
    pytest.importorskip("sphinx", reason="pip install 'nnfs-xp[docs]'")
    from _ext.capability_table import rows_of_kind, rows_of_unit

    for kind in ("layer", "schedule"):
        monkeypatch.setitem(UNITS[kind], "Unseen", object)
        _, *rows = rows_of_unit(DOCS, kind, "Unseen")
        assert rows and {cell for row in rows for cell in row[1:]} == {"not tried"}
        row = next(row for row in rows_of_kind(DOCS, kind) if "Unseen" in row[0])
        assert set(row[1:]) == {"not tried"}


def test_nothing_failed_and_the_host_backends_were_tried():
    for units in RECORDED["results"].values():
        for name, by_backend in units.items():
            for backend, by_dtype in by_backend.items():
                for dtype, counts in by_dtype.items():
                    where = (name, backend, dtype)
                    assert counts["failed"] == 0, where
                    if backend in ("numpy", "array_api_strict", "jax", HOST):
                        assert counts["passed"] > 0, where


def test_libraries_are_named_where_there_are_results():
    ran = {
        backend
        for units in RECORDED["results"].values()
        for by_backend in units.values()
        for backend, by_dtype in by_backend.items()
        if any(counts["passed"] for counts in by_dtype.values())
    }
    assert set(RECORDED["libraries"]) == ran - {HOST}


@pytest.mark.slow
def test_a_real_run_writes_what_it_saw(tmp_path):
    path = tmp_path / "found.json"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    plugin = ["-p", "tests.capabilities", f"--capabilities={path}", "-m", ""]
    only = ["tests/matrix/test_parity.py", "-k", "test_layer and Tanh and numpy"]
    root = Path(__file__).parents[2]
    subprocess.run([*command, *plugin, *only], check=True, cwd=root, timeout=300)
    layers = json.loads(path.read_text())["results"]["layer"]
    for dtype in DTYPES:
        assert layers["Tanh"]["numpy"][dtype]["passed"] > 0
        assert layers["Tanh"]["jax"][dtype] == {"passed": 0, "failed": 0}
        assert layers["ReLU"]["numpy"][dtype] == {"passed": 0, "failed": 0}


def test_a_later_run_adds_and_replaces(tmp_path):
    path = tmp_path / "found.json"
    here = ("layer", "ReLU", "numpy", "float64")
    there = ("layer", "ReLU", "array_api_strict", "float64")
    skipped = collections.Counter(skipped=3)
    write(path, {here: PASSED, there: skipped})
    write(path, {here: FAILED})
    write(path, {here: skipped, there: PASSED})
    relu = json.loads(path.read_text())["results"]["layer"]["ReLU"]
    assert relu["numpy"]["float64"] == {"passed": 0, "failed": 1}
    assert relu["array_api_strict"]["float64"] == {"passed": 2, "failed": 0}
