"""What a client of the server-sent events sees."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from django.http import StreamingHttpResponse
from django.test import AsyncClient, Client

from rowlock.live import stream
from rowlock.live.threads import in_database
from rowlock.models import ApiToken, State
from rowlock.models.identifier import new_id
from tests.live.clients import change, make, run, without_runs
from tests.runs.factory import ago, make_run

pytestmark = pytest.mark.django_db(transaction=True)


class Events:
    """Blocks of an event stream."""

    def __init__(self, response: StreamingHttpResponse) -> None:
        self.response = response
        self._pieces = aiter(response)

    async def block(self) -> str:
        piece = await anext(self._pieces)
        return piece.decode() if isinstance(piece, bytes) else str(piece)

    async def next(self) -> dict[str, Any]:
        """The JSON of the next block that has some."""
        while True:
            for line in (await self.block()).splitlines():
                if line.startswith("data: "):
                    message: dict[str, Any] = json.loads(line.removeprefix("data: "))
                    return message


@asynccontextmanager
async def events(token: str, headers: dict[str, str] | None = None, **parameters: Any) -> AsyncIterator[Events]:
    given = {"Authorization": f"Bearer {token}", **(headers or {})}
    response = await AsyncClient().get("/api/live/", parameters, headers=given)
    assert isinstance(response, StreamingHttpResponse), response.content
    opened = Events(response)
    try:
        yield opened
    finally:
        await opened._pieces.aclose()


def refusal(headers: dict[str, str] | None = None, **parameters: Any) -> tuple[int, dict[str, Any]]:
    """Status and problem of an answer without a stream."""

    async def scenario() -> Any:
        return await AsyncClient().get("/api/live/", parameters, headers=headers)

    response = run(scenario())
    assert response["Content-Type"] == "application/problem+json"
    problem = json.loads(response.content)
    assert problem["status"] == response.status_code
    return response.status_code, problem


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_it_begins_with_a_snapshot_and_goes_on_with_deltas(reader: str) -> None:
    async def scenario() -> tuple[dict[str, Any], dict[str, Any], str]:
        old = await make(changed=ago(minutes=1))
        async with events(reader, run=old.id) as opened:
            snapshot = await opened.next()
            await change(old, state=State.STARTED)
            return snapshot, await opened.next(), str(old.id)

    snapshot, delta, run_id = run(scenario())

    assert (snapshot["type"], snapshot["run"]["id"], snapshot["run"]["state"]) == ("snapshot", run_id, "queued")
    assert (delta["type"], delta["run"]["id"], delta["run"]["state"]) == ("delta", run_id, "started")


def test_proxies_are_told_not_to_keep_it(reader: str) -> None:
    async def scenario() -> StreamingHttpResponse:
        async with events(reader, counts=1) as opened:
            return opened.response

    response = run(scenario())

    assert response["Content-Type"] == "text/event-stream"
    assert "no-store" in response["Cache-Control"]
    assert response["X-Accel-Buffering"] == "no"


def test_a_browser_that_comes_back_is_told_what_happened_meanwhile(reader: str) -> None:
    async def scenario() -> tuple[dict[str, Any], str]:
        async with events(reader, q="") as opened:
            position = (await opened.next())["position"]
        made = await make()
        async with events(reader, {"Last-Event-ID": position}, q="") as opened:
            return await opened.next(), str(made.id)

    delta, made = run(scenario())

    assert delta["type"] == "delta"
    assert [told["id"] for told in delta["runs"]] == [made]


def test_the_position_is_the_id_of_the_event(reader: str) -> None:
    async def scenario() -> str:
        async with events(reader, counts=1) as opened:
            assert (await opened.block()).startswith("retry: ")
            return await opened.block()

    first, second, *_ = run(scenario()).splitlines()

    assert first.removeprefix("id: ") == json.loads(second.removeprefix("data: "))["position"]


def test_silence_is_filled(reader: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "HEARTBEAT", 0.05)

    async def scenario() -> str:
        async with events(reader, counts=1) as opened:
            await opened.next()
            return await opened.block()

    assert run(scenario()).startswith(": ")


def test_it_says_why_it_ends(reader: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "RECHECK", 0.05)

    async def scenario() -> dict[str, Any]:
        async with events(reader, counts=1) as opened:
            await opened.next()
            await in_database(ApiToken.objects.all().delete)
            return await opened.next()

    assert run(scenario()) == {
        "type": "closed",
        "code": 4401,
        "reason": "The token or session is no longer valid; log in again.",
    }


def test_it_stops_looking_when_the_client_goes(reader: str) -> None:
    async def scenario() -> None:
        async with events(reader, counts=1) as opened:
            await opened.next()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        if others:
            await asyncio.wait(others)

    run(scenario())


def test_nobody_is_refused() -> None:
    status, problem = refusal(counts=1)

    assert (status, problem["detail"]) == (401, "Log in, or send `Authorization: Bearer <token>`.")


def test_a_run_that_may_not_be_seen_is_not_there(anna: str) -> None:
    assert refusal(bearer(anna), run=new_id())[0] == 404
    assert refusal(bearer(anna), run=make_run(owner="ben").id)[0] == 404


def test_a_query_that_cannot_be_read_is_named(anna: str) -> None:
    status, problem = refusal(bearer(anna), q="colour:red")

    assert status == 400
    assert "colour" in problem["detail"]


def test_without_a_database_it_is_to_be_tried_later(reader: str) -> None:
    async def scenario() -> Any:
        made = await make()
        async with without_runs():
            return await AsyncClient().get("/api/live/", {"run": str(made.id)}, headers=bearer(reader))

    response = run(scenario())

    assert (response.status_code, response["Retry-After"]) == (503, "5")


def test_only_get_is_answered(anna: str) -> None:
    response = Client(headers=bearer(anna)).post("/api/live/")

    assert (response.status_code, response["Allow"]) == (405, "GET")


def test_a_server_that_cannot_stream_says_so(anna: str) -> None:
    response = Client(headers=bearer(anna)).get("/api/live/", {"counts": 1})

    assert response.status_code == 501
    assert "ASGI" in json.loads(response.content)["detail"]
