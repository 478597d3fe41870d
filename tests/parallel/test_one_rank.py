"""One rank, on every backend, trains as a process that knows of no ranks."""

import numpy as np
import pytest

from nnfs_xp import BackendUnavailableError, parallel
from tests.parallel import jobs

pytest.importorskip("mpi4py")


@pytest.mark.parametrize("training", [jobs.plain, jobs.weighted, jobs.normalized])
def test_one_rank_trains_as_no_ranks(training, backend):
    where = {"backend": backend, "dtype": backend.dtype_name}
    alone = jobs.found(*training(None, **where))
    one = jobs.found(*training(parallel.mpi(), **where))
    tolerance = 1e-10 if backend.dtype_name == "float64" else 1e-3
    for record, twin in zip(alone["records"], one["records"], strict=True):
        for name, value in record.items():
            np.testing.assert_allclose(twin[name], value, rtol=tolerance)


def test_a_compiled_step_that_is_required_is_missed_at_once():
    with pytest.raises(BackendUnavailableError, match="no compiled step for several"):
        jobs.plain(parallel.mpi(), compile="require")
