"""Who may open a live view, and for how long."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.utils import timezone
from pytest_django import Settings

from rowlock.live import stream
from rowlock.live.messages import Code
from rowlock.live.threads import in_database
from rowlock.models import ApiToken, Run
from rowlock.models.identifier import new_id
from tests.live.clients import make, run, socket, without_runs
from tests.live.conftest import MakeToken
from tests.runs.factory import make_run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rights are looked up again all the time."""
    monkeypatch.setattr(stream, "RECHECK", 0.05)


@pytest.fixture
def session() -> str:
    """The cookie of a person who is logged in."""
    user = User.objects.create_user("anna")
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return f"sessionid={session.session_key}"


def withdraw() -> None:
    User.objects.get().user_permissions.clear()


def refusal(token: str = "", *, headers: dict[str, str] | None = None, **parameters: Any) -> tuple[int, str]:
    """Code and reason with which a WebSocket is ended."""

    async def scenario() -> tuple[int, str]:
        async with socket(token, headers=headers, **parameters) as opened:
            return await opened.closing()

    return run(scenario())


def first_type(token: str = "", **asked: Any) -> str:
    """The type of the first message of a WebSocket to the counts."""

    async def scenario() -> str:
        async with socket(token, counts=1, **asked) as opened:
            return str((await opened.next())["type"])

    return run(scenario())


def test_nobody_is_refused() -> None:
    assert refusal(counts=1) == (Code.UNAUTHENTICATED, "Log in, or send `Authorization: Bearer <token>`.")


@pytest.mark.parametrize("header", ["Bearer rowlock_wrong", "Bearer", "Basic YTpi"])
def test_a_wrong_header_is_refused(header: str) -> None:
    code, _ = refusal(headers={"Authorization": header}, counts=1)

    assert code == Code.UNAUTHENTICATED


def test_a_wrong_token_is_refused_also_with_a_session(session: str) -> None:
    code, _ = refusal("rowlock_wrong", headers={"Cookie": session}, counts=1)

    assert code == Code.UNAUTHENTICATED


def test_an_expired_token_is_refused(token_of: MakeToken) -> None:
    code, _ = refusal(token_of("anna", expires=timezone.now() - timedelta(seconds=1)), counts=1)

    assert code == Code.UNAUTHENTICATED


def test_a_token_of_an_inactive_user_is_refused(anna: str) -> None:
    User.objects.update(is_active=False)

    code, _ = refusal(anna, counts=1)

    assert code == Code.UNAUTHENTICATED


def test_a_browser_names_its_token_as_a_subprotocol_that_is_not_repeated(anna: str) -> None:
    async def scenario() -> tuple[str | None, str]:
        async with socket(subprotocols=["rowlock.live", anna], counts=1) as opened:
            return opened.subprotocol, (await opened.next())["type"]

    assert run(scenario()) == ("rowlock.live", "snapshot")


def test_a_session_is_enough(session: str) -> None:
    assert first_type(headers={"Cookie": session}) == "snapshot"


def test_a_page_of_this_site_may_use_its_session(session: str) -> None:
    assert first_type(headers={"Cookie": session, "Origin": "http://testserver"}) == "snapshot"


def test_a_page_of_another_site_may_not(session: str) -> None:
    code, reason = refusal(headers={"Cookie": session, "Origin": "https://evil.example"}, counts=1)

    assert code == Code.NOT_ALLOWED
    assert "another site" in reason


@pytest.mark.parametrize("origin", ["https://console.example.com", "https://a.b.example.org"])
def test_a_page_of_a_trusted_site_may(session: str, settings: Settings, origin: str) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["https://console.example.com", "https://*.example.org"]

    assert first_type(headers={"Cookie": session, "Origin": origin}) == "snapshot"


def test_the_origin_does_not_matter_with_a_token(anna: str) -> None:
    assert first_type(anna, headers={"Origin": "https://elsewhere.example"}) == "snapshot"


@pytest.mark.parametrize("told", ["missing", "somebody else's"])
def test_a_run_that_may_not_be_seen_is_not_there(anna: str, told: str) -> None:
    run_id = new_id() if told == "missing" else make_run(owner="ben").id

    assert refusal(anna, run=run_id) == (Code.NOT_FOUND, f"There is no run {run_id} that you may see.")


@pytest.mark.parametrize(
    ("parameters", "word"),
    [
        ({}, "Name one of"),
        ({"q": "", "counts": "1"}, "Name one of"),
        ({"run": "7"}, "UUID"),
        ({"counts": "yes"}, "counts"),
        ({"q": "colour:red"}, "colour"),
        ({"q": "", "limit": "0"}, "limit"),
        ({"q": "", "limit": "501"}, "limit"),
        ({"counts": "1", "limit": "5"}, "limit"),
        ({"q": "", "since": "yesterday"}, "since"),
        ({"q": "", "since": "9" * 19}, "since"),
        ({"query": "x"}, "query"),
    ],
)
def test_what_cannot_be_read_is_named(anna: str, parameters: dict[str, Any], word: str) -> None:
    code, reason = refusal(anna, **parameters)

    assert code == Code.MALFORMED
    assert word in reason


@pytest.mark.usefixtures("often")
def test_a_view_ends_when_its_token_is_taken_away(anna: str) -> None:
    async def scenario() -> tuple[int, str]:
        async with socket(anna, counts=1) as opened:
            await opened.next()
            await in_database(ApiToken.objects.all().delete)
            return await opened.closing()

    assert run(scenario()) == (Code.UNAUTHENTICATED, "The token or session is no longer valid; log in again.")


@pytest.mark.usefixtures("often")
def test_a_view_ends_with_its_session(session: str) -> None:
    key = session.partition("=")[2]

    async def scenario() -> int:
        async with socket(headers={"Cookie": session}, counts=1) as opened:
            await opened.next()
            await in_database(lambda: SessionStore(key).delete())
            return (await opened.closing())[0]

    assert run(scenario()) == Code.UNAUTHENTICATED


@pytest.mark.usefixtures("often")
def test_who_loses_the_right_to_see_all_begins_anew_with_their_own(reader: str) -> None:
    async def scenario() -> tuple[int, list[bool]]:
        await make(owner="ben")
        own = await make(owner="reader")
        async with socket(reader, q="") as opened:
            before = await opened.next()
            await in_database(withdraw)
            after = await opened.until("a new snapshot", lambda message: message["type"] == "snapshot")
            return len(before["runs"]), [told["id"] == str(own.id) for told in after["runs"]]

    assert run(scenario()) == (2, [True])


@pytest.mark.usefixtures("often")
def test_a_view_of_one_run_ends_when_it_may_be_seen_no_more(reader: str) -> None:
    async def scenario() -> int:
        others = await make(owner="ben")
        async with socket(reader, run=others.id) as opened:
            await opened.next()
            await in_database(withdraw)
            return (await opened.closing())[0]

    assert run(scenario()) == Code.NOT_FOUND


@pytest.mark.usefixtures("often")
def test_a_view_of_one_run_ends_when_its_history_is_pruned(reader: str) -> None:
    async def scenario() -> int:
        made = await make()
        async with socket(reader, run=made.id) as opened:
            await opened.next()
            await in_database(lambda: Run.objects.all().delete())
            return (await opened.closing())[0]

    assert run(scenario()) == Code.NOT_FOUND


def test_without_a_database_it_is_to_be_tried_later(reader: str) -> None:
    async def scenario() -> int:
        made = await make()
        async with without_runs(), socket(reader, run=made.id) as opened:
            return (await opened.closing())[0]

    assert run(scenario()) == Code.TRY_LATER
