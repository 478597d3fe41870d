"""The references of the step's kernels give the same on every backend."""

import numpy as np
import pytest

from nnfs_xp import kernels
from tests.kernels import implementation_cases
from tests.kernels.cases.launch import HOST
from tests.kernels.implementation_cases.calling import calling, flat, on_backend

NAMES = (
    "gather_batch", "rescaled", "accumulate", "count_correct", "draw", "dropout",
    "add_at",
)  # fmt: skip
# Types that are not in the standard, or not in every library.
OTHERS = ("uint16", "uint32", "uint64", "float16")
CASES = [
    (name, kind)
    for name in NAMES
    for kind in implementation_cases.CASES[name]
    if kind not in OTHERS
]


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_reference_equals_numpys(backend64, name, kind):
    be, case = backend64, implementation_cases.CASES[name][kind]
    if kind == "equal scores, rows" and be.name == "torch":
        pytest.skip("of equal numbers torch.argmax may return any")
    with np.errstate(all="ignore"), be.context():
        found = calling(name, kernels.references(), be, on_backend(be, case))
        expected = calling(name, kernels.references(), HOST, on_backend(HOST, case))
    for one, other in zip(flat(found), flat(expected), strict=True):
        if isinstance(other, int):
            assert one == other
            continue
        one = be.to_numpy(one)
        assert one.dtype == other.dtype and one.shape == other.shape
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12)
