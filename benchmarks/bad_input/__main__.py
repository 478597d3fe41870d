"""Give bad input to nnfs_xp and its rivals, and write down what each of them does.

::

    python -m benchmarks.bad_input --out docs/data/bad_input.json

Each library runs in a process of its own. Outcomes of libraries that ``--libraries``
leaves out stay as they were, if they are of the same cases. A run of all of them
takes about ten minutes, most of them for Keras on JAX, which compiles every training.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.bad_input.cases import CASES
from benchmarks.bad_input.trial import (
    ACCEPTED,
    NOTHING,
    RIVALS,
    Case,
    id_of,
    outcome,
)

OWN = "nnfs_xp"
PACKAGES = {
    "nnfs_xp": "nnfs-xp", "numpy": "numpy", "array_api_strict": "array-api-strict",
    "torch": "torch", "jax": "jax", "keras": "keras", "sklearn": "scikit-learn",
}  # fmt: skip


def outcomes(library: str, cases: list[Case]) -> dict[str, Any]:
    """Return by case what a library does; nnfs_xp on each backend.

    Raises
    ------
    RuntimeError
        If a program refuses a good value, so that a refusal would mean nothing.
    """
    found, tried = {}, set()
    for case in cases:
        places = case.backends if library == OWN else (None,)
        results = {}
        for place in places:
            if (case.door, case.call, place) not in tried:
                tried.add((case.door, case.call, place))
                good = outcome(case, library, backend_of(place), good=True)
                if good not in (ACCEPTED, NOTHING):
                    raise RuntimeError(f"{case.id}: a good value was {good}")
            results[place] = outcome(case, library, backend_of(place))
        found[case.id] = results if library == OWN else results[None]
    return found


def backend_of(name: str | None) -> Any:
    """Return a backend in float32."""
    import nnfs_xp

    return name and nnfs_xp.get_backend(name, dtype="float32")


def run(library: str, only: str) -> dict[str, Any]:
    """Return the outcomes of a library, of a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "found.json")
        command = [sys.executable, "-m", "benchmarks.bad_input", "--out", str(path)]
        environment = {**os.environ, "KERAS_BACKEND": library.partition("-")[2]}
        if not library.startswith("keras"):
            del environment["KERAS_BACKEND"]
        subprocess.run(
            [*command, "--alone", library, "--only", only], check=True, env=environment
        )
        return json.loads(path.read_text())


def earlier(path: Path, libraries: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """Return the outcomes that are in a file already."""
    cases = json.loads(path.read_text())["cases"] if path.exists() else []
    found: dict[str, dict[str, Any]] = {name: {} for name in libraries}
    for case in cases:
        for name in libraries:
            if name in case:
                found[name][id_of(case["door"], case["call"], case["input"])] = case[
                    name
                ]
    return {name: own for name, own in found.items() if own}


def versions(path: Path) -> dict[str, str]:
    """Return the versions of installed libraries, and of others from a file."""
    found = json.loads(path.read_text())["versions"] if path.exists() else {}
    for name, package in PACKAGES.items():
        with suppress(PackageNotFoundError):
            found[name] = version(package)
    return found


def text_of(versions: dict[str, str], found: dict[str, dict[str, Any]]) -> str:
    """Return JSON with one case on each line."""
    cases = [c for c in CASES.values() if all(c.id in own for own in found.values())]
    lines = [
        json.dumps(
            {
                "door": case.door, "call": case.call, "input": case.label,
                **{library: results[case.id] for library, results in found.items()},
            }
        )
        for case in cases
    ]  # fmt: skip
    body = ",\n  ".join(lines)
    return f'{{\n "versions": {json.dumps(versions)},\n "cases": [\n  {body}\n ]\n}}\n'


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bad_input")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.json")
    parser.add_argument("--only", default="", help="cases whose name has this text")
    libraries = (OWN, *RIVALS)
    parser.add_argument("--libraries", nargs="+", choices=libraries, default=libraries)
    parser.add_argument("--alone", choices=libraries, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.alone:
        cases = [case for case in CASES.values() if options.only in case.id]
        found = json.dumps(outcomes(options.alone, cases))
    else:
        results = earlier(options.out, libraries)
        for name in options.libraries:
            results.setdefault(name, {}).update(run(name, options.only))
        found = text_of(versions(options.out), results)
    options.out.write_text(found)


if __name__ == "__main__":
    main()
