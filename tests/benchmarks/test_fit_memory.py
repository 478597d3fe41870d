"""How much memory a fit adds is really seen."""

import subprocess
import sys

import numpy as np
import pytest

from benchmarks import fit_memory, machine


@pytest.mark.skipif(not machine.has_peaks(), reason="no peaks of memory here")
def test_a_peak_is_seen_when_it_is_over():
    before = fit_memory.forget_peak()
    held = np.ones(40_000_000, np.uint8)
    held[::4096] = 2
    del held
    assert 30e6 < fit_memory.peak() - before < 80e6
    fit_memory.forget_peak()
    assert fit_memory.peak() - before < 30e6


@pytest.mark.slow
@pytest.mark.skipif(not machine.has_peaks(), reason="no peaks of memory here")
def test_a_fit_adds_less_than_its_data():
    rows = 20_000
    done = subprocess.run(
        [sys.executable, fit_memory.__file__, "numpy", str(rows)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert int(done.stdout) < rows * fit_memory.FEATURES * 4
