"""CSV as columns, numbers found."""

import csv
import io
import math
import re
from dataclasses import dataclass

from example.tasks.errors import BadInput

MOST_ROWS = 200_000
MOST_COLUMNS = 100
MISSING = frozenset({"", "-", "na", "n/a", "nan", "none", "null"})
#: Squares of larger numbers, which a standard deviation needs, leave the range of floats.
LARGEST_NUMBER = 1e100

_DELIMITERS = ",;\t|"
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f]")
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+")


@dataclass(frozen=True, kw_only=True)
class NumericColumn:
    """A column of numbers; `missing` counts its empty cells."""

    name: str
    values: list[float]
    missing: int


@dataclass(frozen=True, kw_only=True)
class Table:
    rows: int
    columns: list[str]
    numeric: list[NumericColumn]


def read_table(content: bytes) -> Table:
    """Read CSV with any of the usual delimiters, with or without a header."""
    text = _text(content)
    delimiter = _delimiter(text)
    rows = _rows(text, delimiter)
    if not rows:
        raise BadInput("The file has no rows.")
    width = len(rows[0])
    if all(_number(cell, delimiter) is not None for cell in rows[0]):
        names = [f"column {number}" for number in range(1, width + 1)]
    else:
        names = [
            _CONTROL_CHARACTERS.sub(" ", name).strip()[:60] or f"column {number}"
            for number, name in enumerate(rows.pop(0), start=1)
        ]
    columns = [
        _numeric_column(name, [row[index] if index < len(row) else "" for row in rows], delimiter)
        for index, name in enumerate(names)
    ]
    return Table(rows=len(rows), columns=names, numeric=[column for column in columns if column is not None])


def _text(content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(f"The file is not CSV in UTF-8: byte {error.start} cannot be decoded.") from None
    if "\0" in text:
        raise BadInput("The file is not CSV: it contains zero bytes.")
    return text


def _delimiter(text: str) -> str:
    sample = text[:8192]
    try:
        return csv.Sniffer().sniff(sample, delimiters=_DELIMITERS).delimiter
    except csv.Error:
        # The sniffer gives up on short and on uneven files; the header line tells then.
        header = sample.partition("\n")[0]
        return max(_DELIMITERS, key=header.count)


def _rows(text: str, delimiter: str) -> list[list[str]]:
    rows: list[list[str]] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for row in reader:
            if not any(cell.strip() for cell in row):
                continue
            if len(row) > MOST_COLUMNS:
                raise BadInput(f"Line {reader.line_num} has {len(row)} columns; {MOST_COLUMNS} are the most.")
            if rows and len(row) > len(rows[0]):
                raise BadInput(f"Line {reader.line_num} has {len(row)} cells, the first line only {len(rows[0])}.")
            if len(rows) > MOST_ROWS:
                raise BadInput(f"The file has more than {MOST_ROWS:,} rows.")
            rows.append(row)
    except csv.Error as error:
        raise BadInput(f"Line {reader.line_num} is not CSV: {error}.") from error
    return rows


def _numeric_column(name: str, cells: list[str], delimiter: str) -> NumericColumn | None:
    values: list[float] = []
    missing = 0
    for cell in cells:
        if cell.strip().lower() in MISSING:
            missing += 1
            continue
        value = _number(cell, delimiter)
        if value is None:
            return None
        values.append(value)
    return NumericColumn(name=name, values=values, missing=missing) if values else None


def _number(cell: str, delimiter: str) -> float | None:
    cell = cell.strip()
    if delimiter != "," and _DECIMAL_COMMA.fullmatch(cell):
        cell = cell.replace(",", ".")
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if math.isfinite(value) and abs(value) <= LARGEST_NUMBER else None
