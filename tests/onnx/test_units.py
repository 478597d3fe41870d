"""Every registered layer, block and activation as an ONNX file.

The cases are those of the matrix, which has one for each unit of the registry.
"""

import pytest

import nnfs_xp as nx
from nnfs_xp.engine.data import each
from nnfs_xp.onnx.write import model_proto
from tests.onnx.helpers import LAYERS, assert_near, model_of, run


@pytest.mark.parametrize(
    ("dtype", "rtol"),
    [("float32", 1e-6), pytest.param("float64", 1e-12, marks=pytest.mark.slow)],
)
@LAYERS
def test_onnxruntime_computes_the_same(case, dtype, rtol):
    """With any number of samples."""
    model, x, shape = model_of(case, dtype)
    data = model_proto(model, shape).SerializeToString()
    for rows in (x, each(lambda a: a[:1], x), each(lambda a: a.repeat(3, axis=0), x)):
        found = run(data, rows)
        assert found.dtype == dtype
        assert_near(found, model.predict(rows), rtol)


@pytest.mark.parametrize(
    "dtype", ["float32", pytest.param("float64", marks=pytest.mark.slow)]
)
@LAYERS
def test_written_read_and_written_again_is_the_same_file(tmp_path, case, dtype):
    model, x, shape = model_of(case, dtype)
    first, second = tmp_path / "first.onnx", tmp_path / "second.onnx"
    model.export(first, sample_shape=shape)
    again = nx.onnx.load(first)
    again.export(second, sample_shape=shape)
    assert second.read_bytes() == first.read_bytes()
    assert again.config() == model.config()
    assert_near(again.predict(x), model.predict(x), 1e-12)
