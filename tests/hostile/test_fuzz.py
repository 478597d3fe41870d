"""Files that are damaged in any way are read, or refused by an error of the library."""

import os
import warnings

import pytest

from tests.hostile.fuzz import check
from tests.hostile.mutations import Chance, damaged_bytes, damaged_json
from tests.hostile.targets import TARGETS, Sound, Target

# `python -m tests.hostile.fuzz TARGET` does a million of them.
SOAK = os.environ.get("NNFS_XP_SOAK") == "1"


@pytest.mark.parametrize("name", TARGETS)
def test_damaged_files(name):
    _, wrong = check(name, range(150))
    assert not wrong, wrong[0]


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        # Whole numbers of hundreds of digits, which no float holds.
        ("training", [14091, 26040]),
        # Seventeen million grey pixels, each with its opacity.
        ("picture", [21236]),
    ],
)
def test_what_once_was_wrong(name, numbers):
    _, wrong = check(name, numbers, trace=True)
    assert not wrong, wrong[0]


@pytest.mark.slow
@pytest.mark.parametrize("name", TARGETS)
def test_many_damaged_files(name):
    _, wrong = check(name, range(150, 100_000 if SOAK else 4000))
    assert not wrong, wrong[0]


@pytest.mark.slow
@pytest.mark.parametrize("name", TARGETS)
def test_damaged_files_take_little_memory(name):
    _, wrong = check(name, range(10**6, 10**6 + 1500), trace=True)
    assert not wrong, wrong[0]


def test_a_number_makes_the_same_file_again():
    for number in range(300):
        first, again = (
            damaged_bytes(b"0123456789" * 9, Chance(1, number), [b"word"], [b"other"])
            for _ in range(2)
        )
        assert first == again
    text = '{"a": [1, {"b": null}], "c": "d"}'
    twice = [[damaged_json(text, Chance(1, n)) for n in range(500)] for _ in range(2)]
    assert twice[0] == twice[1]
    assert len(set(twice[0])) > 300


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_is_made_of_the_same_files_again(tmp_path, name):
    one, other = (TARGETS[name](tmp_path) for _ in range(2))
    assert [s.content for s in one.sounds] == [s.content for s in other.sounds]
    assert one.beside == other.beside


def _broken_reader(path, number):
    """Does what no reader may, by the number of the case."""
    match number:
        case 1:
            raise KeyError("not the library's")
        case 2:
            bytearray(150 * 2**20)
        case 3:
            warnings.warn("someone else's", RuntimeWarning, stacklevel=1)
        case 4:
            sum(range(3_000_000))


@pytest.mark.parametrize(
    ("number", "message"),
    [(1, "KeyError"), (2, "it took 150 MB"), (3, "someone else's"), (4, "it took ")],
)
def test_what_is_wrong_is_found(monkeypatch, number, message):
    def target(folder):
        return Target("a", [Sound(b"123456789")], _broken_reader)

    monkeypatch.setitem(TARGETS, "broken", target)
    monkeypatch.setattr("tests.hostile.fuzz.SECONDS", 0.01)
    _, wrong = check("broken", range(10, 20), trace=True)
    assert not wrong
    _, wrong = check("broken", [number], trace=True, show=str)
    assert any(message in line for line in wrong)
    assert wrong[0].startswith(f"broken, seed 0, case {number}: ")
