"""Several ranks train as one process does, and fail together."""

import itertools
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import numpy as np
import pytest

from nnfs_xp import BackendUnavailableError, InputError, parallel
from tests.parallel import jobs

ROOT = Path(__file__).parents[2]
MPIEXEC = shutil.which("mpiexec", path=sysconfig.get_path("scripts"))
pytestmark = pytest.mark.skipif(MPIEXEC is None, reason="there is no mpiexec")


def run(size, name, folder, *more, status=0, launcher=None):
    """Return what each rank has left, and the output of all of them."""
    folder.mkdir(exist_ok=True)
    for old in folder.glob("rank-*.json"):
        old.unlink()
    launcher = launcher or [MPIEXEC, "-n", str(size), sys.executable, "-W", "error"]
    command = [*launcher, "-m", "tests.parallel.jobs", name, str(folder), *more]
    began = time.monotonic()
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=120,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
    )  # fmt: skip
    output = done.stdout + done.stderr
    if status is not None:
        assert (done.returncode == 0) == (status == 0), output
    files = sorted(folder.glob("rank-*.json"))
    results = {int(f.stem[5:]): json.loads(f.read_text()) for f in files}
    if status == 0:
        assert sorted(results) == list(range(size)), output
    return results, output, time.monotonic() - began


def same(results):
    """Return what all ranks found, which must be the same to the bit."""
    first = results[0]
    assert all(other == first for other in results.values())
    return first


def assert_same_curve(one, other, rtol=1e-12):
    assert len(one["records"]) == len(other["records"])
    for record, twin in zip(one["records"], other["records"], strict=True):
        assert record.keys() == twin.keys()
        for name, value in record.items():
            np.testing.assert_allclose(value, twin[name], rtol=rtol, err_msg=name)
    for path, value in one["values"].items():
        np.testing.assert_allclose(
            value, other["values"][path], rtol=1e-7, atol=1e-10, err_msg=path
        )


def assert_quick(together):
    for name in ("plain", "normalized"):
        alone = jobs.found(*jobs.TRAININGS[name](None))
        assert_same_curve(alone, together[name])
        assert_same_curve(alone, together[f"{name}, in parts"])
        # 24 steps, of which each sends statistics, and more than a kilobyte of
        # gradients in messages of no more than a hundred bytes.
        assert together[f"{name}, calls"] > 11 * 24


def test_two_ranks_train_as_one_process(tmp_path):
    assert_quick(same(run(2, "quick", tmp_path)[0]))


def assert_compressed(together, size):
    """Each summand and each sum was rounded once, by up to 2^-8 of itself."""
    arrays = np.random.default_rng(0).normal(size=(size, 1001))
    arrays *= 10.0 ** np.linspace(-30, 30, 1001)
    bound = 2.0**-8 * (2 + 2.0**-8) * np.abs(arrays).sum(axis=0) + 1e-38
    for found, finite, volume in together["sums"]:
        error = np.abs(np.array(found) - arrays.sum(axis=0))
        assert (error <= bound).all()
        assert error.max() > 0
        assert finite == [False, False, True]
        # Two bytes a number, with a number more for each rank at most.
        assert 2 * 1001 <= volume < 2 * (1001 + size)
    losses = [record["loss"] for record in together["trained"]["records"]]
    expected = [record["loss"] for record in jobs.plain(None)[1].epochs]
    assert losses == pytest.approx(expected, rel=1e-2)
    assert losses != pytest.approx(expected, rel=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("size", [2, 3])
def test_compressed_gradients_are_off_by_their_rounding(size, tmp_path):
    assert_compressed(same(run(size, "compressed", tmp_path)[0]), size)


@pytest.mark.slow
@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_any_number_of_ranks_trains_as_one_process(size, tmp_path):
    together = same(run(size, "equal", tmp_path)[0])
    assert len(together) == len(jobs.TRAININGS) * (1 if size == 1 else 2)
    for name, result in together.items():
        training = jobs.TRAININGS[name.partition(",")[0]]
        assert_same_curve(jobs.found(*training(None)), result)


@pytest.mark.slow
def test_batch_norm_of_the_rank_differs_from_that_of_all(tmp_path):
    of_rank = same(run(3, "of_rank", tmp_path)[0])
    alone = jobs.found(*jobs.normalized(None))
    losses = [record["loss"] for record in of_rank["records"]]
    expected = [record["loss"] for record in alone["records"]]
    assert losses != pytest.approx(expected, rel=1e-6)
    assert losses == pytest.approx(expected, rel=0.2)


@pytest.mark.slow
@pytest.mark.parametrize("size", [2, 3])
def test_other_libraries_train_alike(size, tmp_path):
    together = same(run(size, "backends", tmp_path)[0])
    alone = jobs.found(*jobs.plain(None))
    for result in together.values():
        assert_same_curve(alone, result)


@pytest.mark.slow
@pytest.mark.backend("cupy")
def test_ranks_on_cupy_with_a_device_each_train_as_one_process(tmp_path):
    start = "import sys; from tests.parallel.jobs import main; main(*sys.argv[3:])"
    if "cupy_on_cpu" in sys.modules:
        start = f"import cupy_on_cpu; cupy_on_cpu.install(devices=2); {start}"
    launcher = [MPIEXEC, "-n", "2", sys.executable, "-c", start]
    together = same(run(2, "devices", tmp_path, launcher=launcher)[0])
    assert_same_curve(jobs.found(*jobs.plain(None)), together["plain"])


@pytest.mark.slow
@pytest.mark.backend("jax")
def test_ranks_on_a_device_of_jax_each_train_as_one_process(tmp_path, monkeypatch):
    pytest.importorskip("jax")
    # As many devices as are asked for, all of them on the CPU.
    monkeypatch.setenv("XLA_FLAGS", "--xla_force_host_platform_device_count=2")
    together = same(run(2, "host_devices", tmp_path)[0])
    alone = jobs.found(*jobs.plain(None))
    for shift in range(2):
        assert_same_curve(alone, together[f"device {shift}"])
        ((one,), (other,)) = together[f"places {shift}"]
        assert one != other


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="limits are Linux's")
def test_rows_of_a_file_larger_than_the_memory_of_a_rank(tmp_path):
    random = np.random.default_rng(0)
    x = random.random((2**14, 2048), np.float32)
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "y.npy", (4 * x[:, 0]).astype("int64"))
    result = same(run(2, "mapped", tmp_path)[0])
    assert result["limited"]
    assert np.isfinite(result["loss"]).all()


@pytest.mark.slow
def test_one_rank_prints_and_writes(tmp_path):
    results, output, _ = run(3, "files", tmp_path)
    assert all(result["seen"] for result in results.values())
    assert output.count("epoch 1/4") == 1
    assert len((tmp_path / "log.jsonl").read_text().splitlines()) == 4


@pytest.mark.slow
def test_a_rank_that_fails_ends_all_and_is_named(tmp_path):
    results, _, seconds = run(3, "raises", tmp_path, status=1)
    assert results[1]["type"] == "OSError"
    for rank in (0, 2):
        assert results[rank]["type"] == "ParallelError"
        assert results[rank]["rank"] == 1
        assert "rank 1 has failed: OSError: the disk is full" in results[rank]["text"]
    assert seconds < 30


@pytest.mark.slow
@pytest.mark.parametrize("job", ["hangs", "stops"])
def test_a_rank_that_hangs_ends_all_and_is_named(job, tmp_path):
    results, _, seconds = run(3, job, tmp_path, "2", status=1)
    assert set(results) <= {0, 2}
    assert results
    for result in results.values():
        assert result["type"] == "ParallelError"
        assert result["rank"] == 1
        assert "without an answer from rank 1" in result["text"]
    assert seconds < 30


@pytest.mark.slow
def test_a_rank_that_dies_ends_all(tmp_path):
    results, output, seconds = run(3, "dies", tmp_path, status=1)
    assert not results
    assert "Killed" in output
    assert seconds < 30


@pytest.mark.slow
def test_a_rank_with_other_parameters_is_named_on_all(tmp_path):
    results, _, _ = run(3, "differs", tmp_path)
    for result in results.values():
        assert result["type"] == "ParallelError"
        assert "of rank 1 differ from those of the other 2 of 3" in result["text"]
        assert result["epoch"] == 2


@pytest.mark.slow
def test_a_training_that_diverges_ends_on_all_ranks_alike(tmp_path):
    assert same(run(2, "diverges", tmp_path)[0]) == {
        "type": "DivergenceError",
        "epoch": 1,
    }


@pytest.mark.slow
def test_a_signal_to_one_rank_ends_all_after_the_same_step(tmp_path):
    result = same(run(3, "interrupted", tmp_path)[0])
    assert result["ended"]["type"] == "SystemExit"
    assert result["ended"]["epochs"] == 1
    assert_same_curve(
        jobs.found(*jobs.TRAININGS["plain"](None))
        | {"records": _without_validation(jobs.found(*jobs.plain(None))["records"])},
        result["resumed"],
    )


def _without_validation(records):
    return [
        {k: v for k, v in record.items() if not k.startswith("validation")}
        for record in records
    ]


@pytest.mark.slow
def test_arguments_that_differ_are_named_on_all_ranks(tmp_path):
    # What only some of the ranks know of they cannot recover from.
    results, _, _ = run(3, "mismatched", tmp_path, status=1)
    expected = {
        "batch_size": "batch_size must be the same on all ranks, got 17 on rank 0 and",
        "seed": "seed must be the same on all ranks, got 0 on rank 0 and 1 on rank 1",
        "data": "the data (a checksum of some rows) must be the same on all ranks",
        "overlap": "bucket_bytes must be the same on all ranks, got 300 on rank 0 and",
        "model": "the model must be the same on all ranks",
        "split": "validation_split needs all rows",
    }
    for result in results.values():
        for name, text in expected.items():
            assert text in result[name], result[name]
    assert "x must be finite" in results[1]["nan"]
    assert "x must be finite" in results[0]["nan"]
    good = same({rank: result["trained"] for rank, result in results.items()})
    assert_same_curve(jobs.found(*jobs.plain(None)), good)


def test_parallel_must_be_a_communicator():
    x, y, _ = jobs.data()
    with pytest.raises(InputError, match="parallel must be a communicator"):
        jobs.classifier().fit(x, y, parallel=2)


# CuPy warns of a library that it does not find.
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_nccl_says_what_is_missing():
    with pytest.raises(BackendUnavailableError, match="parallel.nccl needs CuPy"):
        parallel.nccl()


def test_rows_of_all_ranks_are_all_rows():
    for size in (1, 2, 3, 7):
        for samples in (0, 1, 5, 14, 100):
            own = [parallel.Communicator(r, size).rows(samples) for r in range(size)]
            assert [own[0].start, own[-1].stop] == [0, samples]
            assert all(a.stop == b.start for a, b in itertools.pairwise(own))
            lengths = [rows.stop - rows.start for rows in own]
            assert max(lengths) - min(lengths) <= 1
