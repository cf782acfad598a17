import io
from statistics import fmean
from typing import Any

import pytest
from PIL import Image

from example.models import StoredFile
from example.tasks.errors import BadInput
from example.tasks.report import summarise
from example.tasks.table import read_table
from tests.example.conftest import Run, StoreFile

CSV = b"name,height,weight\nann,170,60\nbob,180,NA\ncai,190,80\ndan,200,\n"


def report(reference: dict[str, Any]) -> bytes:
    return bytes(StoredFile.objects.get(id=reference["id"]).content)


def test_every_numeric_column_is_summarised(run: Run, store: StoreFile) -> None:
    result = run(summarise, store(CSV, name="people.csv"))

    assert (result["rows"], result["columns"]) == (4, ["name", "height", "weight"])
    assert result["summary"][0] == {
        "name": "height",
        "count": 4,
        "missing": 0,
        "mean": 185.0,
        "sd": pytest.approx(12.9099, abs=1e-4),
        "min": 170.0,
        "q1": 177.5,
        "median": 185.0,
        "q3": 192.5,
        "max": 200.0,
    }
    assert (result["summary"][1]["name"], result["summary"][1]["missing"]) == ("weight", 2)


def test_a_pdf_is_made_unless_asked_otherwise(run: Run, store: StoreFile) -> None:
    result = run(summarise, store(CSV, name="people.csv"))

    assert result["report"]["name"] == "people-report.pdf"
    assert report(result["report"]).startswith(b"%PDF-")


def test_a_png_can_be_had(run: Run, store: StoreFile) -> None:
    result = run(summarise, store(CSV, name="people.csv"), format="png")

    image = Image.open(io.BytesIO(report(result["report"])))
    assert (image.format, result["report"]["name"]) == ("PNG", "people-report.png")
    assert image.width > 1000


@pytest.mark.parametrize("format", ["pdf", "png"])
def test_a_task_that_is_delivered_twice_makes_the_same_bytes(store: StoreFile, format: str) -> None:
    source = store(CSV)

    made = [report(summarise.apply(args=[source, format], task_id="same").get()["report"]) for _ in range(2)]

    assert made[0] == made[1]


@pytest.mark.parametrize(
    ("content", "columns", "means"),
    [
        ("a;b\n1,5;x\n2,5;y\n", ["a", "b"], {"a": 2.0}),
        ("a\tb\n1\t2\n3\t4\n", ["a", "b"], {"a": 2.0, "b": 3.0}),
        ("a|b\n1|2\n3|4\n", ["a", "b"], {"a": 2.0, "b": 3.0}),
        ("1,2\n3,4\n", ["column 1", "column 2"], {"column 1": 2.0, "column 2": 3.0}),
        ("n\n1\n2\n3\n", ["n"], {"n": 2.0}),
        ('"a, quoted",b\n1,2\n\n3,4\n', ["a, quoted", "b"], {"a, quoted": 2.0, "b": 3.0}),
        ("a,b\n1\n3,4\n", ["a", "b"], {"a": 2.0, "b": 4.0}),
        ("\ufeffa,b\r\n1,2\r\n", ["a", "b"], {"a": 1.0, "b": 2.0}),
    ],
    ids=["semicolon", "tab", "bar", "no header", "one column", "quoted", "short row", "windows"],
)
def test_tables_of_all_kinds_are_read(content: str, columns: list[str], means: dict[str, float]) -> None:
    table = read_table(content.encode())

    assert table.columns == columns
    assert {column.name: fmean(column.values) for column in table.numeric} == means


def test_a_name_that_looks_like_a_formula_is_drawn_as_it_is(run: Run, store: StoreFile) -> None:
    result = run(summarise, store(b"$\\frac{$,{$y_\n1,2\n", name="$$.csv"))

    assert [summary["name"] for summary in result["summary"]] == ["$\\frac{$", "{$y_"]


def test_a_single_value_has_no_standard_deviation(run: Run, store: StoreFile) -> None:
    assert run(summarise, store(b"a\n1\n"))["summary"][0]["sd"] is None


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no rows"),
        (b"\n\n", "no rows"),
        (b"name\nann\nbob\n", "None of the columns has only numbers: name"),
        (b"a,b\nx,1e400\ny,nan\n", "None of the columns"),
        (b"a\n1e200\n", "None of the columns"),
        (b"a,b\n1,2,3\n", "Line 2 has 3 cells, the first line only 2"),
        (b",".join([b"1"] * 101), "101 columns; 100 are the most"),
        (b"a\n" + b"1\n" * 200_001, "more than 200,000 rows"),
        (b'a,b\n"' + b"x" * 200_000 + b'",1\n', "Line 2 is not CSV"),
        (b"\x89PNG\r\n\x1a\n", "not CSV in UTF-8"),
        (b"a\0b", "zero bytes"),
    ],
    ids=["empty", "blank", "words", "infinite", "huge", "long row", "columns", "rows", "cell", "binary", "zero"],
)
def test_a_table_that_cannot_be_used_is_refused_with_the_reason(
    run: Run, store: StoreFile, content: bytes, reason: str
) -> None:
    with pytest.raises(BadInput, match=reason):
        run(summarise, store(content))


@pytest.mark.parametrize("format", ["svg", "", None, 1, ["pdf"]])
def test_another_format_is_refused(run: Run, store: StoreFile, format: Any) -> None:
    with pytest.raises(BadInput, match="format must be pdf or png"):
        run(summarise, store(CSV), format=format)
