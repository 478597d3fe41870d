"""The table of kernels on docs/kernels.md has all of them."""

import sys

import pytest

from nnfs_xp.kernels import implementations, references
from tests.docs.test_docs import DOCS


def test_every_kernel_has_its_row(monkeypatch):
    pytest.importorskip("sphinx", reason="pip install 'nnfs-xp[docs]'")
    monkeypatch.setattr(sys, "path", [str(DOCS), *sys.path])
    from _ext.kernel_table import BREAK, ROOT, rows_of_kernels

    head, *rows = (
        [cell.replace("\\", "").replace(BREAK, "") for cell in row]
        for row in rows_of_kernels()
    )
    assert [row[0] for row in rows] == sorted(references())
    for row in rows:
        assert len(row) == len(head)
        name, summary, file, owners = row
        assert summary.endswith("."), name
        assert (ROOT / file).is_file(), name
        assert ("CuPy" in owners) == (name in implementations("cupy")), name
