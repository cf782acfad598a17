import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError
from pytest_django import Settings

from rowlock.models import ApiToken, Run, State
from rowlock.models.token import hash_of
from tests.cli.conftest import Cli
from tests.processes import running, wait_until
from tests.runs.factory import ago, make_run


@pytest.mark.django_db
def test_pruning_says_how_many_runs_it_deleted(rowlock: Cli, settings: Settings) -> None:
    settings.ROWLOCK = {"RETENTION_DAYS": 1}
    make_run(state=State.SUCCEEDED, created=ago(days=2), finished=ago(days=2))
    make_run(state=State.SUCCEEDED)

    assert rowlock("prune") == "1 run deleted.\n"
    assert Run.objects.count() == 1


@pytest.mark.django_db
def test_a_token_is_printed_once_and_kept_as_a_hash(rowlock: Cli) -> None:
    user = User.objects.create_user("ada")

    secret = rowlock("token", "ada", "--name", "deploy", "--expires", "90d").strip()

    token = ApiToken.objects.get()
    assert (token.user, token.name, token.hash) == (user, "deploy", hash_of(secret))
    assert token.expires is not None
    assert token.expires > datetime.now(UTC) + timedelta(days=89)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("nobody", "--name", "x"), "There is no user 'nobody'"),
        (("ada", "--name", ""), "--name must have 1 to 100 characters."),
        (("ada", "--name", "x" * 101), "--name must have 1 to 100 characters."),
        (("ada", "--name", "x", "--expires", "2020-01-01"), "--expires is in the past."),
        (("ada",), "the following arguments are required: --name"),
    ],
)
def test_a_token_that_cannot_be_made_is_told(rowlock: Cli, words: tuple[str, ...], message: str) -> None:
    User.objects.create_user("ada")

    with pytest.raises(CommandError, match=message):
        rowlock("token", *words)
    assert not ApiToken.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_relay_publishes_until_it_is_told_to_stop(tmp_path: Path, number: signal.Signals) -> None:
    run = make_run(state=State.QUEUED)
    log = tmp_path / "log"

    with running(["manage", "rowlock", "relay"], log) as relay:
        wait_until(
            "the run is published",
            lambda: relay.process.poll() is not None or Run.objects.get().state == State.PUBLISHED,
        )
        assert relay.process.poll() is None, log.read_text()
        relay.process.send_signal(number)
        assert relay.process.wait(timeout=30) == 0, log.read_text()

    assert Run.objects.get(id=run.id).attempts == 1
