from collections.abc import Callable
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection

from rowlock.models import Run, State
from tests.cli.conftest import Cli
from tests.runs.factory import ago, make_run

pytestmark = pytest.mark.django_db

Meanwhile = Callable[..., None]


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Meanwhile:
    """Lets the given steps happen, one in each pause between two looks."""

    def happens(*steps: Callable[[], Any]) -> None:
        left = list(steps)

        def pause(seconds: float) -> None:
            assert left, "watch looks on, though all that was to happen has happened"
            left.pop(0)()

        monkeypatch.setattr("rowlock.management.subcommands.watch.sleep", pause)

    return happens


def change(run: Run, **fields: Any) -> Callable[[], Any]:
    return lambda: Run.objects.filter(id=run.id).update(**fields)


def test_watching_tells_each_change_until_the_run_has_succeeded(rowlock: Cli, meanwhile: Meanwhile) -> None:
    run = make_run()
    meanwhile(
        change(run, state=State.STARTED),
        change(run, progress_done=1, progress_total=4, progress_message="reading"),
        lambda: None,
        change(run, state=State.SUCCEEDED, finished=ago(seconds=0)),
    )

    lines = rowlock("watch", str(run.id)).splitlines()

    head = f"{run.id}  example.tasks.basic.add"
    assert lines == [f"{head}  queued", f"{head}  started", f"{head}  started  1/4 reading", f"{head}  succeeded"]


def test_watching_ends_with_an_error_when_a_run_did_not_succeed(rowlock: Cli, meanwhile: Meanwhile) -> None:
    runs = [make_run(state=State.SUCCEEDED), make_run(state=State.EXPIRED), make_run(state=State.STARTED)]
    meanwhile(change(runs[2], state=State.FAILED))

    with pytest.raises(CommandError) as raised:
        rowlock("watch", *(str(run.id) for run in runs))

    assert str(raised.value) == "2 of 3 runs did not succeed: 1 expired, 1 failed."
    assert raised.value.returncode == 1


def test_watching_a_query_watches_what_it_found_at_first(rowlock: Cli, meanwhile: Meanwhile) -> None:
    first = make_run(key="first")

    def step() -> None:
        make_run(key="second")
        change(first, state=State.SUCCEEDED)()

    meanwhile(step)

    assert "second" not in rowlock("watch", "--query", "task:add")


def test_a_run_that_is_deleted_meanwhile_is_told(rowlock: Cli, meanwhile: Meanwhile) -> None:
    run = make_run(state=State.STARTED)
    meanwhile(lambda: Run.objects.all().delete())

    with pytest.raises(CommandError, match=r"1 of 1 run did not succeed: 1 deleted\."):
        rowlock("watch", str(run.id))


def test_of_many_runs_only_their_ends_are_told(rowlock: Cli, meanwhile: Meanwhile) -> None:
    runs = [make_run() for _ in range(11)]
    meanwhile(lambda: Run.objects.update(state=State.STARTED), lambda: Run.objects.update(state=State.SUCCEEDED))

    lines = rowlock("watch", *(str(run.id) for run in runs)).splitlines()

    assert len(lines) == 11
    assert all(line.endswith("succeeded") for line in lines)


@pytest.mark.django_db(transaction=True)
def test_watching_outlives_a_database_that_is_away(remarks: Cli, meanwhile: Meanwhile) -> None:
    run = make_run(state=State.SUCCEEDED)
    answers = ["the run is there", "connection refused"]

    def answer(execute: Callable[..., Any], *query: Any) -> Any:
        if answers and answers.pop(0) == "connection refused":
            raise OperationalError("connection refused")
        return execute(*query)

    meanwhile(lambda: None)

    with connection.execute_wrapper(answer):
        assert remarks("watch", str(run.id)) == "The database does not answer: connection refused\n"


def test_an_interrupted_watch_says_that_the_runs_go_on(rowlock: Cli, meanwhile: Meanwhile) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    meanwhile(interrupt)

    with pytest.raises(CommandError, match=r"^Stopped watching; the runs go on\.$") as raised:
        rowlock("watch", str(make_run().id))
    assert raised.value.returncode == 130


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("number", [2, 11])
def test_a_terminal_gets_bars_and_what_runs_say_cannot_command_it(meanwhile: Meanwhile, number: int) -> None:
    runs = [make_run("example.[red]add") for _ in range(number)]
    meanwhile(
        change(runs[0], state=State.STARTED, progress_done=1, progress_total=2, progress_message="\x1b]0;title"),
        lambda: Run.objects.update(state=State.FAILED, error_type="ValueError", error_message="\x1b]0;title"),
    )
    terminal = Terminal()

    with pytest.raises(CommandError, match=f"{number} failed"):
        call_command("rowlock", "watch", *(str(run.id) for run in runs), stdout=terminal)

    shown = terminal.getvalue()
    assert "━" in shown, "there is no bar"
    assert "ValueError" in shown
    assert "[red]add" in shown
    assert "\x1b]0;title" not in shown


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((str(uuid4()),), "There is no run"),
        (("--query", "state:failed"), "No run was found."),
        ((), "Name runs either"),
    ],
)
def test_what_cannot_be_watched_is_told(rowlock: Cli, words: tuple[str, ...], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        rowlock("watch", *words)
