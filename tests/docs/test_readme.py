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
    "&& .venv/bin/python -m pytest -n 2"
)


def test_the_two_commands_stand_on_lines_of_their_own():
    lines = README.splitlines()
    assert INSTALL_AND_TRAIN in lines
    assert INSTALL_AND_TEST in lines


def test_the_example_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (example,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    exec(compile(example, "README.md", "exec"), {})
    printed = capsys.readouterr().out
    assert float(re.search(r"'accuracy': ([\d.]+)", printed)[1]) > 0.93


def test_links_lead_somewhere():
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target
