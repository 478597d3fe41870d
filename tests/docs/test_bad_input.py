"""The list of bad input is whole, comes from a run, and says that nothing is taken."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.bad_input.cases import CASES, DOORS
from benchmarks.bad_input.trial import NOTHING, RIVALS, Case, Trial, id_of, outcome
from tests.docs.test_docs import DOCS

ROOT = Path(__file__).parents[2]
RECORDED = json.loads((DOCS / "data" / "bad_input.json").read_text())["cases"]


@pytest.fixture(autouse=True)
def extensions(monkeypatch):
    monkeypatch.syspath_prepend(DOCS)


def test_every_case_was_run():
    assert [id_of(c["door"], c["call"], c["input"]) for c in RECORDED] == list(CASES)
    for found, case in zip(RECORDED, CASES.values(), strict=True):
        assert tuple(found["nnfs_xp"]) == case.backends
        for rival in RIVALS:
            has = rival.partition("-")[0] in case.programs
            assert (found[rival] != NOTHING) == has


def test_nnfs_xp_refused_all_of_them_in_one_way():
    for case in RECORDED:
        found = set(case["nnfs_xp"].values())
        assert len(found) == 1 and found.pop().startswith("refused"), case
        assert not any("changed" in said for said in case["nnfs_xp"].values()), case


def test_there_are_many():
    assert sum(len(case["nnfs_xp"]) for case in RECORDED) >= 600
    assert len(RECORDED) >= 600


def test_every_door_is_on_the_page():
    pytest.importorskip("sphinx", reason="pip install 'nnfs-xp[docs]'")
    from _ext.bad_input_table import rows_of_door, rows_of_summary

    page = (DOCS / "bad-input.md").read_text()
    for door in DOORS:
        assert f".. bad-input-table:: {door}\n" in page
        head, *rows = rows_of_door(DOCS, door)
        assert rows and all(len(row) == len(head) for row in rows)
        for row in rows:
            assert row[2].startswith("refused"), row
    head, *rows = rows_of_summary(DOCS)
    assert [row[0] for row in rows] == [*DOORS, "**all**"]
    assert rows[-1][1] == str(len(CASES))
    for row in rows:
        assert row[3] == f"{row[1]} of {row[1]} refused"


def outcome_of(program):
    case = Case("door", "call", "x", "1", 1, 0, {"torch": program}, True, ("keras",))
    return outcome(case, "torch")


def test_outcomes_are_what_they_say(torch):
    def changes(torch, t, v):
        layer = t.watch(torch.nn.Linear(1, 1))
        layer.weight.data += 1
        raise ValueError("too late")

    def writes(torch, t, v):
        (t.watch(t.folder) / "half").write_text("a file")
        raise OSError("no space left")

    def warns(torch, t, v):
        torch.nn.functional.mse_loss(torch.ones(3, 1), torch.ones(3))

    assert outcome_of(lambda torch, t, v: v / 0) == "refused (ZeroDivisionError)"
    changed = "but something changed"
    assert outcome_of(changes) == f"refused (ValueError), {changed}"
    assert outcome_of(writes) == f"refused (OSError), {changed}"
    assert outcome_of(lambda torch, t, v: torch.ones(2)) == "accepted silently"
    assert outcome_of(warns) == "accepted with a warning"
    assert outcome_of(lambda torch, t, v: [torch.ones(2) / 0]) == "NaN result"
    assert outcome_of(lambda torch, t, v: float("nan")) == "NaN result"


def test_a_state_is_seen_to_change(tmp_path):
    trial = Trial(tmp_path)
    trial.watch(tmp_path)
    assert not trial.changed
    (tmp_path / "new").write_text("")
    assert trial.changed


@pytest.mark.slow
@pytest.mark.backend("torch", "jax")
def test_a_real_run_writes_what_it_saw(tmp_path):
    path = tmp_path / "found.json"
    command = [sys.executable, "-m", "benchmarks.bad_input", "--out", str(path)]
    only = ["--only", "Layers: Dropout(rate)", "--libraries", "nnfs_xp", "torch"]
    subprocess.run([*command, *only], check=True, cwd=ROOT, timeout=300)
    found = json.loads(path.read_text())["cases"]
    recorded = [case for case in RECORDED if case["call"] == "Dropout(rate)"]
    assert len(found) == len(recorded) == 8
    for one, other in zip(found, recorded, strict=True):
        assert one.items() <= other.items()
