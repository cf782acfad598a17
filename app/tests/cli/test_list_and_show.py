import json
from uuid import UUID

import pytest
from django.core.management import CommandError
from pytest_django import Settings

from rowlock.models import State
from rowlock.models.run import canonical_arguments
from tests.cli.conftest import Cli
from tests.runs.factory import NOON, ago, make_run

pytestmark = pytest.mark.django_db


def test_a_list_has_a_row_for_each_run_under_its_heads(rowlock: Cli) -> None:
    run = make_run(
        "example.tasks.basic.wait", State.FAILED, owner="ada", created=NOON, error_type="ValueError", error_message="no"
    )

    heads, row = rowlock("list").splitlines()

    assert heads.split() == ["ID", "TASK", "STATE", "QUEUE", "OWNER", "ACCEPTED", "TOOK"]
    assert row.split()[:5] == [str(run.id), "example.tasks.basic.wait", "failed", "celery", "ada"]
    assert row.endswith("ValueError: no")


@pytest.mark.parametrize(
    ("words", "keys"),
    [
        (("state:failed",), {"failed"}),
        (("-state:failed", "-key:other"), {"fine"}),
        (("state:failed -key:other",), {"failed"}),
        (("fai",), {"failed"}),
        (("--", "-fai"), {"fine", "other"}),
        (("state:succeeded -other",), {"fine"}),
        (("task:add", "--limit", "5"), {"failed", "fine", "other"}),
    ],
)
def test_the_words_after_list_are_a_query(rowlock: Cli, words: tuple[str, ...], keys: set[str]) -> None:
    make_run(state=State.FAILED, key="failed")
    make_run(state=State.SUCCEEDED, key="fine")
    make_run(state=State.SUCCEEDED, key="other")

    assert {run["key"] for run in json.loads(rowlock("list", "--json", *words))["runs"]} == keys


def test_a_list_goes_on_from_its_cursor(rowlock: Cli) -> None:
    for number in range(3):
        make_run(key=str(number), created=ago(minutes=number))

    first = json.loads(rowlock("list", "--limit", "2", "--json"))
    second = json.loads(rowlock("list", "--limit", "2", "--cursor", first["next"], "--json"))

    assert [run["key"] for run in first["runs"] + second["runs"]] == ["0", "1", "2"]
    assert second["next"] is None


def test_a_list_says_how_to_go_on_and_when_there_is_nothing(remarks: Cli) -> None:
    assert remarks("list") == "No run was found.\n"

    make_run()
    make_run()

    assert "go on with --cursor " in remarks("list", "--limit", "1")


def test_what_runs_contain_cannot_command_the_terminal(rowlock: Cli) -> None:
    make_run(owner="\x1b[31mred\x07", state=State.FAILED, error_type="E", error_message="two\nlines\x1b]0;title")

    printed = rowlock("list")

    assert "\x1b" not in printed
    assert "\x07" not in printed
    assert len(printed.splitlines()) == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("state:faild",), "state:faild: there is no state 'faild'; did you mean failed?"),
        (("--cursor", "x"), "The cursor is not one that a page gave"),
        (("--limit", "0"), "argument --limit: expected a whole number, 1 or more, not '0'"),
        (("--colour",), "unrecognized arguments: --colour"),
    ],
)
def test_what_cannot_be_listed_is_told(rowlock: Cli, words: tuple[str, ...], message: str) -> None:
    with pytest.raises(CommandError) as raised:
        rowlock("list", *words)

    assert message in str(raised.value)


def test_a_run_is_shown_with_its_arguments_and_traceback(rowlock: Cli) -> None:
    run = make_run(
        state=State.FAILED,
        arguments=canonical_arguments([1, "ä"], {"deep": True}),
        error_type="ValueError",
        error_message="no",
        traceback="Traceback:\n  line 1",
    )

    printed = rowlock("show", str(run.id))

    assert "state:      failed" in printed
    assert 'args:       [1, "ä"]' in printed
    assert 'kwargs:     {"deep": true}' in printed
    assert "error:      ValueError: no" in printed
    assert printed.endswith("Traceback:\n  line 1\n")


def test_a_run_is_shown_as_json(rowlock: Cli) -> None:
    run = make_run(state=State.SUCCEEDED, result='{"sum": 3}')

    shown = json.loads(rowlock("show", str(run.id), "--json"))

    assert (shown["id"], shown["result"]) == (str(run.id), {"sum": 3})


def test_what_is_redacted_is_not_shown(rowlock: Cli, settings: Settings) -> None:
    settings.ROWLOCK = {"REDACT_ARGUMENTS": ["*"], "REDACT_RESULTS": ["*"]}
    arguments = canonical_arguments(["secret"], {})
    failed = make_run(state=State.FAILED, arguments=arguments, error_type="E", error_message="secret")
    succeeded = make_run(state=State.SUCCEEDED, arguments=arguments, result='"secret"')

    printed = rowlock("show", str(failed.id)) + rowlock("show", str(succeeded.id)) + rowlock("list")

    assert "secret" not in printed
    assert "result:     (redacted)" in printed


@pytest.mark.parametrize(
    ("id", "message"), [("12", "expected the whole id of a run"), (str(UUID(int=0)), "There is no run ")]
)
def test_what_is_no_run_is_told(rowlock: Cli, id: str, message: str) -> None:
    with pytest.raises(CommandError, match=message):
        rowlock("show", id)
