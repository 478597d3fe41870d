"""Write the .ipynb of every chapter from its .md, without outputs.

The .md is the one to edit. After a change::

    $ python docs/notebooks/pair.py

It needs jupytext, which comes with the extra ``docs``.
"""

import hashlib
from pathlib import Path

import jupytext
import nbformat

HERE = Path(__file__).parent
CHAPTERS = "[0-9][0-9]_*"


def notebook_text(page: Path) -> str:
    """Return the notebook that belongs to a page, as text.

    Cells get ids from what they hold, so that the same page always gives the
    same file.
    """
    notebook = jupytext.read(page)
    used: set[str] = set()
    for cell in notebook.cells:
        key = cell.source
        while (name := hashlib.sha256(key.encode()).hexdigest()[:8]) in used:
            key += " "
        used.add(name)
        cell["id"] = name
    return nbformat.writes(notebook) + "\n"


if __name__ == "__main__":
    for page in sorted(HERE.glob(CHAPTERS + ".md")):
        target = page.with_suffix(".ipynb")
        target.write_text(notebook_text(page))
        print(target.name)
