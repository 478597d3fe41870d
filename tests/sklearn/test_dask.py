"""The search over Dask's workers that the documentation shows."""

import re
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn")
distributed = pytest.importorskip("distributed")

PAGE = Path(__file__).parents[2] / "docs" / "parallel.md"


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_search_of_the_documentation_finds_what_one_process_finds(tmp_path):
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.M | re.S)
    (code,) = (block for block in blocks if "dask.distributed" in block)
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None,
        local_directory=tmp_path,
    ) as cluster:  # fmt: skip
        there = code.replace(
            "tcp://scheduler.example.org:8786", cluster.scheduler_address
        )
        assert there != code
        over_workers: dict = {}
        exec(there, over_workers)
        with distributed.Client(cluster) as client:
            # Every worker has loaded the library, and so has trained.
            loaded = client.run(lambda: "nnfs_xp" in __import__("sys").modules)
            assert list(loaded.values()) == [True, True]
    here = code.replace('with Client(SCHEDULER), parallel_config("dask"):', "if True:")
    assert here != code
    in_one: dict = {}
    exec(here, in_one)
    for name in ("mean_test_score", "std_test_score"):
        np.testing.assert_array_equal(
            over_workers["search"].cv_results_[name], in_one["search"].cv_results_[name]
        )
