"""The launches of a step of the book's network are those of docs/kernels.md."""

import re
from pathlib import Path

from nnfs_xp import kernels
from tests.conftest import backend_or_skip
from tests.executors.models import books_network, images

PAGE = Path(__file__).parents[2] / "docs" / "kernels.md"
ROW = re.compile(r"^\| (\d+) \| `?([\w ]+)`? \|", re.MULTILINE)


def test_launches_of_a_step_on_cupy(launched, monkeypatch):
    be = backend_or_skip("cupy", "float32")
    monkeypatch.setattr(kernels.registry, "_mode", "no_dense_step")
    rows = ROW.findall(PAGE.read_text())
    assert [int(number) for number, _ in rows] == list(range(1, len(rows) + 1))
    model = books_network(be, compile="off")
    x, y = images(3 * 128)
    model.fit(x, y, batch_size=128)
    matmul = model.backend.matmul

    def counting(*operands):
        launched.append("matrix product")
        return matmul(*operands)

    monkeypatch.setattr(model.backend, "matmul", counting)
    launched.clear()
    model.fit(x, y, batch_size=128)
    assert launched == 3 * [name for _, name in rows]
