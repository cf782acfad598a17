"""How many tasks the benchmark gives to a peer."""

from pathlib import Path

import pytest

from cases import Bench
from filled import Execution
from paced import FEWEST, MOST, Pace


def bench(*, seconds: float = 2, tasks: int | None = None) -> Bench:
    nothing = {"requests": 0, "samples": 0}
    return Bench(
        run="test", out=Path(), seconds=seconds, tasks=tasks, backlogs=(), histories=(), pools=(), peers=(), **nothing
    )


@pytest.mark.parametrize(("rate", "counted"), [(1000, 2000), (3, FEWEST), (1e6, MOST)])
def test_a_peer_is_given_what_it_does_in_the_seconds_within_bounds(rate: float, counted: int) -> None:
    pace = Pace(slots=2, rates={"nothing": rate})

    stretch = pace.stretch(bench(seconds=2), "nothing")

    assert stretch.counted == counted, stretch


def test_a_number_of_tasks_holds_for_every_peer_with_a_fifth_more_that_warm_up() -> None:
    pace = Pace(slots=2, rates={"nothing": 1})

    stretch = pace.stretch(bench(tasks=500), "nothing")

    assert (stretch.counted, stretch.warming) == (500, 100), stretch


def test_brief_tasks_of_an_unknown_pace_are_as_many_as_all_slots_sleep_through() -> None:
    pace = Pace(slots=4, rates={"nothing": 5000})

    stretch = pace.stretch(bench(seconds=2), "brief")

    assert stretch.counted == 2 * 4 * 100, stretch


def test_the_last_measured_pace_is_the_one_that_counts() -> None:
    pace = Pace(slots=4, rates={"nothing": 5000})

    pace.learn(Execution(kind="brief", rate=300, cpu=1))

    assert pace.stretch(bench(seconds=2), "brief").counted == 600
