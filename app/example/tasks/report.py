from __future__ import annotations

from pathlib import PurePath
from typing import Any, TypedDict

from celery import Task, shared_task

from example.tasks.errors import BadInput
from example.tasks.storage import read_input, write_output
from example.tasks.table import NumericColumn, read_table
from rowlock import runs

CONTENT_TYPES = {"pdf": "application/pdf", "png": "image/png"}


class ColumnSummary(TypedDict):
    name: str
    count: int
    missing: int
    mean: float
    sd: float | None
    min: float
    q1: float
    median: float
    q3: float
    max: float


@shared_task(bind=True, throws=(BadInput,))
def summarise(self: Task, file_id: str, format: str = "pdf") -> dict[str, Any]:
    """Summarise every numeric column of an uploaded CSV file and plot it, as PDF or PNG."""
    if not isinstance(format, str) or format not in CONTENT_TYPES:
        raise BadInput(f"format must be pdf or png, not {format!r}.")
    runs.progress(0, 3, "reading the table")
    source = read_input(file_id)
    table = read_table(bytes(source.content))
    if not table.numeric:
        raise BadInput(f"None of the columns has only numbers: {', '.join(table.columns)[:500]}.")
    runs.progress(1, 3, f"summarising {len(table.numeric)} columns")
    summaries = [_summary(column) for column in table.numeric]
    runs.progress(2, 3, "plotting")

    # Imported in the task: workers of other queues should not pay matplotlib's memory and start-up.
    from example.tasks.plot import plot

    content = plot(source.name, table, summaries, format)
    return {
        "rows": table.rows,
        "columns": table.columns,
        "summary": summaries,
        "report": write_output(
            self, f"{PurePath(source.name).stem[:150]}-report.{format}", content, CONTENT_TYPES[format]
        ),
    }


def _summary(column: NumericColumn) -> ColumnSummary:
    # Imported in the task: workers of other queues should not pay numpy's memory and start-up.
    import numpy as np

    values = np.array(column.values)
    minimum, q1, median, q3, maximum = (float(value) for value in np.percentile(values, [0, 25, 50, 75, 100]))
    return {
        "name": column.name,
        "count": len(column.values),
        "missing": column.missing,
        "mean": float(values.mean()),
        "sd": float(values.std(ddof=1)) if len(values) > 1 else None,
        "min": minimum,
        "q1": q1,
        "median": median,
        "q3": q3,
        "max": maximum,
    }
