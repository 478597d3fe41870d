"""The benchmark of a CNN and a GPT: what it checks and writes, not its times."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("jax")

from benchmarks.agreement import loss_curve
from benchmarks.nets import contenders, page, to_the_end
from benchmarks.nets.problems import make_problem
from benchmarks.nets.to_the_end import End
from benchmarks.timing import Block, Timing

ROOT = Path(__file__).resolve().parents[2]
LABELS = (contenders.PLAIN, contenders.FAST, contenders.TORCH, contenders.JAX)
RIVALS = (contenders.EAGER, contenders.CHANNELS_LAST, contenders.JIT)


@pytest.fixture(scope="module")
def problems():
    return {key: make_problem(key) for key in ("cnn", "gpt")}


@pytest.mark.slow
@pytest.mark.parametrize("label", [*LABELS, *RIVALS])
@pytest.mark.parametrize("key", ["cnn", "gpt"])
def test_every_contender_learns_what_pytorch_does(key, label, problems):
    made = contenders.make(problems[key], [label, contenders.EAGER])
    if key == "gpt" and label == contenders.CHANNELS_LAST:
        assert label not in made
        return
    found, expected = (loss_curve(made[x], 4) for x in (label, contenders.EAGER))
    assert expected[-1] < expected[0]
    assert found == pytest.approx(expected, rel=1e-4)


def timing(milliseconds):
    return Timing(2, [Block(2e-3 * milliseconds, 0.0)] * 3)


def test_tables_have_times_ratios_and_ends():
    timings = {
        "cnn": {
            contenders.PLAIN: timing(9.0),
            contenders.EAGER: timing(10.0),
            contenders.CHANNELS_LAST: timing(5.0),
        },
        "gpt": {contenders.JAX: timing(3.0), contenders.JIT: timing(4.0)},
    }
    titles = {"cnn": "pictures", "gpt": "texts"}
    facts = {"processor": "P", "cores": 2, "threads": 1, "busy": 1.5}
    ends = {"ours": End([3.0, 1.5], 1.75, 60.0)}
    text = page.tables(facts, {"numpy": "2"}, titles, timings, ends)
    for line in (
        "P, 2 cores, 1 thread; numpy 2.",
        "| milliseconds | pictures | texts |",
        "| nnfs_xp, NumPy | 9.00 [9.00, 9.00] |  |",
        "| nnfs_xp, NumPy / PyTorch eager | 0.90 (at most 1.2) |  |",
        "| nnfs_xp, NumPy / PyTorch eager, channels last | 1.80 (at most 1.9) |  |",
        "| nnfs_xp, JAX / JAX, jit of grad |  | 0.75 (at most 1.0) |",
        "| ours | 3.0000 | 1.5000 | 1.7500 | 60 |",
    ):
        assert line in text.splitlines()
    assert "1.5 cores busy" in text
    assert "with loops /" not in text


@pytest.mark.slow
def test_the_command_writes_a_page(tmp_path):
    command = [sys.executable, "-m", "benchmarks.nets", "--networks", "cnn"]
    command += ["--contenders", "NumPy", "PyTorch eager", "--repeats", "1"]
    command += ["--page", str(tmp_path / "nets.md")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "cnn: all losses agree over 20 steps" in done.stderr
    written = (tmp_path / "nets.md").read_text(encoding="utf-8")
    assert written == page.HEAD + done.stdout.removesuffix("\n")
    assert re.search(r"NumPy / PyTorch eager \| \d+\.\d\d \(at most 1\.2\)", written)


@pytest.mark.slow
def test_both_trainings_come_to_the_same_end():
    lines = []
    ends = to_the_end.losses(lines.append, epochs=1)
    assert len(lines) == 1
    one, other = ends.values()
    assert one.training[0] < 3.2
    assert one.training == pytest.approx(other.training, rel=1e-3)
    assert one.test == pytest.approx(other.test, rel=1e-3)
