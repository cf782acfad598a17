"""What the benchmark makes of figures: ratios of medians, spread, and a plot."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

import report
from cases import Figure, Point, Quantity, Results

RATE = Quantity(title="tasks executed", unit="a second", base="celery")


def measured(values: Mapping[str, Sequence[float]], quantity: Quantity = RATE) -> Results:
    results = Results()
    for subject, rounds in values.items():
        for value in rounds:
            results.add(Figure(quantity=quantity, subject=subject, value=value))
    return results


def document(results: Results) -> dict[str, Any]:
    return report.document(results, options={"rounds": 3}, machine={"cores": 2})


def test_a_ratio_is_that_of_the_medians_to_what_the_quantity_is_compared_with() -> None:
    results = measured({"rowlock": [90, 10, 100], "celery": [100, 200, 300]})

    told = document(results)["quantities"][0]

    assert told["compared with"] == "celery"
    assert told["subjects"]["rowlock"]["ratio"] == 90 / 200
    assert told["subjects"]["celery"]["ratio"] == 1


def test_every_round_and_how_far_they_spread_is_kept() -> None:
    results = measured({"celery": [300, 100, 200]})

    told = document(results)["quantities"][0]["subjects"]["celery"]

    assert told["rounds"] == [300, 100, 200]
    assert (told["smallest"], told["median"], told["largest"]) == (100, 200, 300)


def test_without_figures_of_its_base_a_quantity_is_compared_with_the_first_subject() -> None:
    results = measured({"dramatiq": [50], "rowlock": [100]})

    told = document(results)["quantities"][0]

    assert told["compared with"] == "dramatiq"
    assert told["subjects"]["rowlock"]["ratio"] == 2


def test_what_is_compared_with_nothing_has_no_ratio(capsys: pytest.CaptureFixture[str]) -> None:
    results = measured({"celery": [0], "rowlock": [5]})

    report.show(results)

    assert document(results)["quantities"][0]["subjects"]["rowlock"]["ratio"] is None
    assert [line.split() for line in capsys.readouterr().out.splitlines()][-1][:2] == ["-", "5"]


def test_the_table_has_the_ratio_first(capsys: pytest.CaptureFixture[str]) -> None:
    results = measured({"celery": [1000, 1000, 1000], "rowlock": [850, 900, 950]})

    report.show(results)

    line = capsys.readouterr().out.splitlines()[-1]
    assert line.split() == ["0.90", "900", "850", "to", "950", "rowlock"]


def test_figures_and_plot_are_written(tmp_path: Path) -> None:
    results = measured({"celery": [1000], "a peer with a name as long as that, prefork 2, prefetch 64": [4]})

    report.write(results, document(results), [tmp_path / "results.json"], tmp_path / "results.svg")

    assert json.loads((tmp_path / "results.json").read_text())["machine"] == {"cores": 2}
    assert (tmp_path / "results.svg").read_text().startswith("<?xml")


def test_what_grows_is_plotted_along_it(tmp_path: Path) -> None:
    results, cost = Results(), Quantity(title="cost", unit="µs", along="runs in the history")
    for runs in (10, 1000):
        point = Point(curve="rowlock", at=runs)
        results.add(Figure(quantity=cost, subject=f"rowlock, {runs} runs", value=3, point=point))

    report.write(results, document(results), [], tmp_path / "results.svg")

    drawn = (tmp_path / "results.svg").read_text()
    assert "<!-- runs in the history -->" in drawn
    assert "ratio" not in drawn
