"""The look that all pictures share: colours, sizes and measured text.

Everything is set on the artists themselves, never in ``rcParams``, so that
drawing a picture changes nothing for anybody else in the process.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.textpath import text_to_path
from matplotlib.ticker import Formatter

INK = "#1f2a33"
GREY = "#5f6b75"
EDGE = "#b4bcc3"
GRID = "#e8ebee"
EMPTY = "#eceef0"

# Colours that people with any of the common kinds of colour blindness can tell
# apart (Okabe and Ito, 2008), the ones furthest from each other first.
OKABE_ITO = (
    "#0072B2",  # blue
    "#E69F00",  # orange
    "#009E73",  # bluish green
    "#CC79A7",  # reddish purple
    "#56B4E9",  # sky blue
    "#D55E00",  # vermillion
    "#F0E442",  # yellow
)
BLUE, ORANGE, VERMILLION = OKABE_ITO[0], OKABE_ITO[1], OKABE_ITO[5]
# Vermillion is too light for small letters on white; this is its darker shade.
WRONG_TEXT = "#b04a00"

# White to deep blue in equal steps of CIE lightness, so that equal differences
# of the value look like equal differences of colour.
SHARES = LinearSegmentedColormap.from_list(
    "shares",
    [
        "#f7fafd",
        "#d2e4f2",
        "#accfe7",
        "#8eb8db",
        "#70a1ce",
        "#4e8cc1",
        "#1c77b5",
        "#03619b",
        "#054c7f",
        "#053764",
        "#04244a",
    ],
).with_extremes(bad=EMPTY)

# Font sizes in points.
HEADLINE = 16.0
TITLE = 10.5
LABEL = 9.0
TICK = 8.0

# Height of a line of text over its font size.
LINE_HEIGHT = 1.25

# What a line may end with: a word, or a part of one up to a hyphen and the like.
_PIECE = re.compile(r" ?[^ /_-]*[/_-]*(?: %\S*)?")

# Agg rounds glyphs to whole pixels, so a line may come out a little wider than
# its outline.
_WIDTH_SLACK = 1.04


def new_figure(width: float, height: float) -> Figure:
    """Return an empty white figure of this size in inches."""
    figure = Figure(
        figsize=(width, height),
        layout=ConstrainedLayoutEngine(w_pad=0.09, h_pad=0.07),
        facecolor="white",
    )
    FigureCanvasAgg(figure)
    return figure


def size_in_inches(ax: Axes) -> tuple[float, float]:
    """Return width and height of an axes, for which the figure is laid out."""
    canvas = ax.figure.canvas
    canvas.figure.draw_without_rendering()
    box = ax.get_window_extent()
    return box.width / canvas.figure.dpi, box.height / canvas.figure.dpi


def style_axes(ax: Axes, *, grid: Literal["both", "x", "y"] | None = "both") -> None:
    """Give an axes thin left and bottom spines, small ticks and a light grid."""
    ax.set_facecolor("white")
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        ax.spines[side].set_color(EDGE)
        ax.spines[side].set_linewidth(0.8)
    ax.tick_params(labelsize=TICK, labelcolor=INK, color=EDGE, length=3, width=0.8)
    ax.set_axisbelow(True)
    ax.grid(False)
    if grid is not None:
        ax.grid(True, axis=grid, color=GRID, linewidth=0.8, linestyle="-")


def set_title(ax: Axes, text: str) -> None:
    """Set a bold title at the left."""
    ax.set_title(
        text, loc="left", size=TITLE, weight="bold", color=INK, parse_math=False
    )


def set_labels(ax: Axes, x: str, y: str) -> None:
    """Name the two axes."""
    ax.set_xlabel(x, size=LABEL, color=INK, labelpad=5, parse_math=False)
    ax.set_ylabel(y, size=LABEL, color=INK, labelpad=6, parse_math=False)


def set_legend_above(ax: Axes) -> None:
    """Put the legend above the axes at the right, where it can cover nothing."""
    ax.legend(
        loc="lower right",
        bbox_to_anchor=(1.0, 1.0),
        ncols=2,
        frameon=False,
        fontsize=TICK,
        labelcolor=INK,
        borderaxespad=0.2,
        handlelength=2.4,
        columnspacing=1.4,
    )


class PercentTicks(Formatter):
    """Write shares as percentages, all with as few decimals as they need.

    Matplotlib's own `PercentFormatter` writes ``80.0`` for most ranges. The
    sign is left out, because it belongs into the label of the axis.
    """

    def __call__(self, value: float, pos: int | None = None) -> str:
        """Return the text of one tick."""
        return self.format_ticks([value])[0]

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        """Return the texts of all ticks of an axis."""
        ticks = [100 * value for value in values]
        decimals = 0
        while decimals < 3 and any(
            abs(tick - round(tick, decimals)) > 1e-6 for tick in ticks
        ):
            decimals += 1
        return [f"{tick:.{decimals}f}" for tick in ticks]


def percent(share: float, digits: int = 1) -> str:
    """Return a share such as 0.853 as ``"85.3 %"``."""
    return f"{100 * share:.{digits}f} %"


def text_width(text: str, size: float, weight: str = "normal") -> float:
    """Return the width in inches of one line of text."""
    font = FontProperties(size=size, weight=weight)
    width, _, _ = text_to_path.get_text_width_height_descent(text, font, ismath=False)
    return float(width) * _WIDTH_SLACK / 72


def wrap(text: str, width: float, size: float, weight: str = "normal") -> str:
    """Break a text into lines of at most `width` inches.

    Lines break between words and after a hyphen, slash or underscore, and
    elsewhere only when there is no such place in a whole line. A number stays
    together with its percent sign. No character is lost but white space.

    Parameters
    ----------
    text : str
        Any text; runs of white space count as one space.
    width : float
        Room for a line, in inches.
    size : float
        Font size in points.
    weight : str, default "normal"
        Font weight.

    Returns
    -------
    str
        The same words, with newlines between the lines.
    """
    lines: list[str] = []
    line = ""
    for piece in filter(None, _PIECE.findall(" ".join(text.split()))):
        if text_width(line + piece, size, weight) <= width:
            line += piece
            continue
        if line:
            lines.append(line)
        line = piece.lstrip()
        while len(line) > 1 and text_width(line, size, weight) > width:
            fits = len(line) - 1
            while fits > 1 and text_width(line[:fits], size, weight) > width:
                fits -= 1
            lines.append(line[:fits])
            line = line[fits:]
    return "\n".join([*lines, line])


def text_height(text: str, size: float) -> float:
    """Return the height in inches of a text of one or more lines."""
    return (text.count("\n") + 1) * size * LINE_HEIGHT / 72


def widest_line(texts: list[str], size: float) -> float:
    """Return the width in inches of the widest line of several texts."""
    lines = [line for text in texts for line in text.split("\n")]
    return max(text_width(line, size) for line in lines)
