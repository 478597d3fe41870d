"""The benchmark over ranks, and the model that is fitted to it."""

import math

import pytest

from benchmarks import ranks
from tests.parallel.test_mpi import MPIEXEC


def test_model_is_recovered_from_its_own_times():
    model = ranks.Model(alpha=3e-6, beta=2e-10, fixed=1e-4, row=5e-6)
    sums = [(n, p, model.sum_seconds(n, p)) for n in ranks.SIZES for p in (2, 3, 4)]
    assert ranks.fitted_messages(sums) == pytest.approx((3e-6, 2e-10))
    steps = [(n, model.step_seconds(n, (), 1)) for n in (1, 16, 128)]
    assert ranks.fitted_steps(steps) == pytest.approx((1e-4, 5e-6))


def test_a_sum_of_one_rank_is_free_and_one_of_many_is_not():
    model = ranks.Model(alpha=1e-6, beta=1e-9)
    assert model.sum_seconds(10**6, 1) == 0.0
    assert model.sum_seconds(8, 1024) == pytest.approx(2e-5, rel=1e-3)
    # Of a long message each rank sends and receives twice all bytes, at most.
    assert model.sum_seconds(10**9, 1024) == pytest.approx(2.0, rel=1e-2)
    assert math.isclose(model.step_seconds(10, (8, 8), 2), 2 * model.sum_seconds(8, 2))


@pytest.mark.slow
@pytest.mark.skipif(MPIEXEC is None, reason="there is no mpiexec")
def test_jobs_are_measured_and_shown(tmp_path, capsys):
    out, picture = tmp_path / "ranks.json", tmp_path / "ranks.svg"
    assert ranks.main([
        "--ranks", "2", "--network", "8", "6", "3", "--batch", "16", "--steps", "3",
        "--repeats", "2", "--out", str(out), "--picture", str(picture),
    ]) == 0  # fmt: skip
    shown = capsys.readouterr().out
    assert "8-6-3, 75 parameters" in shown
    assert "| 2, strong | 16 |" in shown
    # Two messages a step: the gradients, and the statistics.
    assert shown.count("\n| 1024 |") == 1
    assert out.exists() and picture.stat().st_size > 1000
