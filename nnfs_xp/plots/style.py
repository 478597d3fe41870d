"""The style that all pictures share: colours, sizes and measured text.

Everything is set on the artists themselves, never in ``rcParams``, so drawing a picture
does not affect any other figure in the process.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colorbar import Colorbar
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure, FigureBase, SubFigure
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
        "#f7fafd", "#d2e4f2", "#accfe7", "#8eb8db", "#70a1ce", "#4e8cc1",
        "#1c77b5", "#03619b", "#054c7f", "#053764", "#04244a",
    ],
).with_extremes(bad=EMPTY)  # fmt: skip

# Font sizes in points.
HEADLINE = 16.0
TITLE = 10.5
LABEL = 9.0
TICK = 8.0

LEGEND = dict[str, Any](frameon=False, fontsize=TICK, labelcolor=INK)
_TICKS = dict[str, Any](labelsize=TICK, labelcolor=INK, color=EDGE, length=3)
_HEADING = dict[str, Any](size=TITLE, weight="bold", color=INK)

# Height of a line of text over its font size.
LINE_HEIGHT = 1.25

# Where a line may break: after a word, or after a hyphen or the like within one.
_PIECE = re.compile(r" ?[^ /_-]*[/_-]*(?: %\S*)?")

# Agg rounds glyphs to whole pixels, so a line may be slightly wider than its outline.
_WIDTH_SLACK = 1.04

# A line of a name is at least about this many inches before a second one is begun.
_NAME_WIDTH = 1.4
_NAME_LINES = 2
# Names of more classes than this stand too close for a second line.
_MOST_BROKEN = 10
_SMALLEST_NAME = 6.0


def new_figure(width: float, height: float) -> Figure:
    """Return an empty white figure of this size in inches."""
    layout = ConstrainedLayoutEngine(w_pad=0.09, h_pad=0.07)
    figure = Figure(figsize=(width, height), layout=layout, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def grid_of(panel: FigureBase, count: int, columns: int) -> list[Axes]:
    """Add this many axes to a figure or subfigure, with this many in a row."""
    grid = panel.subplots(math.ceil(count / columns), columns, squeeze=False).ravel()
    for ax in grid[count:]:
        ax.remove()
    return list(grid[:count])


def width_of(panel: Figure | SubFigure) -> float:
    """Return the width of a figure or subfigure in inches."""
    return float(panel.bbox.width / panel.figure.dpi)


def size_in_inches(ax: Axes) -> tuple[float, float]:
    """Lay out the figure, and return the width and height of an axes."""
    canvas = ax.figure.canvas
    canvas.figure.draw_without_rendering()
    box = ax.get_window_extent()
    return box.width / canvas.figure.dpi, box.height / canvas.figure.dpi


def style_axes(ax: Axes, *, grid: Literal["both", "x", "y"] | None = "both") -> None:
    """Give an axes thin left and bottom spines, small ticks and a light grid."""
    ax.set_facecolor("white")
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set(color=EDGE, linewidth=0.8)
    ax.tick_params(width=0.8, **_TICKS)
    ax.set_axisbelow(True)
    ax.grid(False)
    if grid is not None:
        ax.grid(True, axis=grid, color=GRID, linewidth=0.8, linestyle="-")


def set_title(ax: Axes, text: str) -> None:
    """Set a bold title at the left."""
    ax.set_title(text, loc="left", parse_math=False, **_HEADING)


def set_heading(panel: Figure | SubFigure, text: str) -> None:
    """Set a bold title at the left of a whole figure or subfigure."""
    width = width_of(panel) - 0.2
    panel.suptitle(wrap(text, width, TITLE, "bold"), x=0.01, ha="left", **_HEADING)


def set_labels(ax: Axes, x: str, y: str) -> None:
    """Name the two axes."""
    ax.set_xlabel(x, size=LABEL, color=INK, labelpad=5, parse_math=False)
    ax.set_ylabel(y, size=LABEL, color=INK, labelpad=6, parse_math=False)


def draw_color_bar(
    axes: Sequence[Axes], colors: ScalarMappable, label: str, **options: Any
) -> Colorbar:
    """Draw a bar of colours beside some axes; options are those of ``colorbar``."""
    bar = axes[0].figure.colorbar(colors, ax=axes, pad=0.02, **options)
    bar.outline.set_edgecolor(EDGE)
    bar.ax.tick_params(**_TICKS)
    bar.set_label(label, size=LABEL, color=INK)
    return bar


def set_legend_above(ax: Axes) -> None:
    """Put the legend above the axes at the right, where it covers nothing."""
    ax.legend(
        loc="lower right",
        bbox_to_anchor=(1.0, 1.0),
        ncols=2,
        borderaxespad=0.2,
        handlelength=2.4,
        columnspacing=1.4,
        **LEGEND,
    )


class PercentTicks(Formatter):
    """Write shares as percentages, all with as few decimals as they need.

    Matplotlib's own `PercentFormatter` writes ``80.0`` for most ranges. The percent
    sign is omitted, because it belongs in the label of the axis.
    """

    def __call__(self, value: float, pos: int | None = None) -> str:
        """Return the text of one tick."""
        return self.format_ticks([value])[0]

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        """Return the texts of all ticks of an axis."""
        ticks = 100 * np.asarray(values)
        decimals = 0
        while decimals < 3 and np.any(abs(ticks - ticks.round(decimals)) > 1e-6):
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

    Lines break between words and after a hyphen, slash or underscore, and elsewhere
    only when there is no such place in a whole line. A number stays together with its
    percent sign. No character is lost except white space.

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

    def fits(part: str) -> bool:
        return len(part) <= 1 or text_width(part, size, weight) <= width

    lines, line = [], ""
    for piece in _PIECE.findall(" ".join(text.split())):
        if fits(line + piece):
            line += piece
            continue
        lines.append(line)
        line = piece.lstrip()
        while not fits(line):
            most = next(n for n in range(len(line) - 1, 0, -1) if fits(line[:n]))
            lines.append(line[:most])
            line = line[most:]
    return "\n".join(filter(None, [*lines, line]))


def text_height(text: str, size: float) -> float:
    """Return the height in inches of a text of one or more lines."""
    return (text.count("\n") + 1) * size * LINE_HEIGHT / 72


def widest_line(texts: list[str], size: float) -> float:
    """Return the width in inches of the widest line of several texts."""
    lines = [line for text in texts for line in text.split("\n")]
    return max(text_width(line, size) for line in lines)


def names_width(names: list[str]) -> float:
    """Return the inches that the names take up beside an axes."""
    return widest_line(_break_names(names), TICK)


def set_names(axis: Axis, names: list[str], inches: float, **options: Any) -> float:
    """Write names at the ticks 0, 1, ... of an axis, so that they do not touch.

    Parameters
    ----------
    axis : matplotlib.axis.Axis
        Where to write.
    names : list of str
        One name per tick. Where they stand too close, some are left out.
    inches : float
        Distance of two ticks, measured across the lines of the names.
    **options
        Further properties of the texts.

    Returns
    -------
    float
        The height in points of the name with the most lines, as a multiple of
        its font size.
    """
    broken = _break_names(names)
    size = 72 * inches / _most_lines(broken) / LINE_HEIGHT
    every = 1 if size >= _SMALLEST_NAME else math.ceil(_SMALLEST_NAME / size)
    size = min(max(size, _SMALLEST_NAME), TICK)
    shown = broken[::every]
    look = {"size": size, "parse_math": False, "linespacing": 1.1, **options}
    axis.set_ticks(range(0, len(names), every), shown, **look)
    return size * _most_lines(shown)


def _break_names(names: list[str]) -> list[str]:
    """Return the names, the long ones of a few classes in two lines."""
    if len(names) > _MOST_BROKEN:
        return [" ".join(name.split()) for name in names]
    # A fifth more, because lines that end between words are seldom full.
    half = 1.2 / _NAME_LINES
    return [wrap(n, max(_NAME_WIDTH, half * text_width(n, TICK)), TICK) for n in names]


def _most_lines(names: list[str]) -> int:
    return max(name.count("\n") + 1 for name in names)
