"""Print the lowest versions that pyproject.toml allows, as requirements for pip.

Those of the package, and of the extras that are named.
"""

import re
import sys
import tomllib
from pathlib import Path


def main(extras: list[str]) -> None:
    """Print a line for each requirement."""
    text = Path(__file__).parents[1].joinpath("pyproject.toml").read_text()
    project = tomllib.loads(text)["project"]
    wanted = list(project["dependencies"])
    for extra in extras:
        wanted += project["optional-dependencies"][extra]
    for requirement in wanted:
        found = re.fullmatch(r"([\w.-]+)[>=]=([\w.]+)", requirement)
        if found is None:
            raise SystemExit(f"{requirement!r} names no lowest version")
        print("==".join(found.groups()))


if __name__ == "__main__":
    main(sys.argv[1:])
