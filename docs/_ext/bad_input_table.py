"""What libraries do with bad input, made of what ``benchmarks.bad_input`` recorded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import nested_parse_with_titles

from _ext.capability_table import title
from _ext.tables import list_table

DATA = Path("data", "bad_input.json")
COLUMNS = {
    "nnfs_xp": "nnfs_xp", "torch": "PyTorch", "keras-jax": "Keras on JAX",
    "keras-torch": "Keras on PyTorch", "sklearn": "scikit-learn",
}  # fmt: skip
# What the summary counts, by how an outcome begins.
COUNTED = ("refused", "accepted", "NaN", "documented meaning")
CHANGED = "something changed"

Case = dict[str, Any]


def load(source: Path) -> dict[str, Any]:
    """Return what was recorded."""
    return json.loads((source / DATA).read_text(encoding="utf-8"))


def own_outcome(case: Case) -> str:
    """Return what nnfs_xp does, by backend where that differs."""
    by_backend = case["nnfs_xp"]
    outcomes = set(by_backend.values())
    if len(outcomes) == 1:
        return outcomes.pop()
    return "; ".join(f"{title(name)}: {said}" for name, said in by_backend.items())


def outcomes_of(case: Case) -> list[str]:
    """Return what is written in the columns of a case."""
    keras = {name: case[f"keras-{name}"] for name in ("jax", "torch")}
    both = "; ".join(f"{title(name)}: {said}" for name, said in keras.items())
    if len(set(keras.values())) == 1:
        both = keras["jax"]
    return [own_outcome(case), case["torch"], both, case["sklearn"]]


def rows_of_door(source: Path, door: str) -> list[list[str]]:
    """Return the table of one door; inputs that fare alike share a row."""
    rows: dict[tuple[str, ...], list[str]] = {}
    for case in load(source)["cases"]:
        if case["door"] == door:
            key = case["call"], *outcomes_of(case)
            rows.setdefault(key, []).append(case["input"])
    return [
        ["where", "input", "nnfs_xp", "PyTorch", "Keras", "scikit-learn"],
        *(
            [f"``{call}``", ", ".join(map(literal, inputs)), *outcomes]
            for (call, *outcomes), inputs in rows.items()
        ),
    ]


def literal(text: str) -> str:
    """Return a value as code, and what describes one as it is."""
    is_word = text[:1].isalpha() and text not in ("nan", "inf", "None", "True", "False")
    return text if is_word or not text else f"``{text}``"


def rows_of_summary(source: Path) -> list[list[str]]:
    """Return how many inputs of each door a library refuses, and what it does else."""
    cases = load(source)["cases"]
    doors = list(dict.fromkeys(case["door"] for case in cases))
    rows = [["place", "inputs", "runs", *COLUMNS.values()]]
    for door in [*doors, None]:
        own = [case for case in cases if door in (case["door"], None)]
        tried = sum(len(case["nnfs_xp"]) for case in own)
        counts = [counts_of(own, column) for column in COLUMNS]
        rows.append([door or "**all**", str(len(own)), str(tried), *counts])
    return rows


def counts_of(cases: list[Case], column: str) -> str:
    """Return how many inputs one library refused, accepted and so on."""
    said = [own_outcome(c) if column == "nnfs_xp" else c[column] for c in cases]
    begins = {word: sum(text.startswith(word) for text in said) for word in COUNTED}
    changed = sum(CHANGED in text for text in said)
    begins["refused and changed"] = changed
    parts = [f"{n} {word}" for word, n in begins.items() if n and word != "refused"]
    known = len(said) - said.count("not applicable") - begins["documented meaning"]
    if not known:
        return "not applicable"
    return "; ".join([f"{begins['refused'] - changed} of {known} refused", *parts])


def rows_of_versions(source: Path) -> list[list[str]]:
    """Return the libraries of the run."""
    versions = load(source)["versions"]
    titles = {"nnfs_xp": "nnfs_xp", "keras": "Keras", "sklearn": "scikit-learn"}
    rows = [[titles.get(name, title(name)), text] for name, text in versions.items()]
    return [["library", "version"], *rows]


class BadInputTable(SphinxDirective):
    """``.. bad-input-table:: DOOR``; ``versions``, and without a door the summary."""

    optional_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """Return the table, that of a door folded away."""
        source = Path(self.env.srcdir)
        self.env.note_dependency(str(source / DATA))
        door = self.arguments[0] if self.arguments else None
        if door is None:
            return self.table(rows_of_summary(source))
        if door == "versions":
            return self.table(rows_of_versions(source))
        summary = f"<details><summary>{door}: the outcome for each input</summary>"
        return [
            nodes.raw("", summary, format="html"),
            *self.table(rows_of_door(source, door)),
            nodes.raw("", "</details>", format="html"),
        ]

    def table(self, rows: list[list[str]]) -> list[nodes.Node]:
        """Return rows as a table."""
        node = nodes.section(document=self.state.document)
        lines = StringList(list_table(rows).splitlines(), "bad-input-table")
        nested_parse_with_titles(self.state, lines, node)
        return node.children


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.add_directive("bad-input-table", BadInputTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
