"""Bars of ratios, one panel a quantity."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

ROWLOCK, OTHERS = "#0b6e4f", "#b0b7bf"


def draw(ratios: Mapping[str, Mapping[str, float]], path: Path) -> None:
    """An SVG (or whatever the name of `path` ends in) with a panel for each title, and a bar for each subject."""
    mpl.rcParams["svg.hashsalt"] = "rowlock"
    rows = [len(subjects) + 2 for subjects in ratios.values()]
    figure = Figure(figsize=(10, 0.26 * sum(rows) + 0.6), layout="constrained")
    panels = figure.subplots(len(rows), squeeze=False, gridspec_kw={"height_ratios": rows})
    for panel, (title, subjects) in zip(panels[:, 0], ratios.items(), strict=True):
        colours = [ROWLOCK if "rowlock" in subject.lower() else OTHERS for subject in subjects]
        bars = panel.barh(list(subjects), list(subjects.values()), color=colours)
        panel.bar_label(bars, fmt="%.2f", padding=3, fontsize=8)
        panel.axvline(1, color="black", linewidth=0.8)
        panel.invert_yaxis()
        panel.tick_params(labelsize=8)
        panel.margins(x=0.12)
        panel.set_title(f"{title}, as ratios", loc="left", fontsize=9)
        for side in ("top", "right"):
            panel.spines[side].set_visible(False)
    figure.savefig(path)
