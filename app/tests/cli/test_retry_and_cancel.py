from uuid import uuid4

import pytest
from django.core.management import CommandError

from rowlock.models import Run, State
from tests.cli.conftest import Cli
from tests.runs.factory import ago, make_run

pytestmark = pytest.mark.django_db


def states() -> dict[str | None, str]:
    return {run.key: State(run.state).label for run in Run.objects.all()}


def answer(monkeypatch: pytest.MonkeyPatch, text: str) -> list[str]:
    questions: list[str] = []

    def asked(question: str) -> str:
        questions.append(question)
        return text

    monkeypatch.setattr("builtins.input", asked)
    return questions


def test_retrying_a_run_prints_the_id_of_the_new_one(rowlock: Cli) -> None:
    old = make_run(state=State.FAILED)

    printed = rowlock("retry", str(old.id))

    assert printed == f"{Run.objects.get(retry_of=old.id).id}\n"


def test_retrying_by_query_asks_with_the_number_of_finished_runs(rowlock: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    questions = answer(monkeypatch, "y")
    make_run(state=State.FAILED)
    make_run(state=State.FAILED)
    make_run(state=State.STARTED)

    assert rowlock("retry", "--query", "task:add") == "2 runs retried.\n"
    assert questions == ["Retry 2 runs? [y/N] "]
    assert Run.objects.filter(retry_of__isnull=False).count() == 2


def test_cancelling_says_where_the_run_was(rowlock: Cli) -> None:
    queued = make_run()
    started = make_run(state=State.STARTED)

    printed = rowlock("cancel", str(queued.id), str(started.id))

    assert printed.splitlines() == [
        f"{queued.id} was queued; it is cancelled.",
        f"{started.id} was started; its worker was told to stop it.",
    ]


def test_cancelling_by_query_leaves_what_has_finished(rowlock: Cli) -> None:
    make_run(key="waits")
    make_run(key="done", state=State.SUCCEEDED)

    assert rowlock("cancel", "--query", "task:add", "--yes") == "1 run cancelled (1 queued).\n"
    assert states() == {"waits": "cancelled", "done": "succeeded"}


@pytest.mark.parametrize("text", ["", "n", "no", "yess"])
def test_nothing_is_done_without_a_yes(rowlock: Cli, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    answer(monkeypatch, text)
    make_run(key="waits")

    assert rowlock("cancel", "--query", "state:queued") == ""
    assert states() == {"waits": "queued"}


def test_runs_accepted_during_the_question_are_not_in_what_was_counted(
    rowlock: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run(key="before")

    def accept_another(question: str) -> str:
        make_run(key="during")
        return "y"

    monkeypatch.setattr("builtins.input", accept_another)
    rowlock("cancel", "--query", "state:queued")

    assert states() == {"before": "cancelled", "during": "queued"}


def test_without_anybody_to_answer_yes_must_be_said(rowlock: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(question: str) -> str:
        raise EOFError

    monkeypatch.setattr("builtins.input", nobody)
    make_run(key="waits")

    with pytest.raises(CommandError, match=r"Cancel 1 run\? .* add --yes"):
        rowlock("cancel", "--query", "state:queued")
    assert states() == {"waits": "queued"}


@pytest.mark.parametrize("subcommand", ["retry", "cancel", "republish"])
@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "Name runs either by their ids or by --query."),
        ((str(uuid4()), "--query", "state:failed"), "Name runs either by their ids or by --query."),
        (("--query", " "), "The query is empty, which would be every run"),
        (("--query", "state:x"), "there is no state 'x'"),
        (("12",), "expected the whole id of a run"),
    ],
)
def test_what_does_not_say_which_runs_is_refused(
    rowlock: Cli, subcommand: str, words: tuple[str, ...], message: str
) -> None:
    with pytest.raises(CommandError) as raised:
        rowlock(subcommand, *words, "--yes")

    assert message in str(raised.value)


def test_what_cannot_be_steered_is_told(rowlock: Cli) -> None:
    with pytest.raises(CommandError, match=r"has failed already"):
        rowlock("cancel", str(make_run(state=State.FAILED).id))
    with pytest.raises(CommandError, match=r"only a finished one can be retried"):
        rowlock("retry", str(make_run().id))
    with pytest.raises(CommandError, match=r"There is no run"):
        rowlock("cancel", str(uuid4()))


def test_a_query_that_finds_nothing_to_do_says_so(remarks: Cli) -> None:
    assert remarks("cancel", "--query", "state:failed") == "No run was found that waits or runs.\n"
    assert remarks("retry", "--query", "state:queued") == "No finished run was found.\n"
    assert remarks("republish", "--query", "state:queued") == "No run was found that waits in the broker.\n"


def test_republishing_queues_again_what_was_published_and_not_started(rowlock: Cli) -> None:
    make_run(key="lost", state=State.PUBLISHED, created=ago(hours=1), attempts=1)
    make_run(key="runs", state=State.STARTED, created=ago(hours=1))

    assert rowlock("republish", "--query", "until:10m", "--yes") == "1 run put back to be published.\n"
    assert states() == {"lost": "queued", "runs": "started"}
    assert Run.objects.get(key="lost").check_first, "a worker may start a message that was not lost a second time"
