"""One table with the ratios first, JSON with every figure, and a plot."""

import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import plot
from cases import Point, Quantity, Results


def show(results: Results) -> None:
    for quantity, subjects in results.values.items():
        digits = quantity.digits
        print(f"\n{'ratio':>8}  {quantity.unit:>10}  {'spread':>17}  {quantity.title}")
        for subject, values in subjects.items():
            spread = f"{min(values):.{digits}f} to {max(values):.{digits}f}"
            median = statistics.median(values)
            told = ratio(quantity, subjects, subject)
            shown = "-" if told is None else f"{told:.2f}"
            print(f"{shown:>8}  {median:>10.{digits}f}  {spread:>17}  {subject}")


def document(results: Results, options: Mapping[str, Any], machine: Mapping[str, Any]) -> dict[str, Any]:
    """JSON of every figure of every counted round, how they were asked for, and on what they were taken."""
    return {
        "options": dict(options),
        "machine": dict(machine),
        "quantities": [
            {
                "title": quantity.title,
                "unit": quantity.unit,
                "compared with": base(quantity, subjects),
                "subjects": {
                    subject: {
                        "ratio": ratio(quantity, subjects, subject),
                        "median": statistics.median(values),
                        "smallest": min(values),
                        "largest": max(values),
                        "rounds": values,
                    }
                    for subject, values in subjects.items()
                },
            }
            for quantity, subjects in results.values.items()
        ],
    }


def write(results: Results, told: Mapping[str, Any], paths: Sequence[Path], plotted: Path) -> None:
    """The document in each of the paths, and a plot of the ratios."""
    for path in paths:
        path.write_text(json.dumps(told, indent=2) + "\n")
    panels = {
        f"{quantity.title} ({quantity.unit}), ratio to {base(quantity, subjects)}": _bars(quantity, subjects)
        for quantity, subjects in results.values.items()
        if not quantity.along
    }
    curves = {
        f"{quantity.title} ({quantity.unit})": plot.Curves(along=quantity.along, lines=_lines(subjects, results.points))
        for quantity, subjects in results.values.items()
        if quantity.along
    }
    plot.draw(panels, curves, plotted)


def _bars(quantity: Quantity, subjects: Mapping[str, Sequence[float]]) -> dict[str, plot.Bar]:
    compared = statistics.median(subjects[base(quantity, subjects)])
    return {
        subject: plot.Bar(
            ratio=statistics.median(values) / compared,
            smallest=min(values) / compared,
            largest=max(values) / compared,
            value=f"{statistics.median(values):,.{quantity.digits}f} {quantity.unit}",
        )
        for subject, values in subjects.items()
        if compared > 0
    }


def _lines(
    subjects: Mapping[str, Sequence[float]], points: Mapping[str, Point]
) -> dict[str, list[tuple[float, float]]]:
    lines: dict[str, list[tuple[float, float]]] = {}
    for subject, values in subjects.items():
        if point := points.get(subject):
            lines.setdefault(point.curve, []).append((point.at, statistics.median(values)))
    return lines


def ratio(quantity: Quantity, subjects: Mapping[str, Sequence[float]], subject: str) -> float | None:
    """Of the medians, to that of the base; None where that is nothing."""
    compared = statistics.median(subjects[base(quantity, subjects)])
    return statistics.median(subjects[subject]) / compared if compared > 0 else None


def base(quantity: Quantity, subjects: Mapping[str, Sequence[float]]) -> str:
    return quantity.base if quantity.base in subjects else next(iter(subjects))
