"""The tables of the page on weights name every unit, and every array of the others."""

import re
from pathlib import Path

import pytest

from nnfs_xp.registry import UNITS
from nnfs_xp.weights import keras, torch

PAGE = Path(__file__).parents[2] / "docs" / "weights.md"
# Units with arrays whose parts are units themselves, or that are other names of one.
OF_PARTS = {"TransformerBlock", "TiedEmbedding"}


def rows(heading):
    text = PAGE.read_text().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    found = {}
    for line in re.findall(r"^\| (`.*) \|$", text, re.M):
        units, _, arrays = line.split(" | ")
        found |= dict.fromkeys(re.findall(r"`(\w+)`", units), arrays)
    return found


@pytest.mark.parametrize(
    ("heading", "forms"), [("PyTorch", torch.FORMS), ("Keras", keras.FORMS)]
)
def test_every_unit_has_its_row(heading, forms):
    table = rows(heading)
    assert set(table) == {unit.__name__ for unit in forms}
    for unit, form in forms.items():
        for part in form.parts:
            named = {part.theirs, part.theirs.rpartition(".")[2]}
            said = table[unit.__name__]
            same = "the same names" in said or "the other arrays as above" in said
            assert same or any(f"`{name}`" in said for name in named), part


@pytest.mark.parametrize("forms", [torch.FORMS, keras.FORMS])
def test_every_unit_with_arrays_has_a_form(forms):
    """But for those made of others, which have none of their own."""
    from tests.matrix.cases import ALL

    for name, unit in UNITS["layer"].items():
        if unit.__module__.startswith("nnfs_xp.") and name not in OF_PARTS:
            made = ALL["layer"][name][0].make()
            if made.parameters() or made.state():
                assert unit in forms, name
