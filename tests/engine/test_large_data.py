"""Data that is larger than the memory, as a memory-mapped file may be."""

import tracemalloc

import numpy as np
import pytest

import nnfs_xp as nx
from nnfs_xp.checks import check_finite

ROWS, COLUMNS = 400_000, 100  # 160 MB, of which a sparse file takes none
MOST = 48 << 20


class StopAtOnce(nx.Callback):
    def on_batch_end(self, event):
        raise KeyboardInterrupt


@pytest.fixture
def rows(tmp_path):
    path = tmp_path / "rows.bin"
    with path.open("wb") as file:
        file.truncate(4 * ROWS * COLUMNS)
    return np.memmap(path, dtype="float32", mode="r+", shape=(ROWS, COLUMNS))


def test_fit_holds_no_copy_of_it(rows):
    model = nx.Model(
        [nx.Dense(COLUMNS, 2), nx.Softmax()],
        loss="categorical_crossentropy",
        optimizer="sgd",
        backend="numpy",
    )
    labels = np.zeros(ROWS, "int32")
    tracemalloc.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            model.fit(rows, labels, batch_size=1000, callbacks=StopAtOnce())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < MOST


@pytest.mark.parametrize("row", [0, ROWS // 2, ROWS - 1])
def test_nan_is_found_wherever_it_is(rows, row):
    be = nx.get_backend("numpy")
    check_finite(be, rows, "x")
    rows[row, COLUMNS - 1] = np.nan
    with pytest.raises(nx.InputError, match="x must be finite in float32"):
        check_finite(be, rows, "x")
