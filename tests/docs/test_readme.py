"""The README's commands are those that CI runs, and its examples run."""

import re
import tomllib
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


REPOSITORY = "https://github.com/nnfs-xp/nnfs-xp/"
PLACES = (
    f"{REPOSITORY}blob/main/",
    "https://raw.githubusercontent.com/nnfs-xp/nnfs-xp/main/",
)


def test_links_and_pictures_work_on_a_package_index():
    """There, a link must name the whole address."""
    targets = re.findall(r"\]\(([^)#]+)|^\[[^]]+\]: ([^#\s]+)", README, re.MULTILINE)
    targets = [direct or by_name for direct, by_name in targets]
    for name in re.findall(r"\]\[([^]]+)\]", README):
        assert f"\n[{name}]: " in README, name
    assert sum(target.startswith(PLACES) for target in targets) >= 5
    for target in targets:
        assert target.startswith("https://"), target
        for place in PLACES:
            if target.startswith(place):
                assert (ROOT / target.removeprefix(place)).exists(), target
    assert re.search(rf"!\[[^]]*\]\({PLACES[1]}\S+\.png\)", README)


def test_the_package_names_its_repository():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["urls"]["Source"] == REPOSITORY.rstrip("/")
    for name, target in project["urls"].items():
        if target.startswith(PLACES):
            path = target.removeprefix(PLACES[0])
            assert (ROOT / path).exists(), name


def test_the_page_of_the_installation_has_every_extra():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    table = (ROOT / "docs/installation.md").read_text().split("| extra | for |")[1]
    named = [
        name
        for line in table.partition("\n\n")[0].splitlines()
        if line.startswith("| `")
        for name in re.findall(r"`(\w+)`", line.split("|")[1])
    ]
    assert sorted(named) == sorted(project["optional-dependencies"])
