"""The jobs of the README's table run, as commands and in Python."""

import re
import shlex

import pytest

from nnfs_xp.cli import main
from nnfs_xp.cli.parser import make_parser
from tests.docs.test_readme import README

SECTION = README.partition("\n## Images and text\n")[2].partition("\n## ")[0]
ROWS = [row.strip("| ").split(" | ") for row in SECTION.splitlines() if "<br>" in row]
# Less to train on, and shorter.
SMALLER = {
    "fashion-mnist-mini": "digits",
    "--net cnn": "--net cnn --data digits --epochs 1 --no-plot",
    "--data text": "--data rhyme.txt --epochs 1 --no-plot",
    '"text"': '"rhyme.txt"',
    "KING RICHARD III:": "One, two",
}
SHORTER = {"--net": "--epochs 1 --net"}


def code(cell):
    return re.findall(r"`([^`]+)`", cell)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rhyme.txt").write_text("One, two, buckle my shoe. Three, four.\n" * 60)


def replaced(text, table):
    for old, new in {**table, "epochs=10": "epochs=1"}.items():
        text = text.replace(old, new)
    return text


def test_each_job_is_two_commands_and_three_lines():
    assert len(ROWS) == 2
    for _, commands, lines in ROWS:
        assert len(code(commands)) == 2
        assert len(code(lines)) == 3
        for command in code(commands):
            make_parser().parse_args(shlex.split(command)[1:])


@pytest.mark.parametrize(
    "table",
    [SMALLER, pytest.param(SHORTER, marks=pytest.mark.slow)],
    ids=["smaller", "shorter"],
)
@pytest.mark.parametrize("row", ROWS, ids=["cnn", "gpt"])
def test_jobs_run(row, table, capsys):
    _, commands, lines = row
    for command in code(commands):
        assert main(shlex.split(replaced(command, table))[1:]) == 0
    trained, _, answer = capsys.readouterr().out.partition("\nwrote ")
    assert "test accuracy" in trained and len(answer) > 300
    names = {}
    for line in re.findall(r"`(from [^`]+)`", SECTION):
        exec(line.replace("\n", " "), names)
    exec(replaced("\n".join(code(lines)), table), names)
    assert names["model"].epochs_trained == 1
