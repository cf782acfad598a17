"""The picture of a report. Imported only by the task that plots, for matplotlib is large."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

# Figure without pyplot: pyplot keeps every figure in a global registry, for ever in a worker.
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from example.tasks.table import Table

if TYPE_CHECKING:
    from example.tasks.report import ColumnSummary

MOST_PLOTS = 12
PLOTS_A_ROW = 3
MOST_TABLE_ROWS = 30
HEADINGS = ("column", "count", "missing", "mean", "sd", "min", "25 %", "median", "75 %", "max")
ACCENT = "#2f6f9f"


def plot(title: str, table: Table, summaries: Sequence[ColumnSummary], format: str) -> bytes:
    """The summary as a table, a histogram below for each of the first columns."""
    shown = table.numeric[:MOST_PLOTS]
    lines = summaries[:MOST_TABLE_ROWS]
    plot_rows = math.ceil(len(shown) / PLOTS_A_ROW)
    table_height = 0.9 + 0.28 * (len(lines) + 1)
    figure = Figure(figsize=(11, table_height + 2.5 * plot_rows), layout=ConstrainedLayoutEngine(w_pad=0.2, h_pad=0.15))
    grid = figure.add_gridspec(plot_rows + 1, PLOTS_A_ROW, height_ratios=[table_height, *[2.5] * plot_rows])
    figure.suptitle(_literal(f"{title}: {table.rows:,} rows, {len(table.columns)} columns"), fontsize=13)
    _draw_summary(figure.add_subplot(grid[0, :]), lines)
    for index, column in enumerate(shown):
        axes = figure.add_subplot(grid[1 + index // PLOTS_A_ROW, index % PLOTS_A_ROW])
        axes.hist(column.values, bins=min(30, max(5, int(len(column.values) ** 0.5))), color=ACCENT)
        axes.set_title(_literal(column.name), fontsize=10)
        axes.tick_params(labelsize=8)
        axes.spines[["top", "right"]].set_visible(False)
    buffer = io.BytesIO()
    # Without a date in it, a redelivered task makes the same file again.
    figure.savefig(buffer, format=format, dpi=110, metadata={"CreationDate": None} if format == "pdf" else None)
    return buffer.getvalue()


def _draw_summary(axes: Any, summaries: Sequence[ColumnSummary]) -> None:
    axes.axis("off")
    cells = [
        [
            _literal(summary["name"][:24]),
            f"{summary['count']:,}",
            f"{summary['missing']:,}",
            *(_short(summary[key]) for key in ("mean", "sd", "min", "q1", "median", "q3", "max")),
        ]
        for summary in summaries
    ]
    drawn = axes.table(cellText=cells, colLabels=HEADINGS, loc="center", cellLoc="right", edges="horizontal")
    drawn.auto_set_font_size(False)
    drawn.set_fontsize(9)
    drawn.scale(1, 1.3)


def _short(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _literal(text: str) -> str:
    # A pair of dollar signs would be read as a formula.
    return text.replace("$", r"\$")
