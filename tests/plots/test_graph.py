"""A computation graph shows each step once, and its arrows lead the right way."""

import pytest
from matplotlib.colors import to_rgba

from nnfs_xp import InputError
from nnfs_xp.plots import computation_graph
from nnfs_xp.plots.style import BLUE, VERMILLION

PLACES = {"$x$": (0, 0), "$w$": (0, 1.5), "$xw$": (1.3, 0.75), "loss": (2.6, 0.75)}
EDGES = [
    ("$x$", "$xw$", "3", ""),
    ("$w$", "$xw$", "2", "$dw = 3 dz$"),
    ("$xw$", "loss", "6", "$dz = 1$"),
]


def arrows_of(figure):
    """Return start, end and colour of each arrow."""
    return [
        (text.xyann, text.xy, text.arrow_patch.get_edgecolor())
        for text in figure.axes[0].texts
        if getattr(text, "arrow_patch", None) is not None
    ]


def test_boxes_and_texts_are_those_given():
    texts = computation_graph(PLACES, EDGES).axes[0].texts
    shown = [text.get_text() for text in texts if text.get_text()]
    assert shown == [*PLACES, "3", "2", "$dw = 3 dz$", "6", "$dz = 1$"]
    places = {t.get_text(): t.get_position() for t in texts if t.get_bbox_patch()}
    assert places == PLACES


def test_arrows_lead_forward_and_back():
    forward, back = to_rgba(BLUE), to_rgba(VERMILLION)
    x, w, product, loss = PLACES.values()
    assert arrows_of(computation_graph(PLACES, EDGES)) == [
        (x, product, forward),
        (w, product, forward),
        (product, w, back),
        (product, loss, forward),
        (loss, product, back),
    ]


def test_no_text_is_cut_or_covered(layout_problems):
    assert layout_problems(computation_graph(PLACES, EDGES)) == []
    assert layout_problems(computation_graph({"alone": (0, 0)}, [])) == []


def test_bad_graph_is_refused():
    with pytest.raises(InputError, match="places must name at least one box"):
        computation_graph({}, [])
    with pytest.raises(InputError, match="edges must join boxes of places, got 'y'"):
        computation_graph({"x": (0, 0)}, [("x", "y", "", "")])
