"""Options of the command line: for every command, of the network, and of streams."""

import io
import json
import os
import pty
import re
import shlex
import subprocess
import sys

import numpy as np
import pytest

import nnfs_xp as nx
from nnfs_xp.cli import main
from nnfs_xp.cli.parser import EXIT_STATUSES, make_parser

SPIRAL = ["train", "--data", "spiral", "--epochs", "2", "--no-plot"]


def run(capsys, *arguments):
    status = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def commands():
    (subparsers,) = (a for a in make_parser()._actions if a.dest == "==SUPPRESS==")
    return subparsers.choices


def give_input(monkeypatch, content):
    stream = io.TextIOWrapper(io.BytesIO(content))
    monkeypatch.setattr(sys, "stdin", stream)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Give a directory with a trained model in runs/digits, and new.csv beside."""
    directory = tmp_path_factory.mktemp("options")
    np.savetxt(directory / "new.csv", np.eye(3, 64), delimiter=",")
    out = str(directory / "runs" / "digits")
    arguments = ["train", "--data", "digits", "--epochs", "2", "--no-plot", "--quiet"]
    assert main([*arguments, "--out", out]) == 0
    return directory


def examples_of(parser):
    text = parser.format_help().partition("\nexamples:\n")[2]
    return [line.strip() for line in text.splitlines() if line.strip()]


EXAMPLES = [
    (name, example)
    for name, parser in commands().items()
    for example in examples_of(parser)
]


def test_every_command_has_two_examples():
    assert len(EXAMPLES) == 2 * len(commands())
    for name, example in EXAMPLES:
        assert example.startswith(f"nnfs-xp {name}")


# They try every backend, or draw.
LONG = {"parity", "backends", "plot"}


@pytest.mark.parametrize(
    ("name", "example"),
    [
        pytest.param(*pair, marks=[pytest.mark.slow] * (pair[0] in LONG), id=pair[1])
        for pair in EXAMPLES
    ],
)
def test_examples_of_the_help_run(name, example, runs, monkeypatch, capsys):
    pytest.importorskip("jax" if "jax" in example else "numpy")
    monkeypatch.chdir(runs)
    if name == "train":
        example = example.replace("runs/digits", "runs/other") + " --no-plot --quiet"
    line, _, file = example.partition(" < ")
    if file:
        give_input(monkeypatch, (runs / file).read_bytes())
    status, out, error = run(capsys, *shlex.split(line)[1:])
    assert (status, error) == (0, "")
    if "--json" in line:
        json.loads(out)


@pytest.mark.parametrize("name", commands())
def test_every_command_is_quiet_and_speaks_json(name):
    parser = commands()[name]
    assert {"--quiet", "--json"} <= set(parser._option_string_actions)
    # Whatever takes data takes it by this name.
    takes = any(action.dest == "data" for action in parser._actions)
    assert ("--data" in parser._option_string_actions) == takes


@pytest.mark.parametrize(
    "arguments",
    [
        [*SPIRAL, "--out", "train"],
        ["evaluate", "runs/digits", "--data", "digits"],
        ["predict", "runs/digits", "--data", "digits"],
        ["info", "runs/digits"],
        ["plot", "runs/digits", "--out", "network.png"],
        pytest.param(["backends"], marks=pytest.mark.slow),
    ],
    ids=lambda arguments: arguments[0],
)
def test_json_is_all_that_standard_output_has(arguments, runs, monkeypatch, capsys):
    monkeypatch.chdir(runs)
    status, out, _ = run(capsys, *arguments, "--json")
    assert status == 0
    found = json.loads(out, parse_constant=pytest.fail)
    assert isinstance(found, dict) and found


def test_figures_in_json_are_those_of_the_other_commands(runs, monkeypatch, capsys):
    monkeypatch.chdir(runs)
    out = run(capsys, *SPIRAL, "--json", "--out", "a")
    trained = json.loads(out[1])
    assert trained["files"] == ["model.safetensors", "history.json"]
    assert (trained["epochs"], trained["interrupted"]) == (2, False)
    assert "epoch 2/2  loss" in out[2]
    found = json.loads(run(capsys, "evaluate", "a", "--data", "spiral", "--json")[1])
    assert found["accuracy"] == trained["test_accuracy"]
    known = json.loads(run(capsys, "info", "a", "--json")[1])
    assert known["epochs_trained"] == 2
    assert known["parameters"] == 2 * 64 + 64 + 64 * 64 + 64 + 64 * 3 + 3
    rows = json.loads(run(capsys, "predict", "a", "--data", "spiral", "--json")[1])
    model = nx.Model.load("a/model.safetensors")
    x = nx.data.load_dataset("spiral").features("test")
    labels = [row["label"] for row in rows["predictions"]]
    assert labels == model.predict(x).argmax(axis=1).tolist()


def test_json_of_predictions_in_a_file(runs, monkeypatch, capsys):
    monkeypatch.chdir(runs)
    what = ["predict", "runs/digits", "--data", "new.csv"]
    printed = run(capsys, *what, "--json")[1]
    status, out, _ = run(capsys, *what, "--json", "--out", "new.json")
    assert (status, json.loads(out)) == (0, {"file": "new.json"})
    assert (runs / "new.json").read_text() == printed
    assert run(capsys, *what, "--out", "plain.csv")[1] == ""


def test_quiet_leaves_errors_and_results(runs, monkeypatch, capsys):
    monkeypatch.chdir(runs)
    assert run(capsys, *SPIRAL, "--quiet", "--out", "quiet") == (0, "", "")
    status, out, error = run(capsys, *SPIRAL, "--quiet", "--out", "quiet")
    assert (status, out) == (2, "") and "has a model.safetensors already" in error
    status, out, _ = run(capsys, "evaluate", "quiet", "--data", "spiral", "--quiet")
    assert status == 0 and out.startswith("loss ")
    model = nx.Model([nx.Dense(2, 3), nx.Softmax()], loss="categorical_crossentropy")
    model.save("plain.safetensors")
    what = "evaluate", "plain.safetensors", "--data", "spiral"
    assert "nnfs-xp: note: " in run(capsys, *what)[2]
    assert run(capsys, *what, "--quiet")[2] == ""


def test_data_has_one_name_everywhere(runs, monkeypatch, capsys):
    monkeypatch.chdir(runs)
    named = run(capsys, "evaluate", "runs/digits", "--data", "digits")
    assert named == run(capsys, "evaluate", "runs/digits", "digits")
    assert named[0] == 0
    status, _, error = run(capsys, "evaluate", "runs/digits")
    assert status == 2
    assert error == "nnfs-xp: error: data: say which, such as --data digits\n"
    with pytest.raises(SystemExit):
        main(["evaluate", "runs/digits", "digits", "--data", "spiral"])
    assert "argument --data: is given twice" in capsys.readouterr().err


# The network and its training.


def test_network_and_training_are_those_asked_for(tmp_path, capsys):
    status, _, error = run(
        capsys, *SPIRAL, "--hidden", 8, 4, "--activation", "leaky_relu",
        "--dropout", 0.25, "--optimizer", "sgd", "momentum=0.5", "nesterov=true",
        "--schedule", "step_decay", "factor=0.5", "every=10", "--lr", 0.25,
        "--out", tmp_path,
    )  # fmt: skip
    assert status == 0, error
    model = nx.Model.load(tmp_path / "model.safetensors")
    classes = [type(layer).__name__ for layer in model.layers]
    hidden = ["Dense", "LeakyReLU", "Dropout"]
    assert classes == [*hidden, *hidden, "Dense", "Softmax"]
    assert model.layers[2].rate == 0.25
    optimizer = model.optimizer
    assert type(optimizer) is nx.SGD
    assert (optimizer.momentum, optimizer.nesterov) == (0.5, True)
    # 10 steps an epoch.
    rates = [optimizer.learning_rate(step) for step in (0, 9, 10, 20)]
    assert rates == [0.25, 0.25, 0.125, 0.0625]


def test_schedules_go_over_all_steps_of_the_training(tmp_path, capsys):
    status, out, _ = run(
        capsys, *SPIRAL, "--schedule", "cosine_decay", "--lr", 0.5, "--out", tmp_path
    )
    assert status == 0
    # 300 samples in batches of 32, twice.
    assert "learning rate CosineDecay(initial=0.5, steps=20, final=0.0)" in out
    model = nx.Model.load(tmp_path / "model.safetensors")
    assert model.steps_trained == 20
    assert model.optimizer.learning_rate(20) == 0.0


def test_an_optimizer_has_its_own_learning_rate(tmp_path, capsys):
    for words, rate in (
        (["rmsprop"], nx.RMSprop().learning_rate),
        (["sgd", "learning_rate=0.125"], 0.125),
        (["lion", "--lr", "0.002"], 0.002),
    ):
        out = tmp_path / words[0]
        status, _, error = run(capsys, *SPIRAL, "--out", out, "--optimizer", *words)
        assert status == 0, error
        assert nx.Model.load(out / "model.safetensors").learning_rate == rate


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--optimizer", "sdg"], "optimizer must be one of "),
        (["--optimizer", "sgd", "0.9"], "optimizer: '0.9' is not like momentum=0.9"),
        (["--optimizer", "sgd", "speed=1"], "argument 'speed'"),
        (["--optimizer", "sgd", "momentum=fast"], "momentum must be"),
        (["--optimizer", "sgd", "learning_rate=1", "--lr", "0.1"], "leave out one"),
        (
            ["--optimizer", "sgd", "learning_rate=1", "--schedule", "cosine_decay"],
            "leave out one",
        ),
        (["--optimizer", "sgd", "momentum=0", "momentum=1"], "momentum is given twice"),
        (["--optimizer", "sgd", "class=adam"], "class is not a setting of sgd"),
        (["--hidden", "0", "5"], "hidden: 0 means no hidden layer and must be alone"),
        (["--hidden", "5,0"], "must be alone, got 5 0"),
        (["--schedule", "slower"], "schedule must be one of "),
        (["--schedule", "step_decay"], "'factor'; it takes (initial, factor, every)"),
        (["--activation", "dense"], "'Tanh', 'ThresholdedReLU'], got 'dense'"),
        (["--activation", "rellu"], "activation must be one of ['CELU', "),
        (["--dropout", "1.5"], "dropout must be"),
        (["--dropout", "1.5", "--hidden", "0"], "dropout must be"),
        (["--out", ""], "out must be a path"),
    ],
)
def test_what_is_unknown_is_refused(arguments, message, tmp_path, capsys):
    out = tmp_path / "run"
    status, _, error = run(capsys, *SPIRAL, "--out", out, *arguments)
    assert status == 2
    assert message in error and error.count("\n") == 1
    assert not out.exists()


# Standard input and output.


def test_data_comes_from_standard_input(runs, monkeypatch, capsys):
    monkeypatch.chdir(runs)
    expected = run(capsys, "predict", "runs/digits", "--data", "new.csv")
    assert expected[0] == 0
    give_input(monkeypatch, (runs / "new.csv").read_bytes())
    assert run(capsys, "predict", "runs/digits", "--data", "-") == expected
    np.savez(runs / "new.npz", x=np.eye(3, 64))
    give_input(monkeypatch, (runs / "new.npz").read_bytes())
    assert (
        run(capsys, "predict", "runs/digits", "--data", "-", "--out", "-") == expected
    )


def test_a_training_on_standard_input(runs, monkeypatch, capsys):
    monkeypatch.chdir(runs)
    rows = "\n".join(f"{i},{i % 3},{'ab'[i % 2]}" for i in range(30))
    give_input(monkeypatch, f"x,y,label\n{rows}\n".encode())
    status, out, error = run(
        capsys, "train", "--data", "-", "--epochs", 1, "--no-plot", "--out", "piped"
    )
    assert (status, error) == (0, "")
    assert "24 training and 6 test samples, 2 features, 2 classes" in out


def test_a_model_comes_from_standard_input(runs, monkeypatch, capsys):
    monkeypatch.chdir(runs)
    expected = run(capsys, "evaluate", "runs/digits", "--data", "digits")
    give_input(monkeypatch, (runs / "runs/digits/model.safetensors").read_bytes())
    assert run(capsys, "evaluate", "-", "--data", "digits") == expected


def test_one_input_is_for_one_thing(runs, monkeypatch, capsys):
    give_input(monkeypatch, b"")
    status, _, error = run(capsys, "evaluate", "-", "--data", "-")
    assert (status, "cannot both be '-'" in error) == (2, True)
    main_end, terminal = pty.openpty()
    with os.fdopen(terminal) as stdin, os.fdopen(main_end, "rb"):
        monkeypatch.setattr(sys, "stdin", stdin)
        status, _, error = run(capsys, "evaluate", runs / "runs/digits", "--data", "-")
    assert (status, "which is a terminal" in error) == (2, True)


# Pictures.


@pytest.mark.slow
def test_pictures_of_a_saved_model(runs, monkeypatch, capfdbinary):
    monkeypatch.chdir(runs)
    assert main(["plot", "runs/digits", "--out", "network.png"]) == 0
    assert main(["plot", "runs/digits", "--data", "digits", "--out", "a.png"]) == 0
    pictures = [(runs / name).read_bytes() for name in ("network.png", "a.png")]
    assert all(picture.startswith(b"\x89PNG") for picture in pictures)
    assert pictures[0] != pictures[1]
    assert capfdbinary.readouterr() == (b"", b"")
    assert main(["plot", "runs/digits", "--out", "-"]) == 0
    assert capfdbinary.readouterr() == (pictures[0], b"")


def test_what_cannot_be_drawn_is_refused(runs, monkeypatch, capsys):
    monkeypatch.chdir(runs)
    status, _, error = run(capsys, "plot", "runs/digits", "--out", "-", "--json")
    assert (status, "cannot both go to standard output" in error) == (2, True)
    nx.Model.load("runs/digits/model.safetensors").save("alone.safetensors")
    (runs / "elsewhere").mkdir()
    os.rename("alone.safetensors", "elsewhere/model.safetensors")
    what = "plot", "elsewhere", "--data", "digits", "--out", "b.png"
    status, _, error = run(capsys, *what)
    assert (status, "a report needs the history.json" in error) == (2, True)
    assert not (runs / "b.png").exists()


# The help, and what shells make of it.


def test_exit_statuses_are_in_the_help():
    text = make_parser().format_help()
    for status, meaning in EXIT_STATUSES.items():
        assert f"  {status:<4} {meaning.replace('`', '')}\n" in text


def test_help_fits_80_columns(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    for parser in (make_parser(), *commands().values()):
        for line in parser.format_help().splitlines():
            assert len(line) <= 80, line


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_completion_of_a_shell(shell, capsys):
    pytest.importorskip("shtab", reason="pip install 'nnfs-xp[completion]'")
    with pytest.raises(SystemExit) as caught:
        main(["--print-completion", shell])
    assert caught.value.code == 0
    script = capsys.readouterr().out
    assert "evaluate" in script and "checkpoint-every" in script
    if shell == "bash":
        asked = f"{script}\nCOMP_WORDS=(nnfs-xp eva) COMP_CWORD=1\n"
        asked += "_shtab_nnfs_xp; echo ${COMPREPLY[@]}"
        done = subprocess.run(
            ["bash", "-c", asked], capture_output=True, text=True, check=True
        )
        assert done.stdout == "evaluate\n", done


def test_completion_without_its_package(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "shtab", None)
    with pytest.raises(SystemExit) as caught:
        main(["--print-completion", "bash"])
    assert caught.value.code == 2
    assert "pip install 'nnfs-xp[completion]'" in capsys.readouterr().err


# A narrow terminal.


@pytest.mark.parametrize(
    "columns", [50, *(pytest.param(n, marks=pytest.mark.slow) for n in (80, 120))]
)
def test_the_bar_fits_the_terminal(columns, tmp_path):
    main_end, terminal = pty.openpty()
    # On a busy machine the bar is drawn seldom, and without figures at first.
    epochs = "10" if columns == 50 else "80"
    arguments = ["--data", "digits", "--epochs", epochs, "--batch-size", "4"]
    process = subprocess.Popen(
        [sys.executable, "-m", "nnfs_xp", "train", *arguments, "--no-plot",
         "--out", str(tmp_path)],
        stdout=terminal, stderr=terminal,
        env={**os.environ, "TERM": "xterm", "COLUMNS": str(columns)},
    )  # fmt: skip
    os.close(terminal)
    seen = b""
    while True:
        try:
            part = os.read(main_end, 4096)
        except OSError:  # the other side is closed
            break
        if not part:
            break
        seen += part
    assert process.wait(timeout=60) == 0
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", seen.decode())
    bars = [line for line in re.split(r"[\r\n]+", text) if "batch " in line]
    moving = [line for line in bars if "━" in line]
    assert moving
    assert max(map(len, moving)) <= columns
    assert all(re.search(r"batch \d+/360", line) for line in moving)
    assert any("loss" in line for line in moving) == (columns > 50)
    assert any("images/s" in line for line in moving) == (columns > 80)


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Give a directory with a model that was trained on columns a and b."""
    directory = tmp_path_factory.mktemp("table")
    rows = "".join(f"{n},{n % 2},{'xy'[n % 2]}\n" for n in range(20))
    (directory / "all.csv").write_text(f"a,b,kind\n{rows}")
    arguments = ["train", "--data", directory / "all.csv", "--epochs", "1", "--no-plot"]
    arguments += ["--quiet", "--out", directory / "run"]
    assert main(list(map(str, arguments))) == 0
    return directory


def test_predictions_for_rows_whose_labels_are_missing_or_unknown(capsys, table):
    (table / "new.csv").write_text("a,b,kind\n1,,x\n2,3,\n4,5,z\n")
    call = ["predict", table / "run", "--data", table / "new.csv", "--missing"]
    status, text, _ = run(capsys, *call, "mean")
    assert status == 0
    assert [line.split(",")[0] for line in text.splitlines()] == ["row", "0", "1", "2"]
    # Rows keep their numbers where others are left out.
    status, text, _ = run(capsys, *call, "drop", "--json")
    assert [found["row"] for found in json.loads(text)["predictions"]] == [1, 2]


def test_options_that_contradict_the_model(capsys, table):
    for task in ("regression", "classification"):
        status, _, error = run(
            capsys, "evaluate", table / "run", "--data", table / "all.csv",
            "--task", task,
        )  # fmt: skip
        assert status == (2 if task == "regression" else 0)
        assert ("the model is one of classification" in error) == (status == 2)


def test_a_picture_is_png(capsys, table):
    call = ["plot", table / "run", "--out"]
    status, _, error = run(capsys, *call, table / "a.jpg")
    assert status == 2 and "must end in .png" in error
    assert not (table / "a.jpg").exists()
    for name in ("a.PNG", "plain"):
        assert run(capsys, *call, table / name)[0] == 0


def test_a_tab_as_shells_write_it(capsys, table):
    (table / "tab.csv").write_text("a\tb\tkind\n" + "1\t2\tx\n3\t5\ty\n" * 5)
    call = ["evaluate", table / "run", "--data", table / "tab.csv", "--delimiter"]
    assert run(capsys, *call, r"\t")[0] == 0
    assert run(capsys, *call, "t")[0] == 2
