"""Find the chapters, and run their cells in one namespace.

They are read from the .ipynb, whose format is JSON, so that they run in
environments without jupytext or a Jupyter kernel too.
"""

import ast
import contextlib
import io
import json
import os
from pathlib import Path

from matplotlib.figure import Figure

FOLDER = Path(__file__).parents[2] / "docs" / "notebooks"
CHAPTERS = sorted(FOLDER.glob("[0-9][0-9]_*.ipynb"))


def cells_of(chapter, kind="code"):
    """Return the sources of a chapter's cells, without IPython's magics."""
    return [
        "\n".join(
            line
            for line in "".join(cell["source"]).split("\n")
            if kind != "code" or not line.startswith("%")
        )
        for cell in json.loads(chapter.read_text())["cells"]
        if cell["cell_type"] == kind
    ]


def statements_of(chapter):
    """Yield each statement of the code cells, with its number and file name."""
    for number, source in enumerate(cells_of(chapter), start=1):
        name = f"{chapter.stem}, code cell {number}"
        for statement in ast.parse(source, name).body:
            yield statement, name


def evaluate(statement, name, namespace):
    """Run a statement; return its value if it is an expression."""
    if isinstance(statement, ast.Expr):
        code = compile(ast.Expression(statement.value), name, "eval")
        return eval(code, namespace)
    module = ast.Module([statement], type_ignores=[])
    return exec(compile(module, name, "exec"), namespace)


def run(chapter, before=None):
    """Run a chapter; return its figures and what it printed.

    Parameters
    ----------
    chapter : Path
        One of `CHAPTERS`.
    before : callable, optional
        Called before each statement, with the statement, the name of its
        cell and the namespace.
    """
    namespace = {"__name__": "__main__"}
    figures = []
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        for statement, name in statements_of(chapter):
            if before is not None:
                before(statement, name, namespace)
            value = evaluate(statement, name, namespace)
            if isinstance(value, Figure):
                figures.append(value)
    keep(chapter, figures)
    return figures, printed.getvalue()


def keep(chapter, figures):
    """Save the figures where NNFS_XP_PICTURES says, for somebody to look at."""
    folder = os.environ.get("NNFS_XP_PICTURES")
    for number, figure in enumerate(figures if folder else [], start=1):
        figure.savefig(Path(folder) / f"{chapter.stem}_{number}.png", dpi=110)
