"""Models of one unit, and what onnxruntime computes."""

import numpy as np
import onnxruntime
import pytest

import nnfs_xp as nx
from nnfs_xp.engine.data import each
from tests.matrix.cases import ALL
from tests.matrix.helpers import host_buffers, host_params, is_ids, set_values

# The first case of each unit is in the first tier.
LAYERS = pytest.mark.parametrize(
    "case",
    [
        pytest.param(
            case, id=f"{name}-{number}", marks=[pytest.mark.slow] * (number > 0)
        )
        for name, cases in ALL["layer"].items()
        for number, case in enumerate(cases)
    ],
)


def model_of(case, dtype, seed=3):
    """Return a model of the unit of a case, with drawn values, and its inputs."""
    unit = case.make()
    x = each(lambda a: a.astype("int64" if is_ids(a) else dtype), case.x)
    shape = each(lambda a: a.shape[1:], x)
    if isinstance(unit, nx.Parallel):
        # A model has one output.
        unit = nx.Sequential([unit, nx.Concatenate()])
    set_values(unit, {**host_params(unit, seed), **host_buffers(unit, seed)})
    return nx.Model([unit], dtype=dtype), x, shape


def run(model, x):
    """Return what onnxruntime computes from a file, or from its bytes."""
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    names = [one.name for one in session.get_inputs()]
    arrays = x if isinstance(x, tuple) else (x,)
    (y,) = session.run(None, dict(zip(names, arrays, strict=True)))
    return y


def assert_near(found, expected, rtol):
    """Compare on the scale of the whole array, as sums may cancel."""
    atol = rtol * float(np.max(np.abs(expected), initial=0.0))
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=atol)
