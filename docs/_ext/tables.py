"""Tables in reStructuredText."""

from __future__ import annotations

from collections.abc import Sequence


def list_table(rows: Sequence[Sequence[str]]) -> str:
    """Return a table whose first row is its head."""
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for row in rows:
        for column, cell in enumerate(row):
            lines.append(f"   {'*' if column == 0 else ' '} - {cell}")
    return "\n".join(lines)
