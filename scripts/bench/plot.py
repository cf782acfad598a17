"""Bars of ratios with the spread of the rounds, one panel a quantity."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

ROWLOCK, OTHERS = "#0b6e4f", "#b0b7bf"
#: Ratios further apart than this are drawn on a logarithmic axis.
FAR = 300.0
#: Inches: of a bar, of what is around the bars of a panel, of the names at the left, of all.
BAR, AROUND, NAMES, WIDTH = 0.24, 0.62, 4.6, 11.0


@dataclass(frozen=True, kw_only=True)
class Bar:
    """Ratios of the median, the smallest and the largest value; `value` is the median with its unit, in words."""

    ratio: float
    smallest: float
    largest: float
    value: str


def draw(panels: Mapping[str, Mapping[str, Bar]], path: Path) -> None:
    """An SVG (or whatever the name of `path` ends in) with a panel for each title, and a bar for each subject."""
    drawn = {title: bars for title, bars in panels.items() if bars}
    # Else a file differs from the next of the same figures.
    with mpl.rc_context({"svg.hashsalt": "rowlock"}):
        heights = [BAR * len(bars) for bars in drawn.values()]
        height = sum(heights) + AROUND * len(heights)
        figure = Figure(figsize=(WIDTH, max(1.0, height)))
        tops = itertools.accumulate(AROUND + one for one in heights)
        for (title, bars), top, own in zip(drawn.items(), tops, heights, strict=True):
            place = (NAMES / WIDTH, 1 - (top - 0.2) / height, 1 - (NAMES + 0.3) / WIDTH, own / height)
            _panel(figure, place, title, bars)
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


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
