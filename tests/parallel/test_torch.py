"""The same over the gloo library of PyTorch, started by its own launcher."""

import sys

import pytest

from tests.parallel.test_mpi import assert_compressed, assert_quick, run, same

pytestmark = [pytest.mark.slow, pytest.mark.backend("torch")]


def torchrun(size, name, folder, status=0):
    launcher = [
        sys.executable, "-m", "torch.distributed.run", "--standalone",
        "--nproc-per-node", str(size),
    ]  # fmt: skip
    return run(size, name, folder, "20", "torch", status=status, launcher=launcher)


@pytest.mark.parametrize("size", [2, 3])
def test_ranks_train_as_one_process(size, tmp_path):
    assert_quick(same(torchrun(size, "quick", tmp_path)[0]))


def test_compressed_gradients_are_off_by_their_rounding(tmp_path):
    assert_compressed(same(torchrun(3, "compressed", tmp_path)[0]), 3)


def test_a_rank_that_fails_ends_all_and_is_named(tmp_path):
    results, _, _ = torchrun(3, "raises", tmp_path)
    assert results[1]["type"] == "OSError"
    for rank in (0, 2):
        assert results[rank]["type"] == "ParallelError"
        assert "rank 1 has failed: OSError: the disk is full" in results[rank]["text"]


def test_a_rank_that_dies_ends_all(tmp_path):
    _, _, seconds = torchrun(3, "dies", tmp_path, status=None)
    assert seconds < 60


def test_a_training_that_diverges_ends_on_all_ranks_alike(tmp_path):
    assert same(torchrun(2, "diverges", tmp_path)[0])["type"] == "DivergenceError"
