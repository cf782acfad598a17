"""One table with the ratios first, JSON with every figure, and a plot."""

import importlib.metadata
import json
import os
import platform
import statistics
from collections.abc import Sequence
from pathlib import Path

import plot
from cases import Quantity, Results

#: What is compared: their versions belong to the figures.
PACKAGES = (
    "celery", "kombu", "django", "django-celery-results", "dramatiq", "huey", "pika", "procrastinate", "rq",
    "taskiq", "taskiq-aio-pika", "gunicorn",
)  # fmt: skip


def show(results: Results) -> None:
    for quantity, subjects in results.values.items():
        digits = quantity.digits
        print(f"\n{'ratio':>8}  {quantity.unit:>10}  {'spread':>17}  {quantity.title}")
        for subject, values in subjects.items():
            spread = f"{min(values):.{digits}f} to {max(values):.{digits}f}"
            median = statistics.median(values)
            print(f"{_ratio(quantity, subjects, subject):>8.2f}  {median:>10.{digits}f}  {spread:>17}  {subject}")


def write(results: Results, out: Path, *, rounds: int, tasks: int, parts: Sequence[str]) -> None:
    """results.json and results.svg in the folder `out`."""
    write_json(results, out / "results.json", rounds=rounds, tasks=tasks, parts=parts)
    ratios = {
        f"{quantity.title} ({quantity.unit})": {subject: _ratio(quantity, subjects, subject) for subject in subjects}
        for quantity, subjects in results.values.items()
    }
    plot.draw(ratios, out / "results.svg")


def write_json(results: Results, path: Path, *, rounds: int, tasks: int, parts: Sequence[str]) -> None:
    """Every figure of every counted round, and on what they were taken."""
    document = {
        "parts": list(parts),
        "rounds": rounds,
        "tasks": tasks,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
        "quantities": [
            {
                "title": quantity.title,
                "unit": quantity.unit,
                "compared with": _base(quantity, subjects),
                "subjects": {
                    subject: {"ratio": _ratio(quantity, subjects, subject), "rounds": values}
                    for subject, values in subjects.items()
                },
            }
            for quantity, subjects in results.values.items()
        ],
    }
    path.write_text(json.dumps(document, indent=2) + "\n")


def _ratio(quantity: Quantity, subjects: dict[str, list[float]], subject: str) -> float:
    base = statistics.median(subjects[_base(quantity, subjects)])
    return statistics.median(subjects[subject]) / base if base else 0.0


def _base(quantity: Quantity, subjects: dict[str, list[float]]) -> str:
    return quantity.base if quantity.base in subjects else next(iter(subjects))
