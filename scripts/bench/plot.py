"""Bars of ratios with the spread of the rounds, and curves of what grows, one panel a quantity."""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

ROWLOCK, OTHERS = "#0b6e4f", "#b0b7bf"
#: Ratios further apart than this are drawn on a logarithmic axis.
FAR = 300.0
#: Inches: of a bar, of what is around the bars of a panel, of the names at the left, of all.
BAR, AROUND, NAMES, WIDTH = 0.24, 0.62, 4.6, 11.0
#: Curves side by side, and inches of a row of them with what is around it.
COLUMNS, ROW = 3, 2.2


@dataclass(frozen=True, kw_only=True)
class Bar:
    """Ratios of the median, the smallest and the largest value; `value` is the median with its unit, in words."""

    ratio: float
    smallest: float
    largest: float
    value: str


@dataclass(frozen=True, kw_only=True)
class Curves:
    """Lines by their names: values at places `along` something."""

    along: str
    lines: Mapping[str, Sequence[tuple[float, float]]]


def draw(panels: Mapping[str, Mapping[str, Bar]], curves: Mapping[str, Curves], path: Path) -> None:
    """An SVG (or whatever the name of `path` ends in) with a panel for each title, and a bar for each subject."""
    drawn = {title: bars for title, bars in panels.items() if bars}
    curved = {title: one for title, one in curves.items() if one.lines}
    rows = -(-len(curved) // COLUMNS)
    height = max(1.0, sum(AROUND + BAR * len(bars) for bars in drawn.values()) + ROW * rows)
    # Else a file differs from the next of the same figures.
    with mpl.rc_context({"svg.hashsalt": "rowlock"}):
        figure = Figure(figsize=(WIDTH, height))
        top = 0.0
        for title, bars in drawn.items():
            own = BAR * len(bars)
            place = (NAMES / WIDTH, 1 - (top + AROUND - 0.2 + own) / height, 1 - (NAMES + 0.3) / WIDTH, own / height)
            _panel(figure, place, title, bars)
            top += AROUND + own
        for index, (title, one) in enumerate(curved.items()):
            row, column = divmod(index, COLUMNS)
            left, bottom = 0.06 + column / COLUMNS, 1 - (top + ROW * (row + 1) - 0.5) / height
            _curves(figure, (left, bottom, 1 / COLUMNS - 0.08, (ROW - 1.15) / height), title, one)
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


def _curves(figure: Figure, place: tuple[float, float, float, float], title: str, curves: Curves) -> None:
    panel = figure.add_axes(place)
    for name, points in curves.lines.items():
        xs, ys = zip(*points, strict=True)
        colour = ROWLOCK if "rowlock" in name.lower() else OTHERS
        panel.plot(xs, ys, color=colour, marker="o", markersize=3, linewidth=1.5, label=name)
    panel.set_xscale("log")
    # From nothing: what is flat looks flat.
    panel.set_ylim(0, 1.3 * max(y for points in curves.lines.values() for _, y in points) or 1)
    panel.xaxis.set_major_formatter("{x:,.0f}")
    panel.xaxis.set_minor_formatter("")
    panel.tick_params(labelsize=7, length=2)
    panel.set_xlabel(curves.along, fontsize=7)
    panel.set_title("\n".join(textwrap.wrap(title, 44)), loc="left", fontsize=8, fontweight="bold")
    if len(curves.lines) > 1:
        panel.legend(fontsize=7, frameon=False)
    for side in ("top", "right"):
        panel.spines[side].set_visible(False)


def _panel(figure: Figure, place: tuple[float, float, float, float], title: str, bars: Mapping[str, Bar]) -> None:
    panel = figure.add_axes(place)
    ratios = [bar.ratio for bar in bars.values()]
    colours = [ROWLOCK if "rowlock" in subject.lower() else OTHERS for subject in bars]
    panel.barh(list(bars), ratios, color=colours, height=0.7)
    for row, bar in enumerate(bars.values()):
        panel.plot([bar.smallest, bar.largest], [row, row], color="black", linewidth=1.2)
        panel.annotate(
            f"{bar.ratio:.2f}  ({bar.value})",
            (max(bar.ratio, bar.largest, 0), row),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
        )
    panel.axvline(1, color="black", linewidth=0.8, zorder=0)
    ends = [1.0, *(one for bar in bars.values() for one in (bar.ratio, bar.smallest, bar.largest) if one > 0)]
    # At the right there is room for what the bars are labelled with.
    if max(ends) / min(ends) > FAR:
        panel.set_xscale("log")
        low = min(ends) / 2
        panel.set_xlim(low, low * (max(ends) / low) ** 1.45)
    else:
        panel.set_xlim(min(0.0, *ratios), max(ends) * 1.45)
    panel.xaxis.set_major_formatter("{x:g}")
    panel.invert_yaxis()
    panel.tick_params(labelsize=8, length=2)
    panel.set_title(title, loc="left", fontsize=9, fontweight="bold", x=-NAMES / WIDTH / place[2] + 0.02)
    for side in ("top", "right"):
        panel.spines[side].set_visible(False)
