import pytest

pytest.importorskip("onnx", reason="not installed: pip install .[test]")
pytest.importorskip("onnxruntime", reason="not installed: pip install .[test]")
