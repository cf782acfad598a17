import json
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError

from rowlock.models import Run
from tests.cli.conftest import Cli

pytestmark = pytest.mark.django_db

ADD = "example.tasks.basic.add"


def test_submitting_prints_the_id_of_the_run(rowlock: Cli) -> None:
    printed = rowlock("submit", ADD, "--args", "[1]", "--kwargs", '{"y": 2}', "--owner", "ada", "--priority", "3")

    run = Run.objects.get()
    assert printed == f"{run.id}\n"
    assert (run.task, run.args, run.kwargs, run.owner, run.priority) == (ADD, [1], {"y": 2}, "ada", 3)


def test_submitting_with_a_key_again_prints_the_same_id_and_says_so(rowlock: Cli, remarks: Cli) -> None:
    words = ("submit", ADD, "--args", "[1, 2]", "--key", "k")

    assert rowlock(*words) == rowlock(*words)
    assert remarks(*words) == "The key k has this run already.\n"
    assert Run.objects.count() == 1


def test_submitting_prints_the_run_as_json(rowlock: Cli) -> None:
    shown = json.loads(rowlock("submit", ADD, "--args", "[1, 2]", "--queue", "other", "--json"))

    assert (shown["task"], shown["queue"], shown["state"]) == (ADD, "other", "queued")


def test_a_countdown_and_an_expiry_are_durations_from_now(rowlock: Cli) -> None:
    rowlock("submit", ADD, "--args", "[1, 2]", "--countdown", "1h30m", "--expires", "2d")

    run = Run.objects.get()
    assert run.due is not None
    assert run.expires is not None
    assert run.due - run.created == timedelta(hours=1.5)
    assert timedelta(hours=47) < run.expires - run.created < timedelta(hours=49)


def test_an_eta_is_a_time_of_the_project_or_with_an_offset(rowlock: Cli) -> None:
    rowlock("submit", ADD, "--args", "[1, 2]", "--eta", "2090-01-01T10:00+02:00", "--expires", "2090-01-02T00:00Z")

    run = Run.objects.get()
    assert run.due == datetime(2090, 1, 1, 8, tzinfo=UTC)
    assert run.expires == datetime(2090, 1, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("example.tasks.basic.ad",), "There is no task 'example.tasks.basic.ad'. Did you mean " + ADD),
        ((ADD, "--args", "[1"), "argument --args: this is not JSON"),
        ((ADD, "--args", "{}"), "argument --args: this is JSON, but not what is needed: write a list"),
        ((ADD, "--kwargs", "[]"), "argument --kwargs: this is JSON, but not what is needed: write an object"),
        ((ADD, "--args", "[1]"), "y"),
        ((ADD, "--args", "[1, 2]", "--countdown", "soon"), "argument --countdown: expected a number with ms, s, m"),
        ((ADD, "--args", "[1, 2]", "--eta", "soon"), "argument --eta: expected a day or a time (2026-11-01"),
        ((ADD, "--args", "[1, 2]", "--expires", "2020-01-01"), "expires"),
        ((ADD, "--args", "[1, 2]", "--priority", "300"), "priority must be a whole number from 0 to 255, not 300."),
        ((), "the following arguments are required: TASK"),
    ],
)
def test_what_cannot_be_submitted_is_told_and_leaves_no_run(rowlock: Cli, words: tuple[str, ...], message: str) -> None:
    with pytest.raises(CommandError) as raised:
        rowlock("submit", *words)

    assert message in str(raised.value)
    assert not Run.objects.exists()
