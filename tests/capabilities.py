"""What works where, written down from a real run of the tests.

A plugin of pytest that is loaded on request::

    python -m pytest -p tests.capabilities --capabilities=docs/data/capabilities.json \
        tests/matrix

Every test of the matrix that runs a case of a unit on a backend counts for that
unit, backend and dtype. The documentation makes its table of the file, so no
entry of it is written by hand. Results of backends that a run could not try
stay as they were, so that several environments may add to one file.
"""

from __future__ import annotations

import collections
import json
import sys
from pathlib import Path

import pytest

import nnfs_xp
from nnfs_xp import BACKEND_NAMES, get_backend
from nnfs_xp.registry import UNITS
from tests.conftest import MATRIX
from tests.matrix.cases import ALL

PROPERTY = "capability"
DTYPES = ("float64", "float32")
# Schedules compute in Python, before a step; they have no backend.
HOST = "host"

_UNITS = {
    id(case): (kind, name)
    for kind, units in ALL.items()
    for name, cases in units.items()
    for case in cases
}


def places(kind: str) -> list[tuple[str, str]]:
    """Return backends and dtypes for which the table has an entry."""
    if kind == "schedule":
        return [(HOST, "float64")]
    return [(backend, dtype) for backend in BACKEND_NAMES for dtype in DTYPES]


def pytest_addoption(parser):
    parser.addoption("--capabilities", metavar="FILE", help="write what works where")


def pytest_configure(config):
    path = config.getoption("--capabilities")
    if path:
        config.pluginmanager.register(_Recorder(Path(path)))


class _Recorder:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.outcomes: dict[tuple[str, ...], collections.Counter[str]] = (
            collections.defaultdict(collections.Counter)
        )

    def pytest_collection_modifyitems(self, items):
        for item in items:
            entry = entry_of(item)
            if entry is not None:
                # As a property of the report it also comes from other processes.
                item.user_properties.append((PROPERTY, entry))

    def pytest_runtest_logreport(self, report):
        for name, entry in report.user_properties:
            ran = report.when == "call"
            if name == PROPERTY and (ran or not report.passed):
                self.outcomes[tuple(entry)][report.outcome] += 1

    def pytest_sessionfinish(self, session):
        if not hasattr(session.config, "workerinput") and self.outcomes:
            write(self.path, self.outcomes)


def entry_of(item) -> list[str] | None:
    """Return kind, unit, backend and dtype of a test, None for any other test."""
    params = getattr(getattr(item, "callspec", None), "params", {})
    unit = _UNITS.get(id(params.get("case")))
    if unit is None:
        return None
    if "backend_name" not in params:
        return [*unit, HOST, "float64"] if unit[0] == "schedule" else None
    backend, _ = MATRIX[params["backend_name"]]
    return [*unit, backend, params.get("dtype", "float64")]


def write(path: Path, outcomes: dict[tuple[str, ...], collections.Counter[str]]):
    """Enter the outcomes of a run, over those of earlier ones."""
    before = json.loads(path.read_text()) if path.exists() else {}
    old_results = before.get("results", {})
    results: dict = {}
    for kind in UNITS:
        for unit in sorted(UNITS[kind]):
            for backend, dtype in places(kind):
                old = old_results.get(kind, {}).get(unit, {}).get(backend, {})
                counts = outcomes.get((kind, unit, backend, dtype), {})
                tried = {key: counts.get(key, 0) for key in ("passed", "failed")}
                if not any(tried.values()):
                    tried = old.get(dtype, tried)
                entry = results.setdefault(kind, {}).setdefault(unit, {})
                entry.setdefault(backend, {})[dtype] = tried
    ran = {backend for (_, _, backend, _), count in outcomes.items() if count["passed"]}
    libraries = before.get("libraries", {})
    libraries |= {name: library(name) for name in sorted(ran - {HOST})}
    text = {
        "nnfs_xp": nnfs_xp.__version__,
        "libraries": {name: libraries[name] for name in sorted(libraries)},
        "results": results,
    }
    path.write_text(one_unit_a_line(text) + "\n")


def one_unit_a_line(text: dict) -> str:
    """Return JSON whose differences can be read."""
    units = [
        f'  "{kind}": {{\n'
        + ",\n".join(
            f'   "{unit}": {json.dumps(text["results"][kind][unit])}' for unit in own
        )
        + "\n  }"
        for kind, own in text["results"].items()
    ]
    head = json.dumps({key: text[key] for key in ("nnfs_xp", "libraries")}, indent=1)
    return head[:-2] + ',\n "results": {\n' + ",\n".join(units) + "\n }\n}"


def library(name: str) -> str:
    """Return the version of a backend's library, and whether a GPU was emulated."""
    version = get_backend(name).version()
    emulated = name == "cupy" and "cupy_on_cpu" in sys.modules
    return f"{version}, emulated device" if emulated else version


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter, config):
    path = config.getoption("--capabilities")
    if path:
        terminalreporter.write_line(f"capabilities written to {path}")
