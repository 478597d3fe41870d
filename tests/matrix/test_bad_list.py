"""Every bad input of the list in the documentation, on every backend."""

import re

import pytest

import nnfs_xp as nx
from benchmarks.bad_input.cases import CASES
from benchmarks.bad_input.trial import ExitStatus, Trial, attempt

# A file that is not there is for Python's own exception.
REFUSED = (
    nx.InputError,
    nx.DTypeError,
    nx.FileFormatError,
    nx.DivergenceError,
    FileNotFoundError,
    ExitStatus,
)
PLACES = {(case.door, case.call): name for name, case in CASES.items()}
# The list has float32, in which more is too large.
float32 = pytest.mark.parametrize("dtype", ["float32"])


def tried(case, be, folder, value):
    folder.mkdir()
    trial = Trial(folder, be)
    error, _, _ = attempt(case.programs["nnfs_xp"], nx, trial, value)
    return error, trial


def refusal(case, be, folder):
    """Return the type of the exception, after everything else was checked."""
    error, trial = tried(case, be, folder, case.value)
    assert type(error) in REFUSED, error
    assert re.search(case.argument, str(error)), error
    assert trial.watched or case.door not in ("Training data", "Command line")
    assert not trial.changed
    return type(error)


@float32
@pytest.mark.parametrize("name", [n for n, case in CASES.items() if not case.host])
def test_a_bad_input_is_refused_by_name_and_changes_nothing(backend, name, tmp_path):
    kind = refusal(CASES[name], backend, tmp_path / "own")
    if backend.name != "numpy":
        numpy = nx.get_backend("numpy", dtype="float32")
        assert kind is refusal(CASES[name], numpy, tmp_path / "numpy")


@pytest.mark.parametrize("name", [n for n, case in CASES.items() if case.host])
def test_a_bad_input_that_meets_no_backend(name, tmp_path):
    refusal(CASES[name], None, tmp_path / "own")


@float32
@pytest.mark.parametrize("name", PLACES.values())
def test_a_good_input_is_taken_in_the_same_place(backend, name, tmp_path):
    error, _ = tried(CASES[name], backend, tmp_path / "own", CASES[name].good)
    assert error is None, error
