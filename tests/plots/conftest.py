"""A look at a figure as it is drawn: is any text cut or covered?"""

from __future__ import annotations

from unittest import mock

import numpy as np
import pytest
from matplotlib.text import Text

from nnfs_xp.plots.save import DOTS_PER_INCH

# Pixels by which boxes may overlap: they are rounded, letters are smaller.
SLACK = 1.0


def drawn_texts(figure):
    """Return the texts that drawing the figure really draws.

    A search for all texts would also find the labels of ticks out of view.
    """
    drawn = []
    draw = Text.draw

    def record(self, renderer, *arguments, **keywords):
        if self.get_visible() and self.get_text().strip():
            drawn.append(self)
        return draw(self, renderer, *arguments, **keywords)

    with mock.patch.object(Text, "draw", record):
        figure.canvas.draw()
    return list(dict.fromkeys(drawn))


def corners_of(text):
    """Return the corners of the box around a text, which may be turned."""
    box = text.get_window_extent()
    center = np.array([(box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2])
    angle = np.deg2rad(text.get_rotation())
    turned = text.get_rotation()
    text.set_rotation(0)
    flat = text.get_window_extent()
    text.set_rotation(turned)
    half = np.array([flat.width / 2 - SLACK / 2, flat.height / 2 - SLACK / 2])
    along = np.array([np.cos(angle), np.sin(angle)])
    across = np.array([-along[1], along[0]])
    signs = ((-1, -1), (1, -1), (1, 1), (-1, 1))
    return np.array(
        [center + i * half[0] * along + j * half[1] * across for i, j in signs]
    )


def apart(first, second):
    """Whether a straight line separates two convex shapes of four corners."""
    for shape in (first, second):
        for edge in np.roll(shape, -1, axis=0) - shape:
            normal = np.array([-edge[1], edge[0]])
            one, other = first @ normal, second @ normal
            if one.max() <= other.min() or other.max() <= one.min():
                return True
    return False


def find_problems(figure):
    figure.dpi = DOTS_PER_INCH
    texts = drawn_texts(figure)
    boxes = {text: corners_of(text) for text in texts}
    problems = []
    for text, box in boxes.items():
        if (box < 0).any() or (box > figure.bbox.size).any():
            problems.append(f"cut: {text.get_text()!r}")
        for ax in figure.axes:
            area = ax.get_window_extent()
            shape = np.array(
                [
                    (area.x0, area.y0),
                    (area.x1, area.y0),
                    (area.x1, area.y1),
                    (area.x0, area.y1),
                ]
            )
            if text.axes is not ax and not apart(box, shape):
                problems.append(f"over an axes: {text.get_text()!r}")
    for one, other in close_pairs(np.array(list(boxes.values()))):
        if not apart(boxes[texts[one]], boxes[texts[other]]):
            problems.append(
                f"overlap: {texts[one].get_text()!r} and {texts[other].get_text()!r}"
            )
    return problems


def close_pairs(boxes):
    """Return the pairs whose upright bounding boxes meet.

    A matrix of 26 classes has too many pairs to look at each with care.
    """
    low, high = boxes.min(axis=1), boxes.max(axis=1)
    meet = (low[:, None] < high[None]) & (low[None] < high[:, None])
    return np.argwhere(np.triu(meet.all(axis=-1), k=1))


@pytest.fixture
def layout_problems():
    return find_problems
