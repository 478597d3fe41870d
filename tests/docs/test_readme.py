"""The README's commands are those that CI runs, and its examples run."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
INSTALL_AND_TRAIN = (
    "python3 -m venv .venv && .venv/bin/pip install -e . && .venv/bin/nnfs-xp train"
)
INSTALL_AND_TEST = (
    "python3 -m venv .venv && .venv/bin/pip install -e '.[test]' "
    "&& .venv/bin/python -m pytest"
)


def test_the_two_commands_stand_on_lines_of_their_own():
    lines = README.splitlines()
    assert INSTALL_AND_TRAIN in lines
    assert INSTALL_AND_TEST in lines


def test_python_blocks_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    assert len(blocks) == 3
    for block in blocks:
        exec(compile(block, "README.md", "exec"), {})
    printed = capsys.readouterr().out
    assert float(re.search(r"'accuracy': ([\d.]+)", printed)[1]) > 0.93
    assert (tmp_path / "digits.safetensors").exists()
    assert "training, acc: 0." in printed
    for shown in re.findall(r"print\(.*\)  # (\[+[-\d. ]+\]+)", blocks[1]):
        assert shown in printed, shown


def test_links_lead_somewhere():
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target
