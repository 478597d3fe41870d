"""One section in a process of its own: ``python -m benchmarks.gpu.child FILE``.

The file says in JSON what to run and where; the answer is written to another. A
crash or a device that is lost ends this process and nothing else.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any

from benchmarks.gpu.place import Place
from benchmarks.gpu.text import of_error, without_folders


def main(file: str) -> None:
    """Run what the file asks for."""
    from benchmarks import machine

    order = json.loads(Path(file).read_text(encoding="utf-8"))
    answer = Path(order["answer"])
    machine.set_environment(threads=1)

    def save(data: Any) -> None:
        write(answer, {"data": data})

    try:
        module = importlib.import_module(order["module"])
        data = module.run(Place(**order["place"]), save)
    except Exception as error:
        written = json.loads(answer.read_text()) if answer.exists() else {}
        write(answer, {**written, "error": in_words(error), "done": True})
    else:
        write(answer, {"data": data, "done": True})


def write(path: Path, tree: Any) -> None:
    """Write JSON so that whoever reads finds the old file or the new one."""
    new = path.with_suffix(".new")
    new.write_text(json.dumps(tree), encoding="utf-8")
    os.replace(new, path)


def in_words(error: BaseException) -> str:
    """Return what an exception says, and the line that raised it."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({frames[-1].filename}, line {frames[-1].lineno})" if frames else ""
    return of_error(error, 600) + without_folders(where)


if __name__ == "__main__":
    main(sys.argv[1])
