"""The benchmark over ranks, and the model that is fitted to it."""

import json
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
def test_jobs_are_measured_and_written_to_the_page(tmp_path, capsys):
    out, page = tmp_path / "ranks.json", tmp_path / "ranks.md"
    page.write_text(f"# Title\n\n{ranks.BEGIN}\nof before\n{ranks.END}\n\nThe end.\n")
    assert ranks.main([
        "--workloads", "tiny", "--repeats", "2", "--out", str(out), "--page", str(page),
    ]) == 0  # fmt: skip
    capsys.readouterr()
    shown = page.read_text()
    assert shown.startswith("# Title")
    assert shown.endswith("The end.\n")
    assert "of before" not in shown
    assert "| tiny | 8-6-3, Adam | 75 |" in shown
    # The gradients; a signal of each rank, and loss and accuracy with their counts.
    (found,) = json.loads(out.read_text())
    assert found["strong"]["calls"] == 2
    assert found["strong"]["bytes"] == 4 * 75 + 8 * 6
    assert [one["batch"] for one in found["crossover"]] == [8, 16]
    assert shown.count("\n| 1024 |") == 1
    assert page.with_suffix(".svg").stat().st_size > 1000
    assert "(ranks.svg)" in shown


def result_of(name, seconds, sizes):
    strong = {"batch": 128, "calls": len(sizes), "bytes": sum(sizes)}
    return {"workload": name, "strong": strong, "seconds": seconds}


def test_speed_up_ends_where_messages_take_as_long_as_the_rows():
    model = ranks.Model(alpha=1e-6, beta=1e-9, fixed=0.0, row=1e-5)
    result = result_of("W3", 1.0, [10**6])
    column = ranks.speed_ups(model, result)
    assert column[0] == pytest.approx(1.0)
    # Without messages it would be 1024 times as fast; a sum alone takes 2 ms.
    assert max(column) < 128e-5 / 1e-3
    assert ranks.speed_ups(model, result, weak=True)[-1] > 100 * column[-1]
    assert ranks._worth([1.0, 2.0, 3.0, 3.1]) == 4


@pytest.mark.parametrize("name", list(ranks.WORKLOADS))
def test_workloads_fit_their_data(name):
    workload = ranks.WORKLOADS[name]
    if name == "W5":
        pytest.skip("takes seconds, and is made as W3 is")
    x, y = workload.data(2)
    history = workload.network().fit(x, y, batch_size=2)
    assert len(history.epochs) == 1
