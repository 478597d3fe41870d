"""The page that compares optimizers has all of them, and trains as it says."""

import re

import numpy as np
import pytest

import nnfs_xp as nx
from nnfs_xp.registry import UNITS
from tests.docs.test_docs import DOCS
from tests.plots.conftest import find_problems

pytest.importorskip("matplotlib")
pytest.importorskip("sphinx", reason="pip install 'nnfs-xp[docs]'")


@pytest.fixture
def comparison(monkeypatch):
    monkeypatch.syspath_prepend(DOCS)
    from _ext import comparison

    return comparison


def check(comparison, problem, best):
    assert set(best) == set(UNITS["optimizer"])
    figure = comparison.figure_of(best, comparison.UNIT_OF_TIME[problem])
    assert find_problems(figure) == []
    assert len(figure.axes) == len(best)
    _, *rows = comparison.rows_of(best)
    assert sorted(row[0] for row in rows) == sorted(map(comparison.ref, best))
    ends = [float(row[3]) for row in rows]
    assert ends == sorted(ends)


def test_the_valley(comparison):
    best = comparison.best_of("valley", (0.3, 0.03))
    check(comparison, "valley", best)
    for name, (rate, losses) in best.items():
        assert losses[-1] < losses[0], name
        assert rate in (0.3, 0.03)
        other = comparison.losses_at("valley", UNITS["optimizer"][name], 0.33 - rate)
        assert losses[-1] <= other[-1], name


@pytest.mark.slow
@pytest.mark.parametrize("problem", ["spiral", "noise"])
def test_the_others(comparison, problem):
    best = comparison.best_of(problem)
    check(comparison, problem, best)
    assert all(losses[-1] < losses[0] for _, losses in best.values())


def test_a_training_that_diverges_is_never_the_best(comparison):
    assert comparison.losses_at("noise", nx.SGD, 1e30) == [np.inf]


def test_every_problem_is_on_the_page(comparison):
    text = (DOCS / "comparing-optimizers.md").read_text()
    found = re.findall(r"^\.\. optimizer-comparison:: (\w+)$", text, re.M)
    assert found == list(comparison.PROBLEMS)
    rates = ", ".join(f"{rate:g}" for rate in comparison.RATES[:-1])
    assert f"{rates} and {comparison.RATES[-1]:g}" in " ".join(text.split())
