"""The command line where things are missing, closed, full, taken or interrupted."""

import datetime
import json
import os
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import nnfs_xp as nx
from nnfs_xp import ctrl_c
from nnfs_xp.cli import main, results

SPIRAL = ["train", "--data", "spiral", "--epochs", "2", "--no-plot"]
COMMAND = [sys.executable, "-m", "nnfs_xp"]


def run(capsys, *arguments):
    status = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def in_shell(line, directory):
    """Run a line of a shell, in which nnfs-xp stands for the command."""
    command = " ".join(COMMAND)
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; {line.replace('nnfs-xp', command)}"],
        cwd=directory, capture_output=True, text=True, check=False,
    )  # fmt: skip


# Standard output.


@pytest.mark.parametrize(
    ("line", "statuses"),
    [
        ("nnfs-xp backends | head -1", {0, 141}),
        ("nnfs-xp --help | true", {0, 141}),
        ("nnfs-xp --version | true", {0, 141}),
        ("nnfs-xp train --data spiral --epochs 300 | head -1", {141}),
        ("nnfs-xp train --lr x 2>&1 | true", {2, 141}),
        ("nnfs-xp train --data nothing 2>&1 | true", {2, 141}),
        ("nnfs-xp predict nothing spiral >&- 2>&- <&-", {2}),
        ("nnfs-xp train --data nothing 2>&-", {2}),
        (f"nnfs-xp {' '.join(SPIRAL)} --out run >&-", {0}),
    ],
)
def test_output_that_nobody_reads(line, statuses, tmp_path):
    done = in_shell(line, tmp_path)
    assert done.returncode in statuses, done
    assert done.stderr == ""


def test_output_to_a_full_device(tmp_path):
    done = in_shell(f"nnfs-xp {' '.join(SPIRAL)} > /dev/full", tmp_path)
    assert done.returncode == 2
    assert done.stderr == "nnfs-xp: error: [Errno 28] No space left on device\n"


def test_predictions_to_standard_output_by_its_name(tmp_path):
    assert main([*SPIRAL, "--out", str(tmp_path / "run")]) == 0
    for line in ("> classes.csv", "| cat > classes.csv"):
        done = in_shell(
            f"nnfs-xp predict run spiral --out /dev/stdout {line}", tmp_path
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert len((tmp_path / "classes.csv").read_text().splitlines()) == 301


# The directory of the results.


def contents(directory):
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def test_results_are_replaced_only_by_force(tmp_path, capsys):
    assert run(capsys, *SPIRAL, "--out", tmp_path)[0] == 0
    before = contents(tmp_path)
    status, out, error = run(capsys, *SPIRAL, "--seed", 1, "--out", tmp_path)
    assert status == 2
    assert out == ""
    assert error == (
        f"nnfs-xp: error: out: {tmp_path} has a model.safetensors already; choose "
        "another --out, or let --force replace it\n"
    )
    assert contents(tmp_path) == before
    status, _, _ = run(capsys, *SPIRAL, "--seed", 1, "--force", "--out", tmp_path)
    assert status == 0
    assert contents(tmp_path).keys() == before.keys()
    assert contents(tmp_path) != before


@pytest.mark.parametrize("name", ["history.json", "report.png"])
def test_any_file_of_a_run_is_a_result(tmp_path, capsys, name):
    (tmp_path / name).write_text("mine")
    status, _, error = run(capsys, *SPIRAL, "--out", tmp_path)
    assert (status, f"has a {name} already" in error) == (2, True)
    assert contents(tmp_path) == {name: b"mine"}


def test_other_files_are_left_alone(tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("mine")
    assert run(capsys, *SPIRAL, "--out", tmp_path)[0] == 0
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_directory_that_cannot_be_written_to_is_found_before_training(
    tmp_path, capsys
):
    (tmp_path / "file").write_text("mine")
    places = [tmp_path / "file", tmp_path / "file" / "run", "/proc/run"]
    if os.geteuid() != 0:
        (tmp_path / "locked").mkdir(mode=0o500)
        places.append(tmp_path / "locked")
    for place in places:
        status, out, error = run(capsys, *SPIRAL, "--out", place)
        assert (status, out, error.count("\n")) == (2, "", 1)
        assert str(place) in error


def test_predictions_that_cannot_be_written_are_found_before_anything_is_read(
    tmp_path, capsys
):
    place = tmp_path / "no" / "classes.csv"
    status, _, error = run(capsys, "predict", "nothing", "spiral", "--out", place)
    assert status == 2
    assert error.endswith(f"there is no such directory: '{tmp_path / 'no'}'\n")


def test_runs_of_the_same_second_have_directories_of_their_own(
    tmp_path, capsys, monkeypatch
):
    class Stopped(datetime.datetime):
        @classmethod
        def now(cls):
            return cls(2024, 2, 29, 12, 30, 45)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(results.datetime, "datetime", Stopped)
    for _ in range(3):
        assert run(capsys, *SPIRAL)[0] == 0
    monkeypatch.undo()
    names = sorted(path.name for path in (tmp_path / "runs").iterdir())
    name = "spiral-20240229-123045"
    assert names == [name, f"{name}-2", f"{name}-3"]


# Numbers.


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--epochs", "1e3"], "--epochs: must be a positive integer, got '1e3'"),
        (["--epochs", "0"], "--epochs: must be a positive integer, got '0'"),
        (["--epochs", ""], "--epochs: must be a positive integer, got ''"),
        (["--batch-size", "1.5"], "--batch-size: must be a positive integer"),
        (["--lr", "fast"], "--lr: must be a number, got 'fast'"),
        (["--seed", "1e5"], "--seed: must be an integer, got '1e5'"),
        (["--hidden", "1,,2"], "--hidden: must be numbers from 0 to 1,000,000,000, "),
        (["--hidden", "-1"], "--hidden: must be numbers from 0 to"),
        (["--hidden", "9" * 30], "--hidden: must be numbers from 0 to"),
    ],
)
def test_what_is_no_number_is_said_in_the_last_line(arguments, message, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["train", *arguments])
    assert caught.value.code == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith(f"nnfs-xp train: error: argument {message}")


@pytest.mark.parametrize("hidden", [["1000000000"] * 2, ["999999999,999999999"]])
def test_a_network_that_no_memory_has_room_for(hidden, tmp_path, capsys):
    status, _, error = run(capsys, *SPIRAL, "--hidden", *hidden, "--out", tmp_path)
    assert status == 2
    assert "more than any memory holds" in error
    assert error.count("\n") == 1


# Ctrl-C.


def interrupted(arguments, seconds, directory, number=signal.SIGINT):
    """Return status and standard error of a command that is interrupted."""
    process = subprocess.Popen(
        [*COMMAND, *arguments], cwd=directory,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    # Python itself begins, before any of our code could do something about it.
    time.sleep(0.15 + seconds)
    process.send_signal(number)
    _, error = process.communicate(timeout=60)
    return process.returncode, error


def assert_interrupted_quietly(directory, seeds):
    for seed in seeds:
        seconds = random.Random(seed).uniform(0, 1.5)
        arguments = ["train", "--data", "spiral", "--epochs", "20", "--out", str(seed)]
        status, error = interrupted(arguments, seconds, directory)
        # A shell says 130 too where the signal itself ends Python as it begins.
        assert status in (0, 130, -signal.SIGINT), (seed, error)
        assert error in ("", "nnfs-xp: interrupted\n"), seed


def test_ctrl_c_at_any_time(tmp_path):
    assert_interrupted_quietly(tmp_path, range(4))


@pytest.mark.slow
def test_ctrl_c_at_many_times(tmp_path):
    assert_interrupted_quietly(tmp_path, range(100, 200))


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
)
def test_what_was_learned_is_kept(number, status, tmp_path):
    arguments = ["train", "--data", "digits", "--epochs", "500", "--no-plot"]
    process = subprocess.Popen(
        [*COMMAND, *arguments, "--out", "run"], cwd=tmp_path,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    for line in process.stdout:
        if line.startswith("epoch 2/"):
            process.send_signal(number)
            break
    out, error = process.communicate(timeout=60)
    assert (process.returncode, error) == (status, "")
    assert "keeping what was learned" in out
    model = nx.Model.load(tmp_path / "run" / "model.safetensors")
    assert 2 <= model.epochs_trained < 500
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == [
        "history.json", "model.safetensors",
    ]  # fmt: skip


IMPORTING = """
import importlib.abc, os, signal, sys
sys.argv = ["/usr/local/bin/nnfs-xp", "backends"]

class Interrupt(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == sys.orig_argv[-1]:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupt())
from nnfs_xp.cli import main
sys.exit(main())
"""


@pytest.mark.parametrize("module", ["numpy", "nnfs_xp.optimizers", "nnfs_xp.cli.main"])
def test_ctrl_c_while_the_command_is_imported(module):
    done = subprocess.run(
        [sys.executable, "-c", IMPORTING, module], capture_output=True, check=False
    )
    found = done.returncode, done.stdout, done.stderr
    assert found == (130, b"", b"nnfs-xp: interrupted\n")


def test_ctrl_c_in_a_program_that_imports_the_library_is_its_own():
    program = IMPORTING.replace("/usr/local/bin/nnfs-xp", "own.py")
    done = subprocess.run(
        [sys.executable, "-c", program, "numpy"], capture_output=True, check=False
    )
    assert done.returncode not in (0, 130)
    assert b"KeyboardInterrupt" in done.stderr


@pytest.mark.parametrize("interruption", [KeyboardInterrupt(), SystemExit(143)])
def test_an_extension_module_whose_import_was_interrupted(interruption, monkeypatch):
    """Its initialization makes an ImportError of every exception."""
    monkeypatch.setattr(ctrl_c, "_leave", signal.getsignal(signal.SIGINT))
    error = ImportError("initialization failed")
    error.__cause__ = interruption
    with pytest.raises(type(interruption)) as caught, ctrl_c.raising():
        raise error
    assert caught.value is interruption


IN_A_CALLBACK = """
import os, signal, sys, weakref
sys.argv = ["/usr/local/bin/nnfs-xp"]
from nnfs_xp import ctrl_c

def interrupt(reference):
    os.kill(os.getpid(), signal.SIG{signal})
    for _ in range(10**6):
        pass

with ctrl_c.raising():
    class Node: pass
    node = Node()
    reference = weakref.ref(node, interrupt)
    del node
    print("lost")
"""


@pytest.mark.parametrize(("signal", "status"), [("INT", 130), ("TERM", 143)])
def test_a_signal_in_a_callback_of_a_weak_reference(signal, status):
    """Python prints the exception there, and goes on."""
    program = IN_A_CALLBACK.format(signal=signal)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=False
    )
    found = done.returncode, done.stdout, done.stderr
    assert found == (status, b"", b"nnfs-xp: interrupted\n")


WRITING = """
import os, signal, sys
sys.argv = ["/usr/local/bin/nnfs-xp"]
from nnfs_xp.io.atomic import atomic_write

with atomic_write("report.png") as file:
    file.write(b"half")
    os.kill(os.getpid(), signal.SIG{signal})
"""


@pytest.mark.parametrize(("signal", "status"), [("INT", 130), ("TERM", 143)])
def test_a_signal_while_a_file_is_written_leaves_nothing(signal, status, tmp_path):
    program = WRITING.format(signal=signal)
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (status, b"nnfs-xp: interrupted\n")
    assert list(tmp_path.iterdir()) == []


def test_other_errors_of_the_command_stay_what_they_are(monkeypatch):
    monkeypatch.setattr(ctrl_c, "_leave", signal.getsignal(signal.SIGINT))
    with pytest.raises(ImportError, match="no such module"), ctrl_c.raising():
        raise ImportError("no such module") from OSError("not found")


def test_ctrl_c_that_is_to_be_ignored_is_ignored(tmp_path):
    line = f"trap '' INT; nnfs-xp {' '.join(SPIRAL)} & "
    line += "sleep 0.2; kill -INT $! 2> /dev/null; wait $!"
    done = in_shell(line, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "test accuracy" in done.stdout


# The model.


def test_a_pickle_is_no_model(tmp_path, capsys):
    path = tmp_path / "fashion_mnist.model"
    path.write_bytes(b"\x80\x04]q\x00.")
    status, _, error = run(capsys, "evaluate", path, "spiral")
    assert status == 2
    assert "it is a pickle, which may run code and is never loaded" in error
    assert error.count("\n") == 1


def test_history_and_model_of_a_forced_run_belong_together(tmp_path, capsys):
    for seed in (0, 1):
        run(capsys, *SPIRAL, "--seed", seed, "--force", "--out", tmp_path)
    history = json.loads((tmp_path / "history.json").read_text())
    model = nx.Model.load(tmp_path / "model.safetensors")
    assert history["configuration"]["seed"] == model.seed == 1
    assert np.isfinite(history["test_loss"])
